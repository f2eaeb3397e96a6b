"""What a driver promises. A third party implements these protocols in a distribution of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from conformance.model.dialects import Dialect
from conformance.segment.loop import Loop
from conformance.segment.segment import Port
from conformance.segment.trace import Event, Trace
from conformance.wire.digest import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one IUT is configured. ``options`` are the implementation's own (``dead_ratio`` of ucarp …); unknown ones are refused by the driver."""

    vhid: int = 1
    password: str = field(repr=False)
    addresses: tuple[Address, ...]
    advbase: int = 1
    advskew: int = 0
    preempt: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


class ConfigurationRefused(Exception):
    """The implementation did not accept its settings: its exit status, if it has one, and what it said."""

    def __init__(self, status: int | None, said: str) -> None:
        self.status, self.said = status, said
        super().__init__(f"the implementation refused its configuration (exit status {status}): {said.strip() or 'it said nothing'}")


class Iut(Protocol):
    """One running CARP instance. What a driver cannot do its PICS denies; a case that needs it is not run."""

    settings: Settings
    started_ns: int
    """When its master-down timer began to run (since the epoch)."""

    def running(self) -> bool:
        """Whether it is still there (a process that has not ended, a vhid that is configured)."""

    def stop(self) -> None:
        """Ends it as an administrator would."""

    def kill(self) -> None:
        """Ends it without giving it a chance to say anything."""

    def signal(self, name: str) -> None:
        """Sends a signal by its name (``USR1``)."""

    def describe(self) -> str:
        """A few lines for a developer who reads a failure: state, last log lines."""


class SutHost(Protocol):
    """A machine that an IUT runs on."""

    name: str
    addresses: tuple[Address, ...]
    """The real addresses that its advertisements may come from."""
    mac: bytes

    def start(self, settings: Settings) -> Iut:
        """Configures and starts an IUT; returns when it is in BACKUP. Raises :class:`ConfigurationRefused`."""

    def cable(self, *, plugged: bool) -> None:
        """Takes its link down or brings it up."""

    def serve(self, address: Address, port: int) -> None:
        """From now on a TCP service on ``address``, which need not be there yet, answers with the host's name and closes."""


class Counting(Protocol):
    """What a host with the capability ``counters`` can do besides."""

    def counters(self) -> Mapping[str, int]:
        """All counters of the host, by their names in ``struct carpstats`` (``ipackets``, ``badttl`` …)."""


class Detachable(Protocol):
    """What a host with the capability ``interface_removal`` can do besides."""

    def remove_interface(self) -> None:
        """Removes the interface that its IUT runs on; the bench's ``reset`` makes it again."""


class Tunable(Protocol):
    """What a host with the capability ``sysctl`` can do besides."""

    def sysctl(self, name: str) -> int:
        """The value of ``net.inet.carp.NAME``."""

    def set_sysctl(self, name: str, value: int) -> None:
        """Writes ``net.inet.carp.NAME``; the bench's ``reset`` restores the default."""


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
        """How long something has waited for a CPU of the machine that the hosts run on (:mod:`conformance.segment.pressure`); 0 on a virtual clock."""

    def clock_step_ns(self) -> int:
        """By how much the wall clock moved since :meth:`port`; 0 on a virtual clock."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A fail that the profile expects. ``cases`` is a prefix of case identifiers, ``says`` a regular expression that the failure's text must match."""

    cases: str
    says: str
    reason: str
    reference: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of an implementation before anything is run.

    ``pics`` maps the capabilities of :data:`CAPABILITIES` to True or False (missing: False); ``deviations`` are strict: an expected fail that passes is a failure.
    """

    name: str
    dialect: Dialect
    rung: str
    origin: str
    pics: Mapping[str, bool]
    deviations: tuple[Deviation, ...] = ()
    password: str = field(default="conformance", repr=False)
    max_hosts: int = 2


class Target(Protocol):
    """An implementation on a rung; found through the entry-point group ``carp_conformance.targets``."""

    profile: Profile

    def version(self) -> str:
        """The version of what is installed, or "unknown"."""

    def lacks(self) -> tuple[tuple[str, str], ...]:
        """What this machine lacks to run it, each with the command or sentence that mends it; empty if ready."""

    def bench(self, hosts: int) -> AbstractContextManager[Bench]:
        """A lane with ``hosts`` machines named a, b, c …"""


CAPABILITIES: Mapping[str, str] = {
    "ipv6": "advertises over IPv6 and takes IPv6 addresses",
    "multiple_addresses": "a virtual host can have more than one address",
    "multiple_vhids": "one host can run several virtual hosts",
    "no_password": "runs without a password",
    "preempt": "preemption can be switched on at start",
    "demotion": "can be demoted",
    "reconfigure": "parameters can be changed while it runs",
    "state_request": "a state can be requested while it runs",
    "sysctl": "net.inet.carp.* can be read and written",
    "counters": "receive and error counters can be read",
    "log": "log lines can be read",
    "state_read": "the state can be read from the host",
    "signals": "takes signals",
    "scripts": "runs a script at each change of state",
    "script_time": "how long its scripts take can be set",
    "memberships": "its host reports its multicast groups when queried",
    "exit_status": "ends with an exit status of its own",
    "kill": "can be ended without a word",
    "interface_removal": "the interface of its host can be removed",
    "link": "the link of its host can be taken down and up",
    "partition": "its hosts can be parted from one another",
    "service": "a TCP service can be run on its host",
    "process": "is a process that can be stopped and continued",
    "dead_ratio": "the number of missed advertisements can be set",
    "unicast": "can advertise to a unicast peer",
    "vrrp3": "speaks VRRPv3 on request",
    "bow_out": "says good-bye with 255/255 when it is taken down",
}
"""The vocabulary of PICS: what an implementation, or the access to it, can do."""

OnEvent = Callable[[Event], None]
