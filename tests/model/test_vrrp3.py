"""A virtual host of FreeBSD 15 that speaks VRRPv3: rules as rows, what is refused, farewells, both families."""

import dataclasses
from dataclasses import replace
from ipaddress import ip_address

import pytest

from conformance.model.actions import Count, Log, State
from conformance.model.config import ConfigurationError, VhostConfig
from conformance.model.dialects import dialect, dialects
from conformance.model.rows import FREEBSD_15, RECORDINGS
from conformance.model.vrrp3 import FREEBSD_15 as RULES
from conformance.model.vrrp3 import ROWS, Vrrp3Rules, effective_priority
from conformance.wire.frame import decode
from conformance.wire.vrrp3 import Vrrp3Advertisement, read
from tests.model.building import OWN, OWN6, PEER, SECOND, SHARED, SHARED6, Bench, sent
from tests.model.recordings import CAPTURES

BOTH = (f"{OWN}/24", f"{OWN6}/64")


def routing(**more):
    return VhostConfig(1, more.pop("addresses", (SHARED,)), version=3, **more)


def router(priority=200, **more):
    made = Vrrp3Advertisement(
        vrid=1, source=ip_address(PEER), addresses=(ip_address(SHARED),), priority=priority
    )
    return made.but(**more).frame()


def packets(actions):
    return [packet for one in sent(actions) if (packet := read(one)) is not None]


class TestRows:
    def test_every_field_is_a_row(self):
        assert [one.name for one in dataclasses.fields(Vrrp3Rules)] == [one.name for one in ROWS]

    def test_rows_are_told(self):
        assert all(one.meaning and one.rfc and one.source and one.shown() for one in ROWS)

    def test_recordings_exist(self):
        for one in ROWS:
            if one.source.startswith("recorded: "):
                folder, _, name = one.source.removeprefix("recorded: ").split(";")[0].partition("/")
                assert folder == RECORDINGS[FREEBSD_15]
                assert (CAPTURES / folder / f"{name}.pcap").exists()

    def test_only_freebsd_15_speaks_it(self):
        assert [one.key for one in dialects() if one.vrrp3 is not None] == ["freebsd-15"]

    @pytest.mark.parametrize(("priority", "cs"), [(1, 399), (100, 360), (200, 321), (254, 300), (255, 300)])
    def test_down_time(self, priority, cs):
        """Measured: 3.99, 3.60, 3.21, 3.02 s and more."""
        assert RULES.down_cs(100, priority) == cs

    def test_down_time_of_a_faster_master(self):
        assert RULES.down_cs(50, 100) == 180
        assert RULES.down_cs(0, 100) == 0

    @pytest.mark.parametrize(("asked", "effective"), [(0, 7), (256, 7), (300, 44), (255, 255), (1, 1)])
    def test_eight_bits_of_priority(self, asked, effective):
        assert effective_priority(7, asked) == effective


class TestRefusals:
    @pytest.mark.parametrize("key", ["freebsd-13", "openbsd"])
    def test_others_speak_carp_only(self, key):
        with pytest.raises(ConfigurationError, match="takes CARP only"):
            Bench(key, config=routing())

    def test_version_4(self):
        with pytest.raises(ConfigurationError, match="takes 2 or 3"):
            Bench("freebsd-15", config=replace(routing(), version=4))

    @pytest.mark.parametrize("interval_cs", [0, 4096])
    def test_interval(self, interval_cs):
        with pytest.raises(ConfigurationError, match="takes 1 to 4095 centiseconds"):
            Bench("freebsd-15", config=routing(interval_cs=interval_cs))

    def test_a_change_of_the_version(self):
        bench = Bench("freebsd-15", config=routing())
        with pytest.raises(ConfigurationError, match="cannot be changed"):
            bench.host.reconfigure(bench.now, "em0", 1, version=2)
        assert bench.host.reconfigure(bench.now, "em0", 1, version=3, priority=0) == []
        assert bench.host.vhost("em0", 1).config.priority == 100


class TestReception:
    def test_a_better_router_makes_it_yield(self):
        bench = Bench("freebsd-15", config=routing(), state=State.MASTER)
        bench.host.receive(bench.now, "em0", router())
        assert bench.state is State.BACKUP

    def test_preemption(self):
        bench = Bench("freebsd-15", config=routing(), sysctl={"preempt": 1})
        assert packets(bench.host.receive(bench.now, "em0", router(99)))
        assert bench.state is State.MASTER

    @pytest.mark.parametrize(
        ("frame", "counter", "line"),
        [
            (router(ttl=254), "badttl", "vrrp_input_c: received ttl 254 != 255 on em0"),
            (router(pseudo=False), "badsum", "vrrp_input_c: incorrect checksum for VRID 1@em0"),
        ],
    )
    def test_what_is_refused_is_counted_and_logged(self, frame, counter, line):
        bench = Bench("freebsd-15", config=routing(), state=State.MASTER, sysctl={"log": 2})
        actions = bench.host.receive(bench.now, "em0", frame)
        assert [one.counter for one in actions if isinstance(one, Count)] == ["ipackets", counter]
        assert [one.text for one in actions if isinstance(one, Log)] == [line]
        assert bench.state is State.MASTER

    def test_the_owner_is_deaf(self):
        bench = Bench("freebsd-15", config=routing(priority=255), state=State.MASTER, sysctl={"log": 2})
        actions = bench.host.receive(bench.now, "em0", router(255, interval_cs=1))
        assert [one.text for one in actions if isinstance(one, Log)] == [
            "vrrp_input_c: our priority is 255. Ignore peer announcement."
        ]
        assert bench.state is State.MASTER

    def test_carp_is_another_version(self):
        bench = Bench("freebsd-15", config=routing(), state=State.MASTER)
        actions = bench.host.receive(bench.now, "em0", bench.advert())
        assert "badver" in [one.counter for one in actions if isinstance(one, Count)]
        assert bench.state is State.MASTER

    def test_interval_0_is_an_immediate_take_over(self):
        bench = Bench("freebsd-15", config=routing())
        bench.host.receive(bench.now, "em0", router(interval_cs=0))
        assert bench.host.next_deadline_ns == bench.now
        assert packets(bench.host.tick(bench.now))
        assert bench.state is State.MASTER


class TestSending:
    def test_both_families(self):
        config = routing(addresses=(SHARED, SHARED6, "fe80::1"))
        bench = Bench("freebsd-15", config=config, own=BOTH)
        ipv4, ipv6 = packets(bench.wait(5 * SECOND, until=State.MASTER))
        assert (ipv4.count, ipv4.addresses(4)) == (1, (ip_address(SHARED),))
        assert (ipv6.count, ipv6.addresses(6)) == (3, (ip_address(SHARED6), ip_address("fe80:1::1")))

    def test_ipv6_alone(self):
        bench = Bench("freebsd-15", config=routing(addresses=(SHARED6,)), own=BOTH)
        (only,) = packets(bench.wait(5 * SECOND, until=State.MASTER))
        assert (only.count, only.addresses(6)) == (1, (ip_address(SHARED6),))

    def test_a_unicast_peer(self):
        bench = Bench("freebsd-15", config=routing(peer=PEER))
        actions = bench.wait(5 * SECOND, until=State.MASTER)
        assert not packets(actions), "it asks for the peer first"
        assert [one.arp.target for one in sent(actions) if one.arp is not None][0] == ip_address(PEER)

    def test_its_own_interval(self):
        bench = Bench("freebsd-15", config=routing(interval_cs=50), state=State.MASTER)
        assert len(packets(bench.wait(5 * SECOND))) == 10

    def test_no_farewell(self):
        bench = Bench("freebsd-15", config=routing(), state=State.MASTER)
        assert packets(bench.host.destroy(bench.now, "em0", 1)) == []

    def test_a_farewell_where_the_rules_want_it(self):
        rules = replace(dialect("freebsd-15"), vrrp3=replace(RULES, says_farewell=True))
        bench = Bench(rules, config=routing(), state=State.MASTER)
        assert [one.priority for one in packets(bench.host.destroy(bench.now, "em0", 1))] == [0]

    def test_without_a_pseudo_header_where_the_rules_want_it(self):
        rules = replace(RULES, pseudo_header_ipv4=False)
        made = rules.packet(1, 100, 100, (ip_address(SHARED),), (ip_address(OWN), ip_address("224.0.0.18")))
        frame = Vrrp3Advertisement(
            vrid=1, source=ip_address(OWN), addresses=(ip_address(SHARED),), pseudo=False
        ).frame()
        assert made == decode(frame).payload
