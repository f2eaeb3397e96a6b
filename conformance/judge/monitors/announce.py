"""Monitors of what a MASTER tells the neighbours: gratuitous ARP, neighbour advertisements, answers, and who else claims the shared address."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from conformance.judge.form import Ref
from conformance.judge.host import Host, TakeOver
from conformance.judge.ledger import Ledger, Who
from conformance.judge.monitors.monitor import Monitor
from conformance.judge.speaker import Speaker
from conformance.wire.digest import Address
from conformance.wire.frame import ALL_NODES, BROADCAST_MAC, Arp, ArpOperation, Frame, Neighbour, NeighbourMessage, mac_text

MS = 1_000_000
SECOND = 1_000_000_000
VIRTUAL = b"\x00\x00\x5e\x00\x01"
UCARP = b"\x00\x00\x5e\x00\x00"
_AFTER_NS = SECOND
_BEFORE_NS = 1_500 * MS  # ucarp announces before its first advertisement
_CLOSE_NS = 50 * MS  # before an advertisement, only so near a virtual MAC's announcement can be credited to its sender
_MAX_ADDRESSES, _MAX_MACS = 2048, 16
_STALE_AFTER_NS = SECOND

MONITORS: tuple[Monitor, ...] = (
    Monitor(
        "announcement", ("CARP-ARP-001", "CARP-ARP-002", "CARP-ARP-003", "CARP-ARP-004", "CARP-ARP-006"),
        "the gratuitous ARP that follows each take-over",
    ),
    Monitor("arp-answers", ("CARP-ARP-009", "CARP-ARP-010"), "who answers ARP for a shared address, and with which MAC address"),
    Monitor("neighbour-advertisement", ("CARP-ND-001", "CARP-ND-002", "CARP-ND-003", "CARP-ND-005"), "neighbour advertisements for shared IPv6 addresses"),
)  # fmt: skip


@dataclass(slots=True)
class Claim:
    """A MAC address that was announced or answered for an IP address."""

    count: int = 0
    first: Ref = Ref(0, 0)
    last_ns: int = 0
    gratuitous: int = 0
    to_announcement: int = 0
    frames: list[Ref] = field(default_factory=list)


@dataclass(slots=True)
class Binding:
    """The MAC address last announced for an address; ``former`` ones and since when they are wrong; ``stale`` frames still go there."""

    mac: bytes
    since_ns: int
    former: dict[bytes, int] = field(default_factory=dict)
    stale: dict[bytes, list[Ref]] = field(default_factory=dict)
    stale_count: int = 0


@dataclass(frozen=True, slots=True)
class Announcement:
    """One gratuitous ARP."""

    time_ns: int
    ref: Ref
    arp: Arp
    frame_source: bytes
    frame_destination: bytes


@dataclass(slots=True)
class Neighbourhood:
    """What was said on one VLAN about who has which address."""

    claims: dict[Address, dict[bytes, Claim]] = field(default_factory=dict)
    bindings: dict[Address, Binding] = field(default_factory=dict)
    recent: deque[Announcement] = field(default_factory=lambda: deque(maxlen=64))
    arps: int = 0

    def claim(self, address: Address, mac: bytes, ref: Ref, time_ns: int) -> Claim:
        """Notes that ``mac`` claims ``address``."""
        macs = self.claims.get(address)
        if macs is None:
            macs = {}
            if len(self.claims) < _MAX_ADDRESSES:
                self.claims[address] = macs
        known = macs.get(mac)
        if known is None:
            known = Claim(first=ref)
            if len(macs) < _MAX_MACS:
                macs[mac] = known
        known.count += 1
        known.last_ns = time_ns
        if len(known.frames) < _MAX_MACS:
            known.frames.append(ref)
        return known

    def announced(self, address: Address, mac: bytes, time_ns: int) -> bool:
        """Binds ``address`` to ``mac``; returns whether that is a change."""
        known = self.bindings.get(address)
        if known is None:
            if len(self.bindings) < _MAX_ADDRESSES:
                self.bindings[address] = Binding(mac, time_ns)
            return False
        if known.mac == mac:
            return False
        if len(known.former) < _MAX_MACS:
            known.former[known.mac] = time_ns
        known.former.pop(mac, None)
        known.mac, known.since_ns = mac, time_ns
        return True

    def used(self, address: Address, mac: bytes, time_ns: int, ref: Ref) -> None:
        """Notes that a client sent a packet for ``address`` to ``mac``."""
        binding = self.bindings.get(address)
        if binding is not None and (since_ns := binding.former.get(mac)) is not None and time_ns - since_ns > _STALE_AFTER_NS:
            frames = binding.stale.setdefault(mac, [])
            binding.stale_count += 1
            if len(frames) < _MAX_MACS:
                frames.append(ref)


def owner(host: Host, version: int) -> Speaker | None:
    """The speaker that an announcement for ``host`` is to be credited to: its MASTER, if one stands."""
    for wanted in (version, 4, 6):
        family = host.families.get(wanted)
        if family is not None and family.history.holder is not None:
            return family.history.holder
    return None


def arp(ledger: Ledger, hood: Neighbourhood, hosts: dict[tuple[tuple[int, ...], int], Host], time_ns: int, ref: Ref, frame: Frame) -> tuple[Host, Address] | None:
    """Takes an ARP frame; returns the host and the address if it announced one with a virtual MAC."""
    packet = frame.arp
    if packet is None:
        return None
    hood.arps += 1
    if packet.sender == IPv4Address(0):
        return None
    claim = hood.claim(packet.sender, packet.sender_mac, ref, time_ns)
    virtual = packet.sender_mac[:5] == VIRTUAL
    host = hosts.get((frame.vlans, packet.sender_mac[5])) if virtual else None
    if packet.gratuitous:
        if packet.operation == ArpOperation.REPLY and not virtual and frame.destination != BROADCAST_MAC:
            claim.to_announcement += 1  # not an announcement but the answer to one (FreeBSD 13 and 15 as BACKUP)
            return None
        claim.gratuitous += 1
        announcement = Announcement(time_ns, ref, packet, frame.source, frame.destination)
        hood.recent.append(announcement)
        hood.announced(packet.sender, packet.sender_mac, time_ns)
        for candidate in [host] if host is not None else [one for one in hosts.values() if one.vlans == frame.vlans] if not virtual else []:
            family = candidate.families.get(4)
            if family is not None and family.take_over is not None:
                credit(ledger, candidate, family.take_over, announcement)
    elif host is not None and packet.operation == ArpOperation.REPLY and (speaker := owner(host, 4)) is not None:
        ledger.passed("CARP-ARP-009", speaker.who, ref)
    if host is not None:
        return host, packet.sender
    return None


def credit(ledger: Ledger, host: Host, take_over: TakeOver, announcement: Announcement) -> None:
    """Counts an announcement for a take-over that is near enough in time, and judges its form."""
    packet, who = announcement.arp, take_over.speaker.who
    before_ns = _CLOSE_NS if packet.sender_mac[:5] == VIRTUAL else _BEFORE_NS
    if not -before_ns <= announcement.time_ns - take_over.time_ns <= _AFTER_NS or packet.sender in take_over.announced:
        return
    if packet.sender_mac[:5] == VIRTUAL and packet.sender_mac[5] != host.vhid:
        return
    ucarp = any(mac[:5] == UCARP for mac in take_over.speaker.macs)
    if packet.sender_mac[:5] != VIRTUAL and not ucarp and packet.sender not in host.addresses():
        return
    if packet.sender_mac[:5] != VIRTUAL and packet.sender == who.source:
        return  # a host announcing its own address
    take_over.announced.add(packet.sender)
    ref = announcement.ref
    ledger.passed("CARP-ARP-001", who, ref)
    _judge(ledger, "CARP-ARP-002", who, ref, packet.operation == ArpOperation.REQUEST and announcement.frame_destination in (BROADCAST_MAC, bytes(6)),
           f"the gratuitous ARP is operation {packet.operation} to {mac_text(announcement.frame_destination)}, not a broadcast request")  # fmt: skip
    _judge(ledger, "CARP-ARP-003", who, ref, packet.sender_mac == VIRTUAL + bytes([host.vhid]), f"the gratuitous ARP announces {mac_text(packet.sender_mac)}")
    _judge(ledger, "CARP-ARP-004", who, ref, not any(packet.target_mac), f"its target hardware address is {mac_text(packet.target_mac)}")
    _judge(ledger, "CARP-ARP-006", who, ref, announcement.time_ns >= take_over.time_ns, "the gratuitous ARP precedes the first advertisement")


def _judge(ledger: Ledger, requirement: str, who: Who, ref: Ref, holds: bool, text: str) -> None:
    if holds:
        ledger.passed(requirement, who, ref)
    else:
        ledger.failed(requirement, who, ref, text)


def close(ledger: Ledger, hood: Neighbourhood, take_over: TakeOver, now_ns: int) -> None:
    """Ends the wait for a take-over's announcement; a segment on which no ARP at all was captured cannot tell."""
    if take_over.judged or now_ns - take_over.time_ns <= _AFTER_NS:
        return
    take_over.judged = True
    if not take_over.announced and hood.arps:
        ledger.failed("CARP-ARP-001", take_over.speaker.who, take_over.ref, "no gratuitous ARP followed the take-over within a second")


def neighbour(ledger: Ledger, hood: Neighbourhood, hosts: dict[tuple[tuple[int, ...], int], Host], time_ns: int, ref: Ref, frame: Frame) -> tuple[Host, Address] | None:
    """Takes a neighbour advertisement; returns the host and the address if it was announced with a virtual MAC."""
    message: Neighbour | None = frame.neighbour
    if message is None or message.message is not NeighbourMessage.ADVERTISEMENT or frame.ip is None:
        return None
    mac = message.link_address or frame.source
    hood.claim(message.target, mac, ref, time_ns)
    host = hosts.get((frame.vlans, mac[5])) if mac[:5] == VIRTUAL else None
    if host is None:
        return None
    speaker = owner(host, 6)
    if speaker is not None:
        who = speaker.who
        if message.solicited:
            ledger.passed("CARP-ND-005", who, ref)
        elif frame.ip.destination == ALL_NODES:
            ledger.passed("CARP-ND-001", who, ref)
            sound = message.override and frame.ip.ttl == 255
            _judge(ledger, "CARP-ND-002", who, ref, sound, f"the unsolicited advertisement has flags {message.flags:#04x} and hop limit {frame.ip.ttl}")
            _judge(ledger, "CARP-ND-003", who, ref, message.link_address == VIRTUAL + bytes([host.vhid]), "the link-layer option is not the virtual MAC")
    return host, message.target
