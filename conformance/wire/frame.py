"""Ethernet frames: a tolerant decoder for what CARP puts on a segment, and builders for what it sends.

The decoder never raises: what a damaged frame does not hold is ``None``. It reads what the suite judges (CARP, ARP, neighbour discovery) and nothing else;
crafting of odd packets is scapy's business (:mod:`conformance.wire.layer`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from conformance.wire.digest import Address
from conformance.wire.header import LENGTH, PROTOCOL, VERSION, Header, checksum

ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x86DD
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_EXTENSIONS = (0, 43, 60)  # hop-by-hop, routing, destination options
_FRAGMENT = 44

GROUP_IPV4 = IPv4Address("224.0.0.18")
GROUP_IPV6 = IPv6Address("ff02::12")
GROUP_MAC_IPV4 = bytes.fromhex("01005e000012")
GROUP_MAC_IPV6 = bytes.fromhex("333300000012")
ALL_NODES = IPv6Address("ff02::1")
ALL_NODES_MAC = bytes.fromhex("333300000001")
BROADCAST_MAC = b"\xff" * 6
TTL = 255


def virtual_mac(vhid: int) -> bytes:
    """00:00:5e:00:01:VHID, six bytes; for IPv6 too (``carp_set_enaddr``)."""
    return b"\x00\x00\x5e\x00\x01" + bytes([vhid])


def mac_text(mac: bytes) -> str:
    """Six bytes as ``00:00:5e:00:01:07``."""
    return mac.hex(":")


class ArpOperation(IntEnum):
    REQUEST = 1
    REPLY = 2


class NeighbourMessage(IntEnum):
    """ICMPv6 types of neighbour discovery (RFC 4861)."""

    SOLICITATION = 135
    ADVERTISEMENT = 136


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP packet for IPv4 over Ethernet; hardware addresses are six bytes."""

    operation: int
    sender_mac: bytes
    sender: IPv4Address
    target_mac: bytes
    target: IPv4Address

    @property
    def gratuitous(self) -> bool:
        """Sender and target protocol address are the same (RFC 5227: an announcement)."""
        return self.sender == self.target


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A neighbour solicitation or advertisement; ``flags`` is the first byte after the checksum (R 0x80, S 0x40, O 0x20)."""

    message: NeighbourMessage
    target: IPv6Address
    flags: int
    link_address: bytes | None

    router = property(lambda self: bool(self.flags & 0x80))
    solicited = property(lambda self: bool(self.flags & 0x40))
    override = property(lambda self: bool(self.flags & 0x20))


@dataclass(frozen=True, slots=True)
class Ip:
    """What an IPv4 or IPv6 header says. ``fragment`` is the raw 16-bit flags-and-offset field of IPv4, 0 for IPv6 without a fragment header.

    ``length`` is the total length of IPv4 or 40 + payload length of IPv6; ``header_length`` includes options and extension headers; ``sound`` is
    whether the IPv4 header sums to zero (always true for IPv6).
    """

    version: int
    source: Address
    destination: Address
    protocol: int
    ttl: int
    tos: int
    identification: int
    fragment: int
    length: int
    header_length: int
    sound: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """One Ethernet frame, decoded as far as it is readable; ``payload`` is what follows the IP header inside the IP length."""

    data: bytes
    destination: bytes = b""
    source: bytes = b""
    ethertype: int = 0
    vlans: tuple[int, ...] = ()
    ip: Ip | None = None
    payload: bytes = b""
    carp: Header | None = None
    arp: Arp | None = None
    neighbour: Neighbour | None = None
    trailer: bytes = b""


@lru_cache(maxsize=1024)
def _ipv4(packed: bytes) -> IPv4Address:
    return IPv4Address(packed)


@lru_cache(maxsize=1024)
def _ipv6(packed: bytes) -> IPv6Address:
    return IPv6Address(packed)


def is_vrrp(payload: bytes) -> bool:
    """Whether a protocol-112 payload has the shape of VRRP, which shares number, groups and MAC addresses with CARP.

    VRRPv3 (RFC 9568): 8 bytes and an address list of 4 or 16 bytes each; FreeBSD 15 counts those of both families over IPv6 and lists its own.
    VRRPv2 (RFC 3768): as CARP version 2 and type 1, but byte 3 counts addresses, the length follows from it (8 + 4 each + 8 authentication bytes) and the
    checksum covers all. 36 bytes with five "addresses" fit both: VRRP ends in 8 zeros there.
    """
    if len(payload) < 8:
        return False
    version, count = payload[0] >> 4, payload[3]
    if version == 3:
        listed = len(payload) - 8
        return listed == 4 * count or (listed % 16 == 0 and listed <= 16 * count)
    if version != VERSION or len(payload) != 16 + 4 * count or checksum(payload) != 0:
        return False
    return len(payload) != LENGTH or payload[-8:] == bytes(8)


def is_carp(payload: bytes) -> bool:
    """Whether a protocol-112 payload is a whole CARP header of version 2."""
    return len(payload) >= LENGTH and payload[0] >> 4 == VERSION and not is_vrrp(payload)


def decode(data: bytes) -> Frame:
    """A frame from its bytes, starting at the destination MAC, without frame check sequence. Never raises."""
    if len(data) < 14:
        return Frame(data)
    ethertype, offset, vlans = int.from_bytes(data[12:14], "big"), 14, []
    while ethertype in VLAN_TAGS and len(data) >= offset + 4:
        vlans.append(int.from_bytes(data[offset : offset + 2], "big") & 0x0FFF)
        ethertype = int.from_bytes(data[offset + 2 : offset + 4], "big")
        offset += 4
    ip, payload, carp, arp, neighbour, trailer = None, b"", None, None, None, b""
    if ethertype == ETHERTYPE_ARP:
        arp = _arp(data[offset:])
    elif ethertype in (ETHERTYPE_IPV4, ETHERTYPE_IPV6):
        ip = _ip4(data, offset) if ethertype == ETHERTYPE_IPV4 else _ip6(data, offset)
        if ip is not None:
            end = offset + ip.length
            payload, trailer = data[offset + ip.header_length : end], data[end:]
            if ip.protocol == PROTOCOL and not ip.fragment & 0x1FFF and is_carp(payload):
                carp = Header.unpack(payload)
            elif ip.version == 6 and ip.protocol == 58:
                neighbour = _neighbour(payload)
    return Frame(
        data,
        data[:6],
        data[6:12],
        ethertype,
        tuple(vlans),
        ip,
        payload,
        carp,
        arp,
        neighbour,
        trailer,
    )


def _ip4(data: bytes, at: int) -> Ip | None:
    if len(data) < at + 20:
        return None
    first, tos, total, ident, fragment, ttl, protocol, _sum, source, destination = struct.unpack_from(
        "!BBHHHBBH4s4s", data, at
    )
    header = (first & 15) * 4
    if first >> 4 != 4 or header < 20 or total < header or len(data) < at + header:
        return None
    sound = checksum(data[at : at + header]) == 0
    return Ip(4, _ipv4(source), _ipv4(destination), protocol, ttl, tos, ident, fragment, total, header, sound)


def _ip6(data: bytes, at: int) -> Ip | None:
    if len(data) < at + 40:
        return None
    first, length, protocol, hops, source, destination = struct.unpack_from("!IHBB16s16s", data, at)
    if first >> 28 != 6:
        return None
    header, fragment = 40, 0
    while protocol in (*_EXTENSIONS, _FRAGMENT) and len(data) >= at + header + 8:
        extension = data[at + header : at + header + 8]
        if protocol == _FRAGMENT:
            fragment = int.from_bytes(extension[2:4], "big") >> 3
            header += 8
        else:
            header += 8 + 8 * extension[1]
        protocol = extension[0]
    return Ip(
        6,
        _ipv6(source),
        _ipv6(destination),
        protocol,
        hops,
        first >> 20 & 0xFF,
        0,
        fragment,
        40 + length,
        header,
        True,
    )


def _arp(data: bytes) -> Arp | None:
    if len(data) < 28 or data[:6] != b"\x00\x01\x08\x00\x06\x04":
        return None
    operation, sender_mac, sender, target_mac, target = struct.unpack_from("!H6s4s6s4s", data, 6)
    return Arp(operation, sender_mac, _ipv4(sender), target_mac, _ipv4(target))


def _neighbour(data: bytes) -> Neighbour | None:
    if len(data) < 24 or data[0] not in tuple(NeighbourMessage):
        return None
    link_address, at = None, 24
    while at + 8 <= len(data) and data[at + 1]:
        if data[at] in (1, 2):
            link_address = data[at + 2 : at + 8]
        at += 8 * data[at + 1]
    return Neighbour(NeighbourMessage(data[0]), _ipv6(data[8:24]), data[4], link_address)


def ethernet(destination: bytes, source: bytes, ethertype: int, payload: bytes) -> bytes:
    """An untagged Ethernet frame without padding and frame check sequence."""
    return destination + source + ethertype.to_bytes(2, "big") + payload


def ipv4(
    source: IPv4Address, destination: IPv4Address, payload: bytes, *, ttl: int = TTL, tos: int = 0x10, identification: int = 0,
    fragment: int = 0x4000, protocol: int = PROTOCOL,
) -> bytes:  # fmt: skip
    """An IPv4 packet without options; the defaults are those of an advertisement (DF, TOS 0x10, TTL 255)."""
    total = 20 + len(payload)
    header = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        tos,
        total,
        identification,
        fragment,
        ttl,
        protocol,
        0,
        source.packed,
        destination.packed,
    )
    return header[:10] + checksum(header).to_bytes(2, "big") + header[12:] + payload


def ipv6(
    source: IPv6Address,
    destination: IPv6Address,
    payload: bytes,
    *,
    hop_limit: int = TTL,
    traffic_class: int = 0,
    protocol: int = PROTOCOL,
) -> bytes:
    """An IPv6 packet without extension headers."""
    first = 6 << 28 | traffic_class << 20
    return (
        struct.pack(
            "!IHBB16s16s", first, len(payload), protocol, hop_limit, source.packed, destination.packed
        )
        + payload
    )


def advertisement(
    header: bytes, source: Address, *, source_mac: bytes, destination: Address | None = None, destination_mac: bytes | None = None,
    ttl: int = TTL, tos: int | None = None, identification: int = 0,
) -> bytes:  # fmt: skip
    """The frame that carries ``header`` (36 bytes, checksum included) from ``source`` to its family's CARP group, or to ``destination``."""
    if isinstance(source, IPv4Address):
        to = destination if isinstance(destination, IPv4Address) else GROUP_IPV4
        packet = ipv4(
            source, to, header, ttl=ttl, tos=0x10 if tos is None else tos, identification=identification
        )
        return ethernet(destination_mac or GROUP_MAC_IPV4, source_mac, ETHERTYPE_IPV4, packet)
    to6 = destination if isinstance(destination, IPv6Address) else GROUP_IPV6
    packet = ipv6(source, to6, header, hop_limit=ttl, traffic_class=tos or 0)
    return ethernet(destination_mac or GROUP_MAC_IPV6, source_mac, ETHERTYPE_IPV6, packet)


def arp(
    operation: ArpOperation,
    sender_mac: bytes,
    sender: IPv4Address,
    target_mac: bytes,
    target: IPv4Address,
    *,
    source_mac: bytes | None = None,
    destination_mac: bytes = BROADCAST_MAC,
) -> bytes:
    """An ARP frame of 42 bytes; the Ethernet source is the sender's hardware address unless given."""
    body = b"\x00\x01\x08\x00\x06\x04" + struct.pack(
        "!H6s4s6s4s", operation, sender_mac, sender.packed, target_mac, target.packed
    )
    return ethernet(destination_mac, source_mac or sender_mac, ETHERTYPE_ARP, body)


def neighbour(
    message: NeighbourMessage, target: IPv6Address, link_address: bytes | None, *, source: IPv6Address, destination: IPv6Address,
    source_mac: bytes, destination_mac: bytes, flags: int = 0,
) -> bytes:  # fmt: skip
    """A neighbour solicitation or advertisement frame, hop limit 255, with its link-layer option if ``link_address`` (6 bytes) is given."""
    option = (
        b""
        if link_address is None
        else bytes([1 if message is NeighbourMessage.SOLICITATION else 2, 1]) + link_address
    )
    body = bytes([message, 0, 0, 0, flags, 0, 0, 0]) + target.packed + option
    pseudo = source.packed + destination.packed + struct.pack("!IHBB", len(body), 0, 0, 58)
    body = body[:2] + checksum(pseudo + body).to_bytes(2, "big") + body[4:]
    return ethernet(destination_mac, source_mac, ETHERTYPE_IPV6, ipv6(source, destination, body, protocol=58))
