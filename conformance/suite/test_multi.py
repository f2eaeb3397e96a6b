"""MULTI: several virtual hosts, and several addresses, on one machine."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start, accepts
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.frame import virtual_mac

OF_VHID_2 = "key of vhid 2"


@pytest.fixture
def neighbours(start: Start, bench: Bench) -> tuple[Subject, Subject]:
    """Two IUTs on one host that have nothing in common but the host: vhid, password, address and advskew
    differ.
    """
    one = start(vhid=1, addresses=bench.shared_addresses[:1], advskew=100)
    two = start(vhid=2, addresses=bench.shared_addresses[1:2], advskew=50, password=OF_VHID_2)
    return one, two


def three(start: Start, bench: Bench) -> list[Subject]:
    """Three virtual hosts on one host."""
    return [
        start(vhid=vhid, addresses=(shared,))
        for vhid, shared in zip((1, 2, 200), bench.shared_addresses, strict=False)
    ]


@covers("CARP-MULTI-001")
@needs("multiple_vhids")
@takes(13)
@pytest.mark.parametrize("loser", [0, 1], ids=["vhid-1", "vhid-2"])
def test_states_are_independent(neighbours: tuple[Subject, Subject], tester: Tester, loser: int) -> None:
    """One virtual host yields to a better peer of its own while its neighbour on the same host goes on as
    MASTER.
    """
    yields, stays = neighbours[loser], neighbours[1 - loser]
    yields.reach_master()
    stays.reach_master()
    with tester.advertising(yields.better()) as first:
        yields.expect_yields(first)
        stays.stays_master(first)


@covers("CARP-MULTI-001")
@needs("multiple_vhids")
@takes(8)
def test_timers_are_independent(neighbours: tuple[Subject, Subject], tester: Tester, wire: Segment) -> None:
    """Of two BACKUPs on one host the one whose master falls silent takes over in its own time, the other one
    is held by its own master.
    """
    takes_over, held = neighbours
    tester.send(takes_over.better())
    with tester.advertising(held.better()):
        wire.expect(takes_over.becomes_master(), within=takes_over.master_down_window())
        held.stays_silent(held.interval_ns)
    wire.expect(held.becomes_master(), within=held.master_down_window())


@covers("CARP-MULTI-001")
@needs("multiple_vhids")
@takes(6)
def test_keys_are_independent(neighbours: tuple[Subject, Subject], wire: Segment) -> None:
    """Each of two virtual hosts on one host authenticates with its own password and address."""
    for subject, other in (neighbours, neighbours[::-1]):
        seen = subject.reach_master()
        header = Subject.header(seen)
        wire.check("digest", header.digest, subject.secret.digest(header.vhid, header.counter), seen)
        wire.check(
            "digest with the password and the address of its neighbour",
            header.digest == other.secret.digest(header.vhid, header.counter),
            False,
            seen,
        )


@covers("CARP-MULTI-001")
@needs("multiple_vhids")
@takes(9)
def test_counters_are_independent(neighbours: tuple[Subject, Subject], tester: Tester, wire: Segment) -> None:
    """The counter that one virtual host takes over from a peer does not appear in the advertisements of its
    neighbour.
    """
    hears, neighbour = neighbours
    hears.reach_master()
    neighbour.reach_master()
    sent = tester.send(hears.worse(counter=0xFF))
    wire.watch(hears.reaction_window(sent).to_ns + hears.interval_ns - wire.now_ns())
    for seen in neighbour.next_own(2):
        wire.check(
            "counter of its neighbour being near 0x100",
            int.from_bytes(Subject.header(seen).counter, "big") in range(0x100, 0x110),
            False,
            seen,
        )


@covers("CARP-MULTI-002")
@needs("multiple_vhids")
@takes(12)
def test_stream_of_one_vhid_does_not_hold_another(
    start: Start, bench: Bench, tester: Tester, wire: Segment
) -> None:
    """A stream for vhid 1 holds vhid 1 in BACKUP, but not vhid 2 of the same host and password, which takes
    over and yields to a stream of its own.
    """
    one = start(vhid=1, addresses=bench.shared_addresses[:1])
    two = start(vhid=2, addresses=bench.shared_addresses[1:2])
    tester.send(two.better())
    with tester.advertising(one.better()):
        wire.expect(two.becomes_master(), within=two.master_down_window())
        one.stays_silent(one.interval_ns)
        with tester.advertising(two.better()) as first:
            two.expect_yields(first)


@covers("CARP-MULTI-003")
@needs("multiple_vhids")
@takes(6)
def test_each_vhid_has_its_own_mac(start: Start, bench: Bench, wire: Segment) -> None:
    """Three virtual hosts on one host advertise from three virtual MACs, each of its own vhid."""
    for subject in three(start, bench):
        seen = subject.reach_master()
        wire.check("Ethernet source", seen.frame.source, virtual_mac(subject.settings.vhid), seen)


@covers("CARP-MULTI-003")
@needs("multiple_vhids")
@takes(6)
def test_each_vhid_announces_its_own_mac(start: Start, bench: Bench, wire: Segment) -> None:
    """The gratuitous ARP of each of three virtual hosts names the virtual MAC of its own vhid."""
    for subject in three(start, bench):
        window = subject.master_down_window()
        shared = subject.settings.addresses[0]
        assert isinstance(shared, IPv4Address)
        seen = wire.expect(subject.announces(shared), within=window)
        assert isinstance(seen, FrameSeen)
        assert seen.frame.arp is not None
        wire.check(
            "sender hardware address", seen.frame.arp.sender_mac, virtual_mac(subject.settings.vhid), seen
        )


@covers("CARP-MULTI-004", "CARP-ARP-001")
@needs("multiple_addresses")
@takes(6)
def test_all_addresses_move_together(start: Start, bench: Bench, wire: Segment) -> None:
    """A virtual host of three addresses takes over with one advertisement and one gratuitous ARP for each
    address.
    """
    subject = start(addresses=bench.shared_addresses[:3])
    first = wire.expect(subject.becomes_master(), within=subject.master_down_window())
    assert isinstance(first, FrameSeen)
    wire.watch(subject.reaction_window(first).to_ns - wire.now_ns())
    announced = [
        seen.frame.arp.sender
        for seen in wire.trace.frames
        if seen.frame.arp is not None and seen.frame.arp.gratuitous and not seen.sent
    ]
    wire.check(
        "addresses in gratuitous ARP",
        sorted(map(str, announced)),
        sorted(map(str, subject.settings.addresses)),
        first,
    )
    wire.check("number of advertisements", sum(1 for _ in subject.own_frames()), 1, first)


@covers("CARP-MULTI-009")
@needs("multiple_vhids")
def test_two_vhids_share_one_address(start: Start, bench: Bench, wire: Segment) -> None:
    """Two virtual hosts with the same address on one host both start and advertise."""
    shared = bench.shared_addresses[:1]
    subjects = [
        accepts(
            wire, start, f"vhid {vhid} with an address that another vhid has", vhid=vhid, addresses=shared
        )
        for vhid in (1, 2)
    ]
    for subject in subjects:
        wire.expect(subject.becomes_master(), within=subject.master_down_window())
