"""A host that speaks CARP, without I/O: calls tell it what happens and when, actions come back. It has no
clock, no socket and no randomness of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from random import Random
from types import MappingProxyType
from typing import TypeGuard

from conformance.catalogue import COUNTERS
from conformance.model import administer, adverts, asking, demotion, neighbour, poll, receive
from conformance.model.actions import Action, Count, Log, Send, State
from conformance.model.config import ConfigurationError, Interface, VhostConfig, parse
from conformance.model.dialects import Dialect
from conformance.model.effects import happen
from conformance.model.election import Demotion
from conformance.model.loglines import Line
from conformance.model.onwire import Identification
from conformance.model.packet import read
from conformance.model.poll import Signal
from conformance.model.transitions import Input
from conformance.model.vhost import Port, Vhost
from conformance.wire.digest import Address

PREFIX = "net.inet.carp."
_LOG = PREFIX + "log"


class Host:
    """One machine with its interfaces and virtual hosts.

    Every call that makes something happen takes ``now_ns`` (nanoseconds, never going back) and returns the
    actions to carry out, in order. ``rng`` is the only
    source of randomness (64 bits for a counter, 16 for an IPv4 identification). ``sysctl`` sets initial
    values; names may leave ``net.inet.carp.`` out.
    """

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        interfaces: Sequence[Interface],
        rng: Random,
        *,
        sysctl: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.name, self.dialect, self.rng = name, dialect, rng
        self.ports = {one.name: Port.of(one) for one in interfaces}
        self.demotion = 0
        self.groups: dict[str, int] = {}
        self.tos, self.traffic_class = dialect.tos, dialect.traffic_class
        self.sysctls = dict(dialect.sysctls)
        self._counters = dict.fromkeys(COUNTERS, 0)
        self.tell_all = False
        self.forwarding = False
        self.repeats = 0
        self._sent = 0
        self._now_ns = 0
        self._actions: list[Action] = []
        self._earliest: tuple[int | None, Vhost | None] | None = (
            None  # what _next() has found, until something happens
        )
        for key, value in sysctl.items():
            administer.set_sysctl(self, 0, key, value)
        self._end()

    # what happens to it

    def configure(self, now_ns: int, interface: str, vhost: VhostConfig) -> list[Action]:
        """An administrator creates a virtual host (or starts a ucarp). Raises :class:`ConfigurationError`."""
        self._begin(now_ns)
        administer.create(self, now_ns, self.port(interface), vhost)
        return self._end()

    def reconfigure(self, now_ns: int, interface: str, vhid: int, **changes: object) -> list[Action]:
        """Changes parameters (fields of :class:`VhostConfig` but vhid and addresses) of a running virtual
        host. Raises :class:`ConfigurationError`.
        """
        self._begin(now_ns)
        administer.change(self, now_ns, self.vhost(interface, vhid), changes)
        return self._end()

    def add_address(self, now_ns: int, interface: str, vhid: int, address: str | Address) -> list[Action]:
        """Adds a shared address to a virtual host. Raises :class:`ConfigurationError`."""
        self._begin(now_ns)
        for vhost in self.vhost(interface, vhid).of_interface():
            administer.add_address(self, now_ns, vhost, parse(address))
        return self._end()

    def remove_address(self, now_ns: int, interface: str, vhid: int, address: str | Address) -> list[Action]:
        """Takes a shared address from a virtual host. Raises :class:`ConfigurationError`."""
        self._begin(now_ns)
        for vhost in self.vhost(interface, vhid).of_interface():
            administer.remove_address(self, now_ns, vhost, parse(address))
        return self._end()

    def destroy(self, now_ns: int, interface: str, vhid: int) -> list[Action]:
        """Removes a virtual host (legacy and OpenBSD: destroys its carp interface; ucarp: SIGKILL). Nothing
        is sent for it.
        """
        self._begin(now_ns)
        for vhost in self.vhost(interface, vhid).of_interface():
            self._say_farewell(vhost, now_ns)
            del vhost.port.vhosts[vhost.vhid]
            if not self.dialect.common.forgets_mac:
                vhost.port.ghosts.append(vhost)
            if not self.dialect.common.survives_removal:
                vhost.port.reported = False
            demotion.forget(self, vhost, now_ns)
        return self._end()

    def request_state(self, now_ns: int, interface: str, vhid: int, state: State) -> list[Action]:
        """An administrator orders a state; an order for INIT, or given in INIT, has no effect. Raises
        :class:`ConfigurationError`.
        """
        self._begin(now_ns)
        vhost = self.vhost(interface, vhid)
        if not self.dialect.state_requests:
            raise ConfigurationError(
                self.name,
                f"{self.dialect.key} takes no order to become {state.value}",
                "use signal() for a ucarp",
            )
        if state is not State.INIT:
            what = Input.ORDERED_MASTER if state is State.MASTER else Input.ORDERED_BACKUP
            for one in vhost.of_interface():
                happen(self, one, what, now_ns)
        return self._end()

    def receive(self, now_ns: int, interface: str, frame: bytes) -> list[Action]:
        """A frame (Ethernet, without frame check sequence) reached ``interface``."""
        self._begin(now_ns)
        port = self.port(interface)
        if port.running:
            packet = read(frame)
            if packet is None:
                neighbour.answer(self, port, frame)
            elif self.dialect.poll_loop is None:
                receive.arrive(self, port, packet, now_ns)
            elif packet.version == 4:
                for poller in filter(None, (vhost.poller for vhost in port.vhosts.values())):
                    poller.hear(packet, now_ns)
        return self._end()

    def tick(self, now_ns: int) -> list[Action]:
        """Lets every timer run that is due at ``now_ns``."""
        self._begin(now_ns)
        return self._end()

    @property
    def next_deadline_ns(self) -> int | None:
        """When :meth:`tick` is to be called next; ``None`` if no timer runs."""
        if self._earliest is None:
            self._earliest = self._next()
        return self._earliest[0]

    def _next(self) -> tuple[int | None, Vhost | None]:
        """The earliest of all timers, and whose it is: the first of several."""
        earliest_ns, first = None, None
        for port in self.ports.values():
            for vhost in port.vhosts.values():
                due_ns = vhost.deadline_ns() if vhost.poller is None else vhost.poller.deadline_ns()
                if due_ns is not None and (earliest_ns is None or due_ns < earliest_ns):
                    earliest_ns, first = due_ns, vhost
        return earliest_ns, first

    def link(self, now_ns: int, interface: str, up: bool) -> list[Action]:
        """The link of an interface (cable, switch port) went up or down."""
        self._begin(now_ns)
        port = self.port(interface)
        if port.link != up:
            port.link = up
            self._carriers(port, now_ns)
        return self._end()

    def step_clock(self, by_ns: int) -> None:
        """The wall clock is set by ``by_ns``, and ``now_ns`` with it where timers run by it: a sleep that has begun takes as long as it would have."""
        self._earliest = None
        for vhost in self.vhosts():
            if vhost.poller is not None:
                vhost.poller.step_clock(by_ns)

    def report_link(self, now_ns: int, interface: str, reported: bool) -> list[Action]:
        """An interface reports the state of its link from now on, or does not."""
        self._begin(now_ns)
        port = self.port(interface)
        if port.reported != reported:
            port.reported = reported
            self._carriers(port, now_ns)
        return self._end()

    def interface_up(self, now_ns: int, interface: str, up: bool) -> list[Action]:
        """An administrator takes an interface up or down; ``interface`` may be a carp interface where those
        exist.
        """
        self._begin(now_ns)
        device = next(
            (vhost for vhost in self.vhosts() if self.dialect.own_interface and vhost.device == interface),
            None,
        )
        if device is not None:
            administer.set_up(self, now_ns, device, up)
            return self._end()
        port = self.port(interface)
        if port.up != up:
            port.up = up
            self._carriers(port, now_ns)
        return self._end()

    def remove_interface(self, now_ns: int, interface: str) -> list[Action]:
        """An interface disappears with the virtual hosts on it (a ucarp there ends)."""
        self._begin(now_ns)
        port = self.ports.pop(self.port(interface).name)
        for vhost in port.vhosts.values():
            if vhost.poller is not None:
                poll.interface_gone(self, vhost)
            demotion.forget(self, vhost, now_ns)
        return self._end()

    def sysctl(self, now_ns: int, name: str, value: int) -> list[Action]:
        """An administrator writes a sysctl; ``net.inet.carp.`` may be left out. Raises
        :class:`ConfigurationError`.
        """
        self._begin(now_ns)
        administer.set_sysctl(self, now_ns, name, value)
        return self._end()

    def demote(self, now_ns: int, amount: int, group: str = "carp") -> list[Action]:
        """Demotes the host by ``amount`` (negative: takes it back): net.inet.carp.demotion, OpenBSD's
        ``carpdemote`` of ``group``, or pfsync on legacy FreeBSD. Raises :class:`ConfigurationError`.
        """
        self._begin(now_ns)
        demotion.order(self, now_ns, amount, group)
        return self._end()

    def join_group(self, now_ns: int, interface: str, vhid: int, group: str) -> list[Action]:
        """OpenBSD: puts the carp interface of a virtual host into an interface group."""
        self._begin(now_ns)
        for vhost in self.vhost(interface, vhid).of_interface():
            vhost.groups.append(group)
        return self._end()

    def look_for(
        self, now_ns: int, interface: str, target: Address, source: IPv4Address | None = None
    ) -> list[Action]:
        """Something on the host sends to an unknown neighbour, from the shared address ``source`` if given."""
        self._begin(now_ns)
        asking.ask(self, self.port(interface), target, source)
        return self._end()

    def advertise_router(self, now_ns: int, interface: str, source: IPv6Address) -> list[Action]:
        """A program on the host sends a router advertisement from ``source``, a shared address or an own one."""
        self._begin(now_ns)
        asking.advertise_router(self, self.port(interface), source)
        return self._end()

    def send_failed(self, now_ns: int, interface: str, vhid: int, errno: int = 55) -> list[Action]:
        """The segment could not send an advertisement (default: ENOBUFS)."""
        self._begin(now_ns)
        demotion.send_failed(self, self.vhost(interface, vhid), now_ns, errno)
        return self._end()

    def send_ok(self, now_ns: int, interface: str, vhid: int) -> list[Action]:
        """The segment sent an advertisement. Needed only after failures."""
        self._begin(now_ns)
        demotion.send_ok(self, self.vhost(interface, vhid), now_ns)
        return self._end()

    def signal(self, now_ns: int, interface: str, vhid: int, signal: Signal) -> list[Action]:
        """A ucarp process gets a signal. Raises :class:`ConfigurationError` in other dialects."""
        self._begin(now_ns)
        vhost = self.vhost(interface, vhid)
        if vhost.poller is None:
            raise ConfigurationError(
                self.name,
                f"{self.dialect.key} is no process that takes signals",
                "use request_state() or interface_up()",
            )
        if not poll.signalled(self, vhost, vhost.poller, signal, now_ns):
            self._say_farewell(vhost, now_ns)
            del vhost.port.vhosts[vhid]
        return self._end()

    # what can be read

    def state(self, interface: str, vhid: int) -> State:
        """The state of a virtual host. Raises :class:`ConfigurationError` if there is none."""
        return self.vhost(interface, vhid).state

    @property
    def counters(self) -> Mapping[str, int]:
        """Struct carpstats by name (without ``carps_``)."""
        return MappingProxyType(self._counters)

    def read_sysctl(self, name: str) -> int:
        """The value of a sysctl; ``net.inet.carp.`` may be left out. Raises :class:`ConfigurationError`."""
        return administer.read_sysctl(self, name)

    def vhosts(self) -> Iterator[Vhost]:
        """All virtual hosts."""
        return (vhost for port in self.ports.values() for vhost in port.vhosts.values())

    def vhost(self, interface: str, vhid: int) -> Vhost:
        """A virtual host. Raises :class:`ConfigurationError` if there is none."""
        found = self.port(interface).vhosts.get(vhid)
        if found is None:
            raise ConfigurationError(
                self.name, f"there is no virtual host {vhid} on {interface}", "configure() it first"
            )
        return found

    def port(self, interface: str) -> Port:
        """An interface. Raises :class:`ConfigurationError` if there is none."""
        if interface not in self.ports:
            raise ConfigurationError(
                self.name, f"there is no interface {interface}", f"it has {', '.join(self.ports) or 'none'}"
            )
        return self.ports[interface]

    # what rules ask of it

    def carried(self, vhost: Vhost) -> bool:
        """Whether link, interface and ``allow`` let a virtual host run."""
        allowed = not self.dialect.allow_stops or self.sysctls[PREFIX + "allow"] != 0
        known = vhost.port.reported or self.dialect.unknown_link_is_up
        return ((vhost.port.running and known) or not self.dialect.common.link_stops) and allowed

    def usable(self, vhost: Vhost) -> bool:
        """Whether a virtual host can leave INIT."""
        return (
            self.carried(vhost)
            and vhost.up
            and (bool(vhost.addresses) or not self.dialect.common.needs_address)
        )

    def preempts(self, vhost: Vhost) -> bool:
        """Whether preemption is on: a sysctl of the host, an option of ucarp."""
        return vhost.config.preempt if vhost.poller is not None else self.sysctls[PREFIX + "preempt"] != 0

    def demotion_of(self, vhost: Vhost) -> int:
        """The demotion that counts for a virtual host."""
        return demotion.of(self, vhost)

    @property
    def now_ns(self) -> int:
        """The time of the running call."""
        return self._now_ns

    @property
    def link_demotion(self) -> int:
        """By how much a lost link demotes."""
        return (
            self.sysctls[PREFIX + "ifdown_demotion_factor"] if self.dialect.demotion_by is Demotion.SUM else 1
        )

    @property
    def error_demotion(self) -> int:
        """By how much failed sends demote."""
        return (
            self.sysctls[PREFIX + "senderr_demotion_factor"]
            if self.dialect.demotion_by is Demotion.SUM
            else 1
        )

    def source4(self, vhost: Vhost) -> IPv4Address:
        """The IPv4 source of a virtual host's advertisements."""
        return adverts.source4(self, vhost)

    def next_identification(self) -> int:
        """The identification of the next IPv4 packet (random or counting)."""
        if self.dialect.identification is Identification.RANDOM:
            return self.rng.getrandbits(16)
        self._sent = (self._sent + 1) & 0xFFFF
        return self._sent

    def act(self, action: Action) -> None:
        """Adds an action to those of the running call."""
        self._actions.append(action)

    def count(self, counter: str) -> None:
        """Raises a counter, where there are any."""
        if self.dialect.counters:
            for moved in self.dialect.common.counts(counter):
                self._counters[moved] += 1
                self._actions.append(Count(moved))

    def logs(self, line: Line | None) -> TypeGuard[Line]:
        """Whether there is such a line, and ``net.inet.carp.log`` is high enough for it."""
        return line is not None and self.sysctls[_LOG] >= line.threshold

    def say(self, line: Line | None, **values: object) -> None:
        """Logs a line if ``net.inet.carp.log`` is high enough for it."""
        if self.logs(line):
            self._actions.append(Log(line.level, line.text.format(**values)))

    def send(self, port: Port, frame: bytes, vhost: Vhost | None = None) -> None:
        """Sends a frame; ``vhost`` if it is its advertisement."""
        self.put(port, frame, None if vhost is None else vhost.vhid)

    def put(self, port: Port, frame: bytes, vhid: int | None) -> None:
        """Puts a frame on the wire; ``vhid`` if it is an advertisement."""
        for leaving in self.dialect.common.emits(port, frame, vhid):
            self._actions.append(Send(port.name, leaving, vhid))

    def send_to_neighbour(self, port: Port, address: Address, packet: bytes, vhost: Vhost) -> None:
        """Sends an advertisement to a unicast peer."""
        neighbour.resolve(self, port, address, packet, vhost.vhid, self._now_ns)

    # the inside

    def _say_farewell(self, vhost: Vhost, now_ns: int) -> None:
        """What a MASTER says that is removed: nothing, but for VRRPv3."""
        routes = vhost.routes is not None and vhost.routes.says_farewell
        if vhost.state is State.MASTER and (routes or not self.dialect.common.leaves_silently):
            adverts.advertise(self, vhost, now_ns, farewell=True)

    def _begin(self, now_ns: int) -> None:
        self._now_ns = now_ns
        due_ns, vhost = self._earliest or self._next()
        while due_ns is not None and due_ns <= now_ns and vhost is not None:
            self._run(vhost, now_ns)
            due_ns, vhost = self._next()
        self._earliest = None

    def _run(self, vhost: Vhost, now_ns: int) -> None:
        if vhost.poller is not None:
            poll.wake(self, vhost, vhost.poller, now_ns)
        elif vhost.advertise_ns is not None and vhost.advertise_ns == vhost.deadline_ns():
            adverts.advertise(self, vhost, now_ns)
        else:
            if vhost.down_ns is not None and vhost.down_ns <= now_ns:
                vhost.down_ns = None
            else:
                vhost.down6_ns = None
            happen(self, vhost, Input.MASTER_DOWN, now_ns)

    def _end(self) -> list[Action]:
        if self.tell_all:
            self.tell_all = False
            demotion.advertise_all(self, self._now_ns)
        actions, self._actions = self._actions, []
        return actions

    def _carriers(self, port: Port, now_ns: int) -> None:
        if self.dialect.poll_loop is None:
            for vhost in tuple(port.vhosts.values()):
                demotion.carrier(self, vhost, now_ns)
