"""VRRP3: what a virtual host with ``carpver 3`` logs of the packets that it refuses, from which level on."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.configuring import Start
from conformance.suite.loglines import OWNER, VRRP3
from conformance.suite.marks import covers, needs, takes
from conformance.suite.routing import backup_router, route
from conformance.suite.test_log_levels import says
from conformance.targets.subject.router import Router
from conformance.wire.advertisement import Advertisement
from conformance.wire.vrrp3 import Vrrp3Advertisement

pytestmark = needs("vrrp3", "log", "sysctl")
FIELDS: dict[str, dict[str, Any]] = {"ttl": {"ttl": 254}, "checksum": {"pseudo": False}, "vrid": {"vrid": 77}}
"""What is wrong with a packet, by the name of its row in the table of lines."""


def packet_of(router: Router, fault: str) -> Vrrp3Advertisement | Advertisement:
    """A packet of a better router with a fault, or CARP for the same number."""
    return router.peer(1, 0) if fault == "carp" else router.router(200, **FIELDS[fault])


@covers("CARP-LOG-008", "CARP-LOG-010")
@takes(4)
@pytest.mark.parametrize("fault", VRRP3)
def test_refused_router_is_logged_from_its_level_on(
    start: Start, tester: Tester, wire: Segment, fault: str
) -> None:
    """A refused VRRPv3 packet is logged once from level 2 on, with the line of its check, and not at all below."""
    router = backup_router(start, tester)
    for level in router.dialect.log_levels:
        router.sysctls().set_sysctl("log", level)
        since = len(wire.trace.events)
        tester.send(packet_of(router, fault))
        router.alive()
        says(router, wire, VRRP3[fault], level, since, f"a packet of {fault}")


@covers("CARP-VRRP3-011", "CARP-LOG-008")
@takes(4)
def test_owner_logs_what_it_ignores(start: Start, tester: Tester, wire: Segment) -> None:
    """A virtual host of priority 255 logs from level 2 on that it ignores a packet, whatever that says."""
    router = route(start, priority=255)
    for level in router.dialect.log_levels:
        router.sysctls().set_sysctl("log", level)
        since = len(wire.trace.events)
        tester.send(router.router(254))
        router.alive()
        says(router, wire, OWNER, level, since, "a packet to the owner of the address")
