"""Several virtual hosts for one address: nodes of one carp interface, and arpbalance."""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from conformance.model.actions import Log, State
from conformance.model.balancing import Carpnodes, folded, multicast_mac, source_modulo
from conformance.model.config import ConfigurationError, VhostConfig
from conformance.wire.frame import ArpOperation, arp, ethernet, ipv4
from conformance.wire.header import checksum
from tests.model.building import MAC, OWN, PASSWORD, PEER, PEER_MAC, SECOND, SHARED, Bench, sent

LEADER = bytes.fromhex("01005e000101")


def several(*pairs, **more):
    return VhostConfig(pairs[0][0] if pairs else 1, (SHARED,), PASSWORD, nodes=pairs, **more)


def balanced(*pairs, **more):
    bench = Bench("openbsd", config=several(*(pairs or ((1, 0), (2, 100))), **more))
    bench.log += bench.wait(6 * SECOND)
    return bench


def echo(source, mac):
    """An echo request to the shared address, framed to ``mac``."""
    body = struct.pack("!BBHHH", 8, 0, 0, 7, 1)
    body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    packet = ipv4(IPv4Address(source), IPv4Address(SHARED), body, ttl=64, tos=0, protocol=1)
    return ethernet(mac, PEER_MAC, 0x0800, packet)


def states(bench):
    return [one.state for one in bench.host.vhosts()]


class TestRules:
    def test_fold_of_ipv4(self):
        assert folded(IPv4Address("192.0.2.254"), IPv4Address("192.0.2.1"), 2) == 1

    def test_fold_of_ipv6_takes_every_word(self):
        source, destination = IPv6Address("1::2:0:0:4"), IPv6Address("::1")
        assert folded(source, destination, 1000) == 0x0003_0005 % 1000
        assert folded(source, source, 7) == 0

    def test_modes_and_macs(self):
        assert multicast_mac("ip", 1) == LEADER
        assert multicast_mac("ip-stealth", 1)[0] == 0

    def test_source_modulo(self):
        assert [source_modulo(IPv4Address(f"192.0.2.{last}"), 3) for last in (1, 2, 3)] == [0, 1, 2]

    def test_it_reads_well(self):
        assert str(Carpnodes()).startswith("yes, up to 32, mode ip unless another is given")


class TestRefusals:
    @pytest.mark.parametrize("key", ["freebsd-13", "freebsd-legacy"])
    def test_other_dialects(self, key):
        with pytest.raises(ConfigurationError, match="leave carpnodes and balancing out"):
            Bench(key, config=several((1, 0), (2, 0)))

    @pytest.mark.parametrize("pairs", [tuple((vhid, 0) for vhid in range(1, 34)), ((1, 0), (1, 5))])
    def test_too_many_or_twice_the_same(self, pairs):
        with pytest.raises(ConfigurationError, match="up to 32 different ones"):
            Bench("openbsd", config=several(*pairs))

    def test_unknown_mode(self):
        with pytest.raises(ConfigurationError, match="balancing arp is not known"):
            Bench("openbsd", config=several((1, 0), (2, 0), balancing="arp"))

    @pytest.mark.parametrize("pair", [(0, 0), (256, 0), (2, 255)])
    def test_limits_of_each(self, pair):
        with pytest.raises(ConfigurationError, match="out of range"):
            Bench("openbsd", config=several((1, 0), pair))

    def test_advskew_belongs_to_the_nodes(self):
        bench = balanced()
        with pytest.raises(ConfigurationError, match="belongs to its carpnodes"):
            bench.host.reconfigure(bench.now, "em0", 1, advskew=5)


class TestNodes:
    def test_they_are_one_interface(self):
        bench = balanced((2, 100), (1, 0))
        assert {one.device for one in bench.host.vhosts()} == {"carp2"}
        assert [one.vhid for one in bench.host.vhosts() if one.leads] == [1]
        assert {one.mac for one in bench.host.vhosts()} == {LEADER}
        lines = [one.text for one in bench.log if isinstance(one, Log)]
        assert "carp2: state transition (vhid 2): BACKUP -> MASTER" in lines

    def test_a_single_one_balances_nothing(self):
        bench = balanced((1, 0))
        assert [one.nodes for one in bench.host.vhosts()] == [None]

    def test_orders_are_for_all(self):
        bench = balanced()
        bench.host.request_state(bench.now, "em0", 1, State.BACKUP)
        assert states(bench) == [State.BACKUP, State.BACKUP]

    def test_interface_down_and_up(self):
        bench = balanced()
        bench.host.interface_up(bench.now, "carp1", False)
        assert states(bench) == [State.INIT, State.INIT]
        bench.host.interface_up(bench.now, "carp1", True)
        assert states(bench) == [State.BACKUP, State.BACKUP]

    def test_a_lost_link_demotes_once(self):
        bench = balanced()
        bench.host.link(bench.now, "em0", False)
        assert bench.host.groups == {"carp": 1}
        bench.host.link(bench.now, "em0", True)
        assert bench.host.groups == {"carp": 0}

    def test_failed_sends_are_those_of_the_interface(self):
        bench = balanced()
        for vhid in (1, 2, 1):
            bench.host.send_failed(bench.now, "em0", vhid)
        assert bench.host.groups == {"carp": 1}
        for vhid in (1, 2, 1):
            bench.host.send_ok(bench.now, "em0", vhid)
        assert bench.host.groups == {"carp": 0}

    def test_addresses_and_parameters_are_for_all(self):
        bench = balanced()
        bench.host.add_address(bench.now, "em0", 2, "192.0.2.7")
        assert {len(one.addresses) for one in bench.host.vhosts()} == {2}
        bench.host.remove_address(bench.now, "em0", 1, "192.0.2.7")
        bench.host.reconfigure(bench.now, "em0", 1, advbase=2)
        assert [(one.config.advbase, one.config.advskew) for one in bench.host.vhosts()] == [(2, 0), (2, 100)]

    def test_groups_and_end(self):
        bench = balanced()
        bench.host.join_group(bench.now, "em0", 1, "wan")
        assert all("wan" in one.groups for one in bench.host.vhosts())
        bench.host.destroy(bench.now, "em0", 2)
        assert list(bench.host.vhosts()) == []

    def test_an_advertisement_is_counted_once(self):
        bench = balanced()
        before = bench.host.counters["ipackets"]
        bench.hear()
        assert bench.host.counters["ipackets"] == before + 1


class TestPackets:
    @pytest.mark.parametrize(("last", "served"), [(7, True), (8, False)])
    def test_the_master_of_one_serves_some(self, last, served):
        bench = balanced((1, 0), (2, 100))
        bench.receive(bench.advert(1, 0, vhid=2))
        assert states(bench) == [State.MASTER, State.BACKUP]
        answers = sent(bench.receive(echo(f"192.0.2.{last}", LEADER)))
        assert [one.source for one in answers] == ([LEADER] if served else [])

    def test_a_frame_to_the_own_mac_is_not_balanced(self):
        bench = balanced()
        assert [one.source for one in sent(bench.receive(echo("192.0.2.8", MAC)))] == [LEADER]

    def test_the_first_one_answers_arp(self):
        bench = balanced()
        ask = arp(ArpOperation.REQUEST, PEER_MAC, IPv4Address(PEER), bytes(6), ip_address(SHARED))
        assert [one.arp.sender_mac for one in sent(bench.receive(ask))] == [LEADER]

    def test_nothing_is_announced(self):
        assert [one for one in sent(balanced().log) if one.arp is not None] == []


class TestArpbalance:
    @pytest.mark.parametrize(("balance", "last", "vhid"), [(0, 7, 1), (0, 8, 1), (1, 8, 1), (1, 7, 2)])
    def test_one_answers(self, balance, last, vhid):
        config = VhostConfig(1, (SHARED,), PASSWORD)
        bench = Bench("freebsd-legacy", config=config, sysctl={"arpbalance": balance})
        bench.host.configure(bench.now, "em0", VhostConfig(2, (SHARED,), PASSWORD))
        bench.wait(5 * SECOND)
        ask = arp(
            ArpOperation.REQUEST, PEER_MAC, IPv4Address(f"192.0.2.{last}"), bytes(6), ip_address(SHARED)
        )
        told = [one.arp.sender_mac[-1] for one in sent(bench.host.receive(bench.now, "em0", ask))]
        assert told == [vhid]

    def test_nobody_answers_before_they_run(self):
        bench = Bench("freebsd-legacy", config=VhostConfig(1, (SHARED,), PASSWORD), sysctl={"arpbalance": 1})
        bench.host.configure(bench.now, "em0", VhostConfig(2, (SHARED,), PASSWORD))
        bench.host.link(bench.now, "em0", False)
        bench.host.link(bench.now, "em0", True)
        ask = arp(ArpOperation.REQUEST, PEER_MAC, IPv4Address(OWN), bytes(6), ip_address(SHARED))
        assert sent(bench.host.receive(bench.now, "em0", ask)) == []
        assert bench.host.port("em0").mac == MAC
