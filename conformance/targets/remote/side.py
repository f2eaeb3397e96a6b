"""The second segment of a bench whose machines have two interfaces (a :class:`conformance.targets.protocol.Side`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from conformance.lab.attachment import Attachment, attached
from conformance.segment.live import LivePort
from conformance.segment.trace import Trace
from conformance.targets.protocol import SutHost
from conformance.targets.remote.bench import RemoteBench, in_order, subnets
from conformance.wire.digest import Address


class RemoteSide:
    """The tester and the machines' inner interfaces on the inner wire."""

    def __init__(self, bench: RemoteBench, wire: Attachment, hosts: Mapping[str, SutHost]) -> None:
        self._bench, self._wire, self.hosts = bench, wire, hosts
        self.tester_mac = wire.mac
        self.tester_addresses: tuple[Address, ...] = bench.pixit.tester_inner_addresses
        self.shared_addresses: tuple[Address, ...] = in_order(bench.pixit.shared_inner_addresses)

    def port(self, trace: Trace) -> LivePort:
        return self._bench.open_port(self._wire, trace)

    @classmethod
    @contextmanager
    def attached(cls, bench: RemoteBench, hosts: Mapping[str, SutHost]) -> Iterator[RemoteSide]:
        """The side, with the tester on its interface as long as the context lasts."""
        pixit = bench.pixit
        with attached(
            pixit.tester_inner_interface, subnets(pixit.tester_inner_addresses), bench.lane.vlan
        ) as wire:
            yield cls(bench, wire, hosts)
