"""``run``: runs the cases of a target in lanes and leaves the folder of the run."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest
from rich.console import Console

import conformance
from conformance.catalogue import Catalogue, load
from conformance.commands.collect import CONFIGURATION, SUITE, cases, check_selection, plain_pytest
from conformance.commands.environment import commit, environment
from conformance.commands.errors import UNDECIDED, CommandError
from conformance.commands.machines import Machines, Ready, machines
from conformance.commands.progress import LiveProgress, Progress
from conformance.commands.published import published
from conformance.commands.workers import nursery
from conformance.report import ctrf, html, junit, results, schema
from conformance.report.private import Clean, cleaner_of
from conformance.report.resuming import OlderRun, may_resume
from conformance.segment.decision import NotApplicable
from conformance.suite.cases import Case, applicability, is_selected
from conformance.suite.record import record
from conformance.targets.admission import ADMITTED
from conformance.targets.protocol import PUBLIC_PASSWORD, Target

LANES_PER_CORE = 48
Document = dict[str, Any]
_ADMITTED = SimpleNamespace(__name__=ADMITTED)
"""Tells the plugin that this command has listened on the segment already, or made it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for."""

    target: str
    select: tuple[str, ...] = ()
    lanes: int | None = None
    out: Path | None = None
    resume: Path | None = None
    quiet: bool = False
    machines: Machines = field(default_factory=Machines)


class Recorder:
    """The controller's side of a run: appends each case to ``results.jsonl`` as it ends."""

    def __init__(self, lines: IO[str], planned: Mapping[str, Case], progress: Progress, target: str) -> None:
        self._lines, self._planned, self._progress, self.target = lines, planned, progress, target
        self.broken: list[str] = []
        self.recorded: set[str] = set()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._progress.started(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        row = getattr(report, "carp", None)
        if row is not None:
            self.keep(json.loads(row) if isinstance(row, str) else row)
        elif report.when not in ("setup", "call", "teardown"):
            self._crashed(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(str(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> None:
        self.broken.append(str(excrepr))

    def _crashed(self, report: pytest.TestReport) -> None:
        """A worker that died takes its case with it: the case is an error, the run goes on."""
        case = self._planned.get(report.nodeid)
        if case is not None:
            self.keep(lost(case, self.target, str(report.longrepr)))

    def keep(self, row: Mapping[str, Any]) -> None:
        """Takes the record of a case that has ended."""
        self.recorded.add(row["id"])
        self._lines.write(json.dumps({"record": "case"} | dict(row), ensure_ascii=False) + "\n")
        self._lines.flush()
        self._progress.ended(row)


def lost(case: Case, target: str, why: str) -> Document:
    """The record of a case whose worker died."""
    return {
        "id": case.id, "group": case.group, "title": case.title, "requirements": list(case.requirements), "verdict": "error",
        "reason": "the worker process that ran this case died", "expected": [], "actual": "", "duration_s": 0.0, "evidence": None, "frames": [],
        "deviation": None, "reproduce": f"carp-conformance run --target {target} '{case.id}'", "nodeid": case.nodeid, "source": case.source, "detail": why,
        "timeline": None, "rig": None,
    }  # fmt: skip


def run(order: Order, arguments: Sequence[str]) -> tuple[Document, Path]:
    """Carries out a run and returns its document and folder.

    Re-executes the command in a user namespace if it must and may (``arguments`` is the whole command line). Raises :class:`CommandError`.
    """
    catalogue = load()
    resumed = _resumed(order.resume) if order.resume else None
    name = resumed["target"]["name"] if resumed else order.target
    select = tuple(resumed["arguments"][3:]) if resumed else order.select
    known = cases(catalogue)
    check_selection(select, catalogue, known)
    with machines(name, order.machines, arguments) as ready:
        return _run(order, ready, select, known, resumed)


def _run(
    order: Order,
    ready: Ready,
    select: tuple[str, ...],
    known: Sequence[Case],
    resumed: Document | None,
) -> tuple[Document, Path]:
    catalogue, target = load(), ready.target
    folder = order.resume or _new_folder(order)
    decided = {case["id"] for case in resumed["cases"]} if resumed else set()
    planned = [case for case in known if is_selected(case, select) and case.id not in decided]
    most = 1 if target.profile.rung == "sim" else target.profile.max_lanes or len(planned)
    lanes = max(1, min(order.lanes or LANES_PER_CORE * (os.cpu_count() or 1), most, len(planned)))
    clean = cleaner_of(target.profile.password, PUBLIC_PASSWORD) or str
    target_version = clean(target.version())
    header = _header(
        target, target_version, catalogue, lanes, ["run", "--target", target.profile.name, *select]
    )
    started_s = time.monotonic()
    with (
        _lines(folder) as lines,
        contextlib.nullcontext()
        if order.quiet
        else LiveProgress(planned, lanes, _console(ready)) as progress,
    ):
        lines.write(json.dumps({"record": "run"} | header, ensure_ascii=False) + "\n")
        lines.flush()
        recorder = Recorder(
            lines, {case.nodeid: case for case in planned}, progress or _Silent(), target.profile.name
        )
        excluded = _not_applicable(planned, target)
        for case in excluded:
            recorder.keep(record(case, target.profile, None))
        if len(excluded) < len(planned):
            options = [*ready.options, "--target", target.profile.name]
            done = decided | {case.id for case in excluded}
            _pytest(recorder, options, folder, select, done, lanes, clean)
    document = results.finish(
        folder,
        ended=_now(),
        duration_s=time.monotonic() - started_s,
        catalogue=catalogue,
        expected=len(planned) + len(decided),
    )
    machine = environment(target, catalogue, target_version, document["rig"])
    _write(folder, document, machine | published(ready.options, clean))
    return document, folder


def _not_applicable(planned: Sequence[Case], target: Target) -> list[Case]:
    """Those of which the declarations say so, before anything is run: no lane has to be told."""
    reasons = [(case, applicability(case, target.profile, load())) for case in planned]
    return [replace(case, raised=NotApplicable(reason)) for case, reason in reasons if reason is not None]


def _console(ready: Ready) -> Console:
    """Where progress goes; it keeps still where a person is asked things on the same terminal."""
    return Console(file=sys.stderr, highlight=False, force_terminal=False if ready.asks else None)


class _Silent:
    def started(self, nodeid: str) -> None:
        pass

    def ended(self, row: Mapping[str, Any]) -> None:
        pass


def _resumed(folder: Path) -> Document:
    try:
        may_resume(folder)
        return results.load(folder)
    except (
        results.NoRun,
        OlderRun,
        results.UnreadableRun,
        results.UnknownRequirement,
        schema.InvalidDocument,
    ) as error:
        raise CommandError(f"--resume {folder}: {error}") from error


def _new_folder(order: Order) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = order.out or Path("reports") / f"{stamp}-{re.sub('[^A-Za-z0-9._-]', '-', order.target)}"
    if (folder / "results.jsonl").exists():
        raise CommandError(
            f"{folder} already holds a run: give another --out, or --resume {folder} to complete it"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(
            f"cannot make the folder {folder} ({error.strerror}): give another --out"
        ) from error
    return folder


def _lines(folder: Path) -> IO[str]:
    path = folder / "results.jsonl"
    cut = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    lines = path.open("a", encoding="utf-8")
    if cut:
        lines.write("\n")
    return lines


def _pytest(
    recorder: Recorder,
    options: Sequence[str],
    folder: Path,
    select: Sequence[str],
    decided: set[str],
    lanes: int,
    clean: Clean,
) -> None:
    arguments = [
        "-c",
        str(CONFIGURATION),
        "-p",
        "conformance.plugin",
        *options,
        "--out",
        str(folder.resolve()),
    ]
    for prefix in select:
        arguments += ["--select", prefix]
    for case_id in sorted(decided):
        arguments += ["--decided", case_id]
    said = io.StringIO()
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="carp-conformance-"))
        # In a user namespace everybody is root, and pytest would fall over the real root's folder in /tmp.
        stack.enter_context(plain_pytest(PYTEST_DEBUG_TEMPROOT=scratch))
        arguments.append(str(SUITE))
        if lanes > 1:
            workers = stack.enter_context(nursery(arguments, lanes))
            arguments = ["-c", str(CONFIGURATION), *workers, "--max-worker-restart", "8"]
        stack.enter_context(contextlib.redirect_stdout(said))
        status = pytest.main(arguments, plugins=[recorder, _ADMITTED])
    if status == pytest.ExitCode.INTERRUPTED and not recorder.broken:
        raise CommandError(
            f"interrupted; what was decided is kept: carp-conformance run --resume {folder}", UNDECIDED
        )
    if recorder.broken or status not in (
        pytest.ExitCode.OK,
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        tail = clean("\n".join(recorder.broken) or said.getvalue())
        raise CommandError(
            f"the run broke off; what was decided is kept in {folder}:\n{tail[-4000:]}", UNDECIDED
        )


def _header(
    target: Target, target_version: str, catalogue: Catalogue, lanes: int, arguments: Sequence[str]
) -> Document:
    profile = target.profile
    return {
        "schema": 1,
        "suite": {
            "name": "carp-conformance",
            "version": conformance.__version__,
            "commit": commit(),
            "catalogue": catalogue.digest(),
        },
        "target": {
            "name": profile.name,
            "dialect": profile.dialect.key,
            "rung": profile.rung,
            "version": target_version,
            "pics": dict(profile.pics),
        },
        "started": _now(),
        "lanes": lanes,
        "seed": None,
        "arguments": list(arguments),
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(folder: Path, document: Document, machine: Document) -> None:
    whole = folder / "results.json.part"
    whole.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
    whole.replace(folder / "results.json")
    (folder / "environment.json").write_text(json.dumps(machine, indent=1) + "\n", encoding="utf-8")
    (folder / "junit.xml").write_bytes(junit.junit(document))
    (folder / "ctrf.json").write_bytes(ctrf.ctrf(document))
    (folder / "index.html").write_text(html.html(document), encoding="utf-8")
