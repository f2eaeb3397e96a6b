"""What is remembered stays bounded, whatever a capture holds."""

from ipaddress import IPv4Address

from conformance.judge import adverts, history
from conformance.judge import session as session_module
from conformance.judge.document import build
from conformance.judge.form import Ref
from conformance.judge.judge import judge
from conformance.judge.lane import Options
from conformance.judge.ledger import MAX_FRAMES, Ledger, Who
from conformance.judge.neighbourhood import Neighbourhood
from conformance.judge.session import Session
from conformance.wire.frame import (
    BROADCAST_MAC,
    ETHERTYPE_IPV4,
    ethernet,
    ipv4,
    virtual_mac,
)
from tests.judge.making import MAC_A, SECOND, START, VIP, Member, addresses, fed, write

V4, V4B = addresses("192.0.2.1", "192.0.2.5")
WHO = Who((), 1, V4)


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


class TestBounds:
    def test_events_are_counted_beyond_the_limit(self, monkeypatch, tmp_path):
        monkeypatch.setattr(history, "MAX_EVENTS", 2)
        visits = [
            (
                index * 5 * SECOND + 4_500_000_000,
                Member(source="192.0.2.12", advskew=9, counter=77).frame(index),
            )
            for index in range(5)
        ]
        document = judge(
            [
                write(
                    tmp_path,
                    Member().run(0, 27),
                    visits,
                    Member().run(60, 2, first=30),
                    Member().run(90, 2, first=40),
                )
            ]
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


class TestHostileCaptures:
    """What a capture can be made of to fill the memory, or to take for ever."""

    def test_all_histories_share_a_budget_of_events(self, monkeypatch):
        session = Session(Options())
        session.adverts._budget.left = 4
        for number in range(40):
            one = Member(source=f"192.0.2.{11 + number % 2}", vhid=1 + number % 4 // 2, counter=number << 32)
            session.packet(START + number * 20 * SECOND, 0, number + 1, one.frame(), False)
        session.finish()
        hosts = build(session, ["x"], [])["vhids"]
        assert sum(len(host["handovers"]) for host in hosts) == 3
        assert sum(host["more_events"] for host in hosts) == 37

    def test_a_source_that_had_to_make_room_costs_more(self):
        session = Session(Options())
        before = session.adverts._budget.left
        for number in range(70):
            session.packet(
                START + number * 1000, 0, number + 1, Member(source=f"192.0.3.{number}").frame(), False
            )
        assert before - session.adverts._budget.left >= 6 * 20

    def test_there_is_a_limit_for_the_sources_of_all_virtual_hosts(self, monkeypatch):
        monkeypatch.setattr(adverts, "_MAX_SPEAKERS", 10)
        session = Session(Options())
        for number in range(60):
            one = Member(source=f"192.0.3.{number}", vhid=1 + number % 3)
            session.packet(START + number * 1000, 0, number + 1, one.frame(), False)
        assert sum(1 for host in session.hosts.values() for _ in host.speakers()) == 10
        assert [host.families[4].crowded for host in session.hosts.values()] == [16, 17, 17]

    def test_a_clock_that_goes_backwards_with_every_frame(self, monkeypatch):
        monkeypatch.setattr(session_module, "_MAX_STEPS", 5)
        session = Session(Options())
        for number in range(30):
            session.packet(START - number * SECOND, 0, number + 1, Member().frame(number), False)
        session.finish()
        document = build(session, ["x"], [])
        assert document["unreadable"] == [
            "the capture's clock went backwards 29 times; durations around those frames are not reliable."
        ]
        assert document["vhids"][0]["advertisements"] == 30

    def test_many_vlans_keep_few_addresses_each(self, monkeypatch):
        monkeypatch.setattr(session_module, "_LARGE_VLANS", 1)
        monkeypatch.setattr(session_module, "_FEW_ADDRESSES", 3)
        session = Session(Options())
        for number in range(40):
            _, frame = Member().announcement(0, f"198.51.100.{number}", MAC_A)
            tagged = frame[:12] + b"\x81\0\0" + bytes([number % 2]) + frame[12:]
            session.packet(START + number, 0, number + 1, tagged, False)
        assert [len(hood.claims) for hood in session.hoods.values()] == [20, 3]
        assert [len(hood.bindings) for hood in session.hoods.values()] == [20, 3]
