"""The matrix: its document, its lanes, its exit status; and the machine locks."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.interop import matrix as module
from conformance.interop.cell import Task
from conformance.interop.lock import held
from conformance.interop.matrix import exit_status, lost, matrix, side_by_side
from conformance.interop.nightly import Part, nightly
from conformance.interop.order import MatrixOrder, pairs, trios
from conformance.interop.participant import Participant, participants
from conformance.interop.scenarios import chosen
from conformance.report.schema import validate
from conformance.report.site import build
from conformance.segment.trace import HostKind
from conformance.targets.model.administrator import Administrator

NAMES = ("model:openbsd", "model:freebsd")
VOLATILE = ("started", "ended")


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in VOLATILE}


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    return [Task(chosen(("join",))[0], a, b, "sim", 1, None, tmp_path) for a, b in pairs(participants(NAMES))]


class TestDocument:
    def test_it_keeps_its_schema_and_lands_in_the_folder(self, tmp_path: Path) -> None:
        told: list[tuple[int, int]] = []
        document = matrix(
            MatrixOrder(NAMES, ("join", "kill-v6")),
            tmp_path,
            lanes=1,
            commit="abc",
            progress=lambda _, done, total: told.append((done, total)),
        )
        validate(document, "matrix")
        assert json.loads((tmp_path / "results.json").read_text()) == document
        assert document["summary"]["pass"] == len(document["cells"]) == 8
        assert [(row["a"], row["b"]) for row in document["cells"][:4]] == [
            (x, y) for x, y in ((NAMES[0],) * 2, (NAMES[1],) * 2, NAMES, NAMES[::-1])
        ]
        assert told == [(number, 8) for number in range(1, 9)]
        assert exit_status(document) == 0

    def test_lanes_change_nothing(self) -> None:
        one, two = (matrix(MatrixOrder(NAMES, ("join", "demote")), lanes=lanes) for lanes in (1, 2))
        assert without_times(one) == without_times(two)
        assert one["summary"]["hazard"] == 1

    @pytest.mark.parametrize(
        ("summary", "status"),
        [
            ({}, 0),
            ({"hazard": 2}, 0),
            ({"fail": 1, "error": 1}, 1),
            ({"surprise": 1}, 1),
            ({"inconclusive": 1}, 3),
            ({"error": 1}, 3),
        ],
    )
    def test_exit_status(self, summary: dict[str, int], status: int) -> None:
        assert (
            exit_status(
                {"summary": dict.fromkeys(("fail", "surprise", "inconclusive", "error"), 0) | summary}
            )
            == status
        )

    def test_failing_with_everyone_stays_a_failure_and_is_said(self) -> None:
        rows = [
            {"a": a, "b": b, "scenario": "join", "verdict": verdict}
            for a, b, verdict in (
                ("x", "x", "fail"),
                ("x", "y", "fail"),
                ("y", "x", "fail"),
                ("y", "y", "pass"),
            )
        ]
        assert module.fails_against_everyone("x", rows) == ["join"]
        assert module.fails_against_everyone("y", rows) == []

    def test_trios_are_of_different_implementations(self) -> None:
        cast = participants((*NAMES, "model:ucarp"))
        assert len(trios(cast)) == 6 and all(len({one.name for one in trio}) == 3 for trio in trios(cast))
        document = matrix(MatrixOrder(NAMES, ("trio",)), lanes=1)
        assert document["cells"] == []


class TestSecrets:
    SECRET = "Tr0ub-dor"

    def test_a_password_that_a_machine_tells_is_in_no_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Planted where devices put their own words: version, facts of the machine, log lines, refusals."""
        honest = Administrator.told

        def told(self: Administrator, action: Any) -> Any:
            said = honest(self, action)
            return (
                (said[0], f"{said[1]} pass {TestSecrets.SECRET}")
                if said and said[0] in (HostKind.LOG, HostKind.SCRIPT)
                else said
            )

        def planted(order: MatrixOrder) -> list[Participant]:
            cast = participants(order.targets)
            for one in cast:
                target: Any = one.target
                target.profile = replace(target.profile, password=self.SECRET)
                target.environment = lambda: {"a": {"node": f"fw-{self.SECRET}", self.SECRET: ["x"]}}
            return [replace(one, version=f"1 on {self.SECRET}", machines=("a",)) for one in cast]

        monkeypatch.setattr(Administrator, "told", told)
        monkeypatch.setattr(MatrixOrder, "cast", planted)
        progressed: list[str] = []
        document = matrix(
            MatrixOrder(("model:ucarp",), ("join",)),
            tmp_path,
            lanes=1,
            progress=lambda row, _done, _total: progressed.append(json.dumps(row)),
        )
        validate(document, "matrix")
        (one,) = document["implementations"]
        assert one["version"] == "1 on [removed]"
        assert one["machines"] == {"a": {"node": "fw-[removed]", "[removed]": ["x"]}}
        assert any("pass [removed]" in row for row in progressed)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert {path.suffix for path in files} == {".json", ".pcapng"}
        assert [path.name for path in files if self.SECRET.encode() in path.read_bytes()] == []


class TestLanes:
    def test_a_lane_that_dies_leaves_out_its_cell_alone(self, tasks: list[Task]) -> None:
        def die_at_one(task: Task) -> dict[str, Any]:
            if task is tasks[1]:
                os._exit(9)
            return {"id": task.id}

        assert dict(side_by_side(tasks, 2, die_at_one)).keys() == {0, 2, 3}

    def test_its_cell_is_an_error(self, tasks: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
        row = lost(tasks[1])
        assert (row["verdict"], row["reason"]) == ("error", "the process that ran this cell died")
        monkeypatch.setattr(module, "cell", lambda task: os._exit(9))
        document = matrix(MatrixOrder(NAMES, ("join",)), lanes=2)
        validate(document, "matrix")
        assert document["summary"]["error"] == 4 and exit_status(document) == 3


def _hold(folder: Path, held_it: Any, go_on: Any) -> None:
    with held(["a", "b"], folder):
        held_it.set()
        go_on.wait()


class TestLocks:
    def test_a_machine_is_used_by_one_at_a_time(self, tmp_path: Path) -> None:
        fork = multiprocessing.get_context("fork")
        first_has, first_goes, second_has, second_goes = (fork.Event() for _ in range(4))
        first = fork.Process(target=_hold, args=(tmp_path, first_has, first_goes))
        first.start()
        assert first_has.wait(20)
        second = fork.Process(target=_hold, args=(tmp_path, second_has, second_goes))
        second.start()
        with held(["c"], tmp_path):
            assert not second_has.wait(0.2)
        first_goes.set()
        assert second_has.wait(20)
        second_goes.set()
        for one in (first, second):
            one.join(20)
            assert one.exitcode == 0


class TestNight:
    def test_parts_run_and_the_site_shows_all_nights(self, tmp_path: Path) -> None:
        status, skipped = nightly(
            tmp_path / "nights", tmp_path / "site", build, parts=[Part("sim", NAMES, ("join",))]
        )
        assert (status, skipped) == (0, [])
        assert (tmp_path / "site" / "index.html").is_file()
        assert len(list((tmp_path / "nights").rglob("results.json"))) == 1

    def test_what_cannot_run_here_is_skipped_with_its_remedy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("conformance.lab.netns.may_create", lambda: True)
        monkeypatch.setattr("conformance.targets.ucarp.target.shutil.which", lambda *_a, **_k: None)
        status, skipped = nightly(
            tmp_path / "nights", tmp_path / "site", build, parts=[Part("netns", ("ucarp",))]
        )
        assert status == 3 and "apt-get install ucarp" in skipped[0].remedies
        assert not (tmp_path / "site").exists()
