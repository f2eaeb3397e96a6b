"""Mutants of UNICAST: peers instead of the group."""

from __future__ import annotations

from ipaddress import IPv6Address

from conformance.model import checks
from conformance.model.checks import Arrival
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    ETHERNET,
    demanding,
    instead,
    mutant,
    put,
    resum,
    sending,
    without,
)
from conformance.model.vhost import Port
from conformance.wire.frame import GROUP_IPV4, GROUP_MAC_IPV4

IP = ETHERNET


def _group_bit(_: Port, data: bytearray, vhid: int | None) -> None:
    """A peer whose last octet looks like that of a group gets a group's MAC."""
    if vhid is not None and data[12:14] == b"\x08\x00" and 224 <= data[IP + 19] <= 239:
        data[0:6] = b"\x01\x00\x5e" + bytes([data[IP + 17] & 0x7F, data[IP + 18], data[IP + 19]])


def _still_to_the_group(_: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None and data[12:14] == b"\x08\x00":
        data[IP + 16 : IP + 20], data[0:6] = GROUP_IPV4.packed, GROUP_MAC_IPV4
        resum(data, IP, IP + 20, 10)


def _both_to_the_peer(port: Port, data: bytearray, vhid: int | None) -> None:
    """An IPv6 advertisement follows the IPv4 one to the peer."""
    if vhid is not None and data[12:14] == b"\x86\xdd" and port.vhosts[vhid].config.peer:
        data[0:6], data[IP + 24 : IP + 40] = bytes.fromhex("0200000002fe"), IPv6Address("fe80::fe").packed


def _from_virtual(port: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None:
        data[6:12] = port.vhosts[vhid].mac


def _ttl_64(_: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None and data[12:14] == b"\x08\x00":
        put(IP + 8, b"\x40")(data)
        resum(data, IP, IP + 20, 10)


def _from_the_peer(arrival: Arrival) -> bool:
    """Source is the peer"""
    vhost = arrival.vhost
    return vhost is None or not vhost.config.peer or str(arrival.packet.source_address()) == vhost.config.peer


def _not_from_the_group(arrival: Arrival) -> bool:
    """A virtual host with a peer ignores the group"""
    vhost = arrival.vhost
    return vhost is None or not vhost.config.peer or not arrival.packet.multicast


def _ttl_of_multicast(arrival: Arrival) -> bool:
    """TTL 255 in what was sent to the group"""
    return not arrival.packet.multicast or checks.ttl(arrival)


MUTANTS: tuple[Mutant, ...] = (
    mutant("peer-ignored", "a peer does not switch to unicast",
           "UNICAST-001", "freebsd-15", sending(_still_to_the_group)),
    mutant("peer-ignored-by-openbsd", "carppeer does not switch to unicast",
           "UNICAST-005", "openbsd", sending(_still_to_the_group)),
    mutant("carppeer-for-both-families", "carppeer moves IPv6 advertisements, too",
           "UNICAST-005", "openbsd", sending(_both_to_the_peer)),
    mutant("unicast-from-the-virtual-mac", "unicast advertisements leave from the virtual MAC",
           "UNICAST-002", "freebsd-15", sending(_from_virtual)),
    mutant("unicast-ttl-64", "unicast advertisements leave with TTL 64",
           "UNICAST-002 WIRE-004", "freebsd-15", sending(_ttl_64)),
    mutant("unicast-ttl-checked", "FreeBSD 15 checks the TTL in unicast mode",
           "UNICAST-003", "freebsd-15", instead(checks.ttl_if_multicast, checks.ttl)),
    mutant("unicast-ttl-checked-from-the-group", "FreeBSD 15 checks the TTL of multicast frames in unicast mode",
           "UNICAST-003", "freebsd-15", instead(checks.ttl_if_multicast, _ttl_of_multicast)),
    mutant("group-refused-in-unicast-mode", "FreeBSD 15 ignores the group in unicast mode",
           "UNICAST-004", "freebsd-15", demanding(_not_from_the_group)),
    mutant("other-sources-refused", "FreeBSD 15 ignores others than its peer",
           "UNICAST-004", "freebsd-15", demanding(_from_the_peer)),
    mutant("any-cast-mode", "OpenBSD takes multicast and unicast in either mode",
           "UNICAST-006", "openbsd", without(checks.cast_mode)),
    mutant("openbsd-unicast-ttl-unchecked", "OpenBSD takes any TTL in unicast mode",
           "UNICAST-007", "openbsd",
           instead(checks.ttl, lambda arrival: not arrival.packet.multicast or checks.ttl(arrival))),
    mutant("peer-in-the-group-range", "a peer with a last octet of 224 to 239 gets a multicast MAC (FreeBSD PR 284872)",
           "UNICAST-009", "freebsd-15", sending(_group_bit)),
)  # fmt: skip
