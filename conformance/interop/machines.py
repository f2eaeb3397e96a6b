"""Machines of several targets on one segment: their PIXITs joined, one host each for every role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol, runtime_checkable

from conformance.targets.pixit import Pixit
from conformance.targets.protocol import Target
from conformance.targets.remote.bench import Lane, Maker, RemoteBench, remote_bench

_NAMES = "abcdefgh"


class MachinesDoNotMeet(Exception):
    """Machines that are not on one segment, or too few of them."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"the machines cannot meet: {what}; {remedy}")


@runtime_checkable
class OnMachines(Protocol):
    """A target whose hosts are machines of a PIXIT, and can stand beside another target's."""

    pixit: Pixit | None

    def makers(self, hosts: int) -> list[Maker]:
        """What its first ``hosts`` machines are made of."""


def machines_of(target: Target) -> tuple[str, ...]:
    """The machines that a target uses, by their connections; none for one that makes its hosts itself."""
    pixit = target.pixit if isinstance(target, OnMachines) else None
    return () if pixit is None else tuple(host.connection for host in pixit.hosts)


def joined(targets: Sequence[OnMachines]) -> tuple[Pixit, list[Maker]]:
    """One PIXIT for a bench whose host a is the next free machine of the first target, b of the second …, and what they are made of.

    Raises :class:`MachinesDoNotMeet`.
    """
    used: dict[int, int] = {}
    hosts, makers, pixits = [], [], []
    for name, target in zip(_NAMES, targets, strict=False):
        pixit, place = target.pixit, used.get(id(target), 0)
        used[id(target)] = place + 1
        if pixit is None or place >= len(pixit.hosts):
            raise MachinesDoNotMeet(
                f"{len(pixit.hosts) if pixit else 0} machines are named for {pixit.system if pixit else 'a target'}, and a scenario needs more",
                "name more [[host]] in its PIXIT, or choose scenarios with fewer nodes",
            )
        hosts.append(replace(pixit.hosts[place], name=name))
        makers.append(target.makers(place + 1)[place])
        pixits.append(pixit)
    return _one_segment(pixits, hosts=tuple(hosts)), makers


def _one_segment(pixits: Sequence[Pixit], **changes: object) -> Pixit:
    """The first PIXIT, with what all agree on. Two machines on two wires would only ever see two MASTERs."""
    first, *others = pixits
    for other in others:
        if (other.tester_interface, other.vlans) != (first.tester_interface, first.vlans):
            raise MachinesDoNotMeet(
                f"{first.system} is on {_wire(first)} and {other.system} on {_wire(other)}",
                "put them on one segment and give both PIXITs the same interface and VLANs",
            )
    shared = [one for one in first.shared_addresses if all(one in other.shared_addresses for other in others)]
    if not shared:
        raise MachinesDoNotMeet(
            "their PIXITs have no shared address in common", "give all of them the same shared_addresses"
        )
    return replace(first, shared_addresses=tuple(shared), **changes)  # type: ignore[arg-type]


def _wire(pixit: Pixit) -> str:
    vlans = f" with the VLANs {pixit.vlans.start} to {pixit.vlans.stop - 1}" if pixit.vlans else ""
    return f"the tester's interface {pixit.tester_interface!r}{vlans}"


@contextmanager
def machines_bench(targets: Sequence[OnMachines]) -> Iterator[RemoteBench]:
    """A bench on machines of several targets. Only one cell has them at a time (:mod:`conformance.interop.lock`), so one lane is enough."""
    pixit, makers = joined(targets)
    with remote_bench(pixit, makers, Lane(0, pixit.vlans[0] if pixit.vlans else None)) as bench:
        yield bench
