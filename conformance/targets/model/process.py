"""A model host as a process of its own, on a packet socket and in real time.

``python -m conformance.targets.model.process FD``: FD is the control channel, a stream socket that carries one JSON
object a line each way. Passwords come over it alone. What the host says of itself goes to the standard output, one
line each: ``state``, ``log`` and ``script`` with their text, ``exit VHID STATUS``, ``late NS`` (a timer ran that late),
``lateness {…}`` at the end.

A request is ``{"do": NAME, …}``; the methods of :class:`Requests` are the names. Each is answered, in order, by
``{"at_ns": …, "value": …}`` or ``{"at_ns": …, "refused": [where, what, remedy]}``.
"""

from __future__ import annotations

import errno
import json
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from random import Random
from typing import Any

from conformance.model.actions import Action, Exit, Send, State
from conformance.model.config import ConfigurationError, Interface
from conformance.model.dialects import UnknownDialect, dialect
from conformance.model.machine import Host
from conformance.model.poll import Signal
from conformance.segment.live import LivePort
from conformance.segment.loop import Loop, RealClock, Timer
from conformance.segment.trace import HostKind
from conformance.targets.model.administrator import Administrator
from conformance.targets.model.carrier import Carrier, Link
from conformance.targets.model.service import Service
from conformance.targets.protocol import Settings

LATE_NS = 1_000_000
"""From this lateness of a timer on the process says so at once."""
BSD_ENOBUFS = 55
_HOUR_NS = 3_600_000_000_000
_WORDS = {HostKind.STATE: "state", HostKind.LOG: "log", HostKind.SCRIPT: "script"}


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


def say(line: str) -> None:
    """A line on the standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Runner:
    """Carries out what a machine wants done on the interface ``device``, from one ``begin`` to the next."""

    loop: Loop
    clock: RealClock
    machine: Host
    device: str
    administrator: Administrator
    port: LivePort
    carrier: Carrier
    service: Service
    _timer: Timer | None = None
    _failed: set[int] = field(default_factory=set)

    @classmethod
    def begin(cls, order: Mapping[str, Any]) -> Runner:
        """Opens the interface of the namespace and makes the machine. Raises OSError, :class:`ConfigurationError`, :class:`UnknownDialect`."""
        clock = RealClock()
        device, mac = order["interface"], bytes.fromhex(order["mac"].replace(":", ""))
        runner: list[Runner] = []
        carrier = Carrier(device, lambda link: runner[0].link(link))
        try:
            port = LivePort(device, lambda _, frame, sent: None if sent else runner[0].receive(frame))
        except OSError:
            carrier.close()
            raise
        own = Interface(device, mac, tuple(order["addresses"]), link=carrier.up())
        machine = Host(
            order["name"], dialect(order["dialect"]), [own], Random(order["seed"]), sysctl=order.get("sysctls", {})
        )
        service = Service(device, order["name"], lambda frame: runner[0].reaches(frame))
        runner.append(cls(Loop(clock), clock, machine, device, Administrator(machine, device), port, carrier, service))
        clock.watch(port, lambda: _reading(port.read))
        clock.watch(carrier, carrier.read)
        return runner[0]

    def close(self) -> None:
        """Leaves the interface; says nothing to anybody."""
        for part in (self.port, self.carrier, self.service):
            part.close()

    def now_ns(self) -> int:
        return self.loop.now_ns()

    def receive(self, frame: bytes) -> None:
        """A frame came in."""
        if self.device in self.machine.ports:
            self.carry_out(self.machine.receive(self.now_ns(), self.device, frame))

    def reaches(self, frame: bytes) -> bytes | None:
        """The Ethernet source of the answer to an echo request, which is not sent; None if there is none."""
        if self.device not in self.machine.ports:
            return None
        actions = self.machine.receive(self.now_ns(), self.device, frame)
        answers = [one for one in actions if isinstance(one, Send) and one.frame[:6] == frame[6:12]]
        self.carry_out([one for one in actions if one not in answers])
        return answers[0].frame[6:12] if answers else None

    def link(self, link: Link) -> None:
        """The kernel says what became of the link."""
        if self.device not in self.machine.ports:
            return
        if link is Link.GONE:
            self.carry_out(self.machine.remove_interface(self.now_ns(), self.device))
        else:
            self.carry_out(self.machine.link(self.now_ns(), self.device, link is Link.UP))

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Does what the machine wants done, and sets the timer for what it will want next."""
        waiting = deque(actions)
        while waiting:
            action = waiting.popleft()
            if isinstance(action, Send):
                waiting.extend(self._send(action))
            elif isinstance(action, Exit):
                say(f"exit {action.vhid} {action.status}")
            else:
                told = self.administrator.told(action)
                if told is not None:
                    say(f"{_WORDS[told[0]]} {told[1]}")
        self._arm()

    def lateness(self) -> dict[str, int]:
        """How late its timers ran: their number, the worst and the 99th percentile in ns."""
        late = sorted(self.loop.lateness_ns) or [0]
        return {"timers": len(self.loop.lateness_ns), "max_ns": late[-1], "p99_ns": late[len(late) * 99 // 100]}

    def _send(self, order: Send) -> list[Action]:
        try:
            self.port.send(order.frame)
        except OSError as error:
            if order.vhid is None:
                return []
            self._failed.add(order.vhid)
            number = BSD_ENOBUFS if error.errno == errno.ENOBUFS else error.errno or 0
            return self.machine.send_failed(self.now_ns(), self.device, order.vhid, number)
        if order.vhid in self._failed and order.vhid is not None:
            return self.machine.send_ok(self.now_ns(), self.device, order.vhid)
        return []

    def _arm(self) -> None:
        due_ns = self.machine.next_deadline_ns
        if self._timer is not None:
            if self._timer.due_ns == due_ns:
                return
            self._timer.cancel()
        self._timer = None if due_ns is None else self.loop.at(due_ns, self._tick)

    def _tick(self) -> None:
        now_ns = self.now_ns()
        assert self._timer is not None
        late_ns = now_ns - self._timer.due_ns
        self._timer = None
        if late_ns >= LATE_NS:
            say(f"late {late_ns}")
        self.carry_out(self.machine.tick(now_ns))


def _reading(read: Callable[[], None]) -> None:
    """An interface that goes away fails the next read; that it is gone the carrier says."""
    with suppress(OSError):
        read()


@dataclass(frozen=True, slots=True)
class Requests:
    """What can be asked of a host: each method takes the fields of its request and returns the value of the answer."""

    runner: Runner

    def start(self, vhost: Mapping[str, Any]) -> None:
        """Configures a virtual host."""
        self.runner.carry_out(self.runner.administrator.configure(self.runner.now_ns(), settings_of(vhost)))

    def stop(self, vhid: int) -> None:
        """Ends a virtual host as an administrator would."""
        self.runner.carry_out(self.runner.administrator.take_down(self.runner.now_ns(), vhid))

    def destroy(self, vhid: int) -> None:
        """Removes a virtual host without a word."""
        self.runner.carry_out(self._machine.destroy(self.runner.now_ns(), self.runner.device, vhid))

    def signal(self, vhid: int, name: str) -> None:
        """A signal to the ucarp of one vhid."""
        self.runner.carry_out(
            self._machine.signal(self.runner.now_ns(), self.runner.device, vhid, Signal[name])
        )

    def request_state(self, vhid: int, state: str) -> None:
        """An order to become MASTER or BACKUP."""
        self.runner.carry_out(
            self._machine.request_state(self.runner.now_ns(), self.runner.device, vhid, State[state])
        )

    def reconfigure(self, vhid: int, changes: Mapping[str, Any]) -> None:
        """Changes parameters of a running virtual host."""
        self.runner.carry_out(
            self._machine.reconfigure(self.runner.now_ns(), self.runner.device, vhid, **changes)
        )

    def add_address(self, vhid: int, address: str) -> None:
        """Gives a virtual host one more shared address."""
        self.runner.carry_out(
            self._machine.add_address(self.runner.now_ns(), self.runner.device, vhid, address)
        )

    def remove_address(self, vhid: int, address: str) -> None:
        """Takes a shared address from a virtual host."""
        self.runner.carry_out(
            self._machine.remove_address(self.runner.now_ns(), self.runner.device, vhid, address)
        )

    def demote(self, amount: int, group: str = "carp") -> None:
        """Demotes the host; a negative amount takes it back."""
        self.runner.carry_out(self._machine.demote(self.runner.now_ns(), amount, group))

    def set_sysctl(self, name: str, value: int) -> None:
        """Writes ``net.inet.carp.NAME``."""
        self.runner.carry_out(self._machine.sysctl(self.runner.now_ns(), name, value))

    def sysctl(self, name: str) -> int:
        """Reads ``net.inet.carp.NAME``."""
        return self._machine.read_sysctl(name)

    def counters(self) -> dict[str, int]:
        """All counters."""
        return dict(self._machine.counters)

    def state(self, vhid: int) -> str:
        """The state of a virtual host."""
        return self._machine.state(self.runner.device, vhid).value

    def serve(self, address: str, port: int) -> None:
        """From now on a TCP service on ``address`` answers with the host's name."""
        if not self.runner.service.opened:
            self.runner.service.open()
            self.runner.clock.watch(self.runner.service, lambda: _reading(self.runner.service.read))
        self.runner.service.listens.add((ip_address(address), port))

    @property
    def _machine(self) -> Host:
        return self.runner.machine


NAMES = frozenset(name for name in vars(Requests) if not name.startswith("_")) - {"runner"}


class Control:
    """The process's side of the control channel, and with it the life of the process: it ends with the channel."""

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
            before = self.runner
            loop.run_until(lambda: self.ended or self.runner is not before, loop.now_ns() + _HOUR_NS)
        if self.runner is not None:
            say("lateness " + json.dumps(self.runner.lateness()))
            self.runner.close()

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
            answer = {"refused": ["the model process", f"{name}: {error}", "compare it with the request's form"]}
        at_ns = self.runner.now_ns() if self.runner is not None else 0
        self._channel.setblocking(True)
        self._channel.sendall(json.dumps({"at_ns": at_ns} | answer).encode() + b"\n")
        self._channel.setblocking(False)

    def _do(self, name: str, request: dict[str, Any]) -> Any:
        if name == "begin":
            return self._begin(request)
        if name == "end":
            return self._end()
        if name not in NAMES or self.runner is None:
            known = ", ".join(sorted({"begin", "end"} | NAMES))
            raise ConfigurationError("the model process", f"it cannot do {name!r} now", f"begin first; it knows {known}")
        return getattr(Requests(self.runner), name)(**request)

    def _begin(self, order: dict[str, Any]) -> None:
        self._end()
        self.runner = Runner.begin(order)
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
        vhids = [] if runner is None else [vhost.vhid for vhost in runner.machine.vhosts()]
        for vhid in vhids:
            assert runner is not None
            if number is signal.SIGTERM:
                Requests(runner).stop(vhid)
            elif runner.machine.dialect.poll_loop is not None:
                Requests(runner).signal(vhid, number.name.removeprefix("SIG"))
        self.ended = self.ended or number is signal.SIGTERM


def main(arguments: Sequence[str]) -> int:
    """Runs a host; returns its exit status: 0 as ordered, 2 if it was called wrongly."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        sys.stderr.write("a model process is started by its driver: it takes the number of the file descriptor of its control channel\n")
        return 2
    with suppress(BrokenPipeError), socket.socket(fileno=int(arguments[0])) as channel:
        Control(channel).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
