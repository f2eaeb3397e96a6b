"""Corners that no story reaches: bounds, wording, announcements of other hosts, odd frames."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from conformance.judge import document, history, surroundings
from conformance.judge.diagnosis import why_two_masters
from conformance.judge.digests import believes
from conformance.judge.findings import clock, difference, duration, password_words, several
from conformance.judge.form import Ref, form_of, refusal
from conformance.judge.host import Family, Host
from conformance.judge.judge import judge, summary_text
from conformance.judge.keyring import Material
from conformance.judge.lane import Options
from conformance.judge.ledger import MAX_FRAMES, Ledger, Who
from conformance.judge.monitors import announce, neighbours
from conformance.judge.neighbourhood import Neighbourhood, Sight
from conformance.judge.session import Session
from conformance.judge.speaker import Speaker
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
from tests.judge.making import MAC_A, MAC_C, SECOND, START, VIP, Member, addresses, write

V4, V4B, LOCAL = addresses("192.0.2.1", "192.0.2.5", "fe80::1")
WHO = Who((), 1, V4)


def fed(*frames, **options):
    """A finished session over frames that come a tenth of a second apart."""
    session = Session(Options(**options))
    for index, frame in enumerate(frames):
        session.packet(START + index * SECOND // 10, 0, index + 1, frame, False)
    session.finish()
    return session


class TestWords:
    def test_times(self):
        assert clock(START) == "22:13:20.000"
        assert clock(10**30) == "1000000000000000000000 s"
        assert (duration(2_000_000), duration(3_210_000_000)) == ("2 ms", "3.2 s")
        assert several([V4B, LOCAL, V4]) == "192.0.2.1, 192.0.2.5 and fe80::1"
        assert several([]) == ""

    @pytest.mark.parametrize(
        ("other", "name", "words"),
        [
            (
                Material(1, (V4,)),
                "password-differs",
                "password 2 of those given, the other's with password 1",
            ),
            (Material(None, (V4,)), "password-differs", "no password"),
            (Material(0, (V4,), long=True), "password-differs", "all of its first 20 characters"),
            (Material(0, (V4,), mixed=1), "password-differs", "over the tail of password 2"),
            (Material(0, (V4, V4B)), "one-address-differs", "covers 192.0.2.5 too"),
            (Material(0, (V4B,)), "addresses-differ", "covers 192.0.2.5 too and lacks 192.0.2.1"),
            (Material(0, (V4, LOCAL)), "link-local-context", "covers fe80::1 too"),
            (Material(0, (V4,), in_order=True), "address-order", "order of configuration"),
            (Material(0, (V4,), lladdr=b"\1" * 6), "lladdr-differs", "link-layer address"),
        ],
    )
    def test_what_makes_a_digest_unbelievable(self, other, name, words):
        own = Material(0, (V4,))
        assert not believes(own, other)
        assert difference(other, own)[0] == name
        assert words in difference(other, own)[1]

    def test_the_same_is_believed(self):
        assert believes(Material(0, (V4, V4B)), Material(0, (V4B, V4)))
        assert password_words(Material(0, (V4,))) == "password 1 of those given"


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


class TestLedger:
    def test_it_keeps_the_first_objection_and_sixteen_frames(self):
        ledger = Ledger()
        ledger.passed("CARP-WIRE-004", WHO, Ref(0, 1))
        ledger.unclear("CARP-WIRE-004", WHO, Ref(0, 2), "odd")
        for number in range(3, 40):
            ledger.failed("CARP-WIRE-004", WHO, Ref(0, number), f"wrong {number}")
        ledger.unclear("CARP-WIRE-004", WHO, Ref(0, 99), "later")
        ledger.passed("CARP-WIRE-005", WHO)
        tally = ledger.tallies[WHO]["CARP-WIRE-004"]
        assert (tally.text, len(tally.frames), tally.frames[0]) == ("wrong 3", MAX_FRAMES, Ref(0, 3))
        assert ledger.tallies[WHO]["CARP-WIRE-005"].frames == []

    def test_senders_are_bounded(self):
        ledger = Ledger()
        for number in range(9000):
            ledger.passed("CARP-WIRE-004", Who((), 1, IPv4Address(number)), Ref(0, 1))
        assert len(ledger.tallies) == 8192

    def test_unclear_frames_are_bounded(self):
        ledger = Ledger()
        for number in range(40):
            ledger.unclear("CARP-WIRE-004", WHO, Ref(0, number), "odd")
        assert len(ledger.tallies[WHO]["CARP-WIRE-004"].frames) == MAX_FRAMES


class TestNeighbourhood:
    def test_everything_is_bounded(self):
        hood = Neighbourhood()
        for number in range(3000):
            hood.claim(IPv4Address(number), MAC_A, Ref(0, 1), 0)
            hood.announced(IPv4Address(number), MAC_A, 0)
        for number in range(40):
            mac = number.to_bytes(6, "big")
            hood.claim(IPv4Address(0), mac, Ref(0, 1), 0)
            hood.claim(IPv4Address(0), MAC_A, Ref(0, 1), 0)
            hood.announced(IPv4Address(0), mac, 0)
        for _ in range(40):
            hood.used(IPv4Address(0), (3).to_bytes(6, "big"), 10 * SECOND, Ref(0, 1))
        assert len(hood.claims) == len(hood.bindings) == 2048
        assert len(hood.claims[IPv4Address(0)]) == 16
        assert len(hood.claims[IPv4Address(0)][MAC_A].frames) == 16
        binding = hood.bindings[IPv4Address(0)]
        assert (binding.stale_count, len(binding.stale[(3).to_bytes(6, "big")])) == (40, 16)
        assert len(binding.former) == 16

    def test_vrrp_neighbours_are_bounded(self):
        known = {}
        for number in range(400):
            packet = ipv4(IPv4Address(number), IPv4Address("224.0.0.18"), bytes.fromhex("3101640000640000"))
            neighbours.heard(known, decode(ethernet(BROADCAST_MAC, MAC_A, ETHERTYPE_IPV4, packet)), Ref(0, 1))
        assert len(known) == 256
        neighbours.heard(known, decode(b""), Ref(0, 1))
        assert len(known) == 256


class TestAnnouncements:
    def test_only_its_own_host_is_credited(self):
        """Announcements of another vhid, of an own address, of a stranger, and late ones count for nobody."""
        member, after = Member(), Member(source="192.0.2.12", advskew=1, counter=1001)
        own = arp(ArpOperation.REQUEST, MAC_C, IPv4Address("192.0.2.12"), bytes(6), IPv4Address("192.0.2.12"))
        stranger = arp(
            ArpOperation.REQUEST, MAC_C, IPv4Address("192.0.2.77"), bytes(6), IPv4Address("192.0.2.77")
        )
        probe = arp(ArpOperation.REQUEST, MAC_C, IPv4Address(0), bytes(6), IPv4Address("192.0.2.77"))
        other = Member(vhid=9).announcement(0)[1]
        quiet = [ethernet(MAC_A, MAC_C, ETHERTYPE_IPV4, ipv4(V4, V4B, b"x", protocol=17))] * 40
        frames = [
            member.frame(),
            *quiet,
            after.frame(),
            own,
            stranger,
            probe,
            other,
            *quiet,
            member.announcement(0)[1],
        ]
        session = fed(*frames)
        verdicts = session.ledger.tallies[Who((), 1, IPv4Address("192.0.2.12"))]
        assert verdicts["CARP-ARP-001"].fails == 1

    def test_a_wrong_form_of_announcement(self):
        vip = IPv4Address(VIP)
        odd = arp(ArpOperation.REPLY, virtual_mac(1), vip, MAC_C, vip, destination_mac=MAC_A)
        tallies = fed(Member().frame(), odd).ledger.tallies[Who((), 1, IPv4Address("192.0.2.11"))]
        assert (
            tallies["CARP-ARP-002"].fails,
            tallies["CARP-ARP-003"].fails,
            tallies["CARP-ARP-004"].fails,
        ) == (1, 0, 1)

    def test_an_announcement_shortly_before_the_first_advertisement(self):
        tallies = fed(Member(vhid=2).frame(), Member().announcement(0)[1], Member().frame()).ledger.tallies
        assert "CARP-ARP-001" not in tallies[Who((), 1, IPv4Address("192.0.2.11"))]

    def test_an_answer_to_arp(self):
        vip = IPv4Address(VIP)
        answer = arp(
            ArpOperation.REPLY, virtual_mac(1), vip, MAC_C, IPv4Address("192.0.2.99"), destination_mac=MAC_C
        )
        tallies = fed(Member().frame(), answer, answer).ledger.tallies[Who((), 1, IPv4Address("192.0.2.11"))]
        assert tallies["CARP-ARP-009"].passes == 2

    @pytest.mark.parametrize(("flags", "where"), [(0x60, "fe80::99"), (0, "ff02::1"), (0x20, "fe80::99")])
    def test_neighbour_advertisements(self, flags, where):
        shared = IPv6Address("2001:db8::1")
        said = neighbour(
            NeighbourMessage.ADVERTISEMENT,
            shared,
            virtual_mac(1),
            source=shared,
            destination=IPv6Address(where),
            source_mac=virtual_mac(1),
            destination_mac=ALL_NODES_MAC,
            flags=flags,
        )
        asked = neighbour(
            NeighbourMessage.SOLICITATION,
            shared,
            None,
            source=shared,
            destination=ALL_NODES,
            source_mac=MAC_C,
            destination_mac=ALL_NODES_MAC,
        )
        member = Member(source="fe80::11", tos=0)
        tallies = fed(said, member.frame(), said, asked).ledger.tallies[Who((), 1, IPv6Address("fe80::11"))]
        seen = {name for name in tallies if "-ND-" in name}
        assert (
            seen
            == {0x60: {"CARP-ND-005"}, 0: {"CARP-ND-001", "CARP-ND-002", "CARP-ND-003"}, 0x20: set()}[flags]
        )
        assert flags or tallies["CARP-ND-002"].fails == 1

    def test_nobody_is_master_to_be_credited(self):
        vip = IPv4Address(VIP)
        answer = arp(
            ArpOperation.REPLY, virtual_mac(1), vip, MAC_C, IPv4Address("192.0.2.99"), destination_mac=MAC_C
        )
        session = fed(Member(ttl=3).frame(), answer)
        assert "CARP-ARP-009" not in session.ledger.tallies[Who((), 1, IPv4Address("192.0.2.11"))]


class TestReasons:
    def test_the_other_family_is_no_reason_if_it_has_a_master_of_its_own(self, tmp_path):
        both = (VIP, "2001:db8::1")
        peer = Member(addresses=both, step=0)
        flapper = Member(source="192.0.2.12", advskew=100, addresses=both, step=0, counter=5)
        visits = [(index * 5 * SECOND + 4_600_000_000, flapper.frame()) for index in range(4)]
        twin = Member(source="fe80::12", advskew=100, addresses=both, step=0, counter=5, tos=0).run(
            4.60001, 12
        )
        path = write(tmp_path, peer.run(0, 22), visits, twin)
        host = judge([path], passwords=("secret",), addresses=both)["vhids"][0]
        assert host["findings"][0]["id"] == "deaf-backup"

    def test_the_better_one_gives_nothing_away(self, tmp_path):
        """OpenBSD's counter never moves, so only the other one's deafness shows."""
        worse = Member(source="192.0.2.12", advskew=100, counter=1 << 33)
        path = write(tmp_path, Member(step=0).run(0, 20), worse.run(3, 12))
        (found, *_) = judge([path], passwords=("secret",), addresses=(VIP,))["vhids"][0]["findings"]
        assert found["id"] == "deaf-backup"
        assert ", because" in found["text"]

    def test_only_the_oldest_of_those_that_wait_can_be_verified(self, tmp_path):
        """The address is announced after the password was changed to one that nobody told."""
        frames = (
            Member().run(0, 5),
            Member(password="untold").run(5.005, 5, first=5),
            [Member().announcement(11)],
        )
        host = judge([write(tmp_path, *frames)], passwords=("secret",))["vhids"][0]
        assert (host["authenticated"], host["mismatched"]) == (5, 5)

    def test_a_digest_that_fits_nothing(self):
        first, second = (Speaker(Who((), 1, IPv4Address(one))) for one in (VIP, "192.0.2.5"))
        second.mismatched = 3
        reason = why_two_masters(Host((), 1), Family(4), first, second)
        assert reason is not None
        assert (reason.id, reason.sure) == ("digest-unknown", False)

    def test_a_preempted_master_that_goes_on(self, tmp_path):
        worse, better = Member(source="192.0.2.12", advskew=100, step=0), Member(step=0)
        document = judge(
            [write(tmp_path, worse.run(0, 12), better.run(1.3926, 12))],
            passwords=("secret",),
            addresses=(VIP,),
        )
        assert document["vhids"][0]["findings"][0]["id"] == "deaf-backup"

    def test_a_short_overlap_after_preemption(self, tmp_path):
        worse, better = Member(source="192.0.2.12", advskew=100, step=0), Member(step=0, counter=5)
        frames = (worse.run(0, 4), better.run(2.7848, 12))
        document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=(VIP,))
        assert [one["cause"] for one in document["vhids"][0]["handovers"]] == ["start", "preemption"]
        assert document["vhids"][0]["findings"][0]["id"] == "short-dual-master"

    def test_a_long_overlap_after_preemption_breaks_a_requirement(self, tmp_path):
        worse, better = Member(source="192.0.2.12", advskew=100, step=0), Member(step=0)
        document = judge(
            [write(tmp_path, worse.run(0, 7), better.run(2.7848, 20))],
            passwords=("secret",),
            addresses=(VIP,),
        )
        failed = [one["id"] for one in document["requirements"] if one["verdict"] == "fail"]
        assert failed == ["CARP-PREEMPT-008"]

    def test_a_bow_out_that_nobody_follows_at_once(self, tmp_path):
        farewell = Member(advbase=255, advskew=255)
        frames = (
            Member().run(0, 3),
            [(2_500_000_000, farewell.frame(3))],
            Member(source="192.0.2.12", counter=1004).run(6, 3),
        )
        document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=(VIP,))
        assert {"id": "CARP-ELECT-014", "verdict": "inconclusive", "frames": [5]} in document["requirements"]
        assert document["vhids"][0]["handovers"][1]["cause"] == "bow-out"

    def test_a_bow_out_of_a_backup_changes_nothing(self, tmp_path):
        stray = Member(source="192.0.2.12", advbase=255, advskew=255)
        document = judge(
            [write(tmp_path, Member().run(0, 6), [(2_500_000_000, stray.frame(3))])], passwords=("secret",)
        )
        assert len(document["vhids"][0]["handovers"]) == 1

    def test_the_capture_ends_just_after_a_take_over(self, tmp_path):
        frames = (
            Member().run(0, 5),
            [(4_900_000_000, Member(source="192.0.2.12", advskew=9, counter=1005).frame())],
        )
        document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=(VIP,))
        assert [one["to"] for one in document["vhids"][0]["handovers"]] == ["192.0.2.11", "192.0.2.12"]


def test_addresses_given_that_differ(tmp_path):
    path = write(tmp_path, Member().run(0, 5), [Member().announcement(0.001)])
    document = judge([path], passwords=("secret",), addresses=(VIP, "192.0.2.99"))
    assert [one["id"] for one in document["vhids"][0]["findings"]] == ["addresses-given-differ"]


def test_crowds_are_told(tmp_path):
    frames = [one for last in range(80) for one in Member(source=f"192.0.3.{last}").run(last * 2, 1)]
    document = judge([write(tmp_path, frames)])
    assert document["vhids"][0]["findings"][-1]["id"] != ""
    assert "crowd" in [one["id"] for one in document["vhids"][0]["findings"]]
    assert "and " in summary_text(document)


def test_forms_without_end_are_bounded(tmp_path):
    frames = [(index, Member(tos=index % 256, advskew=index // 256 % 240).frame()) for index in range(8400)]
    path = write(tmp_path, frames)
    assert judge([path]) == judge([path], exact=True)


class TestBounds:
    def test_events_are_counted_beyond_the_limit(self, monkeypatch, tmp_path):
        monkeypatch.setattr(history, "MAX_EVENTS", 2)
        visits = [
            (index * 5 * SECOND + 4_500_000_000, Member(source="192.0.2.12", advskew=9).frame(index))
            for index in range(5)
        ]
        document = judge(
            [write(tmp_path, Member().run(0, 27), visits, Member().run(60, 2), Member().run(90, 2))]
        )
        host = document["vhids"][0]
        assert (len(host["dual_master"]), len(host["handovers"])) == (2, 2)
        assert host["more_events"] == 4

    def test_frames_of_disbelieved_advertisements(self, tmp_path):
        odd = [
            (
                index * SECOND // 3,
                Member(source="192.0.2.12", addresses=(VIP, "192.0.2.5"), counter=index).frame(),
            )
            for index in range(40)
        ]
        document = judge([write(tmp_path, Member().run(0, 15), odd)], passwords=("secret",), addresses=(VIP,))
        (found,) = (one for one in document["vhids"][0]["findings"] if one["id"] == "one-address-differs")
        assert len(found["frames"]) == 16

    def test_reasons_and_strays(self):
        frames = [Member(ttl=ttl).frame() for ttl in range(60)] + [
            Member(ttl=1).frame(number) for number in range(30)
        ]
        speaker = next(fed(*frames).hosts[(), 1].speakers())
        assert len(speaker.refusals) == 32
        assert len(speaker.refusals["its TTL is 1 instead of 255"]) == 16
        stray = ethernet(
            BROADCAST_MAC,
            virtual_mac(1),
            ETHERTYPE_IPV4,
            ipv4(IPv4Address("192.0.2.11"), V4B, b"", protocol=17),
        )
        session = fed(Member().frame(), *[stray] * 60, Member(vhid=2).frame(), *[stray] * 20)
        assert (
            len(next(session.hosts[(), 1].speakers()).stray) == 0
        )  # it stands until something says otherwise
        gone = fed(Member().frame(), Member(advbase=255, advskew=255).frame(1), *[stray] * 60)
        assert len(next(gone.hosts[(), 1].speakers()).stray) == 16

    def test_vlans(self):
        session = fed()
        for vlan in range(2100):
            session._hood((vlan,))
        assert len(session.hoods) == 2048

    def test_an_address_noticed_on_another_vlan_is_not_tried_here(self):
        own = Member().announcement(0)[1]
        tagged = own[:12] + b"\x81\0\0\x05" + own[12:]
        session = fed(Member().frame(), tagged, passwords=("secret",))
        assert next(session.hosts[(), 1].speakers()).authentic == 0


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
