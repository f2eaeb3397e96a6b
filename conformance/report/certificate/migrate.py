"""Results of older schema versions made into those of today, one step a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Document = dict[str, Any]

CURRENT: Final = 1


@dataclass(eq=False)
class UnknownVersion(Exception):
    """Results of a version that this suite cannot read: the version that they name."""

    version: object

    def __str__(self) -> str:
        return (
            f"the results have schema version {self.version!r}, and this suite reads {', '.join(map(str, readable()))}; "
            "use the suite that wrote them, or a newer one."
        )


@dataclass(eq=False)
class DamagedResults(Exception):
    """Results that do not have what their version has: the version, and what is missing or of another kind."""

    version: object
    problem: str

    def __str__(self) -> str:
        return (
            f"the results are not what schema version {self.version} says: {self.problem}; restore the file"
        )


def readable() -> tuple[int, ...]:
    """The versions that :func:`migrated` takes."""
    return (*STEPS, CURRENT)


def migrated(document: Mapping[str, Any]) -> Document:
    """``document`` in today's version, and in a note from which one it came; itself if it is of today.

    Raises :class:`UnknownVersion`, :class:`DamagedResults`.
    """
    result = dict(document)
    version = result.get("schema", 0)
    came_from = version
    while version != CURRENT:
        step = STEPS.get(version) if isinstance(version, int) and not isinstance(version, bool) else None
        if step is None:
            raise UnknownVersion(came_from)
        try:
            result = step(result)
        except KeyError as error:
            raise DamagedResults(version, f"there is no {error}") from error
        except (AttributeError, TypeError) as error:
            raise DamagedResults(version, str(error)) from error
        version = result["schema"]
    if came_from != CURRENT:
        note = f"These results were written with schema version {came_from}; what it did not record is not known."
        result["notes"] = [*result.get("notes", []), note]
    return result


def _from_0(document: Document) -> Document:
    """Version 0 had the keys of the first contract alone: no group, no time line, no rig, no reproduction, no overall verdict."""
    suite, target, cases = (
        document["suite"],
        document["target"],
        [_case_from_0(one) for one in document["cases"]],
    )
    citing = {
        row["id"]: [case["id"] for case in cases if row["id"] in case["requirements"]]
        for row in document["requirements"]
    }
    return {
        "schema": 1,
        "suite": {"name": "carp-conformance", "commit": None, "catalogue": "sha256:0"} | suite,
        "target": {"version": None, "pics": {}} | target,
        "started": document["started"],
        "ended": document["ended"],
        "duration_s": None,
        "cases_duration_s": round(sum(case["duration_s"] for case in cases), 3),
        "lanes": 0,
        "seed": None,
        "arguments": ["run", "--target", target["name"]],
        "rig": {"lateness_max_ms": None, "lateness_p99_ms": None, "frames_dropped": None},
        "summary": document["summary"],
        "verdict": _overall_of_0(document["summary"]),
        "cases": cases,
        "requirements": [row | {"cases": citing[row["id"]]} for row in document["requirements"]],
        "invariants": [],
    }


def _overall_of_0(summary: Mapping[str, int]) -> str:
    # As the rule stood in version 0; a later change of `results.overall` must not judge it anew.
    if summary["fail"]:
        return "fails"
    if summary["error"]:
        return "error"
    return "inconclusive" if summary["inconclusive"] or not summary["pass"] else "conforms"


def _case_from_0(case: Mapping[str, Any]) -> Document:
    known = {"reason": case["reason"] or "not recorded"} if case["verdict"] != "pass" else {}
    expected = case["expected"]
    return {
        "id": case["id"],
        "group": case["id"].partition("-")[0],
        "title": case["title"],
        "requirements": list(case["requirements"]),
        "verdict": case["verdict"],
        "reason": case["reason"],
        "expected": [expected] if isinstance(expected, str) else list(expected),
        "actual": case["actual"],
        "duration_s": case["duration_s"],
        "evidence": case["evidence"],
        "frames": list(case["frames"]),
        "deviation": {"reason": known["reason"], "reference": ""}
        if case["verdict"] == "known_deviation"
        else None,
        "reproduce": "",
        "nodeid": "",
        "source": "",
        "detail": "",
        "timeline": None,
        "rig": None,
    } | known


STEPS: Final[Mapping[int, Callable[[Document], Document]]] = {0: _from_0}
"""From each older version one step on."""
