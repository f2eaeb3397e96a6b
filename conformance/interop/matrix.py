"""The matrix: every scenario of every ordered pair, on several lanes, as one document."""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import permutations
from multiprocessing import connection
from pathlib import Path
from typing import Any

import conformance
from conformance.interop.cell import VERDICTS, Task, cell
from conformance.interop.participant import Participant, participants
from conformance.interop.scenario import Scenario
from conformance.interop.scenarios import chosen

CONFORMS, FAILED, UNDECIDED = 0, 1, 3
LANES_PER_CORE = 4
"""On a real clock cells wait more than they work."""
Progress = Callable[[Mapping[str, Any], int, int], None]


def matrix(
    targets: Sequence[str],
    scenarios: Sequence[str] = (),
    out: Path | None = None,
    *,
    rung: str | None = None,
    runs: int = 1,
    lanes: int | None = None,
    machine: Mapping[str, Any] | None = None,
    commit: str | None = None,
    progress: Progress = lambda _cell, _done, _total: None,
) -> dict[str, Any]:
    """Runs the scenarios (all if none is named) over all ordered pairs of ``targets``, an implementation alone with itself; returns the document.

    With ``out`` it writes ``results.json`` and ``evidence/`` there. ``machine`` and ``commit`` say what it ran on and of what suite. Raises :class:`UnknownTarget`,
    :class:`UnknownScenario`, :class:`NoCommonRung`.
    """
    picked = chosen(tuple(scenarios))
    cast = participants(targets, rung)
    where = cast[0].target.profile.rung
    started = _now()
    tasks = [
        Task(one, a, b, where, runs, out, Path(tempfile.gettempdir()) / "carp-conformance-locks")
        for one in picked
        for a, b in pairs(cast)
    ]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    cells = _cells(tasks, lanes, progress, virtual=where == "sim")
    document = {
        "schema": 1,
        "suite": {"name": "carp-conformance", "version": conformance.__version__, "commit": commit},
        "rung": where,
        "machine": dict(machine or {}),
        "started": started,
        "ended": _now(),
        "runs": runs,
        "implementations": [_implementation(one, cells) for one in cast],
        "scenarios": [_scenario(one) for one in picked],
        "cells": cells,
        "summary": {verdict: sum(row["verdict"] == verdict for row in cells) for verdict in VERDICTS},
    }
    if out is not None:
        write(document, out)
    return document


def pairs(cast: Sequence[Participant]) -> list[tuple[Participant, Participant]]:
    """All ordered pairs of different implementations; each with itself, too, as the control that tells a bad pair from a bad member."""
    return [*((one, one) for one in cast), *permutations(cast, 2)]


def exit_status(document: Mapping[str, Any]) -> int:
    """0: all as predicted; 1: a failure or a surprise; 3: something could not be decided."""
    summary = document["summary"]
    if summary["fail"] or summary["surprise"]:
        return FAILED
    return UNDECIDED if summary["inconclusive"] or summary["error"] else CONFORMS


def write(document: Mapping[str, Any], folder: Path) -> None:
    """Writes ``results.json`` whole or not at all."""
    whole = folder / "results.json.new"
    whole.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    whole.replace(folder / "results.json")


def _cells(
    tasks: Sequence[Task],
    lanes: int | None,
    progress: Progress,
    *,
    virtual: bool,
) -> list[dict[str, Any]]:
    """The rows of all tasks, in their order."""
    cores = os.cpu_count() or 1
    count = min(lanes or (cores if virtual else LANES_PER_CORE * cores), len(tasks))
    rows: dict[int, dict[str, Any]] = {}
    for place, row in _serially(tasks) if count <= 1 else side_by_side(tasks, count, cell):
        rows[place] = row
        progress(row, len(rows), len(tasks))
    return [rows[place] if place in rows else lost(task) for place, task in enumerate(tasks)]


def _serially(tasks: Sequence[Task]) -> Iterator[tuple[int, dict[str, Any]]]:
    return ((place, cell(task)) for place, task in enumerate(tasks))


def side_by_side(
    tasks: Sequence[Task],
    count: int,
    do: Callable[[Task], dict[str, Any]],
) -> Iterator[tuple[int, dict[str, Any]]]:
    """What ``do`` makes of each task, as it comes, from ``count`` processes; a process that dies leaves out the task that it was at.

    The processes are forked: what a third party's target holds need not be picklable.
    """
    fork = multiprocessing.get_context("fork")
    todo: Any = fork.Value("i", 0)
    pipes, lanes = [], []
    for _ in range(count):
        mine, theirs = fork.Pipe(duplex=False)
        lane = fork.Process(target=_lane, args=(tasks, todo, theirs, do), daemon=True)
        lane.start()
        theirs.close()
        pipes.append(mine)
        lanes.append(lane)
    while pipes:
        for pipe in connection.wait(pipes):
            assert isinstance(pipe, connection.Connection)
            try:
                yield pipe.recv()
            except EOFError:
                pipes.remove(pipe)
    for lane in lanes:
        lane.join()


def _lane(
    tasks: Sequence[Task],
    todo: Any,
    out: connection.Connection,
    do: Callable[[Task], dict[str, Any]],
) -> None:
    while True:
        with todo.get_lock():
            place = todo.value
            todo.value += 1
        if place >= len(tasks):
            return
        out.send((place, do(tasks[place])))


def lost(task: Task) -> dict[str, Any]:
    """The row of a cell whose process died."""
    return {
        "id": task.id, "a": task.a.name, "b": task.b.name, "scenario": task.scenario.name, "predicted": "not_predicted", "observed": "error",
        "verdict": "error", "reason": "the process that ran this cell died", "hazards": [], "expected": None, "service_gap_ms": None,
        "no_master_ms": None, "dual_master_ms": None, "connections_lost": None, "evidence": None, "runs": [], "timeline": None, "detail": "",
    }  # fmt: skip


def _implementation(one: Participant, cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "dialect": one.dialect.key,
        "origin": one.target.profile.origin,
        "family": one.family,
        "fails_against_everyone": _fails_against_everyone(one.name, cells),
    }


def _fails_against_everyone(name: str, cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """The scenarios in which no pair with it converges: still failures of those pairs, never "unsupported"."""
    by_scenario: dict[str, list[str]] = {}
    for row in cells:
        if name in (row["a"], row["b"]) and row["verdict"] != "not_applicable":
            by_scenario.setdefault(row["scenario"], []).append(row["verdict"])
    return [scenario for scenario, verdicts in by_scenario.items() if set(verdicts) == {"fail"}]


def _scenario(one: Scenario) -> dict[str, Any]:
    return {"name": one.name, "title": one.title, "told": one.told, "nodes": len(one.machines)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
