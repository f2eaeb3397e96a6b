"""Benchmark of ``judge``: a generated capture of 1,000,000 authenticated advertisements, against tshark and
scapy's rdpcap in one run.

Run it as a program: ``python tests/judge/bench_judge.py [--frames N]``; ``tox -e bench`` does. It is not a
test and pytest does not collect it.
"""

from __future__ import annotations

import argparse
import heapq
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

from conformance.judge.judge import judge
from conformance.judge.keyring import Material, make_key
from conformance.wire.digest import key
from conformance.wire.frame import advertisement, virtual_mac
from conformance.wire.header import checksum, interval_ns

PASSWORD = "bench4carp"
SHARED = tuple(IPv4Address(f"192.0.2.{last}") for last in (1, 2, 3, 4))
_TURN = 20_000
"""Advertisements of one MASTER before the other one takes over."""


@dataclass(slots=True)
class Cluster:
    """Two hosts of one vhid that take turns as MASTER; the counter grows by one each time, as BSD kernels
    do once they heard a peer.
    """

    vhid: int
    turn: int = 0
    sent: int = 0
    counter: int = 1 << 40
    handovers: int = 0


def generate(path: Path, frames: int, vhids: int = 4) -> int:
    """Writes a pcap of ``frames`` advertisements of ``vhids`` virtual hosts with hand-overs by silence;
    returns the number of hand-overs.
    """
    clusters = [Cluster(vhid) for vhid in range(1, vhids + 1)]
    keys = {
        one.vhid: make_key(key(PASSWORD), one.vhid, Material(0, (SHARED[one.vhid - 1],))) for one in clusters
    }
    shapes = {
        (one.vhid, turn): bytearray(
            advertisement(
                bytes((0x21, one.vhid, 100 * turn, 7, 0, 1)) + bytes(30),
                IPv4Address(f"192.0.2.{11 + turn}"),
                source_mac=virtual_mac(one.vhid),
            )
        )
        for one in clusters
        for turn in (0, 1)
    }
    spacing = [interval_ns(1, 0) + 1_000_000, interval_ns(1, 100) + 1_000_000]
    down = [interval_ns(3, 0) + 1_000_000, interval_ns(3, 100) + 1_000_000]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        queue = [(one.vhid * 13_000_000, one.vhid, one) for one in clusters]
        for written in range(frames):
            due_ns, vhid, cluster = queue[0]
            shape = shapes[vhid, cluster.turn]
            cluster.counter += 1
            counter = cluster.counter.to_bytes(8, "big")
            shape[42:50] = counter
            shape[50:70] = keys[vhid].digest(counter)
            shape[40:42] = b"\0\0"
            shape[40:42] = checksum(shape[34:70]).to_bytes(2, "big")
            at_us = due_ns // 1000 + 1_700_000_000_000_000
            file.write(struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, 70, 70) + shape)
            cluster.sent += 1
            if cluster.sent == _TURN // vhids and written + vhids < frames:
                cluster.turn, cluster.sent = cluster.turn ^ 1, 0
                due_ns += down[cluster.turn]
                cluster.handovers += 1
            else:
                due_ns += spacing[cluster.turn]
            heapq.heapreplace(queue, (due_ns, vhid, cluster))
    return sum(one.handovers - (one.sent == 0) for one in clusters)


@dataclass(frozen=True, slots=True)
class Rate:
    """Frames a second, by the clock and by processor time (which a busy machine disturbs less)."""

    clock: float
    processor: float

    def __str__(self) -> str:
        return f"{self.clock:10,.0f} frames/s, {self.processor:10,.0f} a second of processor time"


def _measure(frames: int, work: Callable[[], object]) -> Rate:
    def used() -> float:
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

    clock, processor = time.perf_counter(), used()
    work()
    return Rate(frames / (time.perf_counter() - clock), frames / (used() - processor))


def _judge(path: Path, frames: int, handovers: int) -> None:
    document = judge([path], passwords=(PASSWORD,), addresses=SHARED)
    seen = sum(host["authenticated"] for host in document["vhids"])
    found = sum(1 for host in document["vhids"] for handover in host["handovers"] if handover["from"])
    if (seen, found) != (frames, handovers):
        sys.exit(
            f"judge saw {seen} authentic advertisements and {found} hand-overs, "
            f"the capture has {frames} and {handovers}"
        )


def _tshark(path: Path, display_filter: str) -> None:
    command = ["tshark", "-n", "-r", str(path), "-Y", display_filter]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def _rdpcap(path: Path) -> None:
    import scapy.layers.inet  # registers Ethernet and IP: rdpcap dissects what it knows
    from scapy.utils import rdpcap

    rdpcap(str(path))


def main() -> None:
    """Generates, measures, prints one line a tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument(
        "--scapy-frames",
        type=int,
        default=20_000,
        help="rdpcap keeps every packet in memory: it gets this many, and the rate counts",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, "large.pcap"), Path(folder, "small.pcap")
        handovers = generate(large, options.frames)
        generate(small, options.scapy_frames)
        judged = _measure(options.frames, lambda: _judge(large, options.frames, handovers))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"judge           {judged}; all {handovers} hand-overs found, peak memory {memory} MiB")
        for name in ("carp", "vrrp") if shutil.which("tshark") else ():
            _compare(f"tshark -Y {name}", judged, _measure(options.frames, partial(_tshark, large, name)))
        _compare("scapy rdpcap", judged, _measure(options.scapy_frames, lambda: _rdpcap(small)))


def _compare(tool: str, judged: Rate, other: Rate) -> None:
    ratio, processor = judged.clock / other.clock, judged.processor / other.processor
    print(f"{tool:15} {other}; judge is {ratio:.1f} times as fast ({processor:.1f} by processor time)")


if __name__ == "__main__":
    main()
