"""Protocol 112 that is not CARP: genuine VRRP packets whose virtual router id is the vhid of an advertisement."""

from __future__ import annotations

from ipaddress import ip_address

from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.layers.vrrp import VRRP
from scapy.packet import Packet

from conformance.wire.advertisement import Advertisement
from conformance.wire.frame import GROUP_IPV4, GROUP_MAC_IPV4, TTL, mac_text, virtual_mac
from conformance.wire.header import PROTOCOL
from conformance.wire.vrrp3 import OWNER, Vrrp3Advertisement


def vrrp2(advertisement: Advertisement) -> bytes:
    """A VRRPv2 advertisement (RFC 3768) of the same id for the same address, every second: 20 bytes."""
    return _vrrp2(advertisement, 1)


def vrrp2_of_36_bytes(advertisement: Advertisement) -> bytes:
    """A VRRPv2 advertisement with five addresses: version 2, type 1 and 36 bytes under a right checksum, as CARP has them."""
    return _vrrp2(advertisement, 5)


def vrrp3(advertisement: Advertisement) -> bytes:
    """A VRRPv3 advertisement (RFC 9568) of the same id for the same address, every second: 12 bytes."""
    made = Vrrp3Advertisement(
        vrid=advertisement.vhid,
        source=advertisement.source,
        addresses=(ip_address(_shared(advertisement)),),
        priority=OWNER,
    )
    return made.frame()


VRRP_PACKETS = (vrrp2, vrrp2_of_36_bytes, vrrp3)
"""What a CARP node that shares its segment with VRRP routers hears."""


def _vrrp2(advertisement: Advertisement, addresses: int) -> bytes:
    vrrp = VRRP(
        vrid=advertisement.vhid,
        priority=OWNER,
        ipcount=addresses,
        adv=1,
        addrlist=[_shared(advertisement)] * addresses,
        auth1=0,
        auth2=0,
    )
    return bytes(_below(advertisement) / vrrp)


def _below(advertisement: Advertisement) -> Packet:
    ethernet = Ether(src=mac_text(virtual_mac(advertisement.vhid)), dst=mac_text(GROUP_MAC_IPV4))
    return ethernet / IP(src=str(advertisement.source), dst=str(GROUP_IPV4), proto=PROTOCOL, ttl=TTL)


def _shared(advertisement: Advertisement) -> str:
    return str(advertisement.secret.addresses[0])
