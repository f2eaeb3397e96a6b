"""VRRP3: whom a virtual host with ``carpver 3`` obeys, and when it takes over."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, needs, takes
from conformance.suite.routing import backup_router, family, master_router, route
from conformance.targets.protocol import Bench

pytestmark = needs("vrrp3")

LOWER = ip_address("192.0.1.254")
"""An address below those of all hosts of the segment."""
BETTER = {"higher-priority": {"priority": 101}, "shorter-interval": {"priority": 1, "interval_cs": 99}}
WORSE = {"lower-priority": {"priority": 99}, "longer-interval": {"interval_cs": 101}}


def each(table: dict[str, dict[str, int]]) -> pytest.MarkDecorator:
    """One case for each row, of that name."""
    return pytest.mark.parametrize("fields", table.values(), ids=table)


# --- election


@covers("CARP-VRRP3-006")
@each(BETTER)
@takes(8)
def test_master_yields(start: Start, tester: Tester, fields: dict[str, Any]) -> None:
    """A MASTER yields to a higher priority, or to a shorter interval whatever the priority, and comes back."""
    router = master_router(start)
    better = tester.send(router.router(**{"priority": 100, "source": LOWER, **fields}))
    router.expect_yields(better)
    router.comes_back(better)


@covers("CARP-VRRP3-006")
@each(WORSE)
@takes(8)
def test_master_stays(start: Start, tester: Tester, fields: dict[str, Any]) -> None:
    """A MASTER goes on beside a lower priority, and beside a longer interval."""
    router = master_router(start)
    with tester.advertising(router.router(**{"priority": 100, **fields})) as first:
        router.stays_master(first)


@covers("CARP-VRRP3-006")
@pytest.mark.parametrize("source", ["lower", "higher"])
@takes(8)
def test_equal_masters_stay(start: Start, tester: Tester, source: str) -> None:
    """With priority and interval equal both stay MASTER, whichever address is the greater."""
    router = master_router(start)
    address = LOWER if source == "lower" else tester.address
    with tester.advertising(router.router(100, source=address)) as first:
        router.stays_master(first)


@covers("CARP-VRRP3-007")
@each(WORSE)
@takes(6)
def test_backup_preempts(start: Start, tester: Tester, wire: Segment, fields: dict[str, Any]) -> None:
    """A BACKUP with preemption takes over at the first advertisement of a lower priority or of a longer interval."""
    router = backup_router(start, tester, preempt=True)
    worse = tester.send(router.router(**{"priority": 100, **fields}))
    wire.expect(router.becomes_master(), within=router.reaction_window(worse))


@covers("CARP-VRRP3-007")
@pytest.mark.parametrize(
    ("preempt", "priority"), [(False, 99), (True, 100)], ids=["without-preemption", "equal"]
)
@takes(12)
def test_backup_stays(start: Start, tester: Tester, preempt: bool, priority: int) -> None:
    """A BACKUP without preemption leaves a lower priority alone, and one with preemption an equal one."""
    router = backup_router(start, tester, preempt=preempt)
    router.stays_backup(router.router(priority))


@covers("CARP-VRRP3-006")
@needs("ipv6")
@takes(8)
def test_master_yields_over_ipv6(start: Start, bench: Bench, tester: Tester) -> None:
    """Over IPv6 a MASTER yields to a higher priority."""
    router = master_router(start, addresses=family(bench, 6))
    router.expect_yields(tester.send(router.router(101, source=bench.tester_addresses[1])))


# --- time


@covers("CARP-VRRP3-008")
@pytest.mark.parametrize("priority", [1, 100, 254])
@takes(5)
def test_take_over_after_silence(start: Start, tester: Tester, wire: Segment, priority: int) -> None:
    """A BACKUP is MASTER 3*M + (256-priority)*M/256 after the last advertisement of a master that announced M."""
    router = route(start, priority=priority)
    last = tester.send(router.router(255))
    wire.expect(router.becomes_master(), within=router.master_down_window(last))


@covers("CARP-VRRP3-008")
@takes(5)
def test_start_does_not_wait_for_its_own_interval(start: Start, wire: Segment) -> None:
    """Before it has heard a master it waits as if that advertised every second, whatever its own interval."""
    router = route(start, interval_cs=300)
    wire.expect(router.becomes_master(), within=router.start_window)


@covers("CARP-VRRP3-008")
@takes(4)
def test_take_over_from_a_faster_master(start: Start, tester: Tester, wire: Segment) -> None:
    """After a master that announced 50 centiseconds it takes over in half the time."""
    router = route(start)
    last = tester.send(router.router(200, interval_cs=50))
    wire.expect(router.becomes_master(), within=router.master_down_window(last))


@covers("CARP-VRRP3-009")
@takes(5)
def test_interval_of_zero(start: Start, tester: Tester, wire: Segment) -> None:
    """An advertised interval of 0 makes the down time zero: a BACKUP is MASTER at once."""
    router = backup_router(start, tester)
    last = tester.send(router.router(200, interval_cs=0))
    wire.expect(router.becomes_master(), within=router.reaction_window(last))


@covers("CARP-VRRP3-009")
@takes(10)
def test_reserved_bits_of_the_interval(start: Start, tester: Tester) -> None:
    """One advertisement whose reserved bits are set holds a BACKUP down far beyond the interval that it announces, until
    the next one.
    """
    router = backup_router(start, tester)
    tester.send(router.router(200, reserved=15))
    router.stays_silent(2 * router.take_over_bounds_ns[1])
    router.comes_back(tester.send(router.router(200)))


@covers("CARP-VRRP3-010")
@takes(5)
def test_priority_0_to_a_backup(start: Start, tester: Tester, wire: Segment) -> None:
    """Priority 0 restarts the timer of a BACKUP and no more: it takes over a whole down time later."""
    router = backup_router(start, tester)
    resigned = tester.send(router.router(0))
    wire.expect(router.becomes_master(), within=router.master_down_window(resigned))


@covers("CARP-VRRP3-010", "CARP-VRRP3-007")
@takes(5)
def test_priority_0_to_a_preempting_backup(start: Start, tester: Tester, wire: Segment) -> None:
    """For a BACKUP with preemption priority 0 is a lower one: it takes over at once."""
    router = backup_router(start, tester, preempt=True)
    resigned = tester.send(router.router(0))
    wire.expect(router.becomes_master(), within=router.reaction_window(resigned))


@covers("CARP-VRRP3-010")
@takes(8)
def test_no_farewell(start: Start, wire: Segment) -> None:
    """A MASTER that is removed never sends priority 0."""
    router = master_router(start)
    router.next_own(2)
    router.iut.stop()
    router.stays_silent(3 * router.interval_ns)
    priorities = [router.packet(seen).priority for seen in router.own_frames()]
    wire.check("the lowest priority that it advertised", min(priorities), 100)


@covers("CARP-VRRP3-011")
@needs("reconfigure")
@takes(12)
def test_priority_255(start: Start, tester: Tester, wire: Segment) -> None:
    """With priority 255 it waits a down time at its start like any other, and then obeys nobody; with 254 it would."""
    router = route(start, priority=255)
    wire.expect(router.becomes_master(), within=router.start_window)
    with tester.advertising(router.router(255, interval_cs=50)) as first:
        router.stays_master(first)
    router.reconfigure(options={"vrrpprio": 254})
    with tester.advertising(router.router(255, interval_cs=50)) as first:
        router.expect_yields(first)
