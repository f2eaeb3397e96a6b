"""The socket of the live view: time stamps, VLAN tags that the kernel took off, an interface that goes down."""

import errno
import os
import socket
import struct

import pytest

from conformance.judge.listener import InterfaceDown, receive
from tests.judge.making import START, Member


class Wire:
    """A packet socket with given ancillary data."""

    def __init__(self, ancillary):
        self.answers = [(Member().frame(), ancillary, 0, None)]

    def recvmsg(self, _size, _space):
        if not self.answers:
            raise BlockingIOError
        return self.answers.pop()


def test_time_stamps_and_vlan_tags_of_the_kernel():
    stamp = (socket.SOL_SOCKET, 35, struct.pack("qq", 17, 5))
    tag = (263, 8, struct.pack("=IIIHHHH", 1 << 4 | 1 << 6, 70, 70, 0, 14, 5, 0x88A8))
    (seen,) = receive(Wire([stamp, tag]))
    assert seen.time_ns == 17_000_000_005
    assert seen.data == Member().frame()[:12] + b"\x88\xa8\x00\x05" + Member().frame()[12:]
    untagged = (263, 8, struct.pack("=IIIHHHH", 1, 70, 70, 0, 14, 0, 0))
    (seen,) = receive(Wire([untagged, (1, 99, b"")]))
    assert seen.data == Member().frame()
    assert seen.time_ns > START


class Broken(Wire):
    """A packet socket that fails with an error when nothing waits in it."""

    def __init__(self, number):
        super().__init__([])
        self.number = number

    def recvmsg(self, size, space):
        if not self.answers:
            raise OSError(self.number, os.strerror(self.number))
        return super().recvmsg(size, space)

    def getsockname(self):
        return ("eth9", 3)


def test_an_interface_that_goes_down_is_told_as_such():
    frames = receive(Broken(errno.ENETDOWN))
    assert next(frames).data == Member().frame()
    with pytest.raises(InterfaceDown) as caught:
        next(frames)
    assert (caught.value.interface, caught.value.remedy) == ("eth9", "bring it up again")
    with pytest.raises(OSError, match="Input/output"):
        list(receive(Broken(errno.EIO)))
