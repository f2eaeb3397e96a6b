"""What the tables of the dialects say of a scenario: how long it takes to settle, how long a gap may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.interop.scenario import Act, Gap, Node, Scenario
from conformance.interop.stage import Cast
from conformance.model.dialects import Dialect

SWITCH_NS = 200_000_000
"""What else a hand-over costs a client: the announcement, the next probe, its time-out."""
PROBE_NS = 300_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a pair without a hazard keeps, in nanoseconds: ``no_master_ns`` earliest and latest, ``dual_master_ns`` and ``service_ns`` at most."""

    no_master_ns: tuple[int, int]
    dual_master_ns: int
    service_ns: int


def nodes_with_rules(scenario: Scenario, cast: Cast) -> Iterator[tuple[Node, Dialect]]:
    """The nodes, each with the dialect that its implementation follows."""
    return ((node, cast[node.of].dialect) for node in scenario.nodes)


def settle_ns(scenario: Scenario, cast: Cast) -> int:
    """How long after a step one MASTER must stand alone, and two intervals more to see it."""
    lost_links = any(step.act in (Act.PULL, Act.PLUG) for step in (*scenario.setup, *scenario.steps))
    longest_ns = 0
    for node, rules in nodes_with_rules(scenario, cast):
        skew = max(
            (int(str(step.changes.get("advskew", 0))) for step in scenario.steps if step.who == node.name),
            default=0,
        )
        skew = max(skew, node.advskew)
        down_ns = max(
            rules.take_over_window_ns(node.advbase, skew)[1],
            rules.start_window_ns(node.advbase, skew)[1],
        )
        sleep_ns = rules.poll_loop.link_sleep_ns if lost_links and rules.poll_loop is not None else 0
        longest_ns = max(
            longest_ns,
            down_ns + sleep_ns + 3 * rules.interval_window_ns(node.advbase, skew)[1] + rules.reaction_ns,
        )
    return longest_ns


def patience_ns(scenario: Scenario, cast: Cast) -> int:
    """The shortest time without CPU after which a node may take a MASTER that is there for lost: nothing can be told of a machine that stood still that long."""
    return min(
        rules.take_over_window_ns(node.advbase, node.advskew)[0]
        - rules.interval_window_ns(node.advbase, node.advskew)[1]
        for node, rules in nodes_with_rules(scenario, cast)
    )


def handover_ns(scenario: Scenario, cast: Cast) -> int:
    """The longest that a hand-over takes: over so long the waits of a busy machine add up into one measured time."""
    return max(
        rules.take_over_window_ns(node.advbase, node.advskew)[1]
        for node, rules in nodes_with_rules(scenario, cast)
    )


def bounds(scenario: Scenario, cast: Cast) -> Bounds:
    """What the pair must keep if nothing is wrong with it."""
    masters = tuple(name for names in scenario.outcome.masters.values() for name in names)
    heirs = [scenario.node(name) for name in scenario.outcome.heirs or masters]
    rules = {node.name: cast[node.of].dialect for node in scenario.nodes}
    windows = [rules[node.name].take_over_window_ns(node.advbase, node.advskew) for node in heirs]
    reaction_ns = max(rules[node.name].reaction_ns for node in scenario.nodes)
    interval_ns = max(
        rules[node.name].interval_window_ns(node.advbase, node.advskew)[1] for node in scenario.nodes
    )
    low_ns, high_ns = min(low for low, _ in windows), max(high for _, high in windows)
    match scenario.outcome.gap:
        case Gap.TAKE_OVER:
            gap = (low_ns, high_ns)
        case Gap.BOW_OUT if _says_good_bye(scenario, cast):
            gap = (0, reaction_ns)
        case Gap.BOW_OUT:
            gap = (low_ns, high_ns)
        case Gap.NONE:
            gap = (0, 0)
    starts = any(step.act in (Act.START, Act.HEAL, Act.HEARKEN) for step in scenario.steps)
    dual_ns = (
        2 * interval_ns + reaction_ns
        if starts or scenario.outcome.gap is Gap.NONE
        else interval_ns + reaction_ns
    )
    dual_ns += sum(step.rest_ns for step in scenario.steps if step.act is Act.DEAFEN)
    service_ns = (
        gap[1]
        + PROBE_NS
        + SWITCH_NS
        + (2 * interval_ns + reaction_ns if scenario.outcome.gap is Gap.NONE else 0)
    )
    return Bounds(gap, dual_ns, service_ns)


def _says_good_bye(scenario: Scenario, cast: Cast) -> bool:
    stopped = next(step.who for step in scenario.steps if step.act is Act.STOP)
    return cast[scenario.node(stopped).of].dialect.bow_out
