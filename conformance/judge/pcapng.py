"""Reads pcapng files as a stream with bounded memory: sections, interfaces, time resolutions, both byte
orders.

Source: the pcapng specification (IETF opsawg draft): SHB, IDB, EPB, SPB and the obsolete packet block.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conformance.judge.linktypes import ToEthernet, converter, supported
from conformance.judge.packets import MAX_PACKET, Complain, Packets, Stream

_CHUNK = 1 << 18
SECTION = b"\x0a\x0d\x0d\x0a"
_INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED, _JOURNAL = 1, 2, 3, 6, 9
_PACKETS = frozenset((_OLD_PACKET, _SIMPLE, _ENHANCED))
_SECTION_TYPE = 0x0A0D0D0A
_MAX_BLOCK = 1 << 24
_MAX_INTERFACES = 4096
_OPTION_RESOLUTION, _OPTION_OFFSET = 9, 14


@dataclass(frozen=True, slots=True)
class _Interface:
    """One interface of a section; ``convert`` is None for Ethernet, ``readable`` False if the link type is
    not known.
    """

    readable: bool
    convert: ToEthernet | None
    units: int  # time stamp units a second
    offset_ns: int
    snaplen: int

    def packet(self, data: bytes) -> bytes | None:
        """The Ethernet frame of a captured packet; None if it cannot be read or is of no interest."""
        if not self.readable:
            return None
        return data if self.convert is None else self.convert(data)


class _Blocks:
    """Cuts a stream into blocks; knows the byte order of the current section."""

    def __init__(self, stream: Stream, start: bytes, complain: Complain) -> None:
        self._read = stream.read
        self._buffer = start
        self._position = 0
        self._complain = complain
        self.order = "<"

    def _have(self, count: int) -> bool:
        held = len(self._buffer) - self._position
        if held >= count:
            return True
        pieces = [
            self._buffer[self._position :]
        ]  # joined once: a stream may give a large block in very small ones
        while held < count and (chunk := self._read(_CHUNK)):
            pieces.append(chunk)
            held += len(chunk)
        self._buffer, self._position = b"".join(pieces), 0
        return held >= count

    def next(self) -> tuple[int, bytes] | None:
        """The next block's type and body; None at the end or where the file cannot be read further."""
        if not self._have(12):
            left = len(self._buffer) - self._position
            if left:
                self._complain(f"the last block is cut off: {left} bytes of it are there")
            return None
        head = self._buffer[self._position : self._position + 12]
        if head[:4] == SECTION:
            order = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}.get(head[8:12])
            if order is None:
                self._complain("a section does not tell its byte order; the rest of the file is not read")
                return None
            self.order = order
        kind, length = struct.unpack_from(self.order + "II", head)
        if length < 12 or length > _MAX_BLOCK:
            self._complain(
                f"a block claims {length} bytes, which no block has; the rest of the file is not read"
            )
            return None
        length += -length % 4
        if not self._have(length):
            self._complain(
                f"the last block is cut off: {len(self._buffer) - self._position} of {length} bytes are there"
            )
            return None
        body = self._buffer[self._position + 8 : self._position + length - 4]
        self._position += length
        return kind, body


@dataclass(frozen=True, slots=True)
class _Stored:
    """A packet block taken apart; ``stamp`` is None where the block has no time."""

    interface: int
    stamp: int | None
    at: int
    length: int
    wire: int


def _stored(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> _Stored | None:
    """The packet of a packet block; None if the block is too short for its own fields."""
    if kind == _SIMPLE and len(body) >= 4:
        (wire,) = struct.unpack_from(order + "I", body)
        limit = interfaces[0].snaplen if interfaces else 0
        return _Stored(0, None, 4, min(wire, len(body) - 4, limit or wire), wire)
    if kind != _SIMPLE and len(body) >= 20:
        layout = "IIIII" if kind == _ENHANCED else "HxxIIII"
        which, high, low, length, wire = struct.unpack_from(order + layout, body)
        return _Stored(which, high << 32 | low, 20, length, wire)
    return None


def read_pcapng(stream: Stream, start: bytes, index: int, complain: Complain) -> Packets:
    """Yields the packets of a pcapng file; arguments as for :func:`conformance.judge.pcap.read_pcap`."""
    blocks = _Blocks(stream, start, complain)
    interfaces: list[_Interface] = []
    number, last_ns = 0, 0
    while (block := blocks.next()) is not None:
        kind, body = block
        if kind not in _PACKETS:
            if kind == _INTERFACE and len(interfaces) < _MAX_INTERFACES:
                interfaces.append(_interface(body, blocks.order, complain))
            elif kind == _SECTION_TYPE:
                interfaces = []
            elif kind == _JOURNAL:
                number += 1  # Wireshark numbers journal entries among the frames
            continue
        number += 1
        stored = _stored(kind, body, blocks.order, interfaces)
        problem = _problem(stored, body, len(interfaces))
        if stored is None or problem:
            complain(f"frame {number} {problem}")
            continue
        interface = interfaces[stored.interface]
        data = interface.packet(body[stored.at : stored.at + stored.length])
        if data is None:
            continue
        if stored.stamp is not None:
            last_ns = stored.stamp * 1_000_000_000 // interface.units + interface.offset_ns
        yield last_ns, index, number, data, stored.length < stored.wire


def _problem(stored: _Stored | None, body: bytes, interfaces: int) -> str:
    """What is wrong with a packet block, in a few words; empty if nothing."""
    if stored is None:
        return f"is cut: its block has only {len(body)} bytes"
    if stored.interface >= interfaces:
        return f"names interface {stored.interface}, which the file does not describe"
    if stored.length > min(len(body) - stored.at, MAX_PACKET):
        return f"claims {stored.length} bytes, but its block holds {len(body) - stored.at}"
    return ""


def _interface(body: bytes, order: str, complain: Complain) -> _Interface:
    if len(body) < 8:
        complain("an interface description is cut; frames of that interface are not read")
        return _Interface(False, None, 1_000_000, 0, 0)
    linktype, _reserved, snaplen = struct.unpack_from(order + "HHI", body)
    units, offset, at = 1_000_000, 0, 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 0 or len(value) < length:
            break
        if code == _OPTION_RESOLUTION and value:
            units = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == _OPTION_OFFSET and length == 8:
            (offset,) = struct.unpack(order + "q", value)
        at += 4 + length + -length % 4
    readable = supported(linktype)
    if not readable:
        complain(f"link type {linktype} cannot be read; frames of that interface are left out")
    return _Interface(
        readable, converter(linktype) if readable else None, units, offset * 1_000_000_000, snaplen
    )
