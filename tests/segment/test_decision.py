"""Decisions, windows, mismatches: what they say."""

import pytest

from conformance.segment.decision import (
    Condition,
    Inconclusive,
    Mismatch,
    NotApplicable,
    Undecided,
    Vacuous,
    Window,
    seconds,
)
from conformance.segment.trace import TesterAction, Trace


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0.0 ms"),
        (12_400_000, "12.4 ms"),
        (99_999_999, "100.0 ms"),
        (100_000_000, "0.100 s"),
        (3_390_600_000, "3.391 s"),
        (-5_000_000, "-5.0 ms"),
        (-2_000_000_000, "-2.000 s"),
    ],
)
def test_durations_are_for_people(duration_ns, text):
    assert seconds(duration_ns) == text


def test_a_window_is_counted_from_its_anchor():
    window = Window.after(10_000_000_000, (3_000_000_000, 3_400_000_000), "frame 4")
    assert (window.anchor_ns, window.from_ns, window.to_ns) == (
        10_000_000_000,
        13_000_000_000,
        13_400_000_000,
    )
    assert str(window) == "3.000 s to 3.400 s after frame 4"


def test_conditions_are_joined():
    both = Condition("it is even", lambda e: e.time_ns % 2 == 0) & Condition(
        "it is small", lambda e: e.time_ns < 10
    )
    assert both.text == "it is even and it is small"
    assert [both.match(TesterAction(t, "")) for t in (2, 3, 12)] == [True, False, False]


class TestMismatch:
    def test_it_is_an_assertion_with_fields(self):
        trace = Trace()
        frames = (trace.add_frame(1, b"a"), trace.add_frame(2, b"b"))
        mismatch = Mismatch("x", "y", frames, context="the last words")
        assert isinstance(mismatch, AssertionError)
        assert (mismatch.expected, mismatch.actual, mismatch.frames, mismatch.context) == (
            "x",
            "y",
            (1, 2),
            "the last words",
        )
        assert str(mismatch) == "expected: x\n  actual: y\n  frames: 1, 2\nthe last words"

    def test_it_says_no_more_than_it_knows(self):
        assert str(Mismatch("x", "y")) == "expected: x\n  actual: y"


@pytest.mark.parametrize("kind", [Inconclusive, NotApplicable, Vacuous])
def test_undecided_is_no_failure_of_the_implementation(kind):
    assert issubclass(kind, Undecided)
    assert not issubclass(kind, AssertionError)
