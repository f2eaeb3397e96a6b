"""The invariants of a run: what the monitors saw of each passive requirement, over the whole history of all its cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

Row = dict[str, Any]
"""One element of `invariants` in a results document."""

_WORST_FIRST: Final = ("fail", "known_deviation", "pass")


def collected(cases: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The `invariants` of a results document: a row for each requirement that a monitor could judge in any of `cases`, in the order of their ids.

    A row counts the cases in which it was judged and lists each breach with its case and frames; its verdict is the worst of these.
    """
    rows: dict[str, Row] = {}
    for case in cases:
        seen = case.get("invariants") or {"held": [], "broken": []}
        for requirement in seen["held"]:
            _row(rows, requirement)["cases"] += 1
        for requirement, breaches in _by_requirement(seen["broken"]):
            row = _row(rows, requirement)
            row["cases"] += 1
            row["broken"] += [{"case": case["id"], **one} for one in breaches]
            row["verdict"] = min(
                (row["verdict"], *(one["verdict"] for one in breaches)), key=_WORST_FIRST.index
            )
    return [rows[requirement] for requirement in sorted(rows)]


def verdicts(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str]]:
    """The one verdict of each requirement that a monitor judged."""
    return {row["id"]: (row["verdict"],) for row in rows}


def broken(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an invariant was broken otherwise than the profile expects: then the implementation does not conform, whatever the cases say."""
    return any(row["verdict"] == "fail" for row in rows)


def account(row: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each breach in a row of `invariants`: host, what was seen, where."""
    for one in row["broken"]:
        frames = ", ".join(str(number) for number in one["frames"])
        where = f" (frame{'s' if len(one['frames']) > 1 else ''} {frames})" if frames else ""
        yield f"{one['host']} in {one['case']}{where}: {one['text']}"


def _row(rows: dict[str, Row], requirement: str) -> Row:
    return rows.setdefault(requirement, {"id": requirement, "verdict": "pass", "cases": 0, "broken": []})


def _by_requirement(
    breaches: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for requirement in dict.fromkeys(one["id"] for one in breaches):
        yield (
            requirement,
            [
                {name: value for name, value in one.items() if name != "id"}
                for one in breaches
                if one["id"] == requirement
            ],
        )
