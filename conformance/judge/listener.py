"""The ear of a live session: a packet socket that is only ever read from, and gets only what its monitors can use."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.judge.interest import Interest, program
from conformance.segment.filter import attach
from conformance.segment.live import ETH_P_ALL, PACKET_STATISTICS, SO_TIMESTAMPNS, SOL_PACKET, stamp_ns

_TPACKET_AUXDATA, _PACKET_AUXDATA = "=IIIHHHH", 8
_VLAN_VALID = 1 << 4
_SNAPLEN = 65_535
_RECEIVE_BUFFER = 4 << 20


class WatchError(Exception):
    """The interface cannot be watched: ``interface``, ``problem`` and ``remedy``."""

    def __init__(self, interface: str, problem: str, remedy: str) -> None:
        self.interface = interface
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{interface}: {problem}; {remedy}.")


class InterfaceDown(WatchError):
    """The interface went down while it was listened on; told once each time."""


@dataclass(frozen=True, slots=True)
class Received:
    """A frame as the kernel handed it over, with its receive time stamp (nanoseconds since the epoch)."""

    time_ns: int
    data: bytes


def packet_socket(interface: str) -> socket.socket:
    """A socket that only listens on ``interface``, for :func:`receive`, and gets only what a session that has heard nothing yet can make anything of.

    Raises :class:`WatchError`.
    """
    if not hasattr(socket, "AF_PACKET"):
        raise WatchError(
            interface,
            "only Linux can be listened on",
            f"elsewhere let tcpdump listen: tcpdump -i {interface} -U -s 0 -w - 'proto 112 or arp or icmp6' | carp-conformance judge -",
        )
    try:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise WatchError(
            interface, "listening needs the capability CAP_NET_RAW", "run this as root or give the capability"
        ) from error
    try:
        attach(wire, program(Interest()))
        wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        wire.setsockopt(SOL_PACKET, _PACKET_AUXDATA, 1)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        wire.bind((interface, ETH_P_ALL))
        wire.setblocking(False)
        with contextlib.suppress(
            OSError
        ):  # without promiscuous mode multicast still arrives on most interfaces
            index = socket.if_nametoindex(interface)
            wire.setsockopt(SOL_PACKET, 1, struct.pack("iHH8s", index, 1, 0, b""))
    except OSError as error:
        wire.close()
        raise WatchError(
            interface,
            f"cannot be listened on ({error.strerror})",
            "give the name of an interface that is up (ip link)",
        ) from error
    return wire


def receive(wire: socket.socket) -> Iterator[Received]:
    """The frames that wait in a packet socket; puts back the VLAN tag that the kernel took off. Raises :class:`InterfaceDown`."""
    while True:
        try:
            data, ancillary, _flags, _address = wire.recvmsg(_SNAPLEN, 256)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENETDOWN:
                raise
            raise InterfaceDown(
                wire.getsockname()[0], "went down while it was listened on", "bring it up again"
            ) from error
        tag = b""
        for level, kind, value in ancillary:
            if level == SOL_PACKET and kind == _PACKET_AUXDATA:
                status, _length, _snaplen, _mac, _net, tci, protocol = struct.unpack(
                    _TPACKET_AUXDATA, value[:20]
                )
                if status & _VLAN_VALID:
                    tag = struct.pack("!HH", protocol or 0x8100, tci)
        yield Received(stamp_ns(ancillary), data[:12] + tag + data[12:])


def dropped(wire: socket.socket) -> int:
    """Frames that the kernel dropped since the last call, because nobody took them in time."""
    with contextlib.suppress(OSError):
        return int(struct.unpack("@II", wire.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1])
    return 0
