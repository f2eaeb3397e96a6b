"""Starts, signals and reads ucarp processes.

The log grammar is that of ``src/log.c`` of ucarp 1.5.2: ``2026-11-22T16:26:20.791103: [WARNING] Switching to state: BACKUP``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from conformance.segment.decision import Inconclusive, seconds
from conformance.segment.trace import HostKind
from conformance.targets.netns_bench import NetnsHost
from conformance.targets.process import Process
from conformance.targets.protocol import ConfigurationRefused, Settings

START_NS = 5_000_000_000
STOP_NS = 3_000_000_000
_HERE = Path(__file__).parent
_LINE = re.compile(r"^\S+: \[(?P<level>\w+)\] (?P<text>.*)$")
_STATE = re.compile(r"^Switching to state: (?P<state>\w+)$")

_FLAGS: Mapping[str, str] = {
    "neutral": "--neutral",
    "shutdown": "--shutdown",
    "ignore_ifstate": "--ignoreifstate",
    "nomcast": "--nomcast",
    "debug": "--debug",
}
_VALUES: Mapping[str, str] = {
    "dead_ratio": "--deadratio",
    "mcast": "--mcast",
    "xparam": "--xparam",
    "upscript": "--upscript",
    "downscript": "--downscript",
}
_OPTIONS = frozenset({*_FLAGS, *_VALUES, "source", "password_argument", "omit", "extra", "script_takes"})


class UnknownOption(ValueError):
    """An option that this driver does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the ucarp driver has no option {name!r}; it has {', '.join(sorted(_OPTIONS))}")


def arguments(settings: Settings, interface: str, source: str, passfile: str) -> list[str]:
    """The command line of ucarp for ``settings``, by long options, without the program's name.

    The option ``omit`` names long options that are left out (``("advbase",)``), ``extra`` holds arguments that are added at the end, where they win; ``script_takes``
    (of the process, not of the command line) is how many seconds its scripts take.
    """
    options = settings.options
    for name in options:
        if name not in _OPTIONS:
            raise UnknownOption(name)
    secret = (
        [f"--pass={settings.password}"] if options.get("password_argument") else [f"--passfile={passfile}"]
    )
    chosen = {"upscript": str(_HERE / "vip-up.sh"), "downscript": str(_HERE / "vip-down.sh")} | dict(options)
    omitted = {f"--{name}" for name in options.get("omit", ())}
    given = [
        f"--interface={interface}", f"--srcip={options.get('source', source)}", f"--vhid={settings.vhid}", *secret,
        *(f"--addr={address}" for address in settings.addresses), f"--advbase={settings.advbase}", f"--advskew={settings.advskew}",
        *(["--preempt"] if settings.preempt else []),
        *(flag for name, flag in _FLAGS.items() if chosen.get(name)),
        *(f"{flag}={chosen[name]}" for name, flag in _VALUES.items() if name in chosen),
    ]  # fmt: skip
    return [*(one for one in given if one.partition("=")[0] not in omitted), *options.get("extra", ())]


def interpret(line: str) -> tuple[HostKind, str]:
    """What a line of ucarp's standard error, or of its scripts, means."""
    if line.startswith("script "):
        return HostKind.SCRIPT, line.removeprefix("script ")
    parsed = _LINE.match(line)
    if parsed is None:
        return HostKind.LOG, line
    state = _STATE.match(parsed["text"])
    return (
        (HostKind.STATE, state["state"]) if state else (HostKind.LOG, f"[{parsed['level']}] {parsed['text']}")
    )


def script_late_ns(settings: Settings, took_ns: int) -> int:
    """By how much the machine was late with a script of ours that took so long: it takes a few milliseconds, and what was asked for."""
    return max(took_ns - int(float(settings.options.get("script_takes", 0)) * 1e9), 0)


class Ucarp:
    """One ucarp process (an :class:`conformance.targets.protocol.Iut`)."""

    def __init__(self, host: NetnsHost, settings: Settings, program: str) -> None:
        self.settings, self._host = settings, host
        self._switched_ns: int | None = None
        secret = os.memfd_create("password")  # in no folder, so that nothing of it is left whatever happens
        try:
            os.write(secret, settings.password.encode() + b"\n")
            self.started_ns = self._start(settings, program, secret)
        finally:
            os.close(secret)

    def _start(self, settings: Settings, program: str, secret: int) -> int:
        """Returns when its timer began to run, in nanoseconds since the epoch."""
        host = self._host
        # ucarp writes INFO lines to its standard output, which the C library would hold back and lose at a signal, and others in pieces.
        command = [
            "stdbuf",
            "--output=L",
            "--error=L",
            program,
            *arguments(
                settings, host.station.interface, str(host.station.address.ip), f"/proc/self/fd/{secret}"
            ),
        ]
        self._process = Process(
            host,
            command,
            self._hear,
            pass_fds=(secret,),
            env=os.environ
            | {"TZ": "UTC", "LC_ALL": "C", "CARP_SCRIPT_TAKES": str(settings.options.get("script_takes", 0))},
        )
        # The timer begins to run when the down script of the change to BACKUP has ended, which it says itself.
        runs_script = not settings.options.get("neutral") and "downscript" not in settings.options
        ready = "script down " if runs_script else "Switching to state: BACKUP"
        began = self._await(
            lambda: self._process.status is not None or self._process.said_ns(ready) is not None, START_NS
        )
        started_ns = self._process.said_ns(ready)
        if started_ns is not None and self._process.status is None:
            return started_ns
        self._process.end()
        if not began:
            raise Inconclusive(
                f"ucarp on {host.name} was not in BACKUP {seconds(START_NS)} after its start: this machine is too slow or busy. {self.describe()}"
            )
        raise ConfigurationRefused(self._process.status, "\n".join(self._process.lines))

    def running(self) -> bool:
        return self._process.status is None

    def stop(self) -> None:
        self.signal("TERM")
        self._await(lambda: not self.running(), STOP_NS)

    def kill(self) -> None:
        self._process.end()

    def signal(self, name: str) -> None:
        self._process.signal(name)

    def describe(self) -> str:
        alive = "running" if self.running() else f"ended with status {self._process.status}"
        tail = self._process.lines[-6:] or ["(it said nothing)"]
        return f"ucarp on {self._host.name} is {alive}; its last words:\n" + "\n".join(
            f"    {line}" for line in tail
        )

    def _hear(self, line: str, time_ns: int) -> tuple[HostKind, str]:
        """What a line means; its daemon stands still while its script runs, so that a slow script makes it late."""
        kind, text = interpret(line)
        if kind is HostKind.STATE:
            self._switched_ns = time_ns
        elif kind is HostKind.SCRIPT and self._switched_ns is not None:
            self._host.bench.loop.was_late(script_late_ns(self.settings, time_ns - self._switched_ns))
            self._switched_ns = None
        return kind, text

    def _await(self, condition: Callable[[], bool], limit_ns: int) -> bool:
        loop = self._host.bench.loop
        return loop.run_until(condition, loop.now_ns() + limit_ns)
