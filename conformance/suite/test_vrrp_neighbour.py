"""RX and VRRP3 beside a real VRRP router: keepalived, with the id of the virtual host."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from typing import cast

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, needs, takes
from conformance.suite.routing import advertises, family, heard, master_router, neighbour, resigns, route
from conformance.targets.protocol import Bench, Deafening
from conformance.wire.digest import Address

pytestmark = needs("vrrp_neighbour")

LOWER, HIGHER = IPv4Address("192.0.1.200"), IPv4Address("192.0.2.200")
"""Addresses of the neighbour below and above that of the IUT."""


# --- CARP beside VRRP


@covers("CARP-RX-036")
@pytest.mark.parametrize("version", [2, 3])
@takes(14)
def test_real_vrrp_router_with_the_same_id(
    start: Start, bench: Bench, tester: Tester, wire: Segment, version: int
) -> None:
    """A live VRRP router whose id is the vhid neither holds a starting node back nor moves a MASTER, which yields to CARP
    as ever.
    """
    router = neighbour(bench, version=version, priority=254, addresses=bench.shared_addresses[9:10])
    heard(wire, router)
    subject = start()
    wire.expect(subject.becomes_master(), within=subject.besieged_window())
    subject.stays_master(heard(wire, router))
    with tester.advertising(subject.better()) as first:
        subject.expect_yields(first)


# --- VRRPv3 against VRRPv3


@covers("CARP-VRRP3-006", "CARP-VRRP3-010", "CARP-VRRP3-002", "CARP-INTEROP-013")
@needs("vrrp3")
@takes(18)
def test_better_router_joins_and_resigns(start: Start, bench: Bench, wire: Segment) -> None:
    """A MASTER yields to the first advertisement of a router of a higher priority; when that resigns with priority 0 it
    takes over a whole down time later.
    """
    master = master_router(start)
    router = neighbour(bench, priority=200)
    master.expect_yields(heard(wire, router, 200))
    wire.expect(master.becomes_master(), within=master.master_down_window(resigns(wire, router)))


@covers("CARP-VRRP3-007", "CARP-VRRP3-010")
@needs("vrrp3")
@takes(14)
def test_better_router_resigns_to_a_preempting_backup(start: Start, bench: Bench, wire: Segment) -> None:
    """With preemption it takes over at once from a router that resigns with priority 0."""
    master = master_router(start, preempt=True)
    router = neighbour(bench, priority=200)
    master.expect_yields(heard(wire, router, 200))
    wire.expect(master.becomes_master(), within=master.reaction_window(resigns(wire, router)))


@covers("CARP-VRRP3-008")
@needs("vrrp3")
@takes(14)
def test_better_router_is_killed(start: Start, bench: Bench, wire: Segment) -> None:
    """After a router has died without a word it takes over a down time after that one's last advertisement."""
    router = neighbour(bench, priority=200)
    heard(wire, router)
    backup = route(start)
    heard(wire, router)
    router.kill()
    wire.expect(backup.becomes_master(), within=backup.master_down_window())


@covers("CARP-VRRP3-007")
@needs("vrrp3")
@takes(10)
def test_preempts_a_worse_router(start: Start, bench: Bench, wire: Segment) -> None:
    """With preemption it takes over at the first advertisement of a router of a lower priority, which gives way."""
    router = neighbour(bench, priority=100)
    heard(wire, router)
    backup = route(start, priority=200, preempt=True)
    wire.expect(backup.becomes_master(), within=backup.reaction_window(heard(wire, router)))
    wire.expect_none(advertises(router), for_ns=3 * backup.interval_ns, barrier=backup.alive)


@covers("CARP-VRRP3-007")
@needs("vrrp3")
@takes(14)
def test_leaves_a_worse_router_alone(start: Start, bench: Bench, wire: Segment) -> None:
    """Without preemption it stays BACKUP beside a router of a lower priority for good, and takes over when that resigns."""
    router = neighbour(bench, priority=100)
    heard(wire, router)
    backup = route(start, priority=200)
    backup.stays_silent(2 * backup.take_over_bounds_ns[1])
    wire.expect(backup.becomes_master(), within=backup.master_down_window(resigns(wire, router)))


@covers("CARP-VRRP3-006")
@needs("vrrp3", "one_way")
@pytest.mark.parametrize("source", [LOWER, HIGHER], ids=["lower-address", "higher-address"])
@takes(16)
def test_equal_router(start: Start, bench: Bench, wire: Segment, source: Address) -> None:
    """Two MASTERs of one priority: a router with the lower address gives way; beside one with the higher address both stay
    MASTER for good.
    """
    router = neighbour(bench, source=source, priority=100)
    heard(wire, router)
    cast("Deafening", bench).deafen("a", deaf=True)
    master = master_router(start)
    cast("Deafening", bench).deafen("a", deaf=False)
    if source == HIGHER:
        master.stays_master(heard(wire, router), count=4)
        wire.check("the other MASTER still advertises", heard(wire, router).sent, False)
    else:
        wire.expect_none(advertises(router), for_ns=2 * master.interval_ns, barrier=master.alive)
        master.keeps_its_interval(2)


@covers("CARP-VRRP3-003", "CARP-VRRP3-006")
@needs("vrrp3", "ipv6")
@takes(16)
def test_over_ipv6(start: Start, bench: Bench, wire: Segment) -> None:
    """Over IPv6, with a global address, a router of a lower priority obeys it, and it obeys one of a higher priority."""
    master = master_router(start, addresses=family(bench, 6))
    worse = neighbour(bench, priority=50, addresses=family(bench, 6))
    wire.expect_none(advertises(worse), for_ns=5 * master.interval_ns, barrier=master.alive)
    worse.kill()
    master.keeps_its_interval(1)


@covers("CARP-VRRP3-006")
@needs("vrrp3", "ipv6")
@takes(14)
def test_better_router_over_ipv6(start: Start, bench: Bench, wire: Segment) -> None:
    """Over IPv6 it yields to a router of a higher priority."""
    master = master_router(start, addresses=family(bench, 6))
    router = neighbour(bench, priority=200, addresses=family(bench, 6))
    master.expect_yields(heard(wire, router, 200))


@covers("CARP-VRRP3-005")
@needs("vrrp3", "ipv6")
@takes(14)
def test_link_local_address_makes_two_masters(start: Start, bench: Bench, wire: Segment) -> None:
    """A router that shares a link-local address refuses the list with the scope id and is a second MASTER, however low its
    priority.
    """
    addresses = (ip_address("fe80::100"),)
    master = master_router(start, addresses=addresses)
    router = neighbour(bench, priority=50, addresses=addresses)
    master.stays_master(heard(wire, router, 50))


@covers("CARP-VRRP3-016")
@needs("vrrp3", "ipv6", "multiple_addresses")
@takes(14)
def test_both_families_make_two_masters(start: Start, bench: Bench, wire: Segment) -> None:
    """A router that shares the IPv6 address refuses the wrong count and is a second MASTER, however low its priority."""
    master = master_router(start, addresses=family(bench, 4) + family(bench, 6))
    router = neighbour(bench, priority=50, addresses=family(bench, 6))
    master.stays_master(heard(wire, router, 50))
