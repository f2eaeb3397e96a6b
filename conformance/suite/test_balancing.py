"""ARP, CONF, MULTI: several virtual hosts for one address: ``carpnodes`` of OpenBSD and ``arpbalance`` of the legacy line."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Event, FrameSeen
from conformance.suite.configuring import Start, accepts, refuses
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.beside.client import ANSWER_NS, Client
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.frame import ArpOperation, arp, virtual_mac

NODES = ((1, 0), (2, 100))
SHARED_MAC = b"\1" + virtual_mac(1)[1:]
"""The one of ``balancing ip`` whose first vhid is 1."""
MODES = {"ip": SHARED_MAC, "ip-stealth": virtual_mac(1), "ip-unicast": virtual_mac(1)}


def node(subject: Subject, vhid: int, advskew: int) -> Subject:
    """One of the virtual hosts of an interface with several."""
    return replace(subject, settings=replace(subject.settings, vhid=vhid, advskew=advskew))


def nodes(start: Start, pairs: tuple[tuple[int, int], ...] = NODES, **settings: Any) -> list[Subject]:
    """The virtual hosts of one interface, in the order of ``pairs``; ``mode`` is that of balancing."""
    options: dict[str, Any] = {"carpnodes": pairs}
    if "mode" in settings:
        options["balancing"] = settings.pop("mode")
    first = start(vhid=pairs[0][0], advskew=pairs[0][1], options=options, **settings)
    return [node(first, *pair) for pair in pairs]


def told(event: Event, address: IPv4Address) -> bool:
    """Whether a frame is an ARP reply for ``address``."""
    answer = event.frame.arp if isinstance(event, FrameSeen) and not event.sent else None
    return answer is not None and answer.operation == ArpOperation.REPLY and answer.sender == address


# --- carpnodes


@covers("CARP-CONF-017")
@needs("balancing")
@pytest.mark.parametrize("count", [2, 32])
@takes(6)
def test_carpnodes(start: Start, wire: Segment, count: int) -> None:
    """Up to 32 pairs of vhid and advskew are accepted; without a mode they balance in mode ip."""
    pairs = tuple((vhid, vhid) for vhid in range(1, count + 1))
    subject = accepts(wire, start, f"{count} carpnodes", vhid=1, advskew=1, options={"carpnodes": pairs})
    last = node(subject, count, count)
    seen = last.reach_master()
    wire.check("Ethernet source", seen.frame.source, SHARED_MAC, seen)


@covers("CARP-CONF-017")
@needs("balancing")
@takes(1)
def test_too_many_carpnodes(start: Start, wire: Segment) -> None:
    """33 pairs are refused."""
    refuses(wire, start, "33 carpnodes", options={"carpnodes": tuple((vhid, 0) for vhid in range(1, 34))})


@covers("CARP-MULTI-007")
@needs("balancing")
@takes(8)
def test_each_node_advertises(start: Start, wire: Segment) -> None:
    """Each virtual host of the interface advertises with its own vhid and advskew, at its own interval."""
    for one in nodes(start):
        seen = one.reach_master()
        wire.check(
            f"advskew of vhid {one.settings.vhid}", one.header(seen).advskew, one.settings.advskew, seen
        )
        one.keeps_its_interval(2)


@covers("CARP-MULTI-007")
@needs("balancing")
@pytest.mark.parametrize("loser", [0, 1])
@takes(12)
def test_each_node_elects(start: Start, tester: Tester, loser: int) -> None:
    """A better node of one vhid makes that one yield and not the other; when it is gone that one comes back."""
    both = nodes(start, ((1, 50), (2, 100)))
    for one in both:
        one.reach_master()
    with tester.advertising(both[loser].better()) as first:
        both[1 - loser].stays_master(first)
    both[loser].comes_back(last_of(both[loser]))


def last_of(subject: Subject) -> FrameSeen:
    """The last advertisement that made it yield."""
    last = subject.last_valid()
    assert last is not None, "there was a stream"
    return last


@covers("CARP-ARP-015")
@needs("balancing")
@pytest.mark.parametrize("mode", MODES)
@takes(8)
def test_no_announcement(start: Start, wire: Segment, mode: str) -> None:
    """In a balancing mode a new MASTER sends no gratuitous ARP, not even with its third advertisement; without balancing it
    does.
    """
    for one in nodes(start, mode=mode):
        one.reach_master()
        one.next_own(3)
    wire.check("gratuitous ARP", announcements(wire), 0)


@covers("CARP-ARP-015")
@needs("balancing")
@takes(8)
def test_single_node_announces(start: Start, wire: Segment) -> None:
    """With a single pair there is nothing to balance: it announces its address as ever."""
    (only,) = nodes(start, NODES[:1])
    first = only.reach_master()
    only.next_own(1)
    wire.check("gratuitous ARP", announcements(wire) > 0, True, first)


def announcements(wire: Segment) -> int:
    return sum(
        seen.frame.arp is not None and seen.frame.arp.gratuitous and not seen.sent
        for seen in wire.trace.frames
    )


@covers("CARP-MULTI-008")
@needs("balancing")
@pytest.mark.parametrize("mode", MODES)
@takes(6)
def test_shared_mac(start: Start, bench: Bench, tester: Tester, wire: Segment, mode: str) -> None:
    """Advertisements leave from, and ARP answers tell, 01:00:5e:00:01:VHID of the first vhid in mode ip and the virtual MAC in
    the others.
    """
    for one in nodes(start, mode=mode):
        seen = one.reach_master()
        wire.check(f"Ethernet source of vhid {one.settings.vhid}", seen.frame.source, MODES[mode], seen)
    client = Client(wire, tester, bench, address_of(bench))
    asked = client.asks()
    answer = wire.expect(client.hears_reply(), within=client.answer_window(asked))
    assert isinstance(answer, FrameSeen)
    assert answer.frame.arp is not None
    wire.check("the MAC that the answer tells", answer.frame.arp.sender_mac, MODES[mode], answer)


@covers("CARP-MULTI-008")
@needs("balancing")
@pytest.mark.parametrize("mode", MODES)
@takes(14)
def test_packets_are_filtered_by_source(
    start: Start, bench: Bench, tester: Tester, wire: Segment, mode: str
) -> None:
    """Of clients with consecutive addresses every second one is served by a host that is MASTER of one of two virtual hosts,
    and all when it is MASTER of both.
    """
    both = nodes(start, ((1, 50), (2, 100)), mode=mode)
    for one in both:
        one.reach_master()
    sources = [IPv4Address(int(tester.address) - back) for back in range(4)]
    served = [is_served(wire, tester, bench, source, MODES[mode]) for source in sources]
    wire.check("who is served by the MASTER of both", served, [True] * 4)
    with tester.advertising(both[1].better()) as first:
        both[0].stays_master(first, count=1)
        served = [is_served(wire, tester, bench, source, MODES[mode]) for source in sources]
    mine = [(int(source) ^ int(address_of(bench))) % 2 == 0 for source in sources]
    wire.check("who is served by the MASTER of the first", served, mine)


def address_of(bench: Bench) -> IPv4Address:
    address = bench.shared_addresses[0]
    assert isinstance(address, IPv4Address)
    return address


def is_served(wire: Segment, tester: Tester, bench: Bench, source: IPv4Address, mac: bytes) -> bool:
    """Whether an echo request from ``source`` to the shared address, framed to ``mac``, is answered."""
    client = Client(wire, replace(tester, address=source), bench, address_of(bench))
    asked = client.pings(mac)
    return wire.wait(client.hears_echo(), asked.time_ns + ANSWER_NS, since_ns=asked.time_ns + 1) is not None


# --- arpbalance


@covers("CARP-ARP-014", "CARP-MULTI-009")
@needs("sysctl", "multiple_vhids")
@pytest.mark.parametrize("balance", [0, 1])
@takes(8)
def test_requester_decides_who_answers(
    start: Start, bench: Bench, tester: Tester, wire: Segment, balance: int
) -> None:
    """With arpbalance the requester's address modulo the number of virtual hosts decides which of them answers, and exactly
    one does; without it always the same one.
    """
    address = address_of(bench)
    both = [start(vhid=vhid, addresses=(address,), advskew=0) for vhid in (1, 2)]
    for one in both:
        one.reach_master()
    both[0].sysctls().set_sysctl("arpbalance", balance)
    for back in range(4):
        source = IPv4Address(int(tester.address) - back)
        picked = 1 + (int(source) % 2 if balance else 0)
        wire.check(
            f"the answers to {source}", answers(wire, tester, source, address), virtual_mac(picked).hex()
        )


@covers("CARP-ARP-014")
@needs("sysctl", "multiple_vhids")
@hosts(2)
@takes(14)
def test_node_that_is_not_master_stays_silent(
    start: Start, bench: Bench, tester: Tester, wire: Segment
) -> None:
    """Of two hosts that share the virtual hosts, the MASTER of the one that is picked answers, and the other is silent."""
    address = address_of(bench)
    skews = {"a": (0, 200), "b": (200, 0)}
    started = {
        (name, vhid): start(on=name, vhid=vhid, addresses=(address,), advskew=advskew, preempt=True)
        for name, both in skews.items()
        for vhid, advskew in enumerate(both, 1)
    }
    for name in skews:
        started[name, 1].sysctls().set_sysctl("arpbalance", 1)
    masters = {1: started["a", 1], 2: started["b", 2]}
    for master in masters.values():
        master.reach_master()
    wire.watch(masters[1].interval_ns)
    for back in range(2):
        source = IPv4Address(int(tester.address) - back)
        picked = 1 + int(source) % 2
        asked = wire.now_ns()
        said = answers(wire, tester, source, address)
        wire.check(f"the answers to {source}", said, virtual_mac(picked).hex())
        from_mac = next(
            seen.frame.source for seen in wire.trace.frames if seen.time_ns >= asked and told(seen, address)
        )
        wire.check("the host that answers", from_mac, masters[picked].host.mac)


def answers(wire: Segment, tester: Tester, source: IPv4Address, address: IPv4Address) -> str:
    """The hardware addresses that the answers to an ARP request from ``source`` tell, one after the other."""
    asked = wire.send(arp(ArpOperation.REQUEST, tester.mac, source, bytes(6), address))
    wire.watch(ANSWER_NS)
    found = [seen for seen in wire.trace.frames if seen.number > asked.number and told(seen, address)]
    return ", ".join(seen.frame.arp.sender_mac.hex() for seen in found if seen.frame.arp is not None)
