"""The scapy layer: what is built is dissected the same, nothing is bound, VRRP stays what it was."""

import itertools
import subprocess
import sys
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Padding, Raw

from conformance.wire.digest import Secret
from conformance.wire.frame import decode, is_vrrp
from conformance.wire.header import LENGTH, Header, checksum
from conformance.wire.layer import CARP, dissect

SECRET = Secret("secret", (ip_address("192.0.2.1"),))
BYTE = st.integers(0, 255)
FIELDS = st.fixed_dictionaries(
    {
        "version": st.integers(0, 15),
        "type": st.integers(0, 15),
        "vhid": BYTE,
        "advskew": BYTE,
        "authlen": BYTE,
        "demote": BYTE,
        "advbase": BYTE,
        "checksum": st.integers(0, 0xFFFF),
        "counter": st.binary(min_size=8, max_size=8),
        "digest": st.binary(min_size=20, max_size=20),
    }
)


def read(packet):
    return {field.name: packet.getfieldval(field.name) for field in CARP.fields_desc}


class TestRoundTrip:
    @given(FIELDS)
    def test_fields_come_back(self, fields):
        assert read(CARP(bytes(CARP(**fields)))) == fields

    @given(FIELDS, st.binary(min_size=1, max_size=64))
    def test_payload_comes_back_as_raw(self, fields, payload):
        again = CARP(bytes(CARP(**fields) / Raw(payload)))
        assert read(again) == fields
        assert bytes(again.payload) == payload
        assert isinstance(again.payload, Raw)

    @given(FIELDS)
    def test_it_agrees_with_the_header(self, fields):
        assert bytes(CARP(**fields)) == Header(**fields).pack()

    @settings(deadline=None)  # how long one takes is the machine's business
    @given(st.binary(min_size=1, max_size=100))
    def test_any_bytes_are_kept(self, data):
        assert bytes(CARP(data)) == data
        assert bytes(CARP(data).copy()) == data

    @given(FIELDS, st.binary(max_size=20))
    def test_under_ipv4_and_ethernet(self, fields, payload):
        built = bytes(
            Ether(dst="01:00:5e:00:00:12", src="00:00:5e:00:01:01")
            / IP(src="192.0.2.254")
            / CARP(**fields)
            / payload
        )
        packet = dissect(built)
        assert bytes(packet) == built
        if not is_vrrp(decode(built).payload):
            assert read(packet[CARP]) == fields


class TestTruncated:
    @pytest.mark.parametrize("length", range(1, LENGTH))
    def test_bytes_are_kept_and_cut_fields_are_none(self, length):
        whole = bytes(CARP(vhid=7, advskew=9, digest=bytes(range(1, 21)), counter=b"12345678"))
        packet = CARP(whole[:length])
        assert bytes(packet) == whole[:length]
        ends = {
            "type": 1,
            "vhid": 2,
            "advskew": 3,
            "authlen": 4,
            "demote": 5,
            "advbase": 6,
            "checksum": 8,
            "counter": 16,
            "digest": 36,
        }
        expected = {name: end <= length for name, end in ends.items()}
        assert {name: packet.getfieldval(name) is not None for name in ends} == expected
        assert not packet.payload

    @pytest.mark.parametrize("length", range(LENGTH))
    def test_it_can_be_shown(self, length):
        assert "CARP" in CARP(bytes(length)).show(dump=True)
        assert CARP(bytes(length)).summary()


class TestComputed:
    def test_checksum_and_digest_follow(self):
        data = bytes(CARP(vhid=7, counter=b"abcdefgh", secret=SECRET))
        assert checksum(data) == 0
        assert SECRET.verifies(7, b"abcdefgh", data[16:])

    def test_without_a_secret_the_digest_is_zeros(self):
        assert bytes(CARP(vhid=7))[16:] == bytes(20)

    def test_what_is_given_is_sent(self):
        data = bytes(CARP(vhid=7, checksum=0x1234, digest=b"d" * 20, secret=SECRET))
        assert (data[6:8], data[16:]) == (b"\x12\x34", b"d" * 20)

    def test_a_change_after_stacking_is_followed(self):
        packet = IP() / CARP(vhid=7, secret=SECRET)
        packet[CARP].vhid = 8
        header = Header.unpack(bytes(packet)[20:])
        assert SECRET.verifies(8, header.counter, header.digest)

    def test_copies_keep_the_secret(self):
        packet = CARP(vhid=7, secret=SECRET)
        assert packet.copy().secret is SECRET
        assert packet.clone_with().secret is SECRET
        assert bytes(packet.copy()) == bytes(packet)
        assert [bytes(one) for one in CARP(vhid=[7], secret=SECRET)] == [bytes(packet)]

    def test_the_password_is_in_no_representation(self):
        packet = CARP(vhid=7, secret=Secret("hunter2", ("192.0.2.1",)))
        assert "hunter2" not in repr(packet) + packet.show(dump=True) + packet.command() + packet.summary()

    def test_summary_names_what_matters(self):
        assert "vhid 7 advbase 1 advskew 3" in CARP(vhid=7, advskew=3).summary()

    def test_stacking_sets_the_layer_below(self):
        ip = IP(bytes(IP() / CARP()))
        assert (ip.proto, ip.ttl, ip.tos, int(ip.flags), ip.dst) == (112, 255, 0x10, 2, "224.0.0.18")
        ip6 = IPv6(bytes(IPv6(src="fe80::1") / CARP()))
        assert (ip6.nh, ip6.hlim, ip6.dst) == (112, 255, "ff02::12")


ETHER = Ether(dst="01:00:5e:00:00:12", src="00:00:5e:00:01:07")
BELOW = {
    "ipv4 multicast": ETHER / IP(src="192.0.2.254"),
    "ipv4 unicast": ETHER / IP(src="192.0.2.254", dst="192.0.2.2"),
    "ipv4 in a vlan": ETHER / Dot1Q(vlan=5) / IP(src="192.0.2.254"),
    "ipv6 multicast": ETHER / IPv6(src="fe80::1"),
    "ipv6 unicast": ETHER / IPv6(src="fe80::1", dst="2001:db8::2"),
    "ipv6 in two vlans": ETHER / Dot1Q(vlan=5) / Dot1Q(vlan=6) / IPv6(src="fe80::1"),
}


class TestDissect:
    @pytest.mark.parametrize("below", BELOW.values(), ids=BELOW)
    @pytest.mark.parametrize("length", [0, 7, 35, 36, 40])
    def test_it_is_found_whole_and_damaged(self, below, length):
        header = bytes(CARP(vhid=7, secret=SECRET)).ljust(40, b"\xee")[:length]
        protocol = {"proto": 112} if IP in below else {"nh": 112}
        packet = below.copy()
        for name, value in protocol.items():
            packet.lastlayer().setfieldval(name, value)
        data = bytes(packet / Raw(header))
        again = dissect(data)
        assert bytes(again) == data
        if length:
            assert bytes(again[CARP]) == header

    @pytest.mark.parametrize("length", [0, 10, 35, 36])
    def test_padding_of_the_frame_is_not_part_of_it(self, length):
        header = bytes(CARP(vhid=7, secret=SECRET))[:length]
        data = bytes(ETHER / IP(src="192.0.2.254", proto=112) / Raw(header)) + b"\xee" * 26
        packet = dissect(data)
        assert bytes(packet) == data
        assert packet[Padding].load == b"\xee" * 26
        assert (CARP in packet) == bool(length)
        assert Raw not in packet
        packet[Padding].underlayer.remove_payload()
        assert bytes(packet[IP].payload) == header

    def test_behind_an_extension_header(self):
        data = bytes(
            ETHER
            / IPv6(src="fe80::1", dst="ff02::12", hlim=255)
            / IPv6ExtHdrHopByHop(nh=112)
            / Raw(bytes(CARP(vhid=9)))
        )
        assert dissect(data)[CARP].vhid == 9

    def test_other_protocols_are_left_alone(self):
        packet = dissect(bytes(ETHER / IP(src="192.0.2.254") / UDP(sport=1, dport=2) / b"x"))
        assert UDP in packet
        assert CARP not in packet


IMPORTS = ("import scapy.layers.vrrp", "import conformance.wire.layer", "import conformance.wire.foreign")
VRRP_IS_VRRP = """
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.vrrp import VRRP, VRRPv3
v2 = bytes(IP(src="192.0.2.1", dst="224.0.0.18") / VRRP(vrid=7, addrlist=["192.0.2.9"]))
v3 = bytes(IP(src="192.0.2.1", dst="224.0.0.18") / VRRPv3(vrid=7, addrlist=["192.0.2.9"]))
assert v2[9] == v3[9] == 112
assert VRRP in IP(v2) and VRRPv3 not in IP(v2), IP(v2).show(dump=True)
assert VRRPv3 in IP(v3) and VRRP not in IP(v3), IP(v3).show(dump=True)
assert bytes(IP(v2)) == v2 and bytes(IP(v3)) == v3
from conformance.wire.layer import dissect, CARP
from scapy.layers.l2 import Ether
for data, layer in ((v2, VRRP), (v3, VRRPv3)):
    packet = dissect(bytes(Ether(src="00:00:5e:00:01:07", dst="01:00:5e:00:00:12", type=0x800) / data))
    assert layer in packet and CARP not in packet, packet.show(dump=True)
carp = dissect(bytes(Ether(src="00:00:5e:00:01:07", dst="01:00:5e:00:00:12") / IP(src="192.0.2.1") / CARP(vhid=7)))
assert carp[CARP].vhid == 7 and VRRP not in carp
"""


@pytest.mark.parametrize(
    "order",
    tuple(itertools.permutations(IMPORTS)),
    ids=lambda order: " then ".join(line.split(".")[-1] for line in order),
)
def test_vrrp_stays_bound_in_whatever_order_it_is_imported(order):
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(order) + VRRP_IS_VRRP], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
