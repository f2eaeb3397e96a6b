"""The machine around CARP: its boot and clock, what it tells devd, its drivers (SYSCTL, DEMOTE, TIMER, LOG, ELECT, ROBUST, SCENARIO)."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import cast

import pytest

from conformance.segment.decision import Condition, Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, needs, takes
from conformance.suite.test_forwarding import echo_request
from conformance.targets.platform import Booting, Stackable, Unreported
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.frame import (
    ETHERTYPE_IPV4,
    ethernet,
)

SECOND = 1_000_000_000
BOOTED_NS = 120 * SECOND
"""Within this all services of a machine run."""
BOOT_DEMOTION = 128
CLOCK_STEP_S = 60
TRANSITIONS = 6


# --- boot, clock, devd


@covers("CARP-SYSCTL-010")
@needs("reboot", "sysctl")
@takes(120)
def test_allow_is_a_boot_tunable(start: Start, wire: Segment) -> None:
    """Where the boot loader sets net.inet.carp.allow=0, it is 0 after the boot."""
    subject = start()
    wire.check("net.inet.carp.allow", subject.sysctls().sysctl("allow"), 1)
    cast("Booting", subject.host).reboot(tunables={"net.inet.carp.allow": 0})
    wire.check("net.inet.carp.allow", subject.sysctls().sysctl("allow"), 0)


@covers("CARP-DEMOTE-019")
@needs("reboot", "demotion_groups")
@takes(180)
def test_demoted_until_services_run(start: Start, wire: Segment) -> None:
    """From its boot until its services run the demote count is 128; then it is 0 again.

    Field report: https://github.com/opnsense/core/issues/1557.
    """
    subject = start(advskew=0)
    subject.reboot()
    first = subject.reach_master()
    wire.check("the fifth byte as it boots", Subject.header(first).demote, BOOT_DEMOTION, first)
    recovered = Condition(
        f"{subject.name} advertises without a demotion",
        lambda e: isinstance(e, FrameSeen) and subject.is_own(e) and Subject.header(e).demote == 0,
    )
    wire.expect(recovered, within=Window.after(first.time_ns, (0, BOOTED_NS), "its first advertisement"))


@covers("CARP-TIMER-020")
@needs("clock")
@takes(8)
@pytest.mark.parametrize("seconds", [CLOCK_STEP_S, -CLOCK_STEP_S])
def test_step_of_the_clock_does_not_move_a_master(master: Subject, seconds: int) -> None:
    """A MASTER whose wall clock is set by a minute, forward or back, keeps its interval."""
    (before,) = master.next_own()
    master.step_clock(seconds)
    master.keeps_its_interval(2, before)


@covers("CARP-TIMER-020")
@needs("clock")
@takes(8)
@pytest.mark.parametrize("seconds", [CLOCK_STEP_S, -CLOCK_STEP_S])
def test_step_of_the_clock_does_not_move_a_backup(backup: Subject, wire: Segment, seconds: int) -> None:
    """A BACKUP whose wall clock is set by a minute, forward or back, takes over in its own time."""
    wire.watch(SECOND)
    backup.step_clock(seconds)
    wire.expect(backup.becomes_master(), within=backup.master_down_window())


@covers("CARP-LOG-012")
@needs("device_events")
@takes(9)
def test_changes_of_state_are_told_to_devd(start: Start, tester: Tester, wire: Segment) -> None:
    """Each change of state is an event of the system CARP, with vhid and interface as its subsystem and the new state as its type."""
    subject = start()
    subject.reach_master()
    subject.expect_yields(tester.send(subject.better()))
    told = [line for line in subject.device_notices() if line.startswith("!system=CARP")]
    of = f"!system=CARP subsystem=1@{subject.interface_name} type="
    wire.check("what devd was told", told, [f"{of}{state}" for state in ("BACKUP", "MASTER", "BACKUP")])


# --- the interface below


@covers("CARP-ELECT-032")
@needs("unreported_link", "state_read")
@takes(8)
def test_link_of_an_unknown_state(start: Start, bench: Bench, wire: Segment) -> None:
    """On an interface that reports no link state a FreeBSD stays in INIT until it does; on an OpenBSD that is enough to run."""
    host = cast("Unreported", bench.hosts["a"])
    host.report_link(reported=False)
    subject = start(advskew=0)
    if subject.dialect.unknown_link_is_up:
        wire.expect(subject.becomes_master(), within=subject.master_down_window())
        return
    subject.stays_silent(2 * subject.start_bounds_ns[1])
    since_ns = subject.just_now_ns
    host.report_link(reported=True)
    wire.expect(subject.becomes_master(), within=subject.link_up_window(since_ns))


@covers("CARP-ROBUST-010")
@needs("stacked_interfaces", "state_read")
@takes(30)
def test_bridge_survives_changes_of_state(start: Start, bench: Bench, tester: Tester, wire: Segment) -> None:
    """On a bridge that carries traffic the host outlives change after change of state: it still answers, and takes over.

    Field report: https://github.com/opnsense/core/issues/4036, FreeBSD PR 200319.
    """
    cast("Stackable", bench.hosts["a"]).stack("bridge")
    subject = start()
    subject.reach_master()
    broadcast = ethernet(
        b"\xff" * 6, tester.mac, ETHERTYPE_IPV4, echo_request(tester.address, IPv4Address("192.0.2.255"))
    )
    with wire.loop.every(10_000_000, lambda: wire.port.send(broadcast)):
        for _ in range(TRANSITIONS // 2):
            better = tester.send(subject.better())
            wire.expect(subject.enters("BACKUP"), within=subject.reaction_window(better))
            wire.expect(subject.becomes_master(), within=subject.master_down_window(better))
    subject.alive()
    subject.next_own()


@covers("CARP-SCENARIO-015")
@needs("stacked_interfaces", "vhid_list")
@takes(15)
def test_vlan_on_an_aggregation_keeps_its_virtual_host(start: Start, bench: Bench, wire: Segment) -> None:
    """A virtual host on a VLAN on an aggregation outlives the loss and the return of a member with its key, its parameters and its addresses.

    Field report: https://github.com/opnsense/core/issues/1920.
    """
    host = cast("Stackable", bench.hosts["a"])
    host.stack("lagg", "vlan")
    subject = start()
    subject.reach_master()
    for up in (False, True):
        host.member(up=up)
        wire.check("the vhids of the host", subject.vhids(), (1,))
        (seen,) = subject.next_own()
        header = Subject.header(seen)
        wire.check("advbase and advskew", (header.advbase, header.advskew), (1, 100), seen)
        signed = subject.secret.verifies(header.vhid, header.counter, header.digest)
        wire.check("its key and its addresses sign", signed, True, seen)
