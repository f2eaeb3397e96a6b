"""Results of an older schema version become those of today, and pages can be made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.report import ctrf, html, junit, results, schema
from conformance.report.certificate.migrate import CURRENT, DamagedResults, UnknownVersion, migrated, readable

VERSION_0 = Path(__file__).parent / "fixtures/run-version-0/results.json"


@pytest.fixture
def old() -> dict[str, object]:
    return json.loads(VERSION_0.read_text(encoding="utf-8"))


def test_version_0_becomes_valid_results_of_today(old):
    document = migrated(old)
    schema.validate(document, "results")
    assert document["verdict"] == "conforms"
    assert [case["group"] for case in document["cases"]] == ["WIRE", "WIRE", "V6"]
    assert document["requirements"][0]["cases"] == ["WIRE-004.ttl_is_255"]
    assert "schema version 0" in document["notes"][0]


def test_pages_can_be_made_of_it(old):
    document = migrated(old)
    assert "WIRE-016" in html.html(document)
    assert b"WIRE-016" in junit.junit(document)
    assert b"WIRE-016" in ctrf.ctrf(document)


def test_record_of_an_interrupted_run_of_version_0_is_read_too(old, tmp_path):
    header = {"record": "run"} | {key: old[key] for key in ("suite", "target", "started")}
    lines = [header, *({"record": "case"} | case for case in old["cases"])]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    document = results.load(tmp_path)
    assert [case["id"] for case in document["cases"]] == [
        "V6-001.destination",
        "WIRE-004.ttl_is_255",
        "WIRE-016.ethernet_source[1]",
    ]
    assert document["verdict"] == "inconclusive"
    assert "interrupted" in document["notes"][0]
    assert "schema version 0" in document["notes"][1]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"suite": None}, "NoneType"),
        ({"cases": [1]}, "int"),
        ({"cases": [{}]}, "there is no 'verdict'"),
        ({"requirements": 7}, "int"),
        ({"summary": []}, "list"),
    ],
)
def test_damaged_results_of_version_0_are_said_to_be(old, change, problem):
    with pytest.raises(DamagedResults, match=f"schema version 0 says: .*{problem}"):
        migrated(old | change)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"fail": 1}, "fails"),
        ({"error": 1}, "error"),
        ({"inconclusive": 1}, "inconclusive"),
        ({"pass": 0}, "inconclusive"),
    ],
)
def test_overall_verdict_is_that_of_version_0(old, change, verdict):
    old["summary"] |= change
    assert migrated(old)["verdict"] == verdict


def test_results_of_today_are_left_alone():
    assert migrated({"schema": CURRENT, "x": 1}) == {"schema": CURRENT, "x": 1}


@pytest.mark.parametrize("version", [2, -1, "1", None, 1.5])
def test_unknown_version_is_said_with_those_that_are_known(version):
    with pytest.raises(UnknownVersion, match="reads 0, 1"):
        migrated({"schema": version})
    assert readable() == (0, 1)
