"""INTEROP: what is known to go wrong between implementations, and how far: an IUT beside a model of another one."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest

from conformance.model.actions import State
from conformance.model.rows import FREEBSD_13, OPENBSD, UCARP
from conformance.segment.segment import Segment
from conformance.suite.configuring import Start
from conformance.suite.conftest import Meet
from conformance.suite.marks import covers, needs, takes
from conformance.suite.test_interop import both_families, state_of, stays_held
from conformance.targets.beside.partner import Partner
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.digest import Address


def beside(iut: Subject) -> str:
    """Whom the IUT meets in what is the matter of two lines of code that know each other: a FreeBSD meets an OpenBSD, an OpenBSD a FreeBSD."""
    return FREEBSD_13 if iut.dialect.key == OPENBSD else OPENBSD


@covers("CARP-INTEROP-004")
@needs("ipv6", "multiple_addresses")
@takes(8.5)
def test_link_local_address_makes_two_masters(start: Start, meet: Meet, bench: Bench, wire: Segment) -> None:
    """With a link-local address among the shared ones a FreeBSD and an OpenBSD refuse each other: both are MASTER."""
    shared = (*both_families(bench)[:2], ip_address("fe80::100"))
    iut = start(advskew=100, addresses=shared)
    partner = meet(beside(iut), advskew=0, addresses=shared)
    both_are_masters(wire, partner, iut)


@covers("CARP-INTEROP-005")
@takes(8.5)
def test_one_address_more_makes_two_masters(start: Start, meet: Meet, bench: Bench, wire: Segment) -> None:
    """A ucarp, which has one address, and a virtual host that shares two refuse each other: both are MASTER."""
    iut = start(advskew=100)
    partner = meet(FREEBSD_13, advskew=0, addresses=bench.shared_addresses[:2])
    both_are_masters(wire, partner, iut)


def both_are_masters(wire: Segment, partner: Partner, iut: Subject) -> None:
    """Both advertise when both have long had time to settle."""
    wire.watch(max(partner.latest_start_ns, iut.start_bounds_ns[1]) + iut.interval_ns)
    for seen in iut.next_own(2):
        wire.check(f"the state of the {partner.name} beside the IUT", state_of(partner), "MASTER", seen)


@covers("CARP-INTEROP-009")
@takes(20)
def test_equal_masters_settle(start: Start, meet: Meet, wire: Segment) -> None:
    """An IUT and a partner with equal parameters, of which one is a ucarp and the BSD has the lower address, may
    both step down when they hear each other; that leaves no MASTER for a down time at most, and then there is one.
    """
    iut = start(advskew=0)
    other = FREEBSD_13 if iut.dialect.key == UCARP else UCARP
    partner = meet(other, advskew=0, source=just_below(iut.host.addresses[0]) if other != UCARP else None)
    partner.apart = True
    iut.reach_master()
    wire.watch(max(0, partner.joined_ns + partner.latest_start_ns - wire.now_ns()))
    wire.check(f"the state of the {partner.name} beside the IUT", state_of(partner), "MASTER")
    iut.next_own()
    wire.watch(iut.interval_ns // 2)
    partner.apart = False
    healed_ns = wire.now_ns()
    wire.note("lets the two hear each other")
    down_ns = max(iut.take_over_bounds_ns[1], partner.latest_take_over_ns)
    wire.watch(3 * down_ns)
    speak = [healed_ns] + [
        seen.time_ns
        for seen in wire.trace.frames
        if seen.time_ns >= healed_ns and (iut.is_own(seen) or partner.advertises().match(seen))
    ]
    gap_ns = max(later - earlier for earlier, later in zip(speak, [*speak[1:], wire.now_ns()], strict=True))
    wire.check_span("the longest time without a MASTER", gap_ns, (0, down_ns), since_ns=healed_ns)
    after_ns = wire.now_ns()
    iut.alive()
    wire.watch(2 * iut.interval_ns + iut.interval_ns // 2)
    still = any(iut.is_own(event) for event in wire.trace.since(after_ns))
    masters = [name for name, on in (("the IUT", still), (partner.name, partner.state is State.MASTER)) if on]
    wire.check("who is MASTER in the end", " and ".join(masters), {"the IUT", partner.name})


def just_below(address: Address) -> Address:
    """An address that ucarp takes for lower, because it compares the last two octets first."""
    assert isinstance(address, IPv4Address)
    a, b, c, d = address.packed
    return IPv4Address(bytes([a, b, c - 1, d]))


@covers("CARP-INTEROP-010")
@needs("preempt")
@takes(14)
@pytest.mark.parametrize(
    "demoted", [pytest.param(kind, marks=needs(f"demotion_{kind}")) for kind in ("sum", "suppress")]
)
def test_demote_byte_of_openbsd_is_ignored(start: Start, meet: Meet, wire: Segment, demoted: str) -> None:
    """A demoted OpenBSD MASTER that is better by its advskew is not relieved: only its silence lets the IUT take over."""
    partner = meet(OPENBSD, advskew=0)
    partner.demote(10)
    partner.next_own()
    iut = start(advskew=100, preempt=True)
    iut.stays_silent(iut.start_bounds_ns[1])
    partner.die()
    wire.expect(iut.becomes_master(), within=iut.master_down_window())


@covers("CARP-INTEROP-010")
@needs("demotion_groups")
@takes(12)
def test_demoted_openbsd_is_not_relieved(start: Start, meet: Meet, wire: Segment) -> None:
    """A demoted MASTER goes on beside a FreeBSD with preemption that is worse by its advskew."""
    iut = start(advskew=0)
    iut.reach_master()
    iut.demote(10)
    partner = meet(FREEBSD_13, advskew=100, preempt=True)
    stays_held(wire, partner, iut)
