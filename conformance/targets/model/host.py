"""A model machine on simulated switches: carries out what the machine wants done and tells the trace what the host says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address
from random import Random
from typing import TYPE_CHECKING, Any

from conformance.lab.shell import Said
from conformance.model.actions import Action, Count, Exit, Log, Script, Send, StateChange
from conformance.model.config import Interface
from conformance.model.dialects import Dialect
from conformance.model.machine import Host
from conformance.segment.loop import Timer
from conformance.segment.simulated import SimulatedSwitch
from conformance.segment.trace import HostEvent
from conformance.targets.model.administrator import Administrator
from conformance.targets.model.iut import ModelIut, refusing
from conformance.targets.model.platform import ModelPlatform, another_stack
from conformance.targets.platform import Commanding
from conformance.targets.protocol import ConfigurationRefused, Iut, Settings
from conformance.wire.digest import Address

if TYPE_CHECKING:
    from conformance.targets.model.bench import ModelBench

INTERFACE, SECOND_INTERFACE = "eth0", "eth1"


class ModelHost:
    """A host of the bench, seen from one of its interfaces (a :class:`conformance.targets.protocol.SutHost`)."""

    def __init__(self, box: ModelMachine, name: str, interface: Interface, switch: SimulatedSwitch) -> None:
        self.box, self.bench, self.name, self.mac = box, box.bench, name, interface.mac
        self.addresses: tuple[Address, ...] = tuple(address.ip for address in interface.own())
        self.interface_name, self.switch = interface.name, switch
        self.administrator = Administrator(box.machine, interface.name)
        self.platform = ModelPlatform(self)
        self.services: set[tuple[Address, int]] = set()
        self.sending_refused = False
        switch.plug(
            name,
            lambda frame: box.carry_out(self.machine.receive(self.box.now_ns(), interface.name, frame)),
        )

    @property
    def machine(self) -> Host:
        """What runs on it now."""
        return self.box.machine

    def start(self, settings: Settings) -> ModelIut:
        self.bench.note(
            f"starts vhid {settings.vhid} on {self.name}: advbase {settings.advbase}, advskew {settings.advskew}{', preempt' if settings.preempt else ''}"
        )
        if self.machine.dialect.poll_loop is not None and settings.vhid in self.configured():
            return self.box.beside(self).start(settings)  # each ucarp is a process that knows of no other
        with refusing():
            self.box.carry_out(self.administrator.configure(self.box.now_ns(), settings))
        return ModelIut(self, settings)

    def cable(self, *, plugged: bool) -> None:
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}")
        (self.switch.unplugged.discard if plugged else self.switch.unplugged.add)(self.name)
        self.box.carry_out(self.machine.link(self.box.now_ns(), self.interface_name, plugged))

    def interface(self, *, up: bool) -> None:
        """Takes the interface down or up (:class:`conformance.targets.protocol.Switchable`)."""
        self.bench.note(f"takes the interface of {self.name} {'up' if up else 'down'}")
        self.box.carry_out(self.machine.interface_up(self.box.now_ns(), self.interface_name, up))

    def refuse_sending(self, *, refused: bool) -> None:
        self.bench.note(f"{'refuses' if refused else 'sends again'} what {self.name} advertises")
        self.sending_refused = refused

    def remove_own_addresses(self, version: int) -> None:
        self.bench.note(f"removes the real IPv{version} addresses of {self.name}")
        port = self.machine.port(self.interface_name)
        port.addresses[:] = [one for one in port.addresses if one.version != version]

    def vhids(self) -> tuple[int, ...]:
        if self.machine.dialect.poll_loop is not None:
            raise ConfigurationRefused(
                1,
                f"{self.name}: each ucarp is a process of its own, and nothing lists the vhids that they serve",
            )
        return self.configured()

    def configured(self) -> tuple[int, ...]:
        """The vhids on its interface, whether or not any tool of the implementation can tell them."""
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
            self.box.carry_out(self.machine.sysctl(self.box.now_ns(), name, value))

    def demote(self, amount: int, group: str = "carp") -> None:
        self.bench.note(f"demotes {self.name} by {amount} (group {group})")
        with refusing():
            self.box.carry_out(self.machine.demote(self.box.now_ns(), amount, group))

    def demotion(self, group: str = "carp") -> int:
        return self.machine.demotion + self.machine.groups.get(group, 0)

    # --- as a machine (conformance.targets.platform)

    def command(self, line: str, *, undo: str = "", user: str = "root") -> Said:  # noqa: ARG002  # nothing outlives the case
        self.bench.note(f"runs on {self.name} as {user}: {line.partition(' pass ')[0]}")
        return self.platform.command(line, user)

    def reboot(
        self, *, tunables: Mapping[str, int] | None = None, virtual: Settings | None = None
    ) -> Iut | None:
        self.bench.note(f"boots {self.name} anew")
        return self.platform.reboot(tunables or {}, virtual)

    def step_clock(self, seconds: int) -> None:
        self.bench.note(f"steps the clock of {self.name} by {seconds} s")
        self.box.step_clock(seconds)

    def report_link(self, *, reported: bool) -> None:
        self.bench.note(f"{self.name} {'reports its link' if reported else 'reports no link state'}")
        self.platform.report_link(reported=reported)

    def device_notices(self) -> tuple[str, ...]:
        return tuple(self.box.notices)

    def forward(self) -> None:
        self.machine.forwarding = True

    def advertise_routes(self, source: IPv6Address) -> None:
        self.bench.note(f"advertises routes on {self.name} from {source}")
        self.platform.advertise_routes(source)

    def stack(self, *kinds: str) -> None:
        self.bench.note(f"puts a {' on a '.join(reversed(kinds))} on the interface of {self.name}")
        self.platform.stack(kinds)

    def member(self, *, up: bool) -> None:
        self.bench.note(f"takes a member of the interface of {self.name} {'up' if up else 'down'}")
        self.platform.member(up=up)

    def jail(self) -> Commanding:
        return another_stack(self)

    def netlink_set(self, **attributes: Any) -> int:
        return self.platform.netlink_set(attributes)

    def netlink_get(self, vhid: int) -> Mapping[str, Any]:
        return self.platform.netlink_get(vhid)

    def carry_out(self, actions: list[Action]) -> None:
        """Does what its machine wants done."""
        self.box.carry_out(actions)


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
        self._interfaces, self._rng = [interface for interface, _ in interfaces.values()], rng
        self.machine = Host(name, dialect, self._interfaces, rng)
        self.notices: list[str] = []
        self._clock_ns = 0
        self.hosts = {
            interface.name: ModelHost(self, at, interface, switch)
            for at, (interface, switch) in interfaces.items()
        }
        self._timer: Timer | None = None
        self._has_failed: set[tuple[str, int]] = set()

    def beside(self, host: ModelHost) -> ModelHost:
        """The same interface for one more process or network stack, which shares nothing but the interface with the others."""
        port = self.machine.port(host.interface_name)
        twin = Interface(port.name, port.mac, tuple(port.addresses))
        there = {f"{host.name}-beside": (twin, host.switch)}
        return ModelMachine(
            self.bench, self.name, there, self.machine.dialect, Random(self.machine.rng.random())
        ).hosts[port.name]

    def now_ns(self) -> int:
        """The time that its timers run by."""
        return self.bench.loop.now_ns() + self._clock_ns

    def step_clock(self, seconds: int) -> None:
        """Sets its wall clock; its timers feel it only where they run by that."""
        if self.machine.dialect.follows_wall_clock:
            by_ns = seconds * 1_000_000_000
            self._clock_ns += by_ns
            self.machine.step_clock(by_ns)
        self._arm()

    def boot(self, tunables: Mapping[str, int]) -> None:
        """Begins anew: nothing is left of what was configured."""
        self.machine = Host(self.name, self.machine.dialect, self._interfaces, self._rng, sysctl=tunables)
        for host in self.hosts.values():
            host.administrator = Administrator(self.machine, host.interface_name)
        self._arm()

    def carry_out(self, actions: list[Action]) -> None:
        """Does what the machine wants done, and sets the timer for what it will want next."""
        queue = list(actions)
        about: StateChange | None = None
        while queue:
            action = queue.pop(0)
            if isinstance(action, Count):
                continue  # is read, not told
            if isinstance(action, Send):
                queue += self._send(action)
                continue
            if isinstance(action, StateChange):
                about = action  # a daemon tells its state by the line that follows
                self._notice(action)
            host, vhid = self._teller(action, about)
            told = host.administrator.told(action)
            if told is not None:
                self.bench.trace.add(HostEvent(self.bench.loop.now_ns(), host.name, *told, vhid))
        self._arm()

    def _notice(self, change: StateChange) -> None:
        if self.machine.dialect.device_events:
            self.notices.append(
                f"!system=CARP subsystem={change.vhid}@{change.interface} type={change.new.value}"
            )
        self.hosts[change.interface].platform.changed_state()

    def _teller(self, action: Action, about: StateChange | None) -> tuple[ModelHost, int | None]:
        """Whose word an action is: of which interface, and of which virtual host where that is known."""
        if isinstance(action, Log) and self.machine.dialect.poll_loop is not None and about is not None:
            action = about
        if isinstance(action, StateChange | Script | Exit):
            return self.hosts[action.interface], action.vhid
        return next(iter(self.hosts.values())), None

    def _send(self, action: Send) -> list[Action]:
        """Puts a frame on the wire; what the machine does about it if it is an advertisement."""
        host, now_ns = self.hosts[action.interface], self.now_ns()
        if action.vhid is not None and host.sending_refused:
            self._has_failed.add((action.interface, action.vhid))
            return self.machine.send_failed(now_ns, action.interface, action.vhid)
        host.switch.transmit(host.name, action.frame)
        if action.vhid is None or (action.interface, action.vhid) not in self._has_failed:
            return []  # the machine counts only what is sent after a failure
        return (
            self.machine.send_ok(now_ns, action.interface, action.vhid)
            if action.vhid in host.configured()
            else []
        )

    def _arm(self) -> None:
        """Sets the timer for what the machine will want next, unless it is set so."""
        deadline_ns = self.machine.next_deadline_ns
        due_ns = None if deadline_ns is None else max(deadline_ns - self._clock_ns, self.bench.loop.now_ns())
        if self._timer is not None:
            if self._timer.due_ns == due_ns:
                return
            self._timer.cancel()
        self._timer = None if due_ns is None else self.bench.loop.at(due_ns, self._due)

    def _due(self) -> None:
        self._timer = None
        self.carry_out(self.machine.tick(self.now_ns()))
