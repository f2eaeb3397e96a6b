"""WIRE: what an advertisement looks like, from the Ethernet header to the digest, and how many are sent."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.frame import BROADCAST_MAC, ETHERTYPE_IPV4, GROUP_IPV4, GROUP_MAC_IPV4
from conformance.wire.header import checksum
from conformance.wire.malformations import named

IGMP, IGMP_REPORT = 2, 0x22
IGMP_EXCLUDES = (2, 4)
"""Record types of an IGMPv3 report (RFC 3376, 4.2.12) that tell of a member; 3 tells of none left."""


def joins(seen: FrameSeen, group: IPv4Address) -> bool:
    """Whether a host reports here that it is a member of ``group``."""
    if (
        seen.frame.ip is None
        or seen.frame.ip.protocol != IGMP
        or seen.frame.payload[:1] != bytes([IGMP_REPORT])
    ):
        return False
    return seen.frame.payload[8] in IGMP_EXCLUDES and seen.frame.payload[12:16] == group.packed


def two_of(master: Subject) -> list[FrameSeen]:
    """The advertisement that made it MASTER, and the next one."""
    return [*list(master.own_frames())[:1], *master.next_own()]


@covers("CARP-WIRE-001")
@takes(6)
def test_protocol_is_112(master: Subject, wire: Segment) -> None:
    """An advertisement lies directly in IPv4, as protocol 112."""
    for seen in two_of(master):
        wire.check("Ethernet type", seen.frame.ethertype, ETHERTYPE_IPV4, seen)
        wire.check("IP protocol", Subject.ip(seen).protocol, 112, seen)


@covers("CARP-WIRE-002")
@takes(6)
def test_destination_is_the_group(master: Subject, wire: Segment) -> None:
    """The IP destination is 224.0.0.18."""
    for seen in two_of(master):
        wire.check("IP destination", Subject.ip(seen).destination, GROUP_IPV4, seen)


@covers("CARP-WIRE-003")
@takes(6)
def test_ethernet_destination_is_that_of_the_group(master: Subject, wire: Segment) -> None:
    """The Ethernet destination is 01:00:5e:00:00:12, which the group 224.0.0.18 maps to."""
    for seen in two_of(master):
        wire.check("Ethernet destination", seen.frame.destination, GROUP_MAC_IPV4, seen)


@covers("CARP-WIRE-004")
@takes(10)
def test_ttl_is_255(master: Subject, wire: Segment) -> None:
    """Advertisements leave with IP TTL 255."""
    for seen in master.next_own(4):
        wire.check("TTL", Subject.ip(seen).ttl, 255, seen)


@covers("CARP-WIRE-005")
@takes(6)
def test_may_not_be_fragmented(master: Subject, wire: Segment) -> None:
    """The IPv4 header has DF set, MF clear and fragment offset 0."""
    for seen in two_of(master):
        wire.check("flags and fragment offset", f"{Subject.ip(seen).fragment:#06x}", "0x4000", seen)


@covers("CARP-WIRE-006")
@takes(6)
def test_ip_header_has_no_options(master: Subject, wire: Segment) -> None:
    """The IPv4 header has 20 bytes, the packet 56 and the frame 70."""
    for seen in two_of(master):
        wire.check("length of the IPv4 header", Subject.ip(seen).header_length, 20, seen)
        wire.check("total length", Subject.ip(seen).length, 56, seen)
        wire.check("length of the frame", len(seen.frame.data), 70, seen)


@covers("CARP-WIRE-007")
@takes(6)
def test_ip_checksum_is_right(master: Subject, wire: Segment) -> None:
    """The IPv4 header, its checksum included, sums to zero when it arrives."""
    for seen in two_of(master):
        wire.check(
            "sum over the IPv4 header",
            checksum(seen.frame.data[14 : 14 + Subject.ip(seen).header_length]),
            0,
            seen,
        )


@covers("CARP-WIRE-008")
@takes(6)
def test_first_byte_is_0x21(master: Subject, wire: Segment) -> None:
    """The CARP header begins with version 2 and type 1."""
    for seen in two_of(master):
        wire.check("first byte", seen.frame.payload[:1], b"\x21", seen)


@covers("CARP-WIRE-009")
@takes(5)
@pytest.mark.parametrize("vhid", [1, 7, 128, 255])
def test_second_byte_is_the_vhid(start: Start, wire: Segment, vhid: int) -> None:
    """The second byte of the CARP header is the configured vhid."""
    seen = start(vhid=vhid).reach_master()
    wire.check("second byte", seen.frame.payload[1], vhid, seen)


@covers("CARP-WIRE-010")
@takes(6)
@pytest.mark.parametrize(("advbase", "advskew"), [(1, 0), (1, 100), (2, 3), (1, 240)])
def test_advskew_and_advbase_are_the_configured_ones(
    start: Start, wire: Segment, advbase: int, advskew: int
) -> None:
    """The third byte of the CARP header is advskew and the sixth advbase, as configured."""
    seen = start(advbase=advbase, advskew=advskew).reach_master()
    wire.check("third byte, advskew,", seen.frame.payload[2], advskew, seen)
    wire.check("sixth byte, advbase,", seen.frame.payload[5], advbase, seen)


@covers("CARP-WIRE-011")
@takes(6)
def test_authlen_is_7(master: Subject, wire: Segment) -> None:
    """The fourth byte of the CARP header, authlen, is 7."""
    for seen in two_of(master):
        wire.check("fourth byte, authlen,", seen.frame.payload[3], 7, seen)


@covers("CARP-WIRE-012")
@takes(6)
def test_fifth_byte_is_zero(master: Subject, wire: Segment) -> None:
    """The fifth byte of the CARP header is zero while the sender is not demoted."""
    for seen in two_of(master):
        wire.check("fifth byte", seen.frame.payload[4], 0, seen)


@covers("CARP-WIRE-013")
@takes(6)
def test_checksum_covers_the_header_alone(master: Subject, wire: Segment) -> None:
    """The 36 CARP bytes sum to zero by themselves, and with a pseudo header they would not."""
    for seen in two_of(master):
        ip, payload = Subject.ip(seen), seen.frame.payload
        pseudo = ip.source.packed + ip.destination.packed + bytes([0, 112, 0, len(payload)])
        wire.check("sum over the CARP header", checksum(payload[:36]), 0, seen)
        wire.check("sum with a pseudo header being zero", checksum(pseudo + payload) == 0, False, seen)


@covers("CARP-WIRE-013")
@takes(12)
def test_checksum_with_a_pseudo_header_is_refused(backup: Subject, tester: Tester, wire: Segment) -> None:
    """A stream whose checksum includes a pseudo header must not hold a BACKUP back."""
    with tester.advertising(backup.better(), named("checksum-pseudo-header")):
        wire.expect(backup.becomes_master(), within=backup.master_down_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@covers("CARP-WIRE-014")
@takes(6)
def test_nothing_follows_the_36_bytes(master: Subject, wire: Segment) -> None:
    """The CARP payload is 36 bytes long and the frame ends with it."""
    for seen in two_of(master):
        wire.check(
            "length of the payload", Subject.ip(seen).length - Subject.ip(seen).header_length, 36, seen
        )
        wire.check("bytes behind the packet", seen.frame.trailer, b"", seen)


@covers("CARP-WIRE-015")
@takes(6)
def test_counter_and_digest_lie_at_8_and_16(master: Subject, wire: Segment) -> None:
    """Bytes 16 to 35 are the digest over the counter in bytes 8 to 15 as they lie there."""
    for seen in two_of(master):
        payload = seen.frame.payload
        wire.check("bytes 16 to 35", payload[16:36], master.secret.digest(payload[1], payload[8:16]), seen)


@covers("CARP-WIRE-016")
@takes(5)
@pytest.mark.parametrize("vhid", [1, 7, 255])
def test_ethernet_source_is_the_virtual_mac(start: Start, wire: Segment, vhid: int) -> None:
    """The Ethernet source of a multicast advertisement is 00:00:5e:00:01:VHID."""
    seen = start(vhid=vhid).reach_master()
    wire.check("Ethernet source", seen.frame.source, bytes.fromhex("00005e0001") + bytes([vhid]), seen)


@covers("CARP-WIRE-017")
@takes(5)
@pytest.mark.parametrize("vhid", [1, 255])
def test_ethernet_source_has_the_prefix_of_ucarp(start: Start, wire: Segment, vhid: int) -> None:
    """The Ethernet source of ucarp is 00:00:5e:00:00:VHID."""
    seen = start(vhid=vhid).reach_master()
    wire.check("Ethernet source", seen.frame.source, bytes.fromhex("00005e0000") + bytes([vhid]), seen)


@covers("CARP-WIRE-018")
@takes(6)
def test_tos_is_low_delay(master: Subject, wire: Segment) -> None:
    """The type of service is 0x10."""
    for seen in two_of(master):
        wire.check("type of service", f"{Subject.ip(seen).tos:#04x}", "0x10", seen)


@covers("CARP-WIRE-019")
@takes(6)
def test_tos_is_the_default_dscp(master: Subject, wire: Segment) -> None:
    """The type of service is 0xe0 while net.inet.carp.dscp has its default of 56."""
    for seen in two_of(master):
        wire.check("type of service", f"{Subject.ip(seen).tos:#04x}", "0xe0", seen)


@covers("CARP-WIRE-020")
@takes(6)
def test_nomcast_changes_the_ethernet_destination_alone(start: Start, wire: Segment) -> None:
    """With -M ucarp sends to the broadcast MAC, while the IP destination stays 224.0.0.18."""
    master = start(options={"nomcast": True})
    master.reach_master()
    for seen in two_of(master):
        wire.check("Ethernet destination", seen.frame.destination, BROADCAST_MAC, seen)
        wire.check("IP destination", Subject.ip(seen).destination, GROUP_IPV4, seen)


@covers("CARP-WIRE-020")
@needs("process")
@takes(12)
def test_nomcast_does_not_join_the_group(start: Start, tester: Tester, wire: Segment) -> None:
    """With -M ucarp reports no membership of 224.0.0.18, and still listens to advertisements that are sent
    there.
    """
    master = start(options={"nomcast": True})
    master.reach_master()
    with tester.advertising(master.better()) as first:
        master.expect_yields(first)
    reports = [seen for seen in wire.trace.frames if not seen.sent and joins(seen, GROUP_IPV4)]
    wire.check("membership reports for 224.0.0.18", len(reports), 0, *reports)


@covers("CARP-WIRE-021")
@takes(6)
def test_source_is_a_real_address(start: Start, wire: Segment) -> None:
    """The IPv4 source is an address of the interface itself, not a shared one."""
    subject = start()
    window = subject.master_down_window()
    seen = wire.expect(subject.advertised_by_anybody(), within=window)
    assert isinstance(seen, FrameSeen)
    wire.check("IP source", Subject.ip(seen).source, set(subject.host.addresses), seen)


@covers("CARP-WIRE-023")
@takes(10)
def test_identification_is_zero_or_varies(master: Subject, wire: Segment) -> None:
    """The IPv4 identification is either always 0 or not always the same."""
    seen = [*two_of(master), *master.next_own(3)]
    values = {Subject.ip(one).identification for one in seen}
    word = "always 0" if values == {0} else "varying" if len(values) > 1 else "constant"
    wire.check("the identification of five advertisements", word, {"always 0", "varying"}, *seen)


@covers("CARP-WIRE-024")
@takes(20)
def test_backup_does_not_advertise(backup: Subject, tester: Tester, wire: Segment) -> None:
    """A BACKUP that hears a better MASTER for ten of its intervals is silent, and is heard once that MASTER
    falls silent.
    """
    with tester.advertising(backup.better()):
        backup.stays_silent(10 * backup.interval_ns)
    wire.expect(backup.becomes_master(), within=backup.master_down_window())


@covers("CARP-WIRE-025")
@takes(11)
def test_one_advertisement_per_interval(master: Subject, wire: Segment) -> None:
    """A MASTER sends one advertisement per interval."""
    (first,) = master.next_own()
    events = wire.watch(first.time_ns + master.interval_ns * 9 // 2 - wire.now_ns())
    seen = [event for event in events if isinstance(event, FrameSeen) and master.is_own(event)]
    wire.check("number of advertisements in four and a half intervals after one", len(seen), 4, *seen)


@covers("CARP-WIRE-025")
@needs("multiple_addresses")
@takes(11)
def test_one_advertisement_however_many_addresses(start: Start, bench: Bench, wire: Segment) -> None:
    """A MASTER of three IPv4 addresses sends one IPv4 advertisement per interval."""
    master = start(addresses=bench.shared_addresses[:3])
    first = master.reach_master()
    events = wire.watch(first.time_ns + master.interval_ns * 9 // 2 - wire.now_ns())
    seen = [event for event in events if isinstance(event, FrameSeen) and master.is_own(event)]
    wire.check("number of advertisements in four and a half intervals after one", len(seen), 4, *seen)
