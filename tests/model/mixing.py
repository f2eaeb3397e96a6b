"""A segment with model hosts of any dialects, the faults that can befall it, and an observer who writes down
what no host may ever do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, ip_address
from itertools import combinations

from conformance.model.actions import Action, Count, Send, State, StateChange
from conformance.model.config import VhostConfig
from conformance.model.dialects import Dialect, dialect
from conformance.model.hazards import Member, Mix
from conformance.segment.simulated import SimulatedPort, Weather
from conformance.segment.trace import FrameSeen, Trace
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.host import INTERFACE, ModelHost
from conformance.targets.protocol import Settings
from conformance.wire import frame as wire
from conformance.wire.checks import faults
from conformance.wire.digest import Address, Secret
from conformance.wire.header import checksum

MS, SECOND = 1_000_000, 1_000_000_000
VHID = 7
PASSWORD = "properties"
SHARED = ip_address("192.0.2.100")
SHARED6 = ip_address("2001:db8::100")
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

    def settings(self) -> Settings:
        options = {"dead_ratio": self.dead_ratio} if self.dialect.poll_loop is not None else {}
        if self.peer is not None:
            options |= {"peer": self.peer}
        return Settings(
            vhid=VHID,
            password=self.password,
            addresses=self.addresses,
            advbase=self.advbase,
            advskew=self.advskew,
            preempt=self.preempt,
            options=options,
        )

    def member(self, number: int) -> Member:
        """As host ``number`` (from 1) of the segment, for the table of hazards."""
        config = VhostConfig(
            VHID,
            self.addresses,
            self.password,
            self.advbase,
            self.advskew,
            dead_ratio=self.dead_ratio,
            peer=self.peer,
        )
        return Member(dialect=self.dialect, config=config, source=IPv4Address(f"192.0.2.{number}"))


def mix_of(nodes: Iterable[Node], **more: object) -> Mix:
    """The mix of these hosts."""
    return Mix(tuple(node.member(number) for number, node in enumerate(nodes, 1)), **more)  # type: ignore[arg-type]


@dataclass(slots=True)
class Observer:
    """Looks at every action of every host."""

    now_ns: Callable[[], int]
    masters: dict[str, State] = field(default_factory=dict)
    history: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    """When who was MASTER: one entry for each change."""
    violations: list[str] = field(default_factory=list)
    _counters: dict[str, dict[str, int]] = field(default_factory=dict)

    def attach(self, host: ModelHost) -> None:
        """Sees all actions of ``host`` from now on."""
        carry_out = host.carry_out
        self.masters[host.name] = State.INIT

        def observed(actions: list[Action]) -> None:
            for action in actions:
                self._see(host, action)
            self._compare(host)
            self._remember(host)
            carry_out(actions)

        host.carry_out = observed  # type: ignore[method-assign]

    def _see(self, host: ModelHost, action: Action) -> None:
        if isinstance(action, StateChange):
            self.masters[host.name] = action.new
        elif isinstance(action, Count) and host.machine.counters[action.counter] == 0:
            self.violations.append(f"{host.name} counted {action.counter} and reads 0")
        elif isinstance(action, Send):
            virtual = action.frame[6:12] == host.machine.dialect.virtual_mac(VHID)
            if virtual and self.masters[host.name] is not State.MASTER:
                state = self.masters[host.name].value
                self.violations.append(f"{host.name} sends from the virtual MAC as {state}: {action.frame.hex()}")

    def _compare(self, host: ModelHost) -> None:
        before, now = self._counters.get(host.name, {}), dict(host.machine.counters)
        fell = [name for name, value in before.items() if now[name] < value]
        if fell:
            self.violations.append(f"counters of {host.name} fell: {', '.join(fell)}")
        self._counters[host.name] = now

    def _remember(self, host: ModelHost) -> None:
        there = host.machine.port(INTERFACE).vhosts.get(VHID)
        self.masters[host.name] = State.INIT if there is None else there.state
        masters = tuple(name for name, state in self.masters.items() if state is State.MASTER)
        if not self.history or self.history[-1][1] != masters:
            self.history.append((self.now_ns(), masters))

    def between(self, from_ns: int, to_ns: int) -> list[tuple[int, int, tuple[str, ...]]]:
        """Who was MASTER from when to when, within a span of time."""
        ends = [time_ns for time_ns, _ in self.history[1:]] + [to_ns]
        spans = (
            (max(begin_ns, from_ns), min(end_ns, to_ns), masters)
            for (begin_ns, masters), end_ns in zip(self.history, ends, strict=True)
        )
        return [span for span in spans if span[0] < span[1]]


class Village:
    """Hosts on one simulated switch, with the tester beside them.

    Addresses are 192.0.2.1, .2, … in the order of the nodes; names a, b, c ….
    """

    def __init__(self, nodes: Sequence[Node], seed: int, *, clear: Weather | None = None) -> None:
        self.nodes = dict(zip("abcdefgh", nodes, strict=False))
        self.bench = ModelBench(tuple(node.dialect for node in nodes), seed)
        self.trace = Trace()
        self.port: SimulatedPort = self.bench.port(self.trace)  # type: ignore[assignment]
        self.clear = clear or Weather()
        self.bench.switch.weather = self.clear
        self.observer = Observer(self.bench.loop.now_ns)
        self.disturbed_ns: list[int] = []
        self.demoted = dict.fromkeys(self.nodes, 0)
        self.iuts = {}
        for name in self.nodes:
            self.observer.attach(self.bench.hosts[name])

    def now_ns(self) -> int:
        return self.bench.loop.now_ns()

    def wait(self, for_ns: int) -> None:
        self.bench.loop.run_for(for_ns)

    def host(self, name: str) -> ModelHost:
        return self.bench.hosts[name]

    def masters(self) -> tuple[str, ...]:
        """Who is MASTER now."""
        return tuple(name for name in self.nodes if self.state(name) is State.MASTER)

    def state(self, name: str) -> State | None:
        """The state of a host's virtual host, None if there is none."""
        vhost = self.host(name).machine.port(INTERFACE).vhosts.get(VHID)
        return None if vhost is None else vhost.state

    # what befalls it

    def start(self, name: str) -> None:
        """Starts a virtual host, or brings its carp interface up again; nothing if it runs."""
        self.disturb()
        host = self.host(name)
        if not self.runs(name):
            self.iuts[name] = host.start(self.nodes[name].settings())
        elif not host.machine.vhost(INTERFACE, VHID).up:
            device = host.machine.vhost(INTERFACE, VHID).device
            host.carry_out(host.machine.interface_up(self.now_ns(), device, up=True))

    def runs(self, name: str) -> bool:
        return VHID in self.host(name).machine.port(INTERFACE).vhosts

    def stop(self, name: str) -> None:
        self.disturb()
        if self.runs(name):
            self.iuts[name].stop()

    def kill(self, name: str) -> None:
        self.disturb()
        if self.runs(name):
            self.iuts[name].kill()

    def cable(self, name: str, *, plugged: bool) -> None:
        self.disturb()
        self.host(name).cable(plugged=plugged)

    def demote(self, name: str, amount: int) -> None:
        """Demotes a host (negative: takes it back); nothing where an administrator cannot."""
        self.disturb()
        host = self.host(name)
        if host.machine.dialect.poll_loop is None:
            self.demoted[name] += amount
            host.carry_out(host.machine.demote(self.now_ns(), amount))

    def part(self, left: Iterable[str], right: Iterable[str], *, parted: bool, both_ways: bool = True) -> None:
        self.disturb()
        for one in left:
            for other in right:
                self.bench.switch.part(one, other, parted=parted, both_ways=both_ways)

    def weather(self, weather: Weather) -> None:
        self.disturb()
        self.bench.switch.weather = weather

    def disturb(self) -> None:
        """Notes that something happened to the segment from outside."""
        self.disturbed_ns.append(self.now_ns())

    def heal(self) -> None:
        """Mends everything: parted hosts, cables, demotions, weather; starts what does not run."""
        for one, other in combinations(self.nodes, 2):
            self.bench.switch.part(one, other, parted=False)
        self.weather(self.clear)
        for name in self.nodes:
            self.cable(name, plugged=True)
            if self.demoted[name]:
                self.demote(name, -self.demoted[name])
            self.start(name)

    # what an observer asks

    def arp_answers(self, address: IPv4Address = SHARED) -> list[bytes]:
        """The MAC addresses that the tester is told for a shared address, one for each reply."""
        tester = self.bench.tester_addresses[0]
        assert isinstance(tester, IPv4Address)
        first = len(self.trace.frames)
        self.port.send(
            wire.arp(wire.ArpOperation.REQUEST, self.bench.tester_mac, tester, bytes(6), address)
        )
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
        tester = self.bench.tester_addresses[0]
        assert isinstance(tester, IPv4Address)
        body = b"\x08\0\0\0\0\1\0\1" + PAYLOAD
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        packet = wire.ipv4(tester, address, body, ttl=64, tos=0, protocol=1)
        first = len(self.trace.frames)
        self.port.send(wire.ethernet(mac, self.bench.tester_mac, wire.ETHERTYPE_IPV4, packet))
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
        name = next(name for name in self.nodes if seen.frame.ip.source in self.host(name).addresses)
        node, number = self.nodes[name], list(self.nodes).index(name) + 1
        return Secret(node.password, node.member(number).served(), node.dialect.address_rule)

    def demotions(self) -> dict[str, tuple[int, dict[str, int]]]:
        """The demotion of each host: its sum or count, and the counts of its groups that are not 0."""
        return {
            name: (
                self.host(name).machine.demotion,
                {group: count for group, count in self.host(name).machine.groups.items() if count},
            )
            for name in self.nodes
        }


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
