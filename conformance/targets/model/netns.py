"""The targets ``model:…@netns``: each host is a model process on a real interface, in real time."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Any

import conformance
from conformance.lab import netns
from conformance.lab.netns import Station
from conformance.model.config import ConfigurationError
from conformance.model.dialects import Dialect, dialect
from conformance.segment.trace import HostEvent, HostKind
from conformance.targets.keepalived import beside
from conformance.targets.model.process import document_of
from conformance.targets.model.target import MAX_HOSTS, SEED, deviations_of, pics
from conformance.targets.netns_bench import BenchHost, NetnsBench, Process, Starter, netns_bench
from conformance.targets.protocol import ConfigurationRefused, Profile, Settings
from conformance.wire.digest import Address

RUNG = "netns"
ANSWER_NS = 10_000_000_000
"""How long a model process may take to answer its driver, its start included."""
_PREFIX6 = "2001:db8::"


class ModelProcessLost(RuntimeError):
    """A model process does not answer its driver."""

    def __init__(self, host: str, asked: str, said: str) -> None:
        self.host, self.asked, self.said = host, asked, said
        super().__init__(
            f"the model process on {host} did not answer {asked!r}; it said: {said or 'nothing'}. "
            "If this machine is busy, run it with fewer lanes"
        )


def interpret(line: str) -> tuple[HostKind, str] | None:
    """What a line of a model process's standard output is as a host event; None if it is none."""
    word, _, text = line.partition(" ")
    match word:
        case "state":
            return HostKind.STATE, text
        case "script":
            return HostKind.SCRIPT, text
        case "exit":
            return HostKind.PROCESS, f"the process ended with status {text.split()[1]}"
        case "late" | "lateness":
            return None
    return HostKind.LOG, text if word == "log" else line


class ModelProcessIut:
    """One virtual host of a model process (an :class:`conformance.targets.protocol.Iut`)."""

    def __init__(self, host: ModelProcessHost, settings: Settings, started_ns: int) -> None:
        self.settings, self._host, self.started_ns = settings, host, started_ns
        self._there = True

    def running(self) -> bool:
        return self._there and self._host.alive and self.settings.vhid not in self._host.exited

    def stop(self) -> None:
        """As :meth:`conformance.targets.model.administrator.Administrator.take_down`."""
        self._host.bench.note(f"stops vhid {self.settings.vhid} on {self._host.name}")
        self._host.ask("stop", vhid=self.settings.vhid)
        self._there = self._host.rules.own_interface

    def kill(self) -> None:
        if self.running():
            self._there = False
            self._host.ask("destroy", vhid=self.settings.vhid)

    def signal(self, name: str) -> None:
        self._host.bench.note(f"sends SIG{name} to vhid {self.settings.vhid} on {self._host.name}")
        self._host.ask("signal", vhid=self.settings.vhid, name=name)

    def describe(self) -> str:
        tail = "\n".join(f"    {line}" for line in self._host.last_words()) or "    (it said nothing)"
        alive = "runs" if self.running() else "has ended"
        return f"the model of {self._host.rules.key} on {self._host.name} {alive}; its last words:\n{tail}"


class ModelProcessHost:
    """A host whose IP stack is a model process (a :class:`conformance.targets.protocol.SutHost`).

    The process starts at the first need and lives on from case to case; each case gets a new machine in it.
    """

    def __init__(self, bench: NetnsBench, station: Station, rules: Dialect) -> None:
        self.bench, self.station, self.rules = bench, station, rules
        self.name, self.mac = station.name, station.mac
        number = int(station.address.ip) & 0xFF
        self.interfaces = (
            station.address,
            ip_interface(f"{_PREFIX6}{number:x}/64"),
            ip_interface(f"fe80::{number:x}/64"),
        )
        self.addresses: tuple[Address, ...] = tuple(one.ip for one in self.interfaces)
        self.exited: set[int] = set()
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._answers: list[dict[str, Any]] = []
        self._rest = b""
        self._begun = False
        self._spoken = 0
        self._removed = False

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.status is None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "the process starts at the first need"
        return self._process.pid

    def start(self, settings: Settings) -> ModelProcessIut:
        preempt = ", preempt" if settings.preempt else ""
        self.bench.note(
            f"starts vhid {settings.vhid} on {self.name}: "
            f"advbase {settings.advbase}, advskew {settings.advskew}{preempt}"
        )
        self.exited.discard(settings.vhid)
        try:
            answer = self._ask("start", vhost=document_of(settings))
        except ConfigurationError as error:
            raise ConfigurationRefused(1, str(error)) from error
        ago_ns = time.monotonic_ns() - answer["at_ns"]
        return ModelProcessIut(self, settings, self.bench.loop.now_ns() - ago_ns)

    def cable(self, *, plugged: bool) -> None:
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}")
        self.bench.switch.cable(self.name, plugged=plugged)

    def remove_interface(self) -> None:
        self.bench.note(f"removes the interface of {self.name}")
        self.bench.switch.unplug(self.name)
        self._removed = True

    def serve(self, address: Address, port: int) -> None:
        self.ask("serve", address=str(address), port=port)

    def counters(self) -> Mapping[str, int]:
        counters: dict[str, int] = self.ask("counters")
        return counters

    def sysctl(self, name: str) -> int:
        return int(self.ask("sysctl", name=name))

    def set_sysctl(self, name: str, value: int) -> None:
        self.bench.note(f"writes net.inet.carp.{name}={value} on {self.name}")
        self.ask("set_sysctl", name=name, value=value)

    def ask(self, do: str, **fields: Any) -> Any:
        """The process's answer to a request (:class:`conformance.targets.model.process.Requests`).

        Raises :class:`ConfigurationError` if the model refuses it, :class:`ModelProcessLost` without one.
        """
        return self._ask(do, **fields)["value"]

    def last_words(self) -> list[str]:
        """The last lines that the process said in this case."""
        return [] if self._process is None else self._process.lines[self._spoken :][-6:]

    def reset(self) -> None:
        if self._begun:
            self._end_case()
        self._begun = False
        self.exited.clear()
        if self._removed:
            self.bench.switch.replug(self.name)
            self._removed = False
        self.bench.switch.cable(self.name, plugged=True)

    def hang_up(self) -> None:
        """Closes the control channel: the process ends by itself and says how late it was."""
        if self._control is not None:
            self.bench.unwatch(self._control)
            self._control.close()

    def close(self) -> None:
        if self._process is not None:
            self.hang_up()
            self._process.end()
            self._process = self._control = None

    def _end_case(self) -> None:
        try:
            late = self._exchange("end")["value"]
        except ModelProcessLost:
            self.close()
            return
        text = f"the rig: {late['timers']} timers ran at most {late['max_ns'] / 1e6:.1f} ms late"
        self.bench.trace.add(HostEvent(self.bench.loop.now_ns(), self.name, HostKind.LOG, text))

    def _ask(self, do: str, **fields: Any) -> dict[str, Any]:
        if not self._begun:
            self._begin()
        return self._exchange(do, **fields)

    def _begin(self) -> None:
        if self._process is None or self._process.status is not None:
            self._spawn()
        else:
            self._process.watch()
        assert self._control is not None
        assert self._process is not None
        self.bench.watch(self._control, self._hear)
        self._spoken = len(self._process.lines)
        self._exchange(
            "begin",
            name=self.name,
            dialect=self.rules.key,
            seed=SEED + int(self.station.address.ip),
            interface=self.station.interface,
            mac=self.mac.hex(":"),
            addresses=[str(one) for one in self.interfaces],
        )
        self._begun = True

    def _spawn(self) -> None:
        self.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-m", "conformance.targets.model.process", str(number)]
            self._process = Process(self, command, self._interpret, pass_fds=(number,))
        self._control.setblocking(False)
        self._answers.clear()
        self._rest = b""

    def _exchange(self, do: str, **fields: Any) -> dict[str, Any]:
        assert self._control is not None
        assert self._process is not None
        process, loop = self._process, self.bench.loop
        try:
            self._control.sendall(json.dumps({"do": do, **fields}).encode() + b"\n")
        except OSError as error:
            raise ModelProcessLost(self.name, do, "\n".join(process.lines[-6:])) from error
        loop.run_until(lambda: bool(self._answers) or process.status is not None, loop.now_ns() + ANSWER_NS)
        process.read()
        if not self._answers:
            self.close()
            raise ModelProcessLost(self.name, do, "\n".join(process.lines[-6:]))
        answer = self._answers.pop(0)
        if "refused" in answer:
            raise ConfigurationError(*answer["refused"])
        return answer

    def _hear(self) -> None:
        assert self._control is not None
        data = self._control.recv(65_536)
        if not data:
            self.bench.unwatch(self._control)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._answers.extend(json.loads(line) for line in lines)

    def _blame_the_rig(self, late_ns: int) -> None:
        """A model that is late is no finding: a timer of the bench is made to be as late."""
        self.bench.loop.at(self.bench.loop.now_ns() - late_ns, lambda: None)

    def _interpret(self, line: str) -> tuple[HostKind, str] | None:
        word, _, text = line.partition(" ")
        if word == "late":
            self._blame_the_rig(int(text))
        elif word == "exit":
            self.exited.add(int(text.split()[0]))
        return interpret(line)


@dataclass(frozen=True, slots=True)
class ModelProcesses:
    """The :class:`conformance.targets.netns_bench.Starter` of model processes of one dialect."""

    rules: Dialect
    own_stack: bool = True

    def host(self, bench: NetnsBench, station: Station) -> BenchHost:
        return ModelProcessHost(bench, station, self.rules)


class ModelNetnsTarget:
    """A :class:`conformance.targets.protocol.Target`."""

    def __init__(self, name: str, rules: Dialect) -> None:
        self._rules = rules
        self.profile = Profile(
            name=f"{name}@{RUNG}",
            dialect=rules,
            rung=RUNG,
            origin=f"this suite's model of {rules.key}",
            pics=beside(pics(rules)),
            deviations=deviations_of(rules.key),
            max_hosts=MAX_HOSTS,
        )

    def version(self) -> str:
        return conformance.__version__

    def lacks(self) -> tuple[tuple[str, str], ...]:
        return netns.lacks()

    def bench(self, hosts: int) -> AbstractContextManager[NetnsBench]:
        return netns_bench([self.starter()] * hosts)

    def starter(self) -> Starter:
        """One host of it, for a bench on which several implementations meet."""
        return ModelProcesses(self._rules)


def _target(name: str, key: str) -> Callable[[], ModelNetnsTarget]:
    return lambda: ModelNetnsTarget(f"model:{name}", dialect(key))


freebsd = _target("freebsd", "freebsd-13")
freebsd_10 = _target("freebsd-10", "freebsd-10")
freebsd_15 = _target("freebsd-15", "freebsd-15")
freebsd_legacy = _target("freebsd-legacy", "freebsd-legacy")
freebsd_legacy_6 = _target("freebsd-legacy-6", "freebsd-legacy-6")
openbsd = _target("openbsd", "openbsd")
ucarp = _target("ucarp", "ucarp")
