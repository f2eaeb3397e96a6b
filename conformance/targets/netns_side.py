"""The second segment of a lane in network namespaces: a switch of its own, and a second interface for the tester and for every host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING

from conformance.lab.netns import Station, Switch, switch
from conformance.segment.live import LivePort
from conformance.segment.trace import Trace
from conformance.wire.digest import Address

if TYPE_CHECKING:
    from conformance.targets.netns_bench import BenchHost, NetnsBench, Starter

_SUBNET, _SUBNET6 = "198.51.100", "2001:db8:1::"
_INTERFACE = "eth1"


class NetnsSide:
    """A :class:`conformance.targets.protocol.Side` of a bench; made at the first need, it lasts as long as the bench."""

    def __init__(
        self, bench: NetnsBench, plugged: Switch, tester: Station, hosts: Mapping[str, BenchHost]
    ) -> None:
        self._bench, self._tester, self.switch = bench, tester, plugged
        self.hosts: Mapping[str, BenchHost] = hosts
        self.tester_mac = tester.mac
        self.tester_addresses: tuple[Address, ...] = (tester.address.ip, ip_address("fe80::1:fe"))
        self.shared_addresses: tuple[Address, ...] = (
            *(ip_address(f"{_SUBNET}.{last}") for last in range(100, 110)),
            *(ip_address(f"{_SUBNET6}{last:x}") for last in range(0x100, 0x10A)),
        )

    def port(self, trace: Trace) -> LivePort:
        """As :meth:`NetnsBench.port`, on the time line that is given, until the bench's next reset."""
        return self._bench.open_port(self._tester, trace)


def side(bench: NetnsBench, tester: Station, starters: Sequence[Starter], stack: ExitStack) -> NetnsSide:
    """Plugs everybody on ``bench`` into a second switch; ``stack`` takes it down."""
    plugged, parts = stack.enter_context(switch())
    inner = plugged.plug(
        "tester", f"{_SUBNET}.254/24", bytes.fromhex("0200000003fe"), parts, beside=(tester, _INTERFACE)
    )
    hosts = {}
    for number, (starter, (name, first)) in enumerate(zip(starters, bench.hosts.items(), strict=True), 1):
        station = plugged.plug(
            f"{name}-inner",
            f"{_SUBNET}.{number}/24",
            bytes([2, 0, 0, 0, 3, number]),
            parts,
            own_stack=starter.own_stack,
            beside=(first.station, _INTERFACE),
        )
        hosts[name] = starter.second(bench, station, plugged, first)
    plugged.settle()
    return NetnsSide(bench, plugged, inner, hosts)
