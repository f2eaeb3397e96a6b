"""The state of one virtual host and of the interface it runs on. Facts only; what happens to them is in
machine, receive, effects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from conformance.model.actions import State
from conformance.model.balancing import Nodes
from conformance.model.config import Interface, VhostConfig, link_local_of
from conformance.model.vrrp3 import Vrrp3Rules
from conformance.wire.digest import KEY_LENGTH, Address, AddressRule, Secret
from conformance.wire.vrrp3 import INTERVAL_CS

if TYPE_CHECKING:
    from conformance.model.poll import Poller


@dataclass(slots=True, eq=False)
class Port:
    """An interface of a host with what the host knows of it."""

    name: str
    mac: bytes
    addresses: list[IPv4Interface | IPv6Interface]
    link: bool
    up: bool
    ghosts: list[Vhost] = field(default_factory=list)
    """Virtual hosts that were removed, where they are not forgotten."""
    reported: bool = True
    """The interface reports the state of its link."""
    vhosts: dict[int, Vhost] = field(default_factory=dict)
    neighbours: dict[Address, bytes] = field(default_factory=dict)
    waiting: dict[Address, list[tuple[bytes, int | None]]] = field(default_factory=dict)
    """Packets (without Ethernet header) that wait for the MAC address of their destination, with their vhid.
    """
    asked: dict[Address, int] = field(default_factory=dict)
    """How often each of these destinations was asked for in vain."""

    @classmethod
    def of(cls, interface: Interface) -> Port:
        return cls(interface.name, interface.mac, list(interface.own()), interface.link, interface.up)

    @property
    def running(self) -> bool:
        return self.link and self.up

    def ipv4(self) -> list[IPv4Interface]:
        """Its own IPv4 addresses."""
        return [one for one in self.addresses if isinstance(one, IPv4Interface)]

    def ipv6(self) -> list[IPv6Interface]:
        """Its own IPv6 addresses without link-local ones."""
        return [one for one in self.addresses if isinstance(one, IPv6Interface) and not one.ip.is_link_local]

    def link_local(self) -> IPv6Address | None:
        """Its link-local address; none if the interface has no IPv6 at all."""
        mine = [one.ip for one in self.addresses if isinstance(one, IPv6Interface)]
        return next((one for one in mine if one.is_link_local), link_local_of(self.mac) if mine else None)

    def owns(self, address: Address) -> bool:
        """Whether ``address`` is one of its own (not shared) addresses."""
        return any(one.ip == address for one in self.addresses) or (
            address.version == 6 and address == self.link_local()
        )


@dataclass(slots=True, eq=False)
class Vhost:
    """A virtual host. Times are absolute nanoseconds, ``None`` while a timer is stopped."""

    port: Port
    config: VhostConfig
    device: str
    mac: bytes
    key: bytes
    state: State = State.INIT
    up: bool = True
    """The carp interface is administratively up; always true where there is none."""
    known: bool = True
    """False once the last address went and the dialect forgot the virtual host."""
    addresses: tuple[Address, ...] = ()
    """The addresses it serves and hashes; on legacy FreeBSD they may lag behind the configuration."""
    families: frozenset[int] = frozenset()
    """4, 6 or both: the families of its addresses."""
    prefixes: tuple[bytes, ...] = ()
    """What is hashed before the counter: first for sending, then the others that are accepted too."""
    counter: int = 0
    heard: bool = False
    """A valid advertisement has been received: the counter runs on from it."""
    nodes: Nodes | None = None
    """All virtual hosts of its carp interface, if it is one of several."""
    routes: Vrrp3Rules | None = None
    """How it speaks VRRPv3; None if it speaks CARP."""
    master_cs: int = INTERVAL_CS
    """VRRPv3: the interval of the master, in centiseconds."""
    advertise_ns: int | None = None
    down_ns: int | None = None
    down6_ns: int | None = None
    announce_in: int = -1
    """After how many more advertisements the addresses are announced again; -1: not."""
    errors: int = 0
    successes: int = 0
    suppressed: bool = False
    """It has added its share to the host's demotion for a lost link."""
    groups: list[str] = field(default_factory=lambda: ["carp"])
    poller: Poller | None = None

    @property
    def vhid(self) -> int:
        return self.config.vhid

    def of_interface(self) -> tuple[Vhost, ...]:
        """Itself, or all virtual hosts of its carp interface."""
        return (self,) if self.nodes is None else tuple(self.nodes.members)

    @property
    def leads(self) -> bool:
        """It stands for its carp interface: the only virtual host there, or the one of the lowest vhid."""
        return self.nodes is None or self.nodes.members[0] is self

    def ipv4(self) -> list[IPv4Address]:
        return [one for one in self.addresses if isinstance(one, IPv4Address)]

    def ipv6(self) -> list[IPv6Address]:
        return [one for one in self.addresses if isinstance(one, IPv6Address)]

    def serves(self, address: Address) -> bool:
        return address in self.addresses

    def deadline_ns(self) -> int | None:
        """The earliest of its timers."""
        earliest_ns = self.advertise_ns
        for due_ns in (self.down_ns, self.down6_ns):
            if due_ns is not None and (earliest_ns is None or due_ns < earliest_ns):
                earliest_ns = due_ns
        return earliest_ns

    def rehash(self, sends: AddressRule, accepts: tuple[AddressRule, ...]) -> None:
        """Computes anew what the digest covers."""
        self.families = frozenset(one.version for one in self.addresses)
        rules = (sends, *(one for one in accepts if one is not sends))
        lladdr = b"" if self.config.lladdr is None or self.mac == self.port.mac else self.mac
        self.prefixes = tuple(
            Secret(self.key, self.addresses, one, lladdr).message(self.vhid, b"") for one in rules
        )


def changed_key(old: bytes, password: str | bytes, *, keeps_tail: bool, most: int = KEY_LENGTH - 1) -> bytes:
    """The 20-byte key after a password, of which ``most`` characters count, was set on a virtual host that
    had the key ``old``.

    Where ``keeps_tail`` holds the tool copies a zero-terminated string over the key, so that a shorter
    password leaves the tail of the old one, and an empty one changes nothing.
    """
    raw = (password.encode() if isinstance(password, str) else password)[:most]
    if not keeps_tail:
        return raw.ljust(KEY_LENGTH, b"\0")
    return raw + b"\0" + old[len(raw) + 1 :] if raw else old
