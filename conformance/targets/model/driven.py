"""The driver's side of a model process: starts it in a host's namespace, asks it over its control channel, takes its lines into the trace."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.model.config import ConfigurationError
from conformance.model.dialects import Dialect
from conformance.segment.trace import HostEvent, HostKind
from conformance.targets.model.target import SEED
from conformance.targets.netns_bench import BenchHost, NetnsBench
from conformance.targets.process import Process

ANSWER_NS = 10_000_000_000
"""How long a model process may take to answer its driver, its start included."""


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


@dataclass(slots=True)
class Plugged:
    """An interface of the machine and the host that it is on its segment; ``order`` is what the process is told of it."""

    host: BenchHost
    order: Mapping[str, Any]


@dataclass(slots=True)
class ModelMachineProcess:
    """One model process: a machine of one dialect with one interface or two.

    It starts at the first need and lives on from case to case; each case gets a new machine in it.
    """

    bench: NetnsBench
    rules: Dialect
    plugged: list[Plugged] = field(default_factory=list)
    exited: set[tuple[str, int]] = field(default_factory=set)
    """The daemons that have ended in this case, by interface and vhid."""
    _process: Process | None = None
    _control: socket.socket | None = None
    _answers: list[dict[str, Any]] = field(default_factory=list)
    _rest: bytes = b""
    _begun: bool = False
    _spoken: int = 0

    @property
    def name(self) -> str:
        """That of its first interface's host."""
        return self.plugged[0].host.name

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.status is None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "the process starts at the first need"
        return self._process.pid

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """The process's answer to a request (:class:`conformance.targets.model.process.Requests`): ``value`` and ``at_ns``.

        Raises :class:`ConfigurationError` if the model refuses it, :class:`ModelProcessLost` without one.
        """
        if not self._begun:
            self._begin()
        return self._exchange(do, **fields)

    def last_words(self) -> list[str]:
        """The last lines that the process said in this case."""
        return [] if self._process is None else self._process.lines[self._spoken :][-6:]

    def end_case(self) -> None:
        """The machine goes, the process stays and says how late it was."""
        begun, self._begun = self._begun, False
        if begun:
            try:
                late = self._exchange("end")["value"]
            except ModelProcessLost:
                self.close()
            else:
                text = f"the rig: {late['timers']} timers ran at most {late['max_ns'] / 1e6:.1f} ms late"
                self.bench.trace.add(HostEvent(self.bench.loop.now_ns(), self.name, HostKind.LOG, text))
        self.exited.clear()

    def hang_up(self) -> None:
        """Closes the control channel: the process ends by itself and says how late it was."""
        if self._control is not None:
            self.bench.unwatch(self._control)
            self._control.close()

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self.hang_up()
            self._process.end()
            self._process = self._control = None

    def _begin(self) -> None:
        if self._process is None or self._process.status is not None:
            self._spawn()
        else:
            self._process.watch()
        assert self._control is not None
        assert self._process is not None
        self.bench.watch(self._control, self._hear)
        self._spoken = len(self._process.lines)
        first, *others = self.plugged
        number = int(first.host.station.address.ip)
        second = {"second": others[0].order} if others else {}
        self._exchange(
            "begin", name=self.name, dialect=self.rules.key, seed=SEED + number, **first.order, **second
        )
        self._begun = True

    def _spawn(self) -> None:
        self.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-m", "conformance.targets.model.process", str(number)]
            self._process = Process(self.plugged[0].host, command, self._interpret, pass_fds=(number,))
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

    def _interpret(self, line: str, time_ns: int) -> tuple[HostKind, str] | None:
        """The event of a line, None if it is none or is another interface's, whose host tells it."""
        head, _, text = line.partition(" ")
        word, _, device = head.partition("@")
        if word == "late":
            self.bench.loop.was_late(int(text))  # a model that is late is no finding
        elif word == "exit":
            self.exited.add((device or self.plugged[0].order["interface"], int(text.split()[0])))
        event = interpret(f"{word} {text}" if device else line)
        told = [one.host.name for one in self.plugged[1:] if device == one.order["interface"]]
        if event is None or not told:
            return event
        self.bench.trace.add(HostEvent(time_ns, told[0], *event))
        return None
