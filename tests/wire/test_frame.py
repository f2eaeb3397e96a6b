"""Frames: the decoder reads what is there and never raises; the builders make what it reads."""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conformance.wire import frame as wire
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret
from conformance.wire.frame import ArpOperation, NeighbourMessage, decode, is_carp, is_vrrp
from conformance.wire.header import Header, checksum

MAC, OTHER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
V4, OTHER_V4 = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
V6, OTHER_V6 = IPv6Address("fe80::1"), IPv6Address("2001:db8::2")
ADVERTISEMENT = Advertisement(
    vhid=7, source=ip_address("192.0.2.254"), secret=Secret("secret", (V4,)), advskew=3, counter=5
)
HEADER = ADVERTISEMENT.header.summed()


def tagged(data, *tags, ethertype=0x8100):
    return data[:12] + b"".join(struct.pack("!HH", ethertype, tag) for tag in tags) + data[12:]


def ip6(protocol, payload):
    return wire.ethernet(OTHER_MAC, MAC, 0x86DD, wire.ipv6(V6, OTHER_V6, payload, protocol=protocol))


class TestNeverRaises:
    @given(st.binary(max_size=200))
    def test_on_anything(self, data):
        assert decode(data).data == data

    @given(st.sampled_from([0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8]), st.binary(max_size=120))
    @example(0x86DD, bytes.fromhex("6000000000000000") + bytes(32) + bytes([0, 255]) + bytes(6))
    def test_on_anything_behind_a_known_type(self, ethertype, rest):
        assert decode(MAC + OTHER_MAC + struct.pack("!H", ethertype) + rest).ethertype is not None

    @given(st.integers(0, 69), st.integers(0, 255), st.integers(0, 70))
    def test_on_an_advertisement_with_a_byte_changed_and_cut(self, at, value, length):
        data = bytearray(ADVERTISEMENT.frame())
        data[at] = value
        decode(bytes(data[:length]))

    @given(st.integers(0, 77), st.integers(0, 255), st.binary(max_size=30))
    def test_on_neighbour_discovery_with_a_byte_changed(self, at, value, trailer):
        data = bytearray(
            wire.neighbour(
                NeighbourMessage.ADVERTISEMENT,
                V6,
                MAC,
                source=V6,
                destination=OTHER_V6,
                source_mac=MAC,
                destination_mac=OTHER_MAC,
            )
        )
        data[at] = value
        decode(bytes(data) + trailer)


class TestEthernet:
    @pytest.mark.parametrize("length", range(14))
    def test_fewer_than_14_bytes_are_only_kept(self, length):
        assert decode(bytes(length)) == wire.Frame(bytes(length))

    def test_addresses_and_type(self):
        frame = decode(wire.ethernet(OTHER_MAC, MAC, 0x88CC, b"lldp"))
        assert (frame.destination, frame.source, frame.ethertype, frame.ip, frame.payload) == (
            OTHER_MAC,
            MAC,
            0x88CC,
            None,
            b"",
        )

    @pytest.mark.parametrize("ethertype", [0x8100, 0x88A8, 0x9100])
    @pytest.mark.parametrize("tags", [(5,), (5, 4095), (1, 2, 3)])
    def test_tags_are_read_through(self, ethertype, tags):
        frame = decode(tagged(ADVERTISEMENT.frame(), *tags, ethertype=ethertype))
        assert frame.vlans == tags
        assert frame.carp == Header.unpack(HEADER)

    def test_priority_bits_are_not_part_of_the_tag(self):
        assert decode(tagged(ADVERTISEMENT.frame(), 0xE005)).vlans == (5,)

    def test_a_cut_tag(self):
        assert decode(tagged(ADVERTISEMENT.frame(), 5)[:17]).vlans == ()


class TestIpv4:
    def test_every_field(self):
        data = wire.ipv4(
            V4, OTHER_V4, b"payload", ttl=3, tos=0x20, identification=0xBEEF, fragment=0x2001, protocol=17
        )
        ip = decode(wire.ethernet(OTHER_MAC, MAC, 0x0800, data) + b"pad").ip
        assert ip == wire.Ip(4, V4, OTHER_V4, 17, 3, 0x20, 0xBEEF, 0x2001, 27, 20, True)

    def test_payload_ends_with_the_ip_length(self):
        frame = decode(ADVERTISEMENT.frame() + b"\xee" * 8)
        assert (frame.payload, frame.trailer) == (HEADER, b"\xee" * 8)

    def test_options(self):
        data = bytearray(wire.ipv4(V4, OTHER_V4, b"\x01\x01\x01\x00" + HEADER))
        data[0] = 0x46
        data[10:12] = bytes(2)
        data[10:12] = checksum(data[:24]).to_bytes(2, "big")
        frame = decode(wire.ethernet(OTHER_MAC, MAC, 0x0800, bytes(data)))
        assert (frame.ip.header_length, frame.ip.sound, frame.payload) == (24, True, HEADER)

    @pytest.mark.parametrize(
        ("at", "value"),
        [(14, 0x65), (14, 0x44), (14, 0x4F), (16, 0xFF)],
        ids=["version 6", "ihl 4", "ihl 15, longer than the packet says", "length past the end"],
    )
    def test_impossible_headers(self, at, value):
        data = bytearray(ADVERTISEMENT.frame())
        data[at] = value
        ip = decode(bytes(data)).ip
        assert ip is None or not ip.sound

    def test_a_header_with_options_that_the_frame_does_not_hold(self):
        data = bytearray(wire.ipv4(V4, OTHER_V4, bytes(60)))
        data[0] = 0x4F
        assert decode(wire.ethernet(OTHER_MAC, MAC, 0x0800, bytes(data[:30]))).ip is None

    @pytest.mark.parametrize("length", range(20))
    def test_a_cut_header(self, length):
        assert decode(ADVERTISEMENT.frame()[: 14 + length]).ip is None

    def test_a_bad_sum_is_said(self):
        data = bytearray(ADVERTISEMENT.frame())
        data[24] ^= 1
        frame = decode(bytes(data))
        assert not frame.ip.sound
        assert frame.carp is not None

    @pytest.mark.parametrize(
        ("fragment", "is_header"), [(0x4000, True), (0x2000, True), (0x0001, False), (0x2001, False)]
    )
    def test_only_a_first_fragment_holds_a_header(self, fragment, is_header):
        frame = decode(
            wire.ethernet(OTHER_MAC, MAC, 0x0800, wire.ipv4(V4, OTHER_V4, HEADER, fragment=fragment))
        )
        assert (frame.carp is not None) == is_header


class TestIpv6:
    def test_every_field(self):
        data = wire.ipv6(V6, OTHER_V6, b"payload", hop_limit=3, traffic_class=0xC0, protocol=17)
        assert decode(wire.ethernet(OTHER_MAC, MAC, 0x86DD, data)).ip == wire.Ip(
            6, V6, OTHER_V6, 17, 3, 0xC0, 0, 0, 47, 40, True
        )

    @pytest.mark.parametrize("length", range(40))
    def test_a_cut_header(self, length):
        assert decode(ADVERTISEMENT.but(source=V6).frame()[: 14 + length]).ip is None

    def test_another_version(self):
        data = bytearray(ADVERTISEMENT.but(source=V6).frame())
        data[14] = 0x45
        assert decode(bytes(data)).ip is None

    @pytest.mark.parametrize("kind", [0, 43, 60])
    def test_extension_headers_are_skipped(self, kind):
        frame = decode(ip6(kind, bytes([112, 1]) + bytes(14) + HEADER))
        assert (frame.ip.protocol, frame.ip.header_length, frame.carp) == (112, 56, Header.unpack(HEADER))

    def test_a_fragment_header(self):
        first = decode(ip6(44, bytes([112, 0, 0, 1]) + bytes(4) + HEADER))
        assert (first.ip.fragment, first.ip.header_length, first.carp is not None) == (0, 48, True)
        later = decode(ip6(44, bytes([112, 0, 0, 8]) + bytes(4) + HEADER))
        assert (later.ip.fragment, later.carp) == (1, None)

    def test_extension_headers_without_an_end(self):
        frame = decode(ip6(0, bytes([0, 255]) + bytes(6)))
        assert frame.payload == b""


class TestCarpOrVrrp:
    def test_carp_is_carp(self):
        assert is_carp(HEADER)
        assert not is_vrrp(HEADER)

    @pytest.mark.parametrize("length", [0, 7, 8, 35])
    def test_too_short_for_carp(self, length):
        assert not is_carp(HEADER[:length])

    @pytest.mark.parametrize("version", [0, 1, 3, 4, 15])
    def test_other_versions_are_not_carp(self, version):
        assert not is_carp(bytes([version << 4 | 1]) + HEADER[1:])

    @pytest.mark.parametrize(("count", "each"), [(1, 4), (3, 4), (1, 16)])
    def test_vrrp3_has_the_length_that_it_says(self, count, each):
        packet = bytes([0x31, 7, 100, count, 0, 100, 0, 0]) + bytes(each * count)
        assert is_vrrp(packet)
        assert not is_vrrp(packet + b"\0")

    def test_vrrp2_needs_its_length_and_a_right_sum(self):
        packet = bytes([0x21, 7, 100, 1, 0, 1, 0, 0]) + V4.packed + bytes(8)
        packet = packet[:6] + checksum(packet).to_bytes(2, "big") + packet[8:]
        assert is_vrrp(packet)
        assert not is_vrrp(packet + bytes(4))
        assert not is_vrrp(packet[:6] + b"\0\0" + packet[8:])

    def test_36_bytes_that_fit_both_are_vrrp_if_they_end_in_zeros(self):
        carp = Header(vhid=7, authlen=5, digest=b"\x01" * 20).summed()
        assert not is_vrrp(carp)
        assert is_vrrp(Header(vhid=7, authlen=5, digest=b"\x01" * 12 + bytes(8)).summed())


class TestArp:
    @given(
        st.sampled_from(ArpOperation),
        st.binary(min_size=6, max_size=6),
        st.binary(min_size=6, max_size=6),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
    )
    def test_what_is_built_is_read(self, operation, sender_mac, target_mac, sender, target):
        sender, target = IPv4Address(sender), IPv4Address(target)
        data = wire.arp(operation, sender_mac, sender, target_mac, target)
        frame = decode(data)
        assert len(data) == 42
        assert frame.arp == wire.Arp(operation, sender_mac, sender, target_mac, target)
        assert frame.arp.gratuitous == (sender == target)
        assert (frame.source, frame.destination) == (sender_mac, wire.BROADCAST_MAC)

    def test_ethernet_addresses_may_differ_from_those_in_it(self):
        frame = decode(
            wire.arp(
                ArpOperation.REPLY,
                MAC,
                V4,
                OTHER_MAC,
                OTHER_V4,
                source_mac=b"s" * 6,
                destination_mac=b"d" * 6,
            )
        )
        assert (frame.source, frame.destination, frame.arp.sender_mac) == (b"s" * 6, b"d" * 6, MAC)

    @pytest.mark.parametrize("length", [14, 20, 41])
    def test_cut(self, length):
        assert decode(wire.arp(ArpOperation.REPLY, MAC, V4, OTHER_MAC, OTHER_V4)[:length]).arp is None

    def test_not_for_ipv4_over_ethernet(self):
        data = bytearray(wire.arp(ArpOperation.REPLY, MAC, V4, OTHER_MAC, OTHER_V4))
        data[15] = 6
        assert decode(bytes(data)).arp is None


class TestNeighbour:
    @given(
        st.sampled_from(NeighbourMessage),
        st.none() | st.binary(min_size=6, max_size=6),
        st.sampled_from([0, 0x20, 0x40, 0x80, 0xE0]),
    )
    def test_what_is_built_is_read(self, message, link_address, flags):
        data = wire.neighbour(
            message,
            OTHER_V6,
            link_address,
            source=V6,
            destination=wire.ALL_NODES,
            source_mac=MAC,
            destination_mac=wire.ALL_NODES_MAC,
            flags=flags,
        )
        frame = decode(data)
        assert frame.neighbour == wire.Neighbour(message, OTHER_V6, flags, link_address)
        assert (frame.neighbour.router, frame.neighbour.solicited, frame.neighbour.override) == (
            bool(flags & 0x80),
            bool(flags & 0x40),
            bool(flags & 0x20),
        )
        pseudo = V6.packed + wire.ALL_NODES.packed + struct.pack("!IHBB", len(frame.payload), 0, 0, 58)
        assert checksum(pseudo + frame.payload) == 0
        assert frame.ip.ttl == 255

    def test_other_options_are_passed_over(self):
        body = (
            bytes([136, 0, 0, 0, 0, 0, 0, 0]) + V6.packed + bytes([14, 1]) + b"nonce!" + bytes([2, 1]) + MAC
        )
        assert decode(ip6(58, body)).neighbour.link_address == MAC

    def test_an_option_without_length_ends_the_list(self):
        body = bytes([136, 0, 0, 0, 0, 0, 0, 0]) + V6.packed + bytes([2, 0]) + MAC
        assert decode(ip6(58, body)).neighbour.link_address is None

    @pytest.mark.parametrize(
        "body", [bytes([128]) + bytes(30), bytes([135]) + bytes(22)], ids=["echo", "cut"]
    )
    def test_what_is_none(self, body):
        assert decode(ip6(58, body)).neighbour is None


class TestAdvertisement:
    def test_to_a_unicast_peer(self):
        data = wire.advertisement(
            HEADER,
            V4,
            source_mac=MAC,
            destination=OTHER_V4,
            destination_mac=OTHER_MAC,
            ttl=254,
            tos=0,
            identification=9,
        )
        frame = decode(data)
        assert (
            frame.destination,
            frame.ip.destination,
            frame.ip.ttl,
            frame.ip.tos,
            frame.ip.identification,
        ) == (OTHER_MAC, OTHER_V4, 254, 0, 9)

    def test_over_ipv6(self):
        frame = decode(wire.advertisement(HEADER, V6, source_mac=MAC, destination=OTHER_V6, tos=0x20))
        assert (frame.destination, frame.ip.destination, frame.ip.tos, frame.carp) == (
            wire.GROUP_MAC_IPV6,
            OTHER_V6,
            0x20,
            Header.unpack(HEADER),
        )

    def test_names(self):
        assert wire.mac_text(wire.virtual_mac(7)) == "00:00:5e:00:01:07"
