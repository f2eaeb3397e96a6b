"""Hazards of a pair that show only in what happens to it: they depend on the steps of a scenario, not on one configuration.

Those of a configuration are :data:`conformance.model.hazards.KNOWN_HAZARDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.interop.expect import PROBE_NS, SWITCH_NS, bounds
from conformance.interop.looks import Ends, Looks, Span, two_masters
from conformance.interop.participant import Participant
from conformance.interop.plan import Plan
from conformance.interop.scenario import Act, Node, Scenario
from conformance.interop.stage import PASSWORD, Cast


@dataclass(frozen=True, slots=True)
class PairHazard:
    """A way of a scenario to go wrong for some implementations: ``certain`` tells whether it always does, ``looks`` how that shows."""

    name: str
    what: str
    holds: Callable[[Scenario, Cast], bool]
    certain: Callable[[Scenario, Cast], bool]
    looks: Callable[[Scenario, Cast, Plan], Looks]
    source: str


def _always(_scenario: Scenario, _cast: Cast) -> bool:
    return True


def _perhaps(_scenario: Scenario, _cast: Cast) -> bool:
    return False


def _acts(scenario: Scenario, *acts: Act) -> bool:
    return any(step.act in acts for step in scenario.steps)


def _left(scenario: Scenario) -> list[Node]:
    """The nodes of vhid 1 that are there when the MASTER is gone, if it goes."""
    gone = {step.who for step in scenario.steps if step.act in (Act.KILL, Act.STOP, Act.PULL)}
    return [node for node in scenario.nodes if gone and node.name not in gone and node.vhid == 1]


def _window_ns(node: Node, cast: Cast) -> tuple[int, int]:
    """When it takes over, earliest and latest: a poll loop does so only at the wake that finds the time passed."""
    rules = cast[node.of].dialect
    early_ns, late_ns = rules.take_over_window_ns(node.advbase, node.advskew)
    if rules.poll_loop is None:
        return early_ns, late_ns
    down_ns = rules.master_down_ns(node.advbase, node.advskew)
    wake_ns = rules.poll_loop.wakes_ns(node.advbase, node.advskew, down_ns)
    return wake_ns - rules.timer_slack.early_ns, late_ns


def _first(scenario: Scenario, cast: Cast) -> list[Node]:
    """Those that may be the first to take over."""
    left = _left(scenario)
    latest_ns = min((_window_ns(node, cast)[1] for node in left), default=0)
    return [node for node in left if _window_ns(node, cast)[0] <= latest_ns]


def _worse_node_first(scenario: Scenario, cast: Cast) -> bool:
    left = _left(scenario)
    return any(
        better.advskew < first.advskew and not better.preempt
        for first in _first(scenario, cast)
        for better in left
    )


def _worse_for_sure(scenario: Scenario, cast: Cast) -> bool:
    best = min(node.advskew for node in _left(scenario))
    return all(node.advskew > best for node in _first(scenario, cast))


def _worse_node_looks(scenario: Scenario, cast: Cast, _plan: Plan) -> Looks:
    """One of those that may time out first is MASTER alone, after its own down time and not that of the best."""
    first = _first(scenario, cast)
    windows = [_window_ns(node, cast) for node in first]
    return Looks(
        ends=Ends(frozenset(node.on for node in first), 1, 1),
        no_master_ns=(min(early for early, _ in windows), min(late for _, late in windows)),
    )


def _shortened(scenario: Scenario) -> list[int]:
    """The places of the steps that set a shorter password."""
    return [
        place
        for place, step in enumerate(scenario.steps)
        if len(str(step.changes.get("password", PASSWORD))) < len(PASSWORD)
    ]


def _password_tail(scenario: Scenario, cast: Cast) -> bool:
    shortened = [scenario.steps[place].who for place in _shortened(scenario)]
    keeps = {name: _keeps_tail(cast[scenario.node(name).of]) for name in shortened}
    return len(set(keeps.values())) > 1


def _keeps_tail(one: Participant) -> bool:
    return one.dialect.key_keeps_tail and bool(one.target.profile.pics.get("reconfigure"))


def _password_tail_looks(scenario: Scenario, cast: Cast, plan: Plan) -> Looks:
    """Two MASTERs from the last change on at least, and at most from the first."""
    nodes = tuple(node for node in scenario.nodes if node.vhid == 1)
    at_least, at_most = (
        two_masters(Span(scenario, cast, plan, nodes, plan.steps[place], plan.end_ns))
        for place in (_shortened(scenario)[-1], _shortened(scenario)[0])
    )
    assert at_least.dual_master_ns is not None
    assert at_most.dual_master_ns is not None
    return Looks(ends=at_least.ends, dual_master_ns=(at_least.dual_master_ns[0], at_most.dual_master_ns[1]))


def _mac_capture(scenario: Scenario, cast: Cast) -> bool:
    forged = any(step.act is Act.FORGE and step.changes.get("virtual_mac") for step in scenario.steps)
    return forged and any(cast[node.of].dialect.poll_loop is None for node in scenario.nodes)


def _mac_capture_looks(scenario: Scenario, cast: Cast, plan: Plan) -> Looks:
    """The service is gone at most while the stranger forges, and until the MASTER speaks again."""
    begin, end = (
        next(plan.steps[place] for place, step in enumerate(scenario.steps) if step.act is act)
        for act in (Act.FORGE, Act.FORGE_END)
    )
    interval_ns = max(
        cast[node.of].dialect.interval_window_ns(node.advbase, node.advskew)[1] for node in scenario.nodes
    )
    most_ns = end - begin + interval_ns + PROBE_NS + SWITCH_NS
    return Looks(service_ns=(0, max(most_ns, bounds(scenario, cast).service_ns)))


def _stale_mac(scenario: Scenario, cast: Cast) -> bool:
    daemons = {node.name for node in scenario.nodes if cast[node.of].dialect.poll_loop is not None}
    kernels = {node.name for node in scenario.nodes} - daemons
    return bool(daemons and kernels) and (
        _acts(scenario, Act.HEAL, Act.HEARKEN)
        or any("password" in step.changes for step in scenario.steps)
        or _daemon_after_kernel(scenario, cast)
    )


def _daemon_after_kernel(scenario: Scenario, cast: Cast) -> bool:
    """Whether ucarp may time out when a kernel has taken over, but before it has read that kernel's first advertisement."""
    left = _left(scenario)
    for daemon in left:
        loop = cast[daemon.of].dialect.poll_loop
        if loop is None:
            continue
        early_ns, late_ns = _window_ns(daemon, cast)
        for kernel in left:
            first_ns, last_ns = _window_ns(kernel, cast)
            in_kernel = cast[kernel.of].dialect.poll_loop is None
            if in_kernel and early_ns <= last_ns + loop.read_timeout_ns and late_ns >= first_ns:
                return True
    return False


def _stale_mac_looks(_scenario: Scenario, _cast: Cast, plan: Plan) -> Looks:
    """The service may be gone for as long as anybody looks: ARP entries live longer than a scenario."""
    return Looks(service_ns=(0, plan.setup_ns + plan.end_ns + PROBE_NS + SWITCH_NS))


PAIR_HAZARDS: tuple[PairHazard, ...] = (
    PairHazard(
        "worse-node-first",
        "The down times follow different formulas, 3 * advbase + advskew/256 s and 3 * (advbase + advskew/256) s: of three and more nodes a worse one "
        "may time out before a better one, and without preemption it stays MASTER. The slack of FreeBSD's callouts, up to 1/16 of the time, does the same to "
        "nodes whose down times lie closer together than that.",
        _worse_node_first, _worse_for_sure, _worse_node_looks, "computed from the tables; seen on sim by the scenarios nodes-3, nodes-5, nodes-8",
    ),
    PairHazard(
        "password-tail",
        "FreeBSD keeps the tail of a longer password in its key when a shorter one is set: every peer that does not makes another key of the same "
        "password, and both are MASTER until FreeBSD's virtual host is made anew.",
        _password_tail, _always, _password_tail_looks,
        "measured: FreeBSD 13.2 keeps the tail; the pair: seen on sim by the scenario password-shorter",
    ),
    PairHazard(
        "mac-capture",
        "A stranger's frames from the virtual MAC teach the switch the wrong port: no password is needed to draw the traffic of a kernel away, and "
        "it comes back only between the stranger's frames, when the MASTER itself speaks from the virtual MAC.",
        _mac_capture, _perhaps, _mac_capture_looks,
        "seen on sim by the scenario forged-mac; a known weakness of virtual MACs, which no password mends",
    ),
    PairHazard(
        "stale-mac",
        "Kernels share a virtual MAC, ucarp announces its own: when two were MASTER and ucarp was the last to announce itself, the kernel that "
        "stays MASTER does not announce itself again, and clients go on sending to ucarp until their ARP entry expires. It needs no partition: of three nodes and "
        "more ucarp may time out before it has read the first advertisement of the kernel that took over.",
        _stale_mac, _perhaps, _stale_mac_looks,
        "seen on sim and on netns by the scenarios healed, equal-healed, one-way, nodes-5; gratuitous ARP only on BACKUP -> MASTER",
    ),
)  # fmt: skip
