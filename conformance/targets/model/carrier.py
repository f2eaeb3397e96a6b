"""The link of an interface as the kernel tells it: an rtnetlink socket, read by hand.

pyroute2 would say the same, but to import it takes as long as to start the whole process of a model host.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Callable
from enum import Enum

_RTMGRP_LINK = 1
_NEWLINK, _DELLINK = 16, 17
_MESSAGE = struct.Struct("@IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_LINK = struct.Struct("@BxHiII")  # struct ifinfomsg: family, device type, index, flags, change
_IFF_RUNNING = 0x40
_SIOCGIFFLAGS = 0x8913
_IFREQ = struct.Struct("@16sH22x")  # struct ifreq: name, flags


class Link(Enum):
    """What became of a link."""

    UP = "up"
    DOWN = "down"
    GONE = "gone"


class Carrier:
    """Watches ``interface`` of the network namespace that the calling thread is in.

    ``on_change`` gets each news; register it with a clock: ``clock.watch(carrier, carrier.read)``. Raises
    OSError if there is no such interface.
    """

    def __init__(self, interface: str, on_change: Callable[[Link], None]) -> None:
        self._interface, self._on_change = interface, on_change
        self._index = socket.if_nametoindex(interface)
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._socket.bind((0, _RTMGRP_LINK))
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def up(self) -> bool:
        """Whether the link is up now."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            answer = fcntl.ioctl(asked, _SIOCGIFFLAGS, _IFREQ.pack(self._interface.encode(), 0))
        return bool(_IFREQ.unpack(answer)[1] & _IFF_RUNNING)

    def read(self) -> None:
        """Hands over what has happened; each state of the link as often as the kernel repeats it."""
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return
        while len(data) >= _MESSAGE.size:
            length, kind, *_ = _MESSAGE.unpack_from(data)
            if kind in (_NEWLINK, _DELLINK):
                self._tell(kind, *_LINK.unpack_from(data, _MESSAGE.size)[2:4])
            data = data[(length + 3) & ~3 :]

    def close(self) -> None:
        self._socket.close()

    def _tell(self, kind: int, index: int, flags: int) -> None:
        if index == self._index:
            alive = Link.UP if flags & _IFF_RUNNING else Link.DOWN
            self._on_change(Link.GONE if kind == _DELLINK else alive)
