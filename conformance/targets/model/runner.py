"""A model host on one real interface or two: carries out what the machine wants, tells it what happens there."""

from __future__ import annotations

import errno
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from conformance.model.actions import Action, Exit, Log, Send, StateChange
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


@dataclass(frozen=True, slots=True)
class Leg:
    """What the host has on one interface."""

    administrator: Administrator
    port: LivePort
    service: Service


class Runner:
    """Carries out what a machine wants done on the interfaces of the namespace, from one ``begin`` to the next.

    ``order`` is that request (:mod:`conformance.targets.model.process`). Raises OSError for an interface,
    :class:`UnknownDialect`, and :class:`ConfigurationError` for a sysctl that the dialect does not have.
    """

    def __init__(self, order: Mapping[str, Any], observe: Callable[[Action], object] | None = None) -> None:
        """``observe`` gets what the host says of itself in place of the standard output."""
        self._observe = observe
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.device: str = order["interface"]
        self._timer: Timer | None = None
        self._failed: set[tuple[str, int]] = set()
        self._about = self.device
        plugged = [order, *([order["second"]] if "second" in order else [])]
        with ExitStack() as stack:
            carriers = {
                one["interface"]: Carrier(one["interface"], partial(self.link, one["interface"]))
                for one in plugged
            }
            for carrier in carriers.values():
                stack.callback(carrier.close)
            self.machine = Host(
                order["name"],
                dialect(order["dialect"]),
                [_interface(one, link=carriers[one["interface"]].up()) for one in plugged],
                Random(order["seed"]),
                sysctl=order.get("sysctls", {}),
            )
            self.legs = {device: self._leg(device, order["name"], stack) for device in carriers}
            self._parts = stack.pop_all()
        self.administrator, self.service = (
            self.legs[self.device].administrator,
            self.legs[self.device].service,
        )
        for device, carrier in carriers.items():
            port = self.legs[device].port
            self.clock.watch(port, partial(reading, port.read))
            self.clock.watch(carrier, carrier.read)

    def _leg(self, device: str, name: str, stack: ExitStack) -> Leg:
        port = LivePort(device, partial(self._seen, device))
        stack.callback(port.close)
        service = Service(device, name, partial(self.reaches, device))
        stack.callback(service.close)
        return Leg(Administrator(self.machine, device), port, service)

    def close(self) -> None:
        """Leaves the interfaces; says nothing to anybody."""
        self._parts.close()

    def now_ns(self) -> int:
        return self.loop.now_ns()

    def reaches(self, device: str, frame: bytes) -> bytes | None:
        """The Ethernet source of the answer to an echo request, which is not sent; None if there is none."""
        if device not in self.machine.ports:
            return None
        actions = self.machine.receive(self.now_ns(), device, frame)
        answers = [one for one in actions if isinstance(one, Send) and one.frame[:6] == frame[6:12]]
        self.carry_out([one for one in actions if one not in answers])
        return answers[0].frame[6:12] if answers else None

    def link(self, device: str, link: Link) -> None:
        """The kernel says what became of a link."""
        if device not in self.machine.ports:
            return
        if link is Link.GONE:
            self.carry_out(self.machine.remove_interface(self.now_ns(), device))
        else:
            self.carry_out(self.machine.link(self.now_ns(), device, link is Link.UP))

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Does what the machine wants done, and sets the timer for what it will want next."""
        waiting = deque(actions)
        while waiting:
            action = waiting.popleft()
            if isinstance(action, Send):
                waiting.extend(self._send(action))
            elif self._observe is not None:
                self._observe(action)
            else:
                self._tell(action)
        self._arm()

    def _tell(self, action: Action) -> None:
        """Says what the host tells of itself; of the second interface by its name, which a daemon's line gets from the change before it."""
        if isinstance(action, StateChange):
            self._about = action.interface
        daemon = self.machine.dialect.poll_loop is not None
        device = (
            self._about if isinstance(action, Log) and daemon else getattr(action, "interface", self.device)
        )
        at = "" if device == self.device else f"@{device}"
        if isinstance(action, Exit):
            say(f"exit{at} {action.vhid} {action.status}")
            return
        told = self.legs[device].administrator.told(action)
        if told is not None:
            say(f"{_WORDS[told[0]]}{at} {told[1]}")

    def lateness(self) -> dict[str, int]:
        """How late its timers ran: their number, the worst and the 99th percentile in ns."""
        late = sorted(self.loop.lateness_ns) or [0]
        return {
            "timers": len(self.loop.lateness_ns),
            "max_ns": late[-1],
            "p99_ns": late[len(late) * 99 // 100],
        }

    def _seen(self, device: str, _: int, frame: bytes, sent: bool) -> None:
        if not sent and device in self.machine.ports:
            self.carry_out(self.machine.receive(self.now_ns(), device, frame))

    def _send(self, order: Send) -> list[Action]:
        device, vhid = order.interface, order.vhid
        try:
            self.legs[device].port.send(order.frame)
        except OSError as error:
            if vhid is None:
                return []
            self._failed.add((device, vhid))
            number = BSD_ENOBUFS if error.errno == errno.ENOBUFS else error.errno or 0
            return self.machine.send_failed(self.now_ns(), device, vhid, number)
        if vhid is not None and (device, vhid) in self._failed:
            return self.machine.send_ok(self.now_ns(), device, vhid)
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


def _interface(one: Mapping[str, Any], *, link: bool) -> Interface:
    mac = bytes.fromhex(one["mac"].replace(":", ""))
    return Interface(one["interface"], mac, tuple(one["addresses"]), link=link)


def reading(read: Callable[[], None]) -> None:
    """An interface that goes away fails the next read; that it is gone the carrier says."""
    with suppress(OSError):
        read()
