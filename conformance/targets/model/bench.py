"""A lane in virtual time: model hosts and the tester on a simulated switch."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import cache
from ipaddress import IPv4Address, ip_address, ip_interface
from random import Random

from conformance.model.config import Interface
from conformance.model.dialects import Dialect
from conformance.segment.loop import Loop, VirtualClock
from conformance.segment.simulated import SimulatedPort, SimulatedSwitch
from conformance.segment.trace import Event, FrameSeen, TesterAction, Trace
from conformance.targets.model.host import INTERFACE, SECOND_INTERFACE, ModelHost, ModelMachine
from conformance.targets.protocol import Side, SutHost
from conformance.wire import frame as wire
from conformance.wire.digest import Address
from conformance.wire.header import checksum

PROBE_NS = 250_000_000
_SUBNET, _SUBNET6 = "192.0.2", "2001:db8::"
_INNER, _INNER6 = "198.51.100", "2001:db8:1::"
_ICMP, _ECHO_REQUEST, _ECHO_REPLY = 1, 8, 0


@cache
def _shared(subnet: str, subnet6: str) -> tuple[Address, ...]:
    """Ten addresses of each family that nobody has."""
    return (
        *(ip_address(f"{subnet}.{last}") for last in range(100, 110)),
        *(ip_address(f"{subnet6}{last:x}") for last in range(0x100, 0x10A)),
    )


@cache
def _interface(name: str, segment: int, number: int, subnet: str, subnet6: str) -> Interface:
    own = (
        f"{subnet}.{number}/24",
        f"{subnet6}{number:x}/64",
        f"fe80::{segment:x}:{number:x}/64" if segment else f"fe80::{number:x}/64",
    )
    return Interface(name, bytes([2, 0, 0, 0, 2 + segment, number]), tuple(ip_interface(one) for one in own))


class ModelSide:
    """The second segment of a bench (a :class:`conformance.targets.protocol.Side`)."""

    def __init__(self, switch: SimulatedSwitch, hosts: Mapping[str, ModelHost]) -> None:
        self.switch = switch
        self.hosts: Mapping[str, SutHost] = hosts
        self.tester_addresses: tuple[Address, ...] = (ip_address(f"{_INNER}.254"), ip_address("fe80::1:fe"))
        self.tester_mac = bytes.fromhex("0200000003fe")
        self.shared_addresses = _shared(_INNER, _INNER6)

    def port(self, trace: Trace) -> SimulatedPort:
        return SimulatedPort(self.switch, trace)


class ModelBench:
    """A :class:`conformance.targets.protocol.Bench` in virtual time. Each case gets a new world from the same seed, so that it always runs alike.

    A probe is an ARP request (unless the answer is known, as a client's cache would) and an echo request framed to the MAC address that it gave: payload is delivered, or not.
    """

    def __init__(
        self, dialects: tuple[Dialect, ...], seed: int, own: Mapping[str, Interface] | None = None
    ) -> None:
        """A bench of one machine for each of ``dialects``; ``own`` are interfaces that are not to be as usual, by the name of the machine."""
        self._dialects, self._seed, self._own = dialects, seed, own or {}
        self.tester_addresses: tuple[Address, ...] = (ip_address(f"{_SUBNET}.254"), ip_address("fe80::fe"))
        self.tester_mac = bytes.fromhex("0200000002fe")
        self.shared_addresses = _shared(_SUBNET, _SUBNET6)
        self._begin(Trace())

    def _begin(self, trace: Trace) -> None:
        rng = Random(self._seed)
        self.loop = Loop(VirtualClock())
        self.trace = trace
        self.switch = SimulatedSwitch(self.loop, rng)
        inner = SimulatedSwitch(self.loop, Random(self._seed))
        machines = {
            name: ModelMachine(
                self,
                name,
                {
                    name: (
                        self._own.get(name) or _interface(INTERFACE, 0, number, _SUBNET, _SUBNET6),
                        self.switch,
                    ),
                    f"{name}-inner": (_interface(SECOND_INTERFACE, 1, number, _INNER, _INNER6), inner),
                },
                dialect,
                Random(rng.random()),
            )
            for number, (name, dialect) in enumerate(
                zip("abcdefghijklmnopqrstuvwxyz", self._dialects, strict=False), 1
            )
        }
        self._outer = {name: machine.hosts[INTERFACE] for name, machine in machines.items()}
        self.hosts: Mapping[str, SutHost] = self._outer
        self.second: Side = ModelSide(
            inner, {name: machine.hosts[SECOND_INTERFACE] for name, machine in machines.items()}
        )
        self._cache: dict[Address, bytes] = {}
        trace.listeners.append(self._learn)

    def note(self, text: str) -> None:
        self.trace.add(TesterAction(self.loop.now_ns(), text))

    def port(self, trace: Trace) -> SimulatedPort:
        self._begin(trace)
        return SimulatedPort(self.switch, trace)

    def stalled_ns(self) -> int:
        return 0

    def clock_step_ns(self) -> int:
        return 0

    def part(self, *, parted: bool) -> None:
        self.note("parts the hosts from one another" if parted else "lets the hosts hear one another again")
        names = list(self.hosts)
        for i, left in enumerate(names):
            for right in names[i + 1 :]:
                self.switch.part(left, right, parted=parted)

    def flood(self, *, on: bool) -> None:
        self.note(f"the segment {'floods every frame' if on else 'learns addresses'}")
        self.switch.learns = not on
        self.switch.forget()

    def deafen(self, host: str, *, deaf: bool) -> None:
        self.note(f"lets {host} hear {'nobody' if deaf else 'the others again'}")
        for other in self.hosts:
            if other != host:
                self.switch.part(other, host, parted=deaf, both_ways=False)

    def reset(self) -> None:
        """Nothing to restore: the next case gets a new world."""

    def probe(self, address: Address, port: int, reply: Callable[[int, str | None], None]) -> None:
        assert isinstance(address, IPv4Address), "services are probed over IPv4"
        tester = self.tester_addresses[0]
        assert isinstance(tester, IPv4Address)
        done: list[bool] = []

        def finish(name: str | None) -> None:
            if not done:
                done.append(True)
                timeout.cancel()
                self.trace.listeners.remove(look)
                reply(self.loop.now_ns(), name)

        def look(event: Event) -> None:
            if not isinstance(event, FrameSeen) or event.sent or event.frame.ip is None:
                return
            if (
                event.frame.ip.source == address
                and event.frame.ip.protocol == _ICMP
                and event.frame.payload[:1] == bytes([_ECHO_REPLY])
            ):
                finish(self._owner(event.frame, address, port))

        timeout = self.loop.at(self.loop.now_ns() + PROBE_NS, lambda: finish(None))
        self.trace.listeners.append(look)
        mac = self._cache.get(address)
        if mac is None:
            ask = wire.arp(wire.ArpOperation.REQUEST, self.tester_mac, tester, bytes(6), address)
            self.switch.transmit("tester", ask)
            self.loop.at(self.loop.now_ns() + PROBE_NS // 5, lambda: self._echo(tester, address))
        else:
            self._echo(tester, address)

    def _echo(self, source: IPv4Address, address: IPv4Address) -> None:
        mac = self._cache.get(address)
        if mac is None:
            return
        body = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, 1, 1)
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        packet = wire.ipv4(source, address, body, ttl=64, tos=0, protocol=_ICMP)
        self.switch.transmit("tester", wire.ethernet(mac, self.tester_mac, wire.ETHERTYPE_IPV4, packet))

    def _learn(self, event: Event) -> None:
        """The tester's ARP cache: replies, and announcements of addresses that it knows."""
        if isinstance(event, FrameSeen) and not event.sent and event.frame.arp is not None:
            arp = event.frame.arp
            if arp.operation == wire.ArpOperation.REPLY or arp.sender in self._cache:
                self._cache[arp.sender] = arp.sender_mac

    def _owner(self, frame: wire.Frame, address: Address, port: int) -> str | None:
        """Which host answered and serves there: by the MAC address that the answer came from, or by who is MASTER for a virtual one."""
        for host in self._outer.values():
            own = frame.source == host.mac or any(
                v.mac == frame.source and v.state.value == "MASTER" for v in host.machine.vhosts()
            )
            if own and (address, port) in host.services:
                return host.name
        return None
