"""A model host on a real interface: carries out what the machine wants, tells it what happens there."""

from __future__ import annotations

import errno
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from random import Random
from typing import Any

from conformance.model.actions import Action, Exit, Send
from conformance.model.config import Interface
from conformance.model.dialects import dialect
from conformance.model.machine import Host
from conformance.segment.live import LivePort
from conformance.segment.loop import Loop, RealClock, Timer
from conformance.segment.trace import HostKind
from conformance.targets.model.administrator import Administrator
from conformance.targets.model.carrier import Carrier, Link
from conformance.targets.model.service import Service

LATE_NS = 1_000_000
"""From this lateness of a timer on the process says so at once."""
BSD_ENOBUFS = 55
_WORDS = {HostKind.STATE: "state", HostKind.LOG: "log", HostKind.SCRIPT: "script"}


def say(line: str) -> None:
    """A line on the standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Runner:
    """Carries out what a machine wants done on an interface of the namespace, from one ``begin`` to the next.

    ``order`` is that request (:mod:`conformance.targets.model.process`). Raises OSError for the interface,
    :class:`UnknownDialect`, and :class:`ConfigurationError` for a sysctl that the dialect does not have.
    """

    def __init__(self, order: Mapping[str, Any], observe: Callable[[Action], object] | None = None) -> None:
        """``observe`` gets what the host says of itself in place of the standard output."""
        self._observe = observe
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.device: str = order["interface"]
        self._timer: Timer | None = None
        self._failed: set[int] = set()
        with ExitStack() as stack:
            carrier = Carrier(self.device, self.link)
            stack.callback(carrier.close)
            mac, addresses = bytes.fromhex(order["mac"].replace(":", "")), tuple(order["addresses"])
            self.machine = Host(
                order["name"],
                dialect(order["dialect"]),
                [Interface(self.device, mac, addresses, link=carrier.up())],
                Random(order["seed"]),
                sysctl=order.get("sysctls", {}),
            )
            self.administrator = Administrator(self.machine, self.device)
            self._port = LivePort(self.device, self._seen)
            stack.callback(self._port.close)
            self.service = Service(self.device, order["name"], self.reaches)
            stack.callback(self.service.close)
            self._parts = stack.pop_all()
        self.clock.watch(self._port, lambda: reading(self._port.read))
        self.clock.watch(carrier, carrier.read)

    def close(self) -> None:
        """Leaves the interface; says nothing to anybody."""
        self._parts.close()

    def now_ns(self) -> int:
        return self.loop.now_ns()

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
            elif self._observe is not None:
                self._observe(action)
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
        return {
            "timers": len(self.loop.lateness_ns),
            "max_ns": late[-1],
            "p99_ns": late[len(late) * 99 // 100],
        }

    def _seen(self, _: int, frame: bytes, sent: bool) -> None:
        if not sent and self.device in self.machine.ports:
            self.carry_out(self.machine.receive(self.now_ns(), self.device, frame))

    def _send(self, order: Send) -> list[Action]:
        try:
            self._port.send(order.frame)
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
        if late_ns >= LATE_NS and self._observe is None:
            say(f"late {late_ns}")
        self.carry_out(self.machine.tick(now_ns))


def reading(read: Callable[[], None]) -> None:
    """An interface that goes away fails the next read; that it is gone the carrier says."""
    with suppress(OSError):
        read()
