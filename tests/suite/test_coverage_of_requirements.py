"""Every requirement has a case, a monitor or a reason; every case a requirement."""

import pytest

from conformance.catalogue import load

NOT_YET = {
    "needs two implementations on one segment, which the interop matrix brings together": """
        INTEROP-001 INTEROP-002 INTEROP-003 INTEROP-004 INTEROP-005 INTEROP-007 INTEROP-009 INTEROP-010
        INTEROP-011 INTEROP-012 INTEROP-013 INTEROP-014 INTEROP-015""",
    "needs FreeBSD 15's VRRPv3, which the model does not speak: a machine, with carpver 3": """
        CONF-018 VRRP3-001 VRRP3-002 VRRP3-003 VRRP3-004 VRRP3-005 VRRP3-006 VRRP3-007 VRRP3-008 VRRP3-009
        VRRP3-010 VRRP3-011 VRRP3-012 VRRP3-013 VRRP3-014 VRRP3-015 VRRP3-016 VRRP3-017""",
    "needs the command line or the kernel of a real machine: its tools, users, boot or other drivers": """
        ARP-017 ARP-019 CONF-006 CONF-007 CONF-008 CONF-009 CONF-011 CONF-012 CONF-019 CONF-022 CONF-024
        DEMOTE-010 DEMOTE-019 ELECT-032 LOG-012 ND-008 ROBUST-010 SCENARIO-013 SCENARIO-014 SCENARIO-015
        STATS-001 STATS-014 STATS-017 SYSCTL-010 SYSCTL-011 SYSCTL-012 SYSCTL-013 SYSCTL-014""",
    "needs a clock that can be set without the tester's, so a machine of its own": "TIMER-020",
    "needs balancing (arpbalance, carpnodes), which the model does not have: a machine": """
        ARP-014 ARP-015 CONF-017 MULTI-007 MULTI-008""",
}
"""Requirements that nothing covers so far, by what it takes. Strict: one that is covered must go."""
WAITING = {f"CARP-{short}": reason for reason, those in NOT_YET.items() for short in those.split()}


def uncovered(listed):
    """Requirements without a case, a monitor, or a reason why there can be none."""
    return {
        row["id"]
        for row in listed["requirements"]
        if not row["cases"] and not row["monitors"] and not row["untestable"]
    }


def test_what_nothing_covers_has_a_reason(listed):
    assert sorted(uncovered(listed) - set(WAITING)) == []


def test_what_is_covered_waits_no_more(listed):
    assert sorted(set(WAITING) - uncovered(listed)) == []


def test_what_waits_is_in_the_catalogue():
    catalogue = load()
    assert [id for id in WAITING if id not in catalogue] == []


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
