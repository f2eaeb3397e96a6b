"""A host that looks for a neighbour, or forwards what others send through it."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from conformance.model.actions import State
from conformance.model.adverts import mac_of
from conformance.wire import frame as wire
from conformance.wire.digest import Address
from conformance.wire.header import checksum

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Port, Vhost

_ICMP6, _ROUTER_ADVERTISEMENT = 58, 134
_ETHERNET, _TTL_AT, _SUM_AT = 14, 8, 10


def ask(host: Host, port: Port, target: Address, source: IPv4Address | None = None) -> None:
    """An ARP request or a neighbour solicitation for ``target``."""
    if isinstance(target, IPv4Address):
        shared = _serving(port, source) if source is not None else None
        own = port.ipv4()
        sender = source or (own[0].ip if own else IPv4Address(0))
        told = port.mac
        if shared is not None and shared.state is State.MASTER:
            told = mac_of(shared, host.dialect.asks_from_shared)
        host.send(
            port, wire.arp(wire.ArpOperation.REQUEST, told, sender, bytes(6), target, source_mac=port.mac)
        )
        return
    node = IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + target.packed[13:])
    host.send(
        port,
        wire.neighbour(
            wire.NeighbourMessage.SOLICITATION,
            target,
            port.mac,
            source=_solicits_from(host, port) or IPv6Address("::"),
            destination=node,
            source_mac=port.mac,
            destination_mac=b"\x33\x33" + node.packed[12:],
        ),
    )


def _serving(port: Port, address: IPv4Address) -> Vhost | None:
    return next((vhost for vhost in port.vhosts.values() if vhost.serves(address)), None)


def _solicits_from(host: Host, port: Port) -> IPv6Address | None:
    """An address of the host: a shared one only where its state lets it."""
    if State.BACKUP in host.dialect.common.asks_from_shared_in:
        for vhost in port.vhosts.values():
            for shared in vhost.ipv6():
                return shared
    return port.link_local()


def advertise_router(host: Host, port: Port, source: IPv6Address) -> None:
    """A program on the host sends a router advertisement from ``source``; where that is not its address now, it cannot."""
    vhost = next((one for one in port.vhosts.values() if one.serves(source)), None)
    if vhost is not None and vhost.state not in host.dialect.common.sends_from_shared_in:
        return
    body = struct.pack("!BBHBBHII", _ROUTER_ADVERTISEMENT, 0, 0, wire.TTL // 4, 0, 1800, 0, 0)
    pseudo = source.packed + wire.ALL_NODES.packed + struct.pack("!IHBB", len(body), 0, 0, _ICMP6)
    body = body[:2] + checksum(pseudo + body).to_bytes(2, "big") + body[4:]
    packet = wire.ipv6(source, wire.ALL_NODES, body, hop_limit=wire.TTL, protocol=_ICMP6)
    mac = port.mac if vhost is None else vhost.mac
    host.send(port, wire.ethernet(wire.ALL_NODES_MAC, mac, wire.ETHERTYPE_IPV6, packet))


def forward(host: Host, port: Port, frame: wire.Frame) -> None:
    """Sends an IPv4 packet on that was framed to this host and is for another."""
    ip = frame.ip
    if ip is None or not isinstance(ip.destination, IPv4Address) or not _taken_in(host, port, frame):
        return
    out = next(
        (one for one in host.ports.values() if one is not port and _on_link(one, ip.destination)), None
    )
    if out is None or ip.ttl <= 1:
        return
    packet = bytearray(frame.data[_ETHERNET:])
    packet[_TTL_AT] -= 1
    packet[_SUM_AT : _SUM_AT + 2] = bytes(2)
    length = 4 * (packet[0] & 15)
    packet[_SUM_AT : _SUM_AT + 2] = checksum(bytes(packet[:length])).to_bytes(2, "big")
    known = out.neighbours.get(ip.destination)
    if known is not None:
        host.send(out, wire.ethernet(known, out.mac, wire.ETHERTYPE_IPV4, bytes(packet)))
        return
    out.waiting.setdefault(ip.destination, []).append((bytes(packet), None))
    ask(host, out, ip.destination)


def _taken_in(host: Host, port: Port, frame: wire.Frame) -> bool:
    virtual = (v for v in port.vhosts.values() if v.mac == frame.destination)
    return frame.destination == port.mac or any(v.state in host.dialect.common.forwards_in for v in virtual)


def _on_link(port: Port, address: IPv4Address) -> bool:
    return any(address in one.network for one in port.ipv4())
