"""Results of an older schema version become those of today, and pages can be made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.report import html, junit, schema
from conformance.report.certificate.migrate import CURRENT, UnknownVersion, migrated, readable

VERSION_0 = Path(__file__).parent / "fixtures/results-version-0.json"


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
