"""What a host sends besides CARP: packets that it forwards, neighbours that it looks for, routes that it advertises (SCENARIO, ARP, ND)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import cast

from conformance.segment.decision import Condition, Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.conftest import Leg
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.suite.test_unicast import resolving
from conformance.targets.platform import Forwarding, Hub, Routing
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.frame import (
    ETHERTYPE_IPV4,
    ArpOperation,
    NeighbourMessage,
    ethernet,
    ipv4,
    mac_text,
    virtual_mac,
)

SECOND = 1_000_000_000
NOBODY = {4: "192.0.2.240", 6: "2001:db8::240"}
ICMP, ECHO_REQUEST = 1, 8
ICMP6, ROUTER_ADVERTISEMENT = 58, 134
ROUTES_NS = 4 * SECOND
"""From one router advertisement to the next."""
TTL = 64


# --- what a packet to the virtual MAC becomes


@covers("CARP-SCENARIO-013")
@needs("forwarding", "second_interface", "hub")
@hosts(2)
@takes(8)
def test_only_the_master_forwards(
    start: Start, bench: Bench, inner: Leg, tester: Tester, wire: Segment
) -> None:
    """A packet to the virtual MAC that a hub brings to both nodes comes out once, from the MASTER, and none comes back.

    Field report: with flow accounting each node forwarded it to the other, without end (https://github.com/opnsense/src/pull/279).
    """
    master, backup = start(on="a", advskew=0), start(on="b", advskew=100)
    for name in ("a", "b"):
        cast("Forwarding", bench.hosts[name]).forward()
    cast("Hub", bench).flood(on=True)
    master.reach_master()
    beyond = inner.side.tester_addresses[0]
    assert isinstance(beyond, IPv4Address)
    packet = echo_request(tester.address, beyond)
    with resolving(inner.wire, beyond, inner.tester.mac):
        sent = tester.send_exactly(ethernet(virtual_mac(1), tester.mac, ETHERTYPE_IPV4, packet))
        wire.watch(SECOND)
    backup.alive()
    copies = [
        seen
        for seen in wire.trace.frames
        if seen.number > sent.number
        and seen.frame.ip is not None
        and seen.frame.ip.destination == beyond
        and seen.frame.ip.protocol == ICMP
        and not seen.sent
    ]
    wire.check("copies that come out", len(copies), 1, *copies)
    wire.check(
        "the Ethernet source of the copy", copies[0].frame.source, inner.side.hosts["a"].mac, copies[0]
    )
    wire.check("the TTL of the copy", Subject.ip(copies[0]).ttl, TTL - 1, copies[0])


def echo_request(source: object, destination: IPv4Address) -> bytes:
    """An IPv4 packet that a router has to send on."""
    assert isinstance(source, IPv4Address)
    body = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0xF7F6, 8, 1)
    return ipv4(source, destination, body, ttl=TTL, tos=0, protocol=ICMP)


@covers("CARP-SCENARIO-014")
@needs("router_advertisements", "ipv6", "multiple_addresses")
@takes(16)
def test_only_the_master_advertises_routes(start: Start, bench: Bench, tester: Tester, wire: Segment) -> None:
    """A router advertisement daemon that sends from the shared address is heard from the MASTER, and neither that address nor the virtual MAC from a BACKUP.

    Field report: https://github.com/opnsense/core/issues/5185.
    """
    shared = IPv6Address("fe80::100")
    subject = start(addresses=(next(one for one in bench.shared_addresses if one.version == 6), shared))
    from_shared = Condition(
        f"{subject.name} sends a router advertisement from {shared} or {mac_text(virtual_mac(1))}",
        lambda e: (
            isinstance(e, FrameSeen)
            and not e.sent
            and e.frame.ip is not None
            and e.frame.ip.protocol == ICMP6
            and e.frame.payload[:1] == bytes([ROUTER_ADVERTISEMENT])
            and (e.frame.ip.source == shared or e.frame.source == virtual_mac(1))
        ),
    )
    with tester.advertising(subject.better(source=six(bench))):
        cast("Routing", subject.host).advertise_routes(shared)
        wire.expect_none(from_shared, for_ns=2 * ROUTES_NS, barrier=subject.alive)
    since_ns = subject.reach_master().time_ns
    wire.expect(from_shared, within=Window.after(since_ns, (0, 2 * ROUTES_NS), "its first advertisement"))


# --- what a host looks for


@covers("CARP-ARP-017")
@needs("commands")
@takes(5)
def test_arp_request_from_the_shared_address(master: Subject, wire: Segment) -> None:
    """An ARP request whose sender is the shared address carries the virtual MAC as sender hardware address."""
    shared = master.settings.addresses[0]
    since_ns = master.just_now_ns
    master.command(f"ping -c 1 -t 1 -S {shared} {NOBODY[4]}")
    asks = Condition(
        f"{master.name} asks for {NOBODY[4]}",
        lambda e: (
            isinstance(e, FrameSeen)
            and not e.sent
            and e.frame.arp is not None
            and e.frame.arp.operation == ArpOperation.REQUEST
            and str(e.frame.arp.target) == NOBODY[4]
        ),
    )
    seen = wire.expect(asks, within=Window.after(since_ns, (0, 2 * SECOND), "the ping"))
    assert isinstance(seen, FrameSeen)
    assert seen.frame.arp is not None
    wire.check("sender", seen.frame.arp.sender, shared, seen)
    wire.check("sender hardware address", seen.frame.arp.sender_mac, virtual_mac(1), seen)


@covers("CARP-ARP-019")
@needs("commands")
@takes(8)
def test_repeated_gratuitous_arp_is_not_for_shared_addresses(start: Start, wire: Segment) -> None:
    """With garp_rexmit_count=3 a new MASTER still announces its shared address once."""
    subject = start(advskew=0)
    name = "net.link.ether.inet.garp_rexmit_count"
    said = subject.command(f"sysctl {name}=3", undo=f"sysctl {name}=0")
    wire.check("exit status of the setting", said.status, 0)
    subject.reach_master()
    subject.next_own(3)
    (address,) = subject.settings.addresses
    assert isinstance(address, IPv4Address)
    announced = [seen for seen in wire.trace.frames if subject.announces(address).match(seen)]
    wire.check("gratuitous ARP for the shared address", len(announced), 1, *announced)


@covers("CARP-ND-008")
@needs("commands", "ipv6")
@takes(4)
def test_backup_does_not_solicit_from_the_shared_address(
    start: Start, bench: Bench, tester: Tester, wire: Segment
) -> None:
    """A BACKUP that looks for an IPv6 neighbour asks from an address of its own.

    Field report: opnsense/core#6542, FreeBSD D50455.
    """
    shared = next(one for one in bench.shared_addresses if one.version == 6)
    subject = start(addresses=(shared,))
    with tester.advertising(subject.better(source=six(bench))):
        since_ns = subject.just_now_ns
        subject.command(f"ping -6 -c 1 -t 1 {NOBODY[6]}")
        asks = Condition(
            f"{subject.name} solicits {NOBODY[6]}",
            lambda e: (
                isinstance(e, FrameSeen)
                and not e.sent
                and e.frame.neighbour is not None
                and e.frame.neighbour.message is NeighbourMessage.SOLICITATION
                and str(e.frame.neighbour.target) == NOBODY[6]
            ),
        )
        seen = wire.expect(asks, within=Window.after(since_ns, (0, 2 * SECOND), "the ping"))
    assert isinstance(seen, FrameSeen)
    wire.check("whether it asks from the shared address", Subject.ip(seen).source == shared, False, seen)
    wire.check("Ethernet source", seen.frame.source, subject.host.mac, seen)


def six(bench: Bench) -> IPv6Address:
    return next(one for one in bench.tester_addresses if isinstance(one, IPv6Address))
