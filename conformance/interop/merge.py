"""One matrix out of parts that were run apart: by several jobs of a CI, on several days, on hosts that do not know each other."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.interop.matrix import fails_against_everyone
from conformance.interop.scenarios import SCENARIOS
from conformance.interop.verdict import VERDICTS

Document = Mapping[str, Any]


class DoNotMerge(Exception):
    """Parts that are no parts of one matrix."""

    def __init__(self, folder: Path, what: str) -> None:
        self.folder, self.what = folder, what
        super().__init__(
            f"{folder}: {what}; merge parts of one night, of one rung and with one version of each implementation"
        )


def merged(parts: Sequence[tuple[Path, Document]]) -> dict[str, Any]:
    """The document of all parts (each with its folder), cells in the order of a single run. What no part has is missing, and nothing is invented for it.

    Raises :class:`DoNotMerge`.
    """
    first = parts[0][1]
    known: dict[str, dict[str, Any]] = {}
    for folder, part in parts:
        for field in ("rung", "suite", "runs"):
            if part[field] != first[field]:
                raise DoNotMerge(
                    folder, f"its {field} is {part[field]}, not {first[field]} as in {parts[0][0]}"
                )
        for one in part["implementations"]:
            before = known.setdefault(one["name"], dict(one))
            if before["version"] != one["version"]:
                raise DoNotMerge(
                    folder,
                    f"its {one['name']} is {one['version']}, and another part's is {before['version']}",
                )
    cells = _cells(parts, list(known))
    return {
        **first,
        "machine": machine_of([part["machine"] for _, part in parts]),
        "started": min(part["started"] for _, part in parts),
        "ended": max(part["ended"] for _, part in parts),
        "implementations": [
            one | {"fails_against_everyone": fails_against_everyone(one["name"], cells)}
            for one in known.values()
        ],
        "scenarios": sorted(
            {one["name"]: one for _, part in parts for one in part["scenarios"]}.values(), key=_place
        ),
        "cells": cells,
        "summary": {verdict: sum(row["verdict"] == verdict for row in cells) for verdict in VERDICTS},
    }


def machine_of(machines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several machines are: each fact once, or all its values where they differ."""
    names = dict.fromkeys(name for one in machines for name in one)
    return {name: _one_or_all(one.get(name) for one in machines) for name in names}


def _one_or_all(values: Iterable[Any]) -> Any:
    different = list(dict.fromkeys(values))
    return different[0] if len(different) == 1 else " / ".join(map(str, different))


def _cells(parts: Sequence[tuple[Path, Document]], names: Sequence[str]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for folder, part in parts:
        for row in part["cells"]:
            if row["id"] in found:
                raise DoNotMerge(folder, f"another part has its cell {row['id']} already")
            found[row["id"]] = dict(row)

    def place(row: Document) -> tuple[object, ...]:
        who = [names.index(name) for name in (row["a"], row["b"], row.get("c")) if name]
        return (*_place({"name": row["scenario"]}), len(set(who)) > 1, who)

    return sorted(found.values(), key=place)


def _place(scenario: Document) -> tuple[int, str]:
    known = [one.name for one in SCENARIOS]
    name = scenario["name"]
    return (known.index(name) if name in known else len(known), name)


def take_evidence(parts: Sequence[tuple[Path, Document]], out: Path) -> None:
    """Copies the captures of all parts to ``out``."""
    for folder, part in parts:
        for row in part["cells"]:
            for name in {row["evidence"], *(run["evidence"] for run in row["runs"])} - {None}:
                if (folder / name).is_file():
                    (out / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(folder / name, out / name)
