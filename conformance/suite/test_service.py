"""Continuity of service: how long a TCP service on the shared address is away, for each way in which the
MASTER goes.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.beside.client import PROBE_EVERY_NS, Client
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject

Start = Callable[..., Subject]

CONNECT_NS = 100_000_000
"""What a connection may take on a healthy segment, ARP included."""


@pytest.fixture
def client(bench: Bench, wire: Segment, tester: Tester) -> Client:
    """A client of the service, which runs on every host of the bench."""
    address = bench.shared_addresses[0]
    assert isinstance(address, IPv4Address)
    user = Client(wire, tester, bench, address)
    for host in bench.hosts.values():
        user.serves(host)
    return user


def dies(subject: Subject) -> None:
    """The machine loses its power: no more advertisements, no more service."""
    subject.iut.kill()
    subject.host.cable(plugged=False)


def loses_its_cable(subject: Subject) -> None:
    """The machine goes on, but nobody hears it."""
    subject.host.cable(plugged=False)


def is_killed(subject: Subject) -> None:
    """CARP alone ends, without a word; the machine still has the address."""
    subject.iut.kill()


def is_stopped(subject: Subject) -> None:
    """The administrator stops CARP."""
    subject.iut.stop()


@covers("CARP-SCENARIO-005", "CARP-SCENARIO-010", "CARP-ELECT-002", "CARP-INTEROP-006")
@needs("service", "link", "kill")
@hosts(2)
@takes(11)
@pytest.mark.parametrize("goes", [dies, loses_its_cable, is_killed, is_stopped], ids=lambda way: way.__name__)
@pytest.mark.parametrize("advskew", [1, 100])
def test_service_is_back_within_the_take_over_time(
    start: Start, client: Client, wire: Segment, goes: Callable[[Subject], None], advskew: int
) -> None:
    """When the MASTER goes, a TCP service on the shared address is answered by the BACKUP within the BACKUP's
    own take-over time after the last advertisement.

    Field report: each way of handing over costs an interruption of its own
    (https://github.com/opnsense/core/issues/3163).
    """
    former, new = start(on="a", advskew=0), start(on="b", advskew=advskew)
    with client.using_the_service():
        wire.expect(
            client.served_by(former.name),
            within=Window.after(
                former.iut.started_ns,
                (0, former.start_bounds_ns[1] + former.interval_ns + CONNECT_NS),
                f"the start of {former.name}",
            ),
        )
        former.next_own(2)
        (last,) = former.next_own()
        goes(former)
        longest_ns = new.take_over_bounds_ns[1] + PROBE_EVERY_NS + CONNECT_NS
        client.sees_it_move(former.name, new.name, after=last, within_ns=longest_ns, gap_ns=longest_ns)


@covers("CARP-SCENARIO-005", "CARP-SCENARIO-010", "CARP-PREEMPT-008")
@needs("service", "preempt")
@hosts(2)
@takes(10)
def test_service_moves_to_a_preempting_node(start: Start, client: Client) -> None:
    """When a better node with preemption joins, the service moves to it at the MASTER's next advertisement
    and is away for less than an interval.

    Field report: maintenance mode loses pings one way and none the other
    (https://github.com/opnsense/core/issues/3163).
    """
    former = start(on="b", advskew=100)
    with client.using_the_service():
        former.reach_master()
        former.next_own(2)
        new = start(on="a", advskew=0, preempt=True)
        (heard,) = former.next_own()
        latest_ns = new.dialect.reaction_window_ns[1] + PROBE_EVERY_NS + CONNECT_NS
        client.sees_it_move(
            former.name, new.name, after=heard, within_ns=latest_ns, gap_ns=former.interval_ns
        )
