"""ARP, neighbour discovery, echo: who answers for a shared address in which state, with which MAC; and
unicast peers.
"""

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest

from conformance.model.actions import State
from conformance.model.config import VhostConfig
from conformance.wire import frame as wire
from conformance.wire.header import checksum
from tests.model.building import (
    MAC,
    OWN,
    OWN6,
    PASSWORD,
    PEER,
    PEER_MAC,
    SECOND,
    SHARED,
    SHARED6,
    Bench,
    adverts,
    sent,
)

MASTER, BACKUP = State.MASTER, State.BACKUP
VIRTUAL = bytes.fromhex("00005e000101")
BOTH = (f"{OWN}/24", f"{OWN6}/64")
V6 = VhostConfig(1, (SHARED6,), PASSWORD, advskew=100)
REQUEST = wire.ArpOperation.REQUEST
PEER6 = IPv6Address("2001:db8::fe")


def ask(address, sender=PEER, mac=PEER_MAC, **more):
    return wire.arp(REQUEST, mac, IPv4Address(sender), bytes(6), IPv4Address(address), **more)


def solicit(address, source=PEER6, to=None):
    target = IPv6Address(address)
    node = IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + target.packed[13:])
    return wire.neighbour(
        wire.NeighbourMessage.SOLICITATION,
        target,
        None if source.is_unspecified else PEER_MAC,
        source=source,
        destination=target if to else node,
        source_mac=PEER_MAC,
        destination_mac=to or b"\x33\x33" + node.packed[12:],
    )


def echo(to, mac, payload=b"payload!"):
    body = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + payload
    body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    return wire.ethernet(
        mac,
        PEER_MAC,
        wire.ETHERTYPE_IPV4,
        wire.ipv4(IPv4Address(PEER), IPv4Address(to), body, ttl=64, protocol=1),
    )


def echo6(to, mac, kind=128):
    body = struct.pack("!BBHHH", kind, 0, 0, 7, 1) + b"payload!"
    return wire.ethernet(
        mac, PEER_MAC, wire.ETHERTYPE_IPV6, wire.ipv6(PEER6, IPv6Address(to), body, protocol=58)
    )


class TestArp:
    @pytest.mark.parametrize(
        ("key", "ether", "told"),
        [
            ("freebsd-legacy", MAC, VIRTUAL),
            ("freebsd-13", MAC, VIRTUAL),
            ("openbsd", VIRTUAL, VIRTUAL),
            ("ucarp", MAC, MAC),
        ],
    )
    def test_master_answers(self, key, ether, told):
        [reply] = sent(Bench(key, state=MASTER).receive(ask(SHARED)))
        assert (reply.source, reply.destination) == (ether, PEER_MAC)
        assert (reply.arp.operation, reply.arp.sender_mac, reply.arp.sender, reply.arp.target) == (
            2,
            told,
            IPv4Address(SHARED),
            IPv4Address(PEER),
        )

    @pytest.mark.parametrize("key", ["freebsd-legacy", "freebsd-13", "openbsd", "ucarp"])
    def test_backup_is_silent_and_everybody_answers_for_his_own_address(self, key):
        bench = Bench(key)
        assert bench.receive(ask(SHARED)) == []
        assert bench.receive(ask(SHARED, sender="0.0.0.0")) == []
        [reply] = sent(bench.receive(ask(OWN)))
        assert reply.arp.sender_mac == MAC

    @pytest.mark.parametrize(
        ("key", "answers"), [("freebsd-13", 1), ("freebsd-15", 1), ("openbsd", 0), ("freebsd-legacy", 0)]
    )
    def test_backup_of_late_freebsd_answers_a_gratuitous_request_with_its_own_mac(self, key, answers):
        replies = sent(Bench(key).receive(ask(SHARED, sender=SHARED, mac=VIRTUAL)))
        assert [one.arp.sender_mac for one in replies] == [MAC] * answers

    def test_master_takes_an_announcement_of_the_virtual_mac_for_its_own(self):
        bench = Bench("freebsd-13", state=MASTER)
        assert bench.receive(ask(SHARED, sender=SHARED, mac=VIRTUAL)) == []
        assert len(sent(bench.receive(ask(SHARED, sender=SHARED)))) == 1

    def test_reply_and_request_to_others_are_not_answered(self):
        bench = Bench("freebsd-13", state=MASTER)
        assert (
            bench.receive(
                wire.arp(
                    wire.ArpOperation.REPLY,
                    PEER_MAC,
                    IPv4Address(PEER),
                    MAC,
                    IPv4Address(OWN),
                    destination_mac=MAC,
                )
            )
            == []
        )
        assert bench.receive(ask("192.0.2.77")) == []
        assert bench.receive(ask(SHARED, destination_mac=PEER_MAC)) == []


class TestNeighbourDiscovery:
    @pytest.mark.parametrize("key", ["freebsd-legacy", "freebsd-13", "freebsd-15", "openbsd"])
    def test_master_answers_a_multicast_solicitation_from_the_virtual_mac(self, key):
        [reply] = sent(Bench(key, config=V6, own=BOTH, state=MASTER).receive(solicit(SHARED6)))
        assert (reply.source, reply.destination, reply.neighbour.link_address, reply.neighbour.flags) == (
            VIRTUAL,
            PEER_MAC,
            VIRTUAL,
            0x60,
        )

    @pytest.mark.parametrize(
        ("key", "ether", "told"),
        [("freebsd-13", MAC, None), ("freebsd-15", VIRTUAL, VIRTUAL), ("openbsd", VIRTUAL, VIRTUAL)],
    )
    def test_unicast_solicitation(self, key, ether, told):
        [reply] = sent(Bench(key, config=V6, own=BOTH, state=MASTER).receive(solicit(SHARED6, to=VIRTUAL)))
        assert (reply.source, reply.neighbour.link_address) == (ether, told)

    def test_duplicate_address_detection_is_answered_to_all_nodes(self):
        [reply] = sent(
            Bench("freebsd-13", config=V6, own=BOTH, state=MASTER).receive(
                solicit(SHARED6, source=IPv6Address("::"))
            )
        )
        assert (reply.destination, reply.neighbour.flags) == (wire.ALL_NODES_MAC, 0x20)

    def test_backup_is_silent_and_own_address_is_answered(self):
        bench = Bench("freebsd-13", config=V6, own=BOTH)
        assert bench.receive(solicit(SHARED6)) == []
        assert [one.neighbour.link_address for one in sent(bench.receive(solicit(OWN6)))] == [MAC]

    def test_beyond_the_link_or_for_others(self):
        bench = Bench("freebsd-13", config=V6, own=BOTH, state=MASTER)
        frame = bytearray(solicit(SHARED6))
        frame[21] = 64
        assert bench.receive(bytes(frame)) == []
        assert bench.receive(solicit(SHARED6, to=PEER_MAC)) == []


class TestEcho:
    @pytest.mark.parametrize(("key", "ether"), [("freebsd-13", MAC), ("openbsd", VIRTUAL)])
    def test_master_delivers_the_payload(self, key, ether):
        [reply] = sent(Bench(key, state=MASTER).receive(echo(SHARED, VIRTUAL)))
        assert (reply.source, reply.destination, str(reply.ip.source), str(reply.ip.destination)) == (
            ether,
            PEER_MAC,
            SHARED,
            PEER,
        )
        assert (reply.payload[0], reply.payload[8:]) == (0, b"payload!")
        assert checksum(reply.payload) == 0

    @pytest.mark.parametrize(("key", "answers"), [("freebsd-13", 1), ("openbsd", 0), ("freebsd-legacy", 0)])
    def test_backup(self, key, answers):
        bench = Bench(key)
        assert bench.receive(echo(SHARED, VIRTUAL)) == []
        assert [one.source for one in sent(bench.receive(echo(SHARED, MAC)))] == [MAC] * answers

    def test_ucarp_by_its_own_mac_only(self):
        bench = Bench("ucarp", state=MASTER)
        assert bench.receive(echo(SHARED, bytes.fromhex("00005e000001"))) == []
        assert len(sent(bench.receive(echo(SHARED, MAC)))) == 1

    def test_own_address(self):
        bench = Bench("freebsd-13")
        assert len(sent(bench.receive(echo(OWN, MAC)))) == 1
        assert bench.receive(echo(OWN, VIRTUAL)) == []
        assert bench.receive(echo("192.0.2.99", MAC)) == []

    def test_other_icmp_and_other_frames(self):
        bench = Bench("freebsd-13", state=MASTER)
        frame = bytearray(echo(SHARED, VIRTUAL))
        frame[34] = 3
        assert bench.receive(bytes(frame)) == []
        assert bench.receive(b"\xff" * 60) == []

    def test_ipv6(self):
        [reply] = sent(
            Bench("freebsd-13", config=V6, own=BOTH, state=MASTER).receive(echo6(SHARED6, VIRTUAL))
        )
        assert (reply.payload[0], reply.payload[8:], str(reply.ip.source)) == (129, b"payload!", SHARED6)
        pseudo = reply.ip.source.packed + reply.ip.destination.packed + struct.pack("!IHBB", 16, 0, 0, 58)
        assert checksum(pseudo + reply.payload) == 0


class TestUnicastPeers:
    def test_asks_for_the_peer_then_sends_from_the_own_mac(self):
        config = VhostConfig(1, (SHARED,), PASSWORD, peer=PEER)
        bench = Bench("freebsd-15", config=config)
        first = sent(bench.wait(5 * SECOND, until=MASTER))
        assert adverts(bench.log) == []
        assert [one.arp.target for one in first if one.arp is not None and not one.arp.gratuitous] == [
            IPv4Address(PEER)
        ]
        [advert] = adverts(
            bench.receive(
                wire.arp(
                    wire.ArpOperation.REPLY,
                    PEER_MAC,
                    IPv4Address(PEER),
                    MAC,
                    IPv4Address(OWN),
                    destination_mac=MAC,
                )
            )
        )
        assert (advert.source, advert.destination, str(advert.ip.destination), advert.ip.ttl) == (
            MAC,
            PEER_MAC,
            PEER,
            255,
        )
        assert [one.destination for one in adverts(bench.wait(2 * SECOND))] == [PEER_MAC] * 2
        bench.host.reconfigure(bench.now, "em0", 1, peer=None)
        assert [one.destination for one in adverts(bench.wait(1 * SECOND))] == [wire.GROUP_MAC_IPV4]

    def test_ipv6_peer(self):
        config = VhostConfig(1, (SHARED6,), PASSWORD, peer6=str(PEER6))
        bench = Bench("freebsd-15", config=config, own=BOTH)
        asked = [
            one.neighbour.target
            for one in sent(bench.wait(5 * SECOND, until=MASTER))
            if one.neighbour is not None and one.neighbour.message == 135
        ]
        assert asked == [PEER6]
        told = wire.neighbour(
            wire.NeighbourMessage.ADVERTISEMENT,
            PEER6,
            PEER_MAC,
            source=PEER6,
            destination=IPv6Address(OWN6),
            source_mac=PEER_MAC,
            destination_mac=MAC,
            flags=0x60,
        )
        [advert] = adverts(bench.receive(told))
        assert (advert.source, advert.destination, str(advert.ip.destination)) == (MAC, PEER_MAC, str(PEER6))
        assert [one.destination for one in adverts(bench.wait(2 * SECOND))] == [PEER_MAC] * 2

    def test_without_an_own_address(self):
        for config in (
            VhostConfig(1, (SHARED,), PASSWORD, peer=PEER),
            VhostConfig(1, (SHARED6,), PASSWORD, peer6=str(PEER6)),
        ):
            bench = Bench("freebsd-15", config=config, own=(), state=MASTER)
            assert bench.state is MASTER


def test_every_address_is_announced_by_openbsd_with_its_link_local_one_first():
    bench = Bench("openbsd", config=VhostConfig(1, (SHARED, SHARED6), PASSWORD), own=BOTH)
    frames = sent(bench.wait(5 * SECOND, until=MASTER))
    assert [str(one.neighbour.target) for one in frames if one.neighbour is not None] == [
        "fe80::200:5eff:fe00:101",
        SHARED6,
    ]
