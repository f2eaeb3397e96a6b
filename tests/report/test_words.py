"""The words of the page."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.report import words
from conformance.report.results import SUMMARY_ORDER, overall, summarise


class TestSentence:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"pass": 64, "fail": 2}, ("Does not conform", "2 of 66 cases failed.")),
            ({"pass": 65, "error": 1}, ("Not decided", "The rig broke in 1 of 66 cases.")),
            ({"pass": 65, "inconclusive": 1}, ("Not decided", "1 of 66 cases was inconclusive.")),
            ({"pass": 64, "inconclusive": 2}, ("Not decided", "2 of 66 cases were inconclusive.")),
            ({"pass": 66}, ("Conforms", "66 of 66 cases passed, none failed.")),
            (
                {"pass": 65, "known_deviation": 1},
                ("Conforms", "65 of 66 cases passed, none failed; 1 deviates as declared."),
            ),
            (
                {"pass": 64, "known_deviation": 2},
                ("Conforms", "64 of 66 cases passed, none failed; 2 deviate as declared."),
            ),
            ({"not_applicable": 3}, ("Not decided", "No case reached a decision.")),
            ({}, ("Not decided", "No case reached a decision.")),
        ],
    )
    def test_the_verdict_is_a_sentence(self, given: dict[str, int], said: tuple[str, str]) -> None:
        summary = summarise([]) | given
        assert words.sentence({"summary": summary, "verdict": overall(summary)}) == said

    def test_a_run_that_lost_cases_says_so(self) -> None:
        document = {"summary": summarise([]) | {"pass": 3}, "verdict": "error"}
        assert words.sentence(document) == ("Not decided", "Not every case left a record.")

    def test_an_interrupted_run_says_that_it_did_not_end(self) -> None:
        document = {"summary": summarise([]) | {"pass": 3}, "verdict": "inconclusive"}
        assert words.sentence(document) == ("Not decided", "No case failed so far, but the run did not end.")


class TestWords:
    def test_every_verdict_is_defined(self) -> None:
        assert set(words.LEGEND) == set(words.WORDS) == {*SUMMARY_ORDER, "not_covered"}

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (None, "not known"), (0, "0.00 s"), (4.2, "4.20 s"), (52.14, "52.1 s"), (125.2, "2 min 05 s"), (179.9, "3 min 00 s"),
        ],
    )  # fmt: skip
    def test_durations(self, value: float | None, said: str) -> None:
        assert words.seconds(value) == said

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (None, "not known"),
            ("2026-11-22T16:00:00Z", "2026-11-22 16:00:00 UTC"),
            ("2026-11-22T16:00:00.250Z", "2026-11-22 16:00:00 UTC"),
        ],
    )
    def test_instants(self, value: str | None, said: str) -> None:
        assert words.instant(value) == said

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (True, "yes"), (False, "no"), (None, "not said"), (1, "1"), (0, "0"), ("1.5.2", "1.5.2"), ([1, 255], "1, 255"),
            ([], "none"), ({"a": [True]}, '{"a": [true]}'),
        ],
    )  # fmt: skip
    def test_declared_values(self, value: Any, said: str) -> None:
        assert words.declared(value) == said

    def test_an_anchor_has_no_character_that_a_link_changes(self) -> None:
        assert words.case_anchor('A.b[c-"d"] \udc80') == "case:A.b%5Bc-%22d%22%5D%20%3F"
