"""The matrix: every scenario of every ordered pair, on several lanes, as one document."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial, reduce
from multiprocessing import connection
from pathlib import Path
from typing import Any

import conformance
from conformance.interop.cell import Task, cell
from conformance.interop.order import MatrixOrder, tasks
from conformance.interop.participant import Participant, rung_of
from conformance.interop.scenario import Scenario
from conformance.interop.scenarios import chosen
from conformance.interop.verdict import VERDICTS
from conformance.report.certificate.secrets import cleaned
from conformance.report.private import Clean, cell_without_password, cleaner_of
from conformance.targets.protocol import PUBLIC_PASSWORD

CONFORMS, FAILED, UNDECIDED = 0, 1, 3
LANES_PER_CORE = 4
"""On a real clock cells wait more than they work."""
Take = Callable[[int, dict[str, Any]], None]
Runner = Callable[[Sequence[Task], Take], None]
"""Does the cells and hands their rows over as they come, each with the place of its task."""
Progress = Callable[[Mapping[str, Any], int, int], None]


def matrix(
    order: MatrixOrder,
    out: Path | None = None,
    *,
    run: Runner | None = None,
    lanes: int | None = None,
    machine: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    commit: str | None = None,
    progress: Progress = lambda _cell, _done, _total: None,
) -> dict[str, Any]:
    """Runs the scenarios over all ordered pairs (and trios) of the implementations; returns the document.

    With ``out`` it writes ``results.json`` and ``evidence/`` there. ``run`` does the cells elsewhere; without it ``lanes`` processes of this host do.
    ``machine``, ``versions`` (of implementations, where they are not this host's) and ``commit`` say what it ran on and of what suite.
    Raises :class:`UnknownTarget`, :class:`UnknownScenario`, :class:`NoCommonRung`.
    """
    cast = order.cast()
    todo = tasks(order, cast, out)
    where = rung_of(cast)
    started = _now()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    clean = _cleaner(cast)
    cells = _cells(
        todo,
        run or partial(here, lanes=lanes, virtual=where == "sim"),
        progress,
        lambda row: cell_without_password(row, clean, out) if clean else row,
    )
    document = {
        "schema": 1,
        "suite": {"name": "carp-conformance", "version": conformance.__version__, "commit": commit},
        "rung": where,
        "machine": dict(machine or {}),
        "started": started,
        "ended": _now(),
        "runs": order.runs,
        "implementations": [_implementation(one, versions or {}, cells, clean or str) for one in cast],
        "scenarios": [_scenario(one) for one in chosen(order.scenarios)],
        "cells": cells,
        "summary": {verdict: sum(row["verdict"] == verdict for row in cells) for verdict in VERDICTS},
    }
    if out is not None:
        write(document, out)
    return document


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


def _cleaner(cast: Sequence[Participant]) -> Clean | None:
    """What takes the passwords of all implementations out of a text; None if they are public."""
    each = [cleaner_of(one.target.profile.password, PUBLIC_PASSWORD) for one in cast]
    hidden = [clean for clean in each if clean is not None]
    return (lambda text: reduce(lambda said, clean: clean(said), hidden, text)) if hidden else None


def _cells(
    todo: Sequence[Task], run: Runner, progress: Progress, kept: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of all tasks, in their order, as ``kept`` leaves them."""
    rows: dict[int, dict[str, Any]] = {}

    def take(place: int, row: dict[str, Any]) -> None:
        rows[place] = kept(row)
        progress(rows[place], len(rows), len(todo))

    run(todo, take)
    return [rows[place] if place in rows else lost(task) for place, task in enumerate(todo)]


def here(todo: Sequence[Task], take: Take, *, lanes: int | None, virtual: bool) -> None:
    """A :data:`Runner`: the cells on this host, side by side if that pays."""
    cores = os.cpu_count() or 1
    count = min(lanes or (cores if virtual else LANES_PER_CORE * cores), len(todo))
    for place, row in _serially(todo) if count <= 1 else side_by_side(todo, count, cell):
        take(place, row)


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
        "id": task.id, "a": task.a.name, "b": task.b.name, "c": None if task.c is None else task.c.name, "scenario": task.scenario.name, "predicted": "not_predicted", "observed": "error",
        "verdict": "error", "reason": "the process that ran this cell died", "hazards": [], "expected": None, "service_gap_ms": None,
        "no_master_ms": None, "dual_master_ms": None, "connections_lost": None, "evidence": None, "runs": [], "timeline": None, "detail": "",
    }  # fmt: skip


def _implementation(
    one: Participant, versions: Mapping[str, str], cells: Sequence[Mapping[str, Any]], clean: Clean
) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": clean(versions.get(one.name, one.version)),
        "dialect": one.dialect.key,
        "origin": one.target.profile.origin,
        "family": one.family,
        "machines": cleaned(one.examined(), clean),
        "fails_against_everyone": fails_against_everyone(one.name, cells),
    }


def fails_against_everyone(name: str, cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """The scenarios in which no pair with it converges: still failures of those pairs, never "unsupported"."""
    by_scenario: dict[str, list[str]] = {}
    for row in cells:
        if name in (row["a"], row["b"], row.get("c")) and row["verdict"] != "not_applicable":
            by_scenario.setdefault(row["scenario"], []).append(row["verdict"])
    return [scenario for scenario, verdicts in by_scenario.items() if set(verdicts) == {"fail"}]


def _scenario(one: Scenario) -> dict[str, Any]:
    return {"name": one.name, "title": one.title, "told": one.told, "nodes": len(one.machines)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
