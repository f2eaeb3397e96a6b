"""The verdict of a cell: predicted against observed, in both directions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.interop.cell import Task, cell, verdict_of
from conformance.interop.predict import Named, Predicted, Prediction
from conformance.interop.run import Observed, Ran
from conformance.interop.scenarios import chosen
from tests.interop.conftest import Pair

GOOD, BAD = Ran(Observed.CONVERGES, ()), Ran(Observed.FAILS, ("two were MASTER",))
MAY, MUST = Named("tie", "", "", certain=False), Named("split", "", "", certain=True)


def expecting(*hazards: Named) -> Prediction:
    return Prediction(Predicted.HAZARD if hazards else Predicted.CONVERGES, "", hazards, None, None)


@pytest.mark.parametrize(
    ("prediction", "runs", "verdict", "reason"),
    [
        (expecting(), [GOOD], "pass", "converges as predicted"),
        (expecting(), [GOOD, BAD], "fail", "no hazard is known, and two were MASTER (1 of 2 runs)"),
        (expecting(MAY), [BAD], "hazard", "tie: two were MASTER"),
        (expecting(MAY), [GOOD, GOOD], "pass", "tie may show, and did not (2 of 2 runs)"),
        (expecting(MUST), [GOOD], "surprise", "split was predicted, and it converges"),
        (expecting(MUST), [BAD], "hazard", "split: two were MASTER"),
        (expecting(), [Ran(Observed.INCONCLUSIVE, ("busy",)), GOOD], "inconclusive", "busy (1 of 2 runs)"),
        (expecting(), [Ran(Observed.ERROR, ("broke",))], "error", "broke"),
        (expecting(), [Ran(Observed.REFUSED, ("no",))], "fail", "no hazard is known, and no"),
    ],
)
def test_verdict(prediction: Prediction, runs: list[Ran], verdict: str, reason: str) -> None:
    assert verdict_of(prediction, runs) == (verdict, reason)


def test_a_cell_keeps_its_capture_its_numbers_and_its_time_line(pair: Pair, tmp_path: Path) -> None:
    cast = pair("openbsd", "freebsd")
    row = cell(Task(chosen(("kill",))[0], cast["A"], cast["B"], "sim", 2, tmp_path, tmp_path / "locks"))
    assert (row["verdict"], row["predicted"], row["observed"]) == ("pass", "converges", "converges")
    assert 3380 < row["no_master_ms"] < 3450 and row["dual_master_ms"] == 0 and row["service_gap_ms"] > 2000
    assert row["connections_lost"] > 20
    assert (tmp_path / row["evidence"]).read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert {event["kind"] for event in row["timeline"]["events"]} >= {"frame", "state", "action"}
    assert len(row["runs"]) == 2
    assert [event["node"] for event in row["timeline"]["events"] if event.get("state") == "gone"] == ["a"]


def test_what_a_driver_raises_is_the_cells_error(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("the switch is on fire")

    monkeypatch.setattr("conformance.interop.run.meeting", broken)
    cast = pair("openbsd", "freebsd")
    row = cell(Task(chosen(("kill",))[0], cast["A"], cast["B"], "sim", 1, None, tmp_path))
    assert (row["verdict"], row["reason"]) == (
        "error",
        "OSError: the switch is on fire",
    ) and "Traceback" in row["detail"]
    assert row["evidence"] is None


def test_what_an_implementation_refuses_is_a_failure(pair: Pair, tmp_path: Path) -> None:
    cast = pair("ucarp", "openbsd")
    demanding = replace(chosen(("demote",))[0], needs={})
    row = cell(Task(demanding, cast["A"], cast["B"], "sim", 1, None, tmp_path))
    assert (row["observed"], row["verdict"]) == ("refused", "fail")
