"""A segment with model hosts of any dialects, the faults that can befall it, and an observer who writes down
what no host may ever do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address, ip_interface
from itertools import combinations
from random import Random

from conformance.model.actions import Action, Count, Send, State, StateChange
from conformance.model.config import ConfigurationError, Interface, VhostConfig
from conformance.model.dialects import Dialect, dialect
from conformance.model.machine import Host
from conformance.model.mix import Member, Mix
from conformance.model.poll import Pause, Signal
from conformance.segment.loop import Loop, Timer, VirtualClock
from conformance.segment.simulated import SimulatedPort, SimulatedSwitch, Weather
from conformance.segment.trace import FrameSeen, Trace
from conformance.wire import frame as wire
from conformance.wire.checks import faults
from conformance.wire.digest import Address, Secret
from conformance.wire.header import checksum

MS, SECOND = 1_000_000, 1_000_000_000
INTERFACE = "em0"
VHID = 7
PASSWORD = "properties"
SHARED = ip_address("192.0.2.100")
SHARED6 = ip_address("2001:db8::100")
TESTER, TESTER_MAC = IPv4Address("192.0.2.254"), bytes.fromhex("0200000002fe")
ANSWER_NS = 250 * MS
PAYLOAD = b"a payload that must come back"


@dataclass(frozen=True, slots=True)
class Node:
    """How one host of a mix is configured."""

    key: str
    advbase: int = 1
    advskew: int = 0
    preempt: bool = False
    addresses: tuple[Address, ...] = (SHARED,)
    password: str = PASSWORD
    dead_ratio: int = 3
    peer: str | None = None

    @property
    def dialect(self) -> Dialect:
        return dialect(self.key)

    @property
    def config(self) -> VhostConfig:
        return VhostConfig(
            VHID,
            self.addresses,
            self.password,
            self.advbase,
            self.advskew,
            preempt=self.preempt,
            dead_ratio=self.dead_ratio,
            peer=self.peer,
        )

    def member(self, number: int, **more: object) -> Member:
        """As host ``number`` (from 1) of the segment, for the table of hazards."""
        source = IPv4Address(f"192.0.2.{number}")
        return Member(dialect=self.dialect, config=self.config, source=source, **more)  # type: ignore[arg-type]


def mix_of(nodes: Iterable[Node], **more: object) -> Mix:
    """The mix of these hosts; ``more`` are fields of :class:`Mix`."""
    return Mix(tuple(node.member(number) for number, node in enumerate(nodes, 1)), **more)  # type: ignore[arg-type]


class Station:
    """A host on the switch, and an observer of every one of its actions. ``number`` (from 1) gives its addresses."""

    def __init__(self, name: str, node: Node, number: int, switch: SimulatedSwitch, rng: Random) -> None:
        self.name, self.node, self.switch = name, node, switch
        own = (f"192.0.2.{number}/24", f"2001:db8::{number:x}/64", f"fe80::{number:x}/64")
        port = Interface(INTERFACE, bytes([2, 0, 0, 0, 2, number]), tuple(map(ip_interface, own)))
        self.sources = tuple(one.ip for one in port.own())
        self.machine = Host(name, node.dialect, [port], rng)
        self.demoted = 0
        self.violations: list[str] = []
        self.changed: Callable[[], None] = lambda: None
        self.carries: Callable[[bytes], bool] = lambda _: True
        """Which of its frames the segment carries at all."""
        self.state: State | None = None
        self._counters: dict[str, int] = {}
        self._timer: Timer | None = None
        switch.plug(name, lambda frame: self.carry_out(self.machine.receive(self.now_ns(), INTERFACE, frame)))

    def now_ns(self) -> int:
        return self.switch.loop.now_ns()

    @property
    def runs(self) -> bool:
        """Whether there is a virtual host (it may be down)."""
        return VHID in self.machine.port(INTERFACE).vhosts

    @property
    def waits(self) -> bool:
        """Whether its down timer runs: a BACKUP with a link, a ucarp that does not sleep."""
        if self.state is not State.BACKUP or not self.machine.port(INTERFACE).running:
            return False
        poller = self.machine.vhost(INTERFACE, VHID).poller
        return poller is None or poller.pause is Pause.NONE

    def carry_out(self, actions: list[Action]) -> None:
        """Looks at what the machine wants done, does it, and sets the timer for what it will want next."""
        for action in actions:
            if isinstance(action, StateChange):
                self.state = action.new
            elif isinstance(action, Send):
                self._look_at(action)
                if self.carries(action.frame):
                    self.switch.transmit(self.name, action.frame)
            elif isinstance(action, Count) and self.machine.counters[action.counter] == 0:
                self.violations.append(f"{self.name} counted {action.counter} and reads 0")
        self._compare_counters()
        self.state = self.machine.state(INTERFACE, VHID) if self.runs else None
        self.changed()
        if self._timer is not None:
            self._timer.cancel()
        due_ns = self.machine.next_deadline_ns
        if due_ns is not None:
            self._timer = self.switch.loop.at(
                due_ns, lambda: self.carry_out(self.machine.tick(self.now_ns()))
            )

    def _look_at(self, sent: Send) -> None:
        if sent.frame[6:12] == self.machine.dialect.virtual_mac(VHID) and self.state is not State.MASTER:
            self.violations.append(
                f"{self.name} sends from the virtual MAC as {self.state}: {sent.frame.hex()}"
            )

    def _compare_counters(self) -> None:
        now = dict(self.machine.counters)
        fell = [name for name, value in self._counters.items() if now[name] < value]
        if fell:
            self.violations.append(f"counters of {self.name} fell: {', '.join(fell)}")
        self._counters = now

    def start(self) -> None:
        """Starts a virtual host, or brings its carp interface up again; nothing if it runs."""
        if not self.runs:
            if self.node.preempt and self.machine.dialect.poll_loop is None:
                self.carry_out(self.machine.sysctl(self.now_ns(), "preempt", 1))
            self.carry_out(self.machine.configure(self.now_ns(), INTERFACE, self.node.config))
        elif self.machine.dialect.own_interface:
            device = self.machine.vhost(INTERFACE, VHID).device
            self.carry_out(self.machine.interface_up(self.now_ns(), device, up=True))

    def stop(self) -> None:
        """As one does: the carp interface down where there is one, SIGTERM to a ucarp, removal elsewhere."""
        if not self.runs:
            return
        if self.machine.dialect.own_interface:
            device = self.machine.vhost(INTERFACE, VHID).device
            self.carry_out(self.machine.interface_up(self.now_ns(), device, up=False))
        elif self.machine.dialect.poll_loop is not None:
            self.carry_out(self.machine.signal(self.now_ns(), INTERFACE, VHID, Signal.TERM))
        else:
            self.kill()

    def kill(self) -> None:
        """Removes it without a word."""
        if self.runs:
            self.carry_out(self.machine.destroy(self.now_ns(), INTERFACE, VHID))

    def cable(self, *, plugged: bool) -> None:
        (self.switch.unplugged.discard if plugged else self.switch.unplugged.add)(self.name)
        self.carry_out(self.machine.link(self.now_ns(), INTERFACE, plugged))

    def demote(self, amount: int) -> None:
        """Demotes the host (negative: takes it back); nothing where that is refused."""
        try:
            self.carry_out(self.machine.demote(self.now_ns(), amount))
        except ConfigurationError:
            return
        self.demoted += amount


class Village:
    """Hosts on one simulated switch, with the tester beside them.

    Addresses are 192.0.2.1, .2, … in the order of the nodes; names a, b, c ….
    """

    def __init__(self, nodes: Sequence[Node], seed: int, *, clear: Weather | None = None) -> None:
        rng = Random(seed)
        self.clear = clear or Weather()
        self.loop = Loop(VirtualClock())
        self.switch = SimulatedSwitch(self.loop, rng, self.clear)
        self.trace = Trace()
        self.port = SimulatedPort(self.switch, self.trace)
        self.stations = {
            name: Station(name, node, number, self.switch, Random(rng.random()))
            for number, (name, node) in enumerate(zip("abcdefgh", nodes, strict=False), 1)
        }
        self.history: list[tuple[int, tuple[str, ...], bool]] = [(self.now_ns(), (), False)]
        """When who was MASTER, and whether anybody could become it: one entry for each change."""
        self.disturbed_ns: list[int] = []
        for station in self.stations.values():
            station.changed = self._remember

    def now_ns(self) -> int:
        return self.loop.now_ns()

    def wait(self, for_ns: int) -> None:
        self.loop.run_for(for_ns)

    def masters(self) -> tuple[str, ...]:
        """Who is MASTER now."""
        return tuple(name for name, one in self.stations.items() if one.state is State.MASTER)

    def _remember(self) -> None:
        now = (self.masters(), any(one.waits for one in self.stations.values()))
        if self.history[-1][1:] != now:
            self.history.append((self.now_ns(), *now))

    def spans(self, from_ns: int = 0) -> list[tuple[int, int, tuple[str, ...], bool]]:
        """From when to when who was MASTER and whether anybody waited to become it, from ``from_ns`` until now;
        moments of no length are left out.
        """
        ends = [entry[0] for entry in self.history[1:]] + [self.now_ns()]
        spans = (
            (max(begin_ns, from_ns), end_ns, masters, waits)
            for (begin_ns, masters, waits), end_ns in zip(self.history, ends, strict=True)
        )
        return [span for span in spans if span[0] < span[1]]

    def reigns(self, from_ns: int) -> list[tuple[str, ...]]:
        """Who was MASTER from ``from_ns`` until now, each change once."""
        found: list[tuple[str, ...]] = []
        for _, _, masters, _ in self.spans(from_ns):
            if not found or found[-1] != masters:
                found.append(masters)
        return found

    # what befalls it

    def at(self, name: str) -> Station:
        """A host to which something is about to happen."""
        self.disturb()
        return self.stations[name]

    def part(
        self, left: Iterable[str], right: Iterable[str], *, parted: bool, both_ways: bool = True
    ) -> None:
        self.disturb()
        for one in left:
            for other in right:
                self.switch.part(one, other, parted=parted, both_ways=both_ways)

    def weather(self, weather: Weather) -> None:
        self.disturb()
        self.switch.weather = weather

    def disturb(self) -> None:
        """Notes that something happened to the segment from outside."""
        self.disturbed_ns.append(self.now_ns())

    def start_all(self, apart_ns: int = 0) -> None:
        """Starts every host, each ``apart_ns`` after the one before."""
        for name in self.stations:
            self.at(name).start()
            self.wait(apart_ns)

    def heal(self) -> None:
        """Mends everything: parted hosts, cables, demotions, weather; starts what does not run."""
        for one, other in combinations(self.stations, 2):
            self.switch.part(one, other, parted=False)
        self.weather(self.clear)
        for name, station in self.stations.items():
            self.at(name).cable(plugged=True)
            if station.demoted:
                station.demote(-station.demoted)
            station.start()

    # what an observer asks

    def arp_answers(self, address: IPv4Address = SHARED) -> list[bytes]:
        """The MAC addresses that the tester is told for a shared address, one for each reply."""
        first = len(self.trace.frames)
        self.port.send(wire.arp(wire.ArpOperation.REQUEST, TESTER_MAC, TESTER, bytes(6), address))
        self.wait(ANSWER_NS)
        return [
            seen.frame.arp.sender_mac
            for seen in self.trace.frames[first:]
            if not seen.sent
            and seen.frame.arp is not None
            and seen.frame.arp.operation == wire.ArpOperation.REPLY
            and seen.frame.arp.sender == address
        ]

    def echoes(self, mac: bytes, address: IPv4Address = SHARED) -> list[bytes]:
        """The payloads that come back for an echo request to ``address`` that is framed to ``mac``."""
        body = b"\x08\0\0\0\0\1\0\1" + PAYLOAD
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        packet = wire.ipv4(TESTER, address, body, ttl=64, tos=0, protocol=1)
        first = len(self.trace.frames)
        self.port.send(wire.ethernet(mac, TESTER_MAC, wire.ETHERTYPE_IPV4, packet))
        self.wait(ANSWER_NS)
        return [
            seen.frame.payload[8:]
            for seen in self.trace.frames[first:]
            if not seen.sent
            and seen.frame.ip is not None
            and seen.frame.ip.source == address
            and seen.frame.payload[:1] == b"\0"
        ]

    def adverts(self) -> list[FrameSeen]:
        """The advertisements that hosts have sent."""
        return [
            seen
            for seen in self.trace.frames
            if not seen.sent and seen.frame.ip is not None and seen.frame.ip.protocol == 112
        ]

    def faulty_adverts(self) -> list[str]:
        """What :func:`conformance.wire.checks.faults` finds wrong with the advertisements of the trace."""
        return [
            f"frame {seen.number}: {', '.join(sorted(fault.value for fault in found))}"
            for seen in self.adverts()
            if (found := faults(seen.frame, VHID, self._secret(seen)))
        ]

    def _secret(self, seen: FrameSeen) -> Secret:
        assert seen.frame.ip is not None
        station = next(one for one in self.stations.values() if seen.frame.ip.source in one.sources)
        served = station.node.member(1).served()
        return Secret(station.node.password, served, station.node.dialect.address_rule)

    def demotions(self) -> dict[str, tuple[int, dict[str, int]]]:
        """The demotion of each host: its sum or count, and the counts of its groups that are not 0."""
        return {
            name: (
                one.machine.demotion,
                {group: count for group, count in one.machine.groups.items() if count},
            )
            for name, one in self.stations.items()
        }

    def violations(self) -> list[str]:
        """What hosts did that none may ever do."""
        return [said for one in self.stations.values() for said in one.violations]


# --- what the dialects promise


def slowest_take_over_ns(nodes: Iterable[Node], *, link_lost: bool = False) -> int:
    """The longest time for which nobody is MASTER while somebody could be: the slowest dialect's latest
    take-over, and what ucarp sleeps after its link was lost.
    """
    return max(
        node.dialect.take_over_window_ns(node.advbase, node.advskew, node.dead_ratio)[1]
        + (node.dialect.poll_loop.link_sleep_ns if link_lost and node.dialect.poll_loop is not None else 0)
        for node in nodes
    )


def convergence_ns(nodes: Sequence[Node], *, link_lost: bool = False) -> int:
    """How long after the last fault there is one MASTER: slowest take-over, two intervals of the slowest, and
    twice the slowest reaction.
    """
    interval_ns = max(node.dialect.interval_window_ns(node.advbase, node.advskew)[1] for node in nodes)
    reaction_ns = max(node.dialect.reaction_ns for node in nodes)
    return slowest_take_over_ns(nodes, link_lost=link_lost) + 2 * interval_ns + 2 * reaction_ns


def with_addresses(nodes: Iterable[Node], *addresses: Address) -> list[Node]:
    """The nodes with other shared addresses."""
    return [replace(node, addresses=addresses) for node in nodes]
