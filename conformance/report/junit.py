"""JUnit XML of a run, for the build servers that read nothing else.

Written with the standard library's ElementTree: the format is seven elements, and the libraries of this field are made for
reading and merging; they pass control characters through, which makes the file unreadable, and would be one dependency more.
The tests read the output back with one of them.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from conformance.report import invariants
from conformance.report.results import Case, summarise
from conformance.report.visible import visible

_OUTCOMES: Final[Mapping[str, str]] = {
    "fail": "failure",
    "error": "error",
    "inconclusive": "skipped",
    "not_applicable": "skipped",
}
"""The element that says a verdict; a pass and a known deviation have none."""


def junit(document: Mapping[str, Any]) -> bytes:
    """The results document as JUnit XML (UTF-8), one suite a group, kept by `schema/junit.xsd`.

    A failed case has a failure and a broken rig an error. What was not decided or does not apply is skipped; a known
    deviation passes and says so in its properties.
    """
    cases: Sequence[Case] = document["cases"]
    target = document["target"]
    name = f"{document['suite']['name']} {target['name']}"
    time_s = document["cases_duration_s"] if document["duration_s"] is None else document["duration_s"]
    root = ET.Element("testsuites", _counted(name, cases, time_s))
    for group in dict.fromkeys(case["group"] for case in cases):
        members = [case for case in cases if case["group"] == group]
        duration_s = sum(case["duration_s"] for case in members)
        suite = ET.SubElement(root, "testsuite", _counted(group, members, duration_s))
        # JUnit time stamps have no zone; ours are UTC.
        suite.set("timestamp", document["started"][: len("2026-11-22T16:00:00")])
        _properties(suite, _run_facts(document))
        for case in members:
            _case(suite, case, visible(target["name"]))
    _watched(root, document)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _watched(root: ET.Element, document: Mapping[str, Any]) -> None:
    """A test suite of the invariants, one test a requirement that the monitors could judge."""
    rows = document["invariants"]
    if not rows:
        return
    failures = sum(row["verdict"] == "fail" for row in rows)
    for name, count in (("tests", len(rows)), ("failures", failures)):
        root.set(name, str(int(root.attrib[name]) + count))
    counts = {
        "tests": str(len(rows)),
        "failures": str(failures),
        "errors": "0",
        "skipped": "0",
        "time": "0.000",
    }
    suite = ET.SubElement(root, "testsuite", {"name": "invariants", **counts})
    suite.set("timestamp", document["started"][: len("2026-11-22T16:00:00")])
    _properties(suite, _run_facts(document))
    for row in rows:
        attributes = {
            "classname": f"{visible(document['target']['name'])}.invariants",
            "name": visible(row["id"]),
        }
        element = ET.SubElement(suite, "testcase", attributes | {"time": "0.000"})
        _properties(element, [("verdict", row["verdict"]), ("cases", str(row["cases"]))])
        if row["verdict"] == "fail":
            said = list(invariants.account(row))
            told = ET.SubElement(element, "failure", message=visible(said[0]), type="fail")
            told.text = visible("\n".join(said))


def _counted(name: str, cases: Sequence[Case], time_s: float) -> dict[str, str]:
    summary = summarise(cases)
    return {
        "name": visible(name),
        "tests": str(len(cases)),
        "failures": str(summary["fail"]),
        "errors": str(summary["error"]),
        "skipped": str(summary["inconclusive"] + summary["not_applicable"]),
        "time": f"{time_s:.3f}",
    }


def _run_facts(document: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    suite, target = document["suite"], document["target"]
    yield "suite.version", suite["version"]
    yield "suite.commit", suite["commit"] or "unknown"
    yield "suite.catalogue", suite["catalogue"]
    yield "target.version", target["version"] or "unknown"
    yield "target.dialect", target["dialect"]
    yield "target.rung", target["rung"]
    yield "verdict", document["verdict"]
    for note in document.get("notes", []):
        yield "note", note


def _case(suite: ET.Element, case: Case, target: str) -> None:
    attributes = {"classname": f"{target}.{visible(case['group'])}", "name": visible(case["id"])}
    element = ET.SubElement(suite, "testcase", attributes | {"time": f"{case['duration_s']:.3f}"})
    _properties(element, _case_facts(case))
    outcome = _OUTCOMES.get(case["verdict"])
    if outcome:
        told = ET.SubElement(element, outcome, message=visible(case["reason"]), type=case["verdict"])
        told.text = visible(_account(case))


def _case_facts(case: Case) -> Iterable[tuple[str, str]]:
    yield "verdict", case["verdict"]
    yield "title", case["title"]
    for requirement in case["requirements"]:
        yield "requirement", requirement
    yield "source", case["source"]
    if case["evidence"]:
        yield "evidence", case["evidence"]
    if case["frames"]:
        yield "frames", " ".join(str(number) for number in case["frames"])
    if case["deviation"]:
        yield "known_deviation", case["deviation"]["reason"]
        yield "known_deviation.reference", case["deviation"]["reference"]


def _properties(element: ET.Element, facts: Iterable[tuple[str, str]]) -> None:
    properties = ET.SubElement(element, "properties")
    for name, value in facts:
        ET.SubElement(properties, "property", name=name, value=visible(value))


def _account(case: Case) -> str:
    """What a reader of a build log needs: what was accepted, what was seen, where to look, how to see it again."""
    lines = [case["title"], case["reason"]]
    lines += [f"expected: {outcome}" for outcome in case["expected"]]
    lines += [f"{name}: {case[key]}" for name, key in _TOLD if case[key]]
    return "\n".join(line for line in [*lines, case["detail"]] if line)


_TOLD: Final = (("actual", "actual"), ("evidence", "evidence"), ("source", "source"), ("again", "reproduce"))
