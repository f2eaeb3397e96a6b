"""What a driver promises. A third party implements these protocols in a distribution of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from conformance.model.dialects import Dialect
from conformance.segment.loop import Loop
from conformance.segment.segment import Port
from conformance.segment.trace import Event, Trace
from conformance.targets.pixit import Pixit
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
        super().__init__(
            f"the implementation refused its configuration (exit status {status}): {said.strip() or 'it said nothing'}"
        )


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


class Changeable(Protocol):
    """What an IUT with the capability ``reconfigure`` can do besides. Each raises :class:`ConfigurationRefused` and then has changed nothing more than the implementation did."""

    def reconfigure(self, **changes: Any) -> None:
        """Sets fields of :class:`Settings` (but vhid, addresses and preempt) on the running IUT, all in one request; of ``options`` those that are given."""

    def add_address(self, address: Address) -> None:
        """Gives it one more shared address, or one that it has already."""

    def remove_address(self, address: Address) -> None:
        """Takes a shared address from it."""


class Orderable(Protocol):
    """What an IUT with the capability ``state_request`` can do besides."""

    def request_state(self, state: str) -> None:
        """Orders it to become ``MASTER`` or ``BACKUP``."""


class Closable(Protocol):
    """What an IUT with the capability ``carp_interface`` can do besides."""

    def interface(self, *, up: bool) -> None:
        """Takes its carp interface down or up."""


class Groupable(Protocol):
    """What an IUT with the capability ``interface_groups`` can do besides."""

    def join_group(self, group: str) -> None:
        """Puts its carp interface into one more interface group."""


class Demotable(Protocol):
    """What a host with the capability ``demotion_order`` can do besides."""

    def demote(self, amount: int, group: str = "carp") -> None:
        """Demotes it by ``amount``, or takes that back if it is negative: a write to ``net.inet.carp.demotion``,
        ``carpdemote`` of ``group``, a failure elsewhere on the legacy line.

        Raises :class:`ConfigurationRefused`.
        """

    def demotion(self, group: str = "carp") -> int:
        """Its demotion as it tells it: the sum, the count of ``group``, ``suppress_preempt``."""


class Switchable(Protocol):
    """What a host with the capability ``interface_switch`` can do besides."""

    def interface(self, *, up: bool) -> None:
        """Takes its interface down or up, as an administrator does; the cable stays in."""


class Unsending(Protocol):
    """What a host with the capability ``send_errors`` can do besides."""

    def refuse_sending(self, *, refused: bool) -> None:
        """Lets every attempt to send an advertisement fail (ENOBUFS), or ends that."""


class Unnumbered(Protocol):
    """What a host with the capability ``own_addresses`` can do besides."""

    def remove_own_addresses(self, version: int) -> None:
        """Takes its real addresses of a family (4 or 6) from its interface; the bench's ``reset`` gives them back."""


class Listing(Protocol):
    """What a host with the capability ``vhid_list`` can do besides."""

    def vhids(self) -> tuple[int, ...]:
        """The vhids that are configured on its interface, in ascending order."""


_BESIDE = IPv4Address("192.0.2.200")


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


class Deafening(Protocol):
    """What a bench with the capability ``one_way`` can do besides."""

    def deafen(self, host: str, *, deaf: bool) -> None:
        """Lets a host hear no advertisement of the others any more, although they hear its own, or ends that."""


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
        """How long the processes of tester and IUTs have waited for a CPU so far, together (:mod:`conformance.segment.stalls`); 0 on a virtual clock."""

    def clock_step_ns(self) -> int:
        """By how much the wall clock moved since :meth:`port`; 0 on a virtual clock."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A fail that the profile expects. ``cases`` is a prefix of case identifiers, ``says`` a regular expression that the failure's text must match."""

    cases: str
    says: str
    reason: str
    reference: str
    strict: bool = True
    """Whether a pass is a failure. Not where the implementation is another one, which may have mended what it inherited."""


PUBLIC_PASSWORD = "conformance"  # noqa: S105  # it protects nothing, and with it anybody can check the digests in most captures
"""The password of every profile that does not say otherwise."""


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
    password: str = field(default=PUBLIC_PASSWORD, repr=False)
    max_hosts: int = 2
    max_lanes: int | None = None
    """How many cases can run side by side, if that is limited by something else than the tester's machine."""


class Target(Protocol):
    """An implementation on a rung; found through the entry-point group ``carp_conformance.targets``."""

    profile: Profile

    def version(self) -> str:
        """The version of what is installed, or "unknown"."""

    def lacks(self) -> tuple[tuple[str, str], ...]:
        """What this machine lacks to run it, each with the command or sentence that mends it; empty if ready."""

    def bench(self, hosts: int) -> AbstractContextManager[Bench]:
        """A lane with ``hosts`` machines named a, b, c …"""


@runtime_checkable
class Configurable(Protocol):
    """What a target that tests machines that are already there can do besides."""

    def configured(self, pixit: Pixit) -> Target:
        """The same target for the machines of ``pixit``. Raises :class:`conformance.targets.pixit.PixitError` if they cannot be what it needs."""


@runtime_checkable
class Examined(Protocol):
    """What a target can do besides whose machines can be looked into."""

    def environment(self) -> Mapping[str, Any]:
        """What ``environment.json`` tells of each machine, by its name. Raises :class:`conformance.lab.shell.HostError`."""


@runtime_checkable
class Machined(Protocol):
    """What a target can do besides whose machines are brought up for a run."""

    def machines(self, *, keep: bool, destroy: bool) -> AbstractContextManager[Path]:
        """Brings them up (or takes those that run) and gives a PIXIT file for them, with which workers find the target again.

        Afterwards they are halted, left running (``keep``) or removed (``destroy``). Raises :class:`MachinesError`.
        """


class MachinesError(Exception):
    """Machines that do not come up: one sentence that says which, why, and what to do."""


@runtime_checkable
class Declaring(Protocol):
    """What a host has besides whose IUTs are configured by somebody else. A case takes what it does not ask for itself from here."""

    def declared(self, vhid: int | None) -> Mapping[str, Any]:
        """The fields of :class:`Settings` of its virtual host ``vhid`` (None: of its first); empty if there is none."""


@runtime_checkable
class Rehearsable(Protocol):
    """What a target has besides whose IUTs are configured by somebody else, so that a case cannot have what settings it likes."""

    def rehearsal(self) -> Target:
        """A conforming model of it in virtual time, with the same PICS and settings, driven by the same means: what no case can
        decide on that, it cannot decide on the target.
        """


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
    "one_way": "a host can be made deaf to the others, which still hear it",
    "service": "a TCP service can be run on its host",
    "process": "is a process that can be stopped and continued",
    "dead_ratio": "the number of missed advertisements can be set",
    "unicast": "can advertise to a unicast peer",
    "vrrp3": "speaks VRRPv3 on request",
    "balancing": "one interface of it can have several virtual hosts, among which it balances load",
    "vrrp_neighbour": "a VRRP router can be run beside it (on namespaces keepalived: apt-get install keepalived)",
    "demotion_order": "can be demoted by order, and tells its demotion",
    "demotion_sum": "adds a signed demotion to its advskew",
    "demotion_suppress": "advertises 240 while anything has failed",
    "demotion_groups": "advertises the demote counts of its interface groups",
    "interface_groups": "puts an interface into groups",
    "carp_interface": "has an interface of its own for each virtual host, which can be taken down and up",
    "interface_switch": "the interface of its host can be taken down and up by its administrator",
    "second_interface": "its hosts have a second interface on a segment of its own",
    "group_failover": "a lost link demotes the virtual hosts on other interfaces too",
    "send_errors": "its attempts to send can be made to fail",
    "own_addresses": "the real addresses of its interface can be removed",
    "vhid_list": "the configured vhids can be read",
    "configured_order": "hashes its addresses in the order of configuration",
    "packets_before_states": "logs rejected packets at a lower level than changes of state",
    "custom_lladdr": "its carp interface can be given a MAC address of its own",
    "bow_out": "says good-bye with 255/255 when it is taken down",
    "commands": "its host's command line can be used, by root and by an ordinary user",
    "reboot": "its host can be booted anew, with boot tunables and start-up files",
    "clock": "the wall clock of its host can be set without the tester's",
    "unreported_link": "its host has an interface that reports no link state",
    "device_events": "what its kernel tells devd can be read",
    "forwarding": "its hosts forward packets",
    "hub": "its segment can flood every frame, as a hub does",
    "stacked_interfaces": "it can run on a bridge, and on a VLAN on an aggregation",
    "network_stacks": "its host has several network stacks",
    "netlink": "its netlink family can be asked",
    "pfsync": "pfsync can be started on its host",
    "router_advertisements": "a router advertisement daemon can be run on its host",
}
"""The vocabulary of PICS: what an implementation, or the access to it, can do."""

OnEvent = Callable[[Event], None]
