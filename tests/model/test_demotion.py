"""Demotion: sums, suppression and groups; lost links, failed sends, orders; what goes out with it."""

import pytest

from conformance.model.actions import State
from conformance.model.config import ConfigurationError, VhostConfig
from tests.model.building import PASSWORD, SECOND, Bench, adverts, lines

MASTER, BACKUP, INIT = State.MASTER, State.BACKUP, State.INIT


def skews(actions):
    return [one.carp.advskew for one in adverts(actions)]


class TestSum:
    @pytest.mark.parametrize(
        ("key", "amount", "advertised"),
        [
            ("freebsd-13", 50, 150),
            ("freebsd-15", 1000, 240),
            ("freebsd-13", -300, 0),
            ("freebsd-10", -120, 236),
            ("freebsd-10", 50, 150),
        ],
    )
    def test_write_adds_and_advertises_at_once(self, key, amount, advertised):
        bench = Bench(key, state=MASTER)
        actions = bench.host.sysctl(bench.now, "net.inet.carp.demotion", amount)
        assert skews(actions) == [advertised]
        assert lines(actions) == [f"carp: demoted by {amount} to {amount} (sysctl)"]
        bench.host.sysctl(bench.now, "demotion", amount)
        assert bench.host.read_sysctl("demotion") == 2 * amount

    def test_demoted_skew_is_compared(self):
        bench = Bench("freebsd-13", sysctl={"preempt": 1, "demotion": 100})
        bench.hear(1, 150)
        assert bench.state is BACKUP
        bench.hear(1, 201)
        assert bench.state is MASTER

    def test_master_down_time_is_not_lengthened(self):
        bench = Bench("freebsd-13", sysctl={"demotion": 140})
        start = bench.now
        bench.wait(9 * SECOND, until=MASTER)
        assert bench.now - start == 3_390_625_000

    def test_first_interval_after_a_take_over_uses_the_configured_skew(self):
        bench = Bench("freebsd-13", sysctl={"demotion": 140}, state=MASTER)
        assert bench.host.next_deadline_ns - bench.now == 1_390_625_000
        bench.host.tick(bench.host.next_deadline_ns)
        assert bench.host.next_deadline_ns - bench.now == 1_390_625_000 + 1_937_500_000

    def test_lost_link_demotes_for_each_virtual_host_and_moves_the_other_interface(self):
        bench = Bench("freebsd-13", state=MASTER, second=True)
        bench.host.configure(bench.now, "em0", VhostConfig(2, ("192.0.2.2",), PASSWORD))
        bench.host.configure(bench.now, "em1", VhostConfig(9, ("198.51.100.1",), PASSWORD, advskew=10))
        bench.wait(5 * SECOND)
        actions = bench.host.link(bench.now, "em0", up=False)
        assert bench.host.read_sysctl("demotion") == 480
        assert [(one.carp.vhid, one.carp.advskew) for one in adverts(actions)] == [(9, 240)]
        assert "carp: demoted by 240 to 480 (interface down)" in lines(actions)
        assert bench.host.link(bench.now, "em0", up=False) == []
        bench.host.link(bench.now, "em0", up=True)
        assert bench.host.read_sysctl("demotion") == 0
        assert bench.state is BACKUP

    def test_link_and_interface_down_count_once(self):
        bench = Bench("freebsd-13", state=MASTER)
        bench.host.link(bench.now, "em0", up=False)
        bench.host.interface_up(bench.now, "em0", up=False)
        assert bench.host.read_sysctl("demotion") == 240
        bench.host.link(bench.now, "em0", up=True)
        assert (bench.state, bench.host.read_sysctl("demotion")) == (INIT, 240)
        bench.host.interface_up(bench.now, "em0", up=True)
        assert (bench.state, bench.host.read_sysctl("demotion")) == (BACKUP, 0)

    def test_virtual_host_without_an_address_stays_in_init(self):
        bench = Bench("freebsd-13", config=VhostConfig(3))
        bench.host.link(bench.now, "em0", up=False)
        bench.host.link(bench.now, "em0", up=True)
        assert (bench.state, bench.host.read_sysctl("demotion")) == (INIT, 0)

    def test_destroyed_while_down(self):
        bench = Bench("freebsd-13", state=MASTER)
        bench.host.interface_up(bench.now, "em0", up=False)
        assert "carp: demoted by -240 to 0 (vhid removed)" in lines(bench.host.destroy(bench.now, "em0", 1))

    @pytest.mark.parametrize(("key", "left"), [("freebsd-13", 0), ("freebsd-10", 240)])
    def test_send_errors(self, key, left):
        """Three in a row demote; three good ones take it back, but not on FreeBSD 10."""
        bench = Bench(key, state=MASTER)
        for _ in range(2):
            assert bench.host.send_failed(bench.now, "em0", 1) == []
        assert "carp: demoted by 240 to 240 (send error 55 on em0)" in lines(
            bench.host.send_failed(bench.now, "em0", 1)
        )
        told = [lines(bench.host.send_ok(bench.now, "em0", 1)) for _ in range(3)]
        assert told == [[], [], ["carp: demoted by -240 to 0 (send ok on em0)"] if left == 0 else []]
        assert bench.host.read_sysctl("demotion") == left
        assert bench.host.send_ok(bench.now, "em0", 1) == []

    def test_few_errors_are_forgotten(self):
        bench = Bench("freebsd-13", state=MASTER)
        bench.host.send_failed(bench.now, "em0", 1)
        for _ in range(3):
            bench.host.send_ok(bench.now, "em0", 1)
        assert bench.host.vhost("em0", 1).errors == 0


class TestSuppress:
    def test_failed_sends_and_pfsync(self):
        bench = Bench("freebsd-legacy", state=MASTER)
        told = [skews(bench.host.send_failed(bench.now, "em0", 1)) for _ in range(3)]
        assert told == [[], [], [240]]
        assert bench.host.read_sysctl("suppress_preempt") == 1
        for _ in range(3):
            assert bench.host.send_ok(bench.now, "em0", 1) == []
        assert bench.host.read_sysctl("suppress_preempt") == 0
        assert skews(bench.host.demote(bench.now, 1)) == [240]
        assert skews(bench.host.demote(bench.now, 1)) == []

    def test_one_good_send_forgets_few_errors(self):
        bench = Bench("freebsd-legacy", state=MASTER)
        bench.host.send_failed(bench.now, "em0", 1)
        bench.host.send_ok(bench.now, "em0", 1)
        assert bench.host.vhost("em0", 1).errors == 0

    def test_skew_above_240_is_kept(self):
        bench = Bench(
            "freebsd-legacy", config=VhostConfig(1, ("192.0.2.1",), PASSWORD, advskew=250), state=MASTER
        )
        assert skews(bench.host.demote(bench.now, 1)) == [250]

    def test_ucarp_counts_for_itself(self):
        bench = Bench("ucarp", state=MASTER)
        told = [skews(bench.host.send_failed(bench.now, "em0", 1)) for _ in range(3)]
        assert told == [[], [], [240]]
        for _ in range(3):
            bench.host.send_ok(bench.now, "em0", 1)
        assert bench.host.demotion_of(bench.host.vhost("em0", 1)) == 0
        with pytest.raises(ConfigurationError, match="ucarp"):
            bench.host.demote(bench.now, 1)


class TestGroups:
    def test_send_errors_demote_the_group(self):
        bench = Bench("openbsd", state=MASTER, sysctl={"log": 3})
        actions = [one for _ in range(3) for one in bench.host.send_failed(bench.now, "em0", 1)]
        assert [one.carp.demote for one in adverts(actions)] == [1]
        assert lines(actions) == ["carp: carp1 demoted group carp by 1 to 1 (snderrors)"]
        for _ in range(3):
            bench.host.send_ok(bench.now, "em0", 1)
        assert bench.host.groups == {"carp": 0}

    def test_other_groups_do_not_count(self):
        bench = Bench("openbsd", state=MASTER)
        assert bench.host.demote(bench.now, 5, "lan") == []
        assert bench.host.demotion_of(bench.host.vhost("em0", 1)) == 0

    def test_skew_is_left_alone(self):
        bench = Bench("openbsd", state=MASTER)
        assert skews(bench.host.demote(bench.now, 200)) == [100]
        assert bench.host.demote(bench.now, -200) == []

    def test_two_carp_interfaces_on_a_lost_link(self):
        bench = Bench("openbsd", state=MASTER, second=True)
        bench.host.configure(bench.now, "em1", VhostConfig(9, ("198.51.100.1",), PASSWORD))
        bench.wait(5 * SECOND)
        assert [one.carp.demote for one in adverts(bench.host.link(bench.now, "em0", up=False))] == [1]
        bench.host.destroy(bench.now, "em0", 1)
        assert bench.host.groups == {"carp": 0}
