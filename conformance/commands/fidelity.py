"""``fidelity``: two runs of the same cases, one against an implementation and one against its model, case by
case: verdicts and measured times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from conformance.commands import errors
from conformance.commands.report import recorded

Document = dict[str, Any]
AGREES, DIFFERS, UNDECIDED, NOT_COMPARED = "agrees", "differs", "undecided", "not_compared"
_WORDS = {
    AGREES: "agree",
    DIFFERS: "differ",
    UNDECIDED: "undecided on one side",
    NOT_COMPARED: "run on one side only",
}
_NO_DECISION = ("inconclusive", "error")
_DURATION = re.compile(r"-?\d+(?:\.\d+)? m?s\b")
_SHOWN = 10


def fidelity(first: Path, second: Path) -> Document:
    """The document of ``fidelity --json`` for two run folders: for each case both verdicts, whether they agree,
    and the times (milliseconds) that both measured in the same windows.

    A case that the rig could not decide on one side is ``undecided``; one that does not apply to a side, or was
    not run there, is ``not_compared``. Raises :class:`CommandError`.
    """
    runs = [recorded(folder) for folder in (first, second)]
    sides = [{case["id"]: case for case in run["cases"]} for run in runs]
    ids = [*sides[0], *(id for id in sides[1] if id not in sides[0])]
    rows = [_row(id, sides[0].get(id), sides[1].get(id)) for id in ids]
    counts = {word: sum(row["outcome"] == word for row in rows) for word in _WORDS}
    return {
        "runs": [
            {"folder": str(folder), "target": run["target"], "suite": run["suite"], "started": run["started"]}
            for folder, run in zip((first, second), runs, strict=True)
        ],
        "cases": rows,
        "summary": {"cases": len(rows)} | counts | _differences(rows),
    }


def _row(id: str, one: Document | None, other: Document | None) -> Document:
    verdicts = [None if case is None else case["verdict"] for case in (one, other)]
    compared = one is not None and other is not None and "not_applicable" not in verdicts
    return {
        "id": id,
        "verdicts": verdicts,
        "outcome": _outcome(verdicts) if compared else _uncompared(verdicts),
        "reasons": [None if case is None else case["reason"] for case in (one, other)],
        "actual": [None if case is None else case["actual"] for case in (one, other)],
        "times": list(_times(one, other)) if one is not None and other is not None and compared else [],
    }


def _outcome(verdicts: Sequence[str | None]) -> str:
    if any(word in _NO_DECISION for word in verdicts):
        return UNDECIDED
    return AGREES if verdicts[0] == verdicts[1] else DIFFERS


def _uncompared(verdicts: Sequence[str | None]) -> str:
    return AGREES if verdicts[0] == verdicts[1] else NOT_COMPARED


def _times(one: Document, other: Document) -> Iterator[Document]:
    """The windows that both cases looked at, in their order; the text but for its numbers tells them apart."""
    for mine, theirs in zip(_windows(one), _windows(other), strict=False):
        if _what(mine) != _what(theirs):
            return  # from here on the cases went different ways
        first_ms, second_ms = mine.get("after_ms"), theirs.get("after_ms")
        if first_ms is not None and second_ms is not None:
            yield {
                "what": mine["summary"],
                "after_ms": [first_ms, second_ms],
                "difference_ms": round(second_ms - first_ms, 3),
            }


def _windows(case: Document) -> Sequence[Document]:
    return case["timeline"]["windows"] if case["timeline"] else ()


def _what(window: Mapping[str, Any]) -> str:
    """A window without what may differ between runs: durations, and numbers of frames."""
    return re.sub(r"frame \d+", "frame", _DURATION.sub("", window["summary"]))


def _differences(rows: Sequence[Document]) -> Document:
    found = sorted(abs(time["difference_ms"]) for row in rows for time in row["times"])
    return {
        "times": len(found),
        "median_ms": median(found) if found else None,
        "p95_ms": found[len(found) * 95 // 100] if found else None,
        "largest_ms": found[-1] if found else None,
    }


def exit_status(document: Document) -> int:
    """0 if all that could be compared agrees, 1 if something differs, 3 if nothing could be or something is
    undecided.
    """
    summary = document["summary"]
    if summary[DIFFERS]:
        return errors.FAILED
    return errors.UNDECIDED if summary[UNDECIDED] or not summary[AGREES] else errors.CONFORMS


def print_fidelity(document: Document) -> None:
    """Every case whose verdicts differ or that one side left undecided, the largest differences in time, and the
    counts.
    """
    console = Console(highlight=False)
    names = [run["target"]["name"] for run in document["runs"]]
    for outcome, style in ((UNDECIDED, "yellow"), (DIFFERS, "bold red")):
        for row in document["cases"]:
            if row["outcome"] == outcome:
                _print_case(console, row, names, style)
    _print_times(console, document["cases"], names)
    summary = document["summary"]
    counted = ", ".join(f"{summary[word]} {name}" for word, name in _WORDS.items() if summary[word])
    console.print(f"\n{summary['cases']} cases of {' and '.join(names)}: {counted or 'nothing to compare'}")
    if summary["times"]:
        console.print(
            f"{summary['times']} times measured on both: they differ by {summary['median_ms']:.1f} ms "
            f"(median), {summary['p95_ms']:.1f} ms (95 of 100), {summary['largest_ms']:.1f} ms (at most)"
        )


def _print_case(console: Console, row: Document, names: Sequence[str], style: str) -> None:
    console.print(Text(f"{row['id']} {_WORDS[row['outcome']]}", style=style), soft_wrap=True)
    for name, word, reason, actual in zip(names, row["verdicts"], row["reasons"], row["actual"], strict=True):
        console.print(f"  {name}: {word}: {reason or actual}", markup=False, soft_wrap=True)


def _print_times(console: Console, rows: Sequence[Document], names: Sequence[str]) -> None:
    times = [(row["id"], time) for row in rows for time in row["times"]]
    times.sort(key=lambda pair: -abs(pair[1]["difference_ms"]))
    if not times:
        return
    table = Table(
        Column("largest differences", overflow="fold"),
        *(Column(name, justify="right") for name in (*names, "difference")),
        box=None,
        pad_edge=False,
    )
    for id, time in times[:_SHOWN]:
        measured = (*time["after_ms"], time["difference_ms"])
        table.add_row(id, *(f"{value / 1000:.3f} s" for value in measured))
    console.print()
    console.print(table)
