"""Builds the site: matrix page, a page a cell, badges, regressions for a tracker. Equal results give equal bytes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from conformance.report import timeline
from conformance.report.site.drawings import badge, distribution, trend
from conformance.report.site.history import RED, Entry, History, histories, page_name, regressions
from conformance.report.site.nights import Night, load
from conformance.report.site.rendering import render
from conformance.report.site.words import ORDER

_EVENTS = 160
_RED, _OPEN, _GREEN = "#b3201b", "#5a6472", "#14693a"


def build(folders: Sequence[Path], out: Path) -> list[Path]:
    """Writes the site of the nights in ``folders`` (oldest or newest first, all the same) into ``out``; returns the paths, sorted.

    Raises :class:`conformance.report.site.nights.NoMatrix`.
    """
    nights = load(folders)
    found = histories(nights)
    written = [_write(out / "index.html", _index(nights, list(found.values())))]
    for history in found.values():
        captures = _captures(history, out)
        written += captures.values()
        written.append(_write(out / "cells" / page_name(history.key), _cell(history, captures, nights)))
    written += [
        _write(out / "badges" / f"{name}.svg", drawn) for name, drawn in _badges(nights, found.values())
    ]
    written.append(
        _write(out / "regressions.json", json.dumps(regressions(found), ensure_ascii=False, indent=1) + "\n")
    )
    return sorted(set(written))


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _captures(history: History, out: Path) -> dict[str, Path]:
    """The captures of the newest night and of the first bad one, copied into the site; by what they show."""
    wanted = {"this night": history.latest}
    if history.first_bad is not None:
        wanted["the first bad night"] = history.first_bad
    copied = {}
    for told, entry in wanted.items():
        name = entry.cell["evidence"]
        if name is None or not (entry.night.folder / name).is_file():
            continue
        stamp = hashlib.sha256(entry.night.started.encode()).hexdigest()[:8]
        target = out / "evidence" / f"{stamp}-{Path(name).name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.night.folder / name, target)
        copied[told] = target
    return copied


def _index(nights: Sequence[Night], found: Sequence[History]) -> str:
    rungs = sorted({night.document["rung"] for night in nights})
    newest = {
        rung: max(
            (night for night in nights if night.document["rung"] == rung), key=lambda night: night.started
        )
        for rung in rungs
    }
    shown = [history for history in found if history.latest.night.started >= newest[history.key.rung].started]
    scenarios = {one["name"]: one for night in nights for one in night.document["scenarios"]}
    return render(
        "matrix.html.j2",
        rungs=[
            _table(newest[rung], [history for history in shown if history.key.rung == rung]) for rung in rungs
        ],
        scenarios=list(scenarios.values()),
        red=[_row(history) for history in found if history.red],
        undecided=_undecided(shown),
        recovered=[_row(history) for history in found if not history.red and history.recovered is not None],
        hazards=_hazards(shown),
        nights=[_night_row(night) for night in reversed(nights)],
        counts=[(verdict, sum(history.latest.verdict == verdict for history in shown)) for verdict in ORDER],
        alone=[
            (one["name"], scenario)
            for rung in rungs
            for one in newest[rung].document["implementations"]
            for scenario in one["fails_against_everyone"]
        ],
        trends=_trends(found),
        badge=_badge_name,
        badges=_names(nights),
    )


def _table(night: Night, found: Sequence[History]) -> dict[str, Any]:
    names = [one["name"] for one in night.document["implementations"]]
    order = [one["name"] for one in night.document["scenarios"]]
    cells: dict[tuple[str, str], list[History]] = {}
    for history in sorted(
        found, key=lambda one: order.index(one.key.scenario) if one.key.scenario in order else len(order)
    ):
        cells.setdefault((history.key.a, history.key.b), []).append(history)
    return {
        "rung": night.document["rung"],
        "started": night.started,
        "machine": ", ".join(f"{name} {value}" for name, value in sorted(night.document["machine"].items())),
        "suite": " ".join(
            part for part in (night.document["suite"]["version"], night.document["suite"]["commit"]) if part
        ),
        "implementations": night.document["implementations"],
        "rows": [(a, [(b, _pair(cells.get((a, b), ()))) for b in names]) for a in names],
    }


def _pair(found: Sequence[History]) -> dict[str, Any]:
    verdicts = [history.latest.verdict for history in found]
    return {
        "counts": [(verdict, verdicts.count(verdict)) for verdict in ORDER if verdict in verdicts],
        "marks": [
            {
                "scenario": one.key.scenario,
                "play": one.key.play,
                "third": one.key.c,
                "verdict": one.latest.verdict,
                "page": f"cells/{page_name(one.key)}",
            }
            for one in found
        ],
    }


def _row(history: History) -> dict[str, Any]:
    first = history.first_bad or (history.recovered[0] if history.recovered else history.latest)
    return {
        "key": history.key,
        "verdict": history.latest.verdict
        if history.latest.verdict in RED or not history.red
        else first.verdict,
        "reason": history.latest.cell["reason"],
        "since": first.night.started,
        "until": history.recovered[1].night.started if history.recovered and not history.red else None,
        "changes": history.changes,
        "page": f"cells/{page_name(history.key)}",
    }


def _hazards(found: Sequence[History]) -> list[dict[str, Any]]:
    named: dict[str, dict[str, Any]] = {}
    for history in found:
        for hazard in history.latest.cell["hazards"]:
            row = named.setdefault(
                hazard["name"],
                {
                    "name": hazard["name"],
                    "what": hazard["what"],
                    "source": hazard["source"],
                    "cells": [],
                    "page": None,
                    "shown": 0,
                    "no_master": 0.0,
                    "dual": 0.0,
                    "service": 0.0,
                },
            )
            row["cells"].append(f"cells/{page_name(history.key)}")
            if history.latest.verdict == "hazard" and hazard.get("seen", 1):
                row["shown"] += 1
                for key, field in (
                    ("no_master", "no_master_ms"),
                    ("dual", "dual_master_ms"),
                    ("service", "service_gap_ms"),
                ):
                    row[key] = max(row[key], history.latest.cell[field] or 0.0)
                row["page"] = row["page"] or f"cells/{page_name(history.key)}"
    return [named[name] for name in sorted(named)]


def _night_row(night: Night) -> dict[str, Any]:
    return {
        "started": night.started,
        "rung": night.document["rung"],
        "summary": night.document["summary"],
        "suite": night.document["suite"],
    }


def _trends(found: Sequence[History]) -> list[tuple[str, str, Markup]]:
    """The take-over gap over the nights of each pair in the scenario ``kill``, where there is more than one night."""
    return [
        (f"{one.key.a} dies, {one.key.b} takes over ({one.key.rung})", f"cells/{page_name(one.key)}", drawn)
        for one in found
        if one.key.scenario == "kill" and len(one.entries) > 1 and (drawn := _trend(one))
    ]


def _trend(history: History) -> Markup:
    points = [(entry.night.started, entry.cell["no_master_ms"], entry.verdict) for entry in history.entries]
    return trend(points, "Time without a MASTER", _bounds(history.latest))


def _bounds(entry: Entry) -> tuple[float, float] | None:
    expected = entry.cell["expected"]
    if expected is None or not expected["no_master_ms"][1]:
        return None
    low, high = expected["no_master_ms"]
    return float(low), float(high)


def _cell(history: History, captures: Mapping[str, Path], nights: Sequence[Night]) -> str:
    entry, key = history.latest, history.key
    line = entry.cell.get("timeline")
    drawn = Markup()  # made here, from escaped parts
    if line:
        drawn = timeline.svg(line, "line", timeline.select(line, _EVENTS))
    gaps = {
        told: [run[field] for one in history.entries for run in one.cell["runs"] if run[field] is not None]
        for told, field in (
            ("Time without a MASTER", "no_master_ms"),
            ("Time without the service", "service_gap_ms"),
        )
    }
    scenario = next(
        (
            one
            for night in reversed(nights)
            for one in night.document["scenarios"]
            if one["name"] == key.scenario
        ),
        None,
    )
    return render(
        "matrix-cell.html.j2",
        key=key,
        cell=entry.cell,
        scenario=scenario,
        night=entry.night.document,
        versions={one["name"]: one for one in entry.night.document["implementations"]},
        line=drawn,
        distributions=[
            (told, drawing)
            for told, values in gaps.items()
            if any(values)
            and (
                drawing := distribution(
                    values, told, _bounds(entry) if told == "Time without a MASTER" else None
                )
            )
        ],
        trend=_trend(history) if len(history.entries) > 1 else Markup(),  # made here, from escaped parts
        captures=[(told, f"../evidence/{path.name}") for told, path in captures.items()],
        history=history,
        entries=list(reversed(history.entries)),
    )


def _badges(nights: Sequence[Night], found: Any) -> list[tuple[str, str]]:
    listed = list(found)
    drawn = []
    for name in _names(nights):
        mine = [history for history in listed if name in history.key.names]
        drawn.append((_badge_name(name), badge(f"CARP interop {name}", *_badge(mine))))
    return drawn


def _badge(mine: Sequence[History]) -> tuple[str, str]:
    """What a badge says of these cells, and its colour."""
    red, undecided = sum(history.red for history in mine), _undecided(mine)
    if red:
        return f"{red} red", _RED
    return (f"{undecided} undecided", _OPEN) if undecided else ("as predicted", _GREEN)


def _undecided(found: Sequence[History]) -> int:
    """How many of these cells the rig could not decide in their last night."""
    return sum(history.latest.verdict in ("inconclusive", "error") for history in found)


def _names(nights: Sequence[Night]) -> list[str]:
    return sorted({one["name"] for night in nights for one in night.document["implementations"]})


def _badge_name(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in ".-") else f"_{ord(c):x}_" for c in name)
