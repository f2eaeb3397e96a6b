"""The generated page holds every transition."""

from conformance.model.dialects import dialects
from conformance.model.table import transitions_markdown


def test_machines_that_are_the_same_are_drawn_once():
    page = transitions_markdown()
    assert page.count("## ") == 4
    assert "## freebsd-10, freebsd-13, freebsd-15" in page


def test_every_transition_is_in_the_page():
    page = transitions_markdown()
    for one in dialects():
        for (state, what), step in one.transitions.items():
            assert f"| {state.value} | {what.value} | {step.to.value} |" in page
