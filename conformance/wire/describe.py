"""Frames in words: one line, and a table of fields."""

from __future__ import annotations

from conformance.wire import vrrp3
from conformance.wire.frame import Frame, NeighbourMessage, is_vrrp, mac_text
from conformance.wire.header import PROTOCOL, checksum

Fields = list[tuple[str, str]]


def summary(frame: Frame) -> str:
    """One line, as in ``CARP vhid 1, 1/100, 192.0.2.1 → 224.0.0.18``."""
    if frame.arp is not None:
        arp = frame.arp
        if arp.gratuitous:
            return f"ARP: {arp.sender} is at {mac_text(arp.sender_mac)} (gratuitous)"
        if arp.operation == 1:
            return f"ARP: who has {arp.target}? tell {arp.sender}"
        return f"ARP: {arp.sender} is at {mac_text(arp.sender_mac)}"
    if frame.ip is None:
        return f"frame of {len(frame.data)} bytes, type 0x{frame.ethertype:04x}"
    way = f"{frame.ip.source} → {frame.ip.destination}"
    if frame.carp is not None:
        demote = f", demote {frame.carp.demote}" if frame.carp.demote else ""
        return f"CARP vhid {frame.carp.vhid}, {frame.carp.advbase}/{frame.carp.advskew}{demote}, {way}"
    if frame.neighbour is not None:
        word = "solicitation" if frame.neighbour.message is NeighbourMessage.SOLICITATION else "advertisement"
        return f"neighbour {word} for {frame.neighbour.target}, {way}"
    routed = vrrp3.read(frame)
    if routed is not None and is_vrrp(frame.payload):
        parameters = f"priority {routed.priority}, interval {routed.interval_cs} cs"
        return f"VRRPv3 vrid {routed.vrid}, {parameters}, {way}"
    if frame.ip.protocol == PROTOCOL:
        return f"{'VRRP' if is_vrrp(frame.payload) else 'protocol 112, not a CARP header'} ({len(frame.payload)} bytes), {way}"
    return f"IP protocol {frame.ip.protocol} ({len(frame.payload)} bytes), {way}"


def fields(frame: Frame) -> Fields:
    """Name and value of every field that the suite judges."""
    rows: Fields = [
        ("Ethernet source", mac_text(frame.source)),
        ("Ethernet destination", mac_text(frame.destination)),
    ]
    rows += [("VLAN", str(tag)) for tag in frame.vlans]
    if frame.ip is not None:
        ip = frame.ip
        rows += [
            ("IP source", str(ip.source)),
            ("IP destination", str(ip.destination)),
            ("TTL", str(ip.ttl)),
            ("TOS", f"0x{ip.tos:02x}"),
        ]
        rows += [
            ("IP length", str(ip.length)),
            ("IP header", f"{ip.header_length} bytes{'' if ip.sound else ', bad checksum'}"),
        ]
        if ip.version == 4:
            rows.append(("IP id, fragment", f"0x{ip.identification:04x}, 0x{ip.fragment:04x}"))
    if frame.carp is not None:
        carp = frame.carp
        rows += [
            ("version, type", f"{carp.version}, {carp.type}"),
            ("vhid", str(carp.vhid)),
            ("advbase", str(carp.advbase)),
            ("advskew", str(carp.advskew)),
        ]
        rows += [("authlen", str(carp.authlen)), ("demote", str(carp.demote))]
        rows += [
            (
                "checksum",
                f"0x{carp.checksum:04x}, {'right' if checksum(frame.payload[:36]) == 0 else 'wrong'}",
            )
        ]
        rows += [("counter", carp.counter.hex()), ("digest", carp.digest.hex())]
    routed = vrrp3.read(frame)
    if routed is not None and frame.ip is not None and is_vrrp(frame.payload):
        sums = {pseudo: vrrp3.sums_up(frame, pseudo=pseudo) for pseudo in (True, False)}
        right = "right" if sums[True] else "right without a pseudo-header" if sums[False] else "wrong"
        rows += [
            ("version, type", f"{routed.version}, {routed.type}"),
            ("vrid", str(routed.vrid)),
            ("priority", str(routed.priority)),
            ("interval", f"{routed.interval_cs} cs, reserved bits {routed.reserved}"),
            ("addresses", ", ".join(map(str, routed.addresses(frame.ip.version))) or "none"),
            ("count", str(routed.count)),
            ("checksum", f"0x{routed.checksum:04x}, {right}"),
        ]
    if frame.arp is not None:
        arp = frame.arp
        rows += [
            ("operation", str(arp.operation)),
            ("sender", f"{arp.sender} {mac_text(arp.sender_mac)}"),
            ("target", f"{arp.target} {mac_text(arp.target_mac)}"),
        ]
    if frame.neighbour is not None:
        nd = frame.neighbour
        rows += [
            ("target", str(nd.target)),
            ("flags", f"0x{nd.flags:02x}"),
            ("link-layer address", mac_text(nd.link_address) if nd.link_address else "none"),
        ]
    if frame.trailer:
        rows.append(("after the IP packet", f"{len(frame.trailer)} bytes"))
    return rows
