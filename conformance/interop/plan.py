"""When what of a scenario happens, before it is run: the steps on a time line that begins with the measurement."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.interop.expect import settle_ns
from conformance.interop.scenario import SETTLE, Scenario, Step
from conformance.interop.stage import Cast

LOWEST_SKEW = 240
"""A host that is demoted as far as it goes advertises with this advskew."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Nanoseconds from the beginning of the scenario: when each of its ``steps`` is done, and when the scene ends. ``setup_ns`` is what comes before."""

    steps: tuple[int, ...]
    end_ns: int
    setup_ns: int


def plan(scenario: Scenario, cast: Cast) -> Plan:
    """The plan of a scenario for these implementations; a live run is later than it by what its drivers take."""
    rest_ns = settle_ns(scenario, cast)
    now_ns, begins = 0, []
    for step in scenario.steps:
        begins.append(now_ns)
        now_ns += _rest_ns(step, rest_ns)
    setup_ns = sum(_rest_ns(step, rest_ns) for step in scenario.setup)
    return Plan(tuple(begins), now_ns + look_on_ns(scenario, cast), setup_ns)


def look_on_ns(scenario: Scenario, cast: Cast) -> int:
    """How long the scene is looked at when all is done: long enough to hear every MASTER twice."""
    return 2 * max(
        cast[node.of].dialect.interval_window_ns(node.advbase, LOWEST_SKEW)[1] for node in scenario.nodes
    )


def _rest_ns(step: Step, settle: int) -> int:
    return settle if step.rest_ns == SETTLE else step.rest_ns
