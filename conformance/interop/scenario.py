"""What a scenario is: nodes, what happens to them, and what must come of it. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

SECOND = 1_000_000_000
SETTLE = -1
"""As the rest after a step: as long as the slowest member of the mix needs until one MASTER stands alone."""


class Act(Enum):
    """What can happen. Each value says what the step's ``amount`` or ``changes`` mean, if they mean anything."""

    START = "starts the node"
    KILL = "ends the node without a word"
    STOP = "ends the node as its administrator would"
    PULL = "pulls the cable of the node"
    PLUG = "plugs the cable of the node in"
    SET = "changes settings of the node: changes"
    ADD_ADDRESS = "gives the node one more shared address: the amount-th"
    DEMOTE = "demotes the node's host by amount (negative: takes it back)"
    PART = "parts all nodes from one another"
    HEAL = "lets parted nodes hear one another again"
    DEAFEN = "the node's machine no longer hears the others, but is heard"
    HEARKEN = "the node hears the others again"
    FORGE = "the tester forges advertisements, better than all, with a wrong password, until FORGE_END: changes say from which MAC"
    FORGE_END = "the tester ends its forged advertisements"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to the node ``who`` (all: empty), and how long the scene then rests, in ns."""

    act: Act
    who: str = ""
    rest_ns: int = SETTLE
    amount: int = 0
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """One virtual host: on machine ``on`` (a, b, c …) of implementation ``of`` (A, B or C).

    ``addresses`` are places in the segment's list of shared addresses: 0 to 9 are IPv4, 10 to 19 IPv6.
    ``inner``: it is on the machine's second interface, on a segment of its own.
    """

    name: str
    on: str
    of: str
    advskew: int
    advbase: int = 1
    vhid: int = 1
    preempt: bool = False
    addresses: tuple[int, ...] = (0,)
    inner: bool = False


class Gap(Enum):
    """How long nobody may be MASTER, by the tables of the dialects."""

    NONE = "mastership goes over while the former MASTER is there"
    TAKE_OVER = "the former MASTER falls silent: the down time of its successor"
    BOW_OUT = (
        "the former MASTER is ended: a reaction where it says good-bye, else the down time of its successor"
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What must stand at the end: for each vhid the names of the nodes of which exactly one is MASTER.

    ``heirs`` are those that take over on the way, if they are others.
    """

    masters: Mapping[int, tuple[str, ...]]
    gap: Gap = Gap.NONE
    heirs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario. ``setup`` is not measured, ``steps`` are; ``needs`` are capabilities by implementation."""

    name: str
    title: str
    told: str
    nodes: tuple[Node, ...]
    setup: tuple[Step, ...]
    steps: tuple[Step, ...]
    outcome: Outcome
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def roles(self) -> tuple[str, ...]:
        """The implementations that it takes: A and B, or A, B and C."""
        return tuple(sorted({node.of for node in self.nodes}))

    @property
    def machines(self) -> tuple[tuple[str, str], ...]:
        """The machines with the implementation of each (``("a", "A")``), in the order of their names."""
        return tuple(sorted({(node.on, node.of) for node in self.nodes}))

    def node(self, name: str) -> Node:
        """The node of that name."""
        return next(one for one in self.nodes if one.name == name)
