"""The client of the shared address: what it asks, what it takes for an answer, its time without service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pytest

from conformance.segment.decision import Mismatch
from conformance.segment.loop import Loop, VirtualClock
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Trace
from conformance.targets.beside.client import PROBE_EVERY_NS, SERVICE_PORT, Client
from conformance.wire.frame import ArpOperation, arp, decode

SHARED, TESTER, HOST = IPv4Address("192.0.2.100"), IPv4Address("192.0.2.254"), IPv4Address("192.0.2.1")
TESTER_MAC, MAC_A, MAC_B = (
    bytes.fromhex("0200000002fe"),
    bytes.fromhex("020000000201"),
    bytes.fromhex("020000000202"),
)
SECOND = 1_000_000_000


@dataclass
class Port:
    """Shows each frame that is sent in the trace, and nothing else."""

    loop: Loop
    trace: Trace

    def send(self, frame: bytes) -> None:
        self.trace.add_frame(self.loop.now_ns(), frame, sent=True)

    def dropped(self) -> int:
        return 0


@dataclass
class Bench:
    """A service whose answers follow a plan: (until when, who answers), times since the start."""

    loop: Loop
    plan: list[tuple[int, str | None]] = field(default_factory=list)
    start_ns: int = VirtualClock.EPOCH_NS
    asked: list[tuple[IPv4Address, int]] = field(default_factory=list)

    def probe(self, address: IPv4Address, port: int, reply: Callable[[int, str | None], None]) -> None:
        self.asked.append((address, port))
        since_ns = self.loop.now_ns() - self.start_ns
        reply(self.loop.now_ns(), next(name for until_ns, name in self.plan if since_ns < until_ns))


@pytest.fixture
def segment():
    loop, trace = Loop(VirtualClock()), Trace()
    return Segment(loop, trace, Port(loop, trace))


@pytest.fixture
def client(segment):
    return Client(segment, Tester(segment, TESTER, TESTER_MAC), Bench(segment.loop), SHARED)


class TestAsks:
    def test_request_names_the_tester(self, client):
        asked = client.asks().frame.arp
        assert (asked.operation, asked.sender, asked.sender_mac, asked.target) == (
            1,
            TESTER,
            TESTER_MAC,
            SHARED,
        )

    def test_probe_comes_from_nobody(self, client):
        asked = client.probes().frame.arp
        assert (asked.sender, asked.target) == (IPv4Address(0), SHARED)

    def test_claim_is_gratuitous(self, client):
        seen = client.claims(MAC_B)
        assert seen.frame.arp.gratuitous
        assert (seen.frame.arp.sender_mac, seen.frame.source) == (MAC_B, TESTER_MAC)

    def test_reply_is_one_about_the_address(self, client, segment):
        about_it = arp(ArpOperation.REPLY, MAC_A, SHARED, TESTER_MAC, TESTER, destination_mac=TESTER_MAC)
        about_another = arp(ArpOperation.REPLY, MAC_A, HOST, TESTER_MAC, TESTER, destination_mac=TESTER_MAC)
        heard = [segment.trace.add_frame(segment.now_ns(), data) for data in (about_it, about_another)]
        assert [client.hears_reply().match(seen) for seen in (*heard, client.asks())] == [True, False, False]

    def test_cache_holds_the_last_sender(self, client, segment):
        for mac in (MAC_A, MAC_B):
            segment.trace.add_frame(
                segment.now_ns(), arp(ArpOperation.REQUEST, mac, SHARED, bytes(6), SHARED)
            )
        client.asks()
        assert client.cached_mac() == MAC_B


class TestPings:
    @staticmethod
    def reply_to(seen) -> bytes:
        """The echo reply that a host sends: addresses swapped, type 0; nobody looks at its checksums."""
        data = bytearray(seen.frame.data)
        data[0:6], data[6:12] = data[6:12], data[0:6]
        data[26:30], data[30:34] = data[30:34], data[26:30]
        data[34] = 0
        return bytes(data)

    def test_echo_is_an_icmp_packet_to_the_address(self, client):
        seen = client.pings(MAC_A)
        assert (seen.frame.destination, seen.frame.ip.destination, seen.frame.ip.protocol) == (
            MAC_A,
            SHARED,
            1,
        )
        assert seen.frame.payload[:2] == b"\x08\x00"

    def test_only_the_last_echo_counts(self, client, segment):
        first, second = client.pings(MAC_A), client.pings(MAC_A)
        heard = [segment.trace.add_frame(segment.now_ns(), self.reply_to(seen)) for seen in (first, second)]
        assert [client.hears_echo().match(seen) for seen in (*heard, second)] == [False, True, False]

    def test_other_frames_are_no_echo(self, client, segment):
        assert not client.hears_echo().match(
            segment.trace.add_frame(0, arp(ArpOperation.REQUEST, MAC_A, HOST, bytes(6), SHARED))
        )


class TestService:
    def moves(self, client, *, gap_ns: int, plan) -> None:
        client.bench.plan = plan
        with client.using_the_service():
            client.segment.watch(SECOND)
            last = client.segment.trace.add_frame(
                client.segment.now_ns(), arp(ArpOperation.REQUEST, MAC_A, HOST, bytes(6), HOST)
            )
            client.sees_it_move("a", "b", after=last, within_ns=2 * SECOND, gap_ns=gap_ns)

    def test_gap_is_measured_from_the_last_answer(self, client):
        self.moves(client, gap_ns=SECOND, plan=[(SECOND, "a"), (19 * SECOND // 10, None), (9 * SECOND, "b")])
        assert client.gap_ns("a", "b") == 950_000_000
        assert client.segment.decisions[-1].actual.endswith("is 0.950 s")

    def test_too_long_a_gap_is_a_mismatch(self, client):
        with pytest.raises(
            Mismatch, match=r"interruption of the service when it moves from a to b is 0\.950 s"
        ):
            self.moves(
                client, gap_ns=SECOND // 2, plan=[(SECOND, "a"), (19 * SECOND // 10, None), (9 * SECOND, "b")]
            )

    def test_service_that_does_not_come_back_is_a_mismatch(self, client):
        with pytest.raises(Mismatch, match="actual: never"):
            self.moves(client, gap_ns=SECOND, plan=[(SECOND, "a"), (99 * SECOND, None)])

    def test_service_is_asked_every_50_ms(self, client):
        client.bench.plan = [(99 * SECOND, "a")]
        with client.using_the_service():
            client.segment.watch(10 * PROBE_EVERY_NS - 1)
        assert client.bench.asked == [(SHARED, SERVICE_PORT)] * 10

    def test_changes_alone_are_noted(self, client):
        client.bench.plan = [(SECOND, "a"), (2 * SECOND, "b")]
        with client.using_the_service():
            client.segment.watch(2 * SECOND - 1)
        assert [event.text for event in client.segment.trace.events] == [
            f"the service on {SHARED} is answered by {name}" for name in "ab"
        ]

    def test_host_is_told_to_serve(self, client):
        told = []

        class Host:
            def serve(self, address, port):
                told.append((address, port))

        client.serves(Host())
        assert told == [(SHARED, SERVICE_PORT)]


def test_decoder_agrees_on_the_shape_of_an_echo(client):
    seen = client.pings(MAC_A)
    assert decode(seen.frame.data).ip.sound
