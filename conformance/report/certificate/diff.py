"""What changed between two runs, verdict by verdict, and what of their environments may have caused it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conformance.report.certificate.page import page
from conformance.report.visible import visible
from conformance.report.words import WORDS

Document = dict[str, Any]

_GOOD: Final = frozenset({"pass", "known_deviation"})
_BAD: Final = frozenset({"fail", "error"})

_CAUSES: Final[Mapping[str, str]] = {
    "target.version": "the implementation itself is another version",
    "target.name": "another target was tested",
    "target.profile": "the target's profile (PICS, known deviations) was changed",
    "suite.catalogue": "the catalogue of requirements was changed",
    "suite.version": "the suite is another version",
    "suite.commit": "the suite's code was changed",
    "machine.kernel": "the machine runs another kernel",
    "machine.system": "the machine runs another build of its system",
    "machine.architecture": "the machine has another architecture",
    "machine.cores": "the machine has another number of cores",
    "machine.box": "the product ran in another virtual machine image",
    "run.lanes": "another number of cases ran side by side",
    "run.selection": "other cases were selected",
}
"""The likely causes, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs: where it is, its results, its environment (None: not recorded)."""

    folder: str
    document: Mapping[str, Any]
    environment: Mapping[str, Any] | None


def diff(before: Side, after: Side) -> Document:
    """The document ``diff``: every case and requirement whose verdict changed, is new or is gone, and why that may be."""
    cases = list(_changes(_verdicts(before, "cases"), _verdicts(after, "cases")))
    levels = {row["id"]: row["level"] for side in (before, after) for row in side.document["requirements"]}
    requirements = [
        change | {"level": levels[change["id"]]}
        for change in _changes(_verdicts(before, "requirements"), _verdicts(after, "requirements"))
    ]
    environment = list(_environment(before, after))
    return {
        "schema": 1,
        "before": _side(before),
        "after": _side(after),
        "verdict": _verdict(cases),
        "cases": cases,
        "requirements": requirements,
        "deviations": list(_deviations(before, after)),
        "environment": environment,
        "causes": _causes(environment, cases),
        "unchanged": len(after.document["cases"]) - sum(one["after"] is not None for one in cases),
    }


def exit_status(document: Mapping[str, Any]) -> int:
    """For a gate: 0 nothing became worse, 1 something did."""
    return 1 if document["verdict"] == "worse" else 0


def _side(side: Side) -> Document:
    document = side.document
    return {
        "folder": side.folder,
        "target": document["target"]["name"],
        "version": document["target"]["version"],
        "started": document["started"],
        "verdict": document["verdict"],
    }


def _verdicts(side: Side, kind: str) -> dict[str, tuple[str, str]]:
    return {row["id"]: (row["verdict"], row.get("reason", "")) for row in side.document[kind]}


def _changes(
    before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]
) -> Iterator[Document]:
    for id in dict.fromkeys((*before, *after)):
        was, reason_was = before.get(id, (None, ""))
        now, reason_now = after.get(id, (None, ""))
        if was != now:
            reason = reason_now or reason_was
            yield {"id": id, "before": was, "after": now, "change": _direction(was, now), "reason": reason}


def _direction(was: str | None, now: str | None) -> str:
    if was is None:
        return "worse" if now in _BAD else "new"
    if now is None:
        # A case that no longer runs can hide a failure: a gate must not open for it.
        return "worse" if was in _GOOD else "gone"
    if now in _BAD and was not in _BAD:
        return "worse"
    if was in _GOOD and now not in _GOOD:
        return "worse"
    if was == "pass" and now == "known_deviation":
        return "worse"
    if now in _GOOD and (was not in _GOOD or now == "pass"):
        return "better"
    return "better" if was in _BAD and now not in _BAD else "other"


def _verdict(cases: Iterable[Document]) -> str:
    kinds = {one["change"] for one in cases}
    if "worse" in kinds:
        return "worse"
    if "better" in kinds:
        return "better"
    return "changed" if kinds else "same"


def _deviations(before: Side, after: Side) -> Iterator[Document]:
    """Cases that deviate in both runs, for another reason now."""
    reasons = [
        {
            case["id"]: case["reason"]
            for case in side.document["cases"]
            if case["verdict"] == "known_deviation"
        }
        for side in (before, after)
    ]
    for id in reasons[0].keys() & reasons[1].keys():
        if reasons[0][id] != reasons[1][id]:
            yield {"id": id, "before": reasons[0][id], "after": reasons[1][id]}


def _facts(side: Side) -> dict[str, Any]:
    document = side.document
    flat: dict[str, Any] = {
        "target.name": document["target"]["name"],
        "target.version": document["target"]["version"],
        "suite.version": document["suite"]["version"],
        "suite.commit": document["suite"]["commit"],
        "suite.catalogue": document["suite"]["catalogue"],
        "run.lanes": document["lanes"],
        "run.selection": document["arguments"][3:],
        "rig.lateness_p99_ms": document["rig"]["lateness_p99_ms"],
        "rig.lateness_max_ms": document["rig"]["lateness_max_ms"],
        "rig.frames_dropped": document["rig"]["frames_dropped"],
    }
    for part, values in (side.environment or {}).items():
        if isinstance(values, Mapping) and part != "rig":
            flat |= {
                f"{part}.{name}": value for name, value in values.items() if f"{part}.{name}" not in flat
            }
    return flat


def _environment(before: Side, after: Side) -> Iterator[Document]:
    was, now = _facts(before), _facts(after)
    for what in dict.fromkeys((*was, *now)):
        if was.get(what) != now.get(what):
            yield {"what": what, "before": was.get(what), "after": now.get(what)}


def _causes(environment: Iterable[Document], cases: Iterable[Document]) -> list[str]:
    """Sentences, the likeliest cause first; none if nothing changed."""
    listed = list(cases)
    if not listed:
        return []
    changed = {row["what"]: row for row in environment}
    found = [f"{sentence} ({_shown(changed[what])})" for what, sentence in _CAUSES.items() if what in changed]
    found += [
        f"{what.removeprefix('tools.')} is another version ({_shown(row)})"
        for what, row in changed.items()
        if what.startswith("tools.")
    ]
    if any("inconclusive" in (one["before"], one["after"]) for one in listed):
        late = changed.get("rig.lateness_p99_ms")
        found.insert(
            0,
            "a verdict is or was inconclusive: the rig was not equally quiet"
            + (f" (99 of 100 timers within {_shown(late)} ms)" if late else ""),
        )
    return found or ["nothing that was recorded differs: look for a fault that does not always show"]


def _shown(row: Mapping[str, Any]) -> str:
    return f"{_value(row['before'])} → {_value(row['after'])}"


def _value(value: object) -> str:
    text = (
        "not known"
        if value is None
        else " ".join(map(str, value)) or "all"
        if isinstance(value, list)
        else str(value)
    )
    return visible(text if len(text) <= 60 else text[:59] + "…")


_MARKS: Final[Mapping[str, str]] = {"worse": "✘", "better": "✔", "other": "≠", "new": "+", "gone": "-"}


def text(document: Mapping[str, Any]) -> str:
    """The document for a terminal."""
    lines = [
        f"before: {visible(_title(document['before']))}",
        f"after:  {visible(_title(document['after']))}",
    ]
    for change in document["cases"]:
        lines.append(
            f"{_MARKS[change['change']]} {visible(change['id'])}: {_word(change['before'])} → {_word(change['after'])}"
        )
        if change["change"] == "worse" and change["reason"]:
            lines.append(f"    {visible(change['reason'])}".replace("\n", "\n    "))
    lines += [
        f"requirement {row['id']} ({row['level']}): {_word(row['before'])} → {_word(row['after'])}"
        for row in document["requirements"]
    ]
    lines += [
        f"{row['id']} deviates for another reason: {visible(row['after'])}" for row in document["deviations"]
    ]
    lines += ["likely causes:", *(f"  {cause}" for cause in document["causes"])] if document["causes"] else []
    counts = ", ".join(
        f"{count} {kind}"
        for kind in _MARKS
        if (count := sum(one["change"] == kind for one in document["cases"]))
    )
    lines.append(
        f"{document['verdict'].capitalize()}. {counts + ', ' if counts else ''}{document['unchanged']} unchanged"
    )
    return "\n".join(lines)


def _title(side: Mapping[str, Any]) -> str:
    return f"{side['target']} {side['version'] or ''} of {side['started']} in {side['folder']} ({side['verdict']})"


def _word(verdict: str | None) -> str:
    return "not run" if verdict is None else WORDS[verdict]


def html(document: Mapping[str, Any]) -> str:
    """The document as one page without any remote asset."""
    return page("diff.html.j2", d=document, mark=_MARKS, show=_value, name=_word)
