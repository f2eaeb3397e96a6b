"""ucarp's loop: frames late, timers late, signals at once, link by polling, scripts, and the end of the
process.
"""

import pytest

from conformance.model.actions import Exit, Log, Script, State
from conformance.model.config import ConfigurationError, VhostConfig
from conformance.model.poll import Signal
from tests.model.building import MS, NOW, PASSWORD, SECOND, SHARED, Bench, adverts, lines, sent

MASTER, BACKUP = State.MASTER, State.BACKUP


def scripts(actions):
    return [one.script for one in actions if isinstance(one, Script)]


def exits(actions):
    return [one.status for one in actions if isinstance(one, Exit)]


def ucarp(**options):
    return Bench("ucarp", config=VhostConfig(1, (SHARED,), PASSWORD, advskew=100, **options))


class TestTime:
    @pytest.mark.parametrize(
        ("skew", "measured"), [(0, 3.03), (64, 3.78), (100, 4.22), (128, 4.54), (200, 5.35), (254, 5.98)]
    )
    def test_silent_take_over_as_measured(self, skew, measured):
        bench = Bench("ucarp", config=VhostConfig(1, (SHARED,), PASSWORD, advskew=skew))
        bench.wait(9 * SECOND, until=MASTER)
        assert 0 <= measured * SECOND - (bench.now - NOW) <= 50 * MS

    def test_frames_wait_for_the_read_timeout_and_come_one_at_a_time(self):
        bench = Bench("ucarp")
        bench.wait(300 * MS)
        for counter in (5, 6):
            bench.receive(bench.advert(1, 0, counter=bytes(7) + bytes([counter])))
        vhost = bench.host.vhost("em0", 1)
        bench.wait(600 * MS)
        assert not vhost.heard
        assert bench.host.next_deadline_ns == NOW + SECOND
        bench.host.tick(NOW + SECOND)
        assert vhost.counter == 6

    def test_dead_ratio(self):
        bench = ucarp(dead_ratio=5)
        bench.wait(20 * SECOND, until=MASTER)
        assert bench.now - NOW == 4 * 1_390 * MS  # the first wake after 5.39 s

    def test_rejected_frames_wake_the_loop_and_shift_the_take_over(self):
        bench = Bench("ucarp", config=VhostConfig(1, (SHARED,), PASSWORD))
        bench.wait(2_900 * MS)
        bench.receive(bench.advert(1, 0, ttl=3))
        bench.wait(9 * SECOND, until=MASTER)
        assert bench.now - NOW == 3 * SECOND


class TestScripts:
    def test_down_at_start_and_up_before_arp_and_advertisement(self):
        bench = ucarp()
        assert scripts(bench.log) == ["down"]
        actions = bench.wait(9 * SECOND, until=MASTER)
        assert scripts(actions) == ["up"]
        assert [frame.arp is not None for frame in sent(actions)] == [True, False]
        assert actions.index(next(one for one in actions if isinstance(one, Script))) < 3

    def test_neutral(self):
        assert scripts(ucarp(neutral=True).log) == []

    def test_broadcast(self):
        [advert] = adverts(ucarp(broadcast=True).wait(9 * SECOND, until=MASTER))
        assert advert.destination == b"\xff" * 6
        assert str(advert.ip.destination) == "224.0.0.18"


class TestSignals:
    def test_usr1_tells_the_state(self):
        bench = ucarp()
        assert bench.host.signal(bench.now, "em0", 1, Signal.USR1) == [Log(6, "BACKUP on em0 id 1")]
        bench.to(MASTER)
        assert lines(bench.host.signal(bench.now, "em0", 1, Signal.USR1)) == ["MASTER on em0 id 1"]

    def test_usr2_steps_down_for_three_seconds_and_a_normal_wait(self):
        bench = ucarp()
        assert bench.host.signal(bench.now, "em0", 1, Signal.USR2) == []
        bench.to(MASTER)
        start = bench.now
        actions = bench.host.signal(bench.now, "em0", 1, Signal.USR2)
        assert scripts(actions) == ["down"]
        assert adverts(bench.wait(20 * SECOND, until=MASTER))[:-1] == []
        assert bench.now - start == 3 * SECOND + 3 * 1_390 * MS

    def test_another_signal_ends_the_pause(self):
        bench = ucarp()
        bench.to(MASTER)
        start = bench.now
        bench.host.signal(bench.now, "em0", 1, Signal.USR2)
        bench.wait(1 * SECOND)
        bench.host.signal(bench.now, "em0", 1, Signal.USR1)
        bench.wait(20 * SECOND, until=MASTER)
        assert bench.now - start == 1 * SECOND + 3 * 1_390 * MS

    @pytest.mark.parametrize(
        ("option", "state", "script", "status"),
        [(True, MASTER, ["down"], 0), (True, BACKUP, [], 0), (False, MASTER, [], -15)],
    )
    def test_term(self, option, state, script, status):
        bench = ucarp(shutdown_script=option)
        bench.to(state)
        actions = bench.host.signal(bench.now, "em0", 1, Signal.TERM)
        assert (scripts(actions), exits(actions), adverts(actions)) == (script, [status], [])
        with pytest.raises(ConfigurationError):
            bench.host.state("em0", 1)

    def test_kernels_take_none(self):
        bench = Bench("openbsd")
        with pytest.raises(ConfigurationError, match="no process"):
            bench.host.signal(bench.now, "em0", 1, Signal.USR1)


class TestLink:
    def test_noticed_at_the_next_wake_and_looked_at_every_ten_seconds(self):
        bench = ucarp()
        bench.to(MASTER)
        assert bench.host.link(bench.now, "em0", up=False) == []
        bench.wait(2 * SECOND)
        assert bench.state is BACKUP
        assert bench.wait(15 * SECOND) == []
        up = bench.now
        assert bench.host.link(up, "em0", up=True) == []
        bench.wait(30 * SECOND, until=MASTER)
        assert 4 * SECOND <= bench.now - up <= 15 * SECOND

    def test_signal_looks_at_the_link_again(self):
        bench = ucarp()
        bench.host.link(bench.now, "em0", up=False)
        bench.wait(2 * SECOND)
        assert lines(bench.host.signal(bench.now, "em0", 1, Signal.USR1)) == ["BACKUP on em0 id 1"]
        assert bench.host.next_deadline_ns == bench.now + 10 * SECOND
        bench.host.link(bench.now, "em0", up=True)
        bench.host.signal(bench.now, "em0", 1, Signal.USR1)
        start = bench.now
        bench.wait(9 * SECOND, until=MASTER)
        assert bench.now - start == 3 * 1_390 * MS

    @pytest.mark.parametrize(
        ("option", "state", "script"), [(True, MASTER, ["down"]), (True, BACKUP, []), (False, MASTER, [])]
    )
    def test_interface_removed(self, option, state, script):
        bench = ucarp(shutdown_script=option)
        bench.to(state)
        actions = bench.host.remove_interface(bench.now, "em0")
        assert lines(actions) == ["exiting: pfds[0].revents = 8"]
        assert (scripts(actions), exits(actions)) == (script, [0])
        assert bench.host.next_deadline_ns is None
