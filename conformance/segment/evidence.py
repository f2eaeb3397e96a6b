"""Evidence files: a trace as pcapng with nanosecond time stamps and a comment on every frame that decided something.

Written here because no well-kept library does it: scapy's writer has microseconds only, python-pcapng and dpkt have had no release since 2022.
Source of the format: draft-ietf-opsawg-pcapng (block types, option codes).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from conformance.segment.trace import Trace

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_ETHERNET = 1
_END, _COMMENT = 0, 1
_APPLICATION = 4
_INTERFACE_NAME, _RESOLUTION = 2, 9
_PACKET_FLAGS, _INBOUND, _OUTBOUND = 2, 1, 2
_NANOSECONDS = b"\x09"
_LONGEST_OPTION = 0xFFFF


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
        for seen in trace.frames:
            data = seen.frame.data
            body = struct.pack(
                "<IIIII", 0, seen.time_ns >> 32, seen.time_ns & 0xFFFFFFFF, len(data), len(data)
            ) + _padded(data)
            flags = struct.pack("<I", _OUTBOUND if seen.sent else _INBOUND)
            notes = [(_COMMENT, _text(note)) for note in trace.comments.get(seen.number, ())]
            file.write(_block(_PACKET, body, [*notes, (_PACKET_FLAGS, flags)]))


def _block(kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    listed = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    content = body + listed + struct.pack("<HH", _END, 0)
    length = struct.pack("<I", 12 + len(content))
    return struct.pack("<I", kind) + length + content + length


def _text(comment: str) -> bytes:
    """UTF-8, cut between characters to what an option can hold."""
    return comment.encode()[:_LONGEST_OPTION].decode(errors="ignore").encode()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
