"""ucarp on a machine that is reached by ssh: a virtual machine, or one of the user's own.

An agent on the machine (:mod:`conformance.targets.ucarp.agent`) starts ucarp in the place of the lane and tells its lines with times of the machine's clock. They go into the trace with
times of the tester's clock: the offset is measured by asking for the time, as NTP does, and how far it may be wrong counts as noise of the rig, like everything else that is late there.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from conformance.lab.hosts import command
from conformance.lab.shell import HostError
from conformance.segment.decision import Inconclusive, seconds
from conformance.segment.trace import HostEvent, HostKind
from conformance.targets.pixit import PixitHost
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.targets.remote.bench import RemoteBench
from conformance.targets.remote.machine import access_of
from conformance.targets.remote.stream import Stream
from conformance.targets.ucarp.driver import arguments, interpret
from conformance.wire.digest import Address

START_NS, STOP_NS, ANSWER_NS, HELLO_NS = 20_000_000_000, 5_000_000_000, 20_000_000_000, 90_000_000_000
CLOCK_TRIES = 5
PREFIX = 24
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}): ")
_BOOTSTRAP = """\
import os
source = os.fdopen(0, "rb", buffering=0, closefd=False)
length, text = int(source.readline()), b""
while len(text) < length:
    text += source.read(length - len(text))
exec(compile(text, "agent", "exec"), {"__name__": "__main__"})
"""
"""Reads no byte more than the agent's own text: requests may follow at once."""
_SCRIPT = """\
#!{shell}
[ "${CARP_SCRIPT_TAKES:-0}" = 0 ] || sleep "$CARP_SCRIPT_TAKES"
{ip} address VERB "$2/32" dev "$1" 2>/dev/null
echo "script NAME $*" >&2
"""


def remote_command() -> str:
    """What is run on the machine: an interpreter for the agent, first process of namespaces of its own; descriptor 9 is the machine's own network."""
    agent = f"python3 -ISu -c {shlex.quote(_BOOTSTRAP)}"
    return f"exec 9</proc/self/ns/net; exec unshare --net --pid --fork --kill-child=KILL --mount-proc {agent}"


@dataclass(frozen=True, slots=True)
class Offset:
    """The machine's clock less the tester's, known to ``uncertainty_ns`` either way."""

    offset_ns: int
    uncertainty_ns: int

    def here_ns(self, there_ns: int) -> int:
        """A time of the machine's clock on the tester's."""
        return there_ns - self.offset_ns

    def latest_ns(self, there_ns: int) -> int:
        """The latest that it can have been here: what a frame has caused is not to be told before that frame."""
        return self.here_ns(there_ns) + self.uncertainty_ns


def closest(tries: Sequence[tuple[int, int, int]]) -> Offset:
    """The offset from exchanges (asked at, the machine's answer, answered at; the outer two on the tester's clock): of the quickest, which half its duration can be wrong by."""
    asked_ns, there_ns, answered_ns = min(tries, key=lambda one: one[2] - one[0])
    half_ns = (answered_ns - asked_ns + 1) // 2
    return Offset(there_ns - (asked_ns + half_ns), half_ns)


def stamped_ns(line: str) -> int | None:
    """When ucarp says that it wrote a log line (its wall clock, in UTC), in nanoseconds."""
    found = _STAMP.match(line)
    if found is None:
        return None
    moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


class RemoteUcarp:
    """One ucarp process (an :class:`conformance.targets.protocol.Iut`)."""

    def __init__(self, host: UcarpMachine, settings: Settings, run: int) -> None:
        self.settings, self._host, self._run = settings, host, run
        self.started_ns = 0
        self.status: int | None = None
        self.lines: list[str] = []

    def running(self) -> bool:
        return self.status is None

    def stop(self) -> None:
        self.signal("TERM")
        loop = self._host.bench.loop
        loop.run_until(lambda: not self.running(), loop.now_ns() + STOP_NS)

    def kill(self) -> None:
        if self._host.has(self._run):
            self._host.ask("end", self._run)
            self._host.forget(self._run)
            self.status = self.status if self.status is not None else -9

    def signal(self, name: str) -> None:
        self._host.bench.note(f"sends SIG{name} to the process on {self._host.name}")
        self._host.tell("signal", self._run, name)

    def describe(self) -> str:
        alive = "running" if self.running() else f"ended with status {self.status}"
        tail = self.lines[-6:] or ["(it said nothing)"]
        return f"ucarp on {self._host.name} is {alive}; its last words:\n" + "\n".join(
            f"    {line}" for line in tail
        )


class UcarpMachine:
    """The place of this lane on a machine (a :class:`conformance.targets.remote.bench.RemoteSut`). Raises :class:`HostError`."""

    def __init__(self, bench: RemoteBench, host: PixitHost, mac: bytes) -> None:
        self.bench, self.name, self.mac = bench, host.name, mac
        self.addresses: tuple[Address, ...] = host.addresses
        self.offset = Offset(0, 0)
        self._runs: dict[int, RemoteUcarp] = {}
        self._answers: dict[int, tuple[str, Any]] = {}
        self._told: dict[int, int] = {}
        self._objections: list[tuple[str, Any]] = []
        self._serial = self._run = 0
        self._removed = self._pulled = self._known = False
        self._switched: dict[int, int] = {}
        line = command(access_of(host), remote_command())
        self._stream = Stream(bench, line, self._hear)
        source = resources.files(__package__).joinpath("agent.py").read_bytes()
        self._stream.write(b"%d\n%b" % (len(source), source))
        assert bench.lane.vlan is not None, "the target asks for VLANs"
        self.ask(
            "place",
            host.interface,
            bench.lane.vlan,
            mac.hex(":"),
            str(host.addresses[0]),
            PREFIX,
            within_ns=HELLO_NS,
        )

    # --- asking

    def ask(self, method: str, *values: object, within_ns: int = ANSWER_NS) -> Any:
        """The agent's answer; the segment goes on meanwhile. Raises :class:`HostError`."""
        number = self._request(method, values)
        loop = self.bench.loop
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
                self.name, why, "look whether it runs, and whether Python 3 and util-linux are there"
            )
        return self._taken(*self._answers.pop(number))

    def tell(self, method: str, *values: object) -> None:
        """Lets the agent do something, and does not wait: its effect may be seen before it has answered. How long that took is noise."""
        self._told[self._request(method, values)] = self.bench.loop.now_ns()

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
                self.name, f"its agent could not do {value}", "it has to be root there, with iproute2"
            )
        return value

    def has(self, run: int) -> bool:
        return run in self._runs

    def forget(self, run: int) -> None:
        self._runs.pop(run, None)

    # --- a host of the bench

    def start(self, settings: Settings) -> RemoteUcarp:
        preempt = ", preempt" if settings.preempt else ""
        self.bench.note(
            f"starts vhid {settings.vhid} on {self.name}: advbase {settings.advbase}, advskew {settings.advskew}{preempt}"
        )
        self._know_the_clock()
        self._run += 1
        iut = RemoteUcarp(self, settings, self._run)
        self._runs[self._run] = iut
        options = settings.options
        chosen = {"upscript": "{folder}/up", "downscript": "{folder}/down"} | dict(options)
        wanted = Settings(
            vhid=settings.vhid, password=settings.password, addresses=settings.addresses, advbase=settings.advbase,
            advskew=settings.advskew, preempt=settings.preempt, options=chosen,
        )  # fmt: skip
        program = [
            "stdbuf",
            "--output=L",
            "ucarp",
            *arguments(wanted, "eth0", str(self.addresses[0]), "{passfile}"),
        ]
        environment = {"TZ": "UTC", "LC_ALL": "C", "CARP_SCRIPT_TAKES": str(options.get("script_takes", 0))}
        self.ask("start", self._run, program, environment, settings.password, self._scripts())
        runs_script = not options.get("neutral") and "downscript" not in options
        ready = "script down " if runs_script else "Switching to state: BACKUP"
        loop = self.bench.loop
        began = loop.run_until(
            lambda: iut.status is not None or any(ready in line for line in iut.lines),
            loop.now_ns() + START_NS,
        )
        if began and iut.status is None:
            return iut
        said, status = "\n".join(iut.lines), iut.status
        iut.kill()
        if not began:
            raise Inconclusive(
                f"ucarp on {self.name} was not in BACKUP {seconds(START_NS)} after its start: that machine is too slow or busy. {iut.describe()}"
            )
        raise ConfigurationRefused(status, said)

    def cable(self, *, plugged: bool) -> None:
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}")
        self.tell("cable", plugged)
        self._pulled = not plugged

    def remove_interface(self) -> None:
        self.bench.note(f"removes the interface of {self.name}")
        self.tell("unplug")
        self._removed = True

    def serve(self, address: Address, port: int) -> None:
        self.ask("serve", str(address), port, self.name)

    def reset(self) -> None:
        if self._runs or self._removed or self._pulled or self._known:
            self.ask("clear", self._removed, self._pulled)
        self._runs.clear()
        self._switched.clear()
        self._removed = self._pulled = self._known = False

    def close(self) -> None:
        self._stream.close()

    # --- hearing

    def _hear(self, line: str) -> None:
        if not line.startswith("("):
            return
        word, *values = ast.literal_eval(line)
        if word in ("answer", "refused") and values[0] in self._told:
            self.bench.blame_the_rig(self.bench.loop.now_ns() - self._told.pop(values[0]))
            if word == "refused":
                self._objections.append((word, values[1]))
        elif word in ("answer", "refused"):
            self._answers[values[0]] = (word, values[1])
        elif word == "late":
            if self._known:  # what was late before this case is no excuse in it
                self.bench.blame_the_rig(values[1])
        else:
            there_ns, run, what = values
            iut = self._runs.get(run)
            if iut is None:
                return
            if word == "line":
                self._said(iut, there_ns, what)
            else:
                iut.status = what
                self._tell(there_ns, HostKind.PROCESS, f"the process ended with status {what}")

    def _said(self, iut: RemoteUcarp, read_ns: int, line: str) -> None:
        iut.lines.append(line)
        kind, text = interpret(line)
        written_ns = stamped_ns(line)
        there_ns = written_ns if written_ns is not None and written_ns <= read_ns else read_ns
        if kind is HostKind.STATE:
            self._switched[id(iut)] = there_ns
        elif kind is HostKind.SCRIPT and id(iut) in self._switched:
            self._blame_the_script(iut, there_ns - self._switched.pop(id(iut)))
            if text.startswith("down") and not iut.started_ns:
                iut.started_ns = self.offset.here_ns(there_ns)
        if not iut.started_ns:
            self._maybe_started(iut, kind, text, there_ns)
        self._tell(there_ns, kind, text)

    def _maybe_started(self, iut: RemoteUcarp, kind: HostKind, text: str, there_ns: int) -> None:
        """Without a script of ours the timer runs from the change of state on."""
        options = iut.settings.options
        if (
            kind is HostKind.STATE
            and text == "BACKUP"
            and (options.get("neutral") or "downscript" in options)
        ):
            iut.started_ns = self.offset.here_ns(there_ns)

    def _blame_the_script(self, iut: RemoteUcarp, took_ns: int) -> None:
        """A script of three commands takes a few milliseconds, and what was asked for; what it takes beyond is the slowness of the machine, and delays what comes after it."""
        asked_ns = int(float(iut.settings.options.get("script_takes", 0)) * 1e9)
        self.bench.blame_the_rig(max(took_ns - asked_ns, 0))

    def _tell(self, there_ns: int, kind: HostKind, text: str) -> None:
        self.bench.blame_the_rig(2 * self.offset.uncertainty_ns)
        latest_ns = min(self.offset.latest_ns(there_ns), self.bench.loop.now_ns())
        self.bench.trace.add(HostEvent(latest_ns, self.name, kind, text))

    def _know_the_clock(self) -> None:
        """Measures the offset of the machine's clock, once in each case."""
        if self._known:
            return
        loop = self.bench.loop
        tries = []
        for _ in range(CLOCK_TRIES):
            asked_ns = loop.now_ns()
            there_ns = int(self.ask("clock"))
            tries.append((asked_ns, there_ns, loop.now_ns()))
        self.offset, self._known = closest(tries), True
        text = f"the rig: the clock of {self.name} is {self.offset.offset_ns / 1e9:+.6f} s from the tester's, known to {self.offset.uncertainty_ns / 1e6:.1f} ms"
        self.bench.tell(self.name, HostKind.LOG, text)

    def _scripts(self) -> dict[str, str]:
        """What ``vip-up.sh`` and ``vip-down.sh`` do; the agent fills in the quickest shell of that machine."""
        return {
            name: _SCRIPT.replace("VERB", verb).replace("NAME", name)
            for name, verb in (("up", "add"), ("down", "del"))
        }


def maker(mac: Callable[[str], bytes]) -> Callable[[RemoteBench, PixitHost], UcarpMachine]:
    """Makes the places of a lane; ``mac`` gives the address of a host by its name."""
    return lambda bench, host: UcarpMachine(bench, host, mac(host.name))
