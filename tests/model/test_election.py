"""Who is MASTER: start, silence, better and worse peers, preemption, the three-intervals rule, in every
dialect.
"""

import dataclasses

import pytest

from conformance.model.actions import State, StateChange
from conformance.model.config import VhostConfig
from conformance.model.effects import happen
from conformance.model.transitions import FREEBSD, Input, InvalidTransition
from tests.model.building import NOW, PASSWORD, SECOND, SHARED, Bench, adverts, family, lines, sent

KEYS = ["freebsd-legacy-6", "freebsd-legacy", "freebsd-10", "freebsd-13", "freebsd-15", "openbsd", "ucarp"]
BSD = KEYS[:-1]
MASTER, BACKUP, INIT = State.MASTER, State.BACKUP, State.INIT


@pytest.mark.parametrize("key", KEYS)
class TestEveryDialect:
    def test_starts_silent_and_takes_over_in_its_window(self, key):
        bench = Bench(key)
        assert bench.state is BACKUP
        assert adverts(bench.log) == []
        assert [one.carp.advskew for one in adverts(bench.wait(30 * SECOND, until=MASTER))] == [100]
        low, high = bench.dialect.start_window_ns(1, 100)
        assert low <= bench.now - NOW <= high

    def test_advertises_in_its_interval(self, key):
        bench = Bench(key, state=MASTER)
        low, high = bench.dialect.interval_window_ns(1, 100)
        before = bench.now
        for _ in range(5):
            due = bench.host.next_deadline_ns
            assert low <= due - before <= high
            assert len(adverts(bench.host.tick(due))) == 1
            before = due

    def test_steps_down_for_a_better_peer_and_returns_after_silence(self, key):
        bench = Bench(key, state=MASTER)
        actions = bench.hear(1, 0)
        assert StateChange("em0", 1, MASTER, BACKUP, "more frequent advertisement received") in actions
        low, high = bench.dialect.take_over_window_ns(1, 100)
        stepped = bench.now
        bench.wait(30 * SECOND, until=MASTER)
        assert low - SECOND <= bench.now - stepped <= high

    def test_stays_for_a_worse_peer(self, key):
        bench = Bench(key, state=MASTER)
        bench.hear(1, 101)
        assert bench.state is MASTER

    def test_backup_is_held_by_valid_advertisements(self, key):
        bench = Bench(key)
        for _ in range(10):
            bench.hear(1, 200)
            bench.wait(1 * SECOND)
            assert bench.state is BACKUP

    def test_backup_is_not_held_by_invalid_ones(self, key):
        bench = Bench(key)
        for _ in range(10):
            bench.hear(1, 0, password="other")
            bench.wait(1 * SECOND)
        assert bench.state is MASTER

    def test_gives_a_hopeless_master_up_at_once(self, key):
        bench = Bench(key)
        bench.hear(3, 100)
        assert bench.state is BACKUP
        bench.hear(3, 101)
        assert bench.state is MASTER

    def test_preempts_only_if_told_to(self, key):
        off = Bench(key)
        off.hear(1, 101)
        assert off.state is BACKUP
        config = VhostConfig(1, (SHARED,), PASSWORD, advskew=100, preempt=True)
        on = Bench(key, config=config, sysctl={} if key == "ucarp" else {"preempt": 1})
        on.hear(1, 100)
        assert on.state is BACKUP
        on.hear(1, 101)
        assert on.state is MASTER


@pytest.mark.parametrize("key", BSD)
def test_equal_advertisement_makes_a_kernel_yield(key):
    bench = Bench(key, state=MASTER)
    bench.hear(1, 100)
    assert bench.state is BACKUP


@pytest.mark.parametrize(
    ("source", "yields"),
    [("192.0.2.254", False), ("192.0.2.1", True), ("10.200.3.5", True), ("193.0.2.12", False)],
)
def test_equal_advertisement_to_ucarp_is_decided_by_the_little_endian_address(source, yields):
    bench = Bench("ucarp", state=MASTER)
    bench.hear(1, 100, source=source)
    assert (bench.state is BACKUP) is yields


def test_ucarp_reasserts_itself_on_a_worse_peer_and_again_with_the_second_next_advertisement():
    bench = Bench("ucarp", state=MASTER)
    bench.wait(5 * SECOND)
    announced = [one for one in sent(bench.hear(1, 200)) if one.arp is not None]
    assert len(announced) == 1
    later = sent(bench.wait(3 * SECOND))
    assert [one.arp is not None for one in later] == [False, False, True]


def test_ucarp_sends_one_more_advertisement_before_it_steps_down():
    bench = Bench("ucarp", state=MASTER)
    bench.wait(5 * SECOND)
    frame = bench.advert(1, 0)
    bench.host.receive(bench.now, "em0", frame)
    actions = bench.wait(1 * SECOND)
    change = next(n for n, one in enumerate(actions) if isinstance(one, StateChange))
    assert len(adverts(actions[:change])) >= 1
    assert "Preferred master advertised: going back to BACKUP state" in lines(actions[change:])


class TestOpenbsdDemotion:
    def test_master_yields_to_a_slower_but_less_demoted_peer(self):
        bench = Bench("openbsd", state=MASTER)
        bench.host.demote(bench.now, 5)
        bench.hear(3, 0, demote=0)
        assert bench.state is BACKUP

    def test_master_does_not_yield_to_a_more_demoted_peer(self):
        bench = Bench("openbsd", state=MASTER)
        bench.hear(1, 0, demote=1)
        assert bench.state is MASTER

    def test_backup_relieves_a_more_demoted_master_without_preemption(self):
        bench = Bench("openbsd")
        bench.hear(1, 0, demote=1)
        assert bench.state is MASTER

    def test_preemption_needs_a_demote_count_that_is_not_higher(self):
        bench = Bench("openbsd", sysctl={"preempt": 1})
        bench.host.demote(bench.now, 5)
        bench.hear(1, 200, demote=0)
        assert bench.state is BACKUP


class TestOrders:
    @pytest.mark.parametrize("key", BSD)
    def test_state_requests(self, key):
        bench = Bench(key)
        bench.host.request_state(bench.now, "em0", 1, MASTER)
        assert bench.state is MASTER
        for order, after in ((INIT, MASTER), (MASTER, MASTER), (BACKUP, BACKUP), (BACKUP, BACKUP)):
            bench.host.request_state(bench.now, "em0", 1, order)
            assert bench.state is after

    def test_not_in_init(self):
        bench = Bench("freebsd-13")
        bench.host.link(bench.now, "em0", up=False)
        for order in (MASTER, BACKUP):
            assert bench.host.request_state(bench.now, "em0", 1, order) == []
        assert bench.state is INIT


class TestInit:
    @pytest.mark.parametrize("key", ["freebsd-13", "openbsd"])
    def test_counter_is_taken_over_even_in_init(self, key):
        """Not through a dead link: a carp interface without address keeps a virtual host in INIT."""
        bench = Bench(key)
        vhost = bench.host.vhost("em0", 1)
        vhost.state = INIT
        bench.hear(1, 200)
        assert bench.state is INIT
        assert vhost.heard is (key == "freebsd-13")


def test_unknown_transition_is_an_error_that_names_itself():
    dialect = dataclasses.replace(
        family("freebsd-13"),
        transitions={k: v for k, v in FREEBSD.items() if k[1] is not Input.ORDERED_MASTER},
    )
    bench = Bench(dialect)
    with pytest.raises(InvalidTransition, match="ORDERED_MASTER") as caught:
        happen(bench.host, bench.host.vhost("em0", 1), Input.ORDERED_MASTER, bench.now)
    assert caught.value.state is BACKUP


@pytest.mark.parametrize("key", ["freebsd-13", "openbsd"])
def test_families_have_timers_of_their_own(key):
    """A BACKUP of both families that hears only one takes over when the other's timer ends, and yields at the
    next advertisement.
    """
    config = VhostConfig(1, (SHARED, "2001:db8::1"), PASSWORD, advskew=100)
    bench = Bench(key, config=config, own=("192.0.2.11/24", "2001:db8::11/64"))
    changes = []
    for _ in range(12):
        changes += [
            one for one in bench.hear(1, 0, addresses=config.addresses) if isinstance(one, StateChange)
        ]
        changes += [one for one in bench.wait(1 * SECOND) if isinstance(one, StateChange)]
    assert [one.new for one in changes][:4] == [MASTER, BACKUP, MASTER, BACKUP]
