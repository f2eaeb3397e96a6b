"""The 36 bytes of a CARP header: layout, defaults, ones-complement checksum."""

from __future__ import annotations

import struct
from dataclasses import dataclass

PROTOCOL = 112
"""IP protocol number (shared with VRRP)."""
VERSION = 2
TYPE_ADVERTISEMENT = 1
AUTHLEN = 7
"""Length of counter and digest in 32-bit words."""
LENGTH = 36
"""Bytes of the header; every implementation sends exactly these (``sys/netinet/ip_carp.h``)."""

_LAYOUT = struct.Struct("!BBBBBBH8s20s")


class TruncatedHeader(ValueError):
    """Fewer bytes than a CARP header has."""

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(f"a CARP header has {LENGTH} bytes, only {length} are there")


@dataclass(frozen=True, slots=True)
class Header:
    """A CARP header as it lies on the wire.

    ``version`` and ``type`` are the nibbles of byte 0; ``vhid``, ``advskew`` (1/256 s), ``authlen`` (32-bit words), ``demote`` (byte 4: the demote count
    of OpenBSD, zero elsewhere) and ``advbase`` (s) are bytes 1 to 5;
    ``checksum`` is bytes 6-7 in host order; ``counter`` (8 bytes) and ``digest`` (20 bytes) are raw.
    Source: ``struct carp_header`` in FreeBSD and OpenBSD ``sys/netinet/ip_carp.h``, ucarp ``src/ip_carp.h``.
    """

    vhid: int
    advskew: int = 0
    advbase: int = 1
    counter: bytes = bytes(8)
    digest: bytes = bytes(20)
    demote: int = 0
    authlen: int = AUTHLEN
    version: int = VERSION
    type: int = TYPE_ADVERTISEMENT
    checksum: int = 0

    @classmethod
    def unpack(cls, data: bytes) -> Header:
        """The header in the first 36 bytes of ``data``; raises :class:`TruncatedHeader` if there are fewer."""
        if len(data) < LENGTH:
            raise TruncatedHeader(len(data))
        first, vhid, advskew, authlen, demote, advbase, checksum, counter, digest = _LAYOUT.unpack_from(data)
        return cls(vhid, advskew, advbase, counter, digest, demote, authlen, first >> 4, first & 15, checksum)

    def pack(self) -> bytes:
        """36 bytes in network order, with the ``checksum`` that the field holds."""
        return _LAYOUT.pack(
            self.version << 4 | self.type, self.vhid, self.advskew, self.authlen, self.demote, self.advbase,
            self.checksum, self.counter, self.digest,
        )  # fmt: skip

    def summed(self) -> bytes:
        """36 bytes in network order with the right checksum in place of the field's."""
        return summed(self.pack())

    @property
    def interval_ns(self) -> int:
        """The advertised interval, advbase + advskew/256 s, cut to whole microseconds as the kernels do (``carp_send_ad``)."""
        return interval_ns(self.advbase, self.advskew)


def summed(header: bytes) -> bytes:
    """The 36 bytes of a header in network order, with the right checksum in place of theirs."""
    data = bytearray(header)
    data[6:8] = bytes(2)
    data[6:8] = checksum(data).to_bytes(2, "big")
    return bytes(data)


def interval_ns(advbase: int, advskew: int) -> int:
    """Advbase s + advskew/256 s in nanoseconds, with the kernels' integer microseconds (``advskew * 1000000 / 256``)."""
    return advbase * 1_000_000_000 + advskew * 1_000_000 // 256 * 1_000


def checksum(data: bytes | bytearray) -> int:
    """Ones-complement Internet checksum of ``data`` (any length; odd lengths are padded with a zero byte), host order.

    CARP sums its own header alone, without a pseudo header, for IPv4 and IPv6 (``carp_cksum``, ``in_cksum``).
    A header that contains its right checksum sums to 0.
    """
    number = int.from_bytes(data, "big") << (8 * (len(data) & 1))
    total = number % 0xFFFF or (0xFFFF if number else 0)  # 2**16 is 1 there, so that the words add up
    return ~total & 0xFFFF
