"""SYSCTL: the host-wide switches, their defaults and effects."""

from __future__ import annotations

import re
from typing import cast

import pytest

from conformance.catalogue import COUNTERS
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.conftest import Start
from conformance.suite.marks import covers, needs, takes
from conformance.suite.test_tools import printed, read
from conformance.targets.platform import Jailing
from conformance.targets.protocol import ConfigurationRefused
from conformance.targets.remote.counters import read_text
from conformance.targets.subject import Subject
from conformance.wire.malformations import named

BULK_UPDATE_NS = 120_000_000_000
"""Within this pfsync gives up on a peer that does not answer."""

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


@covers("CARP-SYSCTL-007")
@needs("sysctl", "demotion_suppress")
@takes(1)
def test_suppress_preempt_is_read_only(start: Start, wire: Segment) -> None:
    """What counts the failures of the host cannot be written: the write is refused, and the value stays."""
    switches = start().sysctls()
    try:
        switches.set_sysctl("suppress_preempt", 1)
    except ConfigurationRefused:
        wire.check("the write", "refused", "refused")
    else:
        wire.check("the write", "taken", "refused")
    wire.check("net.inet.carp.suppress_preempt", switches.sysctl("suppress_preempt"), 0)


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


@covers("CARP-SYSCTL-014")
@needs("commands", "counters")
@takes(1)
def test_sysctl_stats_is_a_structure(backup: Subject, wire: Segment) -> None:
    """The sysctl net.inet.carp.stats returns sixteen 64-bit numbers, of which the first thirteen that netstat prints are the same."""
    backup.alive()
    dump = backup.command("sysctl -x net.inet.carp.stats").out
    raw = bytes.fromhex(re.sub(r"^.*0x|[^0-9a-f]", "", dump))
    numbers = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]
    wire.check("how many numbers it holds", len(numbers), len(COUNTERS))
    shown = printed(backup, wire)
    told = {name: number for name, number in zip(COUNTERS, numbers, strict=True) if name in shown}
    wire.check("its numbers", told, shown)


@covers("CARP-SYSCTL-012")
@needs("commands", "sysctl")
@takes(1)
@pytest.mark.parametrize("name", ["allow", "preempt", "log"])
def test_sysctls_need_privilege(start: Start, wire: Segment, name: str) -> None:
    """An ordinary user cannot write a switch: the command fails and the value stays; root can."""
    subject = start()
    before = subject.sysctls().sysctl(name)
    other = 0 if before else 1
    words, undo = f"sysctl net.inet.carp.{name}={other}", f"sysctl net.inet.carp.{name}={before}"
    said = subject.command(words, undo=undo, user="nobody")
    wire.check("the write by an ordinary user", "taken" if said.ok else "refused", "refused")
    wire.check(f"net.inet.carp.{name}", subject.sysctls().sysctl(name), before)
    wire.check("the write by root", "taken" if subject.command(words, undo=undo).ok else "refused", "taken")
    wire.check(f"net.inet.carp.{name}", subject.sysctls().sysctl(name), other)


@covers("CARP-SYSCTL-011")
@needs("network_stacks", "commands", "sysctl", "counters")
@takes(3)
def test_network_stacks_have_switches_of_their_own(backup: Subject, tester: Tester, wire: Segment) -> None:
    """What is switched or counted in one network stack of a machine is not in another."""
    jail = cast("Jailing", backup.host).jail()
    jail.command("sysctl net.inet.carp.preempt=1")
    wire.check("preempt in the jail", jail.command("sysctl -n net.inet.carp.preempt").out.strip(), "1")
    wire.check("preempt of the host", backup.sysctls().sysctl("preempt"), 0)
    before = read(jail.command("netstat -s -p carp").out, read_text, wire)
    tester.send(backup.better(), named("digest-zero"))
    backup.alive()
    wire.check("badauth of the host", backup.counters()["badauth"], 1)
    after = read(jail.command("netstat -s -p carp").out, read_text, wire)
    wire.check("badauth of the jail", after["badauth"] - before["badauth"], 0)


@covers("CARP-SYSCTL-013", "CARP-DEMOTE-010")
@needs("pfsync", "commands", "demotion_order")
@takes(80)
def test_pfsync_demotes_during_its_bulk_update(start: Start, wire: Segment) -> None:
    """A pfsync without a peer demotes its host by its factor, 240 unless changed, as long as it asks for states, and takes that back."""
    subject = start(advskew=0)
    factor = int(subject.command("sysctl -n net.pfsync.carp_demotion_factor").out)
    wire.check("net.pfsync.carp_demotion_factor", factor, 240)
    subject.command(
        f"ifconfig pfsync0 syncdev {subject.interface_name} up", undo="ifconfig pfsync0 down -syncdev"
    )
    wire.check("the demotion as it asks for states", subject.demotion(), factor)
    wire.watch(BULK_UPDATE_NS)
    wire.check("the demotion when it has given up", subject.demotion(), 0)
    (seen,) = subject.next_own()
    wire.check("advskew", Subject.header(seen).advskew, 0, seen)
