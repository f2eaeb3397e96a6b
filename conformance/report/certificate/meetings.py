"""Checks what a matrix recorded of a product's pairs against the captures of their runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from conformance.report.certificate.capture import DamagedCapture

FOLDER: Final = "interop/"
"""Where the captures of pairs are in a bundle."""

Measure = Callable[[bytes, Mapping[str, Any]], Mapping[str, Any]]
"""``masters``, ``no_master_ms``, ``dual_master_ms`` and ``flapping`` of a run, from its capture and its ``basis``. Raises :class:`DamagedCapture`, :class:`ValueError`."""

_MEASURED: Final = ("masters", "no_master_ms", "dual_master_ms")
_WORST_FIRST: Final = ("fail", "surprise", "error", "inconclusive", "hazard", "pass", "not_applicable")


class Remeasured(Enum):
    """Whether a run of a pair could be measured again."""

    AGAIN = "were measured again in their captures: who was MASTER at the end, how long nobody was, how long two were"
    UNTOLD = "have a capture, but the results do not say what they were measured with"
    WITHOUT = "have no capture"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and with which file of the bundle."""

    file: str
    text: str


def named(interop: Mapping[str, Any] | None) -> list[str]:
    """The captures that the runs of ``interop`` name."""
    cells = (interop or {"cells": ()})["cells"]
    return [run["evidence"] for cell in cells for run in cell.get("runs", ()) if run["evidence"] is not None]


def check(
    interop: Mapping[str, Any] | None, files: Mapping[str, bytes], damaged: Collection[str], measure: Measure
) -> tuple[dict[Remeasured, int], list[Problem]]:
    """How many runs could be measured again, and what contradicts the matrix. ``damaged`` are files whose damage is known already."""
    counts = dict.fromkeys(Remeasured, 0)
    problems: list[Problem] = []
    for cell in (interop or {"cells": ()})["cells"]:
        runs = cell.get("runs", ())
        said = min((run["verdict"] for run in runs), key=_WORST_FIRST.index, default=cell["verdict"])
        if said != cell["verdict"]:
            problems.append(
                Problem(
                    "interop.json", f"{_name(cell)}: its runs come to {said!r}, it says {cell['verdict']!r}"
                )
            )
        for run in runs:
            how, found = _run(cell, run, files, damaged, measure)
            counts[how] += 1
            problems += found
    known = {*named(interop)}
    problems += [
        Problem(path, "no pair names this capture")
        for path in sorted(files)
        if path.startswith(FOLDER) and path not in known
    ]
    return counts, problems


def _run(
    cell: Mapping[str, Any], run: Mapping[str, Any], files: Mapping[str, bytes], damaged: Collection[str], measure: Measure
) -> tuple[Remeasured, list[Problem]]:  # fmt: skip
    path, basis = run["evidence"], run["basis"]
    if path is None:
        return Remeasured.WITHOUT, []
    if path not in files:
        missing = [] if path in damaged else [Problem(path, f"{_name(cell)} names it, and it is missing")]
        return Remeasured.WITHOUT, missing
    if basis is None:
        return Remeasured.UNTOLD, []
    try:
        again = measure(files[path], basis)
    except (DamagedCapture, ValueError, KeyError, TypeError, OverflowError) as error:
        return Remeasured.UNTOLD, [Problem(path, f"{_name(cell)} cannot be measured again: {error}")]
    return Remeasured.AGAIN, [
        Problem(path, f"{_name(cell)}: {text}") for text in _contradictions(cell, run, again)
    ]


def _contradictions(
    cell: Mapping[str, Any], run: Mapping[str, Any], again: Mapping[str, Any]
) -> Iterator[str]:
    for what in _MEASURED:
        if again[what] != run[what]:
            yield f"{what} is {again[what]} in its capture, the results say {run[what]}"
    if run["verdict"] != "pass" or cell["hazards"] or cell["expected"] is None:
        return
    # A pair of which no hazard is predicted passes only if it converges, and that the wire shows.
    limits = cell["expected"]
    for what, most in (
        ("no_master_ms", limits["no_master_ms"][1]),
        ("dual_master_ms", limits["dual_master_ms"]),
    ):
        if again[what] > most:
            yield f"{what} is {again[what]} in its capture, at most {most} was expected, and the results say pass"
    for vhid, machines in again["masters"].items():
        if len(machines) != 1:
            yield f"{len(machines)} machines are MASTER of vhid {vhid} at the end, and the results say pass"
    if again["flapping"]:
        yield "mastership went to and fro, and the results say pass"


def _name(cell: Mapping[str, Any]) -> str:
    return f"{cell['scenario']} of {cell['a']} and {cell['b']}"
