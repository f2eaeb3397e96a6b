"""Programs that the kernel runs on each frame before a packet socket sees it: classic BPF, made of rows that are put together like sentences.

Source: linux/filter.h and Documentation/networking/filter.rst of the Linux kernel.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Collection, Iterable, Sequence

from conformance.wire.header import PROTOCOL

Row = tuple[int, int, int, int]
"""One instruction: code, how many to skip if true, how many if false, constant."""
Program = tuple[Row, ...]

LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
WORD_BEHIND, HALF_BEHIND, BYTE_BEHIND = 0x40, 0x48, 0x50  # as above, X bytes further on
JUMP_EQUAL = 0x15
RETURN = 0x06
_JUMP, _SET_X, _X_TO_A, _A_TO_X, _ADD = 0x05, 0x01, 0x87, 0x07, 0x04
_SO_ATTACH_FILTER = 26
_ICMP, _IGMP = 1, 2
_PROTOCOL_AT = 23
ETHERTYPE_AT = 12
VLAN_TAG_PRESENT = (
    0xFFFFF000 + 48
)  # SKF_AD_VLAN_TAG_PRESENT: the kernel takes the tag off before a packet socket sees the frame
PASS: Row = (RETURN, 0, 0, 0x40000)
DROP: Row = (RETURN, 0, 0, 0)


def load(code: int, at: int) -> Row:
    """Loads what is ``at`` bytes from the start of the frame (for the codes ``..._BEHIND``: from X); a frame without these bytes is dropped."""
    return code, 0, 0, at


def when(value: int, rows: Iterable[Row]) -> Program:
    """``rows``, only where ``value`` is what was loaded."""
    block = tuple(rows)
    return ((JUMP_EQUAL, 1, 0, value), (_JUMP, 0, 0, len(block)), *block)


def unless(values: Collection[int], rows: Iterable[Row]) -> Program:
    """``rows``, only where none of ``values`` is what was loaded."""
    block = tuple(rows)
    for value in values:
        block = ((JUMP_EQUAL, 0, 1, value), (_JUMP, 0, 0, len(block)), *block)
    return block


def pass_if(values: Iterable[int]) -> Program:
    """Passes the frame if one of ``values`` is what was loaded."""
    return tuple(row for value in values for row in ((JUMP_EQUAL, 0, 1, value), PASS))


def behind_tags(tags: Sequence[int], most: int) -> Program:
    """Sets X to the bytes that at most ``most`` VLAN tags take, and loads the EtherType behind them."""
    rows: Program = ((_SET_X, 0, 0, 0),)
    step: Program = ((_X_TO_A, 0, 0, 0), (_ADD, 0, 0, 4), (_A_TO_X, 0, 0, 0))
    for _ in range(most):
        rows += (load(HALF_BEHIND, ETHERTYPE_AT),)
        rows += tuple((JUMP_EQUAL, len(tags) - at, 0, tag) for at, tag in enumerate(tags[:-1], 1))
        rows += ((JUMP_EQUAL, 0, len(step), tags[-1]), *step)
    return (*rows, load(HALF_BEHIND, ETHERTYPE_AT))


def if_untagged(rows: Iterable[Row]) -> Program:
    """``rows``, only for a frame that has no VLAN tag, neither in its data nor taken off by the kernel; X as :func:`behind_tags` leaves it."""
    return ((_X_TO_A, 0, 0, 0), *when(0, (load(LOAD_BYTE, VLAN_TAG_PRESENT), *when(0, rows))))


TESTER: Program = (
    load(LOAD_BYTE, VLAN_TAG_PRESENT),
    *when(
        0,  # of another VLAN it would look like a frame of this one
        (
            load(LOAD_HALF, ETHERTYPE_AT),
            *pass_if((0x0806, 0x86DD)),
            *when(0x0800, (load(LOAD_BYTE, _PROTOCOL_AT), *pass_if((PROTOCOL, _ICMP, _IGMP)))),
        ),
    ),
    DROP,
)
"""What the tester's port hears, untagged: ARP, IPv6, and of IPv4 only CARP/VRRP, ICMP and IGMP."""


def attach(wire: socket.socket, program: Program) -> None:
    """From now on ``wire`` gets only the frames that ``program`` passes; it takes the place of an earlier one. Raises OSError."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("@HBBI", *row) for row in program))
    wire.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(code))
    )
