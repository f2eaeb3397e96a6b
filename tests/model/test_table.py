"""The generated pages hold every rule and every transition."""

from conformance.model.dialects import ROWS, dialects
from conformance.model.rows import KEYS
from conformance.model.table import (
    confirmed_markdown,
    inputs,
    rules_markdown,
    transitions_dot,
    transitions_markdown,
)


def test_rules_page_has_every_rule_with_value_and_source():
    page = rules_markdown()
    for one in ROWS:
        assert f"**{one.name}**: {one.meaning}".replace("|", "\\|") in page
    for line in page.splitlines():
        if line.startswith("| **"):
            assert line.replace("\\|", "").count("|") == len(KEYS) + 2
    assert "recorded capture: openbsd-8.0beta/a-v4-skew0" in page
    assert "read in source: " in page
    assert "measured on a running system: " in page


def test_one_rule():
    lines = confirmed_markdown(ROWS[0]).splitlines()
    assert len(lines) == 2 + len(KEYS)


def test_machines_that_are_the_same_are_drawn_once():
    page, graph = transitions_markdown(), transitions_dot()
    assert page.count("## ") == graph.count("subgraph") == 4
    assert "## freebsd-10, freebsd-13, freebsd-15" in page
    assert graph.count("{") == graph.count("}")
    assert 'BACKUP0 -> MASTER0 [label="master-down timer ran out"];' in graph


def test_every_transition_is_in_the_page():
    page = transitions_markdown()
    for one in dialects():
        for (state, what), step in one.transitions.items():
            assert f"| {state.value} | {what.value} | {step.to.value} |" in page


def test_inputs_are_explained():
    assert inputs()["MASTER_DOWN"] == "master-down timer ran out"
    assert inputs()["ADVERTISE"] == "send an advertisement"
