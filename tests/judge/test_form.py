"""Forms of advertisements: which frames have one, and what monitors make of odd ones."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from conformance.judge import document, surroundings
from conformance.judge.form import Ref, form_of, refusal
from conformance.judge.judge import judge, summary_text
from conformance.judge.lane import Options
from conformance.judge.ledger import Ledger, Who
from conformance.judge.monitors import announce
from conformance.judge.neighbourhood import Neighbourhood, Sight
from conformance.judge.session import Session
from conformance.segment.trace import Trace
from conformance.wire.frame import (
    ALL_NODES,
    ALL_NODES_MAC,
    BROADCAST_MAC,
    ETHERTYPE_IPV4,
    ArpOperation,
    NeighbourMessage,
    arp,
    decode,
    ethernet,
    ipv4,
    ipv6,
    neighbour,
    virtual_mac,
)
from tests.judge.making import MAC_A, MAC_C, START, VIP, Member, addresses, fed, write

(V4,) = addresses("192.0.2.1")


class TestForms:
    def test_other_frames_have_none(self):
        assert form_of(decode(b"")) is None
        assert form_of(decode(Member().announcement(0)[1])) is None

    def test_fragments_are_refused(self):
        frame = decode(Member().frame())
        form = form_of(frame)
        assert form is not None
        assert refusal(form) is None
        assert refusal(replace(form, fragment=0x2000)) == "it is a fragment"
        assert refusal(replace(form, fragment=3)) == "it is a fragment"

    def test_trailing_bytes_may_be_summed(self):
        """FreeBSD 15 sums them for IPv4, all others do not: either is right."""
        member = Member()
        frame = member.frame()
        longer = ethernet(
            frame[:6], frame[6:12], ETHERTYPE_IPV4, ipv4(V4, IPv4Address("224.0.0.18"), frame[34:] + b"\1\2")
        )
        form = form_of(decode(longer))
        assert form is not None
        assert form.carp_sound
        assert form.payload == 38


class TestFrames:
    def test_extension_headers_are_an_objection(self):
        frame = Member(source="fe80::1", tos=0).frame()
        packet = ipv6(
            IPv6Address("fe80::1"),
            IPv6Address("ff02::12"),
            bytes((112, 0, 1, 4, 0, 0, 0, 0)) + frame[54:],
            protocol=60,
        )
        session = fed(ethernet(frame[:6], frame[6:12], 0x86DD, packet))
        tally = session.ledger.tallies[Who((), 1, IPv6Address("fe80::1"))]["CARP-V6-003"]
        assert tally.text == "extension headers precede the advertisement"

    def test_an_ipv6_unicast_peer_needs_no_group_addresses(self):
        member = Member(
            source="fe80::11", destination="fe80::12", destination_mac=MAC_C, source_mac=MAC_A, tos=0
        )
        tallies = fed(member.frame()).ledger.tallies[Who((), 1, IPv6Address("fe80::11"))]
        assert (tallies["CARP-V6-001"].fails, tallies["CARP-V6-002"].fails) == (0, 0)

    def test_ucarp_may_broadcast(self):
        broadcast = Member(source_mac=bytes.fromhex("00005e000001"), destination_mac=BROADCAST_MAC)
        tallies = fed(broadcast.frame()).ledger.tallies[Who((), 1, IPv4Address("192.0.2.11"))]
        assert (tallies["CARP-WIRE-003"].fails, tallies["CARP-WIRE-017"].passes) == (0, 1)

    def test_hosts_of_ucarp_answer_with_their_own_address(self):
        member = Member(source_mac=bytes.fromhex("00005e000001"))
        vip = IPv4Address(VIP)
        answer = arp(ArpOperation.REPLY, MAC_A, vip, MAC_C, IPv4Address("192.0.2.99"), destination_mac=MAC_C)
        session = fed(
            member.announcement(0, mac=MAC_A)[1],
            *(member.frame(index) for index in range(3)),
            answer,
            passwords=("secret",),
        )
        assert surroundings.of_segment(session) == []
        second = arp(ArpOperation.REPLY, MAC_C, vip, MAC_A, IPv4Address("192.0.2.98"), destination_mac=MAC_A)
        session = fed(
            member.announcement(0, mac=MAC_A)[1],
            *(member.frame(index) for index in range(3)),
            second,
            passwords=("secret",),
        )
        assert surroundings.of_segment(session) == []

    def test_what_is_no_arp(self):
        seen = Sight(0, Ref(0, 1), decode(b""))
        assert announce.arp(Ledger(), Neighbourhood(), {}, seen) is None
        assert announce.neighbour(Ledger(), Neighbourhood(), {}, seen) is None

    def test_nobody_is_credited_before_the_first_advertisement_is_believed(self):
        shared = IPv6Address("2001:db8::1")
        said = neighbour(
            NeighbourMessage.ADVERTISEMENT,
            shared,
            virtual_mac(1),
            source=shared,
            destination=ALL_NODES,
            source_mac=virtual_mac(1),
            destination_mac=ALL_NODES_MAC,
            flags=0x20,
        )
        session = fed(Member(source="fe80::11", ttl=3, tos=0).frame(), said)
        assert "CARP-ND-001" not in session.ledger.tallies[Who((), 1, IPv6Address("fe80::11"))]
        assert shared in session.hosts[(), 1].learned


def test_the_testers_own_frames_are_not_judged():
    trace, session = Trace(), Session(Options())
    trace.listeners.append(session.feed)
    trace.add_frame(START, Member(ttl=3).frame(), sent=True)
    session.finish()
    assert document.build(session, ["run"], [])["requirements"] == []


def test_several_windows_with_two_masters(tmp_path):
    worse = Member(source="192.0.2.12", advskew=100, step=0)
    frames = (Member(step=0, counter=5).run(0, 30), worse.run(3, 4), worse.run(14, 6))
    found = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=(VIP,))["vhids"][0]["findings"]
    assert "2 times in all" in found[0]["text"]


def test_several_captures_are_told_apart(tmp_path):
    first = write(tmp_path, Member(source_mac=MAC_A).run(0, 3), name="a.pcap")
    second = write(tmp_path, Member(source_mac=MAC_A).run(3, 3), name="b.pcap")
    told = summary_text(judge([first, second]))
    assert "1 of capture 1" in told
    assert "1 of capture 2" in told
    (tmp_path / "c.pcap").write_bytes(b"noise noise noise")
    assert "not read:" in summary_text(judge([tmp_path / "c.pcap", first]))


def test_a_password_of_one_member_only_lacks_an_address(tmp_path):
    lacking = Member(source="192.0.2.12", advskew=100, counter=77)
    both = Member(addresses=(VIP, "192.0.2.5"))
    told = [both.announcement(0.001), both.announcement(0.001, "192.0.2.5")]
    document = judge([write(tmp_path, both.run(0, 20), told, lacking.run(3, 12))], passwords=("secret",))
    assert "lacks 192.0.2.5" in document["vhids"][0]["findings"][0]["text"]
