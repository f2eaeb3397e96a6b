"""Two recorded runs, compared: verdicts case by case, times window by window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.commands.errors import CommandError
from conformance.commands.fidelity import exit_status, fidelity, print_fidelity
from conformance.commands.run import Order, run
from conformance.report import schema
from tests.report.conftest import make_case, make_document

ONE, TWO = "AUTH-001.wrong_key", "AUTH-002.replayed"
Record = Callable[..., Path]


def window(summary: str, after_ms: float | None, *, met: bool = True) -> dict[str, Any]:
    return {"from_ms": 0.0, "to_ms": 9000.0, "summary": summary, "met": met, "after_ms": after_ms}


def timed(*windows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A case that looked at these windows."""
    case = make_case(ONE, **changes)
    return case | {"timeline": case["timeline"] | {"windows": list(windows)}}


@pytest.fixture
def record(tmp_path: Path) -> Record:
    def write(name: str, *cases: dict[str, Any]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "results.json").write_text(json.dumps(make_document(list(cases))))
        return folder

    return write


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    return {row["id"]: row["outcome"] for row in document["cases"]}


class TestVerdicts:
    @pytest.mark.parametrize("word", ["pass", "fail", "known_deviation", "not_applicable"])
    def test_the_same_on_both_agrees(self, record: Record, word: str) -> None:
        document = fidelity(record("a", make_case(ONE, word)), record("b", make_case(ONE, word)))
        assert outcomes(document) == {ONE: "agrees"}
        assert exit_status(document) == 0

    @pytest.mark.parametrize(
        ("one", "other"), [("pass", "fail"), ("pass", "known_deviation"), ("fail", "known_deviation")]
    )
    def test_different_ones_differ(self, record: Record, one: str, other: str) -> None:
        document = fidelity(record("a", make_case(ONE, one)), record("b", make_case(ONE, other)))
        assert outcomes(document) == {ONE: "differs"}
        assert document["cases"][0]["verdicts"] == [one, other]
        assert exit_status(document) == 1

    @pytest.mark.parametrize("word", ["inconclusive", "error"])
    @pytest.mark.parametrize("other", ["pass", "fail", "inconclusive"])
    def test_what_the_rig_could_not_decide_is_undecided(self, record: Record, word: str, other: str) -> None:
        document = fidelity(record("a", make_case(ONE, word)), record("b", make_case(ONE, other)))
        assert outcomes(document) == {ONE: "undecided"}
        assert exit_status(document) == 3

    def test_a_difference_outweighs_what_is_undecided(self, record: Record) -> None:
        a = record("a", make_case(ONE, "pass"), make_case(TWO, "error"))
        b = record("b", make_case(ONE, "fail"), make_case(TWO))
        assert exit_status(fidelity(a, b)) == 1

    def test_what_applies_or_was_run_on_one_side_only_is_not_compared(self, record: Record) -> None:
        a = record("a", make_case(ONE), make_case(TWO))
        b = record("b", make_case(ONE, "not_applicable"), make_case("AUTH-003.third"))
        document = fidelity(a, b)
        assert outcomes(document) == dict.fromkeys((ONE, TWO, "AUTH-003.third"), "not_compared")
        assert [row["verdicts"] for row in document["cases"][1:]] == [["pass", None], [None, "pass"]]
        assert exit_status(document) == 3

    def test_they_are_counted(self, record: Record) -> None:
        a = record("a", make_case(ONE), make_case(TWO), make_case("AUTH-003.third"))
        b = record("b", make_case(ONE), make_case(TWO, "fail"))
        summary = fidelity(a, b)["summary"]
        counted = {
            word: summary[word] for word in ("cases", "agrees", "differs", "undecided", "not_compared")
        }
        assert counted == {"cases": 3, "agrees": 1, "differs": 1, "undecided": 0, "not_compared": 1}


class TestTimes:
    def test_of_the_same_windows_are_subtracted(self, record: Record) -> None:
        a = record("a", timed(window("it speaks 3.000 s to 3.500 s after frame 3", 3120.5)))
        b = record("b", timed(window("it speaks 2.980 s to 3.500 s after frame 4", 3001.0)))
        document = fidelity(a, b)
        assert document["cases"][0]["times"] == [
            {
                "what": "it speaks 3.000 s to 3.500 s after frame 3",
                "after_ms": [3120.5, 3001.0],
                "difference_ms": -119.5,
            }
        ]

    def test_summed_up_over_all_cases(self, record: Record) -> None:
        real = [window("x", 10.0 * n) for n in range(1, 21)]
        model = [window("x", 0.0) for _ in range(20)]
        summary = fidelity(record("a", timed(*real)), record("b", timed(*model)))["summary"]
        assert (summary["times"], summary["median_ms"]) == (20, 105.0)
        assert (summary["p95_ms"], summary["largest_ms"]) == (200.0, 200.0)

    def test_what_never_came_on_one_side_has_no_difference(self, record: Record) -> None:
        a = record("a", timed(window("x", None, met=False), window("y", 1.0)))
        b = record("b", timed(window("x", 2.0), window("y", 4.0)))
        assert [time["difference_ms"] for time in fidelity(a, b)["cases"][0]["times"]] == [3.0]

    def test_windows_that_ask_for_something_else_end_the_comparison(self, record: Record) -> None:
        a = record("a", timed(window("x", 1.0), window("it yields", 1.0), window("z", 1.0)))
        b = record("b", timed(window("x", 1.0), window("it speaks", 1.0), window("z", 1.0)))
        assert [time["what"] for time in fidelity(a, b)["cases"][0]["times"]] == ["x"]

    def test_a_record_of_before_times_were_kept_has_none(self, record: Record) -> None:
        old = timed({"from_ms": 0.0, "to_ms": 1.0, "summary": "x", "met": True})
        assert fidelity(record("a", old), record("b", old))["summary"]["times"] == 0

    def test_a_case_without_a_time_line_has_none(self, record: Record) -> None:
        a, b = (record(name, make_case(ONE, timeline=None)) for name in "ab")
        summary = fidelity(a, b)["summary"]
        assert (summary["times"], summary["median_ms"], summary["largest_ms"]) == (0, None, None)


def test_the_document_keeps_its_schema(record: Record) -> None:
    a = record("a", timed(window("x", 1.0)), make_case(TWO, "not_applicable"))
    b = record("b", timed(window("x", 1.0)))
    schema.validate(fidelity(a, b), "fidelity")


def test_a_folder_without_a_run_is_told(record: Record, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"holds neither results\.json nor results\.jsonl"):
        fidelity(record("a", make_case()), tmp_path)


class TestPrinted:
    def test_differences_first_with_what_both_said(
        self, record: Record, capsys: pytest.CaptureFixture[str]
    ) -> None:
        a = record("a", timed(window("x", 1500.0)), make_case(TWO, "error"))
        b = record("b", timed(window("x", 1250.0), verdict="fail"), make_case(TWO))
        print_fidelity(fidelity(a, b))
        said = capsys.readouterr().out
        assert (
            f"{ONE} differ\n  ucarp: pass: a became MASTER after 3.640 s\n  ucarp: fail: The BACKUP" in said
        )
        assert f"{TWO} undecided on one side\n  ucarp: error: The target did not start" in said
        assert "1.500 s" in said
        assert "-0.250 s" in said
        assert "2 cases of ucarp and ucarp: 1 differ, 1 undecided on one side" in said
        assert "1 times measured on both: they differ by 250.0 ms (median)" in said

    def test_without_a_time(self, record: Record, capsys: pytest.CaptureFixture[str]) -> None:
        a, b = (record(name, make_case(ONE, "not_applicable")) for name in "ab")
        print_fidelity(fidelity(a, b))
        assert capsys.readouterr().out == "\n1 cases of ucarp and ucarp: 1 agree\n"


def test_two_runs_of_a_model_agree_to_the_nanosecond(tmp_path: Path) -> None:
    folders = []
    for name in ("a", "b"):
        order = Order("model:ucarp", ("TIMER-009", "ARP-006"), 1, tmp_path / name, None, quiet=True)
        folders.append(run(order, [])[1])
    document = fidelity(*folders)
    assert document["summary"]["differs"] == document["summary"]["undecided"] == 0
    assert document["summary"]["times"] > 3
    assert document["summary"]["largest_ms"] == 0
    assert exit_status(document) == 0
