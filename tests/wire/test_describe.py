"""Frames in words: each kind has its line and its table, and no frame has none."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.wire import frame as wire
from conformance.wire.advertisement import Advertisement
from conformance.wire.describe import fields, summary
from conformance.wire.digest import Secret
from conformance.wire.foreign import vrrp2, vrrp3
from conformance.wire.frame import ArpOperation, NeighbourMessage, decode
from conformance.wire.vrrp3 import Vrrp3Advertisement

MAC = bytes.fromhex("020000000001")
V4, OTHER = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
V6 = IPv6Address("fe80::1")
ADVERTISEMENT = Advertisement(
    vhid=7, source=ip_address("192.0.2.254"), secret=Secret("secret", (V4,)), advskew=3
)


def nd(message, link_address=MAC):
    return wire.neighbour(
        message,
        V6,
        link_address,
        source=V6,
        destination=wire.ALL_NODES,
        source_mac=MAC,
        destination_mac=MAC,
        flags=0x20,
    )


def ip(payload, protocol=112):
    return wire.ethernet(MAC, MAC, 0x0800, wire.ipv4(V4, OTHER, payload, protocol=protocol))


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (ADVERTISEMENT.frame(), "CARP vhid 7, 1/3, 192.0.2.254 → 224.0.0.18"),
        (ADVERTISEMENT.but(demote=2, source=V6).frame(), "CARP vhid 7, 1/3, demote 2, fe80::1 → ff02::12"),
        (vrrp3(ADVERTISEMENT), "VRRPv3 vrid 7, priority 255, interval 100 cs, 192.0.2.254 → 224.0.0.18"),
        (vrrp2(ADVERTISEMENT), "VRRP (20 bytes), 192.0.2.254 → 224.0.0.18"),
        (ip(bytes(10)), "protocol 112, not a CARP header (10 bytes), 192.0.2.1 → 192.0.2.2"),
        (ip(b"x", 17), "IP protocol 17 (1 bytes), 192.0.2.1 → 192.0.2.2"),
        (
            wire.arp(ArpOperation.REQUEST, MAC, V4, bytes(6), V4),
            "ARP: 192.0.2.1 is at 02:00:00:00:00:01 (gratuitous)",
        ),
        (wire.arp(ArpOperation.REQUEST, MAC, V4, bytes(6), OTHER), "ARP: who has 192.0.2.2? tell 192.0.2.1"),
        (wire.arp(ArpOperation.REPLY, MAC, V4, bytes(6), OTHER), "ARP: 192.0.2.1 is at 02:00:00:00:00:01"),
        (nd(NeighbourMessage.SOLICITATION), "neighbour solicitation for fe80::1, fe80::1 → ff02::1"),
        (nd(NeighbourMessage.ADVERTISEMENT), "neighbour advertisement for fe80::1, fe80::1 → ff02::1"),
        (wire.ethernet(MAC, MAC, 0x88CC, b"abc"), "frame of 17 bytes, type 0x88cc"),
        (b"", "frame of 0 bytes, type 0x0000"),
    ],
)
def test_summary(data, line):
    assert summary(decode(data)) == line


class TestFields:
    def test_an_advertisement(self):
        data = ADVERTISEMENT.frame()
        table = dict(fields(decode(data[:12] + b"\x81\x00\x00\x05" + data[12:] + b"pad")))
        assert table["VLAN"] == "5"
        assert table["TTL"] == "255"
        assert table["IP header"] == "20 bytes"
        assert table["IP id, fragment"] == "0x0000, 0x4000"
        assert table["version, type"] == "2, 1"
        assert (table["vhid"], table["advbase"], table["advskew"], table["authlen"], table["demote"]) == (
            "7",
            "1",
            "3",
            "7",
            "0",
        )
        assert table["checksum"].endswith(", right")
        assert table["digest"] == ADVERTISEMENT.header.digest.hex()
        assert table["after the IP packet"] == "3 bytes"

    def test_what_is_wrong_is_said(self):
        data = bytearray(ADVERTISEMENT.frame())
        data[24] ^= 1
        data[41] ^= 1
        table = dict(fields(decode(bytes(data))))
        assert table["IP header"] == "20 bytes, bad checksum"
        assert table["checksum"].endswith(", wrong")

    def test_arp(self):
        table = dict(fields(decode(wire.arp(ArpOperation.REPLY, MAC, V4, bytes(6), OTHER))))
        assert (table["operation"], table["sender"], table["target"]) == (
            "2",
            "192.0.2.1 02:00:00:00:00:01",
            "192.0.2.2 00:00:00:00:00:00",
        )

    @pytest.mark.parametrize(("link_address", "said"), [(MAC, "02:00:00:00:00:01"), (None, "none")])
    def test_neighbour(self, link_address, said):
        table = dict(fields(decode(nd(NeighbourMessage.ADVERTISEMENT, link_address))))
        assert (table["target"], table["flags"], table["link-layer address"]) == ("fe80::1", "0x20", said)
        assert "IP id, fragment" not in table

    @given(st.binary(max_size=100))
    def test_any_bytes_can_be_described(self, data):
        frame = decode(data)
        assert summary(frame)
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in fields(frame))


@pytest.mark.parametrize(
    ("pseudo", "said"), [(True, "right"), (False, "right without a pseudo-header"), (None, "wrong")]
)
def test_fields_of_vrrp3(pseudo, said):
    made = Vrrp3Advertisement(vrid=7, source=OTHER, addresses=(V4,), pseudo=bool(pseudo), reserved=1)
    data = made.frame() if pseudo is not None else made.frame()[:-1] + b"\xff"
    rows = dict(fields(decode(data)))
    assert (rows["vrid"], rows["priority"], rows["count"]) == ("7", "100", "1")
    assert rows["interval"] == "100 cs, reserved bits 1"
    assert rows["addresses"] == ("192.0.2.1" if pseudo is not None else "192.0.2.255")
    assert rows["checksum"].endswith(f", {said}")
