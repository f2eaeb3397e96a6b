"""What is believed: the checks in their order, counters and log lines where no recording of this project
shows them.
"""

import dataclasses
from ipaddress import IPv6Address, ip_address

import pytest

from conformance.model.actions import State
from conformance.model.config import VhostConfig
from conformance.model.packet import read
from conformance.wire.frame import ETHERTYPE_IPV6, GROUP_IPV6, GROUP_MAC_IPV6, ethernet, ipv6
from conformance.wire.header import checksum
from tests.model.building import (
    MAC,
    OWN,
    OWN6,
    PASSWORD,
    PEER_MAC,
    SECOND,
    SHARED,
    SHARED6,
    Bench,
    counted,
    family,
    lines,
)

MASTER, BACKUP = State.MASTER, State.BACKUP
PEER6 = "2001:db8::fe"
BOTH = (f"{OWN}/24", f"{OWN6}/64")
V6 = VhostConfig(1, (SHARED6,), PASSWORD, advskew=100)


def resum(frame: bytes, header: int, length: int) -> bytes:
    """The frame with the CARP checksum made right over ``length`` bytes from ``header`` on."""
    data = bytearray(frame)
    data[header + 6 : header + 8] = bytes(2)
    data[header + 6 : header + 8] = checksum(data[header : header + length]).to_bytes(2, "big")
    return bytes(data)


def log_bench(key, **more):
    return Bench(key, state=MASTER, sysctl={"log": 7} if key == "openbsd" else {"log": 2}, **more)


class TestFreebsd15:
    """Measured: other order of the checks, checksum over the whole payload, TTL of a unicast virtual host
    unchecked.
    """

    @pytest.mark.parametrize(
        ("change", "counter", "line"),
        [
            ({"ttl": 254}, "badttl", "carp_input_c: received ttl 254 != 255 on em0"),
            ({"version": 4}, "badver", "carp_input: unsupported version 4 on em0"),
            ({"version": 3}, "badver", "em0: invalid version 3"),
            ({"cut": 35}, "badlen", "carp_input: received len 35 < 56 on em0"),
            ({"cut": 8}, "badlen", "carp_input: received len 8 < 56 on em0"),
            ({"cut": 4}, "badlen", "carp_input: received len 4 < sizeof(struct vrrpv3_header) on em0"),
            ({"password": "no"}, "badauth", "carp_input_c: incorrect hash for VHID 1@em0"),
            ({"tail": b"\xa5" * 4}, "badsum", "carp_input: checksum failed on em0"),
            ({"vhid": 9, "ttl": 1}, "badvhid", None),
        ],
    )
    def test_refused(self, change, counter, line):
        bench = log_bench("freebsd-15")
        actions = bench.hear(1, 0, **change)
        assert counted(actions) == ["ipackets", counter]
        assert lines(actions) == ([line] if line else [])
        assert bench.state is MASTER

    def test_trailing_zeros_and_a_checksum_over_everything_are_accepted(self):
        for frame in (
            Bench("freebsd-15").advert(1, 0, tail=bytes(8)),
            resum(Bench("freebsd-15").advert(1, 0, tail=b"\xa5" * 4), 34, 40),
        ):
            bench = log_bench("freebsd-15")
            bench.receive(frame)
            assert bench.state is BACKUP

    def test_ipv6_sums_36_bytes_only(self):
        bench = log_bench("freebsd-15", config=V6, own=BOTH)
        frame = bench.advert(1, 0, source=PEER6, tail=b"\xa5" * 4)
        assert counted(bench.receive(resum(frame, 54, 40))) == ["ipackets6", "badsum"]
        bench.receive(frame)
        assert bench.state is BACKUP

    @pytest.mark.parametrize(
        ("change", "line"),
        [
            ({"cut": 35}, "carp6_input: received len 55 < 76 on em0"),
            ({"cut": 7}, "carp6_input: packet size 47 too small"),
            ({"version": 4}, "carp6_input: unsupported version 4 on em0"),
            ({"ttl": 254}, "carp_input_c: received ttl 254 != 255 on em0"),
        ],
    )
    def test_ipv6_lines(self, change, line):
        bench = log_bench("freebsd-15", config=V6, own=BOTH)
        assert lines(bench.hear(1, 0, source=PEER6, **change)) == [line]

    def test_unicast_virtual_host_does_not_check_the_ttl(self):
        config = VhostConfig(1, (SHARED,), PASSWORD, advskew=100, peer="192.0.2.254")
        bench = Bench("freebsd-15", config=config, state=MASTER)
        bench.hear(1, 0, ttl=64)
        assert bench.state is BACKUP

    def test_extension_header_is_not_followed(self):
        for key, state in (("freebsd-15", MASTER), ("freebsd-13", BACKUP)):
            bench = Bench(key, config=V6, own=BOTH, state=MASTER)
            plain = bench.advert(1, 0, source=PEER6)
            options = bytes([112, 0, 1, 4, 0, 0, 0, 0])
            packet = ipv6(bench_source(), GROUP_IPV6, options + plain[54:], protocol=60)
            bench.receive(ethernet(GROUP_MAC_IPV6, PEER_MAC, ETHERTYPE_IPV6, packet))
            assert bench.state is state


def bench_source():
    return IPv6Address(PEER6)


class TestIpv6:
    @pytest.mark.parametrize("key", ["freebsd-legacy", "freebsd-10", "freebsd-13", "openbsd"])
    @pytest.mark.parametrize(
        ("change", "counter"),
        [
            ({"ttl": 254}, "badttl"),
            ({"cut": 35}, "badlen"),
            ({"version": 5}, "badver"),
            ({"password": "x"}, "badauth"),
            ({"vhid": 3}, "badvhid"),
        ],
    )
    def test_refused(self, key, change, counter):
        bench = log_bench(key, config=V6, own=BOTH)
        actions = bench.hear(1, 0, source=PEER6, **change)
        assert counted(actions) == ["ipackets6", counter]
        assert len(lines(actions)) == (0 if counter == "badvhid" else 1)
        assert bench.state is MASTER

    def test_measured_line_of_a_short_packet(self):
        assert lines(log_bench("freebsd-13", config=V6, own=BOTH).hear(1, 0, source=PEER6, cut=35)) == [
            "carp6_input: packet size 75 too small"
        ]

    @pytest.mark.parametrize("key", ["freebsd-13", "openbsd"])
    def test_pseudo_header_checksum_is_wrong(self, key):
        bench = log_bench(key, config=V6, own=BOTH)
        frame = bytearray(bench.advert(1, 0, source=PEER6))
        frame[60] ^= 0x55
        actions = bench.receive(bytes(frame))
        assert counted(actions) == ["ipackets6", "badsum"]
        assert "checksum failed, on" in lines(actions)[0]

    @pytest.mark.parametrize("key", ["freebsd-legacy", "freebsd-13", "freebsd-15", "openbsd"])
    def test_valid(self, key):
        bench = Bench(key, config=V6, own=BOTH, state=MASTER)
        bench.hear(1, 0, source=PEER6)
        assert bench.state is BACKUP

    def test_ipv4_advert_to_an_ipv6_only_virtual_host(self):
        """FreeBSD 10 and later look the vhid up by family, legacy FreeBSD by vhid alone."""
        for key, refused in (("freebsd-13", ["badvhid"]), ("freebsd-legacy", [])):
            bench = Bench(key, config=V6, own=BOTH, state=MASTER)
            frame = bench.advert(1, 0)
            assert counted(bench.receive(frame)) == ["ipackets", *refused]

    def test_no_virtual_host_on_the_interface(self):
        bench = Bench("freebsd-13", config=V6, own=BOTH, second=True, sysctl={"log": 2})
        bench.host.ports["em1"].addresses.append(bench.host.ports["em0"].addresses[1])
        frame = bench.advert(1, 0, source=PEER6)
        port = bench.host.port("em1")
        unicast = port.mac + frame[6:38] + port.ipv6()[0].ip.packed + frame[54:]
        actions = bench.host.receive(bench.now, "em1", unicast)
        assert counted(actions) == ["ipackets6", "badif"]
        assert lines(actions) == ["carp6_input: packet received on non-carp interface: em1"]


class TestUcarp:
    @pytest.mark.parametrize(
        ("change", "line"),
        [
            ({"ttl": 254}, "Bad TTL: [254]"),
            ({"version": 3}, "Bad version: [3]"),
            ({"vhid": 9}, None),
            ({"cut": 35}, None),
            ({"source": OWN}, None),
        ],
    )
    def test_refused(self, change, line):
        bench = Bench("ucarp", state=MASTER)
        actions = bench.hear(1, 0, **change)
        assert [one for one in lines(actions) if "Bad" in one] == ([line] if line else [])
        assert bench.state is MASTER

    def test_wrong_password_shows_both_digests(self):
        line = next(
            one for one in lines(Bench("ucarp", state=MASTER).hear(1, 0, password="no")) if "Bad" in one
        )
        assert line.startswith("Bad digest - md2=[")
        assert line.endswith("...] - Check vhid, password and virtual IP address")

    def test_errors_of_both_checksums_cancel(self):
        bench = Bench("ucarp", state=MASTER)
        frame = bytearray(bench.advert(1, 0))
        frame[24:26] = (int.from_bytes(frame[24:26], "big") + 1).to_bytes(2, "big")
        frame[40:42] = (int.from_bytes(frame[40:42], "big") - 1).to_bytes(2, "big")
        bench.receive(bytes(frame))
        bench.wait(1 * SECOND)
        assert bench.state is BACKUP

    def test_one_wrong_checksum(self):
        bench = Bench("ucarp", state=MASTER)
        frame = bytearray(bench.advert(1, 0))
        frame[41] ^= 1
        bench.receive(bytes(frame))
        assert "Bad IP checksum" in lines(bench.wait(1 * SECOND))

    def test_other_destination_and_ipv6(self):
        bench = Bench("ucarp", state=MASTER)
        frame = bytearray(bench.advert(1, 0))
        frame[33] = 19
        bench.receive(bytes(frame))
        bench.receive(Bench("freebsd-13", config=V6, own=BOTH).advert(1, 0, source=PEER6))
        bench.wait(1 * SECOND)
        assert bench.state is MASTER

    def test_fragment_is_taken_for_whole_but_by_no_kernel(self):
        for key, state in (("ucarp", BACKUP), ("freebsd-13", MASTER)):
            bench = Bench(key, state=MASTER)
            frame = bytearray(bench.advert(1, 0))
            frame[20:22] = b"\x20\x00"
            frame[24:26] = bytes(2)
            frame[24:26] = checksum(frame[14:34]).to_bytes(2, "big")
            bench.receive(bytes(frame))
            bench.wait(1 * SECOND)
            assert bench.state is state


class TestEra6:
    def test_bad_packets_are_logged_from_level_1(self):
        bench = Bench("freebsd-legacy-6", state=MASTER)
        assert lines(bench.hear(1, 0, ttl=254)) == ["carp_input: received ttl 254 != 255i on em0"]

    def test_state_changes_from_level_2(self):
        assert "carp1: MASTER -> BACKUP (more frequent advertisement received)" not in lines(
            Bench("freebsd-legacy-6", state=MASTER).hear()
        )
        assert "carp1: MASTER -> BACKUP (more frequent advertisement received)" in lines(
            log_bench("freebsd-legacy-6").hear()
        )


class TestFreebsd10:
    def test_words(self):
        bench = Bench("freebsd-10")
        assert lines(bench.wait(5 * SECOND, until=MASTER)) == [
            "carp: VHID 1@em0: BACKUP -> MASTER (master down)"
        ]

    def test_allow_0_only_drops(self):
        bench = Bench("freebsd-10", state=MASTER)
        bench.host.sysctl(bench.now, "allow", 0)
        assert counted(bench.hear()) == ["ipackets"]
        assert bench.state is MASTER


class TestOpenbsd:
    def test_accepts_a_digest_with_and_without_its_link_local_address(self):
        config = VhostConfig(1, (SHARED, SHARED6), PASSWORD, advskew=100)
        for addresses, state in (
            ((SHARED, SHARED6), BACKUP),
            ((SHARED, SHARED6, "fe80::200:5eff:fe00:101"), BACKUP),
            ((SHARED, SHARED6, "fe80::1"), MASTER),
        ):
            bench = Bench("openbsd", config=config, own=BOTH, state=MASTER)
            bench.hear(1, 0, addresses=addresses)
            assert bench.state is state

    def test_unicast_virtual_host_refuses_multicast(self):
        config = VhostConfig(1, (SHARED,), PASSWORD, advskew=100, peer="192.0.2.254")
        bench = Bench("openbsd", config=config, state=MASTER)
        assert counted(bench.hear(1, 0)) == ["ipackets", "badvhid"]

    def test_each_carp_interface_gets_a_copy(self):
        bench = Bench("openbsd", state=MASTER)
        bench.host.configure(bench.now, "em0", VhostConfig(2, ("192.0.2.2",), PASSWORD))
        assert counted(bench.hear(1, 0, vhid=77)) == ["ipackets", "badvhid"] * 2


class TestFrames:
    def test_other_frames_are_not_carp(self):
        assert read(b"\0" * 20) is None
        assert read(bytes(12) + b"\x08\x06" + bytes(40)) is None
        assert read(bytes(12) + b"\x86\xdd" + bytes(60)) is None
        assert read(bytes(12) + b"\x86\xdd" + b"\x60" + bytes(5) + b"\x06" + bytes(60)) is None
        assert read(bytes(12) + b"\x08\x00" + bytes(40)) is None

    @pytest.mark.parametrize("key", ["freebsd-13", "openbsd"])
    def test_frame_for_somebody_else(self, key):
        bench = Bench(key, state=MASTER)
        assert bench.receive(PEER_MAC + bench.advert(1, 0)[6:]) == []

    def test_virtual_mac_is_read_by_a_master_only(self):
        bench = Bench("freebsd-13", state=MASTER)
        frame = bytes.fromhex("00005e000101") + bench.advert(1, 0)[6:]
        assert counted(bench.receive(frame)) == ["ipackets"]
        assert bench.state is BACKUP
        assert bench.receive(frame) == []

    def test_nothing_arrives_without_a_link(self):
        bench = Bench("freebsd-13")
        bench.host.link(bench.now, "em0", up=False)
        assert bench.hear() == []


def test_checks_are_the_dialects_own_data():
    """A dialect without its TTL check believes what comes from beyond the link: how mutants are made."""
    whole = family("freebsd-13")
    faulty = dataclasses.replace(
        whole, checks_ipv4=tuple(one for one in whole.checks_ipv4 if one.__name__ != "ttl")
    )
    for dialect, state in ((whole, MASTER), (faulty, BACKUP)):
        bench = Bench(dialect, state=MASTER)
        bench.hear(1, 0, ttl=1)
        assert bench.state is state


def test_without_a_look_up_nothing_is_believed():
    """A faulty dialect that never looks its virtual host up cannot act on one."""
    whole = family("freebsd-13")
    for left in (("digest",), ()):
        faulty = dataclasses.replace(
            whole, checks_ipv4=tuple(one for one in whole.checks_ipv4 if one.__name__ in left)
        )
        bench = Bench(faulty, state=MASTER)
        assert counted(bench.hear(1, 0)) == ["ipackets", *(["badauth"] if left else [])]
        assert bench.state is MASTER


def test_openbsd_reads_only_what_it_joined():
    bench = Bench("openbsd", state=MASTER)
    frame = bytearray(bench.advert(1, 0))
    frame[33] = 20
    frame[24:26] = bytes(2)
    frame[24:26] = checksum(frame[14:34]).to_bytes(2, "big")
    assert bench.receive(bytes(frame)) == []
    assert bench.receive(bytes(MAC) + bytes(frame[6:])) == []


def test_freebsd_reads_its_own_unicast_address_but_no_foreign_one():
    bench = Bench("freebsd-13", state=MASTER)
    for address, counts in ((OWN, ["ipackets"]), ("192.0.2.99", [])):
        frame = bench.advert(1, 0, destination=ip_address(address), destination_mac=MAC)
        assert counted(bench.receive(frame)) == counts
