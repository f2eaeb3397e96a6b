"""Link types of captures, each turned into an Ethernet frame; unknown addresses become zeros.

A monitor must not judge a MAC address that the link type does not hold: :data:`UNKNOWN_MAC` marks it.
Source: the LINKTYPE registry of the tcpdump group and the pages it links (LINUX_SLL, LINUX_SLL2, NULL,
LOOP, RAW).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

UNKNOWN_MAC = bytes(6)
"""Six zero bytes: the capture does not say which address this was."""

ETHERNET = 1

_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
_AF_INET6 = (10, 24, 28, 30)  # Linux; NetBSD and OpenBSD; FreeBSD; Darwin
_BLANK = UNKNOWN_MAC + UNKNOWN_MAC

ToEthernet = Callable[[bytes], bytes | None]
"""The Ethernet frame of a captured packet, or None if it holds no packet of interest."""


def _raw(data: bytes) -> bytes | None:
    version = data[0] >> 4 if data else 0
    if version not in (4, 6):
        return None
    return _BLANK + (_IPV4 if version == 4 else _IPV6) + data


def _family(data: bytes, order: str) -> bytes | None:
    if len(data) < 4:
        return None
    (family,) = struct.unpack_from(order + "I", data)
    if family == 2:
        return _BLANK + _IPV4 + data[4:]
    return _BLANK + _IPV6 + data[4:] if family in _AF_INET6 else None


def _null(data: bytes) -> bytes | None:
    # In the byte order of the capturing host, which the file does not tell: a family fits in one byte, so
    # the place of the byte does.
    return _family(data, ">" if data[:1] == b"\x00" else "<")


def _loop(data: bytes) -> bytes | None:
    return _family(data, ">")


def _cooked(data: bytes) -> bytes | None:
    if len(data) < 16:
        return None
    source = data[6:12] if data[4:6] == b"\x00\x06" else UNKNOWN_MAC
    return UNKNOWN_MAC + source + data[14:]


def _cooked2(data: bytes) -> bytes | None:
    if len(data) < 20:
        return None
    protocol, length, address = data[:2], data[11], data[12:18]
    return UNKNOWN_MAC + (address if length == 6 else UNKNOWN_MAC) + protocol + data[20:]


_CONVERTERS: dict[int, ToEthernet] = {
    0: _null,
    108: _loop,
    12: _raw,
    14: _raw,
    101: _raw,
    228: _raw,
    229: _raw,
    113: _cooked,
    276: _cooked2,
}


def supported(linktype: int) -> bool:
    """Whether packets of this LINKTYPE value can be read."""
    return linktype == ETHERNET or linktype in _CONVERTERS


def converter(linktype: int) -> ToEthernet | None:
    """The function that turns a packet into an Ethernet frame; None for Ethernet itself. Raises KeyError if
    not supported.
    """
    return None if linktype == ETHERNET else _CONVERTERS[linktype]
