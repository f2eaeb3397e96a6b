"""A cell of the matrix: a scenario of an ordered pair, run several times, held against its prediction, as a document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from conformance.interop.lock import held
from conformance.interop.looks import Looks, Range
from conformance.interop.participant import Participant
from conformance.interop.predict import Named, Predicted, Prediction, predict
from conformance.interop.run import Ran, run
from conformance.interop.scenario import Scenario
from conformance.interop.verdict import Judged, cell_verdict, judged

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
    c: Participant | None = None

    @property
    def cast(self) -> Mapping[str, Participant]:
        """The implementations by role."""
        roles = {"A": self.a, "B": self.b}
        return roles if self.c is None else roles | {"C": self.c}

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that it needs for itself alone."""
        return tuple(sorted({name for one in self.cast.values() for name in one.machines}))

    @property
    def id(self) -> str:
        """The cell's name, fit for a file: ``kill--freebsd--openbsd``."""
        return "--".join(
            re.sub(r"[^A-Za-z0-9._-]+", "-", part)
            for part in (self.scenario.name, *(one.name for one in self.cast.values()))
        )


def cell(task: Task) -> dict[str, Any]:
    """Predicts and runs a cell; its row of the ``matrix`` document. The worst run decides what is observed."""
    prediction = predict(task.scenario, task.cast)
    runs: list[Ran] = []
    if prediction.outcome is not Predicted.NOT_APPLICABLE:
        with held(task.machines, task.locks):
            runs = [
                run(task.scenario, task.cast, task.rung, _SIMULATED_SEED + number, _evidence(task, number))
                for number in range(task.runs)
            ]
    verdicts = [judged(prediction, one) for one in runs]
    verdict, reason, place = cell_verdict(prediction, verdicts)
    shown = runs[place] if runs else None
    return {
        "id": task.id,
        "a": task.a.name,
        "b": task.b.name,
        "c": None if task.c is None else task.c.name,
        "scenario": task.scenario.name,
        "predicted": str(prediction.outcome),
        "observed": str(shown.observed) if shown is not None else "not_run",
        "verdict": verdict,
        "reason": reason,
        "hazards": [_hazard(one, verdicts) for one in prediction.hazards],
        "expected": _expected(prediction),
        "service_gap_ms": _median([one.service_ns for one in runs]),
        "no_master_ms": _median([one.measured.no_master_ns if one.measured else None for one in runs]),
        "dual_master_ms": _median([one.measured.dual_master_ns if one.measured else None for one in runs]),
        "connections_lost": _sum([one.connections_lost for one in runs]),
        "evidence": f"evidence/{task.id}.{place}.pcapng" if _was_written(task, place) else None,
        "runs": [_run_row(one, verdicts[number], task, number) for number, one in enumerate(runs)],
        "timeline": shown.events if shown is not None else None,
        "detail": shown.detail if shown is not None else "",
    }


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
            "faults": [one.text for one in simulated.faults],
            "no_master_ms": _ms(simulated.measured.no_master_ns) if simulated.measured else None,
            "dual_master_ms": _ms(simulated.measured.dual_master_ns) if simulated.measured else None,
            "service_gap_ms": _ms(simulated.service_ns) if simulated.service_ns is not None else None,
        }
        if simulated is not None
        else None,
    }


def _hazard(one: Named, verdicts: Sequence[Judged]) -> dict[str, Any]:
    return {
        "name": one.name,
        "what": one.what,
        "source": one.source,
        "certain": one.certain,
        "looks": _looks(one.looks),
        "seen": sum(one.name in verdict.seen for verdict in verdicts),
    }


def _looks(looks: Looks) -> dict[str, Any]:
    ends = looks.ends
    return {
        "masters": None
        if ends is None
        else {"among": sorted(ends.among), "least": ends.least, "most": ends.most},
        "no_master_ms": _range(looks.no_master_ns),
        "dual_master_ms": _range(looks.dual_master_ns),
        "service_gap_ms": _range(looks.service_ns),
        "flapping": looks.flapping,
        "refused": looks.refused,
    }


def _range(bounds_ns: Range | None) -> list[float] | None:
    return None if bounds_ns is None else [_ms(bounds_ns[0]), _ms(bounds_ns[1])]


def _run_row(one: Ran, verdict: Judged, task: Task, number: int) -> dict[str, Any]:
    return {
        "observed": str(one.observed),
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "faults": [fault.text for fault in one.faults],
        "masters": {str(vhid): sorted(hosts) for vhid, hosts in one.ends.items()},
        "service_gap_ms": _ms(one.service_ns) if one.service_ns is not None else None,
        "no_master_ms": _ms(one.measured.no_master_ns) if one.measured else None,
        "dual_master_ms": _ms(one.measured.dual_master_ns) if one.measured else None,
        "noise_ms": _ms(one.noise_ns),
        "evidence": f"evidence/{task.id}.{number}.pcapng" if _was_written(task, number) else None,
        "basis": one.basis,
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
