"""What the report page shows of one case: its requirements, its decoded frames, its time line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote

from conformance.catalogue import Requirement
from conformance.report import timeline as drawing
from conformance.report import words
from conformance.report.results import Case
from conformance.report.visible import clip, visible

_PAGE_EVENTS: Final = 6500
_PAGE_FRAMES: Final = 600
_MOST_EVENTS: Final = 240
_FEWEST_EVENTS: Final = 12
_MOST_FRAMES: Final = 5
_MOST_FIELDS: Final = 60
_LONGEST_DETAIL: Final = 6000
_LONGEST_TEXT: Final = 2000
_LONGEST_CELL: Final = 160
_LONGEST_NODE: Final = 24


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many events are drawn and how many deciding frames decoded, so that the page of a long run stays small."""

    events: int
    frames: int

    @classmethod
    def over(cls, timelines: int) -> Self:
        """The allowance of each when so many time lines share a page."""
        events, frames = (total // max(1, timelines) for total in (_PAGE_EVENTS, _PAGE_FRAMES))
        return cls(min(_MOST_EVENTS, max(_FEWEST_EVENTS, events)), min(_MOST_FRAMES, max(1, frames)))

    def of(self, case: Case) -> Self:
        """What `case` may draw: one that did not pass is there to be read, so it gets more."""
        if case["verdict"] == "pass":
            return self
        return type(self)(min(_MOST_EVENTS, 2 * self.events), _MOST_FRAMES)


def count_timelines(cases: Iterable[Case]) -> int:
    """How many of `cases` have a time line."""
    return sum(case["timeline"] is not None for case in cases)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of deciding frames: its value in each of them, None where a frame does not have it."""

    name: str
    seen: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        """Whether two of the frames that have it have it otherwise."""
        return len({*self.seen} - {None}) > 1


@dataclass(frozen=True, slots=True)
class Clause:
    """A requirement as a case cites it."""

    id: str
    level: str
    text: str
    notes: str
    sources: tuple[str, ...]


def case_page(
    case: Case, key: str, clauses: Mapping[str, Requirement], levels: Mapping[str, str], allowance: Allowance
) -> dict[str, Any]:
    """`case` with what the template prints beside its own values; `key` makes ids in the page unique."""
    mine = allowance.of(case)
    return {
        **case,
        **{name: clip(case[name], _LONGEST_TEXT) for name in ("title", "reason", "actual")},
        "expected": [clip(outcome, _LONGEST_TEXT) for outcome in case["expected"] if outcome],
        "detail": clip(case["detail"], _LONGEST_DETAIL),
        "key": key,
        "anchor": words.case_anchor(case["id"]),
        "evidence_link": quote(case["evidence"], errors="replace") if case["evidence"] else None,
        "levels": list(dict.fromkeys(levels.get(id, "") for id in case["requirements"])),
        "clauses": [_clause(id, clauses, levels) for id in case["requirements"]],
        "breaches": (case.get("invariants") or {"broken": ()})["broken"],
        "line": _line(case, key, mine.events),
        "decoded": _decoded(case, mine.frames),
    }


def _clause(id: str, clauses: Mapping[str, Requirement], levels: Mapping[str, str]) -> Clause:
    clause = clauses.get(id)
    return Clause(
        id,
        levels.get(id, ""),
        clause.text if clause else words.NOT_IN_CATALOGUE,
        clause.notes if clause else "",
        tuple(clause.sources) if clause else (),
    )


def _line(case: Case, key: str, limit: int) -> dict[str, Any] | None:
    recorded = case["timeline"]
    if recorded is None:
        return None
    marked = recorded | {"events": [_marked(event, case) for event in recorded["events"]]}
    selection = drawing.select(marked, limit)
    return {
        "svg": drawing.svg(marked, key, selection),
        "total": len(recorded["events"]),
        "left_out": selection.left_out,
        "truncated": recorded["truncated"],
        "shown": len(selection.events),
        "log": _log(selection.events),
    }


def _marked(event: Mapping[str, Any], case: Case) -> Mapping[str, Any]:
    """`event`, deciding also when only the case says that its frame decided."""
    decided = _decided(event, case)
    return event if event.get("deciding", False) == decided else {**event, "deciding": decided}


def _decided(event: Mapping[str, Any], case: Case) -> bool:
    return event["kind"] == "frame" and (event.get("deciding", False) or event["frame"] in case["frames"])


def _log(events: Iterable[Mapping[str, Any]]) -> str:
    """The events as lines of text: seconds, node, what happened."""
    rows = [
        (f"{event['t_ms'] / 1000:9.3f}", _one_line(event["node"], _LONGEST_NODE), _happened(event))
        for event in events
    ]
    width = max((len(node) for _, node, _ in rows), default=0)
    return "\n".join(f"{t}  {node:{width}}  {happened}" for t, node, happened in rows)


def _happened(event: Mapping[str, Any]) -> str:
    if event["kind"] == "state":
        return f"is {_one_line(event['state'], _LONGEST_CELL)}"
    told = _one_line(event["summary"], _LONGEST_CELL)
    if event["kind"] == "frame":
        return f"#{event['frame']} {told}{'  <- decided' if event.get('deciding') else ''}"
    return f"{event['kind']}: {told}"


def _one_line(text: str, longest: int) -> str:
    return clip(visible(text).replace("\n", "\\n"), longest)


def _decoded(case: Case, limit: int) -> dict[str, Any] | None:
    """The fields of the deciding frames side by side: a row a field, a column a frame."""
    events = case["timeline"]["events"] if case["timeline"] else []
    frames = [event for event in events if _decided(event, case) and event.get("fields")]
    frames = sorted(
        (frame for frame in frames if math.isfinite(frame["t_ms"])), key=lambda frame: float(frame["t_ms"])
    )
    if not frames:
        return None
    shown = frames[:limit]
    columns = [_fields(frame["fields"]) for frame in shown]
    names = list(dict.fromkeys(name for column in columns for name in column))
    return {
        "frames": [
            {"number": frame["frame"], "node": frame["node"], "t": f"{frame['t_ms'] / 1000:.3f}"}
            for frame in shown
        ],
        "rows": [
            FieldRow(name[0], tuple(column.get(name) for column in columns)) for name in names[:_MOST_FIELDS]
        ],
        "left_out": len(frames) - len(shown),
        "fields_left_out": max(0, len(names) - _MOST_FIELDS),
    }


def _fields(fields: Iterable[tuple[str, str]]) -> dict[tuple[str, int], str]:
    """The fields by name and occurrence: a frame may have two of a name, as two addresses."""
    column: dict[tuple[str, int], str] = {}
    for name, value in fields:
        occurrence = sum(known == name for known, _ in column)
        column[name, occurrence] = clip(value, _LONGEST_CELL)
    return column
