"""A received CARP packet, read once and fast. Unlike :mod:`conformance.wire.frame` it keeps what a kernel's
input path looks at, damaged or not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from conformance.wire.digest import Address
from conformance.wire.frame import ETHERTYPE_IPV4, ETHERTYPE_IPV6
from conformance.wire.header import LENGTH, PROTOCOL, checksum

_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_EXTENSIONS = (0, 43, 60)


@dataclass(slots=True)
class Packet:
    """An IP packet of protocol 112. ``payload`` is what follows the IP header inside the IP length,
    ``captured`` what follows it inside the frame.

    ``sound`` says whether the IPv4 header sums to zero and the lengths fit, ``fragment`` whether it is a part
    only. ``total`` is the IP length in bytes.
    """

    frame: bytes
    version: int
    source: bytes
    destination: bytes
    ttl: int
    total: int
    header_length: int
    payload: bytes
    captured: bytes
    sound: bool
    fragment: bool

    def source_address(self) -> Address:
        return IPv4Address(self.source) if self.version == 4 else IPv6Address(self.source)

    def destination_address(self) -> Address:
        return IPv4Address(self.destination) if self.version == 4 else IPv6Address(self.destination)

    @property
    def multicast(self) -> bool:
        """Whether the IP destination is a multicast address."""
        return (self.destination[0] & 0xF0 == 0xE0) if self.version == 4 else self.destination[0] == 0xFF

    def joint_checksum(self) -> int:
        """The checksum over IP header and CARP header together, as ucarp takes it; 0 if right."""
        return checksum(self.frame[14 : 14 + self.header_length + LENGTH])


def read(frame: bytes) -> Packet | None:
    """The CARP packet in an untagged Ethernet frame, or ``None`` if it is something else. Never raises."""
    if len(frame) < 34:
        return None
    ethertype = frame[12] << 8 | frame[13]
    if ethertype == ETHERTYPE_IPV4:
        return _read4(frame)
    if ethertype == ETHERTYPE_IPV6 and len(frame) >= 54:
        return _read6(frame)
    return None


def _read4(frame: bytes) -> Packet | None:
    first, _tos, total, _id, fragment, ttl, protocol, _sum, source, destination = _IPV4.unpack_from(frame, 14)
    if protocol != PROTOCOL or first >> 4 != 4:
        return None
    length = (first & 15) * 4
    at = 14 + length
    sound = 20 <= length <= total <= len(frame) - 14 and checksum(frame[14:at]) == 0
    return Packet(
        frame,
        4,
        source,
        destination,
        ttl,
        total,
        length,
        frame[at : 14 + total],
        frame[at:],
        sound,
        fragment & 0x3FFF != 0,
    )


def _read6(frame: bytes) -> Packet | None:
    first, length, protocol, ttl, source, destination = _IPV6.unpack_from(frame, 14)
    if first >> 28 != 6:
        return None
    at = 54
    while protocol in _EXTENSIONS and len(frame) >= at + 8:
        protocol, at = frame[at], at + 8 + 8 * frame[at + 1]
    if protocol != PROTOCOL:
        return None
    end = 54 + length
    return Packet(
        frame,
        6,
        source,
        destination,
        ttl,
        40 + length,
        at - 14,
        frame[at:end],
        frame[at:],
        end <= len(frame),
        False,
    )
