"""The receive path: which frames reach the checks (how many times), and what a valid advertisement means for
the virtual host it is for.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface
from typing import TYPE_CHECKING

from conformance.model.actions import State
from conformance.model.checks import Arrival
from conformance.model.effects import happen
from conformance.model.election import Heard
from conformance.model.packet import Packet
from conformance.model.receiving import Copies
from conformance.model.transitions import Input
from conformance.model.vrrp3 import HeardVrrp3, Vrrp3Rules
from conformance.wire.digest import Address
from conformance.wire.frame import BROADCAST_MAC, GROUP_IPV4, GROUP_IPV6
from conformance.wire.header import interval_ns
from conformance.wire.vrrp3 import Vrrp3

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Port, Vhost

_ALL_HOSTS = (IPv4Address("224.0.0.1").packed, bytes.fromhex("ff020000000000000000000000000001"))
_JOINED = (GROUP_IPV4.packed, GROUP_IPV6.packed, *_ALL_HOSTS)
_FIXED_HEADER = 54
_EVERYWHERE = b"\xff\xff\xff\xff"


def arrive(host: Host, port: Port, packet: Packet, now_ns: int) -> None:
    """A CARP packet came in on a port of a host whose kernel speaks CARP."""
    if not host.dialect.common.takes(packet):
        return
    for heard_on in copies(host, port, packet):
        accept(host, port, packet, now_ns, heard_on)


def copies(host: Host, port: Port, packet: Packet) -> tuple[str, ...]:
    """The interfaces that hand the packet to CARP, one entry for each time."""
    to = packet.frame[:6]
    if host.dialect.copies is Copies.PER_INTERFACE:
        return _copies_per_interface(port, packet, to)
    if to[0] & 1:
        # carp switches the interface to promiscuous mode, and the IP layer asks for no membership
        taken = host.dialect.any_group or packet.destination in _JOINED
        return (port.name,) if port.vhosts and taken else ()
    if to != port.mac and not any(
        vhost.state is State.MASTER and vhost.mac == to for vhost in port.vhosts.values()
    ):
        return ()
    return (port.name,) if packet.multicast or is_local(host, port, packet.destination_address()) else ()


def _copies_per_interface(port: Port, packet: Packet, to: bytes) -> tuple[str, ...]:
    running = [vhost for vhost in port.vhosts.values() if vhost.state is not State.INIT]
    everybody = packet.destination in _ALL_HOSTS
    if to[0] & 1:
        if packet.multicast and packet.destination not in _JOINED:
            return ()
        parent = (port.name,) if everybody or to == BROADCAST_MAC else ()
        return (*dict.fromkeys(vhost.device for vhost in running), *parent)
    if to == port.mac:
        return (
            (port.name,)
            if everybody or (not packet.multicast and _is_local(port, packet.destination_address()))
            else ()
        )
    return tuple(
        vhost.device
        for vhost in running
        if vhost.leads and vhost.mac == to and (vhost.state is State.MASTER or vhost.nodes is not None)
    )


def is_local(host: Host, port: Port, address: Address) -> bool:
    """Whether a packet to ``address`` is for this host: an own or shared address, or a broadcast address of
    the port.
    """
    return _is_local(port, address) or any(_is_local(other, address) for other in host.ports.values())


def _is_local(port: Port, address: Address) -> bool:
    if port.owns(address) or any(vhost.serves(address) for vhost in port.vhosts.values()):
        return True
    return address.packed == _EVERYWHERE or any(
        isinstance(one, IPv4Interface) and one.network.broadcast_address == address for one in port.addresses
    )


def accept(
    host: Host, port: Port, packet: Packet, now_ns: int, heard_on: str, *, vhost: Vhost | None = None
) -> None:
    """Puts one copy of a packet through the dialect's checks, and lets the advertisement act if it passes
    them all.
    """
    dialect = host.dialect
    header = packet.payload
    if packet.version == 4:
        host.count("ipackets")
        checks = dialect.checks_ipv4
    else:
        host.count("ipackets6")
        checks = dialect.checks_ipv6
        if not dialect.reads_behind_extensions:
            header = packet.frame[_FIXED_HEADER : 14 + packet.total]
    if dialect.raw_frames:
        header = packet.captured
    arrival = Arrival(host, port, packet, header, heard_on, vhost)
    for check in checks:
        if not check(arrival):
            return
    if arrival.vhost is not None:
        hear(host, arrival.vhost, packet, header, now_ns)


def hear(host: Host, vhost: Vhost, packet: Packet, header: bytes, now_ns: int) -> None:
    """A valid advertisement (``header``: at least 36 bytes, of VRRPv3 the packet) acts on its virtual host."""
    dialect, config = host.dialect, vhost.config
    if vhost.routes is not None:
        what = _classify_vrrp3(host, vhost, vhost.routes, Vrrp3.unpack(header))
        happen(host, vhost, what, now_ns, packet.version)
        return
    if dialect.follows_counter:
        vhost.counter, vhost.heard = int.from_bytes(header[8:16], "big"), True
    demotion = host.demotion_of(vhost)
    skew = dialect.effective_skew(config.advskew, demotion)
    heard = Heard(
        own_ns=interval_ns(config.advbase, skew),
        heard_ns=interval_ns(header[5], header[2]),
        limit_ns=interval_ns(config.advbase * config.dead_ratio, skew),
        own_advbase=config.advbase,
        preempt=host.preempts(vhost),
        own_demote=demotion,
        heard_demote=header[4],
        addresses=lambda: (packet.source_address(), host.source4(vhost)),
    )
    happen(host, vhost, classify(host, vhost.state, heard), now_ns, packet.version)


def classify(host: Host, state: State, heard: Heard) -> Input:
    """What a valid advertisement is for a virtual host in ``state``."""
    dialect = host.dialect
    if state is State.BACKUP:
        if dialect.preempts(heard):
            return Input.SLOWER
        if dialect.relieves(heard):
            return Input.DEMOTED
        if dialect.times_out(heard):
            return Input.WILL_TIME_OUT
    return Input.BETTER if dialect.yields(heard) else Input.WORSE


def _classify_vrrp3(host: Host, vhost: Vhost, rules: Vrrp3Rules, packet: Vrrp3) -> Input:
    """What a sound VRRPv3 advertisement is for a virtual host, which takes the master's interval from it."""
    config = vhost.config
    vhost.master_cs = rules.reads_cs(packet)
    heard = HeardVrrp3(
        config.priority, packet.priority, config.interval_cs, vhost.master_cs, host.preempts(vhost)
    )
    if vhost.state is State.BACKUP and rules.preempts(heard):
        return Input.SLOWER
    return Input.BETTER if rules.yields(heard) else Input.WORSE
