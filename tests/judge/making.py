"""Makes captures for the tests: frames of scripted speakers, and the bytes of capture files around them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from conformance.judge.lane import Options
from conformance.judge.session import Session
from conformance.wire.digest import Address, AddressRule, Secret
from conformance.wire.frame import ArpOperation, advertisement, arp, virtual_mac
from conformance.wire.header import Header

FIXTURES = Path(__file__).parents[2] / "fixtures" / "captures"
RECORDINGS = sorted(FIXTURES.glob("*/*.pcap"))
PASSWORDS = ("pass4carp1", "pass4carp2", "another")
SECOND = 1_000_000_000
MS = 1_000_000
START = 1_700_000_000 * SECOND
VIP = "192.0.2.1"
MAC_A, MAC_B, MAC_C = (bytes.fromhex(f"0200000000{last}") for last in ("0a", "0b", "0c"))

Timed = tuple[int, bytes]
"""Time in nanoseconds from the start of the capture, and a frame."""


@dataclass(frozen=True)
class Member:
    """A host that advertises one vhid; its counter is ``counter`` plus the number of the advertisement."""

    source: str = "192.0.2.11"
    vhid: int = 1
    advbase: int = 1
    advskew: int = 0
    password: str = "secret"
    addresses: tuple[str, ...] = (VIP,)
    rule: AddressRule = AddressRule.ASCENDING
    lladdr: bytes = b""
    counter: int = 1000
    step: int = 1
    demote: int = 0
    ttl: int = 255
    tos: int = 0x10
    source_mac: bytes | None = None
    destination: str | None = None
    destination_mac: bytes | None = None
    identification: int = 7

    def frame(self, number: int = 0, **changes: int) -> bytes:
        """The advertisement with that number; ``changes`` replace header fields after the digest was made."""
        counter = ((self.counter + number * self.step) % (1 << 64)).to_bytes(8, "big")
        addresses: tuple[Address | str, ...] = self.addresses
        digest = Secret(self.password, addresses, self.rule, self.lladdr).digest(self.vhid, counter)
        header = Header(self.vhid, self.advskew, self.advbase, counter, digest, self.demote)
        to = ip_address(self.destination) if self.destination is not None else None
        return advertisement(
            replace(header, **changes).summed(),
            ip_address(self.source),
            source_mac=self.source_mac or virtual_mac(self.vhid),
            destination=to,
            destination_mac=self.destination_mac,
            ttl=self.ttl,
            tos=self.tos,
            identification=self.identification,
        )

    @property
    def interval(self) -> int:
        """The announced interval in nanoseconds, and one millisecond."""
        return Header(self.vhid, self.advskew, self.advbase).interval_ns + MS

    def run(self, start: float, count: int, first: int = 0) -> list[Timed]:
        """``count`` advertisements from ``start`` seconds on, one an interval."""
        return [
            (round(start * SECOND) + index * self.interval, self.frame(first + index))
            for index in range(count)
        ]

    def announcement(self, at: float, address: str = VIP, mac: bytes | None = None) -> Timed:
        """A gratuitous ARP ``at`` that time in seconds, with the virtual MAC or with ``mac``."""
        sender = IPv4Address(address)
        own = mac or virtual_mac(self.vhid)
        return round(at * SECOND), arp(ArpOperation.REQUEST, own, sender, bytes(6), sender)


def pcap(
    frames: Iterable[Timed],
    *,
    order: str = "<",
    nanoseconds: bool = True,
    linktype: int = 1,
    snaplen: int = 65535,
) -> bytes:
    """A pcap file of the frames, sorted by time."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    unit = 1 if nanoseconds else 1000
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype)]
    for time_ns, data in sorted(frames, key=lambda one: one[0]):
        seconds, rest = divmod(START + time_ns, SECOND)
        kept = data[:snaplen]
        parts.append(struct.pack(order + "IIII", seconds, rest // unit, len(kept), len(data)) + kept)
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    """A section header block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """An option of a block."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(linktype: int = 1, options: bytes = b"", snaplen: int = 0, order: str = "<") -> bytes:
    """An interface description block."""
    return block(1, struct.pack(order + "HHI", linktype, 0, snaplen) + options, order)


def enhanced(stamp: int, data: bytes, which: int = 0, wire: int | None = None, order: str = "<") -> bytes:
    """An enhanced packet block; ``stamp`` in units of the interface."""
    head = struct.pack(order + "IIIII", which, stamp >> 32, stamp & 0xFFFFFFFF, len(data), wire or len(data))
    return block(6, head + data, order)


def write(folder: Path, *frames: Sequence[Timed], name: str = "made.pcap") -> Path:
    """Writes all frames as one pcap file into ``folder``."""
    path = folder / name
    path.write_bytes(pcap([one for part in frames for one in part]))
    return path


def addresses(*texts: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """Addresses from their texts."""
    return tuple(ip_address(text) for text in texts)


def fed(*frames: bytes, **options: Any) -> Session:
    """A finished session over frames that come a tenth of a second apart."""
    session = Session(Options(**options))
    for index, frame in enumerate(frames):
        session.packet(START + index * SECOND // 10, 0, index + 1, frame, False)
    session.finish()
    return session
