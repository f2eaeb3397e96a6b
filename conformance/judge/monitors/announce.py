"""Monitors of what a MASTER tells its neighbours: gratuitous ARP, answers, neighbour advertisements."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from conformance.judge.form import Ref
from conformance.judge.host import Host, TakeOver
from conformance.judge.lane import Witness
from conformance.judge.ledger import Ledger, Who
from conformance.judge.monitors.monitor import Monitor
from conformance.judge.neighbourhood import Announcement, Neighbourhood, Sight
from conformance.judge.speaker import Speaker
from conformance.wire.digest import Address
from conformance.wire.frame import (
    ALL_NODES,
    BROADCAST_MAC,
    TTL,
    Arp,
    ArpOperation,
    NeighbourMessage,
    mac_text,
)

MS = 1_000_000
VIRTUAL = b"\x00\x00\x5e\x00\x01"
UCARP = b"\x00\x00\x5e\x00\x00"
_AFTER_NS = 1_000 * MS
_BEFORE_NS = 1_500 * MS  # ucarp announces before its first advertisement
_REORDERED_NS = 10 * MS  # two frames that a host sent at once may change places on the way
_CLOSE_NS = 50 * MS  # before an advertisement, only so near a virtual MAC's announcement can be its sender's

_NOBODY = IPv4Address(0)  # the sender of a probe

Hosts = dict[tuple[tuple[int, ...], int], Host]
"""Virtual hosts by VLAN ids and vhid."""

MONITORS: tuple[Monitor, ...] = (
    Monitor(
        "announcement",
        ("CARP-ARP-001", "CARP-ARP-002", "CARP-ARP-003", "CARP-ARP-004", "CARP-ARP-006"),
        "the gratuitous ARP that follows each take-over",
    ),
    Monitor("arp-answers", ("CARP-ARP-009",), "who answers ARP for a shared address, and with which MAC"),
    Monitor(
        "neighbour-advertisement",
        ("CARP-ND-001", "CARP-ND-002", "CARP-ND-003", "CARP-ND-005"),
        "neighbour advertisements for shared IPv6 addresses",
    ),
)


def owner(host: Host, version: int) -> Speaker | None:
    """The speaker that an announcement for ``host`` is to be credited to: its MASTER, if one stands."""
    for wanted in (version, 4, 6):
        family = host.families.get(wanted)
        if family is not None and family.history.holder is not None:
            return family.history.holder
    return None


def arp(ledger: Ledger, hood: Neighbourhood, hosts: Hosts, seen: Sight) -> tuple[Host, Address] | None:
    """Takes an ARP frame; returns the host and the address if it announced one with a virtual MAC."""
    packet = seen.frame.arp
    if packet is None:
        return None
    hood.arps += 1
    if packet.sender == _NOBODY:
        return None
    claim = hood.claim(packet.sender, packet.sender_mac, seen.ref, seen.time_ns)
    virtual = packet.sender_mac[:5] == VIRTUAL
    host = hosts.get((seen.frame.vlans, packet.sender_mac[5])) if virtual else None
    if packet.gratuitous:
        if packet.operation == ArpOperation.REPLY and not virtual and seen.frame.destination != BROADCAST_MAC:
            # Not an announcement but the answer to one (FreeBSD 13 and 15 as BACKUP).
            claim.to_announcement += 1
            return None
        claim.gratuitous += 1
        hood.announced(packet.sender, packet.sender_mac, seen.time_ns)
        _announced(ledger, hood, _candidates(hosts, host, seen, virtual=virtual), seen, packet)
    elif host is not None and packet.operation == ArpOperation.REPLY:
        speaker = owner(host, 4)
        if speaker is not None:
            ledger.passed("CARP-ARP-009", speaker.who, seen.ref)
    told = packet.gratuitous or packet.operation == ArpOperation.REPLY
    return (host, packet.sender) if host is not None and told else None


def _candidates(hosts: Hosts, host: Host | None, seen: Sight, *, virtual: bool) -> Iterator[Host]:
    """The hosts that an announcement may belong to: a virtual MAC names one, a physical one (ucarp) none."""
    if host is not None:
        yield host
    elif not virtual:
        yield from (one for one in hosts.values() if one.vlans == seen.frame.vlans)


def _announced(
    ledger: Ledger, hood: Neighbourhood, candidates: Iterator[Host], seen: Sight, packet: Arp
) -> None:
    announcement = Announcement(seen.time_ns, seen.ref, packet, seen.frame.destination)
    virtual = packet.sender_mac[:5] == VIRTUAL
    for host in candidates:
        family = host.families.get(4)
        if family is not None and family.take_over is not None:
            announcement.taken |= credit(ledger, host, family.take_over, announcement)
        if family is not None and virtual:
            announcement.taken |= family.history.stands(seen.time_ns)
    hood.recent.append(announcement)


def _belongs(host: Host, take_over: TakeOver, announcement: Announcement) -> bool:
    """Whether an announcement is the one that a take-over owes: near in time, and of this host."""
    packet = announcement.arp
    virtual = packet.sender_mac[:5] == VIRTUAL
    before_ns = _CLOSE_NS if virtual else _BEFORE_NS
    if not -before_ns <= announcement.time_ns - take_over.time_ns <= _AFTER_NS:
        return False
    if virtual:
        return packet.sender_mac[5] == host.vhid
    if packet.sender == take_over.speaker.source:
        return False  # a host that announces its own address
    ucarp = any(mac[:5] == UCARP for mac in take_over.speaker.macs)
    return ucarp or packet.sender in host.addresses()


def credit(ledger: Ledger, host: Host, take_over: TakeOver, announcement: Announcement) -> bool:
    """Counts an announcement for the take-over that it belongs to, and judges its form; returns whether it belongs to it.

    Whether it came too early is left open if it may be somebody else's.
    """
    packet = announcement.arp
    late = announcement.time_ns >= take_over.time_ns
    if not _belongs(host, take_over, announcement):
        return False
    if packet.sender in take_over.announced:
        return True
    take_over.announced.add(packet.sender)
    said = take_over.speaker.who, announcement.ref
    ledger.passed("CARP-ARP-001", *said)
    request = packet.operation == ArpOperation.REQUEST
    broadcast = announcement.frame_destination in (BROADCAST_MAC, bytes(6))
    text = f"it is operation {packet.operation} to {mac_text(announcement.frame_destination)}"
    _judge(ledger, "CARP-ARP-002", said, request and broadcast, f"{text}, not a broadcast request")
    own = packet.sender_mac == VIRTUAL + bytes([host.vhid])
    _judge(ledger, "CARP-ARP-003", said, own, f"it announces {mac_text(packet.sender_mac)}")
    text = f"its target hardware address is {mac_text(packet.target_mac)}"
    _judge(ledger, "CARP-ARP-004", said, not any(packet.target_mac), text)
    reordered = 0 < take_over.time_ns - announcement.time_ns <= _REORDERED_NS
    if late or not (take_over.unicast or announcement.taken or reordered):
        _judge(ledger, "CARP-ARP-006", said, late, "it precedes the first advertisement")
    return True


def _judge(ledger: Ledger, requirement: str, said: tuple[Who, Ref], holds: bool, text: str) -> None:
    if holds:
        ledger.passed(requirement, *said)
    else:
        ledger.failed(requirement, *said, text)


def close(
    ledger: Ledger, hood: Neighbourhood, take_over: TakeOver, now_ns: int, witness: Witness | None = None
) -> None:
    """Ends the wait for a take-over's announcement; a capture without any ARP cannot tell, nor one that lost frames."""
    if take_over.judged or now_ns - take_over.time_ns <= _AFTER_NS:
        return
    take_over.judged = True
    arps = not witness.lossy if witness is not None else hood.arps > 0
    if not take_over.announced and arps:
        text = "no gratuitous ARP followed the take-over within a second"
        ledger.failed("CARP-ARP-001", take_over.speaker.who, take_over.ref, text)


def neighbour(ledger: Ledger, hood: Neighbourhood, hosts: Hosts, seen: Sight) -> tuple[Host, Address] | None:
    """Takes a neighbour advertisement; returns host and address if one was announced with a virtual MAC."""
    frame, message = seen.frame, seen.frame.neighbour
    if message is None or message.message is not NeighbourMessage.ADVERTISEMENT or frame.ip is None:
        return None
    mac = message.link_address or frame.source
    hood.claim(message.target, mac, seen.ref, seen.time_ns)
    host = hosts.get((frame.vlans, mac[5])) if mac[:5] == VIRTUAL else None
    if host is None:
        return None
    speaker = owner(host, 6)
    if speaker is not None:
        said = speaker.who, seen.ref
        if message.solicited:
            ledger.passed("CARP-ND-005", *said)
        elif frame.ip.destination == ALL_NODES:
            ledger.passed("CARP-ND-001", *said)
            text = f"it has flags {message.flags:#04x} and hop limit {frame.ip.ttl}"
            _judge(ledger, "CARP-ND-002", said, message.override and frame.ip.ttl == TTL, text)
            own = message.link_address == VIRTUAL + bytes([host.vhid])
            _judge(ledger, "CARP-ND-003", said, own, "its link-layer option is not the virtual MAC")
    return host, message.target
