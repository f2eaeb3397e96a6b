"""The tester as a peer: single frames, streams, the barrier."""

from ipaddress import ip_address

import pytest

from conformance.segment.decision import Inconclusive
from conformance.segment.loop import Loop, VirtualClock
from conformance.segment.segment import Segment
from conformance.segment.tester import ANSWER_NS, Tester
from conformance.segment.trace import TesterAction, Trace
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret
from conformance.wire.frame import ArpOperation, arp, decode
from conformance.wire.malformations import named

MS = 1_000_000
S = 1_000 * MS
START = VirtualClock.EPOCH_NS
OURS, THEIRS = ip_address("192.0.2.254"), ip_address("192.0.2.1")
OUR_MAC, THEIR_MAC = bytes.fromhex("0200000002fe"), bytes.fromhex("020000000201")
ADVERTISEMENT = Advertisement(vhid=7, source=OURS, secret=Secret("secret", (ip_address("192.0.2.100"),)))


class Port:
    """Captures what is sent at once; ``answer`` is what the other host says to a frame, 5 ms later."""

    def __init__(self, loop, trace):
        self.loop, self.trace, self.answer = loop, trace, lambda _: None

    def send(self, frame):
        self.trace.add_frame(self.loop.now_ns(), frame, sent=True)
        said = self.answer(decode(frame))
        if said is not None:
            self.loop.at(self.loop.now_ns() + 5 * MS, lambda: self.trace.add_frame(self.loop.now_ns(), said))

    def dropped(self):
        return 0


@pytest.fixture
def tester():
    loop, trace = Loop(VirtualClock()), Trace()
    return Tester(Segment(loop, trace, Port(loop, trace)), OURS, OUR_MAC)


def counters(tester):
    return [
        int.from_bytes(seen.frame.carp.counter, "big")
        for seen in tester.segment.trace.frames
        if seen.frame.carp
    ]


def notes(tester):
    return [event.text for event in tester.segment.trace.events if isinstance(event, TesterAction)]


class TestSend:
    def test_counters_count_up_from_1000(self, tester):
        for _ in range(3):
            tester.send(ADVERTISEMENT)
        assert counters(tester) == [1001, 1002, 1003]

    def test_a_counter_that_is_given_is_kept(self, tester):
        tester.send(ADVERTISEMENT.but(counter=5))
        assert counters(tester) == [5]

    def test_spoiled_by_a_malformation_and_by_a_function(self, tester):
        assert tester.send(ADVERTISEMENT, named("ttl-254")).frame.ip.ttl == 254
        assert tester.send(ADVERTISEMENT, lambda ad: ad.but(vhid=9).frame()).frame.carp.vhid == 9

    def test_exactly(self, tester):
        assert tester.send_exactly(b"x" * 60).frame.data == b"x" * 60


class TestAdvertising:
    def test_now_and_at_its_interval_until_it_ends(self, tester):
        with tester.advertising(ADVERTISEMENT) as first:
            assert first.time_ns == START
            tester.segment.loop.run_for(3_500 * MS)
        tester.segment.loop.run_for(5 * S)
        assert [seen.time_ns - START for seen in tester.segment.trace.frames] == [0, S, 2 * S, 3 * S]
        assert len(set(counters(tester))) == 4
        assert notes(tester) == ["advertises vhid 7 1/0 every 1.000 s", "ends its advertisements of vhid 7"]

    def test_at_another_interval_and_spoiled(self, tester):
        with tester.advertising(ADVERTISEMENT, named("ttl-254"), interval_ns=100 * MS):
            tester.segment.loop.run_for(S)
        assert [seen.frame.ip.ttl for seen in tester.segment.trace.frames] == [254] * 11
        assert notes(tester)[0].startswith("advertises vhid 7 1/0 every 0.100 s, spoiled: ")

    def test_a_function_is_named_in_the_note(self, tester):
        def upside_down(advertisement):
            return advertisement.frame()

        with tester.advertising(ADVERTISEMENT, upside_down):
            pass
        assert notes(tester)[0].endswith("spoiled: upside_down")

    def test_an_interval_of_nothing_is_10_ms(self, tester):
        with tester.advertising(ADVERTISEMENT.but(advbase=0)):
            tester.segment.loop.run_for(100 * MS)
        assert len(tester.segment.trace.frames) == 11

    def test_it_ends_with_an_error_inside(self, tester):
        with pytest.raises(ZeroDivisionError), tester.advertising(ADVERTISEMENT):
            raise ZeroDivisionError
        tester.segment.loop.run_for(5 * S)
        assert len(tester.segment.trace.frames) == 1


class TestBarrier:
    @staticmethod
    def answers(frame):
        if frame.arp is not None and frame.arp.target == THEIRS:
            return arp(ArpOperation.REPLY, THEIR_MAC, THEIRS, frame.arp.sender_mac, frame.arp.sender)
        return None

    def test_the_answer_of_the_host(self, tester):
        tester.segment.port.answer = self.answers
        answer = tester.hears("a", THEIRS)
        assert answer.frame.arp.sender_mac == THEIR_MAC
        assert tester.segment.now_ns() - START == 5 * MS
        request = tester.segment.trace.frames[0].frame.arp
        assert (request.operation, request.sender, request.target) == (1, OURS, THEIRS)

    def test_an_answer_from_before_the_question_does_not_count(self, tester):
        tester.segment.trace.add_frame(START - 1, arp(ArpOperation.REPLY, THEIR_MAC, THEIRS, OUR_MAC, OURS))
        with pytest.raises(Inconclusive, match=r"a \(192\.0\.2\.1\) did not answer an ARP request in 1\.5 s"):
            tester.hears("a", THEIRS)
        assert tester.segment.now_ns() - START == ANSWER_NS

    def test_another_hosts_answer_does_not_count(self, tester):
        tester.segment.port.answer = lambda _: arp(
            ArpOperation.REPLY, THEIR_MAC, ip_address("192.0.2.9"), OUR_MAC, OURS
        )
        with pytest.raises(Inconclusive):
            tester.hears("a", THEIRS)
