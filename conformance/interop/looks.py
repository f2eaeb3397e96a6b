"""What a hazard looks like on the segment: which measures it moves, and in which ranges. What lies outside is no hazard but a surprise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conformance.interop.expect import PROBE_NS, SWITCH_NS
from conformance.interop.plan import Plan
from conformance.interop.scenario import Act, Node, Scenario
from conformance.interop.stage import Cast
from conformance.model.hazards import Misbehaviour

Range = tuple[int, int]
"""Least and most, in nanoseconds, both allowed."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Who is MASTER at the end: at least ``least`` and at most ``most`` of the machines ``among``."""

    among: frozenset[str]
    least: int
    most: int

    def holds(self, speaking: frozenset[str]) -> bool:
        """Whether the machines that advertise at the end are such."""
        return speaking <= self.among and self.least <= len(speaking) <= self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The marks of a hazard. A measure that is None stays within what the tables allow a pair without it.

    ``ends`` holds for the virtual host ``vhid``; ``flapping`` and ``refused`` say that this may be seen.
    """

    ends: Ends | None = None
    no_master_ns: Range | None = None
    dual_master_ns: Range | None = None
    service_ns: Range | None = None
    flapping: bool = False
    refused: bool = False
    vhid: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a scenario a hazard holds: between these nodes of ``vhid``, ``from_ns`` to ``to_ns`` after the beginning (negative: since before it)."""

    scenario: Scenario
    cast: Cast
    plan: Plan
    nodes: tuple[Node, ...]
    from_ns: int
    to_ns: int
    vhid: int = 1

    @property
    def last(self) -> bool:
        """Whether it holds to the end."""
        return self.to_ns >= self.plan.end_ns

    @property
    def hosts(self) -> frozenset[str]:
        """The machines of the nodes."""
        return frozenset(node.on for node in self.nodes)

    @property
    def all_ns(self) -> int:
        """All that a client may see of the scene, and the probes at its edges."""
        return self.plan.setup_ns + self.plan.end_ns + PROBE_NS + SWITCH_NS

    @property
    def interval_ns(self) -> int:
        """The longest interval of one of the nodes."""
        return max(
            self.cast[node.of].dialect.interval_window_ns(node.advbase, node.advskew)[1]
            for node in self.nodes
        )

    @property
    def reaction_ns(self) -> int:
        """The longest reaction of one of the nodes."""
        return max(self.cast[node.of].dialect.reaction_ns for node in self.nodes)

    @property
    def fastest_down_ns(self) -> int:
        """The earliest that one of the nodes takes silence for a lost MASTER."""
        return min(
            self.cast[node.of].dialect.take_over_window_ns(node.advbase, node.advskew)[0]
            for node in self.nodes
        )

    @property
    def slowest_down_ns(self) -> int:
        """The latest that one of the nodes does, started anew or not."""
        windows = [
            window(node.advbase, node.advskew)[1]
            for node in self.nodes
            for window in (
                self.cast[node.of].dialect.take_over_window_ns,
                self.cast[node.of].dialect.start_window_ns,
            )
        ]
        return max(windows)


def two_masters(span: Span) -> Looks:
    """They refuse each other: the second is MASTER a down time after the last advertisement that it believed, and both stay it while the cause lasts."""
    held_ns = span.to_ns - max(span.from_ns, 0)
    patience_ns = 0 if span.from_ns < 0 else max(span.fastest_down_ns - span.interval_ns, 0)
    heard_ns = 0 if span.last else 2 * span.interval_ns + span.reaction_ns
    most_ns = max(held_ns - patience_ns, 0) + heard_ns
    if not span.last:
        return Looks(dual_master_ns=(0, most_ns), vhid=span.vhid)
    deaf_ns = 2 * span.interval_ns + (0 if span.from_ns < 0 else span.slowest_down_ns)
    return Looks(
        ends=Ends(span.hosts, 2, len(span.hosts)),
        dual_master_ns=(max(held_ns - deaf_ns, 0), most_ns),
        vhid=span.vhid,
    )


def no_master(span: Span) -> Looks:
    """All step down at once: nobody is MASTER until the first of their down times ends; where they do it again, who speaks last is open."""
    return Looks(
        ends=Ends(span.hosts, 0, len(span.hosts)) if span.last else None,
        no_master_ns=(
            max(span.fastest_down_ns - span.interval_ns, 0),
            span.slowest_down_ns + span.interval_ns + span.reaction_ns,
        ),
        service_ns=(0, span.all_ns),
        flapping=True,
        vhid=span.vhid,
    )


def to_and_fro(span: Span) -> Looks:
    """Each is MASTER in turn: no gap is longer than a down time, and all else is open while it lasts."""
    return Looks(
        ends=Ends(span.hosts, 0, len(span.hosts)) if span.last else None,
        no_master_ns=(0, span.slowest_down_ns + span.interval_ns + span.reaction_ns),
        dual_master_ns=(0, span.to_ns - max(span.from_ns, 0) + span.interval_ns),
        service_ns=(0, span.all_ns),
        flapping=True,
        vhid=span.vhid,
    )


def wrong_master(span: Span) -> Looks:
    """One is MASTER alone, but not the one that is configured to be."""
    return Looks(ends=Ends(span.hosts, 1, 1), vhid=span.vhid)


def not_relieved(span: Span) -> Looks:
    """The demoted host stays MASTER as if nothing had happened."""
    demoted = {
        span.scenario.node(step.who).on for step in span.scenario.steps if step.act in (Act.DEMOTE, Act.PULL)
    }
    stays = frozenset(node.on for node in span.nodes if node.on in demoted)
    return Looks(ends=Ends(stays, 1, 1), vhid=span.vhid)


def refused(span: Span) -> Looks:
    """The implementation does not start with this configuration."""
    return Looks(refused=True, vhid=span.vhid)


LOOKS: Mapping[Misbehaviour, Callable[[Span], Looks]] = {
    Misbehaviour.TWO_MASTERS: two_masters,
    Misbehaviour.NO_MASTER: no_master,
    Misbehaviour.FLAPPING: to_and_fro,
    Misbehaviour.RACE: to_and_fro,
    Misbehaviour.WRONG_MASTER: wrong_master,
    Misbehaviour.NOT_RELIEVED: not_relieved,
    Misbehaviour.REFUSED: refused,
}
"""How the hazards of a configuration look, by what they lead to."""
