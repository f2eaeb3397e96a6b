"""Two interfaces on one host: the two-firewall scenario, and what must not cross from one segment to the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.conftest import Leg
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.subject import Subject
from conformance.targets.subject.group import Group

SECOND = 1_000_000_000
SETTLE_NS = 5_000_000
"""Until the last frame of a stream that has ended has surely been captured."""
APART_NS = 300_000_000
"""Two machines never start at the same moment."""
OUTER_KEY, INNER_KEY = "outer key", "inner key"


@dataclass(frozen=True, slots=True)
class Side:
    """One segment of the scenario: the same virtual host on the preferred and on the other firewall."""

    name: str
    wire: Segment
    preferred: Subject
    other: Subject

    @property
    def group(self) -> Group:
        return Group(self.wire, (self.preferred, self.other))


@dataclass(frozen=True, slots=True)
class Firewalls:
    """Two firewalls with VHID 10 outside and VHID 20 inside; the preferred one is MASTER of both."""

    outer: Side
    inner: Side

    def sides(self, cut: str) -> tuple[Side, Side]:
        """The side whose cable is pulled, and the other one."""
        return (self.outer, self.inner) if cut == "outer" else (self.inner, self.outer)


Build = Callable[[bool], Firewalls]


@pytest.fixture
def firewalls(start: Start, inner: Leg, wire: Segment) -> Build:
    """Builds the scenario, with preemption or without, and waits until the preferred firewall has both addresses."""

    def build(preempt: bool) -> Firewalls:
        outside, inside = {"vhid": 10, "password": OUTER_KEY}, {"vhid": 20, "password": INNER_KEY}
        pair = []
        for on, advskew in (("a", 50), ("b", 80)):
            rank = {"on": on, "advskew": advskew, "preempt": preempt}
            pair.append((start(**outside, **rank), inner.start(**inside, **rank)))
            wire.watch(APART_NS)
        (outer_a, inner_a), (outer_b, inner_b) = pair
        built = Firewalls(Side("outer", wire, outer_a, outer_b), Side("inner", inner.wire, inner_a, inner_b))
        outer_a.reach_master()
        inner_a.reach_master()
        wire.watch(2 * outer_a.interval_ns + outer_a.interval_ns // 2)
        return built

    return build


def own_after(subject: Subject, time_ns: int) -> FrameSeen:
    """The last advertisement of a host before ``time_ns``."""
    return [seen for seen in subject.own_frames() if seen.time_ns <= time_ns][-1]


def taken_over(side: Side, wire: Segment, lost_ns: int) -> None:
    """The other firewall becomes MASTER on the side that was cut, a master-down time after the last
    advertisement that it heard.
    """
    last = own_after(side.preferred, lost_ns)
    wire.expect(side.other.becomes_master(), within=side.other.master_down_window(last))


@covers("CARP-SCENARIO-003", "CARP-DEMOTE-009", "CARP-DEMOTE-016", "CARP-DEMOTE-017")
@needs("second_interface", "group_failover", "link", "preempt")
@hosts(2)
@takes(20)
@pytest.mark.parametrize("cut", ["outer", "inner"])
def test_one_cable_moves_both_addresses(firewalls: Build, wire: Segment, cut: str) -> None:
    """With preemption on both firewalls, the one that loses a cable loses both addresses, one at once and one
    in a master-down time; the cable's return brings both back with the next advertisements.
    """
    both = firewalls(True)
    lost, whole = both.sides(cut)
    lost_ns = whole.preferred.just_now_ns
    lost.preferred.host.cable(plugged=False)
    seen = wire.expect(whole.preferred.advertises(), within=whole.preferred.reaction_window(lost_ns))
    assert isinstance(seen, FrameSeen)
    dialect = whole.preferred.dialect
    demoted = (dialect.effective_skew(50, dialect.link_demotion), dialect.demote_byte(dialect.link_demotion))
    header = Subject.header(seen)
    wire.check("advskew and byte 4 on the whole side", (header.advskew, header.demote), demoted, seen)
    wire.expect(whole.other.becomes_master(), within=whole.other.reaction_window(seen))
    taken_over(lost, wire, lost_ns)
    lost.group.advertisers_are({"b"} if cut == "outer" else {"b-inner"})
    whole.group.advertisers_are({"b"} if cut == "inner" else {"b-inner"})

    back_ns = whole.preferred.just_now_ns
    lost.preferred.host.cable(plugged=True)
    for side in (whole, lost):
        within = (0, side.other.interval_ns + 2 * dialect.reaction_window_ns[1])
        wire.expect(
            side.preferred.becomes_master(), within=Window.after(back_ns, within, "the cable was back")
        )
    for side in (whole, lost):
        side.group.advertisers_are({side.preferred.name})


@covers("CARP-SCENARIO-004")
@needs("second_interface", "group_failover", "link")
@hosts(2)
@takes(20)
@pytest.mark.parametrize("cut", ["outer", "inner"])
def test_roles_split_without_preemption(firewalls: Build, wire: Segment, cut: str) -> None:
    """Without preemption the address of the lost side moves, the other one stays, and the split remains when
    the cable is back.
    """
    both = firewalls(False)
    lost, whole = both.sides(cut)
    lost_ns = whole.preferred.just_now_ns
    lost.preferred.host.cable(plugged=False)
    taken_over(lost, wire, lost_ns)
    whole.group.advertisers_are({whole.preferred.name})
    lost.preferred.host.cable(plugged=True)
    wire.watch(lost.group.settled_ns)
    lost.group.advertisers_are({lost.other.name})
    whole.group.advertisers_are({whole.preferred.name})


@covers("CARP-SCENARIO-002")
@needs("second_interface", "group_failover", "link", "preempt", "demotion_order")
@hosts(2)
@takes(60)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_as_many_repairs_as_faults_undo_them(firewalls: Build, wire: Segment, seed: int) -> None:
    """After faults of both links and interfaces in any order and as many repairs, the demotion is what it was
    and the preferred firewall is MASTER of both addresses, undemoted.
    """
    both = firewalls(True)
    sides = (both.outer, both.inner)
    hosts_of = [side.preferred for side in sides]
    random = Random(seed)
    for _ in range(12):
        subject, up = random.choice(hosts_of), random.random() < 0.5
        subject.host.cable(plugged=up)
        wire.watch(random.randrange(20, 2000) * 1_000_000)
    for subject in random.sample(hosts_of, 2):
        subject.host.cable(plugged=True)
        wire.watch(random.randrange(20, 500) * 1_000_000)
    for subject in hosts_of:
        wire.check("the demotion after all repairs", subject.demotion(), 0)
    wire.watch(max(side.group.settled_ns for side in sides))
    for side in sides:
        frames = side.group.advertisers_are({side.preferred.name})[side.preferred.name]
        header = Subject.header(frames[-1])
        wire.check("advskew and byte 4 at the end", (header.advskew, header.demote), (50, 0), frames[-1])


# --- what must not cross


@covers("CARP-RX-025")
@needs("second_interface")
@takes(10)
def test_advertisement_on_another_interface_has_no_effect(
    backup: Subject, inner: Leg, tester: Tester, wire: Segment
) -> None:
    """A valid stream on the other interface of the host, where it listens for another vhid, does not hold a
    BACKUP; on its own it does.
    """
    inner.start(vhid=20, password=INNER_KEY)
    tester.send(backup.better())
    window = backup.master_down_window()
    with inner.tester.advertising(backup.better(source=inner.tester.address)):
        wire.expect(backup.becomes_master(), within=window)
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@covers("CARP-RX-025")
@needs("second_interface")
@takes(10)
def test_master_does_not_yield_to_another_interface(master: Subject, inner: Leg, tester: Tester) -> None:
    """A better advertisement on the other interface of its host, where it listens for another vhid, moves no
    MASTER; on its own it does.
    """
    inner.start(vhid=20, password=INNER_KEY)
    with inner.tester.advertising(master.better(source=inner.tester.address)) as first:
        master.stays_master(first)
    master.expect_yields(tester.send(master.better()))


@covers("CARP-MULTI-005")
@needs("second_interface")
@takes(12)
@pytest.mark.parametrize("loser", ["outer", "inner"])
def test_one_vhid_on_two_interfaces_is_two_virtual_hosts(
    start: Start, inner: Leg, tester: Tester, wire: Segment, loser: str
) -> None:
    """One vhid number on two interfaces: one yields to a better peer on its segment, the other goes on."""
    one, two = start(vhid=7), inner.start(vhid=7, password=INNER_KEY)
    one.reach_master()
    two.reach_master()
    yields, stays, peer = (one, two, tester) if loser == "outer" else (two, one, inner.tester)
    with peer.advertising(yields.better()) as first:
        yields.expect_yields(first)
        stays.stays_master(first)


@covers("CARP-MULTI-005")
@needs("second_interface")
@takes(10)
def test_stream_holds_one_of_two(start: Start, inner: Leg, tester: Tester, wire: Segment) -> None:
    """One vhid number on two interfaces: a stream on one of them holds the BACKUP there, and not the other one."""
    held, free = start(vhid=7), inner.start(vhid=7, password=INNER_KEY)
    inner.tester.send(free.better(source=inner.tester.address))
    with tester.advertising(held.better()):
        free.segment.expect(free.becomes_master(), within=free.master_down_window())
        held.stays_silent(held.interval_ns)
    wire.watch(SETTLE_NS)
    wire.expect(held.becomes_master(), within=held.master_down_window())


@covers("CARP-MULTI-005")
@needs("second_interface", "group_failover", "link")
@takes(8)
def test_lost_link_stops_one_of_two(start: Start, inner: Leg, wire: Segment) -> None:
    """One vhid number on two interfaces: a lost link stops the one on it and not the other."""
    one, two = start(vhid=7), inner.start(vhid=7)
    one.reach_master()
    two.reach_master()
    one.host.cable(plugged=False)
    before = len(list(one.own_frames()))
    two.next_own(3)
    wire.check("advertisements on the lost link", len(list(one.own_frames())) - before, 0)
    wire.check("the other one", "advertising" if two.next_own() else "silent", "advertising")
