"""ELECT: how INIT, BACKUP and MASTER follow one another."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.targets.subject.group import Group

Start = Callable[..., Subject]

SECOND = 1_000_000_000
APART_NS = 200_000_000
"""Two machines never start at the same moment, nor advertise in step."""
AFTER_NS = 1_000_000
"""After an event, so that it does not count for what follows."""


@covers("CARP-ELECT-001")
@takes(5)
def test_node_starts_silent(start: Start, wire: Segment) -> None:
    """A fresh node sends nothing until its master-down time has passed, then it becomes MASTER."""
    subject = start()
    wire.expect(subject.becomes_master(), within=subject.start_window)
    wire.check("its advertisements so far", len(list(subject.own_frames())), 1)


@covers("CARP-ELECT-002")
@takes(7)
def test_backup_takes_over_from_a_master_that_falls_silent(
    backup: Subject, tester: Tester, wire: Segment
) -> None:
    """A BACKUP whose MASTER falls silent becomes MASTER when its master-down timer expires."""
    with tester.advertising(backup.better()):
        wire.watch(2 * SECOND)
    backup.alive()
    wire.expect(backup.becomes_master(), within=backup.master_down_window())


@covers("CARP-ELECT-003", "CARP-ELECT-029")
@takes(10)
@pytest.mark.parametrize(("advbase", "advskew"), [(1, 99), (1, 0), (0, 200)])
def test_master_steps_down_for_a_faster_one(
    master: Subject, tester: Tester, advbase: int, advskew: int
) -> None:
    """A MASTER of (1,100) that hears one faster advertisement steps down, and is back a full master-down time
    later.
    """
    faster = tester.send(master.peer(advbase, advskew))
    master.expect_yields(faster)
    master.comes_back(faster)


@covers("CARP-ELECT-004")
@takes(13)
def test_master_ignores_a_slower_one(master: Subject, tester: Tester) -> None:
    """A MASTER of (1,100) stays under a stream of (1,101), and steps down for (1,99)."""
    with tester.advertising(master.peer(1, 101)) as slower:
        master.stays_master(slower)
    master.expect_yields(tester.send(master.peer(1, 99)))


@covers("CARP-ELECT-005")
@takes(9)
def test_master_steps_down_for_an_equal_one(master: Subject, tester: Tester) -> None:
    """A MASTER that hears an advertisement equal to its own parameters steps down."""
    master.proves_to_yield(tester.send(master.equal()))


@covers("CARP-ELECT-006")
@takes(9)
@pytest.mark.parametrize("source", ["192.0.2.0", "223.255.255.0"])
def test_tie_goes_to_the_address_that_is_lower_from_its_last_octet(
    master: Subject, tester: Tester, source: str
) -> None:
    """A MASTER at 192.0.2.1 yields to an equal one whose address is lower when the last octet is looked at
    first.
    """
    master.proves_to_yield(tester.send(master.equal(source=IPv4Address(source))))


@covers("CARP-ELECT-006")
@takes(13)
@pytest.mark.parametrize("source", ["192.0.2.2", "10.0.0.2"])
def test_tie_is_kept_against_an_address_that_is_higher_from_its_last_octet(
    master: Subject, tester: Tester, source: str
) -> None:
    """A MASTER at 192.0.2.1 stays under an equal one whose address is higher when the last octet is looked at
    first, although 10.0.0.2 is the lower number.
    """
    with tester.advertising(master.equal(source=IPv4Address(source))) as equal:
        master.stays_master(equal)
    master.expect_yields(tester.send(master.better()))


@covers("CARP-ELECT-007")
@takes(12)
def test_advbase_is_compared_before_advskew(start: Start, tester: Tester) -> None:
    """A MASTER of (2,0) steps down for (1,254), although 254 is the higher advskew."""
    subject = start(advbase=2, advskew=0)
    subject.reach_master()
    subject.expect_yields(tester.send(subject.peer(1, 254)))


@covers("CARP-ELECT-007")
@takes(18)
def test_advskew_does_not_outweigh_advbase(start: Start, tester: Tester) -> None:
    """A MASTER of (1,240) stays under a stream of (2,0), although 0 is the lower advskew, and steps down for
    (1,239).
    """
    subject = start(advskew=240)
    subject.reach_master()
    with tester.advertising(subject.peer(2, 0)) as slower:
        subject.stays_master(slower)
    subject.expect_yields(tester.send(subject.peer(1, 239)))


@covers("CARP-ELECT-008")
@takes(7)
def test_backup_stays_under_a_slower_master(start: Start) -> None:
    """Without preemption a stream of (1,100) holds a BACKUP of (1,0); when it ends, a full master-down time
    passes.
    """
    subject = start(advskew=0)
    subject.stays_backup(subject.peer(1, 100))


@covers("CARP-ELECT-009")
@takes(10)
@pytest.mark.parametrize(("own", "heard"), [(0, 0), (50, 0), (100, 100)])
def test_backup_stays_under_a_faster_or_equal_master(start: Start, own: int, heard: int) -> None:
    """A stream with a lower or the same advskew holds a BACKUP; then a full master-down time passes."""
    subject = start(advskew=own)
    subject.stays_backup(subject.peer(1, heard))


@covers("CARP-ELECT-010")
@takes(2)
@pytest.mark.parametrize(("advbase", "advskew"), [(3, 101), (4, 0), (254, 0)])
def test_backup_does_not_wait_for_a_master_that_will_time_out(
    backup: Subject, tester: Tester, wire: Segment, advbase: int, advskew: int
) -> None:
    """A BACKUP of (1,100) takes over at once when it hears an advertisement slower than (3,100)."""
    slow = tester.send(backup.peer(advbase, advskew))
    wire.expect(backup.becomes_master(), within=backup.reaction_window(slow))


@covers("CARP-ELECT-011")
@takes(6)
def test_limit_of_three_intervals_is_strict(backup: Subject, tester: Tester, wire: Segment) -> None:
    """An advertisement of exactly (3,100) makes no BACKUP of (1,100) take over: it restarts its timer."""
    edge = tester.send(backup.peer(3, 100))
    wire.expect(backup.becomes_master(), within=backup.master_down_window(edge))


@covers("CARP-ELECT-012")
@needs("dead_ratio")
@takes(7)
def test_dead_ratio_moves_the_limit(start: Start, tester: Tester, wire: Segment) -> None:
    """With dead ratio 5 an advertisement of (5,0) leaves a BACKUP of (1,0), and its timer of 5 s, alone."""
    subject = start(advskew=0, options={"dead_ratio": 5})
    edge = tester.send(subject.peer(5, 0))
    wire.expect(subject.becomes_master(), within=subject.master_down_window(edge))


@covers("CARP-ELECT-012")
@needs("dead_ratio")
@takes(2)
def test_beyond_the_limit_of_the_dead_ratio(start: Start, tester: Tester, wire: Segment) -> None:
    """With dead ratio 5 an advertisement of (5,1) makes a BACKUP of (1,0) take over at once."""
    subject = start(advskew=0, options={"dead_ratio": 5})
    slow = tester.send(subject.peer(5, 1))
    wire.expect(subject.becomes_master(), within=subject.reaction_window(slow))


@covers("CARP-ELECT-013")
@takes(3)
def test_no_limit_with_advbase_0(start: Start, tester: Tester, wire: Segment) -> None:
    """A BACKUP with advbase 0 that hears (4,0) does not take over at once, but after its master-down time."""
    subject = start(advbase=0, advskew=200)
    slow = tester.send(subject.peer(4, 0))
    wire.expect(subject.becomes_master(), within=subject.master_down_window(slow))


@covers("CARP-ELECT-014")
@takes(2)
@pytest.mark.parametrize(("advbase", "preempt"), [(1, False), (1, True), (84, False)])
def test_farewell_makes_a_backup_take_over_at_once(
    start: Start, tester: Tester, wire: Segment, advbase: int, preempt: bool
) -> None:
    """An advertisement of 255/255 makes a BACKUP take over at once, whatever its preemption setting and even
    with advbase 84.
    """
    subject = start(advbase=advbase, preempt=preempt)
    farewell = tester.send(subject.peer(255, 255))
    wire.expect(subject.becomes_master(), within=subject.reaction_window(farewell))


@covers("CARP-ELECT-015")
@needs("bow_out")
@takes(6)
def test_master_says_farewell_when_it_is_taken_down(master: Subject, wire: Segment) -> None:
    """A MASTER that is taken down by its administrator sends one last advertisement of 255/255."""
    down_ns = master.just_now_ns
    master.iut.stop()
    wire.expect(master.says_farewell(), within=master.reaction_window(down_ns))


@covers("CARP-ELECT-016", "CARP-ELECT-017")
@hosts(2)
@takes(9)
def test_master_leaves_without_a_word(start: Start, wire: Segment) -> None:
    """A MASTER that is taken down sends nothing: its peer waits a full master-down time, counted from its
    last regular advertisement.
    """
    leaving, staying = start(on="a", advskew=0), start(on="b", advskew=100)
    leaving.reach_master()
    (last,) = leaving.next_own()
    leaving.iut.stop()
    wire.expect(staying.becomes_master(), within=staying.master_down_window(last))
    wire.check(
        "the leaving MASTER's last advertisement",
        max(seen.number for seen in leaving.own_frames()),
        last.number,
        last,
    )


@covers("CARP-ELECT-018")
@needs("link")
@takes(20)
def test_master_without_its_link_is_silent_and_starts_anew(master: Subject, wire: Segment) -> None:
    """A MASTER whose link is lost for three intervals sends nothing meanwhile, not even when it returns: it
    starts as BACKUP with a full master-down time.
    """
    master.host.cable(plugged=False)
    wire.watch(3 * master.interval_ns)
    up_ns = wire.now_ns()
    master.host.cable(plugged=True)
    wire.expect(master.becomes_master(), within=master.link_up_window(up_ns))


@covers("CARP-ELECT-018")
@needs("link")
@takes(17)
def test_backup_without_its_link_starts_anew(backup: Subject, tester: Tester, wire: Segment) -> None:
    """A BACKUP whose link is lost for longer than its master-down time does not become MASTER meanwhile: when
    the link returns a full master-down time passes.
    """
    with tester.advertising(backup.better()):
        wire.watch(backup.interval_ns)
    backup.host.cable(plugged=False)
    wire.watch(backup.take_over_bounds_ns[1])
    up_ns = wire.now_ns()
    backup.host.cable(plugged=True)
    wire.expect(backup.becomes_master(), within=backup.link_up_window(up_ns))


@covers("CARP-ELECT-019")
@needs("link", "state_read")
@takes(10)
def test_lost_link_means_init(master: Subject, wire: Segment) -> None:
    """A MASTER whose link is lost says that it is INIT."""
    down_ns = master.just_now_ns
    master.host.cable(plugged=False)
    wire.expect(master.enters("INIT"), within=master.link_down_window(down_ns))


@covers("CARP-ELECT-028")
@hosts(2)
@takes(17)
@pytest.mark.parametrize(
    ("better", "worse"),
    [((1, 0), (1, 100)), ((1, 100), (1, 200)), ((1, 200), (2, 0))],
    ids=str,
)
def test_two_nodes_settle_on_the_faster(
    start: Start, wire: Segment, better: tuple[int, int], worse: tuple[int, int]
) -> None:
    """Two nodes that start together, the slower one first, settle on the faster one as the only MASTER."""
    slow = start(on="b", advbase=worse[0], advskew=worse[1])
    fast = start(on="a", advbase=better[0], advskew=better[1])
    Group(wire, (fast, slow)).settles_on(fast, after_ns=fast.iut.started_ns, together=True)


@covers("CARP-ELECT-028")
@hosts(2)
@takes(9)
def test_difference_of_one_is_enough(start: Start, wire: Segment) -> None:
    """Two nodes of (1,0) and (1,1) settle on the former, which starts first: their timers differ by less than
    two processes may take to start.
    """
    fast, slow = start(on="a", advskew=0), start(on="b", advskew=1)
    Group(wire, (fast, slow)).settles_on(fast, after_ns=slow.iut.started_ns, together=True)


@covers("CARP-ELECT-028")
@hosts(3)
@takes(15)
def test_three_nodes_settle_on_the_fastest(start: Start, wire: Segment) -> None:
    """Three nodes of graded advskew that start together settle on the fastest as the only MASTER."""
    nodes = (start(on="a", advskew=200), start(on="b", advskew=0), start(on="c", advskew=100))
    Group(wire, nodes).settles_on(nodes[1], after_ns=nodes[-1].iut.started_ns, together=True)


@covers("CARP-ELECT-030")
@takes(9)
def test_master_advertises_once_more_before_it_steps_down(
    master: Subject, tester: Tester, wire: Segment
) -> None:
    """A MASTER that hears a faster advertisement sends one of its own before its regular one is due, and then
    no more.
    """
    (own,) = master.next_own()
    better = tester.send(master.better())
    window = master.reaction_window(better)
    assert window.to_ns < master.interval_window(own).from_ns, (
        "a regular advertisement could be taken for the extra one"
    )
    wire.expect(master.advertises(), within=window)
    wire.watch(AFTER_NS)
    master.stays_silent(2 * master.interval_ns)


@covers("CARP-ELECT-033", "CARP-SCENARIO-019")
@needs("partition")
@hosts(2)
@takes(20)
def test_healed_partition_leaves_one_master(start: Start, bench: Bench, wire: Segment) -> None:
    """Two nodes with equal parameters that cannot hear one another are both MASTER; when they can, exactly
    one of them remains.

    Field report: no hand-over consensus when the link between two nodes flaps
    (https://github.com/lizardfs/lizardfs/issues/299).
    """
    bench.part(parted=True)
    first = start(on="a")
    wire.watch(APART_NS)
    nodes = first, start(on="b")
    group = Group(wire, nodes)
    nodes[0].reach_master()
    nodes[1].reach_master()
    group.advertisers_are({"a", "b"})
    bench.part(parted=False)
    group.settles_on(after_ns=wire.now_ns())


@covers("CARP-ELECT-028", "CARP-SCENARIO-019")
@needs("partition")
@hosts(2)
@takes(20)
def test_healed_partition_leaves_the_faster(start: Start, bench: Bench, wire: Segment) -> None:
    """Two nodes of different advskew that were both MASTER while parted settle on the faster one.

    Field report: no hand-over consensus when the link between two nodes flaps
    (https://github.com/lizardfs/lizardfs/issues/299).
    """
    bench.part(parted=True)
    fast, slow = start(on="a", advskew=50), start(on="b", advskew=100)
    group = Group(wire, (fast, slow))
    fast.reach_master()
    slow.reach_master()
    group.advertisers_are({"a", "b"})
    bench.part(parted=False)
    group.settles_on(fast, after_ns=wire.now_ns())


@covers("CARP-ELECT-035")
@takes(14)
def test_node_that_steps_down_announces_nothing(master: Subject, tester: Tester, wire: Segment) -> None:
    """A MASTER that steps down sends no gratuitous ARP for the shared address; its next take-over does."""
    (address,) = master.settings.addresses
    assert isinstance(address, IPv4Address)
    master.next_own(3)
    better = tester.send(master.better())
    wire.expect_none(master.announces(address), for_ns=2 * master.interval_ns, barrier=master.alive)
    master.comes_back(better)
    wire.expect(
        master.announces(address),
        within=Window.after(better.time_ns, master.take_over_bounds_ns, f"frame {better.number}"),
    )
