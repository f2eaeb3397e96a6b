"""The invariants of a run: collected from its cases, and what they do to its verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.catalogue import Catalogue
from conformance.report import invariants, results, schema, words


def breach(verdict: str = "fail", **changes: Any) -> dict[str, Any]:
    deviation = {"reason": "it is so", "reference": "its source"} if verdict == "known_deviation" else None
    return {
        "id": "CARP-WIRE-004", "monitor": "wire-format", "verdict": verdict, "host": "a", "text": "the TTL is 64", "frames": [3], "deviation": deviation,
    } | changes  # fmt: skip


def watched(case: Any, id: str, *broken: dict[str, Any], held: tuple[str, ...] = ()) -> Any:
    return case(id, invariants={"held": list(held), "broken": list(broken)})


class TestCollected:
    def test_a_row_counts_the_cases_and_cites_each_breach(self, case: Any) -> None:
        cases = [
            watched(case, "AUTH-001.a", held=("CARP-WIRE-004", "CARP-AUTH-001")),
            watched(case, "AUTH-002.b", breach(), breach(host="b", frames=[5])),
            case("AUTH-003.c"),
            case("AUTH-004.d", invariants=None),
        ]
        first, second = invariants.collected(cases)
        assert first == {"id": "CARP-AUTH-001", "verdict": "pass", "cases": 1, "broken": []}
        assert (second["id"], second["verdict"], second["cases"]) == ("CARP-WIRE-004", "fail", 2)
        assert [(one["case"], one["host"], one["frames"]) for one in second["broken"]] == [
            ("AUTH-002.b", "a", [3]),
            ("AUTH-002.b", "b", [5]),
        ]
        assert list(invariants.account(second)) == [
            "a in AUTH-002.b (frame 3): the TTL is 64",
            "b in AUTH-002.b (frame 5): the TTL is 64",
        ]

    @pytest.mark.parametrize(
        ("broken", "verdict"),
        [([breach("known_deviation")], "known_deviation"), ([breach("known_deviation"), breach()], "fail")],
    )
    def test_the_worst_breach_counts(self, case: Any, broken: list[Any], verdict: str) -> None:
        cases = [watched(case, "AUTH-001.a", *broken), watched(case, "AUTH-002.a", held=("CARP-WIRE-004",))]
        assert [row["verdict"] for row in invariants.collected(cases)] == [verdict]


class TestVerdicts:
    @pytest.mark.parametrize(("verdict", "overall"), [("fail", "fails"), ("known_deviation", "conforms")])
    def test_a_breach_that_no_case_decides_decides_the_run(
        self, case: Any, document_of: Any, catalogue: Catalogue, verdict: str, overall: str
    ) -> None:
        """The case passes, and decides something else."""
        cases = [watched(case, "AUTH-001.a", breach(verdict))]
        rows = invariants.collected(cases)
        assert results.overall(results.summarise(cases), rows) == overall
        requirement = {row["id"]: row for row in results.requirement_verdicts(cases, catalogue)}[
            "CARP-WIRE-004"
        ]
        assert (requirement["verdict"], requirement["cases"]) == (verdict, [])
        schema.validate(document_of(cases, invariants=rows, verdict=overall), "results")

    def test_what_held_in_every_case_is_a_pass_of_what_no_case_covers(
        self, case: Any, catalogue: Catalogue
    ) -> None:
        rows = results.requirement_verdicts([watched(case, "AUTH-001.a", held=("CARP-WIRE-004",))], catalogue)
        assert {row["id"]: row["verdict"] for row in rows}["CARP-WIRE-004"] == "pass"

    def test_the_sentence_counts_them(self, case: Any, document_of: Any) -> None:
        cases = [watched(case, "AUTH-001.a", breach())]
        document = document_of(cases, invariants=invariants.collected(cases), verdict="fails")
        assert words.sentence(document)[1] == "0 of 1 cases failed, and 1 invariant was broken."
