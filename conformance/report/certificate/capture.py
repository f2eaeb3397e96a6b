"""Reads the evidence captures that this suite writes, strictly: every byte is accounted for (draft-ietf-opsawg-pcapng)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_FIXED = {_SECTION: 16, _INTERFACE: 8}
_PACKET_FIXED = 20
_COMMENT, _FLAGS = 1, 2
_OUTBOUND = 2
_LONGEST_OPTION = 0xFFFF


@dataclass(eq=False)
class DamagedCapture(Exception):
    """A capture that this suite did not write like this: the offset in bytes, and what is wrong there."""

    offset: int
    problem: str

    def __str__(self) -> str:
        return f"the capture is damaged at byte {self.offset}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Packet:
    """One frame: ``number`` from 1, ``time_ns`` since the epoch, ``sent`` if the tester sent it."""

    number: int
    time_ns: int
    data: bytes
    sent: bool
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """An evidence capture; ``comment`` is that of its section: the case and its verdict."""

    comment: str
    packets: tuple[Packet, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    kind: int
    body: bytes
    options: tuple[tuple[int, bytes], ...]


def read(data: bytes) -> Capture:
    """The capture in ``data``. Raises :class:`DamagedCapture`."""
    blocks = tuple(_blocks(data))
    if [block.kind for block in blocks[:2]] != [_SECTION, _INTERFACE]:
        raise DamagedCapture(0, "it does not begin with a section and an interface")
    packets = []
    for number, block in enumerate(blocks[2:], 1):
        if block.kind != _PACKET:
            raise DamagedCapture(0, f"block {number + 1} is no packet")
        _, high, low, length, _ = struct.unpack_from("<IIIII", block.body)
        flags = [value for code, value in block.options if code == _FLAGS]
        packets.append(
            Packet(
                number,
                high << 32 | low,
                block.body[_PACKET_FIXED : _PACKET_FIXED + length],
                flags == [struct.pack("<I", _OUTBOUND)],
                tuple(_comments(block)),
            )
        )
    return Capture("\n".join(_comments(blocks[0])), tuple(packets))


def rewritten(data: bytes, change: Callable[[str], str]) -> bytes:
    """``data`` with ``change`` applied to every comment; the frames stay. Raises :class:`DamagedCapture`."""
    changed = []
    for block in _blocks(data):
        options = tuple(
            (code, _cut(change(value.decode("utf-8", "replace")))) if code == _COMMENT else (code, value)
            for code, value in block.options
        )
        changed.append(_Block(block.kind, block.body, options))
    return b"".join(map(_bytes, changed))


def _cut(text: str) -> bytes:
    return text.encode()[:_LONGEST_OPTION].decode(errors="ignore").encode()


def _comments(block: _Block) -> Iterator[str]:
    return (value.decode("utf-8", "replace") for code, value in block.options if code == _COMMENT)


def _blocks(data: bytes) -> Iterator[_Block]:
    offset = 0
    while offset < len(data):
        block, size = _block(data, offset)
        if _bytes(block) != data[offset : offset + size]:
            raise DamagedCapture(offset, "padding or lengths are not as this suite writes them")
        yield block
        offset += size


def _block(data: bytes, offset: int) -> tuple[_Block, int]:
    if len(data) - offset < 12:
        raise DamagedCapture(offset, "it ends inside a block")
    kind, size = struct.unpack_from("<II", data, offset)
    if size < 12 or size % 4 or offset + size > len(data):
        raise DamagedCapture(offset, f"a block of {size} bytes cannot be here")
    content = data[offset + 8 : offset + size - 4]
    fixed = _FIXED.get(kind)
    if kind == _PACKET and len(content) >= _PACKET_FIXED:
        length = struct.unpack_from("<I", content, 12)[0]
        fixed = _PACKET_FIXED + length + -length % 4
    if fixed is None or fixed > len(content):
        raise DamagedCapture(
            offset, f"a block of kind {kind:#x} and {size} bytes is none that this suite writes"
        )
    return _Block(kind, content[:fixed], tuple(_options(content[fixed:], offset))), size


def _options(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            return
        if at + 4 + length > len(data):
            break
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
    raise DamagedCapture(offset, "the options of a block have no end")


def _bytes(block: _Block) -> bytes:
    listed = b"".join(
        struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in block.options
    )
    content = block.body + listed + bytes(4)
    size = struct.pack("<I", 12 + len(content))
    return struct.pack("<I", block.kind) + size + content + size
