"""A lane in network namespaces: the tester, a switch and hosts whose IUTs are processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Protocol

from conformance.lab.netns import Station, Switch, switch
from conformance.segment.live import LivePort
from conformance.segment.loop import HasFileno, Loop, RealClock
from conformance.segment.trace import HostEvent, HostKind, TesterAction, Trace
from conformance.targets.protocol import Iut, Settings
from conformance.wire.digest import Address

PROBE_NS = 250_000_000
IP_FREEBIND = 15
_SUBNET = "192.0.2"
_NAMES = "abcdefghijklmnopqrstuvwxyz"


class Starter(Protocol):
    """Starts an IUT on a host of the bench; returns when it is in BACKUP."""

    def __call__(self, host: NetnsHost, settings: Settings) -> Iut: ...


class Process:
    """A process in a host's namespace whose output lines go into the trace as they come.

    ``interpret(line)`` gives the kind and the text of the host event.
    """

    def __init__(self, host: NetnsHost, command: Sequence[str], interpret: Callable[[str], tuple[HostKind, str]], **popen: object) -> None:
        self.host, self.lines = host, list[str]()
        self._interpret = interpret
        self._rest = b""
        self._popen = host.station.namespace.spawn(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen)
        assert self._popen.stdout is not None
        self._out = self._popen.stdout
        os.set_blocking(self._out.fileno(), False)
        host.bench.watch(self._out, self._read)

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal, None while it runs."""
        return self._popen.poll()

    def signal(self, name: str) -> None:
        self.host.bench.note(f"sends SIG{name} to the process on {self.host.name}")
        self._popen.send_signal(getattr(signal, f"SIG{name}"))

    def end(self) -> None:
        """Kills it if it still runs and waits for the kernel to say so."""
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        self.host.bench.unwatch(self._out)
        self._out.close()

    def _read(self) -> None:
        data = self._out.read(65_536)
        if data is None:
            return
        if not data:
            self.host.bench.unwatch(self._out)
            self._popen.wait()
            self._tell(HostKind.PROCESS, f"the process ended with status {self._popen.returncode}")
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            self.lines.append(text)
            self._tell(*self._interpret(text))

    def _tell(self, kind: HostKind, text: str) -> None:
        bench = self.host.bench
        bench.trace.add(HostEvent(bench.loop.now_ns(), self.host.name, kind, text))


class NetnsHost:
    """A host of the bench (a :class:`conformance.targets.protocol.SutHost`)."""

    def __init__(self, bench: NetnsBench, station: Station, start: Starter) -> None:
        self.bench, self.station, self.name, self.mac = bench, station, station.name, station.mac
        self.addresses: tuple[Address, ...] = (station.address.ip,)
        self._start = start
        self.iuts: list[Iut] = []
        self.removed = False

    def start(self, settings: Settings) -> Iut:
        self.bench.note(f"starts vhid {settings.vhid} on {self.name}: advbase {settings.advbase}, advskew {settings.advskew}{', preempt' if settings.preempt else ''}")
        iut = self._start(self, settings)
        self.iuts.append(iut)
        return iut

    def cable(self, *, plugged: bool) -> None:
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}")
        self.bench.switch.cable(self.name, plugged=plugged)

    def remove_interface(self) -> None:
        self.bench.note(f"removes the interface of {self.name}")
        self.bench.switch.unplug(self.name)
        self.removed = True

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

    def __init__(self, plugged: Switch, tester: Station, hosts: Sequence[Station], start: Starter) -> None:
        self.switch, self._tester = plugged, tester
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.trace = Trace()
        self.tester_addresses: tuple[Address, ...] = (tester.address.ip,)
        self.tester_mac = tester.mac
        self.hosts: Mapping[str, NetnsHost] = {station.name: NetnsHost(self, station, start) for station in hosts}
        self.shared_addresses: tuple[Address, ...] = tuple(ip_address(f"{_SUBNET}.{last}") for last in range(100, 110))
        self.closing: list[socket.socket] = []
        self._watched: list[HasFileno] = []
        self._port: LivePort | None = None

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
        with self._tester.namespace.entered():
            self._port = LivePort(self._tester.interface, lambda time_ns, data, sent: trace.add_frame(time_ns, data, sent=sent))
        self.watch(self._port, self._port.read)
        return self._port

    def clock_step_ns(self) -> int:
        return self.clock.stepped_ns()

    def probe(self, address: Address, port: int, reply: Callable[[int, str | None], None]) -> None:
        with self._tester.namespace.entered():
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        connection.connect_ex((str(address), port))

        def finish(answer: str | None) -> None:
            timeout.cancel()
            self.unwatch(connection)
            connection.close()
            reply(self.loop.now_ns(), answer)

        def readable() -> None:
            try:
                answer = connection.recv(64).decode(errors="replace") or None
            except OSError:
                answer = None
            finish(answer)

        timeout = self.loop.at(self.loop.now_ns() + PROBE_NS, lambda: finish(None))
        self.watch(connection, readable)

    def part(self, *, parted: bool) -> None:
        self.note("parts the hosts from one another" if parted else "lets the hosts hear one another again")
        self.switch.part(tuple(self.hosts), parted=parted)

    def reset(self) -> None:
        for host in self.hosts.values():
            for iut in host.iuts:
                iut.kill()
            host.iuts.clear()
            if host.removed:
                self.switch.replug(host.name)
                host.removed = False
            host.station.flush_addresses()
            self.switch.cable(host.name, plugged=True)
        self.switch.part(tuple(self.hosts), parted=False)
        for source in tuple(self._watched):
            self.unwatch(source)
        for listener in self.closing:
            listener.close()
        self.closing.clear()
        if self._port is not None:
            self._port.close()
            self._port = None


@contextmanager
def netns_bench(count: int, start: Starter) -> Iterator[NetnsBench]:
    """A bench with ``count`` hosts named a, b, c … at 192.0.2.1, .2 …, the tester at .254."""
    with switch() as (plugged, stack):
        tester = plugged.plug("tester", f"{_SUBNET}.254/24", bytes.fromhex("0200000002fe"), stack)
        hosts = [plugged.plug(_NAMES[i], f"{_SUBNET}.{i + 1}/24", bytes([2, 0, 0, 0, 2, i + 1]), stack) for i in range(count)]
        bench = NetnsBench(plugged, tester, hosts, start)
        try:
            yield bench
        finally:
            bench.reset()

