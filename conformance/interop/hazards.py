"""Hazards of a pair that show only in what happens to it: they depend on the steps of a scenario, not on one configuration.

Those of a configuration are :data:`conformance.model.hazards.KNOWN_HAZARDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.interop.participant import Participant
from conformance.interop.scenario import Act, Node, Scenario
from conformance.interop.stage import PASSWORD, Cast


@dataclass(frozen=True, slots=True)
class PairHazard:
    """A way of a scenario to go wrong for some implementations; ``certain`` if it always does."""

    name: str
    what: str
    holds: Callable[[Scenario, Cast], bool]
    certain: bool
    source: str


def _acts(scenario: Scenario, *acts: Act) -> bool:
    return any(step.act in acts for step in scenario.steps)


def _worse_node_first(scenario: Scenario, cast: Cast) -> bool:
    gone = {step.who for step in scenario.steps if step.act in (Act.KILL, Act.STOP, Act.PULL)}
    left = [node for node in scenario.nodes if node.name not in gone and node.vhid == 1]
    if not gone or len(left) < 2:
        return False
    first = min(left, key=lambda node: _down_ns(node, cast))
    return any(better.advskew < first.advskew and not better.preempt for better in left)


def _down_ns(node: Node, cast: Cast) -> int:
    """When it takes over as a rule: in a poll loop at the wake that finds the time passed."""
    rules = cast[node.of].dialect
    down_ns = rules.master_down_ns(node.advbase, node.advskew)
    return (
        down_ns if rules.poll_loop is None else rules.poll_loop.wakes_ns(node.advbase, node.advskew, down_ns)
    )


def _password_tail(scenario: Scenario, cast: Cast) -> bool:
    shortened = [
        step.who
        for step in scenario.steps
        if len(str(step.changes.get("password", PASSWORD))) < len(PASSWORD)
    ]
    keeps = {name: _keeps_tail(cast[scenario.node(name).of]) for name in shortened}
    return len(set(keeps.values())) > 1


def _keeps_tail(one: Participant) -> bool:
    return one.dialect.key_keeps_tail and bool(one.target.profile.pics.get("reconfigure"))


def _mac_capture(scenario: Scenario, cast: Cast) -> bool:
    forged = any(step.act is Act.FORGE and step.changes.get("virtual_mac") for step in scenario.steps)
    return forged and any(cast[node.of].dialect.poll_loop is None for node in scenario.nodes)


def _stale_mac(scenario: Scenario, cast: Cast) -> bool:
    daemons = {node.name for node in scenario.nodes if cast[node.of].dialect.poll_loop is not None}
    kernels = {node.name for node in scenario.nodes} - daemons
    return bool(daemons and kernels) and (
        _acts(scenario, Act.HEAL, Act.HEARKEN) or any("password" in step.changes for step in scenario.steps)
    )


PAIR_HAZARDS: tuple[PairHazard, ...] = (
    PairHazard(
        "worse-node-first",
        "The down times follow different formulas, 3 * advbase + advskew/256 s and 3 * (advbase + advskew/256) s: of three and more nodes a worse one "
        "may time out before a better one, and without preemption it stays MASTER.",
        _worse_node_first, True, "computed from the tables; seen on sim by the scenarios nodes-3, nodes-5, nodes-8",
    ),
    PairHazard(
        "password-tail",
        "FreeBSD keeps the tail of a longer password in its key when a shorter one is set: every peer that does not makes another key of the same "
        "password, and both are MASTER until FreeBSD's virtual host is made anew.",
        _password_tail, True, "measured: FreeBSD 13.2 keeps the tail; the pair: seen on sim by the scenario password-shorter",
    ),
    PairHazard(
        "mac-capture",
        "A stranger's frames from the virtual MAC teach the switch the wrong port: no password is needed to draw the traffic of a kernel away, and "
        "it comes back only between the stranger's frames, when the MASTER itself speaks from the virtual MAC.",
        _mac_capture, False, "seen on sim by the scenario forged-mac; a known weakness of virtual MACs, which no password mends",
    ),
    PairHazard(
        "stale-mac",
        "Kernels share a virtual MAC, ucarp announces its own: when two were MASTER and ucarp was the last to announce itself, the kernel that "
        "stays MASTER does not announce itself again, and clients go on sending to ucarp until their ARP entry expires.",
        _stale_mac, False, "seen on sim and on netns by the scenarios healed, equal-healed, one-way; gratuitous ARP only on BACKUP -> MASTER",
    ),
)  # fmt: skip
