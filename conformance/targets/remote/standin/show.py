"""What the commands of each system print, in the form of the recordings in fixtures/transcripts (FreeBSD 13.2 and 15.1) or of the systems' sources (the others)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Interface

from conformance.model.actions import State
from conformance.model.config import link_local_of
from conformance.model.machine import Host
from conformance.model.platform import LIBXO, NETSTAT
from conformance.model.vhost import Port, Vhost
from conformance.targets.remote.ifconfig import Interface
from conformance.wire.digest import Address


class Flavour(Enum):
    """Which ifconfig it has."""

    FREEBSD = "FreeBSD"
    LEGACY = "legacy"
    OPENBSD = "OpenBSD"


@dataclass(slots=True)
class Carp:
    """A carp interface (legacy FreeBSD, OpenBSD) as it is being set up; a virtual host stands behind it once it has a vhid and a carpdev."""

    name: str
    carpdev: str | None = None
    addresses: dict[Address, Interface] = field(default_factory=dict)
    parameters: dict[str, object] = field(default_factory=dict)


def interface(
    machine: Host, flavour: Flavour, port: Port, prefixes: Mapping[Address, int], *, ipv6: bool
) -> str:
    """The interface on the segment."""
    up, linked = port.up, port.link
    flags = (["UP"] if up else []) + ["BROADCAST"] + (["RUNNING"] if up else []) + ["SIMPLEX", "MULTICAST"]
    lines = [f"{port.name}: flags={0x8843 if up else 0x8802:x}<{','.join(flags)}> metric 0 mtu 1500"]
    word = "lladdr" if flavour is Flavour.OPENBSD else "ether"
    lines.append(f"\t{word} {port.mac.hex(':')}")
    lines += [_address(flavour, one, "") for one in port.addresses if one.version == 4 or ipv6]
    if flavour is Flavour.FREEBSD:
        for vhost in port.vhosts.values():
            lines += [
                _address(flavour, _whole(one, prefixes), f" vhid {vhost.vhid}")
                for one in vhost.config.parsed()
            ]
        for vhost in port.vhosts.values():
            lines += _freebsd(machine, vhost)
    lines.append("\tmedia: Ethernet autoselect (10Gbase-T <full-duplex>)")
    lines.append(f"\tstatus: {'active' if linked else 'no carrier'}")
    if flavour is not Flavour.OPENBSD:
        options = "PERFORMNUD,AUTO_LINKLOCAL" if ipv6 else "PERFORMNUD,IFDISABLED,AUTO_LINKLOCAL"
        lines.append(f"\tnd6 options={0x21 if ipv6 else 0x29:x}<{options}>")
    return "\n".join(lines) + "\n"


def carp_interface(flavour: Flavour, carp: Carp, vhosts: Sequence[Vhost], groups: Sequence[str]) -> str:
    """A carp interface, and the virtual hosts behind it."""
    vhost = vhosts[0] if vhosts else None
    up = vhost is not None and vhost.up and bool(carp.addresses)
    if flavour is Flavour.LEGACY:
        lines = [f"{carp.name}: flags={'49<UP,LOOPBACK,RUNNING>' if up else '8<LOOPBACK>'} metric 0 mtu 1500"]
    else:
        lines = [f"{carp.name}: flags={'8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>' if up else '8802<BROADCAST,SIMPLEX,MULTICAST>'} mtu 1500"]  # fmt: skip
    if vhost is not None and flavour is Flavour.OPENBSD:
        lines.append(f"\tlladdr {vhost.mac.hex(':')}")
        if any(one.version == 6 for one in carp.addresses):
            lines.append(f"\tinet6 {link_local_of(vhost.mac)}%{carp.name} prefixlen 64 scopeid 0x3")
    if flavour is Flavour.OPENBSD and vhost is not None:
        lines += _nodes(carp, vhosts) if vhost.nodes is not None else [_rank(vhost, f" carpdev {carp.carpdev}", _peer(vhost))]  # fmt: skip
        lines.append(f"\tgroups: {' '.join(groups)}")
        lines.append(f"\tstatus: {link_state([one.state for one in vhosts])}")
    lines += [_address(flavour, one, "") for one in carp.addresses.values()]
    if flavour is Flavour.LEGACY and vhost is not None:
        lines.append(_rank(vhost, "", ""))
    return "\n".join(lines) + "\n"


def _freebsd(machine: Host, vhost: Vhost) -> Iterator[str]:
    if vhost.config.version == 3:
        yield f"\tvrrp: {vhost.state.value} vrid {vhost.vhid} prio {vhost.config.priority} interval {vhost.config.interval_cs}"
        return
    yield _rank(vhost, "", "")
    if machine.dialect.unicast:
        yield f"\t      peer {vhost.config.peer or '224.0.0.18'} peer6 {vhost.config.peer6 or 'ff02::12'}"


def _rank(vhost: Vhost, device: str, peer: str) -> str:
    config = vhost.config
    return f"\tcarp: {vhost.state.value}{device} vhid {vhost.vhid} advbase {config.advbase} advskew {config.advskew}{peer}"


def _nodes(carp: Carp, vhosts: Sequence[Vhost]) -> Iterator[str]:
    """One line for the interface, one for each of its virtual hosts (ifconfig.c, carp_status)."""
    first = vhosts[0]
    assert first.nodes is not None
    yield f"\tcarp: carpdev {carp.carpdev} advbase {first.config.advbase} balancing {first.nodes.mode}{_peer(first)}"
    for one in vhosts:
        yield f"\t\tstate {one.state.value} vhid {one.vhid} advskew {one.config.advskew}"


def link_state(states: Collection[State]) -> str:
    """The link of a carp interface as OpenBSD tells it: ``master`` if one of its virtual hosts is."""
    return "master" if State.MASTER in states else "backup" if State.BACKUP in states else "invalid"


def _peer(vhost: Vhost) -> str:
    return f" carppeer {vhost.config.peer}" if vhost.config.peer else ""


def _whole(address: Address, prefixes: Mapping[Address, int]) -> Interface:
    from ipaddress import ip_interface

    return ip_interface(f"{address}/{prefixes.get(address, 32 if address.version == 4 else 128)}")


def _address(flavour: Flavour, one: Interface, end: str) -> str:
    if isinstance(one, IPv4Interface):
        broadcast = "" if flavour is Flavour.LEGACY else f" broadcast {one.network.broadcast_address}"
        return f"\tinet {one.ip} netmask 0x{int(one.netmask):08x}{broadcast}{end}"
    return f"\tinet6 {one.ip} prefixlen {one.network.prefixlen}{end}"


def counters(machine: Host, flavour: Flavour) -> str:
    """``netstat -s -p carp``."""
    lines = []
    for name in machine.dialect.netstat_shows:
        line = NETSTAT[name].format(machine.counters[name])
        if flavour is Flavour.OPENBSD:
            line = line.replace("for bad vhid", "for unknown vhid")
        lines.append(f"\t{line}" if machine.counters[name] != 1 else f"\t{_singular(line)}")
    return "\n".join(["carp:", *lines]) + "\n"


def _singular(line: str) -> str:
    for many, one in (("packets", "packet"), ("checksums", "checksum"), ("transitions", "transition")):
        line = line.replace(many, one)
    return line


def counters_json(machine: Host) -> str:
    """``netstat --libxo json -s -p carp``."""
    told = {LIBXO[name]: machine.counters[name] for name in machine.dialect.netstat_shows}
    return json.dumps({"statistics": {"carp": told}}) + "\n"
