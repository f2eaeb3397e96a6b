"""A lane on machines: the tester on a wire of this machine, hosts reached by connections.

What a host is made of is the target's: a :class:`Maker` takes the bench and what the PIXIT says of a machine and gives a :class:`RemoteSut`. The bench carries scripts to
machines while the segment goes on (:meth:`RemoteBench.ask`), reads streams of lines (:class:`conformance.targets.remote.stream.Stream`), and knows the lane (:class:`Lane`).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_interface
from pathlib import Path
from typing import Protocol

from conformance.lab.attachment import Attachment, Interface, attached
from conformance.lab.journal import folder as journal_folder
from conformance.lab.shell import ANSWER_NS, Said, Shell
from conformance.segment.live import LivePort
from conformance.segment.loop import HasFileno, Loop, RealClock
from conformance.segment.stalls import stalled_ns
from conformance.segment.trace import HostEvent, HostKind, TesterAction, Trace
from conformance.targets.pixit import Pixit, PixitError, PixitHost
from conformance.targets.probing import probe
from conformance.targets.protocol import Side, SutHost
from conformance.targets.remote.stream import Stream, descent
from conformance.wire.digest import Address

_PREFIX = {4: 24, 6: 64}
"""The length of a subnet of the segment where nobody says another."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Which lane this is, from 0, and on which VLAN of the segment; None is the segment itself."""

    number: int = 0
    vlan: int | None = None


def this_lane(vlans: range | None) -> Lane:
    """The lane of this process: pytest-xdist numbers its workers (gw0, gw1 …).

    Raises :class:`PixitError` if there are more workers than lanes.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    if vlans is None:
        if number > 0:
            raise PixitError(
                None, "vlans", "without VLANs there is one lane only", "give vlans, or run with --lanes 1"
            )
        return Lane()
    if number >= len(vlans):
        raise PixitError(
            None, "vlans", f"there are {len(vlans)} of them for more lanes", f"run with --lanes {len(vlans)}"
        )
    return Lane(number, vlans[number])


class RemoteSut(SutHost, Protocol):
    """A host as the bench itself needs it."""

    def hear_out(self) -> None:
        """Returns when all has come that the machine has said, and how late it was with it."""

    def reset(self) -> None:
        """Ends what a case started on it and restores what it changed."""

    def close(self) -> None:
        """Ends what lives on from one case to the next, and the connection."""


Maker = Callable[["RemoteBench", PixitHost], RemoteSut]


class RemoteBench:
    """A :class:`conformance.targets.protocol.Bench` whose hosts are machines; one of them serves one case after the other."""

    def __init__(
        self,
        pixit: Pixit,
        wire: Attachment,
        lane: Lane,
        makers: Sequence[Maker],
        journals: Path | None = None,
    ) -> None:
        """``journals`` is the folder of the journals, if it is not the user's."""
        self.pixit, self.wire, self.lane = pixit, wire, lane
        self.journals = journals or journal_folder()
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.trace = Trace()
        self.tester_addresses: tuple[Address, ...] = pixit.tester_addresses
        self.tester_mac = wire.mac
        self.shared_addresses: tuple[Address, ...] = in_order(pixit.shared_addresses)
        self.runs_in: tuple[int, ...] = ()
        """Processes of this machine in which hosts run, as that of a virtual machine."""
        self.took_ns = 0
        """How long the last thing took that was done to a machine."""
        self._waited_ns = 0
        self.streams: list[Stream] = []
        self.closing: list[socket.socket] = []
        self._watched: list[HasFileno] = []
        self._ports: list[LivePort] = []
        self._made: dict[str, RemoteSut] = {}
        self.inner: list[RemoteSut] = []
        """The machines' hosts on the second segment, to be reset with the others."""
        self.second: Side | None = None
        """The second segment, where the machines have an interface on one (:class:`conformance.targets.protocol.TwoSided`)."""
        try:
            for maker, host in zip(makers, pixit.hosts, strict=False):
                self._made[host.name] = maker(self, host)
        except BaseException:
            self.close()
            raise
        self.hosts: Mapping[str, RemoteSut] = self._made

    def note(self, text: str) -> None:
        self.trace.add(TesterAction(self.loop.now_ns(), text))

    def tell(self, host: str, kind: HostKind, text: str, vhid: int | None = None) -> None:
        """Puts something that a host said on the time line, at the time of its arrival here."""
        self.trace.add(HostEvent(self.loop.now_ns(), host, kind, text, vhid))

    def blame_the_rig(self, late_ns: int) -> None:
        """What is known only to ``late_ns`` must not be called a miss by less."""
        self.loop.was_late(late_ns)

    def blame_a_machine(self, waited_ns: int) -> None:
        """Something on a machine was ``waited_ns`` late, or waited so long for its CPU. Other than lateness here such times add up."""
        self._waited_ns += waited_ns

    @contextmanager
    def taking_time(self) -> Iterator[None]:
        """What is done to a machine meanwhile is done at some moment in between: no miss by less than that time counts."""
        began_ns = self.loop.now_ns()
        try:
            yield
        finally:
            self.took_ns = self.loop.now_ns() - began_ns
            self.blame_the_rig(self.took_ns)

    def ask(self, shell: Shell, script: str, *, within_ns: int = ANSWER_NS) -> Said:
        """A machine's answer to a script; the segment goes on meanwhile. Raises :class:`conformance.lab.shell.HostError`."""
        answer = shell.begin(script)
        said: list[Said] = []

        def look() -> None:
            if not said and (got := answer()) is not None:
                said.append(got)

        for stream in (shell.out, shell.err):
            self.watch(stream, look)
        try:
            self.loop.run_until(lambda: bool(said), self.loop.now_ns() + within_ns)
        finally:
            for stream in (shell.out, shell.err):
                self.unwatch(stream)
        if not said:
            raise shell.silent(within_ns)
        return said[0]

    def watch(self, source: HasFileno, callback: Callable[[], None]) -> None:
        """Calls ``callback`` whenever ``source`` is readable; one that is watched already stays so."""
        if source not in self._watched:
            self.clock.watch(source, callback)
            self._watched.append(source)

    def unwatch(self, source: HasFileno) -> None:
        if source in self._watched:
            self._watched.remove(source)
            self.clock.unwatch(source)

    def port(self, trace: Trace) -> LivePort:
        self._begin(trace)
        return self.open_port(self.wire, trace)

    def open_port(self, wire: Attachment, trace: Trace) -> LivePort:
        """A port on ``wire`` whose frames go into ``trace``, until the next reset."""
        with wire.entered():
            port = LivePort(
                wire.interface, lambda time_ns, data, sent: trace.add_frame(time_ns, data, sent=sent)
            )
        self._ports.append(port)
        self.watch(port, port.read)
        return port

    def stalled_ns(self) -> int:
        """Of this process, of those here that hosts run in, and what machines have told of themselves."""
        here = (os.getpid(), *self.runs_in, *(pid for one in self.streams for pid in descent(one.pid)))
        return sum(map(stalled_ns, here)) + self._waited_ns

    def hear_out(self) -> None:
        """Lets the machines say what they have not said yet (:class:`conformance.targets.protocol.Reporting`)."""
        for host in (*self._made.values(), *self.inner):
            host.hear_out()

    def clock_step_ns(self) -> int:
        return self.clock.stepped_ns()

    def probe(self, address: Address, port: int, reply: Callable[[int, str | None], None]) -> None:
        probe(self, self.wire.entered(), address, port, reply)

    def part(self, *, parted: bool) -> None:
        """Nobody can part machines on one wire: the PICS of their targets deny the capability ``partition``."""
        raise NotImplementedError(f"machines on one wire cannot be parted ({parted})")

    def reset(self) -> None:
        """Ends what the case has going here, then restores the machines, on a clock of its own."""
        self._end_here()
        self._begin(Trace())
        for host in (*self._made.values(), *self.inner):
            host.reset()

    def close(self) -> None:
        """Ends what a case that broke off has left here, and the hosts' connections."""
        self._end_here()
        for host in self._made.values():
            host.close()

    def _end_here(self) -> None:
        self._unwatch_all()
        for one in self.closing:
            one.close()
        for port in self._ports:
            port.close()
        self.closing.clear()
        self._ports.clear()

    def _begin(self, trace: Trace) -> None:
        self._unwatch_all()
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.trace = trace

    def _unwatch_all(self) -> None:
        for source in tuple(self._watched):
            self.unwatch(source)


def in_order(addresses: Sequence[Address]) -> tuple[Address, ...]:
    """IPv4 first, then IPv6, each as given."""
    return tuple(sorted(addresses, key=lambda one: one.version))


def subnets(addresses: Sequence[Address]) -> list[Interface]:
    """Addresses with the length of a subnet."""
    return [ip_interface(f"{one}/{_PREFIX[one.version]}") for one in addresses]


@contextmanager
def remote_bench(pixit: Pixit, makers: Sequence[Maker], lane: Lane) -> Iterator[RemoteBench]:
    """A bench on the first machines of ``pixit``, one for each of ``makers``, named a, b, c …; the tester on its VLAN of the lane, or on the interface itself.

    Raises :class:`conformance.lab.shell.HostError` for a machine, :class:`conformance.lab.netns.NamespaceError` for this one.
    """
    with ExitStack() as stack:
        wire = stack.enter_context(
            attached(pixit.tester_interface, subnets(pixit.tester_addresses), lane.vlan)
        )
        bench = RemoteBench(pixit, wire, lane, makers)
        stack.callback(bench.close)
        stack.callback(bench.reset)
        yield bench


class SharedBench:
    """The bench of a worker: made for the first who asks, and the same for all who ask while that one has it, because its place on each machine is there once."""

    def __init__(self) -> None:
        self._made: RemoteBench | None = None

    @contextmanager
    def have(self, make: Callable[[], AbstractContextManager[RemoteBench]]) -> Iterator[RemoteBench]:
        """The bench, from ``make`` if there is none."""
        if self._made is not None:
            yield self._made
            return
        with make() as made:
            self._made = made
            try:
                yield made
            finally:
                self._made = None
