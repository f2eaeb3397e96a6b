"""The loop on both clocks: order, cancelling, periods without drift, deadlines, lateness."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.segment import loop as module
from conformance.segment.loop import Loop, RealClock, VirtualClock

START = VirtualClock.EPOCH_NS


def virtual():
    return Loop(VirtualClock())


def after(loop, offset_ns):
    return loop.now_ns() - START == offset_ns


class TestTimers:
    @given(st.lists(st.integers(0, 20), max_size=30))
    def test_they_run_in_order_of_time_and_then_of_making(self, offsets):
        loop, ran = virtual(), []
        for serial, offset in enumerate(offsets):
            loop.at(
                START + offset,
                lambda offset=offset, serial=serial: ran.append((offset, serial, loop.now_ns() - START)),
            )
        loop.run_for(20)
        assert [(offset, serial) for offset, serial, _ in ran] == sorted(
            zip(offsets, range(len(offsets)), strict=True)
        )
        assert all(offset == seen_at for offset, _, seen_at in ran)

    def test_a_timer_in_the_past_runs_at_once(self):
        loop, ran = virtual(), []
        loop.at(START - 5, lambda: ran.append(loop.now_ns()))
        loop.run_for(0)
        assert ran == [START]
        assert loop.lateness_ns == [5]

    def test_a_cancelled_one_does_not_run_and_does_not_count_as_late(self):
        loop, ran = virtual(), []
        loop.at(START + 1, lambda: ran.append("kept"))
        loop.at(START + 1, lambda: ran.append("cancelled")).cancel()
        loop.run_for(10)
        assert ran == ["kept"]
        assert len(loop.lateness_ns) == 1

    def test_one_may_cancel_another_that_is_due_at_the_same_time(self):
        loop, ran = virtual(), []
        second = []
        loop.at(START + 1, lambda: second[0].cancel())
        second.append(loop.at(START + 1, lambda: ran.append("second")))
        loop.run_for(10)
        assert ran == []

    def test_one_made_by_another_for_the_same_moment_runs_too(self):
        loop, ran = virtual(), []
        loop.at(START + 10, lambda: loop.at(START + 10, lambda: ran.append(loop.now_ns() - START)))
        loop.run_for(10)
        assert ran == [10]

    def test_after_the_deadline_nothing_runs(self):
        loop, ran = virtual(), []
        loop.at(START + 11, lambda: ran.append(1))
        loop.run_for(10)
        assert ran == []
        loop.run_for(1)
        assert ran == [1]

    def test_an_error_of_a_callback_reaches_who_waits(self):
        loop = virtual()

        def broken():
            raise ZeroDivisionError

        loop.at(START + 1, broken)
        with pytest.raises(ZeroDivisionError):
            loop.run_for(10)
        loop.run_for(10)


class TestEvery:
    def test_first_at_once_and_then_at_each_interval(self):
        loop, ran = virtual(), []
        with loop.every(10, lambda: ran.append(loop.now_ns() - START)):
            loop.run_for(35)
        loop.run_for(100)
        assert ran == [0, 10, 20, 30]

    def test_from_a_start(self):
        loop, ran = virtual(), []
        with loop.every(10, lambda: ran.append(loop.now_ns() - START), start_ns=START + 5):
            loop.run_for(25)
        assert ran == [5, 15, 25]

    def test_lateness_does_not_add_up(self):
        """A callback that takes 3 of 10 is still called at 0, 10, 20 …"""
        clock = VirtualClock()
        loop, ran = Loop(clock), []

        def slow():
            ran.append(loop.now_ns() - START)
            clock.wait_until(loop.now_ns() + 3)

        with loop.every(10, slow):
            loop.run_for(40)
        assert ran == [0, 10, 20, 30, 40]

    def test_a_late_call_does_not_move_the_next(self):
        clock = VirtualClock()
        loop, ran = Loop(clock), []
        with loop.every(10, lambda: ran.append(loop.now_ns() - START)):
            loop.at(START + 15, lambda: clock.wait_until(START + 24))
            loop.run_for(40)
        assert ran == [0, 10, 24, 30, 40]
        assert max(loop.lateness_ns) == 4

    def test_it_ends_with_an_error_inside(self):
        loop, ran = virtual(), []
        with pytest.raises(ZeroDivisionError), loop.every(10, lambda: ran.append(1)):
            raise ZeroDivisionError
        loop.run_for(100)
        assert ran == []

    def test_it_may_be_left_in_its_own_callback(self):
        loop, ran = virtual(), []
        with loop.every(10, lambda: ran.append(1)):
            loop.run_until(lambda: len(ran) == 2, START + 1000)
        loop.run_for(100)
        assert len(ran) == 2


class TestRunUntil:
    def test_a_condition_that_holds_already_runs_nothing(self):
        loop, ran = virtual(), []
        loop.at(START, lambda: ran.append(1))
        assert loop.run_until(lambda: True, START + 10)
        assert (ran, loop.now_ns()) == ([], START)

    def test_it_returns_as_soon_as_the_condition_holds(self):
        loop, ran = virtual(), []
        loop.at(START + 7, lambda: ran.append(1))
        assert loop.run_until(lambda: bool(ran), START + 100)
        assert after(loop, 7)

    def test_otherwise_at_its_deadline(self):
        loop = virtual()
        assert not loop.run_until(lambda: False, START + 100)
        assert after(loop, 100)

    def test_a_timer_at_the_deadline_still_counts(self):
        loop, ran = virtual(), []
        loop.at(START + 100, lambda: ran.append(1))
        assert loop.run_until(lambda: bool(ran), START + 100)

    def test_a_past_deadline_gives_readers_and_due_timers_one_turn(self):
        loop, ran = virtual(), []
        loop.at(START, lambda: ran.append(1))
        assert loop.run_until(lambda: bool(ran), START - 1)

    def test_timers_that_cannot_keep_up_do_not_hold_it_past_the_deadline(self):
        """Each call takes twice its interval: the loop is always behind, and must end all the same."""
        clock = VirtualClock()
        loop, ran = Loop(clock), []

        def too_slow():
            ran.append(1)
            assert len(ran) < 1000, "the loop never came back"
            clock.wait_until(loop.now_ns() + 20)

        with loop.every(10, too_slow):
            assert not loop.run_until(lambda: False, START + 200)
        assert 10 <= len(ran) < 100


class TestVirtualClock:
    def test_it_stands_still_and_never_goes_back(self):
        clock = VirtualClock()
        clock.wait_until(START + 5)
        clock.wait_until(START)
        assert clock.now_ns() == START + 5

    def test_there_is_nothing_to_watch(self):
        with pytest.raises(TypeError, match="no files to watch"):
            VirtualClock().watch(0, lambda: None)
        with pytest.raises(TypeError, match="no files to watch"):
            VirtualClock().unwatch(0)


class FakeTime:
    """Stands in for the module ``time`` and for the selector's waiting."""

    def __init__(self):
        self.monotonic, self.wall, self.waits = 1_000, 5_000_000, []

    def monotonic_ns(self):
        return self.monotonic

    def time_ns(self):
        return self.wall

    def pass_ns(self, duration_ns):
        self.monotonic += duration_ns
        self.wall += duration_ns


@pytest.fixture
def fake(monkeypatch):
    fake = FakeTime()

    class Selector:
        ready = ()

        def select(self, timeout_s):
            fake.waits.append(timeout_s)
            fake.pass_ns(0 if self.ready else round(timeout_s * 1e9))
            return self.ready

    monkeypatch.setattr(module, "time", fake)
    monkeypatch.setattr(module.selectors, "DefaultSelector", Selector)
    return fake


class TestRealClock:
    def test_it_tells_monotonic_time_as_wall_time(self, fake):
        clock = RealClock()
        assert clock.now_ns() == 5_000_000
        fake.pass_ns(7)
        assert clock.now_ns() == 5_000_007

    def test_a_step_of_the_wall_clock_does_not_move_it_but_is_known(self, fake):
        clock = RealClock()
        fake.wall -= 3_000
        fake.pass_ns(10)
        assert clock.now_ns() == 5_000_010
        assert clock.stepped_ns() == -3_000

    def test_it_waits_for_what_remains_and_not_below_zero(self, fake):
        clock = RealClock()
        clock.wait_until(clock.now_ns() + 2_000_000_000)
        clock.wait_until(clock.now_ns() - 1)
        assert fake.waits == [2.0, 0.0]

    def test_the_loop_ends_at_its_deadline(self, fake):
        clock = RealClock()
        loop = Loop(clock)
        ran = []
        loop.at(5_000_000 + 1_000_000_000, lambda: ran.append(clock.now_ns()))
        loop.run_for(3_000_000_000)
        assert ran == [1_005_000_000]
        assert fake.waits == [1.0, 2.0]
        assert loop.lateness_ns == [0]

    def test_a_reader_wakes_it_early(self):
        clock = RealClock()
        loop = Loop(clock)
        ours, theirs = socket.socketpair()
        got = []
        with ours, theirs:
            clock.watch(ours, lambda: got.append(ours.recv(10)))
            theirs.send(b"now")
            assert loop.run_until(lambda: bool(got), clock.now_ns() + 10_000_000_000)
            clock.unwatch(ours)
            theirs.send(b"later")
            loop.run_for(0)
        assert got == [b"now"]

    def test_a_reader_that_another_has_just_ended_is_not_called(self):
        clock = RealClock()
        left, right = socket.socketpair(), socket.socketpair()
        called = []

        def read(ours, other):
            called.append(ours)
            clock.unwatch(other)
            other.close()

        ends = left[0], right[0]
        for ours, other in (ends, ends[::-1]):
            clock.watch(ours, lambda ours=ours, other=other: read(ours, other))
        for _, theirs in (left, right):
            theirs.send(b"x")
        clock.wait_until(clock.now_ns())
        for one in (*left, *right):
            one.close()
        assert len(called) == 1


def test_offset_is_taken_where_nothing_came_between(monkeypatch):
    """Preempted between two readings, a clock would lag behind the kernel's time stamps for good."""
    readings = iter([0, 5_000_000, *range(5_000_001, 5_000_100)])
    mono: list[int] = []

    def monotonic_ns() -> int:
        mono.append(next(readings))
        return mono[-1]

    monkeypatch.setattr(module.time, "monotonic_ns", monotonic_ns)
    monkeypatch.setattr(module.time, "time_ns", lambda: mono[-1] + 1_000)
    assert module._offset_ns() in (999, 1_000)
