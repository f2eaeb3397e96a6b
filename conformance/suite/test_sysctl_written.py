"""SYSCTL: what follows when the switches of dscp and of the two factors of demotion are written."""

from __future__ import annotations

import pytest

from conformance.segment.segment import Segment
from conformance.suite.conftest import Start
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import ConfigurationRefused
from conformance.targets.subject import Subject

DSCP = 56
FACTOR = 7


@covers("CARP-SYSCTL-004", "CARP-WIRE-019")
@needs("sysctl")
@takes(6)
@pytest.mark.parametrize("dscp", [0, 46, 63])
def test_written_dscp_is_sent(master: Subject, wire: Segment, dscp: int) -> None:
    """A dscp of 0 to 63 is taken, and the type of service of the next advertisement is four times it."""
    master.sysctls().set_sysctl("dscp", dscp)
    (seen,) = master.next_own()
    wire.check("type of service", f"{Subject.ip(seen).tos:#04x}", f"{dscp << 2:#04x}", seen)


@covers("CARP-SYSCTL-004")
@needs("sysctl")
@takes(1)
@pytest.mark.parametrize("dscp", [-1, 64])
def test_dscp_beyond_its_limits_is_refused(start: Start, wire: Segment, dscp: int) -> None:
    """A dscp below 0 or above 63 is refused, and the old one stays."""
    switches = start().sysctls()
    try:
        switches.set_sysctl("dscp", dscp)
    except ConfigurationRefused:
        outcome = "refused"
    else:
        outcome = "taken"
    wire.check(f"the write of {dscp}", outcome, "refused")
    wire.check(f"net.inet.carp.dscp after {dscp} was refused", switches.sysctl("dscp"), DSCP)


@covers("CARP-SYSCTL-005", "CARP-DEMOTE-008")
@needs("sysctl", "demotion_order", "demotion_sum", "link")
@takes(2)
def test_written_factor_of_a_lost_link(start: Start, wire: Segment) -> None:
    """A lost link demotes by the ifdown_demotion_factor that was written, and its return takes as much back."""
    subject = start()
    subject.sysctls().set_sysctl("ifdown_demotion_factor", FACTOR)
    subject.host.cable(plugged=False)
    wire.check("the demotion without the link", subject.demotion(), FACTOR)
    subject.host.cable(plugged=True)
    wire.check("the demotion with the link", subject.demotion(), 0)


@covers("CARP-SYSCTL-005", "CARP-DEMOTE-006")
@needs("sysctl", "send_errors", "demotion_order", "demotion_sum")
@takes(10)
def test_written_factor_of_failed_sends(master: Subject, wire: Segment) -> None:
    """Three failed sends demote by the senderr_demotion_factor that was written."""
    master.sysctls().set_sysctl("senderr_demotion_factor", FACTOR)
    master.next_own()
    master.refuse_sending(refused=True)
    wire.watch(4 * master.interval_ns)
    wire.check("the demotion after failed sends", master.demotion(), FACTOR)
    master.refuse_sending(refused=False)
    (seen,) = master.next_own()
    wire.check("advskew", Subject.header(seen).advskew, 100 + FACTOR, seen)
