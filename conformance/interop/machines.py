"""Machines of several targets on one segment: their PIXITs joined, one host each for every role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol, runtime_checkable

from conformance.targets.pixit import Pixit
from conformance.targets.protocol import Target
from conformance.targets.remote.bench import Lane, Maker, RemoteBench, remote_bench
from conformance.wire.digest import Address

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
    """One PIXIT for a bench whose host a is a free machine of the first target, b of the second …, and what they are made of.

    Raises :class:`MachinesDoNotMeet`.
    """
    whole, places = segment_of(targets)
    makers = [target.makers(place + 1)[place] for target, place in zip(targets, places, strict=True)]
    return whole, makers


def segment_of(targets: Sequence[OnMachines]) -> tuple[Pixit, list[int]]:
    """That PIXIT, and which machine of each target it is. Asks no machine. Raises :class:`MachinesDoNotMeet`."""
    places = free_machines(targets)
    pixits = [_pixit(target) for target in targets]
    hosts = tuple(
        replace(pixit.hosts[place], name=name)
        for name, pixit, place in zip(_NAMES, pixits, places, strict=False)
    )
    whole = _one_segment(pixits, hosts=hosts)
    strict = [
        one.system
        for one, target in zip(pixits, targets, strict=True)
        if getattr(target, "needs_vlan", False)
    ]
    if whole.vlans is None and strict:
        raise MachinesDoNotMeet(
            f"{strict[0]} needs a VLAN, and there is one of them here that cannot use any",
            "give all PIXITs the same VLANs, or pair it with a system that can be tested on one",
        )
    return whole, places


def free_machines(targets: Sequence[OnMachines]) -> list[int]:
    """For each target the place of its next machine that is not taken and whose addresses no machine before it has: two systems number theirs alike.

    Raises :class:`MachinesDoNotMeet`.
    """
    taken: list[tuple[int, int]] = []
    addresses: set[Address] = set()
    for target in targets:
        pixit = _pixit(target)
        free = [place for place, _ in enumerate(pixit.hosts) if (id(target), place) not in taken]
        if not free:
            raise MachinesDoNotMeet(
                f"{len(pixit.hosts)} machines are named for {pixit.system}, and a scenario needs more",
                "name more [[host]] in its PIXIT, or choose scenarios with fewer nodes",
            )
        apart = [place for place in free if not addresses & {*pixit.hosts[place].addresses}]
        if not apart:
            whose = ", ".join(str(one) for one in pixit.hosts[free[0]].addresses)
            raise MachinesDoNotMeet(
                f"each machine of {pixit.system} that is left has an address of another one ({whose})",
                "give all machines of all PIXITs addresses of their own",
            )
        taken.append((id(target), apart[0]))
        addresses |= {*pixit.hosts[apart[0]].addresses}
    return [place for _, place in taken]


def _pixit(target: OnMachines) -> Pixit:
    if target.pixit is None:
        raise MachinesDoNotMeet("a target has no machines", "give its PIXIT, or have its machines brought up")
    return target.pixit


def _one_segment(pixits: Sequence[Pixit], **changes: object) -> Pixit:
    """The first PIXIT, with what all agree on, VLANs that all may use among it. Two machines on two wires would only ever see two MASTERs."""
    first, *others = pixits
    vlans = first.vlans
    for other in others:
        if other.tester_interface != first.tester_interface:
            raise _on_two_wires(first, other)
        if vlans is None or other.vlans is None:
            vlans = None  # the wire itself is what all have
            continue
        vlans = range(max(vlans.start, other.vlans.start), min(vlans.stop, other.vlans.stop))
        if not vlans:
            raise _on_two_wires(first, other)
    shared = [one for one in first.shared_addresses if all(one in other.shared_addresses for other in others)]
    if not shared:
        raise MachinesDoNotMeet(
            "their PIXITs have no shared address in common", "give all of them the same shared_addresses"
        )
    return replace(first, vlans=vlans, shared_addresses=tuple(shared), **changes)  # type: ignore[arg-type]


def _on_two_wires(first: Pixit, other: Pixit) -> MachinesDoNotMeet:
    return MachinesDoNotMeet(
        f"{first.system} is on {_wire(first)} and {other.system} on {_wire(other)}",
        "put them on one segment and give both PIXITs the same interface and VLANs",
    )


def _wire(pixit: Pixit) -> str:
    vlans = f" with the VLANs {pixit.vlans.start} to {pixit.vlans.stop - 1}" if pixit.vlans else ""
    return f"the tester's interface {pixit.tester_interface!r}{vlans}"


@contextmanager
def machines_bench(targets: Sequence[OnMachines]) -> Iterator[RemoteBench]:
    """A bench on machines of several targets. Only one cell has them at a time (:mod:`conformance.interop.lock`), so one lane is enough."""
    pixit, makers = joined(targets)
    with remote_bench(pixit, makers, Lane(0, pixit.vlans[0] if pixit.vlans else None)) as bench:
        yield bench
