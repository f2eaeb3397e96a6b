"""What changed between two runs is told case by case, with what may have caused it, and as a gate."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from conformance.report.certificate import diff, documents
from conformance.report.certificate.diff import Side


def compared(
    before: dict[str, Any], after: dict[str, Any], was: Any = None, now: Any = None
) -> dict[str, Any]:
    document = diff.diff(Side("a", before, was), Side("b", after, now))
    documents.validate(document, "diff")
    return document


@pytest.fixture
def after(run_document: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(run_document)


def test_equal_runs_have_no_difference_and_no_cause(run_document, after):
    document = compared(run_document, after)
    assert (document["verdict"], document["cases"], document["causes"]) == ("same", [], [])
    assert document["unchanged"] == len(after["cases"])
    assert diff.exit_status(document) == 0
    assert "Same." in diff.text(document)


DIRECTIONS = [
    ("pass", "fail", "worse"), ("pass", "inconclusive", "worse"), ("pass", "known_deviation", "worse"), ("pass", "not_applicable", "worse"),
    ("known_deviation", "fail", "worse"), ("inconclusive", "error", "worse"), ("fail", "pass", "better"), ("known_deviation", "pass", "better"),
    ("inconclusive", "pass", "better"), ("fail", "inconclusive", "better"), ("error", "fail", "other"), ("inconclusive", "not_applicable", "other"),
    ("fail", "known_deviation", "better"), (None, "fail", "worse"), (None, "pass", "new"), ("pass", None, "worse"), ("not_applicable", None, "gone"),
]  # fmt: skip


@pytest.mark.parametrize(("was", "now", "direction"), DIRECTIONS)
def test_each_change_has_a_direction_and_worse_shuts_the_gate(run_document, after, was, now, direction):
    for document, verdict in ((run_document, was), (after, now)):
        if verdict is None:
            document["cases"].pop(0)
        else:
            document["cases"][0]["verdict"] = verdict
    document = compared(run_document, after)
    assert [one["change"] for one in document["cases"]] == [direction]
    assert diff.exit_status(document) == (1 if direction == "worse" else 0)
    assert document["cases"][0]["id"] in diff.text(document)
    assert document["cases"][0]["id"] in diff.html(document)


def test_requirements_are_told_with_their_level(run_document, after):
    after["requirements"][0]["verdict"] = "fail"
    row = compared(run_document, after)["requirements"][0]
    assert (row["id"], row["level"], row["change"]) == ("CARP-WIRE-001", "MUST", "worse")


def test_causes_come_from_the_environments_the_likeliest_first(run_document, after):
    after["cases"][0] |= {"verdict": "fail", "reason": "told"}
    after["suite"]["commit"] = "0000"
    after["target"]["version"] = "9"
    was = {"machine": {"kernel": "6.1"}, "tools": {"scapy": "2.6"}}
    now = {"machine": {"kernel": "6.9"}, "tools": {"scapy": "2.8"}}
    causes = compared(run_document, after, was, now)["causes"]
    assert "implementation itself" in causes[0]
    assert any("6.1 → 6.9" in cause for cause in causes)
    assert "scapy is another version (2.6 → 2.8)" in causes


def test_inconclusive_points_at_the_rig(run_document, after):
    after["cases"][0] |= {"verdict": "inconclusive", "reason": "late"}
    after["rig"]["lateness_p99_ms"] = 99.0
    assert "not equally quiet" in compared(run_document, after)["causes"][0]


def test_change_without_any_recorded_cause_is_said_to_be_one(run_document, after):
    after["cases"][0] |= {"verdict": "fail", "reason": "told\nin lines"}
    document = compared(run_document, after)
    assert document["causes"] == [
        "nothing that was recorded differs: look for a fault that does not always show"
    ]
    assert "told" in diff.text(document)


def test_deviation_for_another_reason_is_told(run_document, after):
    case = next(case for case in after["cases"] if case["verdict"] == "known_deviation")
    case["reason"] = "another"
    document = compared(run_document, after)
    assert document["deviations"][0]["after"] == "another"
    assert "another reason" in diff.text(document)
    assert "another" in diff.html(document)
