"""A TCP service of a model host: as much of TCP as tells the host's name to whoever connects.

The model has no IP stack, so each segment is answered out of itself, without a state. Whether a frame reaches
the service at all is the model's to say: it does if an echo request in the same envelope is answered.
"""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Callable
from ipaddress import IPv4Address

from conformance.wire import frame as wire
from conformance.wire.digest import Address
from conformance.wire.header import checksum

_ETH_P_IP = 0x0800
_ICMP, _TCP, _PROTOCOL_AT = 1, 6, 23
_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_SEGMENT = struct.Struct("!HHIIBBHHH")
_WINDOW = 65_535
_ROUND = 1 << 32

Reach = Callable[[bytes], bytes | None]
"""Takes an echo request (a frame), gives the Ethernet source of the answer; None without one."""


class Service:
    """Answers connections to ``listens`` on ``device`` with ``name``; opens its socket at the first need."""

    def __init__(self, device: str, name: str, reach: Reach) -> None:
        self.listens: set[tuple[Address, int]] = set()
        self._device, self._name, self._reach = device, name.encode(), reach
        self._first = zlib.crc32(
            self._name
        )  # its own for each host: nobody goes on with another's connection
        self._socket: socket.socket | None = None

    @property
    def opened(self) -> bool:
        return self._socket is not None

    def open(self) -> None:
        """Opens the socket; register the service with a clock afterwards."""
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.bind((self._device, _ETH_P_IP))
        self._socket.setblocking(False)

    def fileno(self) -> int:
        assert self._socket is not None
        return self._socket.fileno()

    def read(self) -> None:
        """Answers one frame, if it is for the service."""
        assert self._socket is not None
        data = self._socket.recv(65_600)
        if len(data) > _PROTOCOL_AT and data[_PROTOCOL_AT] == _TCP:
            answer = self.answer(data)
            if answer is not None:
                self._socket.send(answer)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def answer(self, data: bytes) -> bytes | None:
        """The frame that answers ``data`` (a frame with a TCP segment); None if it is not for the service."""
        frame = wire.decode(data)
        ip = frame.ip
        if ip is None or len(frame.payload) < _SEGMENT.size:
            return None
        client, port, sequence, acknowledged, offset, flags, *_ = _SEGMENT.unpack_from(frame.payload)
        if (ip.destination, port) not in self.listens or flags & _RST:
            return None
        length = len(frame.payload) - (offset >> 4) * 4
        said = self._say(flags, acknowledged, length)
        source = None if said is None else self._reach(_echo_request(frame, ip))
        if said is None or source is None:
            return None
        own, own_flags, body = said
        taken = (sequence + length + bool(flags & (_SYN | _FIN))) % _ROUND
        segment = _SEGMENT.pack(port, client, own, taken, 5 << 4, own_flags, _WINDOW, 0, 0) + body
        return _enclose(frame.source, source, ip, segment)

    def _say(self, flags: int, acknowledged: int, length: int) -> tuple[int, int, bytes] | None:
        """Sequence number, flags and body of the answer to a segment."""
        if flags & _SYN:
            return self._first, _SYN | _ACK, b""
        if flags & _FIN:
            return acknowledged, _ACK, b""
        if flags & _ACK and acknowledged == (self._first + 1) % _ROUND and length == 0:
            return acknowledged, _ACK | _PSH | _FIN, self._name
        return None


def _echo_request(frame: wire.Frame, ip: wire.Ip) -> bytes:
    """An echo request in the envelope of ``frame``."""
    assert isinstance(ip.source, IPv4Address)
    assert isinstance(ip.destination, IPv4Address)
    body = struct.pack("!BBHHH", 8, 0, 0, 1, 1)
    body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    packet = wire.ipv4(ip.source, ip.destination, body, ttl=64, tos=0, protocol=_ICMP)
    return wire.ethernet(frame.destination, frame.source, wire.ETHERTYPE_IPV4, packet)


def _enclose(destination: bytes, source: bytes, ip: wire.Ip, segment: bytes) -> bytes:
    """``segment`` on the way back to the sender of ``ip``, with its checksum."""
    assert isinstance(ip.source, IPv4Address)
    assert isinstance(ip.destination, IPv4Address)
    pseudo = ip.destination.packed + ip.source.packed + struct.pack("!BBH", 0, _TCP, len(segment))
    segment = segment[:16] + checksum(pseudo + segment).to_bytes(2, "big") + segment[18:]
    packet = wire.ipv4(ip.destination, ip.source, segment, ttl=64, tos=0, protocol=_TCP)
    return wire.ethernet(destination, source, wire.ETHERTYPE_IPV4, packet)
