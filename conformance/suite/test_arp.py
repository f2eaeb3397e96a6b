"""ARP: how hosts and switches learn where the shared IPv4 address lives, and who answers for it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from conformance.model.announcing import Mac
from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.marks import covers, takes
from conformance.targets.beside.client import Client
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.frame import BROADCAST_MAC, ArpOperation, virtual_mac

Start = Callable[..., Subject]

SECOND = 1_000_000_000
AROUND_NS = 200_000_000
"""How far a gratuitous ARP may be from the advertisement that it goes with (not a matter of the timer)."""


@pytest.fixture
def client(bench: Bench, wire: Segment, tester: Tester) -> Client:
    """Somebody on the segment who uses the shared address."""
    address = bench.shared_addresses[0]
    assert isinstance(address, IPv4Address)
    return Client(wire, tester, bench, address)


def announced(subject: Subject, wire: Segment) -> FrameSeen:
    """The gratuitous ARP of a take-over that the subject is about to make, decided to come within the time of
    an advertisement.
    """
    first = subject.reach_master()
    (address,) = subject.settings.addresses
    assert isinstance(address, IPv4Address)
    around = Window(
        first.time_ns - AROUND_NS,
        first.time_ns - AROUND_NS,
        first.time_ns + AROUND_NS,
        f"200 ms before its first advertisement, frame {first.number}",
    )
    event = wire.expect(subject.announces(address), within=around)
    assert isinstance(event, FrameSeen)
    return event


@covers("CARP-ARP-001")
@takes(6)
def test_take_over_is_announced_once_for_each_address(start: Start, wire: Segment) -> None:
    """On becoming MASTER a node broadcasts one gratuitous ARP for its shared address, and no second one
    before its next advertisement.
    """
    subject = start()
    announced(subject, wire)
    (second,) = subject.next_own()
    (address,) = subject.settings.addresses
    assert isinstance(address, IPv4Address)
    found = [
        event
        for event in wire.trace.events
        if subject.announces(address).match(event) and event.time_ns < second.time_ns
    ]
    wire.check(
        f"the number of gratuitous ARPs for {address} before the second advertisement", len(found), 1, second
    )


@covers("CARP-ARP-002")
@takes(5)
def test_announcement_is_a_broadcast_request(start: Start, wire: Segment) -> None:
    """The gratuitous ARP is a request to ff:ff:ff:ff:ff:ff whose sender and target protocol addresses are
    both the shared address.
    """
    subject = start()
    seen = announced(subject, wire)
    assert seen.frame.arp is not None
    wire.check("Ethernet destination", seen.frame.destination, BROADCAST_MAC, seen)
    wire.check("operation", seen.frame.arp.operation, int(ArpOperation.REQUEST), seen)
    wire.check("sender protocol address", seen.frame.arp.sender, subject.settings.addresses[0], seen)
    wire.check("target protocol address", seen.frame.arp.target, subject.settings.addresses[0], seen)


@covers("CARP-ARP-003")
@takes(5)
def test_announcement_gives_the_virtual_mac(start: Start, wire: Segment) -> None:
    """The sender hardware address of the gratuitous ARP is the virtual MAC."""
    seen = announced(start(), wire)
    assert seen.frame.arp is not None
    wire.check("sender hardware address", seen.frame.arp.sender_mac, virtual_mac(1), seen)


@covers("CARP-ARP-004")
@takes(5)
def test_announcement_has_no_target_mac(start: Start, wire: Segment) -> None:
    """The target hardware address of the gratuitous ARP is zero."""
    seen = announced(start(), wire)
    assert seen.frame.arp is not None
    wire.check("target hardware address", seen.frame.arp.target_mac, bytes(6), seen)


@covers("CARP-ARP-005")
@takes(5)
def test_announcement_leaves_from_the_physical_mac(start: Start, wire: Segment) -> None:
    """The Ethernet source of the gratuitous ARP is the physical MAC of the interface."""
    subject = start()
    seen = announced(subject, wire)
    wire.check("Ethernet source", seen.frame.source, subject.host.mac, seen)


@covers("CARP-ARP-006")
@takes(5)
def test_advertisement_precedes_the_announcement(start: Start, wire: Segment) -> None:
    """On take-over the first advertisement is sent before the gratuitous ARP."""
    subject = start()
    seen = announced(subject, wire)
    first = next(subject.own_frames())
    wire.check(
        "what comes first",
        "the advertisement" if first.number < seen.number else "the gratuitous ARP",
        "the advertisement",
        first,
        seen,
    )


@covers("CARP-ARP-007")
@takes(7)
def test_announcement_is_repeated_with_the_third_advertisement(start: Start, wire: Segment) -> None:
    """The gratuitous ARP is repeated once, together with the third advertisement, and not with the second or
    the fourth.
    """
    subject = start(advskew=0)
    announced(subject, wire)
    first = next(subject.own_frames())
    _, third, _ = subject.next_own(3)
    (address,) = subject.settings.addresses
    assert isinstance(address, IPv4Address)
    wire.watch(AROUND_NS)
    repeated = [
        event
        for event in wire.trace.frames
        if subject.announces(address).match(event) and event.time_ns > first.time_ns + AROUND_NS
    ]
    wire.check("the number of repetitions until the fourth advertisement", len(repeated), 1, *repeated)
    wire.check_span(
        "the time between the third advertisement and the repetition",
        abs(repeated[0].time_ns - third.time_ns),
        (0, AROUND_NS),
        third,
        repeated[0],
    )


@covers("CARP-ARP-008")
@takes(6)
def test_master_answers_arp(master: Subject, client: Client, wire: Segment) -> None:
    """A MASTER answers an ARP request for the shared address."""
    master.next_own()
    asked = client.asks()
    wire.expect(client.hears_reply(), within=client.answer_window(asked))


@covers("CARP-ARP-009")
@takes(6)
def test_answer_gives_the_virtual_mac(master: Subject, client: Client, wire: Segment) -> None:
    """The sender hardware address of a MASTER's answer for the shared address is the virtual MAC."""
    master.next_own()
    asked = client.asks()
    reply = wire.expect(client.hears_reply(), within=client.answer_window(asked))
    assert isinstance(reply, FrameSeen)
    assert reply.frame.arp is not None
    wire.check("sender hardware address", reply.frame.arp.sender_mac, virtual_mac(1), reply)


@covers("CARP-ARP-010")
@takes(8)
@pytest.mark.parametrize("question", [Client.asks, Client.probes], ids=["request", "probe"])
def test_backup_does_not_answer_arp(
    backup: Subject, client: Client, tester: Tester, wire: Segment, question: Callable[[Client], FrameSeen]
) -> None:
    """A node held in BACKUP answers no request and no probe for the shared address; as MASTER it does."""
    with tester.advertising(backup.better()):
        wire.watch(SECOND)
        question(client)
        wire.expect_none(client.hears_reply(), for_ns=SECOND, barrier=backup.alive)
    backup.reach_master()
    backup.next_own()
    asked = question(client)
    wire.expect(client.hears_reply(), within=client.answer_window(asked))


@covers("CARP-ARP-010")
@takes(11)
def test_former_master_does_not_answer_arp(
    master: Subject, client: Client, tester: Tester, wire: Segment
) -> None:
    """A MASTER that answered for the shared address does not answer any more after it has stepped down."""
    master.next_own()
    asked = client.asks()
    wire.expect(client.hears_reply(), within=client.answer_window(asked))
    with tester.advertising(master.better()) as better:
        master.expect_yields(better)
        client.asks()
        wire.expect_none(client.hears_reply(), for_ns=SECOND, barrier=master.alive)


@covers("CARP-ARP-011")
@takes(6)
def test_ethernet_source_of_the_answer(master: Subject, client: Client, wire: Segment) -> None:
    """A MASTER's answer for the shared address leaves from the physical MAC on FreeBSD and from the virtual one
    on OpenBSD.
    """
    master.next_own()
    asked = client.asks()
    reply = wire.expect(client.hears_reply(), within=client.answer_window(asked))
    assert isinstance(reply, FrameSeen)
    macs = {Mac.PHYSICAL: master.host.mac, Mac.VIRTUAL: virtual_mac(master.settings.vhid)}
    wire.check("Ethernet source", reply.frame.source, macs[master.dialect.arp_answer.ether_source], reply)


@covers("CARP-ARP-012")
@takes(10)
def test_master_accepts_frames_to_the_virtual_mac(master: Subject, client: Client, wire: Segment) -> None:
    """A MASTER answers an echo to the shared address in a frame to the virtual MAC.

    Field report: a correct election and ARP, but what is sent to the address does not arrive
    (opnsense/src#319, FreeBSD PR 296106).
    """
    master.next_own()
    pinged = client.pings(virtual_mac(master.settings.vhid))
    wire.expect(client.hears_echo(), within=client.answer_window(pinged))


@covers("CARP-ARP-013", "CARP-SCENARIO-010")
@takes(8)
def test_only_the_master_answers_an_echo(start: Start, client: Client, tester: Tester, wire: Segment) -> None:
    """A node held in BACKUP does not answer an echo to the shared address in a frame to the virtual MAC; as
    MASTER it answers one that is framed as its ARP answer says.

    The peer that holds it sends from its own MAC: otherwise a switch would know where the virtual one is, and
    not deliver the echo to the node.

    Field report: a correct election and ARP, but what is sent to the address does not arrive
    (opnsense/src#319, FreeBSD PR 296106).
    """
    backup = start()
    with tester.advertising(backup.better(source_mac=tester.mac)):
        wire.watch(SECOND)
        client.pings(virtual_mac(backup.settings.vhid))
        wire.expect_none(client.hears_echo(), for_ns=SECOND, barrier=backup.alive)
    backup.reach_master()
    backup.next_own()
    asked = client.asks()
    reply = wire.expect(client.hears_reply(), within=client.answer_window(asked))
    assert isinstance(reply, FrameSeen)
    assert reply.frame.arp is not None
    pinged = client.pings(reply.frame.arp.sender_mac)
    wire.expect(client.hears_echo(), within=client.answer_window(pinged))


@covers("CARP-ARP-016")
@takes(13)
def test_master_announces_again_when_it_hears_a_slower_one(
    master: Subject, client: Client, tester: Tester, wire: Segment
) -> None:
    """A MASTER that hears one slower advertisement sends a gratuitous ARP at once and another with the second
    following advertisement.
    """
    master.next_own(3)
    wire.watch(AROUND_NS)
    slower = tester.send(master.worse())
    at_once = wire.expect(master.announces(client.address), within=master.reaction_window(slower))
    later = [seen for seen in master.next_own(3) if seen.time_ns > at_once.time_ns]
    wire.watch(AROUND_NS)
    repeated = [
        seen
        for seen in wire.trace.frames
        if master.announces(client.address).match(seen) and seen.time_ns > at_once.time_ns + AROUND_NS
    ]
    wire.check("the number of later gratuitous ARPs", len(repeated), 1, *repeated)
    wire.check_span(
        "the time between the second following advertisement and the second gratuitous ARP",
        abs(repeated[0].time_ns - later[1].time_ns),
        (0, AROUND_NS),
        later[1],
        repeated[0],
    )


@covers("CARP-ARP-018")
@takes(7)
def test_configuring_announces_nothing(start: Start, client: Client, tester: Tester, wire: Segment) -> None:
    """A node that joins a live MASTER sends no gratuitous ARP for the shared address; its take-over does."""
    begun_ns = wire.now_ns()
    subject = start()
    with tester.advertising(subject.better()):
        wire.expect_none(subject.announces(client.address), for_ns=2 * SECOND, barrier=subject.alive)
    early = [event for event in wire.trace.since(begun_ns) if subject.announces(client.address).match(event)]
    wire.check("the number of gratuitous ARPs until then", len(early), 0)
    announced(subject, wire)


@covers("CARP-ARP-020")
@takes(3)
def test_backup_contradicts_a_gratuitous_arp(
    backup: Subject, client: Client, tester: Tester, wire: Segment
) -> None:
    """A node held in BACKUP answers a gratuitous ARP for the shared address with its own physical MAC."""
    with tester.advertising(backup.better()):
        claimed = client.claims(virtual_mac(backup.settings.vhid))
        reply = wire.expect(client.hears_reply(), within=client.answer_window(claimed))
    assert isinstance(reply, FrameSeen)
    assert reply.frame.arp is not None
    wire.check("sender hardware address", reply.frame.arp.sender_mac, backup.host.mac, reply)
