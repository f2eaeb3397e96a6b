"""A model host as a process of its own, on a packet socket and in real time.

``python -m conformance.targets.model.process FD``: FD is the control channel, a stream socket that carries
one JSON object a line each way. Passwords come over it alone. What the host says of itself goes to the
standard output, one line each: ``state``, ``log`` and ``script`` with their text, ``exit VHID STATUS``,
``late NS`` (a timer ran that late), ``lateness {…}`` at the end. What is of the second interface has its
name behind the first word (``state@eth1 MASTER``).

A request is ``{"do": NAME, …}``; its names are ``begin`` (the configuration: ``name``, ``dialect``, ``seed``,
``interface``, ``mac``, ``addresses``, ``sysctls``, ``vhosts``, and ``second`` with ``interface``, ``mac``
and ``addresses`` for a host with two of them), the methods of :class:`Requests`, and
``end``. Each is answered, in order, by ``{"at_ns": …, "value": …}`` or by ``{"at_ns": …, "refused": [where,
what, remedy]}``, where ``at_ns`` is the time of the monotonic clock, which all processes share.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from conformance.model.actions import Action, State
from conformance.model.config import ConfigurationError
from conformance.model.dialects import UnknownDialect
from conformance.model.machine import Host
from conformance.model.poll import Signal
from conformance.segment.loop import Loop, RealClock
from conformance.targets.model.runner import Leg, Runner, reading, say
from conformance.targets.protocol import Settings

_HOUR_NS = 3_600_000_000_000


def settings_of(document: Mapping[str, Any]) -> Settings:
    """Settings from their JSON form (:func:`document_of`)."""
    return Settings(**{**document, "addresses": tuple(ip_address(one) for one in document["addresses"])})


def document_of(settings: Settings) -> dict[str, Any]:
    """The JSON form of settings, the password included: for the control channel only."""
    return {
        "vhid": settings.vhid,
        "password": settings.password,
        "addresses": [str(one) for one in settings.addresses],
        "advbase": settings.advbase,
        "advskew": settings.advskew,
        "preempt": settings.preempt,
        "options": {name: list(v) if isinstance(v, tuple) else v for name, v in settings.options.items()},
    }


@dataclass(frozen=True, slots=True)
class Requests:
    """What can be asked of a host: a method takes the fields of its request and returns the answer."""

    runner: Runner

    def start(self, vhost: Mapping[str, Any], device: str = "") -> None:
        """Configures a virtual host on an interface (none: the first)."""
        self._do(self._leg(device).administrator.configure(self.runner.now_ns(), settings_of(vhost)))

    def stop(self, vhid: int, device: str = "") -> None:
        """Ends a virtual host as an administrator would."""
        self._do(self._leg(device).administrator.take_down(self.runner.now_ns(), vhid))

    def destroy(self, vhid: int, device: str = "") -> None:
        """Removes a virtual host without a word."""
        self._do(self._machine.destroy(*self._where(device), vhid))

    def signal(self, vhid: int, name: str, device: str = "") -> None:
        """A signal to the ucarp of one vhid."""
        self._do(self._machine.signal(*self._where(device), vhid, Signal[name]))

    def request_state(self, vhid: int, state: str, device: str = "") -> None:
        """An order to become MASTER or BACKUP."""
        self._do(self._machine.request_state(*self._where(device), vhid, State[state]))

    def reconfigure(self, vhid: int, changes: Mapping[str, Any], device: str = "") -> None:
        """Changes parameters (fields of :class:`Settings`) of a running virtual host."""
        wanted = self._leg(device).administrator.changes(**changes)
        self._do(self._machine.reconfigure(*self._where(device), vhid, **wanted))

    def add_address(self, vhid: int, address: str, device: str = "") -> None:
        """Gives a virtual host one more shared address."""
        self._do(self._machine.add_address(*self._where(device), vhid, ip_address(address)))

    def remove_address(self, vhid: int, address: str, device: str = "") -> None:
        """Takes a shared address from a virtual host."""
        self._do(self._machine.remove_address(*self._where(device), vhid, ip_address(address)))

    def demote(self, amount: int, group: str = "carp") -> None:
        """Demotes the host; a negative amount takes it back."""
        self._do(self._machine.demote(self.runner.now_ns(), amount, group))

    def demotion(self, group: str = "carp") -> int:
        """The demotion that the host tells."""
        return self._machine.demotion + self._machine.groups.get(group, 0)

    def set_sysctl(self, name: str, value: int) -> None:
        """Writes ``net.inet.carp.NAME``."""
        self._do(self._machine.sysctl(self.runner.now_ns(), name, value))

    def sysctl(self, name: str) -> int:
        """Reads ``net.inet.carp.NAME``."""
        return self._machine.read_sysctl(name)

    def counters(self) -> dict[str, int]:
        """All counters."""
        return dict(self._machine.counters)

    def state(self, vhid: int, device: str = "") -> str:
        """The state of a virtual host."""
        return self._machine.state(device or self.runner.device, vhid).value

    def serve(self, address: str, port: int, device: str = "") -> None:
        """From now on a TCP service on ``address`` answers with the host's name."""
        service = self._leg(device).service
        if not service.opened:
            service.open()
            self.runner.clock.watch(service, lambda: reading(service.read))
        service.listens.add((ip_address(address), port))

    def _do(self, actions: list[Action]) -> None:
        self.runner.carry_out(actions)

    def _leg(self, device: str) -> Leg:
        return self.runner.legs[device or self.runner.device]

    def _where(self, device: str) -> tuple[int, str]:
        return self.runner.now_ns(), device or self.runner.device

    @property
    def _machine(self) -> Host:
        return self.runner.machine


NAMES = frozenset(name for name in vars(Requests) if not name.startswith("_")) - {"runner"}


class Control:
    """The process's side of the control channel; the process ends with it."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        channel.setblocking(False)
        self._rest = b""
        self.runner: Runner | None = None
        self.ended = False
        self._woken, wake = socket.socketpair()
        self._woken.setblocking(False)
        wake.setblocking(False)
        self._wake = wake
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, lambda *_: None)

    def run(self) -> None:
        """Until the channel is closed or SIGTERM has come."""
        idle = Loop(RealClock())
        self._watch(idle.clock)
        while not self.ended:
            loop = idle if self.runner is None else self.runner.loop
            loop.run_until(self._changed(self.runner), loop.now_ns() + _HOUR_NS)
        if self.runner is not None:
            say("lateness " + json.dumps(self.runner.lateness()))
            self.runner.close()

    def _changed(self, runner: Runner | None) -> Callable[[], bool]:
        """Whether another loop than that of ``runner`` is to be run, or none."""
        return lambda: self.ended or self.runner is not runner

    def _watch(self, clock: Any) -> None:
        clock.watch(self._channel, self._hear)
        clock.watch(self._woken, self._signalled)

    def _hear(self) -> None:
        data = self._channel.recv(1 << 20)
        if not data:
            self.ended = True
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._answer(json.loads(line))

    def _answer(self, request: dict[str, Any]) -> None:
        name = request.pop("do")
        answer: dict[str, Any]
        try:
            answer = {"value": self._do(name, request)}
        except ConfigurationError as error:
            answer = {"refused": [error.where, error.what, error.remedy]}
        except (UnknownDialect, OSError, KeyError, TypeError, ValueError) as error:
            answer = {
                "refused": ["the model process", f"{name}: {error}", "compare it with the request's form"]
            }
        answer["at_ns"] = time.monotonic_ns()
        self._channel.setblocking(True)
        self._channel.sendall(json.dumps(answer).encode() + b"\n")
        self._channel.setblocking(False)

    def _do(self, name: str, request: dict[str, Any]) -> Any:
        if name == "begin":
            return self._begin(request)
        if name == "end":
            return self._end()
        if name not in NAMES or self.runner is None:
            known = ", ".join(sorted({"begin", "end"} | NAMES))
            raise ConfigurationError(
                "the model process", f"it cannot do {name!r} now", f"begin first; it knows {known}"
            )
        return getattr(Requests(self.runner), name)(**request)

    def _begin(self, order: dict[str, Any]) -> None:
        self._end()
        self.runner = Runner(order)
        self._watch(self.runner.clock)
        for vhost in order.get("vhosts", ()):
            Requests(self.runner).start(vhost)

    def _end(self) -> dict[str, int] | None:
        if self.runner is None:
            return None
        lateness = self.runner.lateness()
        self.runner.close()
        self.runner = None
        return lateness

    def _signalled(self) -> None:
        for number in self._woken.recv(64):
            self._take(signal.Signals(number))

    def _take(self, number: signal.Signals) -> None:
        runner = self.runner
        there = [] if runner is None else [(one.port.name, one.vhid) for one in runner.machine.vhosts()]
        for device, vhid in there:
            assert runner is not None
            if number is signal.SIGTERM:
                Requests(runner).stop(vhid, device)
            elif runner.machine.dialect.poll_loop is not None:
                Requests(runner).signal(vhid, number.name.removeprefix("SIG"), device)
        self.ended = self.ended or number is signal.SIGTERM


def main(arguments: Sequence[str]) -> int:
    """Runs a host; returns its exit status: 0 as ordered, 2 if it was called wrongly."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        sys.stderr.write(
            "a model process is started by its driver: it takes the file descriptor of its control channel\n"
        )
        return 2
    with suppress(BrokenPipeError, ConnectionResetError), socket.socket(fileno=int(arguments[0])) as channel:
        Control(channel).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
