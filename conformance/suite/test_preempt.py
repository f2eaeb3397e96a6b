"""PREEMPT: when a better BACKUP takes mastership from a worse MASTER that is alive."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.subject import Subject
from conformance.targets.subject.group import Group

Start = Callable[..., Subject]


@covers("CARP-PREEMPT-001")
@takes(5)
def test_preemption_is_off_by_default(start: Start, tester: Tester, wire: Segment) -> None:
    """A fresh BACKUP of (1,0) that hears one advertisement of (1,200) does not take over for it: it restarts
    its timer.
    """
    subject = start(advskew=0)
    slower = tester.send(subject.peer(1, 200))
    wire.expect(subject.becomes_master(), within=subject.master_down_window(slower))


@covers("CARP-PREEMPT-001")
@hosts(2)
@takes(14)
def test_returning_node_waits_without_preemption(start: Start, wire: Segment) -> None:
    """A better node that joins a live, worse MASTER stays BACKUP without preemption."""
    serving = start(on="b", advskew=50)
    serving.reach_master()
    joining = start(on="a", advskew=0)
    Group(wire, (joining, serving)).settles_on(serving, after_ns=joining.iut.started_ns)


@covers("CARP-PREEMPT-002")
@needs("preempt")
@takes(2)
@pytest.mark.parametrize(
    ("own", "heard"), [((1, 0), (1, 1)), ((1, 100), (1, 101)), ((1, 254), (2, 0))], ids=str
)
def test_slower_master_is_preempted(
    start: Start, tester: Tester, wire: Segment, own: tuple[int, int], heard: tuple[int, int]
) -> None:
    """With preemption a BACKUP takes over on the first advertisement that is strictly slower than its own
    parameters, by however little.
    """
    subject = start(advbase=own[0], advskew=own[1], preempt=True)
    slower = tester.send(subject.peer(*heard))
    wire.expect(subject.becomes_master(), within=subject.reaction_window(slower))


@covers("CARP-PREEMPT-003", "CARP-PREEMPT-002")
@needs("preempt")
@takes(6)
def test_equal_master_is_not_preempted(start: Start, tester: Tester, wire: Segment) -> None:
    """With preemption a stream equal to the own parameters holds a BACKUP for two master-down times; the
    first slower one makes it MASTER.
    """
    subject = start(advskew=0, preempt=True)
    with tester.advertising(subject.equal()):
        subject.stays_silent(subject.take_over_bounds_ns[1])
    slower = tester.send(subject.peer(1, 1))
    wire.expect(subject.becomes_master(), within=subject.reaction_window(slower))


@covers("CARP-PREEMPT-004", "CARP-PREEMPT-002")
@needs("preempt")
@takes(6)
def test_faster_master_is_not_preempted(start: Start, tester: Tester, wire: Segment) -> None:
    """With preemption a stream of (1,0) holds a BACKUP of (1,50); the first of (1,51) makes it MASTER."""
    subject = start(advskew=50, preempt=True)
    with tester.advertising(subject.peer(1, 0)):
        subject.stays_silent(subject.take_over_bounds_ns[1])
    slower = tester.send(subject.peer(1, 51))
    wire.expect(subject.becomes_master(), within=subject.reaction_window(slower))


@covers("CARP-PREEMPT-005")
@needs("preempt")
@takes(5)
def test_preemption_does_not_shorten_the_start(start: Start, wire: Segment) -> None:
    """With preemption a node on a silent segment waits its full master-down time."""
    subject = start(preempt=True)
    wire.expect(subject.becomes_master(), within=subject.start_window)


@covers("CARP-PREEMPT-008")
@needs("preempt")
@hosts(2)
@takes(18)
def test_two_masters_last_less_than_an_interval(start: Start, wire: Segment) -> None:
    """After a preemption the former MASTER yields on the new one's first advertisement: both advertise for
    less than one of its intervals.
    """
    former = start(on="b", advskew=100)
    former.reach_master()
    former.next_own()
    new = start(on="a", advskew=0, preempt=True)
    group = Group(wire, (new, former))
    group.settles_on(new, after_ns=new.iut.started_ns)
    overlap_ns, first, last = group.overlap_ns(former, new)
    wire.check_span("the time with two MASTERs", max(overlap_ns, 0), (0, former.interval_ns), first, last)


@covers("CARP-PREEMPT-002")
@needs("preempt")
@hosts(2)
@takes(8)
def test_better_node_takes_over_from_a_live_master(start: Start, wire: Segment) -> None:
    """A better node with preemption that joins takes over at the MASTER's next advertisement, without waiting
    for a master-down time.
    """
    former = start(on="b", advskew=200)
    former.reach_master()
    new = start(on="a", advskew=100, preempt=True)
    (heard,) = former.next_own()
    wire.expect(new.becomes_master(), within=new.reaction_window(heard))


@covers("CARP-PREEMPT-009")
@needs("preempt", "log")
@takes(2)
def test_preemption_is_logged(start: Start, tester: Tester, wire: Segment) -> None:
    """A preemption is logged as "Putting MASTER down - preemption"."""
    subject = start(advskew=0, preempt=True)
    slower = tester.send(subject.peer(1, 1))
    earliest_ns, latest_ns = subject.dialect.reaction_window_ns
    wire.expect(
        subject.says("Putting MASTER down - preemption"),
        within=Window.after(slower.time_ns, (earliest_ns, latest_ns), f"frame {slower.number}"),
    )


@covers("CARP-PREEMPT-006")
@needs("sysctl")
@takes(3)
def test_preemption_can_be_switched_on_while_it_runs(start: Start, tester: Tester, wire: Segment) -> None:
    """A BACKUP that stayed under a slower advertisement takes over on the next one after preemption was
    switched on for its host.

    Field report: split roles until preemption was set (https://github.com/opnsense/core/issues/2780, 3515).
    """
    subject = start(advskew=0)
    tester.send(subject.peer(1, 100))
    subject.stays_silent(subject.interval_ns)
    subject.sysctls().set_sysctl("preempt", 1)
    slower = tester.send(subject.peer(1, 100))
    wire.expect(subject.becomes_master(), within=subject.reaction_window(slower))
