"""Evidence files: a trace as pcapng with nanosecond time stamps and a comment on every frame that decided something.

Written here because no well-kept library does it: scapy's writer has microseconds only, python-pcapng and dpkt have had no release since 2022.
Source of the format: draft-ietf-opsawg-pcapng (block types, option codes).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from conformance.segment.trace import FrameSeen, Trace

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_ETHERNET = 1
_END, _COMMENT = 0, 1
_APPLICATION = 4
_INTERFACE_NAME, _RESOLUTION = 2, 9
_PACKET_FLAGS, _INBOUND, _OUTBOUND = 2, 1, 2
_NANOSECONDS = b"\x09"
_LONGEST_OPTION = 0xFFFF


_BLOCK_HEAD, _OPTION_HEAD, _PACKET_HEAD = struct.Struct("<II"), struct.Struct("<HH"), struct.Struct("<IIIII")
_LAST_OPTION = _OPTION_HEAD.pack(_END, 0)
_SENT, _HEARD = (
    _OPTION_HEAD.pack(_PACKET_FLAGS, 4) + struct.pack("<I", way) + _LAST_OPTION
    for way in (_OUTBOUND, _INBOUND)
)
"""How most packets end: their flags and nothing more."""


def write(trace: Trace, path: Path, *, comment: str) -> None:
    """Writes all frames of ``trace`` to ``path``, numbered as in the trace, with ``comment`` on the section. Frames that the tester sent are marked outbound."""
    section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
    with path.open("wb") as file:
        file.write(
            _block(_SECTION, section, [(_COMMENT, _text(comment)), (_APPLICATION, b"carp-conformance")])
        )
        file.write(
            _block(
                _INTERFACE,
                struct.pack("<HHI", _ETHERNET, 0, 0),
                [(_INTERFACE_NAME, b"tester"), (_RESOLUTION, _NANOSECONDS)],
            )
        )
        file.writelines(_packet(seen, trace.comments.get(seen.number, ())) for seen in trace.frames)


def _packet(seen: FrameSeen, comments: Sequence[str]) -> bytes:
    data = seen.frame.data
    length = len(data)
    body = (
        _PACKET_HEAD.pack(0, seen.time_ns >> 32, seen.time_ns & 0xFFFFFFFF, length, length)
        + data
        + bytes(-length % 4)
    )
    ends = _SENT if seen.sent else _HEARD
    if comments:
        ends = _options([(_COMMENT, _text(note)) for note in comments]) + ends
    return _framed(_PACKET, body + ends)


def _block(kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    return _framed(kind, body + _options(options) + _LAST_OPTION)


def _framed(kind: int, content: bytes) -> bytes:
    length = 12 + len(content)
    return _BLOCK_HEAD.pack(kind, length) + content + length.to_bytes(4, "little")


def _options(options: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(_OPTION_HEAD.pack(code, len(value)) + _padded(value) for code, value in options)


def _text(comment: str) -> bytes:
    """UTF-8, cut between characters to what an option can hold."""
    return comment.encode()[:_LONGEST_OPTION].decode(errors="ignore").encode()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
