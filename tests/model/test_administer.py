"""What an administrator can do and cannot: limits, passwords, addresses, carp interfaces, sysctls; and that
every refusal says what and how to mend it.
"""

import pytest

from conformance.model.actions import Count, Send, State, StateChange
from conformance.model.config import ConfigurationError, VhostConfig
from conformance.wire.digest import Secret
from tests.model.building import OWN, OWN6, PASSWORD, SECOND, SHARED, SHARED6, Bench, adverts, lines, sent

MASTER, BACKUP, INIT = State.MASTER, State.BACKUP, State.INIT
BOTH = (f"{OWN}/24", f"{OWN6}/64")


def verified_by(actions, password, addresses=(SHARED,)):
    carp = adverts(actions)[0].carp
    return Secret(password, addresses).verifies(carp.vhid, carp.counter, carp.digest)


class TestRefusals:
    @pytest.mark.parametrize(
        ("key", "config", "why"),
        [
            ("freebsd-13", VhostConfig(0), "vhid 0 is out of range"),
            ("freebsd-13", VhostConfig(256), "vhid 256"),
            ("freebsd-13", VhostConfig(1, advskew=255), "advskew 255"),
            ("freebsd-13", VhostConfig(1, advbase=0), "advbase 0"),
            ("openbsd", VhostConfig(1, advbase=256), "advbase 256"),
            ("freebsd-13", VhostConfig(1, peer="192.0.2.2"), "unicast"),
            ("freebsd-legacy", VhostConfig(1, ("203.0.113.1",)), "EADDRNOTAVAIL"),
            ("ucarp", VhostConfig(1, (SHARED,)), "no password"),
            ("ucarp", VhostConfig(1, (SHARED,), "x" * 20), "too long"),
            ("ucarp", VhostConfig(1, (SHARED6,), "x"), "exactly one IPv4"),
            ("ucarp", VhostConfig(1, (SHARED, "192.0.2.2"), "x"), "exactly one"),
            ("ucarp", VhostConfig(1, (SHARED,), "x", dead_ratio=0), "dead_ratio 0"),
        ],
    )
    def test_configure(self, key, config, why):
        with pytest.raises(ConfigurationError, match=why) as caught:
            Bench(key, config=config)
        assert caught.value.remedy

    def test_names(self):
        bench = Bench("freebsd-13")
        for call in (
            lambda: bench.host.configure(bench.now, "em0", bench.config),
            lambda: bench.host.state("em0", 7),
            lambda: bench.host.state("em7", 1),
            lambda: bench.host.reconfigure(bench.now, "em0", 1, addresses=()),
            lambda: bench.host.reconfigure(bench.now, "em0", 1, colour="red"),
            lambda: bench.host.remove_address(bench.now, "em0", 1, "192.0.2.99"),
            lambda: bench.host.sysctl(bench.now, "dscp", 64),
            lambda: bench.host.sysctl(bench.now, "nonsense", 1),
            lambda: bench.host.read_sysctl("net.inet.carp.arpbalance"),
        ):
            with pytest.raises(ConfigurationError):
                call()

    def test_ucarp_stays_as_it_was_started(self):
        bench = Bench("ucarp")
        for call in (
            lambda: bench.host.reconfigure(bench.now, "em0", 1, advskew=1),
            lambda: bench.host.add_address(bench.now, "em0", 1, "192.0.2.2"),
            lambda: bench.host.remove_address(bench.now, "em0", 1, SHARED),
            lambda: bench.host.request_state(bench.now, "em0", 1, MASTER),
        ):
            with pytest.raises(ConfigurationError):
                call()

    def test_read_only_sysctl(self):
        with pytest.raises(ConfigurationError, match="read only"):
            Bench("freebsd-legacy").host.sysctl(0, "suppress_preempt", 1)

    def test_password_is_in_no_message(self):
        assert "hush" not in repr(VhostConfig(1, (), "hush"))


class TestPasswords:
    def test_shorter_password_leaves_the_tail_of_the_old_one(self):
        """Measured on FreeBSD 13.2: pass4carp1, then another."""
        bench = Bench("freebsd-13", state=MASTER)
        bench.host.reconfigure(bench.now, "em0", 1, password="another")
        assert verified_by(bench.wait(2 * SECOND), b"another\0p1")
        bench.host.reconfigure(bench.now, "em0", 1, password="")
        assert verified_by(bench.wait(2 * SECOND), b"another\0p1")

    def test_openbsd_replaces_the_whole_key(self):
        bench = Bench("openbsd", state=MASTER)
        bench.host.reconfigure(bench.now, "em0", 1, password=b"another")
        assert verified_by(bench.wait(2 * SECOND), "another")


class TestChanges:
    def test_freebsd_13_neither_sends_nor_rearms(self):
        bench = Bench("freebsd-13", state=MASTER)
        due = bench.host.next_deadline_ns
        assert bench.host.reconfigure(bench.now, "em0", 1, advskew=10, advbase=3) == []
        assert bench.host.next_deadline_ns == due
        bench.host.reconfigure(bench.now, "em0", 1, advbase=0)
        assert adverts(bench.host.tick(due))[0].carp.advbase == 3

    @pytest.mark.parametrize("key", ["freebsd-legacy", "openbsd"])
    def test_others_rearm_at_once(self, key):
        for state in (MASTER, BACKUP):
            bench = Bench(key, state=state)
            due = bench.host.next_deadline_ns
            bench.host.reconfigure(bench.now, "em0", 1, advbase=5)
            assert bench.host.next_deadline_ns > due + SECOND

    def test_nothing_to_rearm_in_init(self):
        bench = Bench("openbsd", config=VhostConfig(1))
        assert bench.host.reconfigure(bench.now, "em0", 1, advbase=5) == []
        assert bench.host.next_deadline_ns is None


class TestAddresses:
    @pytest.mark.parametrize("key", ["freebsd-legacy", "freebsd-13", "openbsd"])
    def test_added_to_a_master_starts_it_anew(self, key):
        bench = Bench(key, state=MASTER)
        changes = [
            one.new
            for one in bench.host.add_address(bench.now, "em0", 1, "192.0.2.9")
            if isinstance(one, StateChange)
        ]
        assert changes == [INIT, BACKUP]
        assert verified_by(bench.wait(9 * SECOND, until=MASTER), PASSWORD, (SHARED, "192.0.2.9"))

    def test_removed_one_of_two(self):
        bench = Bench("freebsd-13", config=VhostConfig(1, (SHARED, "192.0.2.9"), PASSWORD), state=MASTER)
        bench.host.remove_address(bench.now, "em0", 1, "192.0.2.9")
        assert bench.state is BACKUP
        assert verified_by(bench.wait(9 * SECOND, until=MASTER), PASSWORD)

    def test_last_one_removed(self):
        bench = Bench("openbsd", state=MASTER)
        assert adverts(bench.host.remove_address(bench.now, "em0", 1, SHARED)) == []
        assert bench.state is INIT
        assert bench.wait(9 * SECOND) == []
        legacy = Bench("freebsd-legacy", state=MASTER)
        legacy.host.remove_address(legacy.now, "em0", 1, SHARED)
        assert adverts(legacy.wait(2 * SECOND))
        freebsd = Bench("freebsd-13", state=MASTER)
        freebsd.host.remove_address(freebsd.now, "em0", 1, SHARED)
        assert list(freebsd.host.vhosts()) == []

    def test_own_address_forces_advskew_0_on_legacy_freebsd(self):
        bench = Bench("freebsd-legacy", config=VhostConfig(1, (OWN,), PASSWORD, advskew=100), state=MASTER)
        assert bench.host.vhost("em0", 1).config.advskew == 0

    def test_sources_without_an_own_address(self):
        bench = Bench("freebsd-13", own=())
        assert str(adverts(bench.wait(9 * SECOND, until=MASTER))[0].ip.source) == SHARED
        six = Bench("openbsd", config=VhostConfig(1, (SHARED6,), PASSWORD), own=())
        assert str(adverts(six.wait(9 * SECOND, until=MASTER))[0].ip.source) == "fe80::200:5eff:fe00:101"

    def test_source_of_legacy_freebsd_is_in_the_subnet(self):
        config = VhostConfig(1, ("198.51.100.1", "2001:db8:2::1"), PASSWORD)
        own = (f"{OWN}/24", "198.51.100.9/24", f"{OWN6}/64", "2001:db8:2::9/64", "fe80::77/64")
        sources = [
            str(one.ip.source)
            for one in adverts(Bench("freebsd-legacy", config=config, own=own).wait(9 * SECOND, until=MASTER))
        ]
        assert sources == ["198.51.100.9", "2001:db8:2::9"]
        late = [
            str(one.ip.source)
            for one in adverts(Bench("freebsd-13", config=config, own=own).wait(9 * SECOND, until=MASTER))
        ]
        assert late == [OWN, "fe80::77"]

    def test_removed_own_subnet_falls_back(self):
        bench = Bench("freebsd-legacy", config=VhostConfig(1, (SHARED, SHARED6), PASSWORD), own=BOTH)
        bench.host.ports["em0"].addresses.clear()
        assert [str(one.ip.source) for one in adverts(bench.wait(9 * SECOND, until=MASTER))] == [
            SHARED,
            "fe80::200:5eff:fe00:101",
        ]

    def test_no_source_at_all(self):
        bench = Bench("freebsd-13", state=MASTER, own=())
        bench.host.vhost("em0", 1).config = VhostConfig(1)
        vhost = bench.host.vhost("em0", 1)
        vhost.addresses = ()
        assert str(bench.host.source4(vhost)) == "0.0.0.0"


class TestCarpInterface:
    @pytest.mark.parametrize("key", ["freebsd-legacy", "openbsd"])
    def test_down_bows_out_once_and_up_starts_anew(self, key):
        bench = Bench(key, state=MASTER)
        [farewell] = adverts(bench.host.interface_up(bench.now, "carp1", up=False))
        assert (farewell.carp.advbase, farewell.carp.advskew) == (255, 255)
        assert bench.state is INIT
        assert bench.host.interface_up(bench.now, "carp1", up=False) == []
        assert bench.wait(9 * SECOND) == []
        bench.host.interface_up(bench.now, "carp1", up=True)
        assert bench.state is BACKUP
        assert bench.host.interface_up(bench.now, "carp1", up=True) == []

    def test_backup_goes_without_a_word(self):
        assert sent(Bench("openbsd").host.interface_up(0, "carp1", up=False)) == []

    def test_closed_stays_closed_when_the_link_returns(self):
        bench = Bench("openbsd")
        bench.host.interface_up(bench.now, "carp1", up=False)
        bench.host.link(bench.now, "em0", up=False)
        bench.host.link(bench.now, "em0", up=True)
        assert bench.state is INIT

    @pytest.mark.parametrize("key", ["freebsd-13", "openbsd", "freebsd-legacy"])
    def test_parent_down_sends_nothing(self, key):
        bench = Bench(key, state=MASTER)
        assert adverts(bench.host.interface_up(bench.now, "em0", up=False)) == []
        assert bench.host.interface_up(bench.now, "em0", up=False) == []
        assert bench.state is INIT

    def test_removed_interface(self):
        bench = Bench("freebsd-13", state=MASTER)
        assert bench.host.remove_interface(bench.now, "em0") == []
        assert list(bench.host.vhosts()) == []


class TestSysctls:
    def test_dscp_is_the_type_of_service(self):
        bench = Bench("freebsd-15", state=MASTER)
        bench.host.sysctl(bench.now, "net.inet.carp.dscp", 46)
        assert adverts(bench.wait(2 * SECOND))[0].ip.tos == 46 << 2

    @pytest.mark.parametrize("key", ["freebsd-13", "freebsd-15"])
    def test_allow_0_stops_every_virtual_host(self, key):
        bench = Bench(key, state=MASTER)
        actions = bench.host.sysctl(bench.now, "allow", 0)
        assert lines(actions) == [
            "carp: 1@em0: MASTER -> INIT (hardware interface down)",
            "carp: demoted by 240 to 240 (interface down)",
        ]
        assert bench.host.sysctl(bench.now, "allow", 0) == []
        bench.host.sysctl(bench.now, "allow", 7)
        assert (bench.state, bench.host.read_sysctl("demotion")) == (BACKUP, 0)

    def test_counters(self):
        bench = Bench("freebsd-13", state=MASTER)
        actions = bench.hear(1, 0)
        assert Count("ipackets") in actions
        assert (bench.host.counters["ipackets"], bench.host.counters["opackets"]) == (1, 1)
        ucarp = Bench("ucarp", state=MASTER)
        assert set(ucarp.host.counters.values()) == {0}


def test_same_seed_same_bytes():
    runs = [
        [one for one in Bench(key).wait(20 * SECOND) if isinstance(one, Send)]
        for key in ("openbsd", "openbsd", "freebsd-13", "freebsd-13")
    ]
    assert runs[0] == runs[1]
    assert runs[2] == runs[3]
    assert [frame.ip.identification for frame in adverts(Bench("freebsd-legacy").wait(20 * SECOND))][:3] == [
        1,
        2,
        3,
    ]


def test_counter_follows_the_peer_and_wraps():
    bench = Bench("freebsd-13", state=MASTER)
    first = {one.carp.counter for one in adverts(bench.wait(8 * SECOND))}
    assert len(first) > 3
    bench.hear(1, 101, counter=b"\xff" * 8)
    assert [one.carp.counter for one in adverts(bench.wait(3 * SECOND))] == [bytes(8), bytes(7) + b"\1"]


def test_cookie_of_openbsd_never_changes():
    bench = Bench("openbsd", state=MASTER)
    bench.hear(1, 101, counter=b"\xff" * 8)
    assert len({one.carp.counter for one in adverts(bench.wait(8 * SECOND))}) == 1
