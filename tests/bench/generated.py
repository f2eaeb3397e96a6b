"""The capture that the benchmarks read: any number of authentic advertisements of several virtual hosts, with hand-overs, made with bounded memory."""

from __future__ import annotations

import heapq
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from conformance.judge.keyring import Material, make_key
from conformance.wire.digest import key
from conformance.wire.frame import advertisement, virtual_mac
from conformance.wire.header import checksum, interval_ns

PASSWORD = "bench4carp"
SHARED = tuple(IPv4Address(f"192.0.2.{last}") for last in (1, 2, 3, 4))
_TURN = 20_000
"""Advertisements of one MASTER before the other one takes over."""
_SLACK_NS = 1_000_000
_BEGIN_US = 1_700_000_000_000_000


@dataclass(slots=True)
class _Pair:
    """Two hosts of one vhid that take turns as MASTER; the counter grows by one each time, as BSD kernels do once they heard a peer."""

    vhid: int
    turn: int = 0
    sent: int = 0
    counter: int = 1 << 40
    handovers: int = 0


def generate(path: Path, frames: int, vhids: int = 4) -> int:
    """Writes a pcap of ``frames`` advertisements of ``vhids`` virtual hosts with hand-overs by silence; returns the number of hand-overs."""
    pairs = [_Pair(vhid) for vhid in range(1, vhids + 1)]
    keys = {
        one.vhid: make_key(key(PASSWORD), one.vhid, Material(0, (SHARED[one.vhid - 1],))) for one in pairs
    }
    shapes = {(one.vhid, turn): _shape(one.vhid, turn) for one in pairs for turn in (0, 1)}
    spacing = [interval_ns(1, skew) + _SLACK_NS for skew in (0, 100)]
    down = [interval_ns(3, skew) + _SLACK_NS for skew in (0, 100)]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        queue = [(one.vhid * 13_000_000, one.vhid, one) for one in pairs]
        for written in range(frames):
            due_ns, vhid, pair = queue[0]
            shape = shapes[vhid, pair.turn]
            pair.counter += 1
            counter = pair.counter.to_bytes(8, "big")
            shape[42:70] = counter + keys[vhid].digest(counter)
            shape[40:42] = b"\0\0"
            shape[40:42] = checksum(bytes(shape[34:70])).to_bytes(2, "big")
            at_us = due_ns // 1000 + _BEGIN_US
            file.write(struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, 70, 70) + shape)
            pair.sent += 1
            if pair.sent == _TURN // vhids and written + vhids < frames:
                pair.turn, pair.sent = pair.turn ^ 1, 0
                due_ns += down[pair.turn]
                pair.handovers += 1
            else:
                due_ns += spacing[pair.turn]
            heapq.heapreplace(queue, (due_ns, vhid, pair))
    return sum(one.handovers - (one.sent == 0) for one in pairs)


def _shape(vhid: int, turn: int) -> bytearray:
    body = bytes((0x21, vhid, 100 * turn, 7, 0, 1)) + bytes(30)
    return bytearray(advertisement(body, IPv4Address(f"192.0.2.{11 + turn}"), source_mac=virtual_mac(vhid)))
