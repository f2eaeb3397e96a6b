"""A run is read from its folder, counted, and judged by one rule."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import Catalogue
from conformance.report import results, schema
from conformance.report.results import (
    NoRun,
    UnknownRequirement,
    UnreadableRun,
    exit_status,
    finish,
    load,
    overall,
    requirement_verdicts,
    summarise,
)

DERIVED = (
    "cases",
    "requirements",
    "summary",
    "verdict",
    "ended",
    "duration_s",
    "cases_duration_s",
    "rig",
    "invariants",
)


def lines_of(document: dict[str, Any]) -> list[str]:
    header = {"record": "run"} | {key: value for key, value in document.items() if key not in DERIVED}
    return [json.dumps(line) for line in (header, *({"record": "case"} | case for case in document["cases"]))]


def write_lines(folder: Path, lines: list[str], end: str = "\n") -> None:
    (folder / "results.jsonl").write_text("\n".join(lines) + end)


def counts(**given: int) -> dict[str, int]:
    return summarise([]) | given


class TestLoad:
    def test_a_whole_run_is_its_document(self, tmp_path: Path, document: dict[str, Any]) -> None:
        (tmp_path / "results.json").write_text(json.dumps(document))
        assert load(tmp_path) == document
        assert load(str(tmp_path)) == document

    def test_the_document_wins_over_the_lines(self, tmp_path: Path, document: dict[str, Any]) -> None:
        (tmp_path / "results.json").write_text(json.dumps(document))
        (tmp_path / "results.jsonl").write_text("nonsense")
        assert load(tmp_path) == document

    def test_an_interrupted_run_is_put_together(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue
    ) -> None:
        write_lines(tmp_path, lines_of(document))
        loaded = load(tmp_path, catalogue)
        by_group = sorted(document["cases"], key=lambda case: (case["group"], case["source"], case["id"]))
        assert loaded["cases"] == by_group
        for key in ("summary", "requirements", "suite", "target", "started", "arguments"):
            assert loaded[key] == document[key]
        assert loaded["ended"] is None
        assert loaded["cases_duration_s"] == pytest.approx(document["cases_duration_s"])
        assert loaded["notes"] == [
            "This run was interrupted: 66 case(s) are recorded, others may be missing."
        ]

    def test_a_cut_last_line_is_left_out_and_said(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue
    ) -> None:
        lines = lines_of(document)
        write_lines(tmp_path, [*lines[:-1], lines[-1][:77]], end="")
        loaded = load(tmp_path, catalogue)
        assert len(loaded["cases"]) == len(document["cases"]) - 1
        assert (
            loaded["notes"][-1] == f"The last line of results.jsonl ({len(lines)}) is cut and was left out."
        )

    def test_a_line_cut_in_a_character_is_left_out(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue
    ) -> None:
        whole = "\n".join(lines_of(document)[:2]).encode() + '\n{"record": "case", "id": "é'.encode()[:-1]
        (tmp_path / "results.jsonl").write_bytes(whole)
        assert len(load(tmp_path, catalogue)["cases"]) == 1

    def test_a_broken_line_in_the_middle_is_said_too(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue
    ) -> None:
        lines = lines_of(document)
        write_lines(tmp_path, [*lines[:2], lines[2][:50] + lines[3], "", "[1]", *lines[4:]])
        loaded = load(tmp_path, catalogue)
        assert loaded["notes"][1:] == [
            "Line 3 of results.jsonl cannot be read and was left out.",
            "Line 5 of results.jsonl cannot be read and was left out.",
        ]

    def test_what_is_left_of_a_run_never_conforms(
        self, tmp_path: Path, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        write_lines(tmp_path, lines_of(document_of([case()])))
        assert load(tmp_path, catalogue)["verdict"] == "inconclusive"

    def test_a_failure_in_an_interrupted_run_is_a_failure(
        self, tmp_path: Path, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        write_lines(tmp_path, lines_of(document_of([case(verdict="fail")])))
        assert load(tmp_path, catalogue)["verdict"] == "fails"

    def test_a_resumed_run_counts_a_case_once_with_its_last_line(
        self, tmp_path: Path, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        first = lines_of(document_of([case(verdict="error")]))
        again = lines_of(document_of([case(verdict="pass")], started="2026-11-22T17:00:00Z", lanes=2))
        write_lines(tmp_path, first + again)
        loaded = load(tmp_path, catalogue)
        assert [one["verdict"] for one in loaded["cases"]] == ["pass"]
        assert (loaded["started"], loaded["lanes"]) == ("2026-11-22T16:00:00Z", 2)

    def test_the_header_may_lie_beside_the_lines(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue
    ) -> None:
        header, *rest = lines_of(document)
        (tmp_path / "run.json").write_text(header)
        write_lines(tmp_path, rest)
        assert load(tmp_path, catalogue)["target"] == document["target"]

    def test_a_run_killed_before_its_first_case_can_be_reported(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue
    ) -> None:
        write_lines(tmp_path, lines_of(document)[:1])
        loaded = load(tmp_path, catalogue)
        assert (loaded["cases"], loaded["verdict"]) == ([], "inconclusive")

    def test_the_shipped_catalogue_is_the_default(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(results.shipped, "load", lambda: catalogue)
        write_lines(tmp_path, lines_of(document))
        assert load(tmp_path)["requirements"] == document["requirements"]

    def test_an_empty_folder_is_no_run(self, tmp_path: Path) -> None:
        with pytest.raises(NoRun, match="neither results.json nor results.jsonl"):
            load(tmp_path)

    def test_lines_without_a_header_are_unreadable(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue
    ) -> None:
        write_lines(tmp_path, lines_of(document)[1:])
        with pytest.raises(UnreadableRun, match=r"results\.jsonl cannot be read: it has no line"):
            load(tmp_path, catalogue)

    @pytest.mark.parametrize("text", ["", "[]", '{"schema": 1', '{"schema": NaN}', "\udcff"])
    def test_a_broken_document_is_unreadable(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "results.json").write_bytes(text.encode(errors="surrogateescape"))
        with pytest.raises(UnreadableRun, match=r"results\.json cannot be read"):
            load(tmp_path)

    def test_a_document_of_another_shape_is_invalid(self, tmp_path: Path) -> None:
        (tmp_path / "results.json").write_text('{"schema": 1}')
        with pytest.raises(schema.InvalidDocument):
            load(tmp_path)

    def test_case_lines_of_another_shape_are_invalid(
        self, tmp_path: Path, document: dict[str, Any], catalogue: Catalogue
    ) -> None:
        write_lines(tmp_path, [lines_of(document)[0], '{"record": "case", "id": "x"}'])
        with pytest.raises(schema.InvalidDocument, match=r"\$\.cases\[0\]"):
            load(tmp_path, catalogue)

    def test_the_errors_survive_the_way_between_processes(self, tmp_path: Path) -> None:
        for error in (
            NoRun(tmp_path),
            UnreadableRun(tmp_path, "x"),
            UnknownRequirement("CARP-RX-001", "RX-001.a"),
        ):
            assert str(pickle.loads(pickle.dumps(error))) == str(error)


class TestFinish:
    def finished(
        self, folder: Path, document: dict[str, Any], catalogue: Catalogue, expected: int
    ) -> dict[str, Any]:
        write_lines(folder, lines_of(document))
        done = finish(
            folder, ended="2026-11-22T16:01:00Z", duration_s=60.00049, catalogue=catalogue, expected=expected
        )
        schema.validate(done, "results")
        return done

    def test_a_run_that_ended_has_an_end_and_no_note(
        self, tmp_path: Path, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        done = self.finished(tmp_path, document_of([case()]), catalogue, 1)
        assert (done["ended"], done["duration_s"], done["verdict"], done["notes"]) == (
            "2026-11-22T16:01:00Z",
            60.0,
            "conforms",
            [],
        )

    @pytest.mark.parametrize(("verdict", "overall_verdict"), [("pass", "error"), ("fail", "fails")])
    def test_cases_that_left_no_record_are_said_and_never_conform(
        self,
        tmp_path: Path,
        case: Any,
        document_of: Any,
        catalogue: Catalogue,
        verdict: str,
        overall_verdict: str,
    ) -> None:
        done = self.finished(tmp_path, document_of([case(verdict=verdict)]), catalogue, 3)
        assert done["verdict"] == overall_verdict
        assert done["notes"] == ["2 case(s) that were to run left no record."]

    def test_the_rig_is_as_bad_as_in_its_worst_case(
        self, tmp_path: Path, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        rigs = [
            {"lateness_max_ms": 3.0, "lateness_p99_ms": 0.2, "timers": 9, "frames_dropped": 1},
            None,
            {"lateness_max_ms": 1.0, "lateness_p99_ms": 0.4, "timers": 9, "frames_dropped": 2},
        ]
        cases = [case(f"AUTH-001.v{number}", rig=rig) for number, rig in enumerate(rigs)]
        done = self.finished(tmp_path, document_of(cases), catalogue, 3)
        assert done["rig"] == {"lateness_max_ms": 3.0, "lateness_p99_ms": 0.4, "frames_dropped": 3}

    def test_a_rig_that_was_not_measured_is_not_known(
        self, tmp_path: Path, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        done = self.finished(tmp_path, document_of([case()]), catalogue, 1)
        assert set(done["rig"].values()) == {None}


class TestVerdicts:
    def test_the_summary_has_every_verdict(self, case: Any) -> None:
        cases = [case(verdict="pass"), case(verdict="pass"), case(verdict="error")]
        assert summarise(cases) == counts(**{"pass": 2}, error=1)
        assert list(summarise([])) == [
            "pass",
            "fail",
            "inconclusive",
            "not_applicable",
            "known_deviation",
            "error",
        ]

    @pytest.mark.parametrize(
        ("verdicts", "expected"),
        [
            ([], "not_covered"),
            (["not_applicable"], "not_applicable"),
            (["not_applicable", "pass"], "pass"),
            (["pass", "known_deviation"], "known_deviation"),
            (["known_deviation", "inconclusive", "pass"], "inconclusive"),
            (["inconclusive", "fail"], "fail"),
            (["fail", "error", "pass"], "error"),
        ],
    )
    def test_a_requirement_has_the_worst_verdict_of_its_cases(
        self, case: Any, requirement: Any, catalogue_of: Any, verdicts: list[str], expected: str
    ) -> None:
        cases = [case(f"AUTH-001.v{number}", verdict) for number, verdict in enumerate(verdicts)]
        catalogue = catalogue_of([requirement("CARP-AUTH-001")])
        assert requirement_verdicts(cases, catalogue) == [
            {
                "id": "CARP-AUTH-001",
                "level": "MUST",
                "verdict": expected,
                "cases": [one["id"] for one in cases],
            }
        ]

    def test_requirements_come_in_the_order_of_the_catalogue(self, catalogue: Catalogue) -> None:
        assert [row["id"] for row in requirement_verdicts([], catalogue)] == [one.id for one in catalogue]

    def test_a_case_may_not_cite_what_is_not_there(self, case: Any, catalogue: Catalogue) -> None:
        with pytest.raises(UnknownRequirement, match="AUTH-001.wrong_key cites CARP-NONE-001"):
            requirement_verdicts([case(requirements=["CARP-NONE-001"])], catalogue)

    @pytest.mark.parametrize(
        ("given", "verdict", "status"),
        [
            ({"pass": 3}, "conforms", 0),
            ({"pass": 3, "known_deviation": 1, "not_applicable": 4}, "conforms", 0),
            ({"known_deviation": 1}, "conforms", 0),
            ({"pass": 3, "fail": 1}, "fails", 1),
            ({"fail": 1, "error": 1, "inconclusive": 1}, "fails", 1),
            ({"pass": 3, "error": 1, "inconclusive": 1}, "error", 3),
            ({"pass": 3, "inconclusive": 1}, "inconclusive", 3),
            ({"not_applicable": 9}, "inconclusive", 3),
            ({}, "inconclusive", 3),
        ],
    )
    def test_the_exit_rule(self, given: dict[str, int], verdict: str, status: int) -> None:
        assert overall(counts(**given)) == verdict
        assert exit_status(counts(**given)) == status
