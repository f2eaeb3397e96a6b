"""UNICAST peers that are not there, or link-local: what that does to the virtual host, and to others on the host."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.conftest import Leg
from conformance.suite.marks import covers, needs, takes
from conformance.suite.test_unicast import resolving
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.frame import GROUP_IPV6, virtual_mac

GIVES_UP = 14
"""Intervals after which an address that nobody answers for has been given up, and three sends have failed."""
DEAD4, DEAD6 = "192.0.2.250", "2001:db8::250"


def shared(bench: Bench, version: int, at: int = 0) -> tuple[IPv4Address | IPv6Address, ...]:
    return tuple(one for one in bench.shared_addresses if one.version == version)[at : at + 1]


def without_peer(start: Start, bench: Bench, wire: Segment, version: int) -> Subject:
    """A virtual host whose unicast peer does not exist, long after it has become MASTER."""
    option = {"peer": DEAD4} if version == 4 else {"peer6": DEAD6}
    subject = start(vhid=10, addresses=shared(bench, version), advskew=0, options=option)
    wire.watch(subject.start_bounds_ns[1] + GIVES_UP * subject.interval_ns)
    return subject


@covers("CARP-UNICAST-008", "CARP-UNICAST-011")
@needs("unicast", "demotion_order")
@takes(20)
def test_ipv4_peer_that_is_not_there(start: Start, bench: Bench, wire: Segment) -> None:
    """An IPv4 peer that nobody answers for demotes the host where that counts as a failed send, and does not
    elsewhere.
    """
    subject = without_peer(start, bench, wire, 4)
    subject.alive()
    expected = subject.dialect.send_error_demotion if subject.dialect.dead_peer_is_an_error else 0
    wire.check("the demotion of the host", subject.demotion(), expected)


@covers("CARP-UNICAST-011")
@needs("unicast", "demotion_order", "second_interface", "group_failover")
@takes(20)
def test_ipv4_peer_that_is_not_there_demotes_the_other_interface(
    start: Start, bench: Bench, inner: Leg, wire: Segment
) -> None:
    """It demotes the virtual hosts of the other interface, too."""
    other = inner.start(vhid=20)
    without_peer(start, bench, wire, 4)
    seen = other.next_own(2)[-1]
    wire.check("advskew on the other interface", Subject.header(seen).advskew, 240, seen)


@covers("CARP-UNICAST-011")
@needs("unicast", "demotion_order", "ipv6")
@takes(20)
def test_ipv6_peer_that_is_not_there(start: Start, bench: Bench, wire: Segment) -> None:
    """An IPv6 peer that nobody answers for does not demote the host."""
    subject = without_peer(start, bench, wire, 6)
    subject.alive()
    wire.check("the demotion of the host", subject.demotion(), 0)


@covers("CARP-UNICAST-010")
@needs("unicast", "ipv6")
@takes(12)
def test_link_local_peer(start: Start, bench: Bench, wire: Segment, tester: Tester) -> None:
    """A link-local IPv6 peer gets the advertisements, and its own make the virtual host yield."""
    peer = next(one for one in bench.tester_addresses if isinstance(one, IPv6Address) and one.is_link_local)
    with resolving(wire, peer, tester.mac):
        subject = start(addresses=shared(bench, 6), options={"peer6": str(peer)})
        subject.reach_master()
        for seen in subject.next_own(2):
            wire.check("IPv6 destination", Subject.ip(seen).destination, peer, seen)
            wire.check("Ethernet destination", seen.frame.destination, tester.mac, seen)
        to_the_group = [seen for seen in subject.own_frames() if Subject.ip(seen).destination == GROUP_IPV6]
        wire.check("advertisements to the group", len(to_the_group), 0, *to_the_group[:1])
        subject.expect_yields(tester.send(subject.better(source=peer)))


@covers("CARP-UNICAST-012")
@needs("unicast")
@takes(12)
def test_frames_from_the_virtual_mac_in_unicast_mode(start: Start, wire: Segment, tester: Tester) -> None:
    """What a switch can learn the virtual MAC from is recorded: no advertisement leaves from it in unicast mode."""
    with resolving(wire, tester.address, tester.mac):
        subject = start(options={"peer": str(tester.address)})
        subject.reach_master()
        seen = subject.next_own(3)
    sources = {frame.frame.source for frame in seen}
    wire.check(
        "Ethernet sources of its advertisements", sources <= {subject.host.mac, virtual_mac(1)}, True, *seen
    )
    told = [
        event
        for event in wire.trace.events
        if isinstance(event, FrameSeen) and not event.sent and event.frame.source == virtual_mac(1)
    ]
    wire.note(f"{len(told)} frames left from the virtual MAC, from which a switch learns where it lives")
