"""The results of a run: read from its folder, counted, and turned into one verdict and one exit status."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance import catalogue as shipped
from conformance.catalogue import Catalogue
from conformance.report import invariants, schema
from conformance.report.certificate.migrate import DamagedResults, UnknownVersion, migrated

Document = dict[str, Any]
"""A whole `results.json`; its shape is the schema `results`."""

Case = Mapping[str, Any]
"""One element of `cases` in a results document."""

WORST_FIRST: Final = ("error", "fail", "inconclusive", "known_deviation", "pass", "not_applicable")
"""The verdicts of a case; a requirement gets the first of these that one of its cases has."""

SUMMARY_ORDER: Final = ("pass", "fail", "inconclusive", "not_applicable", "known_deviation", "error")

NOT_COVERED: Final = "not_covered"

EXIT_STATUS: Final[Mapping[str, int]] = {"conforms": 0, "fails": 1, "inconclusive": 3, "error": 3}
"""The exit status of each overall verdict (2 is kept for usage and configuration errors)."""


@dataclass(eq=False)
class NoRun(Exception):
    """A folder that holds no recorded run."""

    directory: Path

    def __str__(self) -> str:
        return (
            f"{self.directory} holds neither results.json nor results.jsonl; "
            f"give the folder that `run --out` wrote."
        )


@dataclass(eq=False)
class UnreadableRun(Exception):
    """A recorded run that cannot be read: the file and what is wrong with it."""

    path: Path
    problem: str

    def __str__(self) -> str:
        return f"{self.path} cannot be read: {self.problem}; run the cases again or restore the file."


@dataclass(eq=False)
class UnknownRequirement(Exception):
    """A case cites a requirement that the catalogue does not have."""

    requirement: str
    case: str

    def __str__(self) -> str:
        return (
            f"Case {self.case} cites {self.requirement}, which is not in the catalogue; "
            f"cite a requirement that `list` shows."
        )


def load(directory: Path | str, catalogue: Catalogue | None = None) -> Document:
    """The results document of the run recorded in `directory`.

    Reads `results.json`. Without it the run was interrupted: the document is put together from the header and
    the case lines of `results.jsonl` (a case that was run twice counts with its last line), what is missing is
    said in `notes`, and such a run never `conforms`. `catalogue` (default: the shipped one) is only used then.

    Raises `NoRun`, `UnreadableRun`, `schema.InvalidDocument`.
    """
    folder = Path(directory)
    whole, lines = folder / "results.json", folder / "results.jsonl"
    if whole.is_file():
        document = _of_today(whole)
    elif lines.is_file():
        document = _assemble(folder, shipped.load() if catalogue is None else catalogue)
    else:
        raise NoRun(folder)
    schema.validate(document, "results")
    return document


def header(directory: Path) -> Document | None:
    """How the run recorded in `directory` begins, in the version that it was written in; None if there is none. Raises `UnreadableRun`."""
    whole, lines = directory / "results.json", directory / "results.jsonl"
    if whole.is_file():
        return _object(whole)
    return _header(directory, _records(lines)[0]) if lines.is_file() else None


def summarise(cases: Iterable[Case]) -> dict[str, int]:
    """How many cases have each verdict; every verdict is a key."""
    counts = dict.fromkeys(SUMMARY_ORDER, 0)
    for case in cases:
        counts[case["verdict"]] += 1
    return counts


def requirement_verdicts(cases: Sequence[Case], catalogue: Catalogue) -> list[dict[str, Any]]:
    """The `requirements` of a results document: each requirement of the catalogue, in its order.

    A requirement has the worst verdict of the cases that cite it and of the monitors that saw it in any case (`WORST_FIRST`), or `not_covered`.
    Raises `UnknownRequirement`.
    """
    citing: dict[str, list[Case]] = {requirement.id: [] for requirement in catalogue}
    monitored = invariants.verdicts(invariants.collected(cases))
    for case in cases:
        for requirement_id in case["requirements"]:
            if requirement_id not in citing:
                raise UnknownRequirement(requirement_id, case["id"])
            citing[requirement_id].append(case)
    return [
        {
            "id": requirement.id,
            "level": requirement.level.value,
            "verdict": _worst(
                [*(case["verdict"] for case in citing[requirement.id]), *monitored.get(requirement.id, ())]
            ),
            "cases": [case["id"] for case in citing[requirement.id]],
        }
        for requirement in catalogue
    ]


def overall(summary: Mapping[str, int], monitored: Iterable[Mapping[str, Any]] = ()) -> str:
    """The verdict of a whole run: `fails`, `error`, `inconclusive` or `conforms`, the first that applies.

    `monitored` are its invariants: it fails by a broken one as by a case. A run in which no case reached a decision (pass, fail or known deviation) is
    inconclusive: nothing was shown.
    """
    if summary["fail"] or invariants.broken(monitored):
        return "fails"
    if summary["error"]:
        return "error"
    if summary["inconclusive"] or not summary["pass"] + summary["known_deviation"]:
        return "inconclusive"
    return "conforms"


def exit_status(summary: Mapping[str, int]) -> int:
    """The exit status of a run with these counts: 0 conforms, 1 a requirement failed, 3 not decided or rig broke."""
    return EXIT_STATUS[overall(summary)]


def _worst(verdicts: Iterable[str]) -> str:
    return min(verdicts, key=WORST_FIRST.index, default=NOT_COVERED)


def finish(folder: Path, *, ended: str, duration_s: float, catalogue: Catalogue, expected: int) -> Document:
    """The document of a run that has come to its end, from its `results.jsonl`; `expected` is how many cases it was to have.

    If fewer are recorded (workers died) the run never `conforms`, and a note says so.
    """
    document = _counted(folder, catalogue, proven=True)
    rigs = [case["rig"] for case in document["cases"] if case.get("rig")]
    missing = expected - len(document["cases"])
    if missing > 0:
        document["notes"].append(f"{missing} case(s) that were to run left no record.")
    if missing > 0 and document["verdict"] == "conforms":
        document["verdict"] = "error"
    return document | {
        "ended": ended,
        "duration_s": round(duration_s, 3),
        "rig": {
            "lateness_max_ms": max((rig["lateness_max_ms"] for rig in rigs), default=None),
            "lateness_p99_ms": max((rig["lateness_p99_ms"] for rig in rigs), default=None),
            "frames_dropped": sum(rig["frames_dropped"] for rig in rigs) if rigs else None,
        },
    }


def _of_today(path: Path) -> Document:
    """The results in `path`, brought to today's schema version."""
    return _brought_up(_object(path), path)


def _brought_up(document: Document, path: Path) -> Document:
    try:
        return migrated(document)
    except (UnknownVersion, DamagedResults) as error:
        raise UnreadableRun(path, str(error).removesuffix(".")) from error


def _assemble(folder: Path, catalogue: Catalogue) -> Document:
    document = _counted(folder, catalogue, proven=False)
    count = len(document["cases"])
    interrupted = f"This run was interrupted: {count} case(s) are recorded, others may be missing."
    document["notes"].insert(0, interrupted)
    if document["verdict"] == "conforms":
        # Cases that never ran may have failed: what is left of a run cannot show that a target conforms.
        document["verdict"] = "inconclusive"
    return document


def _counted(folder: Path, catalogue: Catalogue, *, proven: bool) -> Document:
    """What `results.jsonl` holds, as a document without an end; validated unless this process has just written it."""
    records, notes = _records(folder / "results.jsonl")
    lines = [_without_kind(record) for record in records if record["record"] == "case"]
    blank: Document = {
        "ended": None,
        "duration_s": None,
        "cases_duration_s": 0,
        "rig": {"lateness_max_ms": None, "lateness_p99_ms": None, "frames_dropped": None},
        "summary": summarise([]),
        "verdict": "inconclusive",
        "cases": lines,
        "requirements": [],
        "invariants": [],
    }
    document = blank | _header(folder, records)
    if not proven:
        document = _brought_up(document, folder / "results.jsonl")
        schema.validate(document, "results")
    cases = sorted(
        {case["id"]: case for case in document["cases"]}.values(),
        key=lambda case: (case["group"], case["source"], case["id"]),
    )
    summary, rows = summarise(cases), invariants.collected(cases)
    return document | {
        "cases_duration_s": round(sum(case["duration_s"] for case in cases), 3),
        "notes": [*document.get("notes", []), *notes],
        "summary": summary,
        "verdict": overall(summary, rows),
        "cases": cases,
        "invariants": rows,
        "requirements": requirement_verdicts(cases, catalogue),
    }


def _header(folder: Path, records: Sequence[Document]) -> Document:
    headers = [_without_kind(record) for record in records if record["record"] == "run"]
    if not headers and (folder / "run.json").is_file():
        headers = [_without_kind(_object(folder / "run.json"))]
    if not headers:
        raise UnreadableRun(folder / "results.jsonl", 'it has no line {"record": "run", …}')
    # A resumed run writes a header again: its facts are newer, but the run began when it began.
    return headers[-1] | {"started": headers[0].get("started")}


def _without_kind(record: Document) -> Document:
    return {key: value for key, value in record.items() if key != "record"}


def _records(path: Path) -> tuple[list[Document], list[str]]:
    """The records of `results.jsonl` and a sentence for each line that could not be read."""
    records: list[Document] = []
    notes: list[str] = []
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, line in lines:
        record = _record(line)
        if record is not None:
            records.append(record)
        elif number == lines[-1][0]:
            notes.append(f"The last line of results.jsonl ({number}) is cut and was left out.")
        else:
            notes.append(f"Line {number} of results.jsonl cannot be read and was left out.")
    return records, notes


def _record(line: str) -> Document | None:
    try:
        record = _JSON.decode(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.get("record") in ("run", "case") else None


def _object(path: Path) -> Document:
    try:
        loaded = _JSON.decode(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableRun(path, str(error)) from error
    if not isinstance(loaded, dict):
        raise UnreadableRun(path, "it is not a JSON object")
    return loaded


def _no_number(word: str) -> None:
    # Python writes and reads NaN and Infinity, which are not JSON and have no place on a time line.
    raise ValueError(f"{word} is not JSON")


_JSON: Final = json.JSONDecoder(parse_constant=_no_number)
