"""``matrix``, ``report matrix`` and ``nightly``: implementations in pairs, and the site of what became of them."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.commands.ability import enter_namespace
from conformance.commands.environment import commit
from conformance.commands.errors import UNDECIDED, CommandError
from conformance.interop.matrix import exit_status, matrix
from conformance.interop.nightly import nightly
from conformance.interop.participant import NoCommonRung, Participant, participants
from conformance.interop.scenarios import UnknownScenario
from conformance.report.schema import validate
from conformance.report.site import NoMatrix, build

__all__ = ["Order", "exit_status", "print_matrix", "run_matrix", "run_nightly", "write_site"]


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for. ``targets`` and ``scenarios`` are names; ``out`` is the folder (default: a new one under reports/)."""

    targets: tuple[str, ...]
    scenarios: tuple[str, ...] = ()
    out: Path | None = None
    rung: str | None = None
    runs: int = 1
    lanes: int | None = None
    quiet: bool = False

    @classmethod
    def of(
        cls,
        targets: str,
        scenarios: str | None,
        out: Path | None,
        rung: str | None,
        runs: int,
        lanes: int | None,
        *,
        quiet: bool,
    ) -> Order:
        """From the options of the command line, where names are parted by commas. Raises :class:`CommandError`."""
        names = _names(targets)
        if not names:
            raise CommandError(
                "--targets names nobody; give at least one, as in --targets ucarp,model:openbsd",
            )
        if len(set(names)) < len(names):
            raise CommandError(
                "--targets names an implementation twice; give each once: it is paired with itself anyway",
            )
        return cls(names, _names(scenarios or ""), out, rung, runs, lanes, quiet)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def run_matrix(order: Order, arguments: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """Runs the matrix and returns its document and folder; ``arguments`` is the whole command line, for a new start in a user namespace.

    Raises :class:`CommandError`, :class:`UnknownTarget`.
    """
    try:
        cast = participants(order.targets, order.rung)
    except NoCommonRung as error:
        raise CommandError(str(error)) from error
    _be_able(cast, arguments)
    folder = order.out or Path("reports") / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-matrix"
    if (folder / "results.json").exists():
        raise CommandError(f"{folder} holds the results of a matrix already; give another --out")
    try:
        document = matrix(
            order.targets, order.scenarios, folder, rung=order.rung, runs=order.runs, lanes=order.lanes, machine=machine(), commit=commit(),
            progress=_silent if order.quiet or not sys.stderr.isatty() else _tell,
        )  # fmt: skip
    except UnknownScenario as error:
        raise CommandError(str(error)) from error
    validate(document, "matrix")
    return document, folder


def _be_able(cast: Sequence[Participant], arguments: Sequence[str]) -> None:
    enter_namespace(cast[0].target.profile.rung, arguments)
    lacks = [f"{one.name}: {what}: {remedy}" for one in cast for what, remedy in one.target.lacks()]
    if lacks:
        raise CommandError("; ".join(lacks), UNDECIDED)


def machine() -> dict[str, Any]:
    """What the matrix runs on, as far as it could explain a change."""
    return {
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def write_site(folders: Sequence[Path], out: Path) -> list[Path]:
    """``report matrix``: the site of these folders. Raises :class:`CommandError`."""
    try:
        return build(folders, out)
    except NoMatrix as error:
        raise CommandError(str(error)) from error


def run_nightly(nights: Path, out: Path) -> int:
    """One night: into ``nights``, site in ``out``; prints what was skipped; returns the exit status. Raises :class:`CommandError`."""
    try:
        status, skipped = nightly(nights, out, build, machine=machine(), commit=commit())
    except NoMatrix as error:
        raise CommandError(str(error)) from error
    for one in skipped:
        print(
            f"skipped {', '.join(one.part.targets)} on {one.part.rung}: {'; '.join(one.remedies)}",
            file=sys.stderr,
        )
    return status


def print_matrix(document: Mapping[str, Any], folder: Path) -> None:
    """The summary for a terminal: what is red, what was predicted and shown, counts."""
    for verdict in ("fail", "surprise", "error", "inconclusive", "hazard"):
        for cell in document["cells"]:
            if cell["verdict"] == verdict:
                print(f"{verdict:12} {cell['scenario']}: {cell['a']} × {cell['b']}: {cell['reason']}")
    for one in document["implementations"]:
        for scenario in one["fails_against_everyone"]:
            print(f"{one['name']} fails with everyone: {scenario}")
    print(
        ", ".join(
            f"{count} {verdict.replace('_', ' ')}" for verdict, count in document["summary"].items() if count
        )
        + f"; {folder}",
    )


def _silent(_cell: Mapping[str, Any], _done: int, _total: int) -> None:
    pass


def _tell(cell: Mapping[str, Any], done: int, total: int) -> None:
    print(
        f"\r\x1b[K{done} of {total}: {cell['verdict']} {cell['id']}"[:110],
        end="\n" if done == total else "",
        file=sys.stderr,
        flush=True,
    )
