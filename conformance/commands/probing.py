"""Tries what a target claims: one small experiment for each capability that can be tried without a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from conformance.report.certificate.pics import Probe
from conformance.segment.segment import Segment
from conformance.segment.trace import FrameSeen, HostEvent, HostKind, Trace
from conformance.targets.protocol import (
    Bench,
    Changeable,
    ConfigurationRefused,
    Counting,
    Demotable,
    Iut,
    Listing,
    Orderable,
    Settings,
    SutHost,
    Target,
    Tunable,
)
from conformance.wire.digest import AddressRule, Secret

_SECOND_NS = 1_000_000_000
_TAKE_OVER_NS = 8 * _SECOND_NS
_REACTION_NS = 3 * _SECOND_NS


@dataclass(slots=True)
class Trial:
    """A clean lane to try one thing in."""

    target: Target
    bench: Bench
    trace: Trace
    segment: Segment
    started: list[Iut] = field(default_factory=list)

    @property
    def host(self) -> SutHost:
        return self.bench.hosts["a"]

    def start(self, **changes: Any) -> Iut:
        """Starts an IUT of vhid 1 with one IPv4 address. Raises :class:`ConfigurationRefused`."""
        chosen: dict[str, Any] = {
            "vhid": 1,
            "password": self.target.profile.password,
            "addresses": self.bench.shared_addresses[:1],
        }
        iut = self.host.start(Settings(**(chosen | changes)))
        self.started.append(iut)
        return iut

    def advertises(self, limit_ns: int = _TAKE_OVER_NS, *, version: int = 4, vhid: int = 1) -> bool:
        """Whether an advertisement of ``vhid`` over IP ``version`` comes within ``limit_ns`` from now on."""
        since = len(self.trace.frames)
        return self.bench.loop.run_until(
            lambda: any(_is_advertisement(seen, version, vhid) for seen in self.trace.frames[since:]),
            self.bench.loop.now_ns() + limit_ns,
        )

    def tells(self, kind: HostKind, limit_ns: int = _REACTION_NS) -> bool:
        """Whether the host tells something of ``kind``, or has, within ``limit_ns``."""
        return self.bench.loop.run_until(
            lambda: any(isinstance(event, HostEvent) and event.kind is kind for event in self.trace.events),
            self.bench.loop.now_ns() + limit_ns,
        )


def _is_advertisement(seen: FrameSeen, version: int, vhid: int) -> bool:
    frame = seen.frame
    return (
        not seen.sent
        and frame.carp is not None
        and frame.ip is not None
        and frame.ip.version == version
        and frame.carp.vhid == vhid
    )


Experiment = Callable[[Trial], Probe]


def probe(target: Target) -> dict[str, Probe]:
    """What came of every experiment of :data:`EXPERIMENTS`, by capability. It needs the target to be ready (``lacks()``)."""
    found = {}
    with target.bench(1) as bench:
        for name, experiment in EXPERIMENTS.items():
            with _trial(target, bench) as trial:
                found[name] = _tried(experiment, trial)
    return found


@contextmanager
def _trial(target: Target, bench: Bench) -> Iterator[Trial]:
    trace = Trace()
    try:
        segment = Segment(bench.loop, trace, bench.port(trace))
        yield Trial(target, bench, trace, segment)
    finally:
        bench.reset()


def _tried(experiment: Experiment, trial: Trial) -> Probe:
    try:
        return experiment(trial)
    except ConfigurationRefused as refused:
        return Probe(False, f"it was refused: {' '.join(refused.said.split())[:120] or refused.status}")
    except Exception as missing:  # noqa: BLE001  # how a driver fails at what its PICS denies is its own business
        return Probe(False, f"the driver cannot do it ({type(missing).__name__})")


def _addresses_of(trial: Trial, version: int, count: int) -> tuple[Any, ...]:
    return tuple(one for one in trial.bench.shared_addresses if one.version == version)[:count]


def _ipv6(trial: Trial) -> Probe:
    trial.start(addresses=_addresses_of(trial, 6, 1))
    return _seen(trial.advertises(version=6), "advertises over IPv6")


def _several(trial: Trial) -> Probe:
    addresses = _addresses_of(trial, 4, 2)
    trial.start(addresses=addresses)
    if not trial.advertises():
        return _seen(False, "advertises for two addresses")
    rule = trial.target.profile.dialect.address_rule
    # A daemon that takes two addresses and uses one is found out by its digest.
    both = Secret(
        trial.target.profile.password,
        addresses,
        AddressRule.ASCENDING if rule is AddressRule.SINGLE else rule,
    )
    carp = next(seen.frame.carp for seen in trial.trace.frames if _is_advertisement(seen, 4, 1))
    assert carp is not None
    return _seen(both.verifies(1, carp.counter, carp.digest), "has a digest over both of its two addresses")


def _two_vhids(trial: Trial) -> Probe:
    first, second = _addresses_of(trial, 4, 2)
    trial.start(addresses=(first,))
    trial.start(vhid=2, addresses=(second,))
    return _seen(trial.advertises() and trial.advertises(vhid=2), "advertises vhid 1 and vhid 2")


def _no_password(trial: Trial) -> Probe:
    trial.start(password="")
    return _seen(trial.advertises(), "advertises without a password")


def _preempt(trial: Trial) -> Probe:
    trial.start(preempt=True)
    return Probe(True, "preemption is taken at start")


def _log(trial: Trial) -> Probe:
    trial.start()
    return _seen(
        trial.tells(HostKind.LOG) or (trial.advertises() and trial.tells(HostKind.LOG)),
        "a log line can be read",
    )


def _state(trial: Trial) -> Probe:
    trial.start()
    return _seen(trial.tells(HostKind.STATE), "its state can be read")


def _scripts(trial: Trial) -> Probe:
    trial.start()
    return _seen(trial.advertises() and trial.tells(HostKind.SCRIPT), "a script runs when it becomes MASTER")


def _counters(trial: Trial) -> Probe:
    counters = cast("Counting", trial.host).counters()
    return _seen(bool(counters), f"{len(counters)} counters can be read")


def _sysctl(trial: Trial) -> Probe:
    trial.start()
    value = cast("Tunable", trial.host).sysctl("allow")
    return Probe(True, f"net.inet.carp.allow is {value}")


def _reconfigure(trial: Trial) -> Probe:
    iut = trial.start()
    cast("Changeable", iut).reconfigure(advskew=50)
    return _seen(trial.advertises(), "its advskew was changed while it ran")


def _request(trial: Trial) -> Probe:
    iut = trial.start()
    cast("Orderable", iut).request_state("MASTER")
    return _seen(trial.advertises(_SECOND_NS), "becomes MASTER at once when it is ordered to")


def _vhid_list(trial: Trial) -> Probe:
    trial.start()
    found = cast("Listing", trial.host).vhids()
    return _seen(found == (1,), f"the vhids of its host are {found}")


def _demote(trial: Trial) -> Probe:
    trial.start()
    host = cast("Demotable", trial.host)
    host.demote(10)
    told = host.demotion()
    return _seen(told != 0, f"its demotion is {told} after an order to demote")


def _kill(trial: Trial) -> Probe:
    iut = trial.start()
    iut.kill()
    return _seen(not iut.running(), "is gone after it was killed")


def _signals(trial: Trial) -> Probe:
    iut = trial.start()
    iut.signal("USR2")
    return Probe(True, "took USR2")


def _seen(has: bool, evidence: str) -> Probe:
    return Probe(has, evidence if has else f"not seen that it {evidence}")


EXPERIMENTS: Mapping[str, Experiment] = {
    "ipv6": _ipv6,
    "multiple_addresses": _several,
    "multiple_vhids": _two_vhids,
    "no_password": _no_password,
    "preempt": _preempt,
    "log": _log,
    "state_read": _state,
    "scripts": _scripts,
    "counters": _counters,
    "sysctl": _sysctl,
    "reconfigure": _reconfigure,
    "state_request": _request,
    "vhid_list": _vhid_list,
    "demotion_order": _demote,
    "kill": _kill,
    "signals": _signals,
}
"""What can be tried on one host in a few seconds; the other capabilities rest on the declaration and on the cases."""
