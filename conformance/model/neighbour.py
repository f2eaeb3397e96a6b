"""ARP, neighbour discovery and echo requests: what a host answers for its own and for the shared addresses,
and how it finds its unicast peers.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from conformance.model import asking, demotion
from conformance.model.actions import State
from conformance.model.adverts import mac_of
from conformance.model.announcing import Mac
from conformance.wire import frame as wire
from conformance.wire.digest import Address
from conformance.wire.header import checksum

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Port, Vhost

_ICMP, _ICMP6 = 1, 58
_ECHO_REQUEST, _ECHO_REPLY, _ECHO6_REQUEST, _ECHO6_REPLY = 8, 0, 128, 129
_SOLICITED, _OVERRIDE = 0x40, 0x20
_HOP_LIMIT = 64
_MOST_ASKED, _EHOSTDOWN = 5, 64
"""After so many ARP requests without an answer (``arp_maxtries``) a packet is refused with this error."""


def answer(host: Host, port: Port, data: bytes) -> None:
    """A frame that is not CARP came in on ``port``; sends what the host answers, if anything."""
    frame = wire.decode(data)
    if frame.arp is not None:
        _arp(host, port, frame, frame.arp)
    elif frame.neighbour is not None:
        _neighbour(host, port, frame, frame.neighbour)
    elif host.forwarding and frame.ip is not None and not _is_own(host, frame.ip.destination):
        asking.forward(host, port, frame)
    elif frame.ip is not None and frame.ip.protocol in (_ICMP, _ICMP6) and frame.payload:
        _echo(host, port, frame, frame.ip)


def _is_own(host: Host, address: Address) -> bool:
    return any(port.owns(address) or _serving(port, address) for port in host.ports.values())


def _serving(port: Port, address: Address) -> list[Vhost]:
    there = (*port.vhosts.values(), *port.ghosts)
    return [vhost for vhost in there if vhost.leads and vhost.serves(address)]


def _arp(host: Host, port: Port, frame: wire.Frame, arp: wire.Arp) -> None:
    learn(host, port, arp.sender, arp.sender_mac)
    if arp.operation != wire.ArpOperation.REQUEST or not _addressed(host, port, frame):
        return
    if port.owns(arp.target):
        _reply(host, port, arp, port.mac, port.mac)
    for vhost in _asked(host, port, arp):
        if vhost.state in host.dialect.common.answers_in:
            rule = host.dialect.arp_answer
            told = mac_of(vhost, rule.told or Mac.PHYSICAL)
            if arp.sender_mac != told:  # another MASTER's announcement looks like the own one
                _reply(host, port, arp, mac_of(vhost, rule.ether_source), told)
        elif arp.gratuitous and vhost.state in host.dialect.answers_gratuitous:
            _reply(host, port, arp, port.mac, port.mac)


def _asked(host: Host, port: Port, arp: wire.Arp) -> list[Vhost]:
    """The virtual hosts that an ARP request is for: one of those that share the address, where that is possible."""
    serving, picks = _serving(port, arp.target), host.dialect.arpbalance
    if picks is None or len(serving) < 2 or arp.gratuitous:
        return serving
    running = sorted((one for one in serving if one.state is not State.INIT), key=lambda one: one.vhid)
    if running and host.sysctls["net.inet.carp.arpbalance"]:
        return [running[picks(arp.sender, len(running))]]
    return [one for one in running if one.state is State.MASTER][:1]


def _addressed(host: Host, port: Port, frame: wire.Frame) -> bool:
    return (
        bool(frame.destination[0] & 1)
        or frame.destination == port.mac
        or any(
            v.mac == frame.destination
            for v in port.vhosts.values()
            if v.state in host.dialect.common.answers_in
        )
    )


def _reply(host: Host, port: Port, arp: wire.Arp, ether_source: bytes, told: bytes) -> None:
    data = wire.arp(
        wire.ArpOperation.REPLY,
        told,
        arp.target,
        arp.sender_mac,
        arp.sender,
        source_mac=ether_source,
        destination_mac=arp.sender_mac,
    )
    host.send(port, data)


def _neighbour(host: Host, port: Port, frame: wire.Frame, message: wire.Neighbour) -> None:
    if frame.ip is None or frame.ip.ttl != wire.TTL or not _addressed(host, port, frame):
        return
    if message.message is wire.NeighbourMessage.ADVERTISEMENT:
        learn(host, port, message.target, message.link_address or frame.source)
        if host.dialect.common.marks_duplicates:
            for vhost in _serving(port, message.target):
                vhost.addresses = tuple(one for one in vhost.addresses if one != message.target)
        return
    if port.owns(message.target):
        _advertise(host, port, frame, port.mac, told=port.mac)
    for vhost in _serving(port, message.target):
        unicast = not frame.destination[0] & 1
        rule = host.dialect.na_answer_unicast if unicast else host.dialect.na_answer
        if vhost.state in host.dialect.common.answers_in and rule is not None:
            told = None if rule.told is None else mac_of(vhost, rule.told)
            _advertise(host, port, frame, mac_of(vhost, rule.ether_source), told=told)


def _advertise(host: Host, port: Port, asked: wire.Frame, ether_source: bytes, *, told: bytes | None) -> None:
    """Answers the solicitation in ``asked``, to all nodes if it came from the unspecified address."""
    message, ip = asked.neighbour, asked.ip
    assert message is not None and ip is not None and isinstance(ip.source, IPv6Address)  # noqa: PT018  # decoded so
    nobody = ip.source.is_unspecified
    data = wire.neighbour(
        wire.NeighbourMessage.ADVERTISEMENT,
        message.target,
        told,
        source=message.target,
        destination=wire.ALL_NODES if nobody else ip.source,
        source_mac=ether_source,
        destination_mac=wire.ALL_NODES_MAC if nobody else message.link_address or asked.source,
        flags=_OVERRIDE | (0 if nobody else _SOLICITED),
    )
    host.send(port, data)


def _echo(host: Host, port: Port, frame: wire.Frame, ip: wire.Ip) -> None:
    request, reply = (_ECHO_REQUEST, _ECHO_REPLY) if ip.version == 4 else (_ECHO6_REQUEST, _ECHO6_REPLY)
    if frame.payload[0] != request or len(frame.payload) < 8 or not ip.sound:
        return
    ether_source = _echoes_from(host, port, frame, ip.destination)
    if ether_source is None:
        return
    body = bytes([reply, frame.payload[1], 0, 0]) + frame.payload[4:]
    if isinstance(ip.source, IPv4Address) and isinstance(ip.destination, IPv4Address):
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        packet = wire.ipv4(ip.destination, ip.source, body, ttl=_HOP_LIMIT, tos=ip.tos, protocol=_ICMP)
        host.send(port, wire.ethernet(frame.source, ether_source, wire.ETHERTYPE_IPV4, packet))
    else:
        assert isinstance(ip.source, IPv6Address) and isinstance(ip.destination, IPv6Address)  # noqa: PT018  # as ip.version
        pseudo = ip.destination.packed + ip.source.packed + struct.pack("!IHBB", len(body), 0, 0, _ICMP6)
        body = body[:2] + checksum(pseudo + body).to_bytes(2, "big") + body[4:]
        packet = wire.ipv6(ip.destination, ip.source, body, hop_limit=_HOP_LIMIT, protocol=_ICMP6)
        host.send(port, wire.ethernet(frame.source, ether_source, wire.ETHERTYPE_IPV6, packet))


def _echoes_from(host: Host, port: Port, frame: wire.Frame, address: Address) -> bytes | None:
    """The Ethernet source of the echo reply, or ``None`` if the host does not answer."""
    if port.owns(address):
        return port.mac if frame.destination == port.mac else None
    for vhost in _serving(port, address):
        by_virtual = frame.destination == vhost.mac and host.dialect.arp_answer.told is Mac.VIRTUAL
        if (
            by_virtual
            and vhost.nodes is not None
            and host.dialect.carpnodes is not None
            and frame.ip is not None
        ):
            taken = host.dialect.carpnodes.takes(vhost.nodes, frame.ip.source, address)
            return mac_of(vhost, host.dialect.echo_from) if taken else None
        if vhost.state in host.dialect.common.answers_in and (by_virtual or frame.destination == port.mac):
            return mac_of(vhost, host.dialect.echo_from)
        if vhost.state is State.BACKUP and frame.destination == port.mac and host.dialect.pings_by_own_mac:
            return port.mac
    return None


def learn(host: Host, port: Port, address: Address, mac: bytes) -> None:
    """Notes a neighbour that was asked for, and sends what waited for it."""
    if address in port.waiting or address in port.neighbours:
        port.neighbours[address] = mac
        port.asked.pop(address, None)
        ethertype = wire.ETHERTYPE_IPV4 if address.version == 4 else wire.ETHERTYPE_IPV6
        for packet, vhid in port.waiting.pop(address, []):
            host.put(port, wire.ethernet(mac, port.mac, ethertype, packet), vhid)


def resolve(host: Host, port: Port, address: Address, packet: bytes, vhid: int, now_ns: int) -> None:
    """Sends an IP packet to a neighbour from the interface's own MAC address; asks for the neighbour's first
    if it is not known (one packet waits).
    """
    ethertype = wire.ETHERTYPE_IPV4 if address.version == 4 else wire.ETHERTYPE_IPV6
    if address in port.neighbours:
        host.put(port, wire.ethernet(port.neighbours[address], port.mac, ethertype, packet), vhid)
        return
    port.waiting[address] = [(packet, vhid)]
    port.asked[address] = port.asked.get(address, 0) + 1
    if address.version == 4 and port.asked[address] > _MOST_ASKED and host.dialect.dead_peer_is_an_error:
        demotion.send_failed(host, port.vhosts[vhid], now_ns, _EHOSTDOWN)
    if isinstance(address, IPv4Address):
        own = port.ipv4()
        sender = own[0].ip if own else IPv4Address(0)
        host.send(port, wire.arp(wire.ArpOperation.REQUEST, port.mac, sender, bytes(6), address))
    else:
        node = IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + address.packed[13:])
        source = port.link_local() or IPv6Address("::")
        host.send(
            port,
            wire.neighbour(
                wire.NeighbourMessage.SOLICITATION,
                address,
                port.mac,
                source=source,
                destination=node,
                source_mac=port.mac,
                destination_mac=b"\x33\x33" + node.packed[12:],
            ),
        )
