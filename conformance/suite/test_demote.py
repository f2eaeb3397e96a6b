"""DEMOTE: how a host makes itself less wanted, and what follows from it for elections and timers."""

from __future__ import annotations

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.conftest import Leg
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.protocol import Bench, ConfigurationRefused
from conformance.targets.subject import Subject
from conformance.targets.subject.group import Group

AT_MOST = 240
"""The advskew of a FreeBSD host that is demoted as far as it goes."""
ERRORS = 3
"""Failed sends in a row that demote, and successful ones that take it back."""

APART_NS = 200_000_000
"""Two machines never start at the same moment."""


def at_once(subject: Subject, wire: Segment, order_ns: int) -> FrameSeen:
    """The advertisement that follows an order at ``order_ns`` without waiting for its interval."""
    seen = wire.expect(subject.advertises(), within=subject.reaction_window(order_ns))
    assert isinstance(seen, FrameSeen)
    return seen


def between_two(master: Subject, wire: Segment) -> int:
    """Waits for the middle between two advertisements of a MASTER; returns the moment before now."""
    master.next_own()
    wire.watch(master.interval_ns // 2)
    return master.just_now_ns


# --- a signed sum that is added to advskew


@covers("CARP-DEMOTE-001")
@needs("demotion_order", "demotion_sum")
@takes(1)
def test_write_adds(start: Start, wire: Segment) -> None:
    """What is written to the demotion is added to it, with its sign."""
    subject = start()
    for written, total in ((10, 10), (10, 20), (-20, 0), (-5, -5)):
        subject.demote(written)
        wire.check(f"the demotion after {written:+}", subject.demotion(), total)


@covers("CARP-DEMOTE-002", "CARP-DEMOTE-005")
@needs("demotion_order", "demotion_sum")
@takes(6)
@pytest.mark.parametrize(
    ("demotion", "advskew"), [(50, 150), (139, 239), (140, 240), (1000, 240), (2**31 - 1, 240)]
)
def test_advskew_is_the_sum(master: Subject, wire: Segment, demotion: int, advskew: int) -> None:
    """A MASTER of advskew 100 tells a demotion at once: it adds it to its advskew, up to 240."""
    ordered_ns = between_two(master, wire)
    master.demote(demotion)
    seen = at_once(master, wire, ordered_ns)
    wire.check("advskew", Subject.header(seen).advskew, advskew, seen)
    wire.check("byte 4", Subject.header(seen).demote, 0, seen)


@covers("CARP-DEMOTE-002")
@needs("demotion_order", "demotion_sum")
@takes(8)
def test_sum_is_compared(master: Subject, tester: Tester) -> None:
    """A MASTER of advskew 100, demoted by 50, outranks 151 and yields to 149."""
    master.demote(50)
    master.stays_master(tester.send(master.peer(1, 151)))
    master.expect_yields(tester.send(master.peer(1, 149)))


@covers("CARP-DEMOTE-003")
@needs("demotion")
@takes(7)
@pytest.mark.parametrize("advskew", [240, 241, 254])
def test_advskew_above_240_is_sent_as_240(start: Start, wire: Segment, advskew: int) -> None:
    """A configured advskew of more than 240 is advertised as 240, although nothing demotes the host."""
    seen = start(advskew=advskew).reach_master()
    wire.check("advskew", Subject.header(seen).advskew, AT_MOST, seen)


@covers("CARP-DEMOTE-004")
@needs("demotion_order", "demotion_sum")
@takes(8)
@pytest.mark.parametrize("demotion", [-101, -1000])
def test_negative_sum_is_0(master: Subject, tester: Tester, wire: Segment, demotion: int) -> None:
    """A sum below 0 is advertised as 0, and compared as 0: 1/1 loses against it, 1/0 wins."""
    ordered_ns = between_two(master, wire)
    master.demote(demotion)
    seen = at_once(master, wire, ordered_ns)
    wire.check("advskew", Subject.header(seen).advskew, 0, seen)
    master.stays_master(tester.send(master.peer(1, 1)))
    master.expect_yields(tester.send(master.peer(1, 0)))


@covers("CARP-DEMOTE-005")
@needs("demotion_order", "demotion_sum", "multiple_vhids")
@takes(8)
@pytest.mark.parametrize("amount", [50, -50], ids=["raised", "lowered"])
def test_change_makes_every_master_advertise(start: Start, bench: Bench, wire: Segment, amount: int) -> None:
    """A change of the demotion, up or down, makes every MASTER of the host advertise at once with it."""
    masters = [start(vhid=vhid, addresses=(bench.shared_addresses[vhid],)) for vhid in (1, 2, 3)]
    for master in masters:
        master.reach_master()
    ordered_ns = between_two(masters[-1], wire)
    masters[0].demote(amount)
    for master in masters:
        seen = at_once(master, wire, ordered_ns)
        wire.check(
            f"advskew of vhid {master.settings.vhid}", Subject.header(seen).advskew, 100 + amount, seen
        )


@covers("CARP-ROBUST-011")
@needs("demotion_order", "demotion_sum")
@hosts(2)
@takes(14)
@pytest.mark.parametrize(
    ("first", "second"),
    [((-1, 0), (-1, 0)), ((-1, 0), (0, 0)), ((-200, 100), (-50, 20))],
    ids=["both", "one", "beyond"],
)
def test_negative_demotion_leaves_one_master(
    start: Start, wire: Segment, first: tuple[int, int], second: tuple[int, int]
) -> None:
    """Two hosts whose demotion and advskew sum up to less than 0 settle on one MASTER."""
    group = []
    began_ns = wire.now_ns()
    for on, (demotion, advskew) in (("a", first), ("b", second)):
        group.append(start(on=on, advskew=advskew, preempt=True))
        wire.watch(APART_NS)
        group[-1].demote(demotion)
    found = Group(wire, tuple(group)).settles_on(after_ns=began_ns)
    (winner,) = (frames[-1] for frames in found.values() if frames)
    wire.check("advskew of the MASTER", Subject.header(winner).advskew, 0, winner)


# --- demote counts of interface groups


@covers("CARP-DEMOTE-011")
@needs("demotion_order", "demotion_groups")
@takes(6)
def test_byte_4_is_the_sum_of_the_groups(master: Subject, wire: Segment) -> None:
    """Byte 4 is the sum of the counts of the groups that the carp interface is in, all included; advskew stays."""
    ordered_ns = between_two(master, wire)
    master.demote(5, "carp")
    seen = at_once(master, wire, ordered_ns)
    wire.check("byte 4 with carp 5", Subject.header(seen).demote, 5, seen)
    wire.check("advskew", Subject.header(seen).advskew, 100, seen)
    master.demote(3, "all")
    master.demote(7, "elsewhere")
    seen = master.next_own(2)[-1]
    wire.check(
        "byte 4 with carp 5, all 3 and a group that it is not in", Subject.header(seen).demote, 8, seen
    )
    master.join_group("elsewhere")
    seen = master.next_own(2)[-1]
    wire.check("byte 4 after it has joined that group", Subject.header(seen).demote, 15, seen)


@covers("CARP-DEMOTE-012", "CARP-ELECT-034")
@needs("demotion_order", "demotion_groups")
@takes(8)
@pytest.mark.parametrize("rank", [(1, 200), (2, 0)], ids=["slower", "much-slower"])
def test_demoted_master_yields_to_a_lower_count(
    master: Subject, tester: Tester, rank: tuple[int, int]
) -> None:
    """A MASTER of count 2 stays against a slower advertisement of count 2 and yields to one of count 1."""
    master.demote(2)
    master.stays_master(tester.send(master.peer(*rank, demote=2)))
    master.expect_yields(tester.send(master.peer(*rank, demote=1)))


@covers("CARP-DEMOTE-013", "CARP-ELECT-034")
@needs("demotion_groups")
@takes(8)
def test_master_outranks_a_higher_count(master: Subject, tester: Tester) -> None:
    """A MASTER stays against a faster advertisement of a higher count, and yields to it without the count."""
    master.stays_master(tester.send(master.better(demote=1)))
    master.expect_yields(tester.send(master.better()))


@covers("CARP-DEMOTE-014", "CARP-ELECT-034")
@needs("demotion_groups", "preempt")
@takes(2)
@pytest.mark.parametrize("preempt", [False, True], ids=["no-preempt", "preempt"])
def test_backup_relieves_a_demoted_master(start: Start, tester: Tester, wire: Segment, preempt: bool) -> None:
    """A BACKUP takes over at once from a faster MASTER of a higher count, with or without preemption."""
    backup = start(preempt=preempt)
    heard = tester.send(backup.better(demote=1))
    wire.expect(backup.becomes_master(), within=backup.reaction_window(heard))


@covers("CARP-DEMOTE-015")
@needs("demotion_order", "demotion_groups")
@takes(6)
def test_byte_4_stops_at_255(master: Subject, wire: Segment) -> None:
    """Counts of more than 255 in sum are advertised as 255."""
    master.demote(200, "carp")
    master.demote(100, "all")
    seen = master.next_own(2)[-1]
    wire.check("byte 4", Subject.header(seen).demote, 255, seen)


@covers("CARP-DEMOTE-015")
@needs("demotion_order", "demotion_groups")
@takes(1)
@pytest.mark.parametrize(("count", "amount"), [(200, 56), (255, 1), (0, -1), (3, -4)])
def test_count_stays_between_0_and_255(start: Start, wire: Segment, count: int, amount: int) -> None:
    """A change that would leave a group's count below 0 or above 255 is refused and changes nothing."""
    subject = start()
    if count:
        subject.demote(count)
    try:
        subject.demote(amount)
    except ConfigurationRefused:
        wire.check(f"a change of {amount:+} from {count}", "refused", "refused")
    else:
        wire.check(f"a change of {amount:+} from {count}", "taken", "refused")
    wire.check("the count afterwards", subject.demotion(), count)


# --- failures that demote


@covers("CARP-DEMOTE-006", "CARP-DEMOTE-007", "CARP-DEMOTE-017")
@needs("send_errors", "demotion_order")
@takes(14)
def test_failed_sends_demote(master: Subject, wire: Segment) -> None:
    """Three failed sends in a row demote a MASTER, two do not; what it sends afterwards says so."""
    master.next_own()
    master.refuse_sending(refused=True)
    wire.watch(2 * master.interval_ns + master.interval_ns // 2)
    wire.check("the demotion after two failed sends", master.demotion(), 0)
    wire.watch(master.interval_ns)
    by = master.dialect.send_error_demotion
    wire.check("the demotion after three failed sends", master.demotion(), by)
    master.refuse_sending(refused=False)
    (seen,) = master.next_own()
    wire.check("advskew", Subject.header(seen).advskew, master.dialect.effective_skew(100, by), seen)
    wire.check("byte 4", Subject.header(seen).demote, master.dialect.demote_byte(by), seen)


@covers("CARP-DEMOTE-007")
@needs("send_errors", "demotion_order")
@takes(16)
def test_sent_ones_take_it_back(master: Subject, wire: Segment) -> None:
    """Three successful sends in a row take the demotion for failed ones back; the next advertisement says so."""
    master.next_own()
    master.refuse_sending(refused=True)
    wire.watch(4 * master.interval_ns)
    demoted = master.demotion()
    wire.check("the demotion after failed sends", demoted, master.dialect.send_error_demotion)
    master.refuse_sending(refused=False)
    master.next_own(ERRORS - 1)
    wire.check("the demotion after two that were sent", master.demotion(), demoted)
    seen = master.next_own(2)[-1]
    wire.check("the demotion after more", master.demotion(), 0, seen)
    wire.check("advskew", Subject.header(seen).advskew, 100, seen)


@covers("CARP-DEMOTE-017")
@needs("send_errors", "scripts")
@takes(14)
def test_process_that_cannot_send_is_demoted(master: Subject, wire: Segment) -> None:
    """A daemon that failed three times to send advertises 240 once it can send again."""
    master.next_own()
    master.refuse_sending(refused=True)
    wire.watch(4 * master.interval_ns)
    master.refuse_sending(refused=False)
    (seen,) = master.next_own()
    wire.check("advskew", Subject.header(seen).advskew, AT_MOST, seen)


@covers("CARP-DEMOTE-008")
@needs("demotion_order", "demotion_sum", "link", "kill")
@takes(6)
def test_lost_link_counts_once_for_each_vhid(start: Start, bench: Bench, wire: Segment) -> None:
    """A lost link adds 240 for each vhid on it; removing one of them, or the link's return, takes its share
    back.
    """
    one, two = (start(vhid=vhid, addresses=(bench.shared_addresses[vhid],)) for vhid in (1, 2))
    one.host.cable(plugged=False)
    wire.check("the demotion without the link", one.demotion(), 480)
    two.iut.kill()
    wire.check("the demotion after one vhid was removed", one.demotion(), 240)
    one.host.cable(plugged=True)
    wire.check("the demotion with the link", one.demotion(), 0)


@covers("CARP-DEMOTE-008")
@needs("demotion_order", "demotion_sum", "interface_switch")
@takes(2)
def test_interface_down_demotes_like_a_lost_link(start: Start, wire: Segment) -> None:
    """An interface that is taken down demotes by 240, and by nothing once it is up again."""
    subject = start()
    subject.host_interface(up=False)
    wire.check("the demotion with the interface down", subject.demotion(), 240)
    subject.host_interface(up=True)
    wire.check("the demotion with the interface up", subject.demotion(), 0)


@covers("CARP-DEMOTE-009", "CARP-DEMOTE-016", "CARP-DEMOTE-017")
@needs("second_interface", "group_failover", "link", "preempt")
@takes(6)
@pytest.mark.parametrize("preempt", [False, True], ids=["no-preempt", "preempt"])
def test_lost_link_demotes_the_other_interface(
    start: Start, inner: Leg, wire: Segment, preempt: bool
) -> None:
    """A host that loses one link says so at once on its other interface, whatever its own preemption, and takes
    it back when the link returns.
    """
    outer = start(vhid=10, preempt=preempt)
    master = inner.start(vhid=20, preempt=preempt)
    master.reach_master()
    lost_ns = between_two(master, wire)
    outer.host.cable(plugged=False)
    seen = at_once(master, wire, lost_ns)
    by = master.dialect.link_demotion
    wire.check("advskew", Subject.header(seen).advskew, master.dialect.effective_skew(100, by), seen)
    wire.check("byte 4", Subject.header(seen).demote, master.dialect.demote_byte(by), seen)
    outer.host.cable(plugged=True)
    seen = master.next_own(2)[-1]
    wire.check("advskew with the link back", Subject.header(seen).advskew, 100, seen)
    wire.check("byte 4 with the link back", Subject.header(seen).demote, 0, seen)


# --- what demotion does to elections and timers


@covers("CARP-DEMOTE-018")
@needs("demotion_order")
@takes(8)
def test_demotion_alone_takes_nothing_away(master: Subject, wire: Segment) -> None:
    """A demoted MASTER without a rival stays MASTER and advertises what its demotion made of it."""
    master.demote(7)
    for seen in master.next_own(4)[1:]:
        header = Subject.header(seen)
        wire.check("advskew", header.advskew, master.dialect.effective_skew(100, 7), seen)
        wire.check("byte 4", header.demote, master.dialect.demote_byte(7), seen)


@covers("CARP-TIMER-011")
@needs("demotion_order")
@takes(8)
def test_first_interval_is_that_of_the_configured_advskew(start: Start, wire: Segment) -> None:
    """The first interval of a demoted MASTER is made of its configured advskew, the second of the demoted one."""
    subject = start()
    subject.demote(240)
    first = subject.reach_master()
    wire.check("advskew", Subject.header(first).advskew, AT_MOST, first)
    second = wire.expect(subject.advertises(), within=subject.interval_window(first))
    assert isinstance(second, FrameSeen)
    bounds = subject.dialect.interval_window_ns(1, AT_MOST)
    wire.expect(subject.advertises(), within=Window.after(second.time_ns, bounds, f"frame {second.number}"))


@covers("CARP-TIMER-017")
@needs("demotion_order")
@takes(6)
def test_demotion_does_not_lengthen_the_master_down_time(
    backup: Subject, tester: Tester, wire: Segment
) -> None:
    """A demoted BACKUP takes over in the time of its configured advskew."""
    backup.demote(200)
    tester.send(backup.peer(1, 0))
    wire.expect(backup.becomes_master(), within=backup.master_down_window())


@covers("CARP-PREEMPT-007")
@needs("demotion_order", "demotion_sum")
@takes(3)
def test_preemption_compares_the_demoted_advskew(start: Start, tester: Tester, wire: Segment) -> None:
    """A preempting BACKUP of advskew 0 that is demoted by 100 stays under 1/50 and takes over from 1/150."""
    backup = start(advskew=0, preempt=True)
    backup.demote(100)
    tester.send(backup.peer(1, 50))
    backup.stays_silent(2 * backup.interval_ns)
    slower = tester.send(backup.peer(1, 150))
    wire.expect(backup.becomes_master(), within=backup.reaction_window(slower))


@covers("CARP-PREEMPT-007", "CARP-DEMOTE-017")
@needs("demotion_order", "demotion_suppress")
@takes(3)
def test_preemption_of_a_suppressed_host(start: Start, tester: Tester, wire: Segment) -> None:
    """A preempting BACKUP of advskew 0 with a failure elsewhere stays under 1/200 and takes over from 1/241."""
    backup = start(advskew=0, preempt=True)
    backup.demote(1)
    tester.send(backup.peer(1, 200))
    backup.stays_silent(2 * backup.interval_ns)
    slower = tester.send(backup.peer(1, 241))
    wire.expect(backup.becomes_master(), within=backup.reaction_window(slower))
