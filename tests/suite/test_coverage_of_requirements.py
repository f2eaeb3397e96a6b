"""Every requirement has a case, a monitor or a reason; every case a requirement."""

import pytest

from conformance.catalogue import load


def uncovered(listed):
    """Requirements without a case, a monitor, or a reason why there can be none."""
    return {
        row["id"]
        for row in listed["requirements"]
        if not row["cases"] and not row["monitors"] and not row["untestable"]
    }


def test_every_requirement_is_covered_or_has_a_reason(listed):
    assert sorted(uncovered(listed)) == []


def test_every_case_cites_requirements(listed):
    catalogue = load()
    assert listed["cases"]
    assert [case["id"] for case in listed["cases"] if not case["requirements"]] == []
    assert [id for case in listed["cases"] for id in case["requirements"] if id not in catalogue] == []


def test_case_ids_are_unique(listed):
    ids = [case["id"] for case in listed["cases"]]
    assert sorted({id for id in ids if ids.count(id) > 1}) == []


@pytest.mark.parametrize(("what", "least"), [("requirements", 150), ("cases", 300)])
def test_numbers_to_reach(listed, what, least):
    covered = [row for row in listed[what] if what == "cases" or row["cases"]]
    assert len(covered) >= least
