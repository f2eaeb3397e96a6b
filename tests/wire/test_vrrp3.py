"""VRRPv3 packets: both ways of making them agree with scapy, with a recorded FreeBSD and with keepalived."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.layers.vrrp import VRRPv3

from conformance.wire.frame import GROUP_IPV4, GROUP_IPV6, TTL, decode, is_vrrp, mac_text, virtual_mac
from conformance.wire.vrrp3 import (
    TruncatedPacket,
    Vrrp3,
    Vrrp3Advertisement,
    mac6,
    pseudo_header,
    read,
    sums_up,
)

BYTE = st.integers(0, 255)
V4 = st.integers(1, 0xFFFFFFFE).map(IPv4Address)
V6 = st.integers(1, 2**128 - 1).map(IPv6Address)
BY_FREEBSD = bytes.fromhex("31016401006405fdc0000201")
"""FreeBSD 15.1, 192.0.2.11, priority 100 (the recording kd1_freebsd100_keepalived200_preempt0)."""
BY_KEEPALIVED = bytes.fromhex("3101c8010064a1fac0000201")
"""keepalived 2.2.7, 192.0.2.13, priority 200 (the same)."""


def of_family(addresses):
    return st.builds(
        Vrrp3Advertisement,
        vrid=BYTE,
        source=addresses,
        addresses=st.lists(addresses, min_size=1, max_size=4).map(tuple),
        priority=BYTE,
        interval_cs=st.integers(0, 4095),
    )


ADVERTISEMENTS = of_family(V4) | of_family(V6)


@pytest.mark.parametrize(
    ("source", "priority", "data"), [("192.0.2.11", 100, BY_FREEBSD), ("192.0.2.13", 200, BY_KEEPALIVED)]
)
def test_recorded_bytes(source, priority, data):
    made = Vrrp3Advertisement(
        vrid=1, source=ip_address(source), addresses=(ip_address("192.0.2.1"),), priority=priority
    )
    seen = decode(made.frame())
    assert seen.payload == data
    assert sums_up(seen, pseudo=True)
    assert not sums_up(seen, pseudo=False)


@given(ADVERTISEMENTS)
def test_scapy_makes_the_same_packet(made):
    group, layer = (GROUP_IPV4, IP) if made.source.version == 4 else (GROUP_IPV6, IPv6)
    ends = {"src": str(made.source), "dst": str(group)}
    below = layer(**ends, proto=112, ttl=255) if layer is IP else layer(**ends, nh=112, hlim=255)
    vrrp = VRRPv3(
        vrid=made.vrid,
        priority=made.priority,
        adv=made.interval_cs,
        addrlist=[str(one) for one in made.addresses],
    )
    assert decode(made.frame()).payload == bytes(layer(bytes(below / vrrp)).payload)


@given(ADVERTISEMENTS)
def test_what_is_made_reads_back(made):
    seen = decode(made.frame())
    packet = read(seen)
    assert packet.pack() == seen.payload
    assert (packet.vrid, packet.priority, packet.interval_cs) == (made.vrid, made.priority, made.interval_cs)
    assert packet.interval_ns == made.interval_ns == made.interval_cs * 10_000_000
    assert packet.addresses(made.source.version) == made.addresses
    assert packet.count == len(made.addresses)
    assert sums_up(seen, pseudo=True)
    assert is_vrrp(seen.payload)
    assert (seen.ip.ttl, seen.source) == (TTL, virtual_mac(made.vrid))


@given(ADVERTISEMENTS)
def test_the_checksum_of_rfc_9568_over_ipv4_needs_no_pseudo_header(made):
    assert sums_up(decode(made.but(pseudo=False).frame()), pseudo=False)


def test_odd_fields():
    made = Vrrp3Advertisement(
        vrid=7,
        source=ip_address("192.0.2.9"),
        addresses=(ip_address("192.0.2.1"),),
        count=3,
        type=2,
        reserved=15,
        ttl=64,
        source_mac=mac6(7),
    )
    seen = decode(made.frame())
    packet = read(seen)
    assert (packet.count, packet.type, packet.reserved, seen.ip.ttl) == (3, 2, 15, 64)
    assert mac_text(seen.source) == "00:00:5e:00:02:07"
    assert Ether(seen.data)[IP].payload.res == 15


def test_a_value_that_a_tester_can_send():
    made = Vrrp3Advertisement(vrid=7, source=ip_address("192.0.2.9"), addresses=())
    assert (made.numbered(5), made.vhid) == (made, 7)
    assert made.about == "vrid 7 with priority 100, interval 100 cs"


def test_a_list_that_is_cut_off():
    assert Vrrp3(1, listed=bytes(6)).addresses(4) == (IPv4Address(0),)
    assert Vrrp3(1, listed=bytes(6)).addresses(6) == ()


def test_what_is_no_vrrp3():
    with pytest.raises(TruncatedPacket, match="only 7 are there"):
        Vrrp3.unpack(bytes(7))
    made = Vrrp3Advertisement(vrid=7, source=ip_address("192.0.2.9"), addresses=()).frame()
    assert read(decode(made)) is not None
    assert read(decode(made[:34])) is None
    assert read(decode(made[:34] + b"\x21" + made[35:])) is None
    assert read(decode(bytes(60))) is None
    assert not sums_up(decode(bytes(60)), pseudo=True)


def test_pseudo_header_of_ipv6():
    made = pseudo_header(IPv6Address("fe80::1"), GROUP_IPV6, 24)
    assert made[32:] == bytes.fromhex("0000001800000070")
