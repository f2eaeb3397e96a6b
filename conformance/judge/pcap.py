"""Reads pcap files (microseconds and nanoseconds, both byte orders) as a stream with bounded memory.

Own code on purpose: the reader must take a million packets in two seconds and must make the best of damaged
files.
Source: the pcap file format as the tcpdump group documents it (pcap-savefile).
"""

from __future__ import annotations

import struct

from conformance.judge.linktypes import converter, supported
from conformance.judge.packets import MAX_PACKET, Complain, Packets, Stream

_CHUNK = 1 << 18
_GLOBAL = 24

_MAGICS: dict[bytes, tuple[str, int, int]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1_000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1_000, 24),
    b"\xa1\xb2\xcd\x34": (">", 1_000, 24),
}
"""First four bytes: byte order, nanoseconds a fraction unit, bytes of a record header (24 in old patched
libpcaps).
"""


def is_pcap(magic: bytes) -> bool:
    """Whether these first four bytes open a pcap file."""
    return magic in _MAGICS


def read_pcap(stream: Stream, start: bytes, index: int, complain: Complain) -> Packets:  # noqa: C901  # one loop, for speed
    """Yields the packets of a pcap file; ``start`` is what was already read of it (at least the magic),
    ``index`` names the capture.

    What cannot be read is told to ``complain`` in one sentence; a record whose length is absurd ends the
    reading.
    """
    buffer = start
    while len(buffer) < _GLOBAL and (more := stream.read(_GLOBAL - len(buffer))):
        buffer += more
    if len(buffer) < _GLOBAL:
        complain(f"the file header is cut: {len(buffer)} of {_GLOBAL} bytes are there")
        return
    order, unit, record = _MAGICS[buffer[:4]]
    linktype = struct.unpack_from(order + "I", buffer, 20)[0] & 0xFFFF
    if not supported(linktype):
        complain(
            f"link type {linktype} cannot be read; capture on "
            "an Ethernet, cooked, raw IP or loopback interface"
        )
        return
    convert = converter(linktype)
    unpack = struct.Struct(order + "IIII").unpack_from
    position, number, read = _GLOBAL, 0, stream.read
    second, second_ns = 0, 0
    while True:
        end = len(buffer)
        while position + record <= end:
            seconds, fraction, length, wire = unpack(buffer, position)
            after = position + record + length
            if after > end:
                if length > MAX_PACKET:
                    complain(
                        f"frame {number + 1} claims {length} bytes, more than "
                        "any packet has; the rest of the file is not read"
                    )
                    return
                break
            if seconds != second:
                second, second_ns = seconds, seconds * 1_000_000_000
            number += 1
            data: bytes | None = buffer[position + record : after]
            position = after
            if convert is not None:
                data = convert(data)  # type: ignore[arg-type]
                if data is None:
                    continue
            yield second_ns + fraction * unit, index, number, data, length < wire  # type: ignore[misc]
        chunk = read(_CHUNK)
        if not chunk:
            break
        buffer = buffer[position:] + chunk
        position = 0
    if position < len(buffer):
        complain(
            f"frame {number + 1} is cut off at the end of the "
            f"file ({len(buffer) - position} bytes of it are there)"
        )
