"""IUTs that speak VRRPv3 (``carpver 3``) for the cases, and what one packet moves among their counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from conformance.segment.decision import Condition, Inconclusive
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Event, FrameSeen
from conformance.suite.configuring import Start
from conformance.targets.protocol import Bench, Neighbour, Neighbourly, VrrpRouter
from conformance.targets.subject import Subject
from conformance.targets.subject.router import Router
from conformance.wire.digest import Address
from conformance.wire.header import PROTOCOL
from conformance.wire.vrrp3 import LEAST_LENGTH

NEIGHBOUR_NS = 8_000_000_000
"""How long a neighbour may take to become MASTER."""


def family(bench: Bench, version: int, count: int = 1) -> tuple[Address, ...]:
    """The first shared addresses of a family (4 or 6)."""
    return tuple(one for one in bench.shared_addresses if one.version == version)[:count]


def route(
    start: Start, *, priority: int | None = None, interval_cs: int | None = None, **settings: Any
) -> Router:
    """Starts an IUT that speaks VRRPv3; what is not given keeps the default of the implementation."""
    options: dict[str, int] = {"carpver": 3}
    if priority is not None:
        options["vrrpprio"] = priority
    if interval_cs is not None:
        options["vrrpinterval"] = interval_cs
    return Router.of(start(**settings, options=options))


def backup_router(start: Start, tester: Tester, **settings: Any) -> Router:
    """A BACKUP that has just heard a master of a higher priority: its timer runs."""
    router = route(start, **settings)
    tester.send(router.router(router.priority + 50))
    return router


def master_router(start: Start, **settings: Any) -> Router:
    """A MASTER: its first advertisement has been seen."""
    router = route(start, **settings)
    router.reach_master()
    return router


def neighbour(bench: Bench, **router: Any) -> Neighbour:
    """A real VRRP router on the segment, for the first shared address unless ``addresses`` says otherwise
    (needs vrrp_neighbour).
    """
    wanted = VrrpRouter(**{"addresses": bench.shared_addresses[:1], **router})
    return cast("Neighbourly", bench).vrrp_neighbour(wanted)


def advertises(router: Neighbour, priority: int | None = None) -> Condition:
    """An advertisement of VRRP from a neighbour, with ``priority`` if that is given."""
    what = f"{router.name} advertises" + ("" if priority is None else f" priority {priority}")
    return Condition(what, lambda event: _is_of(event, router, priority))


def heard(wire: Segment, router: Neighbour, priority: int | None = None) -> FrameSeen:
    """The next advertisement of a neighbour. Raises :class:`Inconclusive` without one: it is not under test."""
    return _heard(wire, router, priority, wire.now_ns())


def resigns(wire: Segment, router: Neighbour) -> FrameSeen:
    """Ends a neighbour that is MASTER, and gives its last advertisement, of priority 0. Raises
    :class:`Inconclusive` without one.
    """
    before_ns = wire.now_ns()
    router.stop()
    return _heard(wire, router, 0, before_ns)


def _heard(wire: Segment, router: Neighbour, priority: int | None, since_ns: int) -> FrameSeen:
    condition = advertises(router, priority)
    event = wire.wait(condition, wire.now_ns() + NEIGHBOUR_NS, since_ns=since_ns)
    if not isinstance(event, FrameSeen):
        raise Inconclusive(
            f"not that {condition.text}, in {NEIGHBOUR_NS / 1e9:.0f} s: the neighbour does not work"
        )
    return event


def _is_of(event: Event, router: Neighbour, priority: int | None) -> bool:
    if not isinstance(event, FrameSeen) or event.sent or event.frame.ip is None:
        return False
    ip, payload = event.frame.ip, event.frame.payload
    if ip.protocol != PROTOCOL or ip.source not in router.addresses or len(payload) < LEAST_LENGTH:
        return False
    return priority is None or payload[2] == priority


def moved_errors(subject: Subject, packet: Callable[[], object]) -> str:
    """The error counters of the host that ``packet``, which sends one, moves, as ``badttl 1``."""
    subject.alive()  # what was sent before has been counted
    before = subject.counters()
    packet()
    subject.alive()
    after = subject.counters()
    moved = {name: after[name] - before[name] for name in sorted(after) if name.startswith("bad")}
    return ", ".join(f"{name} {count}" for name, count in moved.items() if count)
