"""UNICAST: advertisements to one peer in place of the group, which the options ``peer`` and ``peer6`` of a
target name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Event, FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, needs
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire import frame
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Address
from conformance.wire.frame import GROUP_IPV4, GROUP_IPV6, ArpOperation, NeighbourMessage, arp, neighbour
from conformance.wire.malformations import named

Fault = Callable[[Advertisement], bytes]


@contextmanager
def resolving(wire: Segment, address: Address, mac: bytes) -> Iterator[None]:
    """Plays a host at ``address`` that answers ARP or neighbour solicitations with ``mac``, and does nothing
    else.
    """

    def answer(event: Event) -> None:
        if not isinstance(event, FrameSeen) or event.sent:
            return
        asked, solicited = event.frame.arp, event.frame.neighbour
        if (
            isinstance(address, IPv4Address)
            and asked is not None
            and asked.operation == ArpOperation.REQUEST
            and asked.target == address
        ):
            wire.port.send(
                arp(
                    ArpOperation.REPLY,
                    mac,
                    address,
                    asked.sender_mac,
                    asked.sender,
                    destination_mac=asked.sender_mac,
                )
            )
        elif (
            isinstance(address, IPv6Address)
            and solicited is not None
            and solicited.message is NeighbourMessage.SOLICITATION
            and solicited.target == address
        ):
            to = Subject.ip(event).source
            assert isinstance(to, IPv6Address)
            wire.port.send(
                neighbour(
                    NeighbourMessage.ADVERTISEMENT,
                    address,
                    mac,
                    source=address,
                    destination=to,
                    source_mac=mac,
                    destination_mac=event.frame.source,
                    flags=0x60,
                )
            )

    wire.trace.listeners.append(answer)
    try:
        yield
    finally:
        wire.trace.listeners.remove(answer)


@pytest.fixture
def unicast(start: Start, wire: Segment, tester: Tester) -> Iterator[Subject]:
    """An IUT that advertises to the tester alone; it has one IPv4 address."""
    with resolving(wire, tester.address, tester.mac):
        yield start(options={"peer": str(tester.address)})


def directed(subject: Subject, tester: Tester, *, ttl: int = frame.TTL) -> Fault:
    """Sends an advertisement to the real address of the IUT's host, between the real MACs."""
    to = subject.host.addresses[0]

    def make(advertisement: Advertisement) -> bytes:
        return frame.advertisement(
            advertisement.header.summed(),
            advertisement.source,
            source_mac=tester.mac,
            destination=to,
            destination_mac=subject.host.mac,
            ttl=ttl,
        )

    return make


@covers("CARP-UNICAST-001")
@needs("unicast")
def test_peer_gets_the_ipv4_advertisements(unicast: Subject, bench: Bench, wire: Segment) -> None:
    """With a peer FreeBSD 15 sends its IPv4 advertisements to it and none to the group."""
    unicast.reach_master()
    for seen in unicast.next_own(2):
        wire.check("IP destination", Subject.ip(seen).destination, bench.tester_addresses[0], seen)


@covers("CARP-UNICAST-001")
@needs("unicast", "ipv6")
@pytest.mark.parametrize("option", ["peer", "peer6"])
def test_each_family_switches_alone(
    start: Start, bench: Bench, tester: Tester, wire: Segment, option: str
) -> None:
    """With peer or peer6 alone FreeBSD 15 sends that family to the peer and the other one to its group."""
    four, six = (
        next(a for a in bench.tester_addresses if isinstance(a, kind)) for kind in (IPv4Address, IPv6Address)
    )
    shared = (
        next(a for a in bench.shared_addresses if isinstance(a, IPv4Address)),
        next(a for a in bench.shared_addresses if isinstance(a, IPv6Address)),
    )
    peer = four if option == "peer" else six
    with resolving(wire, peer, tester.mac):
        master = start(addresses=shared, options={option: str(peer)})
        master.reach_master()
        wire.watch(2 * master.interval_ns)
    to = {Subject.ip(seen).destination for seen in master.own_frames()}
    wire.check(
        "destinations",
        sorted(map(str, to)),
        sorted(map(str, {four, GROUP_IPV6} if option == "peer" else {GROUP_IPV4, six})),
        *list(master.own_frames())[:2],
    )


@covers("CARP-UNICAST-002")
@needs("unicast")
def test_unicast_frames_carry_the_real_macs(unicast: Subject, tester: Tester, wire: Segment) -> None:
    """FreeBSD 15 sends unicast advertisements from its own MAC to that of the peer, with TTL 255."""
    unicast.reach_master()
    for seen in unicast.next_own(2):
        wire.check("Ethernet source", seen.frame.source, unicast.host.mac, seen)
        wire.check("Ethernet destination", seen.frame.destination, tester.mac, seen)
        wire.check("TTL", Subject.ip(seen).ttl, 255, seen)


@covers("CARP-UNICAST-003")
@needs("unicast")
@pytest.mark.parametrize("ttl", [64, 254])
def test_any_ttl_is_accepted_in_unicast_mode(unicast: Subject, tester: Tester, ttl: int) -> None:
    """In unicast mode FreeBSD 15 yields to a better peer whose packets have passed a router."""
    unicast.reach_master()
    with tester.advertising(unicast.better(), directed(unicast, tester, ttl=ttl)) as first:
        unicast.expect_yields(first)


@covers("CARP-UNICAST-003")
@needs("unicast")
def test_any_ttl_is_accepted_from_the_group_too(unicast: Subject, tester: Tester) -> None:
    """In unicast mode FreeBSD 15 yields to a better multicast peer with TTL 254."""
    unicast.reach_master()
    with tester.advertising(unicast.better(), named("ttl-254")) as first:
        unicast.expect_yields(first)


@covers("CARP-UNICAST-004")
@needs("unicast")
def test_multicast_is_accepted_in_unicast_mode(unicast: Subject, tester: Tester) -> None:
    """In unicast mode FreeBSD 15 yields to a better peer that sends to the group."""
    unicast.reach_master()
    with tester.advertising(unicast.better()) as first:
        unicast.expect_yields(first)


@covers("CARP-UNICAST-004")
@needs("unicast")
def test_any_source_is_accepted_in_unicast_mode(unicast: Subject, tester: Tester) -> None:
    """In unicast mode FreeBSD 15 yields to a better advertisement from an address that is not its peer."""
    unicast.reach_master()
    with tester.advertising(
        unicast.better(source=IPv4Address("198.51.100.7")), directed(unicast, tester)
    ) as first:
        unicast.expect_yields(first)


@covers("CARP-UNICAST-005")
@needs("unicast")
def test_carppeer_gets_the_ipv4_advertisements(
    start: Start, bench: Bench, tester: Tester, wire: Segment
) -> None:
    """With carppeer OpenBSD sends IPv4 advertisements to the peer, while those of IPv6 go to the group."""
    four = bench.tester_addresses[0]
    shared = (
        next(a for a in bench.shared_addresses if isinstance(a, IPv4Address)),
        next(a for a in bench.shared_addresses if isinstance(a, IPv6Address)),
    )
    with resolving(wire, four, tester.mac):
        master = start(addresses=shared, options={"peer": str(four)})
        master.reach_master()
        wire.watch(2 * master.interval_ns)
    to = {Subject.ip(seen).destination for seen in master.own_frames()}
    wire.check(
        "destinations",
        sorted(map(str, to)),
        sorted(map(str, {four, GROUP_IPV6})),
        *list(master.own_frames())[:2],
    )


@covers("CARP-UNICAST-006")
@needs("unicast")
def test_unicast_vhid_ignores_the_group(unicast: Subject, tester: Tester) -> None:
    """In unicast mode OpenBSD goes on as MASTER against a better peer that sends to the group, and yields to
    the same one sending to it alone.
    """
    unicast.reach_master()
    with tester.advertising(unicast.better()) as first:
        unicast.stays_master(first)
    with tester.advertising(unicast.better(), directed(unicast, tester)) as first:
        unicast.expect_yields(first)


@covers("CARP-UNICAST-006")
@needs("unicast")
def test_multicast_vhid_ignores_unicast(master: Subject, tester: Tester) -> None:
    """In multicast mode OpenBSD goes on as MASTER against a better peer that sends to it alone, and yields to
    the same one sending to the group.
    """
    with tester.advertising(master.better(), directed(master, tester)) as first:
        master.stays_master(first)
    with tester.advertising(master.better()) as first:
        master.expect_yields(first)


@covers("CARP-UNICAST-007")
@needs("unicast")
def test_ttl_must_be_255_in_unicast_mode(unicast: Subject, tester: Tester) -> None:
    """In unicast mode OpenBSD goes on as MASTER against a better peer with TTL 254, and yields to the same
    one with 255.
    """
    unicast.reach_master()
    with tester.advertising(unicast.better(), directed(unicast, tester, ttl=254)) as first:
        unicast.stays_master(first)
    with tester.advertising(unicast.better(), directed(unicast, tester)) as first:
        unicast.expect_yields(first)


@covers("CARP-UNICAST-009")
@needs("unicast")
@pytest.mark.parametrize("last", [3, 127, 223, 224, 230, 239, 240, 253])
def test_last_octet_of_the_peer_makes_no_difference(start: Start, wire: Segment, last: int) -> None:
    """A peer is asked for its MAC by ARP and addressed at it, whatever its last octet is: never at a group
    MAC.
    """
    peer = IPv4Address(f"192.0.2.{last}")
    mac = bytes([2, 0, 0, 0, 9, last])
    with resolving(wire, peer, mac):
        master = start(options={"peer": str(peer)})
        seen = wire.expect(master.advertised_by_anybody(), within=master.master_down_window())
    assert isinstance(seen, FrameSeen)
    wire.check("IP destination", Subject.ip(seen).destination, peer, seen)
    wire.check("Ethernet destination", seen.frame.destination, mac, seen)
