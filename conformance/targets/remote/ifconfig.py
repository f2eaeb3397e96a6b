"""What ifconfig(8) of FreeBSD and OpenBSD prints, read: interfaces, their addresses, their virtual hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from conformance.wire.digest import Address

Interface = IPv4Interface | IPv6Interface
_HEAD = re.compile(r"^(?P<name>[\w.]+): flags=[0-9a-f]+(?:<(?P<flags>[^>]*)>)?")
_INET = re.compile(r"^\s+inet (?P<ip>\S+) netmask 0x(?P<mask>[0-9a-f]{8})(?P<rest>.*)$")
_INET6 = re.compile(r"^\s+inet6 (?P<ip>[^\s%]+)(?:%\S+)? prefixlen (?P<length>\d+)(?P<rest>.*)$")
_MAC = re.compile(r"^\s+(?:ether|lladdr) (?P<mac>[0-9a-f]{2}(?::[0-9a-f]{2}){5})$")
_VHID = re.compile(r"\bvhid (\d+)\b")
_CARP = re.compile(
    r"^\s+(?:carp: (?P<state>\w+)(?: carpdev (?P<device>\w+))? vhid (?P<vhid>\d+) "
    r"advbase (?P<advbase>\d+) advskew (?P<advskew>\d+)"
    r"|vrrp: (?P<vrrp>\w+) vrid (?P<vrid>\d+) prio \d+ interval \d+)"
)
_SHARED = re.compile(r"^\s+carp: carpdev (?P<device>\w+) advbase (?P<advbase>\d+) balancing \S+")
"""The line above the virtual hosts of an interface that has several (OpenBSD), each of which is a :data:`_NODE`."""
_NODE = re.compile(r"^\s+state (?P<state>\w+) vhid (?P<vhid>\d+) advskew (?P<advskew>\d+)$")
_ND6 = re.compile(r"^\s+nd6 options=[0-9a-f]+<(?P<options>[^>]*)>")
_GROUPS = re.compile(r"^\s+groups: (?P<groups>.*)$")
_STATUS = re.compile(r"^\s+status: (?P<status>.*)$")


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """A line ``carp:`` (or ``vrrp:``) of an interface. ``device`` is the carrying interface where the line names it."""

    state: str
    vhid: int
    advbase: int | None
    advskew: int | None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One interface. ``addresses`` are in the order of the listing; ``vhid_of`` says which of them are shared."""

    name: str
    flags: frozenset[str]
    mac: bytes | None
    addresses: tuple[Interface, ...]
    vhid_of: Mapping[Address, int]
    virtual: tuple[VirtualHost, ...]
    groups: tuple[str, ...]
    status: str
    ipv6_disabled: bool

    @property
    def up(self) -> bool:
        return "UP" in self.flags

    @property
    def own(self) -> tuple[Interface, ...]:
        """Its real addresses."""
        return tuple(one for one in self.addresses if one.ip not in self.vhid_of)

    def virtual_host(self, vhid: int) -> VirtualHost | None:
        return next((one for one in self.virtual if one.vhid == vhid), None)


def read(text: str) -> dict[str, Shown]:
    """The interfaces of a listing, by name, in its order."""
    found: dict[str, Shown] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if _HEAD.match(line):
            _keep(found, lines)
            lines = [line]
        elif lines:
            lines.append(line)
    _keep(found, lines)
    return found


def _keep(found: dict[str, Shown], lines: list[str]) -> None:
    if lines:
        one = _interface(lines)
        found[one.name] = one


def _interface(lines: list[str]) -> Shown:
    head = _HEAD.match(lines[0])
    assert head is not None
    mac: bytes | None = None
    addresses: list[Interface] = []
    vhid_of: dict[Address, int] = {}
    groups: tuple[str, ...] = ()
    status, disabled = "", False
    for line in lines[1:]:
        if (match := _INET.match(line)) is not None:
            length = f"{int(match['mask'], 16):b}".count("1")
            _address(f"{match['ip']}/{length}", match["rest"], addresses, vhid_of)
        elif (match := _INET6.match(line)) is not None:
            _address(f"{match['ip']}/{match['length']}", match["rest"], addresses, vhid_of)
        elif (match := _MAC.match(line)) is not None:
            mac = bytes.fromhex(match["mac"].replace(":", ""))
        elif (match := _GROUPS.match(line)) is not None:
            groups = tuple(match["groups"].split())
        elif (match := _STATUS.match(line)) is not None:
            status = match["status"]
        elif (match := _ND6.match(line)) is not None:
            disabled = "IFDISABLED" in match["options"].split(",")
    flags = frozenset((head["flags"] or "").split(",")) - {""}
    return Shown(
        head["name"], flags, mac, tuple(addresses), vhid_of, tuple(_virtual(lines)), groups, status, disabled
    )


def _virtual(lines: list[str]) -> Iterator[VirtualHost]:
    shared: re.Match[str] | None = None
    for line in lines:
        if (match := _CARP.match(line)) is not None:
            yield _virtual_host(match)
        elif (match := _SHARED.match(line)) is not None:
            shared = match
        elif shared is not None and (match := _NODE.match(line)) is not None:
            rank = int(shared["advbase"]), int(match["advskew"])
            yield VirtualHost(match["state"], int(match["vhid"]), *rank, shared["device"])


def _address(text: str, rest: str, addresses: list[Interface], vhid_of: dict[Address, int]) -> None:
    address = ip_interface(text)
    addresses.append(address)
    vhid = _VHID.search(rest)
    if vhid is not None:
        vhid_of[ip_address(str(address.ip))] = int(vhid[1])


def _virtual_host(match: re.Match[str]) -> VirtualHost:
    if match["vrrp"]:
        return VirtualHost(match["vrrp"], int(match["vrid"]), None, None)
    rank = int(match["advbase"]), int(match["advskew"])
    return VirtualHost(match["state"], int(match["vhid"]), *rank, match["device"])
