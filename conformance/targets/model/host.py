"""A model host on a simulated switch: carries out what the machine wants done and tells the trace what the host says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Interface, IPv6Interface
from random import Random
from typing import TYPE_CHECKING

from conformance.model.actions import Action, Send
from conformance.model.config import ConfigurationError, Interface
from conformance.model.dialects import Dialect
from conformance.model.machine import Host
from conformance.model.poll import Signal
from conformance.segment.loop import Timer
from conformance.segment.trace import HostEvent, HostKind
from conformance.targets.model.administrator import Administrator
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.wire.digest import Address

if TYPE_CHECKING:
    from conformance.targets.model.bench import ModelBench

INTERFACE = "eth0"


class ModelIut:
    """One virtual host of a model (an :class:`conformance.targets.protocol.Iut`)."""

    def __init__(self, host: ModelHost, settings: Settings) -> None:
        self.settings, self._host = settings, host
        self.started_ns = host.bench.loop.now_ns()
        self._there = True

    def running(self) -> bool:
        return self._there and self.settings.vhid in self._host.machine.port(INTERFACE).vhosts

    def stop(self) -> None:
        """As an administrator would: the carp interface down where there is one, SIGTERM to a ucarp, the virtual host removed elsewhere."""
        host, vhid = self._host, self.settings.vhid
        if host.machine.dialect.poll_loop is not None:
            self.signal("TERM")
        else:
            host.carry_out(host.administrator.take_down(host.bench.loop.now_ns(), vhid))

    def kill(self) -> None:
        if self.running():
            self._there = False
            self._host.carry_out(self._host.machine.destroy(self._host.bench.loop.now_ns(), INTERFACE, self.settings.vhid))

    def signal(self, name: str) -> None:
        self._host.bench.note(f"sends SIG{name} to the process on {self._host.name}")
        self._host.carry_out(self._host.machine.signal(self._host.bench.loop.now_ns(), INTERFACE, self.settings.vhid, Signal[name]))

    def describe(self) -> str:
        machine = self._host.machine
        state = machine.state(INTERFACE, self.settings.vhid).value if self.running() else "gone"
        return f"the model of {machine.dialect.key} on {self._host.name} is {state}; counters: " + (
            ", ".join(f"{name} {value}" for name, value in machine.counters.items() if value) or "all zero"
        )


class ModelHost:
    """A host of the bench (a :class:`conformance.targets.protocol.SutHost`)."""

    def __init__(self, bench: ModelBench, name: str, mac: bytes, addresses: tuple[IPv4Interface | IPv6Interface, ...], dialect: Dialect, rng: Random) -> None:
        self.bench, self.name, self.mac = bench, name, mac
        self.addresses: tuple[Address, ...] = tuple(address.ip for address in addresses)
        self.machine = Host(name, dialect, [Interface(INTERFACE, mac, addresses)], rng)
        self.administrator = Administrator(self.machine, INTERFACE)
        self.services: set[tuple[Address, int]] = set()
        self._timer: Timer | None = None
        bench.switch.plug(name, lambda frame: self.carry_out(self.machine.receive(bench.loop.now_ns(), INTERFACE, frame)))

    def start(self, settings: Settings) -> ModelIut:
        self.bench.note(
            f"starts vhid {settings.vhid} on {self.name}: advbase {settings.advbase}, advskew {settings.advskew}{', preempt' if settings.preempt else ''}"
        )
        try:
            self.carry_out(self.administrator.configure(self.bench.loop.now_ns(), settings))
        except ConfigurationError as error:
            raise ConfigurationRefused(1, str(error)) from error
        return ModelIut(self, settings)

    def cable(self, *, plugged: bool) -> None:
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}")
        (self.bench.switch.unplugged.discard if plugged else self.bench.switch.unplugged.add)(self.name)
        self.carry_out(self.machine.link(self.bench.loop.now_ns(), INTERFACE, plugged))

    def serve(self, address: Address, port: int) -> None:
        self.services.add((address, port))

    def counters(self) -> Mapping[str, int]:
        return self.machine.counters

    def sysctl(self, name: str) -> int:
        return self.machine.read_sysctl(name)

    def set_sysctl(self, name: str, value: int) -> None:
        self.bench.note(f"writes net.inet.carp.{name}={value} on {self.name}")
        self.carry_out(self.machine.sysctl(self.bench.loop.now_ns(), name, value))

    def carry_out(self, actions: list[Action]) -> None:
        """Does what the machine wants done, and sets the timer for what it will want next."""
        for action in actions:
            told = self.administrator.told(action)
            if isinstance(action, Send):
                self.bench.switch.transmit(self.name, action.frame)
            elif told is not None:
                self._tell(*told)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline_ns = self.machine.next_deadline_ns
        if deadline_ns is not None:
            self._timer = self.bench.loop.at(deadline_ns, lambda: self.carry_out(self.machine.tick(self.bench.loop.now_ns())))

    def _tell(self, kind: HostKind, text: str) -> None:
        self.bench.trace.add(HostEvent(self.bench.loop.now_ns(), self.name, kind, text))
