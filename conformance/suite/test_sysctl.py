"""SYSCTL: the host-wide switches, their defaults and effects."""

from __future__ import annotations

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.conftest import Start
from conformance.suite.marks import covers, needs, takes
from conformance.targets.subject import Subject

LOG_DEFAULTS = {"openbsd": 2}
"""Of ``net.inet.carp.log``, where it is not 1."""
DEFAULTS = (
    pytest.param("allow", 1, marks=covers("CARP-SYSCTL-001")),
    pytest.param("preempt", 0, marks=covers("CARP-SYSCTL-002")),
    pytest.param("dscp", 56, marks=covers("CARP-SYSCTL-004")),
    pytest.param("demotion", 0, marks=covers("CARP-SYSCTL-005")),
    pytest.param("senderr_demotion_factor", 240, marks=covers("CARP-SYSCTL-005")),
    pytest.param("ifdown_demotion_factor", 240, marks=covers("CARP-SYSCTL-005")),
    pytest.param("arpbalance", 0, marks=covers("CARP-SYSCTL-006")),
    pytest.param("suppress_preempt", 0, marks=covers("CARP-SYSCTL-007")),
)


@needs("sysctl")
@takes(1)
@pytest.mark.parametrize(("name", "value"), DEFAULTS)
def test_default(start: Start, wire: Segment, name: str, value: int) -> None:
    """The switch exists with its default."""
    wire.check(f"net.inet.carp.{name}", start().sysctls().sysctl(name), value)


@covers("CARP-SYSCTL-003")
@needs("sysctl")
@takes(1)
def test_default_of_log(start: Start, wire: Segment) -> None:
    """The log level exists and is 1 by default, 2 on OpenBSD."""
    subject = start()
    wire.check("net.inet.carp.log", subject.sysctls().sysctl("log"), LOG_DEFAULTS.get(subject.dialect.key, 1))


@covers("CARP-SYSCTL-008")
@needs("sysctl", "counters")
@takes(9)
def test_allow_0_makes_a_second_master(backup: Subject, tester: Tester, wire: Segment) -> None:
    """With allow=0 a BACKUP that is fed valid advertisements becomes a second MASTER after its down time; with allow=1 it yields to them."""
    backup.sysctls().set_sysctl("allow", 0)
    window = backup.master_down_window()
    counted = backup.counters()["ipackets"]
    with tester.advertising(backup.better()):
        wire.expect(backup.becomes_master(), within=window)
        wire.check(
            "ipackets that were counted and dropped", backup.counters()["ipackets"] - counted, range(1, 100)
        )
    backup.sysctls().set_sysctl("allow", 1)
    backup.expect_yields(tester.send(backup.better()))


@covers("CARP-SYSCTL-009")
@needs("sysctl", "state_read")
@takes(8)
def test_allow_0_puts_into_init(master: Subject, wire: Segment) -> None:
    """allow=0 puts a MASTER into INIT and stops its advertisements; allow=1 starts it as BACKUP."""
    master.next_own()
    wire.watch(master.interval_ns // 2)
    off_ns = wire.now_ns() - 1  # virtual time stands still while the switch is written
    master.sysctls().set_sysctl("allow", 0)
    wire.expect(master.enters("INIT"), within=master.reaction_window(off_ns))
    master.stays_silent(2 * master.interval_ns)
    on_ns = wire.now_ns() - 1
    master.sysctls().set_sysctl("allow", 1)
    wire.expect(master.enters("BACKUP"), within=master.reaction_window(on_ns))
