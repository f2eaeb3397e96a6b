"""The file in the Common Test Report Format keeps its schema, counts right, and says no verdict otherwise than the run did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.report import schema
from conformance.report.ctrf import ctrf

HOSTILE = "a\x00b\x1b[31m <script>\u202e\udc80"


def parsed(document: dict[str, Any]) -> dict[str, Any]:
    """The file of `document`, checked against the schema."""
    read: dict[str, Any] = json.loads(ctrf(document))
    schema.validate(read, "ctrf")
    return read


class TestCounts:
    def test_they_are_those_of_the_tests(self, document: dict[str, Any]) -> None:
        told = parsed(document)["results"]
        statuses = [test["status"] for test in told["tests"]]
        for status in ("passed", "failed", "skipped", "pending", "other"):
            assert told["summary"][status] == statuses.count(status)
        assert told["summary"]["tests"] == len(statuses) == 66
        assert told["summary"]["suites"] == 6
        assert (told["summary"]["failed"], told["summary"]["other"], told["summary"]["skipped"]) == (2, 2, 11)

    def test_the_times_are_milliseconds_since_the_epoch(self, document: dict[str, Any]) -> None:
        summary = parsed(document)["results"]["summary"]
        assert (summary["start"], summary["stop"]) == (1_795_363_200_000, 1_795_363_252_000)
        assert summary["duration"] == 52_100

    def test_a_run_that_was_interrupted_ends_where_its_record_does(self, document: dict[str, Any]) -> None:
        document |= {"ended": None, "duration_s": None, "notes": ["This run was interrupted."]}
        told = parsed(document)["results"]
        assert told["summary"]["stop"] == told["summary"]["start"]
        assert "duration" not in told["summary"]
        assert told["extra"]["notes"] == ["This run was interrupted."]


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("pass", "passed"),
        ("known_deviation", "passed"),
        ("fail", "failed"),
        ("not_applicable", "skipped"),
        ("inconclusive", "other"),
        ("error", "other"),
    ],
)
def test_each_verdict_has_its_status_and_is_kept_beside_it(
    case: Any, document_of: Any, verdict: str, status: str
) -> None:
    (test,) = parsed(document_of([case(verdict=verdict)]))["results"]["tests"]
    assert (test["status"], test["rawStatus"]) == (status, verdict)
    assert ("message" in test) is (verdict != "pass")


def test_a_case_says_where_it_is_what_it_decides_and_what_shows_it(case: Any, document_of: Any) -> None:
    (test,) = parsed(document_of([case("AUTH-001.wrong_key", "fail", detail="last words")]))["results"][
        "tests"
    ]
    assert test["name"] == "AUTH-001.wrong_key"
    assert test["suite"] == ["ucarp", "AUTH"]
    assert test["tags"] == ["CARP-AUTH-001"]
    assert (test["filePath"], test["line"]) == ("conformance/suite/test_auth.py", 41)
    assert test["attachments"] == [
        {
            "name": "evidence",
            "contentType": "application/x-pcapng",
            "path": "evidence/AUTH-001.wrong_key.pcapng",
        }
    ]
    assert test["trace"] == "last words"
    assert test["extra"]["frames"] == [10]
    assert test["extra"]["reproduce"].startswith("carp-conformance run")


def test_a_known_deviation_tells_its_reason_and_reference(case: Any, document_of: Any) -> None:
    (test,) = parsed(document_of([case(verdict="known_deviation")]))["results"]["tests"]
    assert test["extra"]["deviation"]["reference"] == "ucarp carp.c packethandler"


def test_a_broken_invariant_is_a_failed_test_of_its_own(document: dict[str, Any]) -> None:
    breach = {"case": "AUTH-001.a", "monitor": "announce", "verdict": "fail", "host": "a", "text": "it said\x1b nothing", "frames": [4], "deviation": None}  # fmt: skip
    document["invariants"] = [
        {"id": "CARP-AUTH-001", "verdict": "pass", "cases": 60, "broken": []},
        {"id": "CARP-ELECT-002", "verdict": "fail", "cases": 60, "broken": [breach]},
    ]
    told = parsed(document)["results"]
    kept, broken = told["tests"][-2:]
    assert (kept["status"], kept["suite"], "message" in kept) == ("passed", ["ucarp", "invariants"], False)
    assert (broken["status"], broken["name"]) == ("failed", "CARP-ELECT-002")
    assert broken["message"] == r"a in AUTH-001.a (frame 4): it said\x1b nothing"
    assert (told["summary"]["failed"], told["summary"]["suites"], told["summary"]["tests"]) == (3, 7, 68)


def test_what_ran_and_what_was_tested_are_named(document: dict[str, Any]) -> None:
    whole = parsed(document)
    assert whole["reportFormat"] == "CTRF"
    assert whole["results"]["tool"] == {"name": "carp-conformance", "version": "0.1.0"}
    assert whole["results"]["environment"]["appName"] == "ucarp"
    assert whole["results"]["extra"]["verdict"] == "fails"


def test_a_target_without_a_version_and_a_case_without_a_source_are_valid(
    case: Any, document_of: Any
) -> None:
    document = document_of([case(source="", requirements=[])])
    document["target"]["version"] = document["suite"]["commit"] = None
    whole = parsed(document)
    assert "appVersion" not in whole["results"]["environment"]
    assert "filePath" not in whole["results"]["tests"][0]


def test_text_of_a_device_is_made_visible(case: Any, document_of: Any) -> None:
    bad = case(verdict="fail", evidence=None) | dict.fromkeys(
        ("title", "reason", "actual", "detail"), HOSTILE
    )
    document = document_of([bad])
    document["target"]["version"] = HOSTILE
    written = ctrf(document)
    for character in ("\x1b", "\u202e", "\\u001b", "\\u0000", "\\udc80"):
        assert character.encode("utf-8", "surrogatepass") not in written.replace(b"\\\\", b"")
    assert "\\x1b[31m" in parsed(document)["results"]["tests"][0]["message"]
