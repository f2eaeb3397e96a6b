"""A cell of the matrix: a scenario of an ordered pair, run several times, held against its prediction, as a document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from conformance.interop.lock import held
from conformance.interop.participant import Participant
from conformance.interop.predict import Predicted, Prediction, predict
from conformance.interop.run import Observed, Ran, run
from conformance.interop.scenario import Scenario

VERDICTS = ("pass", "hazard", "fail", "surprise", "inconclusive", "error", "not_applicable")
"""The verdicts of a cell, see :data:`conformance.report.site.words.LEGEND`."""
_SIMULATED_SEED = 1_000


@dataclass(frozen=True, slots=True)
class Task:
    """What one worker does: all runs of a cell. ``out`` is the folder of the matrix, ``locks`` that of the machine locks."""

    scenario: Scenario
    a: Participant
    b: Participant
    rung: str
    runs: int
    out: Path | None
    locks: Path

    @property
    def cast(self) -> Mapping[str, Participant]:
        """The implementations by role."""
        return {"A": self.a, "B": self.b}

    @property
    def id(self) -> str:
        """The cell's name, fit for a file: ``kill--freebsd--openbsd``."""
        return "--".join(
            re.sub(r"[^A-Za-z0-9._-]+", "-", part) for part in (self.scenario.name, self.a.name, self.b.name)
        )


def cell(task: Task) -> dict[str, Any]:
    """Predicts and runs a cell; its row of the ``matrix`` document. The worst run decides what is observed."""
    prediction = predict(task.scenario, task.cast, task.rung)
    runs: list[Ran] = []
    if prediction.outcome is not Predicted.NOT_APPLICABLE:
        with held((*task.a.machines, *task.b.machines), task.locks):
            runs = [
                run(task.scenario, task.cast, task.rung, _SIMULATED_SEED + number, _evidence(task, number))
                for number in range(task.runs)
            ]
    verdict, reason = verdict_of(prediction, runs)
    shown = max(runs, key=lambda one: _BADNESS[one.observed], default=None)
    place = runs.index(shown) if shown is not None else 0
    return {
        "id": task.id,
        "a": task.a.name,
        "b": task.b.name,
        "scenario": task.scenario.name,
        "predicted": str(prediction.outcome),
        "observed": str(shown.observed) if shown is not None else "not_run",
        "verdict": verdict,
        "reason": reason,
        "hazards": [
            {"name": one.name, "what": one.what, "source": one.source, "certain": one.certain}
            for one in prediction.hazards
        ],
        "expected": _expected(prediction),
        "service_gap_ms": _median([one.service_ns for one in runs]),
        "no_master_ms": _median([one.measured.no_master_ns if one.measured else None for one in runs]),
        "dual_master_ms": _median([one.measured.dual_master_ns if one.measured else None for one in runs]),
        "connections_lost": _sum([one.connections_lost for one in runs]),
        "evidence": f"evidence/{task.id}.{place}.pcapng" if _was_written(task, place) else None,
        "runs": [_run_row(one, task, number) for number, one in enumerate(runs)],
        "timeline": shown.events if shown is not None else None,
        "detail": shown.detail if shown is not None else "",
    }


_BADNESS: Mapping[Observed, int] = {
    Observed.CONVERGES: 0, Observed.INCONCLUSIVE: 1, Observed.ERROR: 2, Observed.REFUSED: 3, Observed.FAILS: 4,
}  # fmt: skip


def verdict_of(prediction: Prediction, runs: Sequence[Ran]) -> tuple[str, str]:
    """The verdict of a cell and one sentence that says why."""
    if prediction.outcome is Predicted.NOT_APPLICABLE:
        return "not_applicable", prediction.reason
    worst = max(runs, key=lambda one: _BADNESS[one.observed])
    count = sum(one.observed is worst.observed for one in runs)
    times = f" ({count} of {len(runs)} runs)" if len(runs) > 1 else ""
    said = "; ".join(worst.faults)
    names = ", ".join(one.name for one in prediction.hazards)
    match worst.observed:
        case Observed.INCONCLUSIVE | Observed.ERROR:
            return str(worst.observed), said + times
        case Observed.CONVERGES if prediction.certain:
            return (
                "surprise",
                f"{', '.join(one.name for one in prediction.hazards if one.certain)} was predicted, and it converges{times}",
            )
        case Observed.CONVERGES if prediction.hazards:
            return "pass", f"{names} may show, and did not{times}"
        case Observed.CONVERGES:
            return "pass", f"converges as predicted{times}"
    if prediction.hazards:
        return "hazard", f"{names}: {said}{times}"
    return "fail", f"no hazard is known, and {said}{times}"


def _expected(prediction: Prediction) -> dict[str, Any] | None:
    if prediction.limits is None:
        return None
    limits, simulated = prediction.limits, prediction.simulated
    return {
        "no_master_ms": [_ms(limits.no_master_ns[0]), _ms(limits.no_master_ns[1])],
        "dual_master_ms": _ms(limits.dual_master_ns),
        "service_gap_ms": _ms(limits.service_ns),
        "simulated": {
            "observed": str(simulated.observed),
            "faults": list(simulated.faults),
            "no_master_ms": _ms(simulated.measured.no_master_ns) if simulated.measured else None,
            "dual_master_ms": _ms(simulated.measured.dual_master_ns) if simulated.measured else None,
            "service_gap_ms": _ms(simulated.service_ns) if simulated.service_ns is not None else None,
        }
        if simulated is not None
        else None,
    }


def _run_row(one: Ran, task: Task, number: int) -> dict[str, Any]:
    return {
        "observed": str(one.observed),
        "faults": list(one.faults),
        "service_gap_ms": _ms(one.service_ns) if one.service_ns is not None else None,
        "no_master_ms": _ms(one.measured.no_master_ns) if one.measured else None,
        "dual_master_ms": _ms(one.measured.dual_master_ns) if one.measured else None,
        "noise_ms": _ms(one.noise_ns),
        "evidence": f"evidence/{task.id}.{number}.pcapng" if _was_written(task, number) else None,
    }


def _evidence(task: Task, number: int) -> Path | None:
    return None if task.out is None else task.out / "evidence" / f"{task.id}.{number}.pcapng"


def _was_written(task: Task, number: int) -> bool:
    path = _evidence(task, number)
    return path is not None and path.exists()


def _median(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _ms(int(median(known))) if known else None


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _ms(duration_ns: int) -> float:
    return round(duration_ns / 1e6, 3)
