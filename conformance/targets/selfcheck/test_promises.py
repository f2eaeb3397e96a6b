"""What every driver can do: a lane, an IUT with the settings that were asked for, its end, and a clean lane again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.segment.decision import Window, seconds
from conformance.targets.experiments.trial import SECOND_NS, SILENCE_NS, Trial, trial
from conformance.targets.protocol import Bench, ConfigurationRefused, Target
from conformance.targets.selfcheck.conftest import Promise

_NOISE_NS = 500_000_000
"""More than an honest start is told late by, less than any timer of the protocol."""
_SETTINGS: tuple[dict[str, Any], ...] = (
    {"advskew": 0},
    {"advskew": 200},
    {"advbase": 2, "advskew": 3},
    {"vhid": 77},
    {"password": "another key"},
)
_SECRET = {"password": "a-key-to-find"}


def test_lane_has_the_tester_hosts_and_addresses(lane: Trial, promise: Promise) -> None:
    bench = lane.bench
    promise(
        list(bench.hosts) == ["a"], f"a bench of one host has the hosts {', '.join(bench.hosts)}: name it a"
    )
    promise(bench.hosts["a"].name == "a", f"the host a says that its name is {bench.hosts['a'].name!r}")
    promise(len(bench.tester_mac) == 6, "tester_mac is not six bytes")
    used = [*bench.tester_addresses, *bench.hosts["a"].addresses, *bench.shared_addresses]
    promise(len(set(used)) == len(used), "tester, host and shared addresses are not all different")
    first = [
        one.version
        for one in (bench.tester_addresses[0], bench.hosts["a"].addresses[0], bench.shared_addresses[0])
    ]
    promise(
        first == [4, 4, 4],
        "the first address of the tester, of the host and of the shared ones must be IPv4 ones",
    )


def test_host_is_on_the_wire_with_its_mac(lane: Trial, promise: Promise) -> None:
    mac = lane.answers()
    address = lane.host.addresses[0]
    promise(mac is not None, f"the host does not answer an ARP request for its address {address}")
    promise(
        mac == lane.host.mac,
        f"the host answers from {mac.hex(':') if mac else mac}, and says that its MAC address is {lane.host.mac.hex(':')}",
    )


@pytest.mark.parametrize(
    "wanted", _SETTINGS, ids=lambda wanted: "-".join(f"{name}-{value}" for name, value in wanted.items())
)
def test_settings_arrive_on_the_wire(lane: Trial, promise: Promise, wanted: dict[str, Any]) -> None:
    iut = lane.start(**wanted)
    settings = lane.settings
    seen = lane.first()
    asked = (
        ", ".join(f"{name} {value}" for name, value in wanted.items() if name != "password")
        or "another password"
    )
    promise(
        seen is not None,
        f"started with {asked}, it did not advertise vhid {settings.vhid} from {lane.host.addresses[0]} in 8 s",
    )
    assert seen is not None
    header = seen.frame.carp
    assert header is not None
    for name, says, should in (
        ("advbase", header.advbase, settings.advbase),
        ("advskew", header.advskew, settings.advskew),
    ):
        promise(
            says == should,
            f"started with {asked}, it advertises {name} {says}: the driver does not pass {name} on",
        )
    promise(
        lane.secret(settings).verifies(header.vhid, header.counter, header.digest),
        f"started with {asked}, its digest is not that of the password and the addresses that it was given",
    )
    promise(
        iut.settings == settings,
        f"started with {asked}, the IUT says in its settings that it was given others",
    )


def test_it_is_in_backup_when_start_returns(lane: Trial, promise: Promise) -> None:
    before_ns = lane.bench.loop.now_ns()
    iut = lane.start()
    after_ns = lane.bench.loop.now_ns()
    promise(iut.running(), "running() is false right after start()")
    promise(
        before_ns - _NOISE_NS <= iut.started_ns <= after_ns + _NOISE_NS,
        "started_ns does not lie between the call of start() and its return: give nanoseconds since the epoch on the clock of the bench's loop",
    )
    seen = lane.first()
    promise(seen is not None, "it did not advertise in 8 s after start()")
    assert seen is not None
    bounds = lane.target.profile.dialect.start_window_ns(iut.settings.advbase, iut.settings.advskew, 3)
    window = Window.after(iut.started_ns, bounds, "started_ns")
    promise(
        window.from_ns - _NOISE_NS <= seen.time_ns <= window.to_ns + _NOISE_NS,
        f"its first advertisement came {seconds(seen.time_ns - iut.started_ns)} after started_ns, the dialect {lane.target.profile.dialect.key} "
        f"demands {window}: started_ns or the dialect is wrong, or start() returns before the IUT is in BACKUP",
    )


def test_settings_that_it_does_not_have_are_refused(lane: Trial, promise: Promise) -> None:
    try:
        lane.start(options={"no-such-option": 1})
    except (ConfigurationRefused, ValueError, TypeError, LookupError):
        return
    promise(
        False,
        "it took an option that does not exist: unknown options must be refused, or a case believes that it has what it wanted",
    )


def test_stop_ends_it(lane: Trial, promise: Promise) -> None:
    iut = lane.start()
    promise(lane.advertises(), "it did not advertise in 8 s after start()")
    iut.stop()
    lane.bench.loop.run_for(SECOND_NS)
    promise(not lane.advertises(SILENCE_NS), "it still advertises after stop()")


def test_description_keeps_the_password_to_itself(lane: Trial, promise: Promise) -> None:
    iut = lane.start(**_SECRET)
    lane.first()
    described = iut.describe()
    promise(
        bool(described),
        "describe() says nothing: a developer who reads a failure wants the state and the last log lines",
    )
    promise(_SECRET["password"] not in described, "describe() shows the password")


def test_nothing_is_left_after_reset(
    target: Target, benches: Callable[[int], Bench], promise: Promise
) -> None:
    with trial(target, benches(1)) as first:
        first.start(advskew=0)
        promise(first.advertises(), "it did not advertise in 8 s after start()")
        left = len(first.trace.events)
    with trial(target, benches(1)) as second:
        vhid = first.settings.vhid
        promise(
            not second.advertises(SILENCE_NS, vhid=vhid), "what a case started still advertises after reset()"
        )
        promise(len(first.trace.events) == left, "events still go into the trace of the case before")
        second.start(advskew=100)
        seen = second.first()
        promise(seen is not None, "after reset() nothing can be started")
        assert seen is not None
        assert seen.frame.carp is not None
        promise(seen.frame.carp.advskew == 100, "after reset() it still has the settings of the case before")


def test_two_hosts_hear_each_other(target: Target, benches: Callable[[int], Bench], promise: Promise) -> None:
    if target.profile.max_hosts < 2:
        pytest.skip(f"{target.profile.name} has one host")
    with trial(target, benches(2)) as lane:
        promise(
            list(lane.bench.hosts) == ["a", "b"],
            f"a bench of two has the hosts {', '.join(lane.bench.hosts)}",
        )
        lane.start(on="a")
        lane.start(on="b", advskew=100)
        promise(lane.advertises(on="a"), "of two hosts the better one did not advertise in 8 s")
        promise(
            not lane.advertises(SILENCE_NS, on="b"),
            "of two hosts both advertise: they do not hear each other",
        )
