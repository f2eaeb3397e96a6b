"""A run in the Common Test Report Format (https://ctrf.io), for the dashboards and build servers that read that.

Written here: the format is one JSON object, and the libraries that write it are plugins of other test runners. What is written keeps
`schema/ctrf.schema.json`, which allows less than the format does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from conformance.report import invariants
from conformance.report.results import Case
from conformance.report.visible import all_visible

SPECIFICATION: Final = "0.0.0"
"""The version of the format's specification."""

_STATUS: Final[Mapping[str, str]] = {
    "pass": "passed",
    "known_deviation": "passed",
    "fail": "failed",
    "not_applicable": "skipped",
    "inconclusive": "other",
    "error": "other",
}
"""A case that could not be decided is neither failed nor skipped; `rawStatus` has the verdict itself."""

_STATUSES: Final = ("passed", "failed", "skipped", "pending", "other")
_TOLD: Final = ("title", "expected", "actual", "reproduce", "frames", "deviation")


def ctrf(document: Mapping[str, Any]) -> bytes:
    """The results document as CTRF (JSON in UTF-8, a line feed at the end)."""
    suite, target = document["suite"], document["target"]
    tests = [_test(case, target["name"]) for case in document["cases"]]
    tests += [_invariant(row, target["name"]) for row in document["invariants"]]
    whole = {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        "generatedBy": suite["name"],
        "timestamp": document["ended"] or document["started"],
        "results": {
            "tool": {"name": suite["name"], "version": suite["version"]},
            "summary": _summary(document, [test["status"] for test in tests]),
            "tests": tests,
            "environment": dict(_environment(document)),
            "extra": {
                "verdict": document["verdict"],
                "catalogue": suite["catalogue"],
                "notes": list(document.get("notes", [])),
            },
        },
    }
    return (json.dumps(all_visible(whole), ensure_ascii=False) + "\n").encode()


def _summary(document: Mapping[str, Any], statuses: list[str]) -> dict[str, int]:
    start = _ms(document["started"])
    duration = {} if document["duration_s"] is None else {"duration": round(document["duration_s"] * 1000)}
    return {
        "tests": len(statuses),
        **{status: statuses.count(status) for status in _STATUSES},
        "suites": len({case["group"] for case in document["cases"]}) + bool(document["invariants"]),
        "start": start,
        # The format wants an end; that of an interrupted run is not known.
        "stop": _ms(document["ended"]) if document["ended"] else start,
        **duration,
    }


def _ms(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1000)


def _environment(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    target = document["target"]
    yield "appName", target["name"]
    if target["version"]:
        yield "appVersion", target["version"]
    yield "testEnvironment", target["rung"]
    if document["suite"]["commit"]:
        yield "commit", document["suite"]["commit"]
    yield "extra", {"dialect": target["dialect"]}


def _test(case: Case, target: str) -> dict[str, Any]:
    file, _, line = case["source"].rpartition(":")
    told: dict[str, Any] = {
        "name": case["id"],
        "status": _STATUS[case["verdict"]],
        "rawStatus": case["verdict"],
        "duration": round(case["duration_s"] * 1000),
        "suite": [target, case["group"]],
        "tags": list(case["requirements"]),
        "extra": {key: case[key] for key in _TOLD if case[key]},
    }
    if case["reason"]:
        told["message"] = case["reason"]
    if case["detail"]:
        told["trace"] = case["detail"]
    if file and line.isdecimal():
        told |= {"filePath": file, "line": int(line)}
    if case["evidence"]:
        told["attachments"] = [
            {"name": "evidence", "contentType": "application/x-pcapng", "path": case["evidence"]}
        ]
    return told


def _invariant(row: Mapping[str, Any], target: str) -> dict[str, Any]:
    """What the monitors saw of one requirement in the whole run, as a test of its own."""
    said = list(invariants.account(row))
    return {
        "name": row["id"],
        "status": _STATUS[row["verdict"]],
        "rawStatus": row["verdict"],
        "duration": 0,
        "suite": [target, "invariants"],
        "tags": [row["id"]],
        "extra": {"cases": row["cases"]},
        **({"message": said[0], "trace": "\n".join(said)} if said else {}),
    }
