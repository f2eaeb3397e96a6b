"""INTEROP: an implementation beside a model of another one, which the tester plays; the matrix shows real pairs."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from conformance.model.announcing import Mac
from conformance.model.dialects import Dialect
from conformance.model.rows import (
    FREEBSD_10,
    FREEBSD_13,
    FREEBSD_15,
    KEYS,
    LEGACY,
    LEGACY_6,
    OPENBSD,
    UCARP,
)
from conformance.segment.decision import Condition, Window
from conformance.segment.segment import Segment
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.conftest import Meet
from conformance.suite.marks import covers, needs, takes
from conformance.suite.test_unicast import resolving
from conformance.targets.beside.partner import Partner
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.digest import Address

ANY = pytest.mark.parametrize("other", KEYS)
"""With each dialect, its own included."""
ASCENDING = pytest.mark.parametrize("other", [LEGACY, FREEBSD_10, FREEBSD_13, FREEBSD_15, OPENBSD])
"""Those that hash their addresses in one order, whatever that of the configuration."""
PASSWORDS = {LEGACY: "p", FREEBSD_13: "nineteen characters", OPENBSD: "nineteen characters", UCARP: "p"}
"""The shortest and the longest that every implementation takes whole; the profile's with the others."""

TO_ALL = Condition("broadcasts it", lambda e: isinstance(e, FrameSeen) and bool(e.frame.destination[0] & 1))
"""A BACKUP of FreeBSD answers its partner's announcement, and that alone (CARP-ARP-013)."""


def believed_both_ways(wire: Segment, partner: Partner, iut: Subject) -> None:
    """The IUT, which has just started beside a better MASTER, is held by it, takes over when it is gone, and holds it when it comes back worse."""
    iut.stays_silent(iut.start_bounds_ns[1])
    partner.die()
    wire.expect(iut.becomes_master(), within=iut.master_down_window(partner.last_own()))
    partner.join(advskew=200)
    stays_held(wire, partner, iut)


def stays_held(wire: Segment, partner: Partner, iut: Subject) -> None:
    """The partner, which has just joined as the worse one, is BACKUP beyond its down time."""
    wire.watch(partner.latest_start_ns)
    (seen,) = iut.next_own()
    wire.check(f"the state of the {partner.name} beside the IUT", state_of(partner), "BACKUP", seen)


def state_of(partner: Partner) -> str:
    return partner.state.value if partner.state is not None else "none"


@covers("CARP-INTEROP-001", "CARP-INTEROP-012")
@takes(16)
@ANY
def test_each_believes_the_other(start: Start, meet: Meet, wire: Segment, other: str) -> None:
    """With the same vhid, password and IPv4 address an IUT and a model of another implementation believe each
    other's advertisements, digest and checksum: the worse one is held by the better.
    """
    secret = {"password": PASSWORDS[other]} if other in PASSWORDS else {}
    partner = meet(other, advskew=0, **secret)
    partner.next_own()
    believed_both_ways(wire, partner, start(advskew=100, **secret))


@covers("CARP-INTEROP-002")
@needs("multiple_addresses")
@takes(16)
@ASCENDING
def test_order_of_addresses_does_not_matter(
    start: Start, meet: Meet, bench: Bench, wire: Segment, other: str
) -> None:
    """With the same IPv4 addresses, configured in different orders, they believe each other."""
    one, two, three = bench.shared_addresses[:3]
    partner = meet(other, advskew=0, addresses=(three, one, two))
    partner.next_own()
    believed_both_ways(wire, partner, start(advskew=100, addresses=(two, three, one)))


@covers("CARP-INTEROP-003")
@needs("ipv6", "multiple_addresses")
@takes(16)
@pytest.mark.parametrize("other", [LEGACY, LEGACY_6, FREEBSD_10, FREEBSD_13, FREEBSD_15, OPENBSD])
def test_both_families_together(start: Start, meet: Meet, bench: Bench, wire: Segment, other: str) -> None:
    """With one IPv4 and two global IPv6 addresses they believe each other."""
    shared = both_families(bench)
    partner = meet(other, advskew=0, addresses=shared)
    partner.next_own()
    believed_both_ways(wire, partner, start(advskew=100, addresses=shared))


def both_families(bench: Bench) -> tuple[Address, ...]:
    six = [one for one in bench.shared_addresses if one.version == 6]
    return bench.shared_addresses[0], *six[:2]


@covers("CARP-INTEROP-007")
@takes(10)
@ANY
def test_yields_to_a_preempting_partner(start: Start, meet: Meet, other: str) -> None:
    """A better partner with preemption joins, and the IUT hands mastership over to it."""
    iut = start(advskew=100)
    iut.reach_master()
    partner = meet(other, advskew=0, preempt=True)
    iut.expect_yields(partner.next_own())


@covers("CARP-INTEROP-007")
@needs("preempt")
@takes(7)
@ANY
def test_preempts_a_partner(start: Start, meet: Meet, wire: Segment, other: str) -> None:
    """A better IUT with preemption joins and takes mastership over from its partner, which yields to it."""
    partner = meet(other, advskew=100)
    partner.next_own()
    began_ns = wire.now_ns()
    iut = start(advskew=0, preempt=True)
    # A slow machine may have taken over before it is known to run: the window is that of the advertisement which it heard.
    limit_ns = wire.now_ns() + 2 * partner.latest_start_ns
    taken = wire.wait(iut.advertises(), limit_ns, since_ns=began_ns)
    heard = partner.own_before(limit_ns if taken is None else taken.time_ns)
    wire.expect(iut.becomes_master(), within=iut.reaction_window(heard))
    (seen,) = iut.next_own()
    wire.check(f"the state of the {partner.name} beside the IUT", state_of(partner), "BACKUP", seen)


@covers("CARP-INTEROP-011")
@needs("demotion_sum")
@takes(10)
def test_demoted_freebsd_yields_to_a_faster_openbsd(start: Start, meet: Meet, wire: Segment) -> None:
    """A MASTER that is demoted to 240 hands over to a faster OpenBSD with preemption."""
    iut = start(advskew=0)
    iut.reach_master()
    partner = meet(OPENBSD, advskew=100, preempt=True)
    before_ns = iut.just_now_ns
    iut.demote(240)  # a real machine takes its time, in which the partner may take over already
    within_ns = wire.now_ns() - before_ns + partner.latest_start_ns
    taken = wire.expect(
        partner.advertises(), within=Window.after(before_ns, (0, within_ns), "the demotion of the MASTER")
    )
    assert isinstance(taken, FrameSeen)
    iut.expect_yields(taken)


@covers("CARP-INTEROP-011")
@needs("preempt")
@takes(6)
@pytest.mark.parametrize("other", [FREEBSD_10, FREEBSD_13, FREEBSD_15])
def test_relieves_a_demoted_freebsd(start: Start, meet: Meet, wire: Segment, other: str) -> None:
    """An IUT with preemption takes over from a FreeBSD MASTER as soon as that is demoted to 240."""
    partner = meet(other, advskew=0)
    partner.next_own()
    iut = start(advskew=100, preempt=True)
    iut.stays_silent(2 * iut.interval_ns)
    demoted_ns = wire.now_ns() - 1
    partner.demote(240)
    latest_ns = partner.dialect.interval_ns(1, 240) + iut.dialect.reaction_window_ns[1]
    wire.expect(
        iut.becomes_master(), within=Window.after(demoted_ns, (0, latest_ns), "the demotion of its partner")
    )


@covers("CARP-INTEROP-014")
@needs("unicast")
@takes(16)
@pytest.mark.parametrize("other", [FREEBSD_15, OPENBSD])
def test_unicast_peers_believe_each_other(
    start: Start, meet: Meet, bench: Bench, wire: Segment, other: str
) -> None:
    """An IUT and a partner that name each other as unicast peers believe each other."""
    here, there = bench.tester_addresses[0], bench.hosts["a"].addresses[0]
    partner = meet(other, advskew=0, options={"peer": str(there)})
    partner.next_own()
    with resolving(wire, here, bench.tester_mac):
        believed_both_ways(wire, partner, start(advskew=100, options={"peer": str(here)}))


@covers("CARP-INTEROP-015")
@takes(19)
@pytest.mark.parametrize("other", [FREEBSD_13, OPENBSD, UCARP])
def test_clients_learn_the_mac_of_each_new_master(
    start: Start, meet: Meet, wire: Segment, other: str
) -> None:
    """Through two hand-overs gratuitous ARP tells whose MAC address the shared address has: the IUT's when it takes
    over, its partner's when that is back, and then the IUT says no more.
    """
    partner = meet(other, advskew=0, preempt=True)
    partner.next_own()
    iut = start(advskew=100)
    iut.stays_silent(2 * iut.interval_ns)
    partner.die()
    shared = iut.settings.addresses[0]
    assert isinstance(shared, IPv4Address)
    announced = wire.expect(iut.announces(shared) & TO_ALL, within=iut.master_down_window(partner.last_own()))
    assert isinstance(announced, FrameSeen)
    told = announced_mac(iut.dialect, iut.host.mac)
    wire.check("the MAC address that a client has learned", learned(wire, shared), told, announced)
    iut.next_own(3)  # a ucarp announces the address once more with its third advertisement (CARP-ARP-016)
    partner.join()
    iut.expect_yields(partner.next_own())
    theirs = announced_mac(partner.dialect, partner.mac)
    wire.check("the MAC address that a client has learned", learned(wire, shared), theirs)


def announced_mac(rules: Dialect, own: bytes) -> bytes:
    """The MAC address that a MASTER of vhid 1 gives its shared address: a virtual one, or ``own`` where there is none for data."""
    return own if rules.gratuitous_arp.sender is Mac.PHYSICAL else rules.virtual_mac(1)


def learned(wire: Segment, address: IPv4Address) -> bytes:
    """What the last announcement of ``address`` has told."""
    told = [
        seen.frame.arp.sender_mac
        for seen in wire.trace.frames
        if TO_ALL.match(seen)
        and seen.frame.arp is not None
        and seen.frame.arp.gratuitous
        and seen.frame.arp.sender == address
    ]
    return told[-1] if told else bytes(6)
