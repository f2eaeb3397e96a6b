"""What is expected of a pair in a scenario before it is run: from the tables of the dialects, and from the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address, ip_address
from typing import Any

from conformance.interop.expect import Bounds, bounds
from conformance.interop.hazards import PAIR_HAZARDS
from conformance.interop.looks import LOOKS, Looks, Span
from conformance.interop.machines import MachinesDoNotMeet, OnMachines, segment_of
from conformance.interop.participant import Participant
from conformance.interop.plan import Plan, plan
from conformance.interop.run import Ran, run
from conformance.interop.scenario import Act, Node, Scenario, Step
from conformance.interop.stage import PASSWORD, Cast
from conformance.model.config import VhostConfig
from conformance.model.dialects import Dialect
from conformance.model.hazards import Hazard, Misbehaviour, hazards_of
from conformance.model.mix import Member, Mix
from conformance.targets.model.target import ModelTarget
from conformance.targets.protocol import Target
from conformance.wire.digest import Address

SEED = 7_112
LINK_LOST = -1
"""As a demotion: what the implementation makes of a lost link."""
_POSSIBLE = frozenset({Misbehaviour.NO_MASTER, Misbehaviour.RACE, Misbehaviour.FLAPPING})
"""What depends on fractions of a second, so that it may or may not show in one run."""


class Predicted(StrEnum):
    """What is expected."""

    CONVERGES = "converges"
    HAZARD = "hazard"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Named:
    """A hazard of the cell. ``certain``: it must show; else it may. ``looks``: how."""

    name: str
    what: str
    source: str
    certain: bool
    looks: Looks


@dataclass(frozen=True, slots=True)
class Prediction:
    """``reason`` says why it is not applicable; ``simulated`` is a run of the models of both dialects; ``plan`` is when what happens."""

    outcome: Predicted
    reason: str
    hazards: tuple[Named, ...]
    limits: Bounds | None
    simulated: Ran | None
    plan: Plan | None = None

    @property
    def certain(self) -> bool:
        """Whether one of the hazards must show."""
        return any(one.certain for one in self.hazards)


def predict(scenario: Scenario, cast: Cast) -> Prediction:
    """The prediction for a pair (roles A and B) or a trio."""
    lack = _lack(scenario, cast)
    if lack:
        return Prediction(Predicted.NOT_APPLICABLE, lack, (), None, None)
    times = plan(scenario, cast)
    hazards = _hazards(scenario, cast, times)
    # The models can do what the pair can: what the pair's access denies, the stage does in the same other way.
    models = {role: Participant(one.name, _model(one), one.version) for role, one in cast.items()}
    simulated = run(scenario, models, "sim", SEED)
    outcome = Predicted.HAZARD if hazards else Predicted.CONVERGES
    return Prediction(outcome, "", hazards, bounds(scenario, cast), simulated, times)


def _model(one: Participant) -> ModelTarget:
    target = ModelTarget(one.name, one.dialect, ())
    pics = dict(target.profile.pics) | {"reconfigure": bool(one.target.profile.pics.get("reconfigure"))}
    target.profile = replace(target.profile, pics=pics)
    return target


def _lack(scenario: Scenario, cast: Cast) -> str:
    for one in cast.values():
        if one.absent:
            return one.absent
        hosts, has = sum(cast[role] is one for _, role in scenario.machines), one.target.profile.max_hosts
        if hosts > has:
            return f"{one.name} has {has} hosts, and {hosts} are needed"
    apart = _apart([cast[role].target for _, role in scenario.machines])
    if apart:
        return apart
    for role, needs in scenario.needs.items():
        profile = cast[role].target.profile
        for need in needs:
            if not profile.pics.get(need):
                return f"{cast[role].name} as {role} has no {need.replace('_', ' ')}"
    return ""


def _apart(targets: list[Target]) -> str:
    """Why machines of these targets cannot be on one bench; empty if they can, or are none."""
    on_machines = [one for one in targets if isinstance(one, OnMachines) and one.pixit is not None]
    if not on_machines or len(on_machines) < len(targets):
        return ""
    try:
        segment_of(on_machines)
    except MachinesDoNotMeet as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Nodes of a vhid as they stand from ``from_ns`` to ``to_ns`` after the beginning of the scenario (negative: before it)."""

    vhid: int
    nodes: tuple[Node, ...]
    mix: Mix
    from_ns: int
    to_ns: int


def _hazards(scenario: Scenario, cast: Cast, times: Plan) -> tuple[Named, ...]:
    found: dict[str, tuple[Hazard, list[_Stage]]] = {}
    for stage in _stages(scenario, cast, times):
        for one in hazards_of(stage.mix):
            found.setdefault(one.name, (one, []))[1].append(stage)
    named = [_named(one, stages, scenario, cast, times) for one, stages in found.values()]
    named += [
        Named(one.name, one.what, one.source, one.certain(scenario, cast), one.looks(scenario, cast, times))
        for one in PAIR_HAZARDS
        if one.holds(scenario, cast)
    ]
    return tuple(named)


def _named(one: Hazard, stages: list[_Stage], scenario: Scenario, cast: Cast, times: Plan) -> Named:
    last = stages[-1]
    span = Span(scenario, cast, times, last.nodes, stages[0].from_ns, last.to_ns, last.vhid)
    certain = span.last and one.expected not in _POSSIBLE
    return Named(one.name, one.what, one.source, certain, LOOKS[one.expected](span))


def _stages(scenario: Scenario, cast: Cast, times: Plan) -> Iterator[_Stage]:
    """The mixes that the scenario goes through: after each of its steps, and before the first."""
    nodes: dict[str, tuple[Node, dict[str, Any]]] = {}
    begins = (*(-1 for _ in scenario.setup), *times.steps, times.end_ns)
    for place, step in enumerate((*scenario.setup, *scenario.steps)):
        _take(step, scenario, nodes)
        if place < len(scenario.setup) - 1:
            continue
        for vhid in scenario.outcome.masters:
            alive = [one for one in nodes.values() if one[0].vhid == vhid and "unplugged" not in one[1]]
            members = tuple(_member(node, changes, cast) for node, changes in alive)
            if len(members) > 1:
                yield _Stage(
                    vhid, tuple(node for node, _ in alive), Mix(members), begins[place], begins[place + 1]
                )


def _take(step: Step, scenario: Scenario, nodes: dict[str, tuple[Node, dict[str, Any]]]) -> None:
    """Lets a step happen to ``nodes``: those that run, with what has been changed."""
    match step.act:
        case Act.START:
            nodes[step.who] = (scenario.node(step.who), {})
        case Act.KILL | Act.STOP:
            nodes.pop(step.who)
        case Act.SET:
            nodes[step.who][1].update(step.changes)
        case Act.ADD_ADDRESS:
            nodes[step.who][1]["more"] = step.amount
        case Act.DEMOTE:
            nodes[step.who][1]["demotion"] = step.amount
        case Act.PULL | Act.PLUG:
            _lose_link(step, scenario, nodes)
        case _:
            pass


def _lose_link(step: Step, scenario: Scenario, nodes: dict[str, tuple[Node, dict[str, Any]]]) -> None:
    """A node without a link is not on the segment; a lost link demotes what else is on the machine."""
    lost = scenario.node(step.who)
    for node, changes in nodes.values():
        if node.on != lost.on:
            continue
        name = "unplugged" if node.inner == lost.inner else "demotion"
        if step.act is Act.PULL:
            changes[name] = LINK_LOST
        else:
            changes.pop(name, None)


def _member(node: Node, changes: dict[str, Any], cast: Cast) -> Member:
    places = (*node.addresses, *([changes["more"]] if "more" in changes else []))
    config = VhostConfig(
        node.vhid, tuple(_address(place) for place in places), str(changes.get("password", PASSWORD)), node.advbase,
        int(changes.get("advskew", node.advskew)), preempt=node.preempt,
    )  # fmt: skip
    number = "abcdefgh".index(node.on) + 1
    source = IPv4Address(f"192.0.2.{number}")
    return Member(
        dialect=cast[node.of].dialect,
        config=config,
        source=source,
        demotion=_demotion(changes, cast[node.of].dialect),
    )


def _demotion(changes: dict[str, Any], rules: Dialect) -> int:
    """As ordered; a lost link, where it demotes, by as much as it does by default."""
    amount = int(changes.get("demotion", 0))
    return rules.link_demotion if amount == LINK_LOST else amount


def _address(place: int) -> Address:
    """The shared address of that place, as all benches number them."""
    return (
        ip_address(f"192.0.2.{100 + place}")
        if place < 10
        else ip_address(f"2001:db8::{0x100 + place - 10:x}")
    )
