"""What a virtual host puts on the wire: its advertisements, gratuitous ARP and unsolicited neighbour
advertisements.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from conformance.model.announcing import Mac
from conformance.model.config import link_local_of
from conformance.model.onwire import Identification, Source4, Source6
from conformance.model.vrrp3 import Vrrp3Rules
from conformance.wire import frame as wire
from conformance.wire.header import Header
from conformance.wire.vrrp3 import CENTISECOND_NS

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Vhost

FAREWELL = 255
"""advbase and advskew of the last advertisement of a host that bows out."""


def source4(host: Host, vhost: Vhost) -> IPv4Address:
    """The IPv4 source of a virtual host's advertisements; 0.0.0.0 if there is no address at all."""
    own = vhost.port.ipv4()
    if host.dialect.source_ipv4 is Source4.OPTION and vhost.config.source is not None:
        return IPv4Address(vhost.config.source)
    shared = vhost.ipv4()
    if host.dialect.source_ipv4 is Source4.SUBNET:
        covering = _covering4(own, shared)
        if covering is not None:
            return covering
    if own:
        return own[0].ip
    return shared[0] if shared else IPv4Address(0)


def _covering4(own: list[IPv4Interface], shared: list[IPv4Address]) -> IPv4Address | None:
    return next((one.ip for address in shared for one in own if address in one.network), None)


def _covering6(own: list[IPv6Interface], shared: list[IPv6Address]) -> IPv6Address | None:
    return next((one.ip for address in shared for one in own if address in one.network), None)


def source6(host: Host, vhost: Vhost) -> IPv6Address:
    """The IPv6 source of a virtual host's advertisements: the interface's address, or the virtual host's own
    link-local address if that has none.
    """
    if host.dialect.source_ipv6 is Source6.SUBNET:
        covering = _covering6(vhost.port.ipv6(), vhost.ipv6())
        if covering is not None:
            return covering
    return vhost.port.link_local() or link_local_of(vhost.mac)


def advertise(host: Host, vhost: Vhost, now_ns: int, *, farewell: bool = False) -> None:
    """Sends one advertisement for each family the virtual host has, and sets the timer for the next one (not
    after a farewell).
    """
    dialect, config = host.dialect, vhost.config
    advskew = dialect.effective_skew(config.advskew, host.demotion_of(vhost))
    advbase = config.advbase
    if farewell:
        advbase, advskew = FAREWELL, FAREWELL
    else:
        vhost.advertise_ns = now_ns + interval_ns(host, vhost, advskew) + dialect.timer_late_ns
    if vhost.routes is not None:
        _route(host, vhost, vhost.routes, farewell=farewell)
        return
    demote = dialect.demote_byte(host.demotion_of(vhost))
    for family in (4, 6):
        if family in vhost.families:
            counter = dialect.next_counter(vhost, host.rng)
            digest = dialect.digest(vhost.key, vhost.prefixes[0], counter)
            header = Header(vhost.vhid, advskew & 0xFF, advbase, counter, digest, demote).summed()
            if family == 4:
                _send4(host, vhost, header, vhost.mac)
            else:
                _send6(host, vhost, header, vhost.mac)
    if vhost.announce_in > 0:
        vhost.announce_in -= 1
        if vhost.announce_in == 0:
            vhost.announce_in = -1
            gratuitous_arp(host, vhost)


def interval_ns(host: Host, vhost: Vhost, advskew: int) -> int:
    """The time to a virtual host's next advertisement; CARP's with ``advskew``."""
    if vhost.routes is not None:
        return vhost.config.interval_cs * CENTISECOND_NS
    return host.dialect.interval_ns(vhost.config.advbase, advskew)


def _route(host: Host, vhost: Vhost, rules: Vrrp3Rules, *, farewell: bool) -> None:
    """Sends one VRRPv3 advertisement for each family; ``farewell``: with priority 0."""
    config = vhost.config
    priority = 0 if farewell else rules.priority(config.priority, host.demotion_of(vhost))
    if 4 in vhost.families:
        to = wire.GROUP_IPV4 if config.peer is None else IPv4Address(config.peer)
        ends = source4(host, vhost), to
        packet = rules.packet(vhost.vhid, priority, config.interval_cs, vhost.addresses, ends)
        _send4(host, vhost, packet, rules.mac(vhost.vhid, 4))
    if 6 in vhost.families:
        to6 = wire.GROUP_IPV6 if config.peer6 is None else IPv6Address(config.peer6)
        packet = rules.packet(
            vhost.vhid, priority, config.interval_cs, vhost.addresses, (source6(host, vhost), to6)
        )
        _send6(host, vhost, packet, rules.mac(vhost.vhid, 6))


def _send4(host: Host, vhost: Vhost, header: bytes, mac: bytes) -> None:
    host.count("opackets")
    source = source4(host, vhost)
    identification = (
        host.next_identification() if host.dialect.identification is not Identification.ZERO else 0
    )
    peer = vhost.config.peer
    destination = wire.GROUP_IPV4 if peer is None else IPv4Address(peer)
    packet = wire.ipv4(source, destination, header, ttl=wire.TTL, tos=host.tos, identification=identification)
    if peer is not None:
        host.send_to_neighbour(vhost.port, destination, packet, vhost)
        return
    to = wire.BROADCAST_MAC if vhost.config.broadcast else wire.GROUP_MAC_IPV4
    host.send(vhost.port, wire.ethernet(to, mac, wire.ETHERTYPE_IPV4, packet), vhost)


def _send6(host: Host, vhost: Vhost, header: bytes, mac: bytes) -> None:
    host.count("opackets6")
    peer = vhost.config.peer6
    destination = wire.GROUP_IPV6 if peer is None else IPv6Address(peer)
    packet = wire.ipv6(
        source6(host, vhost), destination, header, hop_limit=wire.TTL, traffic_class=host.traffic_class
    )
    if peer is not None:
        host.send_to_neighbour(vhost.port, destination, packet, vhost)
        return
    host.send(vhost.port, wire.ethernet(wire.GROUP_MAC_IPV6, mac, wire.ETHERTYPE_IPV6, packet), vhost)


def mac_of(vhost: Vhost, which: Mac) -> bytes:
    """The MAC address that ``which`` means for this virtual host."""
    return {Mac.VIRTUAL: vhost.mac, Mac.PHYSICAL: vhost.port.mac, Mac.ZERO: bytes(6)}[which]


def gratuitous_arp(host: Host, vhost: Vhost) -> None:
    """One gratuitous ARP request for each IPv4 address, in the order of configuration."""
    rule = host.dialect.gratuitous_arp
    if not _announces(host, vhost):
        return
    for address in vhost.ipv4():
        frame = wire.arp(
            wire.ArpOperation.REQUEST,
            mac_of(vhost, rule.sender),
            address,
            mac_of(vhost, rule.target),
            address,
            source_mac=mac_of(vhost, rule.ether_source),
        )
        for _ in range(1 + (host.repeats if host.dialect.common.repeats_announcements else 0)):
            host.send(vhost.port, frame)


def _announces(host: Host, vhost: Vhost) -> bool:
    """Whether a virtual host tells whose addresses it has taken over: not while it balances."""
    rules = host.dialect.carpnodes
    return vhost.nodes is None or rules is None or rules.announces


def neighbour_advertisements(host: Host, vhost: Vhost) -> None:
    """One unsolicited neighbour advertisement (override) to all nodes for each IPv6 address, link-local ones
    first.
    """
    mine = vhost.ipv6()
    if not host.dialect.unsolicited_na or not mine or not _announces(host, vhost):
        return
    source = (
        link_local_of(vhost.mac)
        if host.dialect.own_link_local
        else vhost.port.link_local() or link_local_of(vhost.mac)
    )
    for address in sorted(mine, key=lambda one: not one.is_link_local):
        frame = wire.neighbour(
            wire.NeighbourMessage.ADVERTISEMENT,
            address,
            vhost.mac,
            source=source,
            destination=wire.ALL_NODES,
            source_mac=vhost.mac,
            destination_mac=wire.ALL_NODES_MAC,
            flags=0x20,
        )
        host.send(vhost.port, frame)
