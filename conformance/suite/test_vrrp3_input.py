"""VRRP3: which packets a virtual host with ``carpver 3`` refuses, in which order, and what it does not look at."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, needs, takes
from conformance.suite.routing import backup_router, family, master_router, moved_errors
from conformance.suite.test_rx import with_ttl
from conformance.targets.protocol import Bench
from conformance.targets.subject.router import Router

pytestmark = needs("vrrp3")


# --- reception


@covers("CARP-VRRP3-002")
@takes(8)
def test_checksum_without_pseudo_header_is_refused(start: Start, tester: Tester) -> None:
    """A MASTER goes on beside a stream of a higher priority whose checksum leaves the pseudo-header out, as RFC 9568 has it
    over IPv4, and yields to the same one with it.
    """
    router = master_router(start)
    with tester.advertising(router.router(200, pseudo=False)) as first:
        router.stays_master(first)
    with tester.advertising(router.router(200)) as first:
        router.expect_yields(first)


@covers("CARP-VRRP3-012")
@takes(8)
def test_ttl_is_checked(start: Start, tester: Tester) -> None:
    """A MASTER goes on beside a stream of a higher priority with TTL 254, and yields to the same one with 255."""
    router = master_router(start)
    with tester.advertising(router.router(200, ttl=254)) as first:
        router.stays_master(first)
    with tester.advertising(router.router(200)) as first:
        router.expect_yields(first)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ttl": ({"ttl": 254}, "badttl 1"),
    "checksum": ({"pseudo": False}, "badsum 1"),
    "vrid-before-ttl": ({"ttl": 254, "vrid": 77}, "badvhid 1"),
    "ttl-before-checksum": ({"ttl": 254, "pseudo": False}, "badttl 1"),
    "vrid-before-checksum": ({"vrid": 77, "pseudo": False}, "badvhid 1"),
}
"""What a packet is refused for, and the counter that moves."""


def decides(fields: dict[str, Any]) -> str:
    """The requirement that a row is about."""
    return "CARP-VRRP3-012" if "ttl" in fields else "CARP-VRRP3-002"


@needs("counters")
@takes(1)
@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        pytest.param(fields, counted, id=name, marks=covers(decides(fields)))
        for name, (fields, counted) in REFUSED.items()
    ],
)
def test_order_of_checks(
    start: Start, tester: Tester, wire: Segment, fields: dict[str, Any], counted: str
) -> None:
    """The TTL is looked at after vhid and mode and before the checksum; the first check that fails counts."""
    router = backup_router(start, tester)
    said = moved_errors(router, lambda: tester.send(router.router(200, **fields)))
    wire.check("what the packet moves", said, counted)


@covers("CARP-VRRP3-013", "CARP-VRRP3-012")
@needs("counters")
@takes(8)
def test_carp_to_a_vrrp_vhid(start: Start, tester: Tester, wire: Segment) -> None:
    """A CARP advertisement for a vhid that speaks VRRP counts as badver, before its TTL is looked at, and moves nothing."""
    router = master_router(start)
    carp = router.peer(1, 0)
    said = moved_errors(router, lambda: tester.send(carp, lambda one: with_ttl(one.frame(), 254)))
    wire.check("what CARP with TTL 254 moves", said, "badver 1")
    wire.check("what CARP moves", moved_errors(router, lambda: tester.send(carp)), "badver 1")
    with tester.advertising(carp) as first:
        router.stays_master(first)


@covers("CARP-VRRP3-013")
@needs("counters")
@takes(8)
def test_vrrp_to_a_carp_vhid(start: Start, bench: Bench, tester: Tester, wire: Segment) -> None:
    """A VRRPv3 advertisement for a vhid that speaks CARP counts as badver and moves nothing."""
    master = start(addresses=family(bench, 4))
    master.reach_master()
    twin = Router(master.iut, master.host, master.settings, master.profile, wire, tester)
    said = moved_errors(master, lambda: tester.send(twin.router(255)))
    wire.check("what VRRPv3 moves", said, "badver 1")
    with tester.advertising(twin.router(255)) as first:
        master.stays_master(first)


UNEXAMINED = {
    "type-2": {"type": 2},
    "other-addresses": {"addresses": (ip_address("203.0.113.9"),)},
    "wrong-count": {"count": 5},
}


@covers("CARP-VRRP3-017")
@pytest.mark.parametrize("fields", UNEXAMINED.values(), ids=UNEXAMINED)
@takes(6)
def test_type_and_addresses_are_not_examined(start: Start, tester: Tester, fields: dict[str, Any]) -> None:
    """A packet of another type, with other addresses or with a wrong count is obeyed if its checksum is right."""
    router = master_router(start)
    router.expect_yields(tester.send(router.router(101, **fields)))
