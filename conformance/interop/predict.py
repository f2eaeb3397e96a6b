"""What is expected of a pair in a scenario before it is run: from the tables of the dialects, and from the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address, ip_address
from typing import Any

from conformance.interop.expect import Bounds, bounds
from conformance.interop.hazards import PAIR_HAZARDS
from conformance.interop.participant import Participant
from conformance.interop.run import Ran, run
from conformance.interop.scenario import Act, Node, Scenario
from conformance.interop.stage import PASSWORD, Cast
from conformance.model.config import VhostConfig
from conformance.model.hazards import Member, Misbehaviour, Mix, hazards_of
from conformance.targets.model.target import ModelTarget
from conformance.wire.digest import Address

SEED = 7_112
_POSSIBLE = frozenset({Misbehaviour.NO_MASTER, Misbehaviour.RACE, Misbehaviour.FLAPPING})
"""What depends on fractions of a second, so that it may or may not show in one run."""


class Predicted(StrEnum):
    """What is expected."""

    CONVERGES = "converges"
    HAZARD = "hazard"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Named:
    """A hazard of the cell. ``certain``: it must show; else it may."""

    name: str
    what: str
    source: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Prediction:
    """``reason`` says why it is not applicable; ``simulated`` is a run of the models of both dialects."""

    outcome: Predicted
    reason: str
    hazards: tuple[Named, ...]
    limits: Bounds | None
    simulated: Ran | None

    @property
    def certain(self) -> bool:
        """Whether one of the hazards must show."""
        return any(one.certain for one in self.hazards)


def predict(scenario: Scenario, cast: Cast, rung: str) -> Prediction:
    """The prediction for a pair (roles A and B) on a rung."""
    lack = _lack(scenario, cast, rung)
    if lack:
        return Prediction(Predicted.NOT_APPLICABLE, lack, (), None, None)
    hazards = _hazards(scenario, cast)
    # The models can do what the pair can: what the pair's access denies, the stage does in the same other way.
    models = {role: Participant(one.name, _model(one), one.version) for role, one in cast.items()}
    simulated = run(scenario, models, "sim", SEED)
    outcome = Predicted.HAZARD if hazards else Predicted.CONVERGES
    return Prediction(outcome, "", hazards, bounds(scenario, cast), simulated)


def _model(one: Participant) -> ModelTarget:
    target = ModelTarget(one.name, one.dialect, ())
    pics = dict(target.profile.pics) | {"reconfigure": bool(one.target.profile.pics.get("reconfigure"))}
    target.profile = replace(target.profile, pics=pics)
    return target


def _lack(scenario: Scenario, cast: Cast, rung: str) -> str:
    if scenario.one_way and rung != "sim":
        return f"the rung {rung} cannot make a segment deaf in one direction"
    for role, needs in scenario.needs.items():
        profile = cast[role].target.profile
        for need in needs:
            if not profile.pics.get(need):
                return f"{cast[role].name} as {role} has no {need.replace('_', ' ')}"
    return ""


def _hazards(scenario: Scenario, cast: Cast) -> tuple[Named, ...]:
    found: dict[str, Named] = {}
    stages = list(_stages(scenario, cast))
    for mix in stages:
        last = mix is stages[-1]
        for one in hazards_of(mix):
            certain = last and one.expected not in _POSSIBLE
            if one.name not in found or certain:
                found[one.name] = Named(one.name, one.what, one.source, certain)
    for pair in PAIR_HAZARDS:
        if pair.holds(scenario, cast):
            found[pair.name] = Named(pair.name, pair.what, pair.source, pair.certain)
    return tuple(found.values())


def _stages(scenario: Scenario, cast: Cast) -> Iterator[Mix]:
    """The mixes that the scenario goes through: after each of its steps, and before the first."""
    nodes: dict[str, tuple[Node, dict[str, Any]]] = {}
    for place, step in enumerate((*scenario.setup, *scenario.steps)):
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
            case _:
                pass
        if place >= len(scenario.setup) - 1:
            for vhid in scenario.outcome.masters:
                members = [
                    _member(node, changes, cast) for node, changes in nodes.values() if node.vhid == vhid
                ]
                if len(members) > 1:
                    yield Mix(tuple(members))


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
        demotion=int(changes.get("demotion", 0)),
    )


def _address(place: int) -> Address:
    """The shared address of that place, as all benches number them."""
    return (
        ip_address(f"192.0.2.{100 + place}")
        if place < 10
        else ip_address(f"2001:db8::{0x100 + place - 10:x}")
    )
