"""The tester's port on a real interface: raw sockets, a kernel filter, kernel time stamps, drop counts."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Sequence

from conformance.segment.filter import TESTER, attach

ETH_P_ALL = 0x0003
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 1, 1
PACKET_OUTGOING = 4
_RECEIVE_BUFFER = 32 << 20
_BATCH = 512
_TIMESPEC = struct.Struct("@qq")

OnFrame = Callable[[int, bytes, bool], object]


def stamp_ns(ancillary: Sequence[tuple[int, int, bytes]]) -> int:
    """When it came what was received with ``ancillary``, in nanoseconds since the epoch: the kernel's time stamp; without one (no ``SO_TIMESTAMPNS``) the time now."""
    for level, kind, value in ancillary:
        if kind == SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
            seconds, nanoseconds = _TIMESPEC.unpack(value[: _TIMESPEC.size])
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()


def enlarge(one: socket.socket, size: int, *, forced: int, plain: int) -> None:
    """Gives a socket a buffer of ``size`` bytes by the option ``forced``; by ``plain``, as far as the system lets, without CAP_NET_ADMIN in the first user namespace."""
    try:
        one.setsockopt(socket.SOL_SOCKET, forced, size)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, plain, size)


class LivePort:
    """Sends and captures on ``interface`` of the network namespace that the calling thread is in.

    ``on_frame(time_ns, data, sent)`` gets each untagged frame that passes the filter (ARP, IPv6, and of IPv4 protocols 112, 1 and 2), the tester's own
    included, with the kernel's time stamp.
    Register the port with a clock: ``clock.watch(port, port.read)``. Raises OSError if the interface is missing or CAP_NET_RAW is.
    """

    def __init__(self, interface: str, on_frame: OnFrame) -> None:
        self._on_frame = on_frame
        self._dropped = 0
        self._in = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._in.setsockopt(
                SOL_PACKET,
                PACKET_ADD_MEMBERSHIP,
                struct.pack("@iHH8s", socket.if_nametoindex(interface), PACKET_MR_PROMISC, 0, bytes(8)),
            )
            attach(self._in, TESTER)
            self._in.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            enlarge(self._in, _RECEIVE_BUFFER, forced=SO_RCVBUFFORCE, plain=socket.SO_RCVBUF)
            self._in.setblocking(False)
            self._in.bind((interface, ETH_P_ALL))
            self._out.bind((interface, 0))
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        return self._in.fileno()

    def send(self, frame: bytes) -> None:
        self._out.send(frame)

    def read(self) -> None:
        """Hands over what has arrived, at most a batch, so that timers get their turn during a flood."""
        for _ in range(_BATCH):
            try:
                data, ancillary, _, address = self._in.recvmsg(65_600, 64)
            except BlockingIOError:
                return
            self._on_frame(stamp_ns(ancillary), data, address[2] == PACKET_OUTGOING)

    def dropped(self) -> int:
        """Frames lost for want of buffer since the port was opened (the kernel resets its own count at each reading); the last count once it is closed."""
        if self._in.fileno() < 0:
            return self._dropped
        _, lost = struct.unpack("@II", self._in.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self._dropped += lost
        return self._dropped

    def close(self) -> None:
        """Closes both sockets; the drop count stays readable."""
        self.dropped()
        self._in.close()
        self._out.close()
