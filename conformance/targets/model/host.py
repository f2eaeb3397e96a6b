"""A model machine on simulated switches: carries out what the machine wants done and tells the trace what the host says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from conformance.model.actions import Action, Exit, Log, Script, Send, State, StateChange
from conformance.model.config import ConfigurationError, Interface
from conformance.model.dialects import Dialect
from conformance.model.machine import Host
from conformance.model.poll import Signal
from conformance.segment.loop import Timer
from conformance.segment.simulated import SimulatedSwitch
from conformance.segment.trace import HostEvent
from conformance.targets.model.administrator import Administrator
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.wire.digest import Address

if TYPE_CHECKING:
    from conformance.targets.model.bench import ModelBench

INTERFACE, SECOND_INTERFACE = "eth0", "eth1"


@contextmanager
def refusing() -> Iterator[None]:
    """What the machine calls impossible is a refusal of the implementation."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationRefused(1, str(error)) from error


class ModelIut:
    """One virtual host of a model (an :class:`conformance.targets.protocol.Iut`)."""

    def __init__(self, host: ModelHost, settings: Settings) -> None:
        self.settings, self._host = settings, host
        self.started_ns = host.bench.loop.now_ns()
        self._there = True

    def running(self) -> bool:
        return self._there and self.settings.vhid in self._host.vhids()

    def stop(self) -> None:
        """As an administrator would: the carp interface down where there is one, SIGTERM to a ucarp, the virtual host removed elsewhere."""
        host, vhid = self._host, self.settings.vhid
        if host.machine.dialect.poll_loop is not None:
            self.signal("TERM")
        else:
            host.box.carry_out(host.administrator.take_down(self._now_ns, vhid))

    def kill(self) -> None:
        if self.running():
            self._there = False
            self._note("removes")
            self._host.box.carry_out(self._host.machine.destroy(self._now_ns, *self._where))

    def signal(self, name: str) -> None:
        self._host.bench.note(f"sends SIG{name} to the process on {self._host.name}")
        self._host.box.carry_out(self._host.machine.signal(self._now_ns, *self._where, Signal[name]))

    def reconfigure(self, **changes: Any) -> None:
        """Sets parameters of the running virtual host (:class:`conformance.targets.protocol.Changeable`)."""
        self._note(
            f"sets {', '.join(name if name == 'password' else f'{name} {value}' for name, value in changes.items())} of"
        )
        with refusing():
            self._host.box.carry_out(self._host.machine.reconfigure(self._now_ns, *self._where, **changes))
        self.settings = replace(self.settings, **changes)

    def add_address(self, address: Address) -> None:
        self._note(f"adds {address} to")
        with refusing():
            self._host.box.carry_out(self._host.machine.add_address(self._now_ns, *self._where, address))
        if address not in self.settings.addresses:
            self.settings = replace(self.settings, addresses=(*self.settings.addresses, address))

    def remove_address(self, address: Address) -> None:
        self._note(f"removes {address} from")
        with refusing():
            self._host.box.carry_out(self._host.machine.remove_address(self._now_ns, *self._where, address))
        self.settings = replace(
            self.settings, addresses=tuple(one for one in self.settings.addresses if one != address)
        )

    def request_state(self, state: str) -> None:
        self._note(f"orders {state} for")
        self._host.box.carry_out(self._host.machine.request_state(self._now_ns, *self._where, State[state]))

    def interface(self, *, up: bool) -> None:
        """Takes the carp interface down or up (:class:`conformance.targets.protocol.Closable`)."""
        device = self._host.machine.vhost(*self._where).device
        self._note(f"takes {device} {'up' if up else 'down'}, the interface of")
        self._host.box.carry_out(self._host.machine.interface_up(self._now_ns, device, up))

    def join_group(self, group: str) -> None:
        self._note(f"joins group {group} with")
        self._host.box.carry_out(self._host.machine.join_group(self._now_ns, *self._where, group))

    def describe(self) -> str:
        machine = self._host.machine
        state = machine.state(*self._where).value if self.running() else "gone"
        return f"the model of {machine.dialect.key} on {self._host.name} is {state}; counters: " + (
            ", ".join(f"{name} {value}" for name, value in machine.counters.items() if value) or "all zero"
        )

    def _note(self, does: str) -> None:
        self._host.bench.note(f"{does} vhid {self.settings.vhid} on {self._host.name}")

    @property
    def _now_ns(self) -> int:
        return self._host.bench.loop.now_ns()

    @property
    def _where(self) -> tuple[str, int]:
        return self._host.interface_name, self.settings.vhid


class ModelHost:
    """A host of the bench, seen from one of its interfaces (a :class:`conformance.targets.protocol.SutHost`)."""

    def __init__(self, box: ModelMachine, name: str, interface: Interface, switch: SimulatedSwitch) -> None:
        self.box, self.bench, self.name, self.mac = box, box.bench, name, interface.mac
        self.addresses: tuple[Address, ...] = tuple(address.ip for address in interface.own())
        self.machine, self.interface_name, self.switch = box.machine, interface.name, switch
        self.administrator = Administrator(self.machine, interface.name)
        self.services: set[tuple[Address, int]] = set()
        self.sending_refused = False
        switch.plug(
            name,
            lambda frame: box.carry_out(
                self.machine.receive(self.bench.loop.now_ns(), interface.name, frame)
            ),
        )

    def start(self, settings: Settings) -> ModelIut:
        self.bench.note(
            f"starts vhid {settings.vhid} on {self.name}: advbase {settings.advbase}, advskew {settings.advskew}{', preempt' if settings.preempt else ''}"
        )
        if self.machine.dialect.poll_loop is not None and settings.vhid in self.vhids():
            return self.box.beside(self).start(settings)  # each ucarp is a process that knows of no other
        with refusing():
            self.box.carry_out(self.administrator.configure(self.bench.loop.now_ns(), settings))
        return ModelIut(self, settings)

    def cable(self, *, plugged: bool) -> None:
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}")
        (self.switch.unplugged.discard if plugged else self.switch.unplugged.add)(self.name)
        self.box.carry_out(self.machine.link(self.bench.loop.now_ns(), self.interface_name, plugged))

    def interface(self, *, up: bool) -> None:
        """Takes the interface down or up (:class:`conformance.targets.protocol.Switchable`)."""
        self.bench.note(f"takes the interface of {self.name} {'up' if up else 'down'}")
        self.box.carry_out(self.machine.interface_up(self.bench.loop.now_ns(), self.interface_name, up))

    def refuse_sending(self, *, refused: bool) -> None:
        self.bench.note(f"{'refuses' if refused else 'sends again'} what {self.name} advertises")
        self.sending_refused = refused

    def remove_own_addresses(self, version: int) -> None:
        self.bench.note(f"removes the real IPv{version} addresses of {self.name}")
        port = self.machine.port(self.interface_name)
        port.addresses[:] = [one for one in port.addresses if one.version != version]

    def vhids(self) -> tuple[int, ...]:
        return tuple(sorted(self.machine.port(self.interface_name).vhosts))

    def serve(self, address: Address, port: int) -> None:
        self.services.add((address, port))

    def counters(self) -> Mapping[str, int]:
        return self.machine.counters

    def sysctl(self, name: str) -> int:
        return self.machine.read_sysctl(name)

    def set_sysctl(self, name: str, value: int) -> None:
        self.bench.note(f"writes net.inet.carp.{name}={value} on {self.name}")
        with refusing():
            self.box.carry_out(self.machine.sysctl(self.bench.loop.now_ns(), name, value))

    def demote(self, amount: int, group: str = "carp") -> None:
        self.bench.note(f"demotes {self.name} by {amount} (group {group})")
        with refusing():
            self.box.carry_out(self.machine.demote(self.bench.loop.now_ns(), amount, group))

    def demotion(self, group: str = "carp") -> int:
        return self.machine.demotion + self.machine.groups.get(group, 0)


class ModelMachine:
    """One machine with its interfaces, each of them a host of its segment; ``interfaces`` come with the name of that host and the switch it is plugged into."""

    def __init__(
        self,
        bench: ModelBench,
        name: str,
        interfaces: Mapping[str, tuple[Interface, SimulatedSwitch]],
        dialect: Dialect,
        rng: Random,
    ) -> None:
        self.bench, self.name = bench, name
        self.machine = Host(name, dialect, [interface for interface, _ in interfaces.values()], rng)
        self.hosts = {
            interface.name: ModelHost(self, at, interface, switch)
            for at, (interface, switch) in interfaces.items()
        }
        self._timer: Timer | None = None

    def beside(self, host: ModelHost) -> ModelHost:
        """The same interface for one more process, which shares nothing but the interface with the others."""
        port = self.machine.port(host.interface_name)
        twin = Interface(port.name, port.mac, tuple(port.addresses))
        there = {f"{host.name}-beside": (twin, host.switch)}
        return ModelMachine(
            self.bench, self.name, there, self.machine.dialect, Random(self.machine.rng.random())
        ).hosts[port.name]

    def carry_out(self, actions: list[Action]) -> None:
        """Does what the machine wants done, and sets the timer for what it will want next."""
        queue = list(actions)
        about: StateChange | None = None
        while queue:
            action = queue.pop(0)
            if isinstance(action, Send):
                queue += self._send(action)
                continue
            if isinstance(action, StateChange):
                about = action  # a daemon tells its state by the line that follows
            host, vhid = self._teller(action, about)
            told = host.administrator.told(action)
            if told is not None:
                self.bench.trace.add(HostEvent(self.bench.loop.now_ns(), host.name, *told, vhid))
        self._arm()

    def _teller(self, action: Action, about: StateChange | None) -> tuple[ModelHost, int | None]:
        """Whose word an action is: of which interface, and of which virtual host where that is known."""
        if isinstance(action, Log) and self.machine.dialect.poll_loop is not None and about is not None:
            action = about
        if isinstance(action, StateChange | Script | Exit):
            return self.hosts[action.interface], action.vhid
        return next(iter(self.hosts.values())), None

    def _send(self, action: Send) -> list[Action]:
        """Puts a frame on the wire; what the machine does about it if it is an advertisement."""
        host, now_ns = self.hosts[action.interface], self.bench.loop.now_ns()
        if action.vhid is not None and host.sending_refused:
            return self.machine.send_failed(now_ns, action.interface, action.vhid)
        host.switch.transmit(host.name, action.frame)
        return (
            []
            if action.vhid is None or action.vhid not in host.vhids()
            else self.machine.send_ok(now_ns, action.interface, action.vhid)
        )

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline_ns = self.machine.next_deadline_ns
        if deadline_ns is not None:
            self._timer = self.bench.loop.at(
                deadline_ns, lambda: self.carry_out(self.machine.tick(self.bench.loop.now_ns()))
            )
