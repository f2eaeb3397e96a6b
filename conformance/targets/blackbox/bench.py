"""The bench of black boxes: hides from a case what is none of its business, and hands the rest through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from conformance.model.dialects import Dialect
from conformance.segment.decision import Inconclusive, NotApplicable
from conformance.segment.loop import Loop
from conformance.segment.segment import Port, Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import TesterAction, Trace
from conformance.targets.blackbox.box import Box, Hiding, settings_of
from conformance.targets.blackbox.medium import Medium
from conformance.targets.pixit import Pixit
from conformance.targets.protocol import Settings, SutHost
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Address
from conformance.wire.frame import Frame, NeighbourMessage, decode

TESTER_MAC = bytes.fromhex("0200000002fe")
UNKNOWN_MAC = bytes(6)
_SENT_NS = 1_000_000_000


class BlackBoxBench:
    """A :class:`conformance.targets.protocol.Bench` of the first ``count`` machines of ``pixit``; the others are silent meanwhile."""

    def __init__(self, pixit: Pixit, rules: Dialect, medium: Medium, count: int) -> None:
        self.rules, self.medium = rules, medium
        self.loop: Loop = medium.loop
        self.actions = pixit.actions
        self.tester_addresses, self.tester_mac = pixit.tester_addresses, TESTER_MAC
        self.shared_addresses = tuple(
            dict.fromkeys(
                (*(one for row in pixit.declared for one in row.addresses), *pixit.shared_addresses)
            )
        )
        self.hiding = Hiding.ALL
        self.parks = len(pixit.hosts) > 1
        self._trace = Trace()
        self._port: Port | None = None
        self._last_ns: dict[tuple[str, int], int] = {}
        self._echo: tuple[bytes, list[int]] = (b"", [])
        self._all = {
            host.name: Box(
                self,
                host.name,
                host.addresses,
                host.mac or UNKNOWN_MAC,
                {
                    row.vhid: settings_of(row, pixit.password)
                    for row in pixit.declared
                    if row.host == host.name
                },
            )
            for host in pixit.hosts
        }
        self.boxes: Mapping[str, Box] = dict(tuple(self._all.items())[:count])
        self.hosts: Mapping[str, SutHost] = self.boxes

    def port(self, trace: Trace) -> Port:
        self._trace, self.hiding = trace, Hiding.BOXES
        self._last_ns.clear()
        self._port = self.medium.open(self._hear)
        self.loop = self.medium.loop
        return self._port

    def note(self, text: str) -> None:
        self._trace.add(TesterAction(self.loop.now_ns(), text))

    def act(self, action: str, box: Box, settings: Settings) -> None:
        """Does ``action`` to a box. What it takes is uncertainty of when it happened: a timer of the bench is made to be as late."""
        self.note(f"{action} of {box.name}")
        began_ns = self.loop.now_ns()
        self.medium.act(action, box.name, settings)
        if self.loop.now_ns() > began_ns:
            self.loop.at(began_ns, lambda: None)

    def say(self, advertisement: Advertisement) -> None:
        """Sends an advertisement of the tester's."""
        assert self._port is not None, "a box is started after the tester is attached"
        self._port.send(advertisement.frame())

    def send(self, advertisement: Advertisement) -> int:
        """As :meth:`say`; returns when it left. Raises :class:`Inconclusive` if it was not seen to."""
        self._echo = (advertisement.frame(), [])
        self.say(advertisement)
        if not self.loop.run_until(lambda: bool(self._echo[1]), self.loop.now_ns() + _SENT_NS):
            raise Inconclusive(
                "the capture did not see a frame of the tester's own within 1 s: is the interface up?"
            )
        return self._echo[1][0]

    def has_heard(self, box: Box, vhid: int, since_ns: int) -> bool:
        """Whether ``box`` has advertised ``vhid`` after ``since_ns``."""
        return self._last_ns.get((box.name, vhid), 0) > since_ns

    def probe(self, address: Address, port: int, reply: Callable[[int, str | None], None]) -> NoReturn:  # noqa: ARG002  # the shape of a Bench
        raise NotApplicable("nobody runs a service on a black box")

    def part(self, *, parted: bool) -> NoReturn:  # noqa: ARG002  # the shape of a Bench
        raise NotApplicable("nobody can part black boxes from one another")

    def begin(self) -> None:
        """Before the first case: learns the MAC addresses that nobody has told, and silences the boxes if there are several."""
        trace = Trace()
        port = self.port(trace)
        self.hiding = Hiding.NOTHING
        tester = Tester(Segment(self.loop, trace, port), self.tester_addresses[0], self.tester_mac)
        for box in self._all.values():
            if box.mac == UNKNOWN_MAC:
                answer = tester.hears(box.name, box.addresses[0]).frame.arp
                assert answer is not None, "what hears() returns is an ARP reply"
                box.mac = answer.sender_mac
        self.reset()

    def reset(self) -> None:
        for box in self._all.values():
            box.reset()
        self.medium.close()

    def release(self) -> None:
        """At the end: all boxes run as they did before."""
        self.parks = False
        self.reset()

    def stalled_ns(self) -> int:
        return self.medium.stalled_ns()

    def clock_step_ns(self) -> int:
        return self.medium.clock_step_ns()

    def _hear(self, time_ns: int, data: bytes, sent: bool) -> None:
        if sent and data == self._echo[0]:
            self._echo[1].append(time_ns)
        frame = decode(data)
        box = None if sent else self._sender(frame)
        if box is not None:
            self._last_ns[box] = time_ns
        unasked = not sent and (box is not None or self._announces(frame))
        if self.hiding is Hiding.NOTHING or (self.hiding is Hiding.BOXES and not unasked):
            self._trace.add_frame(time_ns, data, sent=sent)

    def _announces(self, frame: Frame) -> bool:
        """Whether somebody says, without having been asked, who has a shared address."""
        if frame.arp is not None:
            return frame.arp.gratuitous and frame.arp.sender in self.shared_addresses
        told = frame.neighbour
        return (
            told is not None
            and told.message is NeighbourMessage.ADVERTISEMENT
            and not told.solicited
            and told.target in self.shared_addresses
        )

    def _sender(self, frame: Frame) -> tuple[str, int] | None:
        """Name and vhid of the box that advertises in ``frame``."""
        if frame.carp is None or frame.ip is None:
            return None
        return next(
            ((box.name, frame.carp.vhid) for box in self._all.values() if frame.ip.source in box.addresses),
            None,
        )
