"""A client of the shared address on the tester's side: asks for it by ARP, pings it, uses a service on it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from conformance.segment.decision import Condition, Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Event, FrameSeen, TesterAction
from conformance.targets.protocol import Bench, SutHost
from conformance.wire.frame import ETHERTYPE_IPV4, ArpOperation, arp, ethernet, ipv4
from conformance.wire.header import checksum

PROBE_EVERY_NS = 50_000_000
ANSWER_NS = 500_000_000
"""How long a host may take to answer an ARP request or an echo (not a matter of CARP)."""
SERVICE_PORT = 8112
_ICMP, _ECHO_REPLY, _ECHO_REQUEST = 1, 0, 8


@dataclass(slots=True)
class Client:
    """Uses ``address`` as any host of the segment would. ``answers`` are the service's: when, and by which
    host.
    """

    segment: Segment
    tester: Tester
    bench: Bench
    address: IPv4Address
    answers: list[tuple[int, str]] = field(default_factory=list)
    _sequence: int = 0

    @property
    def own(self) -> IPv4Address:
        assert isinstance(self.tester.address, IPv4Address)
        return self.tester.address

    def asks(self) -> FrameSeen:
        """An ARP request for the address."""
        return self.segment.send(arp(ArpOperation.REQUEST, self.tester.mac, self.own, bytes(6), self.address))

    def probes(self) -> FrameSeen:
        """An ARP probe for the address (RFC 5227: from nobody)."""
        return self.segment.send(
            arp(ArpOperation.REQUEST, self.tester.mac, IPv4Address(0), bytes(6), self.address)
        )

    def claims(self, mac: bytes) -> FrameSeen:
        """A gratuitous ARP that gives the address to ``mac``, as a peer that takes over sends it."""
        return self.segment.send(
            arp(ArpOperation.REQUEST, mac, self.address, bytes(6), self.address, source_mac=self.tester.mac)
        )

    def pings(self, mac: bytes) -> FrameSeen:
        """An ICMP echo to the address, in a frame to ``mac`` (six bytes)."""
        self._sequence += 1
        body = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, 0xCA4B, self._sequence) + b"conformance"
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        packet = ipv4(self.own, self.address, body, ttl=64, tos=0, protocol=_ICMP)
        return self.segment.send(ethernet(mac, self.tester.mac, ETHERTYPE_IPV4, packet))

    def cached_mac(self) -> bytes:
        """The hardware address that a host which listened from the start has for the address: the sender's of
        the last ARP packet about it.
        """
        return next(
            seen.frame.arp.sender_mac
            for seen in reversed(self.segment.trace.frames)
            if seen.frame.arp is not None and seen.frame.arp.sender == self.address
        )

    def hears_reply(self) -> Condition:
        """An ARP reply for the address."""
        return Condition(f"an ARP reply for {self.address} comes", self._is_arp_reply)

    def hears_echo(self) -> Condition:
        """The echo reply to the last :meth:`pings`."""
        return Condition(f"an echo reply from {self.address} comes", self._is_echo)

    def answer_window(self, after: FrameSeen) -> Window:
        """When a host that has the address must have answered."""
        return Window.after(after.time_ns, (0, ANSWER_NS), f"the question, frame {after.number}")

    def serves(self, host: SutHost) -> None:
        """From now on ``host`` runs the service, which answers when the host has the address."""
        host.serve(self.address, SERVICE_PORT)

    @contextmanager
    def using_the_service(self) -> Iterator[None]:
        """Connects to the service every 50 ms and notes each change of who answers on the time line."""
        with self.segment.loop.every(
            PROBE_EVERY_NS, lambda: self.bench.probe(self.address, SERVICE_PORT, self._answered)
        ):
            yield

    def served_by(self, name: str) -> Condition:
        """The service begins to be answered by the host ``name``."""
        text = self._served(name)
        return Condition(text, lambda e: isinstance(e, TesterAction) and e.text == text)

    def sees_it_move(self, former: str, new: str, *, after: FrameSeen, within_ns: int, gap_ns: int) -> None:
        """The service moves from the host ``former`` to ``new`` within ``within_ns`` of ``after``, an
        advertisement, and nobody answers for no longer than ``gap_ns`` between; the decision tells how long.
        """
        window = Window.after(
            after.time_ns, (0, within_ns), f"an advertisement of {former}, frame {after.number}"
        )
        self.segment.expect(self.served_by(new), within=window)
        what = f"the interruption of the service when it moves from {former} to {new}"
        self.segment.check_span(what, self.gap_ns(former, new), (0, gap_ns), since_ns=after.time_ns)

    def gap_ns(self, former: str, new: str) -> int:
        """From the last answer of ``former`` to the first of ``new`` after it."""
        lost_ns = max(time_ns for time_ns, name in self.answers if name == former)
        return (
            min(
                (time_ns for time_ns, name in self.answers if name == new and time_ns > lost_ns),
                default=lost_ns,
            )
            - lost_ns
        )

    def _answered(self, time_ns: int, name: str | None) -> None:
        if name is None:
            return
        if not self.answers or self.answers[-1][1] != name:
            self.segment.note(self._served(name))
        self.answers.append((time_ns, name))

    def _served(self, name: str) -> str:
        return f"the service on {self.address} is answered by {name}"

    def _is_arp_reply(self, event: Event) -> bool:
        if not isinstance(event, FrameSeen) or event.sent or event.frame.arp is None:
            return False
        return event.frame.arp.operation == ArpOperation.REPLY and event.frame.arp.sender == self.address

    def _is_echo(self, event: Event) -> bool:
        if not isinstance(event, FrameSeen) or event.sent or event.frame.ip is None:
            return False
        reply = (
            event.frame.ip.protocol == _ICMP
            and event.frame.ip.source == self.address
            and event.frame.payload[:1] == bytes([_ECHO_REPLY])
        )
        return reply and event.frame.payload[6:8] == self._sequence.to_bytes(2, "big")
