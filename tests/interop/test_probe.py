"""How long a client was without the service."""

from __future__ import annotations

from conformance.interop.probe import longest_gap_ns, lost

ANSWERS = [(10, "a"), (20, "a"), (30, None), (70, "b"), (80, "b")]


class TestLongestGap:
    def test_it_is_between_two_answers(self) -> None:
        assert longest_gap_ns(ANSWERS, 15, 85) == 50

    def test_it_begins_with_the_last_answer_before_the_time_looked_at(self) -> None:
        assert longest_gap_ns(ANSWERS, 40, 85) == 50

    def test_a_service_that_does_not_come_back_counts_to_the_end(self) -> None:
        assert longest_gap_ns(ANSWERS, 15, 500) == 420

    def test_a_service_that_never_answered_counts_from_the_beginning(self) -> None:
        assert longest_gap_ns([(5, None)], 0, 100) == 100


def test_unanswered_connections_are_counted_from_a_moment_on() -> None:
    assert lost([(1, None), (5, "a"), (9, None), (12, None)], 5) == 2
