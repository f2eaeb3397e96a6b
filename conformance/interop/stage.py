"""Plays a scenario on a bench: starts its nodes, does its steps, waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, cast

from conformance.interop.participant import Participant
from conformance.interop.scenario import SETTLE, Act, Node, Scenario, Step
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.targets.protocol import Bench, Deafening, Settings, Side, SutHost, TwoSided
from conformance.targets.subject import Subject
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret
from conformance.wire.frame import virtual_mac

PASSWORD = "conformance"  # noqa: S105  # it guards nothing
FORGED_EVERY_NS = 100_000_000
Cast = Mapping[str, Participant]
"""The implementations by their role: A, B, and C in a trio."""


def settings_of(node: Node, addresses: Sequence[Any]) -> Settings:
    """How the node is configured when it starts; ``addresses`` are the bench's shared ones."""
    return Settings(
        vhid=node.vhid, password=PASSWORD, addresses=tuple(addresses[place] for place in node.addresses),
        advbase=node.advbase, advskew=node.advskew, preempt=node.preempt,
    )  # fmt: skip


@dataclass(slots=True)
class Stage:
    """A bench with the nodes of a scenario on it. ``rest_ns`` is how long it settles; ``ended`` tells when which
    machine lost a node that had no time to say so.
    """

    scenario: Scenario
    cast: Cast
    bench: Bench
    wire: Segment
    tester: Tester
    rest_ns: int
    running: dict[str, Subject] = field(default_factory=dict)
    ended: list[tuple[int, str]] = field(default_factory=list)
    _forging: ExitStack = field(default_factory=ExitStack)

    def play(self, steps: Sequence[Step]) -> None:
        """Does the steps one after the other, with their rests."""
        for step in steps:
            self._do(step)
            self.wire.watch(self.rest_ns if step.rest_ns == SETTLE else step.rest_ns)

    def close(self) -> None:
        """Ends what still goes on."""
        self._forging.close()

    def subject(self, name: str) -> Subject:
        """The running node of that name."""
        return self.running[name]

    def _do(self, step: Step) -> None:
        match step.act:
            case Act.PART | Act.HEAL:
                self.bench.part(parted=step.act is Act.PART)
            case Act.FORGE:
                self._forge(from_virtual_mac=bool(step.changes.get("virtual_mac")))
            case Act.FORGE_END:
                self._forging.close()
            case Act.START:
                node = self.scenario.node(step.who)
                self._start(node, settings_of(node, self._side(node).shared_addresses))
            case _:
                self._befall(step)

    def _befall(self, step: Step) -> None:
        """What happens to a node that runs."""
        match step.act:
            case Act.KILL:
                self.wire.note(f"ends {step.who} without a word")
                self.ended.append((self.wire.now_ns(), self.scenario.node(step.who).on))
                self.running.pop(step.who).iut.kill()
            case Act.STOP:
                self.running.pop(step.who).iut.stop()
            case Act.PULL | Act.PLUG:
                self._host(step.who).cable(plugged=step.act is Act.PLUG)
            case Act.SET:
                self._change(step.who, step.changes)
            case Act.ADD_ADDRESS:
                self._add_address(step.who, step.amount)
            case Act.DEMOTE:
                self.subject(step.who).demote(step.amount)
            case _:
                self._deafen(step.who, deaf=step.act is Act.DEAFEN)

    def _side(self, node: Node) -> Bench | Side:
        """The segment that the node is on."""
        return cast("TwoSided", self.bench).second if node.inner else self.bench

    def _host(self, name: str) -> SutHost:
        node = self.scenario.node(name)
        return self._side(node).hosts[node.on]

    def _start(self, node: Node, settings: Settings) -> None:
        host = self._host(node.name)
        profile = self.cast[node.of].target.profile
        self.running[node.name] = Subject(
            host.start(settings),
            host,
            settings,
            profile,
            self.wire,
            self.tester,
        )

    def _change(self, name: str, changes: Mapping[str, object]) -> None:
        """On the running node where that is possible; by a new start, as its operator has to, elsewhere."""
        subject = self.subject(name)
        if subject.profile.pics.get("reconfigure"):
            subject.reconfigure(**changes)
        else:
            subject.iut.kill()
            self._start(
                self.scenario.node(name),
                replace(subject.settings, **cast("dict[str, Any]", changes)),
            )

    def _add_address(self, name: str, place: int) -> None:
        subject, address = self.subject(name), self.bench.shared_addresses[place]
        if subject.profile.pics.get("reconfigure"):
            subject.add_address(address)
        else:
            self._change(name, {"addresses": (*subject.settings.addresses, address)})

    def _deafen(self, name: str, *, deaf: bool) -> None:
        cast("Deafening", self.bench).deafen(self.scenario.node(name).on, deaf=deaf)

    def _forge(self, *, from_virtual_mac: bool) -> None:
        secret = Secret("a stranger's guess", self.bench.shared_addresses[:1])
        mac = virtual_mac(1) if from_virtual_mac else self.bench.tester_mac
        forged = Advertisement(
            vhid=1,
            source=self.tester.address,
            secret=secret,
            advbase=1,
            advskew=0,
            source_mac=mac,
        )
        self._forging.enter_context(self.tester.advertising(forged, interval_ns=FORGED_EVERY_NS))
