"""The verdict of a cell: predicted against observed, in both directions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.interop.cell import Task, cell
from conformance.interop.participant import participants
from conformance.interop.run import Observed, run
from conformance.interop.scenarios import chosen
from tests.interop.conftest import Pair


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


def test_a_hazard_says_what_it_looks_like_and_in_how_many_runs_it_was_seen(
    pair: Pair, tmp_path: Path
) -> None:
    cast = pair("freebsd", "ucarp")
    row = cell(Task(chosen(("alias-on-a",))[0], cast["A"], cast["B"], "sim", 2, None, tmp_path))
    (hazard,) = row["hazards"]
    low, high = hazard["looks"]["dual_master_ms"]
    assert 5000 < low <= row["dual_master_ms"] <= high < 16_000
    assert hazard["looks"]["masters"] == {"among": ["a", "b"], "least": 2, "most": 2}
    assert hazard["seen"] == 2 and [one["verdict"] for one in row["runs"]] == ["hazard", "hazard"]


def test_a_trio_has_three_implementations(tmp_path: Path) -> None:
    a, b, c = participants(["model:freebsd-legacy", "model:openbsd", "model:ucarp"])
    task = Task(chosen(("trio-cascade",))[0], a, b, "sim", 1, tmp_path, tmp_path, c)
    row = cell(task)
    assert row["id"] == "trio-cascade--model-freebsd-legacy--model-openbsd--model-ucarp"
    assert (row["c"], row["verdict"]) == ("model:ucarp", "pass")
    assert 4000 < row["no_master_ms"] < 6400


def test_hosts_that_serve_nothing_are_not_asked(pair: Pair) -> None:
    """An emulated machine answers a connection later than a probe waits, and its PICS says so: that is no gap of service."""
    cast = dict(pair("openbsd", "freebsd"))
    profile = cast["B"].target.profile
    cast["B"].target.profile = replace(profile, pics={**profile.pics, "service": False})
    ran = run(chosen(("kill",))[0], cast, "sim", 1)
    assert ran.observed is Observed.CONVERGES and ran.service_ns is None and ran.connections_lost is None
