"""ucarp on a machine that is reached by ssh: a virtual machine, or one of the user's own.

An agent on the machine (:mod:`conformance.targets.ucarp.agent`) starts ucarp in the place of the lane and tells its lines with times of the machine's clock. They go into the trace with
times of the tester's clock: the offset is measured by asking for the time, as NTP does, and how far it may be wrong counts as noise of the rig, like everything else that is late there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.segment.decision import Inconclusive, seconds
from conformance.segment.trace import HostEvent, HostKind
from conformance.targets.pixit import PixitHost
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.targets.remote.bench import RemoteBench
from conformance.targets.ucarp.clock import Offset, closest, stamped_ns
from conformance.targets.ucarp.driver import arguments, interpret, script_late_ns
from conformance.targets.ucarp.link import HELLO_NS, AgentLink
from conformance.wire.digest import Address

START_NS, STOP_NS = 20_000_000_000, 5_000_000_000
CLOCK_TRIES = 5
PREFIX = 24
_SCRIPT = """\
#!{shell}
[ "${CARP_SCRIPT_TAKES:-0}" = 0 ] || sleep "$CARP_SCRIPT_TAKES"
{ip} address VERB "$2/32" dev "$1" 2>/dev/null
echo "script NAME $*" >&2
"""


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
        self._run = 0
        self._removed = self._pulled = self._known = False
        self._switched: dict[int, int] = {}
        self._link = AgentLink(bench, host, self._hear)
        self.ask, self.tell = self._link.ask, self._link.tell
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
        with self.bench.taking_time():
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
        self._link.forget()
        self._runs.clear()
        self._switched.clear()
        self._removed = self._pulled = self._known = False

    def hear_out(self) -> None:
        """Returns when all has come that was said there, and how late that machine was."""
        if self._runs:
            self.ask("catch_up")

    def close(self) -> None:
        self._link.close()

    # --- hearing

    def _hear(self, word: str, values: tuple[Any, ...]) -> None:
        if word == "late":
            if self._known:  # what was late before this case is no excuse in it
                self.bench.blame_a_machine(values[1])
            return
        there_ns, run, what = values
        iut = self._runs.get(run)
        if iut is None:
            return
        if word == "lines":
            for line in what:
                self._said(iut, there_ns, line)
        else:
            iut.status = what
            self._tell(there_ns, HostKind.PROCESS, f"the process ended with status {what}")

    def _said(self, iut: RemoteUcarp, read_ns: int, line: str) -> None:
        iut.lines.append(line)
        kind, text = interpret(line)
        written_ns = stamped_ns(line)
        there_ns = written_ns if written_ns is not None and written_ns <= read_ns else read_ns
        self.bench.blame_the_rig(self.bench.loop.now_ns() - self.offset.latest_ns(there_ns))
        if kind is HostKind.STATE:
            self._switched[id(iut)] = there_ns
        elif kind is HostKind.SCRIPT and id(iut) in self._switched:
            self.bench.blame_the_rig(script_late_ns(iut.settings, there_ns - self._switched.pop(id(iut))))
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
