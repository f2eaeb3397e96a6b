"""The tester as a peer: single advertisements, periodic streams, and the question whether a host is still there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import ClassVar

from conformance.segment.decision import Condition, Inconclusive
from conformance.segment.segment import Segment
from conformance.segment.trace import Event, FrameSeen
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Address
from conformance.wire.frame import ArpOperation, arp
from conformance.wire.malformations import Malformation
from conformance.wire.vrrp3 import Vrrp3Advertisement

ANSWER_NS = 1_500_000_000

Fault = Malformation | Callable[[Advertisement], bytes]
Sendable = Advertisement | Vrrp3Advertisement
"""What the tester sends as a peer; only CARP is ever spoiled by a fault."""


@dataclass(slots=True)
class Tester:
    """Our side of the wire. Counters of what it sends count up from 1000, so that they can be recognised in a capture."""

    __test__: ClassVar[bool] = False  # not a class of tests, whatever pytest makes of its name
    segment: Segment
    address: Address
    mac: bytes
    _counter: int = field(default=1000)

    def send(self, advertisement: Sendable, fault: Fault | None = None) -> FrameSeen:
        """Sends one advertisement, spoiled by ``fault`` if given, and returns it as it left."""
        return self.segment.send(self._frame(advertisement, fault))

    def send_exactly(self, frame: bytes) -> FrameSeen:
        """Sends the bytes of a frame."""
        return self.segment.send(frame)

    @contextmanager
    def advertising(
        self, advertisement: Sendable, fault: Fault | None = None, *, interval_ns: int | None = None
    ) -> Iterator[FrameSeen]:
        """Sends ``advertisement`` now and at its interval, each time with the next counter, spoiled by ``fault`` if given; gives the first one as it left."""
        period_ns = interval_ns or max(advertisement.interval_ns, 10_000_000)
        spoiled = (
            ""
            if fault is None
            else f", spoiled: {getattr(fault, 'breaks', getattr(fault, '__name__', 'crafted'))}"
        )
        self.segment.note(f"advertises {advertisement.about} every {period_ns / 1e9:.3f} s{spoiled}")
        first = self.send(advertisement, fault)
        with self.segment.loop.every(
            period_ns,
            lambda: self.segment.port.send(self._frame(advertisement, fault)),
            start_ns=first.time_ns + period_ns,
        ):
            yield first
        self.segment.note(f"ends its advertisements of vhid {advertisement.vhid}")

    def hears(self, name: str, address: Address) -> FrameSeen:
        """The answer of a host's own address to an ARP request: the barrier that shows that what was sent before has been delivered and that the host is there.

        Raises :class:`Inconclusive` without one in 1.5 s.
        """
        assert isinstance(address, IPv4Address), "the barrier is an ARP request"
        assert isinstance(self.address, IPv4Address)
        asked = self.segment.send(arp(ArpOperation.REQUEST, self.mac, self.address, bytes(6), address))

        def answers(event: Event) -> bool:
            return (
                isinstance(event, FrameSeen)
                and event.number > asked.number
                and not event.sent
                and event.frame.arp is not None
                and event.frame.arp.sender == address
            )

        answer = self.segment.wait(
            Condition(f"{name} answers ARP for {address}", answers),
            asked.time_ns + ANSWER_NS,
            since_ns=asked.time_ns,
        )
        if not isinstance(answer, FrameSeen):
            raise Inconclusive(
                f"{name} ({address}) did not answer an ARP request in 1.5 s: the segment or the host is not there, so silence proves nothing"
            )
        return answer

    def _frame(self, advertisement: Sendable, fault: Fault | None) -> bytes:
        self._counter += 1
        numbered = advertisement.numbered(self._counter)
        if fault is None:
            return numbered.frame()
        assert isinstance(numbered, Advertisement), "faults are made for CARP"
        return fault.frame(numbered) if isinstance(fault, Malformation) else fault(numbered)
