"""VRRPv3 (RFC 9568), the other speaker of IP protocol 112: a packet of it, and an advertisement as a value.

No scapy here, as in :mod:`conformance.wire.header`; scapy's own layer serves as a second opinion in the
tests.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from conformance.wire import frame
from conformance.wire.digest import Address
from conformance.wire.header import PROTOCOL, checksum

VERSION = 3
TYPE_ADVERTISEMENT = 1
PRIORITY = 100
"""Of a router that is told nothing else (RFC 9568 section 6.1)."""
OWNER = 255
"""Of the router that owns the addresses."""
INTERVAL_CS = 100
"""Centiseconds between two advertisements, if nothing else is said."""
MOST_INTERVAL_CS = 4095
LEAST_LENGTH = 8
"""Bytes before the address list."""
CENTISECOND_NS = 10_000_000
_LAYOUT = struct.Struct("!BBBBHH")


class TruncatedPacket(ValueError):
    """Fewer bytes than a VRRPv3 packet has."""

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(f"a VRRPv3 packet has at least {LEAST_LENGTH} bytes, only {length} are there")


def mac6(vrid: int) -> bytes:
    """00:00:5e:00:02:VRID, six bytes: what RFC 9568 section 7.3 gives a virtual router over IPv6."""
    return b"\x00\x00\x5e\x00\x02" + bytes([vrid])


def pseudo_header(source: Address, destination: Address, length: int) -> bytes:
    """What the checksum of a protocol-112 payload of ``length`` bytes covers besides (RFC 9568 section 5.2.8;
    IPv4 in the form of RFC 793).
    """
    ends = source.packed + destination.packed
    if source.version == 4:
        return ends + struct.pack("!BBH", 0, PROTOCOL, length)
    return ends + struct.pack("!IHBB", length, 0, 0, PROTOCOL)


@dataclass(frozen=True, slots=True)
class Vrrp3:
    """A VRRPv3 packet as it lies on the wire.

    ``version`` and ``type`` are the nibbles of byte 0, ``reserved`` the upper nibble of bytes 4-5 and
    ``interval_cs`` their lower twelve bits, in centiseconds; ``count`` is byte 3, whatever ``listed`` (the
    bytes of the address list) holds; ``checksum`` is bytes 6-7 in host order.
    """

    vrid: int
    priority: int = PRIORITY
    interval_cs: int = INTERVAL_CS
    listed: bytes = b""
    count: int = 1
    type: int = TYPE_ADVERTISEMENT
    version: int = VERSION
    reserved: int = 0
    checksum: int = 0

    @classmethod
    def unpack(cls, data: bytes) -> Vrrp3:
        """The packet in ``data``, a whole protocol-112 payload; raises :class:`TruncatedPacket` if it is
        shorter than eight bytes.
        """
        if len(data) < LEAST_LENGTH:
            raise TruncatedPacket(len(data))
        first, vrid, priority, count, interval, checked = _LAYOUT.unpack_from(data)
        return cls(
            vrid,
            priority,
            interval & 0x0FFF,
            data[LEAST_LENGTH:],
            count,
            first & 15,
            first >> 4,
            interval >> 12,
            checked,
        )

    def pack(self) -> bytes:
        """The bytes in network order, with the ``checksum`` that the field holds."""
        first, interval = self.version << 4 | self.type, self.reserved << 12 | self.interval_cs
        fixed = _LAYOUT.pack(first, self.vrid, self.priority, self.count, interval, self.checksum)
        return fixed + self.listed

    def summed(self, pseudo: bytes) -> bytes:
        """The bytes with the checksum over ``pseudo`` (empty: without a pseudo-header) and the packet."""
        data = replace(self, checksum=0).pack()
        return data[:6] + checksum(pseudo + data).to_bytes(2, "big") + data[8:]

    def addresses(self, version: int) -> tuple[Address, ...]:
        """The addresses of the list, as many whole ones of the family (4 or 6) as there are bytes for."""
        size = 4 if version == 4 else 16
        make = IPv4Address if version == 4 else IPv6Address
        whole = len(self.listed) - len(self.listed) % size
        return tuple(make(self.listed[at : at + size]) for at in range(0, whole, size))

    @property
    def interval_ns(self) -> int:
        """The advertised interval."""
        return self.interval_cs * CENTISECOND_NS


def sums_up(seen: frame.Frame, *, pseudo: bool) -> bool:
    """Whether the checksum of the protocol-112 payload of ``seen`` is right, with or without a
    pseudo-header.
    """
    if seen.ip is None:
        return False
    before = pseudo_header(seen.ip.source, seen.ip.destination, len(seen.payload)) if pseudo else b""
    return checksum(before + seen.payload) == 0


def read(seen: frame.Frame) -> Vrrp3 | None:
    """The VRRPv3 packet in a frame, with whatever list, type and checksum, or None if it holds none."""
    ip, data = seen.ip, seen.payload
    if ip is None or ip.protocol != PROTOCOL or ip.fragment & 0x1FFF or len(data) < LEAST_LENGTH:
        return None
    return Vrrp3.unpack(data) if data[0] >> 4 == VERSION else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vrrp3Advertisement:
    """An advertisement for ``vrid`` from ``source``; its group and checksum follow from it.

    ``addresses`` are those of the family of ``source``. ``count`` (their number unless given) is byte 3;
    ``pseudo`` says whether the checksum covers a pseudo-header; ``source_mac`` is the virtual MAC of
    FreeBSD, 00:00:5e:00:01:VRID, unless given (six bytes).
    """

    vrid: int
    source: Address
    addresses: tuple[Address, ...]
    priority: int = PRIORITY
    interval_cs: int = INTERVAL_CS
    count: int | None = None
    type: int = TYPE_ADVERTISEMENT
    reserved: int = 0
    ttl: int = frame.TTL
    pseudo: bool = True
    source_mac: bytes | None = None

    def but(self, **changes: Any) -> Vrrp3Advertisement:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def numbered(self, counter: int) -> Vrrp3Advertisement:  # noqa: ARG002  # the shape of a sendable
        """Itself: VRRP counts nothing."""
        return self

    @property
    def vhid(self) -> int:
        """The vrid, as CARP calls it."""
        return self.vrid

    @property
    def about(self) -> str:
        """Its parameters in words."""
        return f"vrid {self.vrid} with priority {self.priority}, interval {self.interval_cs} cs"

    @property
    def interval_ns(self) -> int:
        """The interval at which a peer with these parameters advertises."""
        return self.interval_cs * CENTISECOND_NS

    def frame(self) -> bytes:
        """The Ethernet frame."""
        packet = Vrrp3(
            self.vrid,
            self.priority,
            self.interval_cs,
            b"".join(one.packed for one in self.addresses),
            len(self.addresses) if self.count is None else self.count,
            self.type,
            reserved=self.reserved,
        )
        group = frame.GROUP_IPV4 if self.source.version == 4 else frame.GROUP_IPV6
        length = LEAST_LENGTH + len(packet.listed)
        data = packet.summed(pseudo_header(self.source, group, length) if self.pseudo else b"")
        mac = self.source_mac or frame.virtual_mac(self.vrid)
        return frame.advertisement(data, self.source, source_mac=mac, ttl=self.ttl)
