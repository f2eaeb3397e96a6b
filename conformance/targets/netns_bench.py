"""A lane in network namespaces: the tester, a switch and hosts whose IUTs are processes."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from conformance.lab.netns import Station, Switch, switch
from conformance.segment.live import LivePort
from conformance.segment.loop import HasFileno, Loop, RealClock
from conformance.segment.stalls import stalled_ns, stolen_ns
from conformance.segment.trace import TesterAction, Trace
from conformance.targets.beside.keepalived import Keepalived
from conformance.targets.netns_side import NetnsSide, side
from conformance.targets.probing import probe
from conformance.targets.process import Process
from conformance.targets.protocol import Iut, Settings, SutHost, VrrpRouter
from conformance.wire.digest import Address

IP_FREEBIND = 15
_SUBNET, _SUBNET6 = "192.0.2", "2001:db8::"
_NAMES = "abcdefghijklmnopqrstuvwxyz"


class BenchHost(SutHost, Protocol):
    """A host as the bench itself needs it."""

    bench: NetnsBench
    station: Station

    def reset(self) -> None:
        """Ends what a case started on it and gives it its interface, its address and its link back."""

    def close(self) -> None:
        """Ends what lives on from one case to the next."""


class Starter(Protocol):
    """What a host of the bench is made of; each host of one bench may have another."""

    @property
    def own_stack(self) -> bool:
        """Whether a process answers for the host in place of its kernel."""

    def host(self, bench: NetnsBench, station: Station) -> BenchHost:
        """Makes the host on its station."""

    def second(self, bench: NetnsBench, station: Station, switch: Switch, first: BenchHost) -> BenchHost:
        """Makes the second interface of the machine of ``first``, on another switch."""


@dataclass(frozen=True, slots=True)
class Daemons:
    """The :class:`Starter` of an implementation that is a daemon on the host's own kernel.

    ``start`` starts one and returns when it is in BACKUP.
    """

    start: Callable[[NetnsHost, Settings], Iut]
    own_stack: bool = False

    def host(self, bench: NetnsBench, station: Station) -> BenchHost:
        return NetnsHost(bench, station, self.start)

    def second(self, bench: NetnsBench, station: Station, switch: Switch, first: BenchHost) -> BenchHost:  # noqa: ARG002  # processes know nothing of each other
        return NetnsHost(bench, station, self.start, switch)


class NetnsHost:
    """A host of the bench (a :class:`conformance.targets.protocol.SutHost`)."""

    def __init__(
        self,
        bench: NetnsBench,
        station: Station,
        start: Callable[[NetnsHost, Settings], Iut],
        switch: Switch | None = None,
    ) -> None:
        """``switch`` is what it is plugged into, if not the bench's first."""
        self.bench, self.station, self.name, self.mac = bench, station, station.name, station.mac
        self._switch = switch or bench.switch
        self.addresses: tuple[Address, ...] = (station.address.ip,)
        self._start = start
        self.iuts: list[Iut] = []
        self.removed = False

    def start(self, settings: Settings) -> Iut:
        self.bench.note(
            f"starts vhid {settings.vhid} on {self.name}: advbase {settings.advbase}, advskew {settings.advskew}{', preempt' if settings.preempt else ''}"
        )
        iut = self._start(self, settings)
        self.iuts.append(iut)
        return iut

    def cable(self, *, plugged: bool) -> None:
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}")
        self._switch.cable(self.name, plugged=plugged)

    def remove_interface(self) -> None:
        self.bench.note(f"removes the interface of {self.name}")
        self._switch.unplug(self.name)
        self.removed = True

    def reset(self) -> None:
        for iut in self.iuts:
            iut.kill()
        self.iuts.clear()
        if self.removed:
            self._switch.replug(self.name)
            self.removed = False
        self.station.flush_addresses()
        self._switch.cable(self.name, plugged=True)

    def close(self) -> None:
        """Nothing lives on: :meth:`reset` has ended it all."""

    def serve(self, address: Address, port: int) -> None:
        with self.station.namespace.entered():
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        listener.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address), port))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(self.name.encode())

        self.bench.watch(listener, answer)
        self.bench.closing.append(listener)


class NetnsBench:
    """A :class:`conformance.targets.protocol.Bench` on real interfaces; one of them serves one case after the other."""

    def __init__(
        self,
        plugged: Switch,
        tester: Station,
        hosts: Sequence[Station],
        starters: Sequence[Starter],
        stack: ExitStack,
    ) -> None:
        """``stack`` takes down what is plugged in later."""
        self.switch, self._tester = plugged, tester
        self._starters, self._stack = starters, stack
        self._second: NetnsSide | None = None
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.trace = Trace()
        self.tester_addresses: tuple[Address, ...] = (tester.address.ip, ip_address("fe80::fe"))
        self.tester_mac = tester.mac
        self.hosts: Mapping[str, BenchHost] = {
            station.name: starter.host(self, station)
            for station, starter in zip(hosts, starters, strict=True)
        }
        self.shared_addresses: tuple[Address, ...] = (
            *(ip_address(f"{_SUBNET}.{last}") for last in range(100, 110)),
            *(ip_address(f"{_SUBNET6}{last:x}") for last in range(0x100, 0x10A)),
        )
        self.closing: list[socket.socket] = []
        self.processes: list[Process] = []
        self._watched: list[HasFileno] = []
        self._ports: list[LivePort] = []
        self._deaf: frozenset[str] = frozenset()
        self._neighbours: list[Keepalived] = []

    def note(self, text: str) -> None:
        self.trace.add(TesterAction(self.loop.now_ns(), text))

    def watch(self, source: HasFileno, callback: Callable[[], None]) -> None:
        self.clock.watch(source, callback)
        self._watched.append(source)

    def unwatch(self, source: HasFileno) -> None:
        if source in self._watched:
            self._watched.remove(source)
            self.clock.unwatch(source)

    def port(self, trace: Trace) -> LivePort:
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.trace = trace
        return self.open_port(self._tester, trace)

    def open_port(self, tester: Station, trace: Trace) -> LivePort:
        """A port on an interface of the tester whose frames go into ``trace``, until the next reset."""
        with tester.namespace.entered():
            port = LivePort(
                tester.interface, lambda time_ns, data, sent: trace.add_frame(time_ns, data, sent=sent)
            )
        self._ports.append(port)
        self.watch(port, port.read)
        return port

    @property
    def second(self) -> NetnsSide:
        """The second segment (:class:`conformance.targets.protocol.TwoSided`), from the first time that it is asked for; before a host is started."""
        if self._second is None:
            self._second = side(self, self._tester, self._starters, self._stack)
        return self._second

    def stalled_ns(self) -> int:
        own_ns = stolen_ns() + stalled_ns(os.getpid())
        return own_ns + sum(process.stalled_ns() for process in self.processes)

    def clock_step_ns(self) -> int:
        return self.clock.stepped_ns()

    def probe(self, address: Address, port: int, reply: Callable[[int, str | None], None]) -> None:
        probe(self, self._tester.namespace.entered(), address, port, reply)

    def part(self, *, parted: bool) -> None:
        self.note("parts the hosts from one another" if parted else "lets the hosts hear one another again")
        self.switch.part(tuple(self.hosts), parted=parted)

    def deafen(self, host: str, *, deaf: bool) -> None:
        self.note(f"lets {host} hear {'nobody' if deaf else 'the others again'}")
        self.switch.deafen(host, deaf=deaf)
        self._deaf = (self._deaf | {host}) if deaf else (self._deaf - {host})

    def vrrp_neighbour(self, router: VrrpRouter) -> Keepalived:
        neighbour = Keepalived(self, router, Process)
        self._neighbours.append(neighbour)
        return neighbour

    def reset(self) -> None:
        for neighbour in self._neighbours:
            neighbour.close()
        self._neighbours.clear()
        self.switch.part(tuple(self.hosts), parted=False)
        for host in self.hosts.values():
            host.reset()
        if self._second is not None:
            for host in self._second.hosts.values():
                host.reset()
            self._second.switch.settle()
        for name in self._deaf:
            self.switch.deafen(name, deaf=False)
        self._deaf = frozenset()
        self.switch.settle()
        for source in tuple(self._watched):
            self.unwatch(source)
        for listener in self.closing:
            listener.close()
        self.closing.clear()
        self.processes = [process for process in self.processes if process.status is None]
        for port in self._ports:
            port.close()
        self._ports.clear()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Lets one process of this machine make namespaces: the kernel locks much meanwhile, and lanes that begin one after the other do not all want a CPU at once."""
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def netns_bench(starters: Sequence[Starter]) -> Iterator[NetnsBench]:
    """A bench with a host for each of ``starters``, named a, b, c … at 192.0.2.1, .2 …, the tester at .254."""
    with ExitStack() as whole:
        with _one_at_a_time():
            plugged, stack = whole.enter_context(switch())
            tester = plugged.plug("tester", f"{_SUBNET}.254/24", bytes.fromhex("0200000002fe"), stack)
            hosts = [
                plugged.plug(
                    _NAMES[number - 1],
                    f"{_SUBNET}.{number}/24",
                    bytes([2, 0, 0, 0, 2, number]),
                    stack,
                    own_stack=starter.own_stack,
                )
                for number, starter in enumerate(starters, 1)
            ]
            plugged.settle()
        bench = NetnsBench(plugged, tester, hosts, starters, stack)
        try:
            yield bench
        finally:
            bench.reset()
            for host in bench.hosts.values():
                host.close()
