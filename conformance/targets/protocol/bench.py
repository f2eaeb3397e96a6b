"""What a driver promises of a lane (the segment, the tester's place on it, the machines), and what one can do besides, by its capability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Protocol, runtime_checkable

from conformance.segment.loop import Loop
from conformance.segment.segment import Port
from conformance.segment.trace import Trace
from conformance.targets.protocol.host import SutHost
from conformance.wire.digest import Address

_BESIDE = IPv4Address("192.0.2.200")


class Bench(Protocol):
    """A lane: a segment with the tester on it and hosts to start IUTs on."""

    loop: Loop
    tester_addresses: tuple[Address, ...]
    tester_mac: bytes
    hosts: Mapping[str, SutHost]
    shared_addresses: tuple[Address, ...]
    """Addresses of the segment that nobody has, for the virtual hosts: IPv4 first, then IPv6."""

    def port(self, trace: Trace) -> Port:
        """Makes the tester's port; everything that is seen goes into ``trace`` from now on, and into no other."""

    def probe(self, address: Address, port: int, reply: Callable[[int, str | None], None]) -> None:
        """Connects once from the tester's side to a service; ``reply(time_ns, name)`` tells who answered, or None within 250 ms."""

    def part(self, *, parted: bool) -> None:
        """Parts the hosts from one another, or heals it: parted hosts do not hear each other, the tester hears all and is heard by all (needs partition)."""

    def reset(self) -> None:
        """Ends what a case started and restores the segment."""

    def stalled_ns(self) -> int:
        """How long the processes of tester and IUTs have waited for a CPU so far, together, and their machine for its hypervisor (:mod:`conformance.segment.stalls`); 0 on a virtual clock."""

    def clock_step_ns(self) -> int:
        """By how much the wall clock moved since :meth:`port`; 0 on a virtual clock."""


class Side(Protocol):
    """The second segment of a bench whose hosts have two interfaces; its hosts are those interfaces, under the names of the first ones' with ``-inner``."""

    tester_addresses: tuple[Address, ...]
    tester_mac: bytes
    hosts: Mapping[str, SutHost]
    """By the name of the machine (a, b, c …)."""
    shared_addresses: tuple[Address, ...]

    def port(self, trace: Trace) -> Port:
        """Attaches the tester to this segment too. One time line for both: ``trace`` is that of the first segment."""


class TwoSided(Protocol):
    """What a bench with the capability ``second_interface`` has besides."""

    second: Side


@runtime_checkable
class Reporting(Protocol):
    """What a bench can do besides whose hosts are heard with a delay: other machines."""

    def hear_out(self) -> None:
        """Returns when all has come that its hosts have said until now, and how late they were with it."""


class Deafening(Protocol):
    """What a bench with the capability ``one_way`` can do besides."""

    def deafen(self, host: str, *, deaf: bool) -> None:
        """Lets a host hear no advertisement of the others any more, although they hear its own, or ends that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VrrpRouter:
    """How a VRRP router beside the IUTs is configured: ``version`` 2 or 3, ``interval_cs`` in centiseconds (2: whole seconds).

    It sends from ``source``; ``addresses`` are of one family, link-local ones first over IPv6.
    """

    version: int = 3
    vrid: int = 1
    priority: int = 100
    addresses: tuple[Address, ...]
    interval_cs: int = 100
    preempt: bool = True
    source: Address = _BESIDE


class Neighbour(Protocol):
    """A VRRP router beside the IUTs that is itself not tested. What it says of itself goes into the trace under ``name``."""

    name: str
    addresses: tuple[Address, ...]
    """From which it may advertise."""

    def stop(self) -> None:
        """Ends it as an administrator would: a MASTER resigns with priority 0."""

    def kill(self) -> None:
        """Ends it without a word."""


class Neighbourly(Protocol):
    """What a bench with the capability ``vrrp_neighbour`` can do besides."""

    def vrrp_neighbour(self, router: VrrpRouter) -> Neighbour:
        """Starts a VRRP router on the segment; the bench's ``reset`` ends it."""
