"""What a host is made of and what an administrator sets: interfaces, virtual hosts, and the errors of setting
them wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface

from conformance.wire.digest import Address
from conformance.wire.vrrp3 import INTERVAL_CS, PRIORITY


class ConfigurationError(ValueError):
    """Something in a host's configuration is impossible in its dialect."""

    def __init__(self, where: str, what: str, remedy: str) -> None:
        self.where, self.what, self.remedy = where, what, remedy
        super().__init__(f"{where}: {what}; {remedy}")


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of a host: its own ``mac`` (six bytes) and ``addresses`` (with prefix length),
    whether its link and itself are up.
    """

    name: str
    mac: bytes
    addresses: tuple[str | IPv4Interface | IPv6Interface, ...] = ()
    link: bool = True
    up: bool = True

    def own(self) -> tuple[IPv4Interface | IPv6Interface, ...]:
        """The addresses, parsed."""
        return tuple(ip_interface(one) if isinstance(one, str) else one for one in self.addresses)


@dataclass(frozen=True, slots=True)
class VhostConfig:
    """What an administrator sets for one virtual host.

    ``addresses`` are the shared addresses in the order of configuration; ``advbase`` in s, ``advskew`` in
    1/256 s. ``device`` is the carp interface (legacy FreeBSD
    and OpenBSD; ``carpVHID`` if not given). ``peer`` and ``peer6`` switch a family to unicast where the
    dialect can. The rest is ucarp's: ``preempt`` (-P),
    ``dead_ratio`` (-r), ``neutral`` (-n), ``shutdown_script`` (-z), ``broadcast`` (-M), ``source`` (-s; the
    interface's first address if not given).
    """

    vhid: int
    addresses: tuple[str | Address, ...] = ()
    password: str | bytes = field(default="", repr=False)
    advbase: int = 1
    advskew: int = 0
    device: str | None = None
    lladdr: str | None = None
    """The MAC address that the carp interface was given by hand (OpenBSD), as ``02:00:00:00:00:01``."""
    peer: str | None = None
    peer6: str | None = None
    preempt: bool = False
    dead_ratio: int = 3
    neutral: bool = False
    shutdown_script: bool = False
    broadcast: bool = False
    source: str | None = None
    nodes: tuple[tuple[int, int], ...] = ()
    """OpenBSD: vhid and advskew of each virtual host of the carp interface (``carpnodes``), instead of ``vhid`` and ``advskew``."""
    balancing: str = ""
    """The mode for ``nodes``; the dialect's own if empty."""
    version: int = 2
    """What it speaks: CARP, or VRRPv3 if 3 (``carpver``); then ``priority`` and ``interval_cs`` (centiseconds) are its parameters, and those of CARP are not."""
    priority: int = PRIORITY
    interval_cs: int = INTERVAL_CS

    def parsed(self) -> tuple[Address, ...]:
        """The shared addresses, parsed, in the order of configuration."""
        return tuple(parse(one) for one in self.addresses)


def parse(address: str | Address) -> Address:
    """An address from its text."""
    return ip_address(address) if isinstance(address, str) else address


def parse_mac(text: str) -> bytes:
    """The six bytes of a MAC address from its text."""
    return bytes.fromhex(text.replace(":", ""))


def link_local_of(mac: bytes) -> IPv6Address:
    """The link-local address that a host derives from a MAC address (RFC 4291, modified EUI-64)."""
    return IPv6Address(b"\xfe\x80" + bytes(6) + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:])
