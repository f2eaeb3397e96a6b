"""LOG over IPv6: from which level on which line appears for a rejected packet."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.configuring import Start
from conformance.suite.loglines import PACKETS6
from conformance.suite.marks import covers, needs, takes
from conformance.suite.test_log_levels import says
from conformance.suite.test_rx6 import shared6
from conformance.targets.protocol import Bench
from conformance.wire.malformations import named


@covers("CARP-LOG-008", "CARP-LOG-009", "CARP-LOG-016")
@needs("ipv6", "log", "sysctl")
@takes(4)
@pytest.mark.parametrize("fault", ["ttl-254", "length-20", "checksum-bit-0"])
def test_rejected_ipv6_packet_is_logged_from_its_level_on(
    start: Start, bench: Bench, tester: Tester, wire: Segment, fault: str
) -> None:
    """A rejected IPv6 advertisement is logged once from the level of its check on, with its line, and not at all below."""
    subject = start(addresses=shared6(bench))
    source = next(one for one in bench.tester_addresses if isinstance(one, IPv6Address))
    for level in subject.dialect.log_levels:
        subject.sysctls().set_sysctl("log", level)
        since = len(wire.trace.events)
        tester.send(subject.better(source=source), named(fault))
        subject.alive()
        says(subject, wire, PACKETS6[subject.dialect.key][fault], level, since, f"an IPv6 packet of {fault}")
