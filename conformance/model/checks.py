"""The checks of the receive path, each a named function. A dialect is a tuple of them: the first that fails
drops the packet, counts it and logs it.

Each takes the host, the port a packet came in on and the packet (:class:`Arrival`), and returns whether the
packet passes.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.model.actions import State
from conformance.model.loglines import Line
from conformance.model.packet import Packet
from conformance.model.vrrp3 import Vrrp3Rules
from conformance.wire.frame import GROUP_IPV4
from conformance.wire.header import LENGTH, VERSION, checksum
from conformance.wire.vrrp3 import OWNER, Vrrp3, pseudo_header

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Port, Vhost

_GROUP = GROUP_IPV4.packed
TTL = 255


@dataclass(slots=True)
class Arrival:
    """A packet on its way through the checks. ``header`` is where the dialect looks for the CARP header;
    ``heard_on`` the interface whose copy this is.
    """

    host: Host
    port: Port
    packet: Packet
    header: bytes
    heard_on: str
    vhost: Vhost | None = None

    @property
    def vhid(self) -> int:
        return self.header[1]

    def drop(self, counter: str | None, line: str | None = None, **more: object) -> bool:
        """Counts and logs the refusal; returns False for the check to return."""
        if counter is not None:
            self.host.count(counter)
        said = None if line is None else getattr(self.host.dialect, line)
        if self.host.logs(said):
            packet, header = self.packet, self.header
            self.host.say(
                said,
                interface=self.port.name,
                heard_on=self.heard_on,
                ttl=packet.ttl,
                length=len(packet.payload),
                total=packet.total,
                total_less_20=packet.total - 20,
                needed=packet.header_length + LENGTH,
                version=header[0] >> 4 if header else 0,
                vhid=header[1] if len(header) > 1 else 0,
                device=self.vhost.device if self.vhost is not None else "",
                digest=header[16:20].hex(),
                **more,
            )
        return False


Check = Callable[[Arrival], bool]


def _refused(arrival: Arrival, counter: str, line: str) -> bool:
    """Counts and logs a refusal whose line over IPv6 has a row of its own."""
    return arrival.drop(counter, line if arrival.packet.version == 4 else f"{line}6")


def allowed(arrival: Arrival) -> bool:
    """net.inet.carp.allow"""
    return arrival.host.sysctls["net.inet.carp.allow"] != 0


def carp_interface(arrival: Arrival) -> bool:
    """Interface has a virtual host (badif)"""
    if arrival.port.vhosts:
        return True
    return _refused(arrival, "badif", "log_interface")


def ttl(arrival: Arrival) -> bool:
    """TTL 255 (badttl)"""
    return arrival.packet.ttl == TTL or _refused(arrival, "badttl", "log_ttl")


def ttl_if_multicast(arrival: Arrival) -> bool:
    """TTL 255, unless the virtual host is in unicast mode (badttl)"""
    config = None if arrival.vhost is None else arrival.vhost.config
    peer = config is not None and (config.peer if arrival.packet.version == 4 else config.peer6)
    return bool(peer) or _routes(arrival) is not None or ttl(arrival)


def length(arrival: Arrival) -> bool:
    """At least 36 bytes (badlen)"""
    return len(arrival.packet.payload) >= LENGTH or _refused(arrival, "badlen", "log_length")


def least_length(arrival: Arrival) -> bool:
    """At least 8 bytes (badlen)"""
    return len(arrival.packet.payload) >= 8 or _refused(arrival, "badlen", "log_least_length")


def carp_length(arrival: Arrival) -> bool:
    """At least 36 bytes, if version 2 (badlen)"""
    return arrival.header[0] >> 4 != VERSION or length(arrival)


def captured_length(arrival: Arrival) -> bool:
    """36 bytes in the frame, whatever the IP length says"""
    return len(arrival.header) >= LENGTH


def header_checksum(arrival: Arrival) -> bool:
    """Checksum over 36 bytes (badsum)"""
    return checksum(arrival.packet.payload[:LENGTH]) == 0 or _bad_sum(arrival)


def carp_checksum(arrival: Arrival) -> bool:
    """Checksum over 36 bytes, if version 2 (badsum)"""
    return arrival.header[0] >> 4 != VERSION or header_checksum(arrival)


def payload_checksum(arrival: Arrival) -> bool:
    """Checksum over the whole IP payload, if version 2 (badsum)"""
    return arrival.header[0] >> 4 != VERSION or checksum(arrival.packet.payload) == 0 or _bad_sum(arrival)


def _bad_sum(arrival: Arrival) -> bool:
    return _refused(arrival, "badsum", "log_checksum")


def joint_checksum(arrival: Arrival) -> bool:
    """One checksum over IP header and CARP header together"""
    return arrival.packet.joint_checksum() == 0 or arrival.drop(None, "log_checksum")


def known_version(arrival: Arrival) -> bool:
    """Version 2 or 3 (badver)"""
    return arrival.header[0] >> 4 in (2, 3) or _refused(arrival, "badver", "log_unknown_version")


def not_looped(arrival: Arrival) -> bool:
    """Vhid 0 not from a shared address (badif)"""
    if arrival.vhid != 0:
        return True
    source = arrival.packet.source_address()
    mine = any(one.serves(source) for one in arrival.port.vhosts.values())
    return not mine or arrival.drop("badif", "log_loop")


def known_vhid(arrival: Arrival) -> bool:
    """Virtual host of this vhid on this interface, running (badvhid)"""
    vhost = arrival.port.vhosts.get(arrival.vhid)
    if vhost is None or (vhost.state is State.INIT and not arrival.host.usable(vhost)):
        return arrival.drop("badvhid")
    arrival.vhost = vhost
    return True


def known_vhid_of_family(arrival: Arrival) -> bool:
    """Virtual host of this vhid with an address of this family on this interface (badvhid)"""
    vhost = arrival.port.vhosts.get(arrival.vhid)
    if vhost is None or arrival.packet.version not in vhost.families:
        return arrival.drop("badvhid")
    arrival.vhost = vhost
    return True


def only_vhid(arrival: Arrival) -> bool:
    """Vhid is the own"""
    vhost = arrival.vhost
    return vhost is not None and vhost.vhid == arrival.vhid


def cast_mode(arrival: Arrival) -> bool:
    """Multicast or unicast as configured (badvhid)"""
    unicast = (
        arrival.vhost is not None and arrival.vhost.config.peer is not None and arrival.packet.version == 4
    )
    return unicast != arrival.packet.multicast or arrival.drop("badvhid")


def version(arrival: Arrival) -> bool:
    """Version of the virtual host: 2, or 3 if it speaks VRRPv3 (badver)"""
    spoken = VERSION if arrival.vhost is None else arrival.vhost.config.version
    return arrival.header[0] >> 4 == spoken or arrival.drop("badver", "log_version")


def version_uncounted(arrival: Arrival) -> bool:
    """Version 2"""
    return arrival.header[0] >> 4 == VERSION or arrival.drop(None, "log_version")


def ttl_uncounted(arrival: Arrival) -> bool:
    """TTL 255"""
    return arrival.packet.ttl == TTL or arrival.drop(None, "log_ttl")


def group_destination(arrival: Arrival) -> bool:
    """IP destination is the group"""
    return arrival.packet.destination == _GROUP


def foreign_source(arrival: Arrival) -> bool:
    """IP source is not the own address"""
    vhost = arrival.vhost
    return vhost is None or arrival.packet.source_address() != arrival.host.source4(vhost)


def digest(arrival: Arrival) -> bool:
    """Digest (badauth)"""
    return _verifies(arrival) or arrival.drop("badauth", "log_digest")


def digest_uncounted(arrival: Arrival) -> bool:
    """Digest"""
    if _verifies(arrival):
        return True
    vhost = arrival.vhost
    own = (
        arrival.host.dialect.digest(vhost.key, vhost.prefixes[0], arrival.header[8:16])
        if vhost is not None and vhost.prefixes
        else b""
    )
    return arrival.drop(None, "log_digest", own_digest=own[:4].hex())


def _verifies(arrival: Arrival) -> bool:
    vhost, header = arrival.vhost, arrival.header
    if vhost is None or vhost.routes is not None:
        return vhost is not None
    make, counter, claimed = arrival.host.dialect.digest, header[8:16], header[16:36]
    return any(hmac.compare_digest(make(vhost.key, prefix, counter), claimed) for prefix in vhost.prefixes)


def not_own_cookie(arrival: Arrival) -> bool:
    """Counter is not the own cookie (badauth)"""
    vhost = arrival.vhost
    own = vhost is not None and vhost.heard and arrival.header[8:16] == vhost.counter.to_bytes(8, "big")
    return not own or arrival.drop("badauth", "log_replay")


def vrrp3_ttl(arrival: Arrival) -> bool:
    """TTL 255, if version 3 (badttl)"""
    rules = _routes(arrival)
    return rules is None or arrival.packet.ttl == TTL or _refuse(arrival, "badttl", rules.log_ttl)


def vrrp3_checksum(arrival: Arrival) -> bool:
    """Checksum of the VRRPv3 packet, if version 3 (badsum)"""
    rules, packet = _routes(arrival), arrival.packet
    if rules is None:
        return True
    covers_ends = rules.pseudo_header_ipv4 or packet.version == 6
    ends = packet.source_address(), packet.destination_address()
    pseudo = pseudo_header(*ends, len(packet.payload)) if covers_ends else b""
    return checksum(pseudo + packet.payload) == 0 or _refuse(arrival, "badsum", rules.log_checksum)


def vrrp3_not_owner(arrival: Arrival) -> bool:
    """Own priority is not 255, if version 3"""
    rules, vhost = _routes(arrival), arrival.vhost
    deaf = rules is not None and rules.owner_is_deaf and vhost is not None and vhost.config.priority == OWNER
    return not deaf or rules is None or _refuse(arrival, None, rules.log_owner)


def vrrp3_sense(arrival: Arrival) -> bool:
    """What is examined of the VRRPv3 packet, if version 3"""
    rules, vhost = _routes(arrival), arrival.vhost
    if rules is None or vhost is None:
        return True
    family = [one for one in vhost.addresses if one.version == arrival.packet.version]
    return rules.examines(Vrrp3.unpack(arrival.header), family)


def _routes(arrival: Arrival) -> Vrrp3Rules | None:
    """How the virtual host that the packet is for speaks VRRPv3."""
    return None if arrival.vhost is None else arrival.vhost.routes


def _refuse(arrival: Arrival, counter: str | None, line: Line) -> bool:
    if counter is not None:
        arrival.host.count(counter)
    packet = arrival.packet
    arrival.host.say(line, interface=arrival.port.name, ttl=packet.ttl, vhid=arrival.vhid)
    return False
