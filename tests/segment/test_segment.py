"""Send, wait, decide: in time, early, late, never; and when the rig must say that it cannot tell."""

import pytest

from conformance.segment.decision import Condition, Inconclusive, Mismatch, Vacuous, Window
from conformance.segment.loop import Loop, VirtualClock
from conformance.segment.segment import LOOK_ON_NS, Segment
from conformance.segment.trace import FrameSeen, HostEvent, HostKind, Trace

MS = 1_000_000
S = 1_000 * MS
START = VirtualClock.EPOCH_NS
OURS, THEIRS = bytes(12) + b"\x88\xccours", bytes(12) + b"\x88\xcctheirs"


class FakePort:
    """Captures what it sends after ``delay_ns`` (None: never)."""

    def __init__(self, loop, trace):
        self.loop, self.trace, self.delay_ns, self.lost = loop, trace, 1, 0

    def send(self, frame):
        if self.delay_ns is not None:
            at_ns = self.loop.now_ns() + self.delay_ns
            self.loop.at(at_ns, lambda: self.trace.add_frame(at_ns, frame, sent=True))

    def dropped(self):
        return self.lost


class JudgedClock(VirtualClock):
    """Virtual time whose lateness is measured as if it were real."""

    real = True


@pytest.fixture
def segment():
    loop, trace = Loop(JudgedClock()), Trace()
    return Segment(loop, trace, FakePort(loop, trace), describe=lambda: "the IUT is well")


def arrives(segment, after_ns, data=THEIRS, *, stamped_ns=None):
    """A frame is read ``after_ns`` from now, with that time stamp or another."""
    due_ns = segment.now_ns() + after_ns
    stamp_ns = due_ns if stamped_ns is None else stamped_ns
    segment.loop.at(due_ns, lambda: segment.trace.add_frame(stamp_ns, data))


def stalls(segment, after_ns, for_ns):
    """The machine does nothing for a while."""
    clock = segment.loop.clock
    segment.loop.at(segment.now_ns() + after_ns, lambda: clock.wait_until(clock.now_ns() + for_ns))


THEY_SPEAK = Condition("they speak", lambda e: isinstance(e, FrameSeen) and e.frame.data == THEIRS)


def window(from_ns=3 * S, to_ns=3_400 * MS, anchor_ns=START):
    return Window.after(anchor_ns, (from_ns, to_ns), "the start")


class TestSend:
    def test_it_returns_the_frame_as_captured(self, segment):
        seen = segment.send(OURS)
        assert (seen.frame.data, seen.sent, seen.time_ns) == (OURS, True, START + 1)

    def test_the_same_bytes_received_are_not_taken_for_it(self, segment):
        segment.port.delay_ns = 5
        arrives(segment, 2, OURS)
        assert segment.send(OURS).sent

    def test_a_frame_that_does_not_leave_is_a_matter_of_the_rig(self, segment):
        segment.port.delay_ns = None
        with pytest.raises(Inconclusive, match="did not see a frame of the tester's own"):
            segment.send(OURS)
        assert segment.trace.listeners == []


class TestWait:
    def test_what_is_there_already(self, segment):
        first = segment.trace.add_frame(START + 5, THEIRS)
        segment.trace.add_frame(START + 6, THEIRS)
        assert segment.wait(THEY_SPEAK, START + S, since_ns=START) is first
        assert segment.now_ns() == START

    def test_what_is_there_but_is_something_else(self, segment):
        segment.trace.add_frame(START + 5, OURS)
        segment.trace.add_frame(START + 6, THEIRS)
        assert segment.wait(THEY_SPEAK, START + S, since_ns=START).time_ns == START + 6

    def test_the_first_that_comes(self, segment):
        arrives(segment, 10)
        arrives(segment, 5)
        assert segment.wait(THEY_SPEAK, START + S).time_ns == START + 5
        assert segment.trace.listeners == []

    def test_nothing_by_the_deadline(self, segment):
        arrives(segment, S + 1)
        assert segment.wait(THEY_SPEAK, START + S) is None
        assert segment.now_ns() == START + S

    def test_what_was_on_the_wire_before_does_not_count_though_it_is_read_later(self, segment):
        arrives(segment, 10, stamped_ns=START - 5)
        arrives(segment, 20)
        assert segment.wait(THEY_SPEAK, START + S).time_ns == START + 20

    def test_a_beginning_in_the_future(self, segment):
        arrives(segment, 10)
        arrives(segment, 30)
        assert segment.wait(THEY_SPEAK, START + S, since_ns=START + 20).time_ns == START + 30

    def test_an_error_leaves_no_listener(self, segment):
        with pytest.raises(ZeroDivisionError):
            arrives(segment, 1)
            segment.wait(Condition("broken", lambda _: 1 / 0), START + S)
        assert segment.trace.listeners == []


def test_watch_returns_the_events_of_that_time(segment):
    segment.trace.add_frame(START, OURS)
    arrives(segment, 5)
    arrives(segment, 50)
    assert [event.time_ns for event in segment.watch(10)] == [START + 5]


class TestExpect:
    @pytest.mark.parametrize("at_ns", [3 * S, 3_200 * MS, 3_400 * MS])
    def test_in_time(self, segment, at_ns):
        arrives(segment, at_ns)
        event = segment.expect(THEY_SPEAK, within=window())
        (decision,) = segment.decisions
        assert event.time_ns == START + at_ns
        assert (decision.met, decision.positive, decision.frames) == (True, True, (1,))
        assert decision.expected == "they speak 3.000 s to 3.400 s after the start"
        assert segment.trace.comments[1][0].startswith("as expected: they speak")
        segment.finish()

    @pytest.mark.parametrize(
        ("at_ns", "miss"),
        [
            (3 * S - 1, "too early by 0.0 ms"),
            (2 * S, "too early by 1.000 s"),
            (3_401 * MS, "too late by 1.0 ms"),
            (6 * S, "too late by 2.600 s"),
        ],
    )
    def test_early_and_late_by_how_much(self, segment, at_ns, miss):
        arrives(segment, at_ns)
        with pytest.raises(Mismatch, match=miss) as raised:
            segment.expect(THEY_SPEAK, within=window())
        assert raised.value.frames == (1,)
        assert raised.value.context == "the IUT is well"
        assert segment.decisions[0].met is False
        assert segment.trace.comments[1][0].startswith("MISMATCH: ")

    def test_never(self, segment):
        with pytest.raises(Mismatch, match=r"never: not in the 6\.400 s after the start"):
            segment.expect(THEY_SPEAK, within=window())
        assert segment.now_ns() == window().to_ns + LOOK_ON_NS
        assert segment.decisions[0].frames == ()

    def test_what_came_with_the_anchor_is_not_it(self, segment):
        segment.trace.add_frame(START, THEIRS)
        arrives(segment, 3_100 * MS)
        assert segment.expect(THEY_SPEAK, within=window()).time_ns == START + 3_100 * MS

    def test_what_came_between_anchor_and_now_is(self, segment):
        segment.trace.add_frame(START + 1 * S, THEIRS)
        with pytest.raises(Mismatch, match=r"too early by 2.000 s"):
            segment.expect(THEY_SPEAK, within=window())

    def test_an_event_of_the_host_has_no_frame(self, segment):
        says = Condition("it says so", lambda e: isinstance(e, HostEvent))
        segment.loop.at(
            START + S, lambda: segment.trace.add(HostEvent(START + S, "a", HostKind.STATE, "MASTER"))
        )
        segment.expect(says, within=window(0, 2 * S))
        assert segment.decisions[0].frames == ()

    def test_host_event_that_comes_late(self, segment):
        segment.loop.at(
            START + 5 * S, lambda: segment.trace.add(HostEvent(START + 5 * S, "a", HostKind.STATE, "MASTER"))
        )
        with pytest.raises(Mismatch, match=r"too late by 1.600 s"):
            segment.expect(Condition("it says so", lambda e: isinstance(e, HostEvent)), within=window())


class TestTheRig:
    def test_a_stall_as_long_as_the_miss_decides_nothing(self, segment):
        arrives(segment, 3_410 * MS)
        stalls(segment, 2 * S, 35 * MS)  # until a heartbeat is at least 10 ms late
        with pytest.raises(
            Inconclusive, match=r"missed by 10.0 ms, but this machine was busy and ran things up to"
        ):
            segment.expect(THEY_SPEAK, within=window())
        assert segment.decisions == []

    def test_a_shorter_stall_is_no_excuse(self, segment):
        arrives(segment, 3_500 * MS)
        stalls(segment, 2 * S + 1, 25 * MS)
        with pytest.raises(Mismatch, match=r"too late by 0.100 s"):
            segment.expect(THEY_SPEAK, within=window())

    def test_a_stall_of_half_the_miss_decides_nothing(self, segment):
        arrives(segment, 3_500 * MS)
        stalls(segment, 2_090 * MS, 75 * MS)  # the beat at 2.1 s is 65 ms late
        with pytest.raises(Inconclusive):
            segment.expect(THEY_SPEAK, within=window())

    def test_an_iut_that_waited_for_a_cpu_decides_nothing_though_the_testers_timers_are_in_time(
        self, segment
    ):
        segment.stalled_ns = lambda: (segment.now_ns() - START) // 50
        arrives(segment, 3_500 * MS)
        with pytest.raises(Inconclusive, match="ran things up to 70.0 ms late"):
            segment.expect(THEY_SPEAK, within=window())

    def test_an_iut_that_waited_less_than_half_the_miss_decides(self, segment):
        segment.stalled_ns = lambda: (segment.now_ns() - START) // 80
        arrives(segment, 3_500 * MS)
        with pytest.raises(Mismatch, match=r"too late by 0.100 s"):
            segment.expect(THEY_SPEAK, within=window())

    def test_short_waits_add_up_over_a_span_and_not_over_all_the_time(self, segment):
        segment.stalled_ns = lambda: (segment.now_ns() - START) // 50
        segment.watch(20 * S)
        assert segment.noise_ns(START) == 400 * MS
        assert segment.noise_ns(START, 4 * S) == 80 * MS

    def test_what_it_waited_before_the_window_does_not_count(self, segment):
        segment.stalled_ns = lambda: min(segment.now_ns() - START, 500 * MS)
        segment.watch(1 * S)
        arrives(segment, 3_500 * MS)
        with pytest.raises(Mismatch, match=r"too late by 0.100 s"):
            segment.expect(THEY_SPEAK, within=window(anchor_ns=START + 1 * S))

    def test_an_event_in_time_is_in_time_on_any_rig(self, segment):
        arrives(segment, 3_100 * MS)
        stalls(segment, 2 * S, 500 * MS)
        segment.expect(THEY_SPEAK, within=window())

    def test_a_stall_between_the_anchor_and_the_question_counts(self, segment):
        arrives(segment, 3_410 * MS)
        stalls(segment, 2 * S, 50 * MS)
        segment.watch(4 * S)
        with pytest.raises(Inconclusive):
            segment.expect(THEY_SPEAK, within=window())

    def test_one_before_the_anchor_does_not(self, segment):
        stalls(segment, 10 * MS, 50 * MS)
        segment.watch(S)
        anchor_ns = segment.now_ns()
        arrives(segment, 3_410 * MS)
        with pytest.raises(Mismatch):
            segment.expect(THEY_SPEAK, within=window(anchor_ns=anchor_ns))

    @pytest.mark.parametrize(
        ("step_ns", "error"), [(10 * MS, Inconclusive), (-5 * MS, Inconclusive), (4 * MS, Mismatch)]
    )
    def test_a_step_of_the_wall_clock(self, segment, step_ns, error):
        segment.clock_step_ns = lambda: step_ns
        arrives(segment, 3_410 * MS)
        with pytest.raises(error):
            segment.expect(THEY_SPEAK, within=window())

    @pytest.mark.parametrize(
        ("stalled_ns", "error"), [(LOOK_ON_NS // 2, Inconclusive), (LOOK_ON_NS // 2 - 1, Mismatch)]
    )
    def test_never_is_not_said_by_a_rig_that_may_be_later_than_was_looked_for(
        self, segment, stalled_ns, error
    ):
        segment.stalled_ns = lambda: min(segment.now_ns() - START, stalled_ns)
        with pytest.raises(error, match="never"):
            segment.expect(THEY_SPEAK, within=window())

    def test_what_a_host_says_only_when_it_is_asked_to_counts(self, segment):
        says = Condition("it says so", lambda e: isinstance(e, HostEvent))
        segment.hear_out = lambda: segment.trace.add(
            HostEvent(START + 3_100 * MS, "a", HostKind.STATE, "MASTER")
        )
        assert segment.expect(says, within=window()).time_ns == START + 3_100 * MS

    def test_how_late_a_host_was_is_asked_before_it_is_called_late(self, segment):
        told = []
        segment.stalled_ns = lambda: sum(told)
        segment.hear_out = lambda: told.append(50 * MS)
        arrives(segment, 3_500 * MS)
        with pytest.raises(Inconclusive, match="ran things up to 50.0 ms late"):
            segment.expect(THEY_SPEAK, within=window())

    def test_never_is_not_said_when_frames_were_lost(self, segment):
        segment.port.lost = 3
        with pytest.raises(Inconclusive, match="the capture lost 3 frames"):
            segment.expect(THEY_SPEAK, within=window())

    def test_never_is_not_said_when_the_clock_was_stepped(self, segment):
        """A clock that went back gives every frame a time before the anchor."""
        segment.clock_step_ns = lambda: -3600 * S
        arrives(segment, 3_100 * MS, stamped_ns=START - 3600 * S)
        with pytest.raises(Inconclusive, match=r"wall clock was stepped by -?3600"):
            segment.expect(THEY_SPEAK, within=window())


class TestExpectNone:
    @staticmethod
    def barrier(segment):
        return lambda: segment.trace.add_frame(segment.now_ns(), OURS)

    def test_nothing_and_then_the_barrier(self, segment):
        segment.expect_none(THEY_SPEAK, for_ns=S, barrier=self.barrier(segment))
        (decision,) = segment.decisions
        assert (decision.met, decision.positive, decision.frames) == (True, False, (1,))
        assert segment.now_ns() == START + S

    def test_alone_it_is_vacuous(self, segment):
        segment.expect_none(THEY_SPEAK, for_ns=S, barrier=self.barrier(segment))
        with pytest.raises(Vacuous, match="without one decision"):
            segment.finish()

    def test_a_barrier_that_is_an_event_of_the_host(self, segment):
        event = HostEvent(START, "a", HostKind.LOG, "still here")
        segment.expect_none(THEY_SPEAK, for_ns=S, barrier=lambda: event)
        assert segment.decisions[0].frames == ()

    def test_something(self, segment):
        segment.trace.add_frame(START - 5, OURS)
        arrives(segment, 500 * MS)
        with pytest.raises(
            Mismatch, match=r"they speak at 0\.500 s into the case \(frame 2\), 0\.500 s after this"
        ):
            segment.expect_none(THEY_SPEAK, for_ns=S, barrier=self.barrier(segment))

    def test_something_that_a_host_says(self, segment):
        segment.loop.at(
            START + 5, lambda: segment.trace.add(HostEvent(START + 5, "a", HostKind.STATE, "MASTER"))
        )
        with pytest.raises(Mismatch) as raised:
            segment.expect_none(
                Condition("it says so", lambda e: isinstance(e, HostEvent)),
                for_ns=S,
                barrier=self.barrier(segment),
            )
        assert raised.value.frames == ()

    def test_without_the_barrier_silence_proves_nothing(self, segment):
        def gone():
            raise Inconclusive("nobody answers")

        with pytest.raises(Inconclusive, match="nobody answers"):
            segment.expect_none(THEY_SPEAK, for_ns=S, barrier=gone)
        assert segment.decisions == []

    def test_nor_with_lost_frames(self, segment):
        segment.port.lost = 1
        with pytest.raises(Inconclusive, match="lost 1 frame"):
            segment.expect_none(THEY_SPEAK, for_ns=S, barrier=self.barrier(segment))


class TestCheck:
    @pytest.mark.parametrize(
        ("actual", "expected", "says"),
        [
            (1, 1, "vhid is 1"),
            (1, {1, 2}, "vhid is 1 or 2"),
            (1, frozenset({1}), "vhid is 1"),
            (3, range(1, 4), "vhid is 1 to 3"),
            (b"\0\x5e", b"\0\x5e", "vhid is 00:5e"),
            (b"\x01" * 21, {b"\x01" * 21}, "vhid is " + "01" * 21),
            (None, None, "vhid is None"),
            (b"", b"", "vhid is nothing"),
            (True, True, "vhid: yes"),
            (False, False, "vhid: no"),
        ],
    )
    def test_met(self, segment, actual, expected, says):
        segment.check("vhid", actual, expected, segment.trace.add_frame(START, THEIRS))
        assert segment.decisions[0].expected == says
        segment.finish()

    @pytest.mark.parametrize(
        ("actual", "expected", "says"),
        [
            (1, 2, "vhid is 2"),
            (3, {1, 2}, "vhid is 1 or 2"),
            (4, range(1, 4), "vhid is 1 to 3"),
            (1.5, range(1, 4), "1 to 3"),
            (1, frozenset(), "vhid is "),
        ],
    )
    def test_not_met(self, segment, actual, expected, says):
        with pytest.raises(Mismatch, match=says):
            segment.check("vhid", actual, expected)

    def test_what_is_so_and_should_not_be(self, segment):
        with pytest.raises(Mismatch) as raised:
            segment.check("the old password signs", True, False)
        assert (raised.value.expected, raised.value.actual) == (
            "the old password signs: no",
            "the old password signs: yes",
        )

    def test_what_is_missed_is_a_decision(self, segment):
        with pytest.raises(Mismatch, match="they go on"):
            segment.missed("they go on", "silence", segment.trace.add_frame(START, THEIRS))
        (decision,) = segment.decisions
        assert (decision.met, decision.expected, decision.frames) == (False, "they go on", (1,))

    def test_a_list_is_one_value_and_no_choice(self, segment):
        with pytest.raises(Mismatch):
            segment.check("addresses", "a", ["a"])


class TestCheckSpan:
    @pytest.mark.parametrize("span_ns", [1 * S, 1_005 * MS, 1_010 * MS])
    def test_within(self, segment, span_ns):
        segment.check_span("interval", span_ns, (1 * S, 1_010 * MS))
        assert segment.decisions[0].met

    @pytest.mark.parametrize("span_ns", [999 * MS, 1_011 * MS])
    def test_outside(self, segment, span_ns):
        with pytest.raises(Mismatch, match="interval is "):
            segment.check_span("interval", span_ns, (1 * S, 1_010 * MS))

    def test_outside_by_less_than_the_rig_was_late(self, segment):
        segment.loop.at(START - 5 * MS, lambda: None)
        segment.loop.run_for(0)
        with pytest.raises(Inconclusive):
            segment.check_span("interval", 1_011 * MS, (1 * S, 1_010 * MS))
        with pytest.raises(Mismatch):
            segment.check_span("interval", 1_011 * MS, (1 * S, 1_010 * MS), since_ns=segment.now_ns() + 1)


def test_virtual_time_has_no_heartbeat():
    loop, trace = Loop(VirtualClock()), Trace()
    Segment(loop, trace, FakePort(loop, trace)).watch(S)
    assert loop.lateness_ns == []


class TestFinish:
    def test_nothing_decided(self, segment):
        with pytest.raises(Vacuous):
            segment.finish()

    def test_a_note_decides_nothing(self, segment):
        segment.note("looks out of the window")
        assert segment.trace.events[0].text == "looks out of the window"
        with pytest.raises(Vacuous):
            segment.finish()
