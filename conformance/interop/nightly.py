"""A night: the matrix of whatever of the target list can run here, the site over all nights kept, one exit status."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.interop.matrix import exit_status, matrix
from conformance.interop.order import MatrixOrder
from conformance.targets.registry import find

Site = Callable[[Sequence[Path], Path], Sequence[Path]]


@dataclass(frozen=True, slots=True)
class Part:
    """One matrix of a night: implementations that meet on one rung."""

    rung: str
    targets: tuple[str, ...]
    scenarios: tuple[str, ...] = ()
    runs: int = 1


MODELS = ("model:ucarp", "model:freebsd", "model:freebsd-legacy", "model:openbsd")
PARTS: tuple[Part, ...] = (
    Part("sim", MODELS, runs=3),
    Part("netns", ("ucarp", "model:freebsd", "model:openbsd"), runs=1),
)
"""What a night runs."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part that this machine cannot run, and what would mend it."""

    part: Part
    remedies: tuple[str, ...]


def nightly(
    nights: Path,
    out: Path,
    site: Site,
    *,
    parts: Sequence[Part] = PARTS,
    lanes: int | None = None,
    machine: Mapping[str, Any] | None = None,
    commit: str | None = None,
) -> tuple[int, list[Skipped]]:
    """Runs every part that can run here into a new folder below ``nights`` and has ``site`` (:func:`conformance.report.site.build`) build the site of all nights in ``out``.

    Returns the worst exit status of the parts (1 before 3 before 0; 3 if none could run) and what was skipped.
    """
    folder = nights / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    statuses, skipped = [], []
    for part in parts:
        remedies = tuple(remedy for name in part.targets for _, remedy in find(name).lacks())
        if remedies:
            skipped.append(Skipped(part, remedies))
            continue
        document = matrix(
            MatrixOrder(part.targets, part.scenarios, part.rung, part.runs),
            folder / part.rung,
            lanes=lanes,
            machine=machine,
            commit=commit,
        )
        statuses.append(exit_status(document))
    kept = (
        [one for one in sorted(nights.iterdir()) if any(one.rglob("results.json"))] if nights.is_dir() else []
    )
    if kept:
        site(kept, out)
    return _worst(statuses), skipped


def _worst(statuses: Sequence[int]) -> int:
    return next((status for status in (1, 3, 0) if status in statuses), 3)
