"""The VRRP packets are VRRP for everybody who knows it, and CARP for nobody."""

from ipaddress import ip_address

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.layers.vrrp import VRRP, VRRPv3

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import Check, faults
from conformance.wire.digest import Secret
from conformance.wire.foreign import VRRP_PACKETS, vrrp2, vrrp2_of_36_bytes, vrrp3
from conformance.wire.frame import decode, is_vrrp
from conformance.wire.header import checksum

ADVERTISEMENT = Advertisement(
    vhid=7, source=ip_address("192.0.2.254"), secret=Secret("secret", (ip_address("192.0.2.1"),))
)


@pytest.mark.parametrize("packet", VRRP_PACKETS)
def test_it_is_vrrp_and_not_carp(packet):
    frame = decode(packet(ADVERTISEMENT))
    assert is_vrrp(frame.payload)
    assert frame.carp is None
    assert frame.ip.ttl == 255


@pytest.mark.parametrize(
    ("packet", "layer", "length"), [(vrrp2, VRRP, 20), (vrrp2_of_36_bytes, VRRP, 36), (vrrp3, VRRPv3, 12)]
)
def test_id_address_and_length(packet, layer, length):
    data = packet(ADVERTISEMENT)
    vrrp = Ether(data)[IP][layer]
    assert vrrp.vrid == 7
    assert vrrp.addrlist[0] == "192.0.2.1"
    assert len(decode(data).payload) == length


@pytest.mark.parametrize("packet", [vrrp2, vrrp2_of_36_bytes])
def test_vrrp2_has_a_right_checksum(packet):
    assert checksum(decode(packet(ADVERTISEMENT)).payload) == 0


def test_five_addresses_die_by_the_digest_alone():
    assert faults(decode(vrrp2_of_36_bytes(ADVERTISEMENT)), 7, ADVERTISEMENT.secret) == {Check.DIGEST}
