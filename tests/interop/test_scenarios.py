"""The table of scenarios is whole."""

from __future__ import annotations

from itertools import chain

import pytest

from conformance.interop.scenario import Act, Scenario
from conformance.interop.scenarios import SCENARIOS, UnknownScenario, chosen
from conformance.targets.protocol import CAPABILITIES

WITHOUT_NODE = {Act.PART, Act.HEAL, Act.FORGE, Act.FORGE_END}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
class TestEach:
    def test_steps_name_nodes_that_run(self, scenario: Scenario) -> None:
        running: set[str] = set()
        for step in chain(scenario.setup, scenario.steps):
            if step.act is Act.START:
                assert step.who not in running
                running.add(scenario.node(step.who).name)
            elif step.act in WITHOUT_NODE:
                assert not step.who
            else:
                assert step.who in running
            if step.act in (Act.KILL, Act.STOP):
                running.discard(step.who)
        assert {name for names in scenario.outcome.masters.values() for name in names} <= running

    def test_something_happens_and_each_implementation_is_there(self, scenario: Scenario) -> None:
        assert scenario.steps
        assert {role for _, role in scenario.machines} == set(scenario.roles)
        assert scenario.roles in (("A", "B"), ("A", "B", "C"))
        assert scenario.machines == tuple(
            (name, role) for name, role in zip("abcdefgh", [r for _, r in scenario.machines], strict=False)
        )

    def test_needs_are_capabilities(self, scenario: Scenario) -> None:
        assert set(chain(*scenario.needs.values())) <= CAPABILITIES.keys()


def test_names_are_unique() -> None:
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS) >= 28


def test_chosen_keeps_the_order_of_the_table() -> None:
    assert [one.name for one in chosen(("kill", "join"))] == ["join", "kill"]
    assert chosen(()) == SCENARIOS


def test_an_unknown_scenario_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnknownScenario, match=r"no scenario 'flood'; there are join, "):
        chosen(("flood",))
