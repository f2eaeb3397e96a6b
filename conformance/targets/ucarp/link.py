"""The conversation with the agent on a machine: it is sent there, asked, told to do things, and says by itself what it sees and how late that machine is."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable
from importlib import resources
from typing import Any

from conformance.lab.hosts import command
from conformance.lab.shell import HostError
from conformance.segment.decision import seconds
from conformance.targets.pixit import PixitHost
from conformance.targets.remote.bench import RemoteBench
from conformance.targets.remote.machine import access_of
from conformance.targets.remote.stream import Stream

ANSWER_NS, HELLO_NS = 20_000_000_000, 90_000_000_000
IMPATIENT_NS = 100_000_000
"""From then on what it was told to do and has not done is late, and getting later."""
BOOTSTRAP = """\
import os
source = os.fdopen(0, "rb", buffering=0, closefd=False)
length, text = int(source.readline()), b""
while len(text) < length:
    text += source.read(length - len(text))
exec(compile(text, "agent", "exec"), {"__name__": "__main__"})
"""
"""Reads no byte more than the agent's own text: requests may follow at once."""
Told = Callable[[str, tuple[Any, ...]], None]


def remote_command() -> str:
    """What is run on the machine: an interpreter for the agent, first process of namespaces of its own; descriptor 9 is the machine's own network."""
    agent = f"python3 -ISu -c {shlex.quote(BOOTSTRAP)}"
    return f"exec 9</proc/self/ns/net; exec unshare --net --pid --fork --kill-child=KILL --mount-proc {agent}"


class AgentLink:
    """A connection to one agent. ``told`` takes what it says unasked: a word (``lines``, ``ended``, ``late``) and its values."""

    def __init__(self, bench: RemoteBench, host: PixitHost, told: Told) -> None:
        self._bench, self._name, self._told_unasked = bench, host.name, told
        self._answers: dict[int, tuple[str, Any]] = {}
        self._told: dict[int, int] = {}
        """What it was told to do and has not done yet: since when, by number."""
        self._objections: list[tuple[str, Any]] = []
        self._serial = 0
        self._stream = Stream(bench, command(access_of(host), remote_command()), self._hear)
        source = resources.files(__package__).joinpath("agent.py").read_bytes()
        self._stream.write(b"%d\n%b" % (len(source), source))

    def ask(self, method: str, *values: object, within_ns: int = ANSWER_NS) -> Any:
        """The agent's answer; the segment goes on meanwhile. Raises :class:`HostError`."""
        number = self._request(method, values)
        loop = self._bench.loop
        loop.run_until(lambda: number in self._answers or self._stream.ended, loop.now_ns() + within_ns)
        self._stream.read()
        if number not in self._answers:
            said = "; ".join(self._stream.lines[-3:]) or "it said nothing"
            why = (
                f"its agent ended ({said})"
                if self._stream.ended
                else f"its agent did not answer {method!r} in {seconds(within_ns)}"
            )
            raise HostError(
                self._name, why, "look whether it runs, and whether Python 3 and util-linux are there"
            )
        return self._taken(*self._answers.pop(number))

    def tell(self, method: str, *values: object) -> None:
        """Lets the agent do something, and does not wait: its effect may be seen before it has answered. How long that takes is noise, while it lasts too."""
        number = self._request(method, values)
        self._told[number] = self._bench.loop.now_ns()
        self._wait_for(number)

    def forget(self) -> None:
        """What was told before is no matter of the next case."""
        self._told.clear()

    def close(self) -> None:
        self._stream.close()

    def _request(self, method: str, values: tuple[object, ...]) -> int:
        for verdict, value in self._objections:
            self._objections.clear()
            self._taken(verdict, value)
        self._serial += 1
        self._stream.watch()
        self._stream.write(repr((self._serial, method, values)).encode() + b"\n")
        return self._serial

    def _taken(self, verdict: str, value: Any) -> Any:
        if verdict == "refused":
            raise HostError(
                self._name, f"its agent could not do {value}", "it has to be root there, with iproute2"
            )
        return value

    def _wait_for(self, number: int) -> None:
        loop = self._bench.loop

        def look() -> None:
            if number in self._told:
                self._bench.blame_the_rig(loop.now_ns() - self._told[number])
                self._wait_for(number)

        loop.at(loop.now_ns() + IMPATIENT_NS, look)

    def _hear(self, line: str) -> None:
        if not line.startswith("("):
            return
        word, *values = ast.literal_eval(line)
        if word not in ("answer", "refused"):
            self._told_unasked(word, tuple(values))
            return
        number, value = values
        if number not in self._told:
            self._answers[number] = (word, value)
            return
        self._bench.blame_the_rig(self._bench.loop.now_ns() - self._told.pop(number))
        if word == "refused":
            self._objections.append((word, value))
