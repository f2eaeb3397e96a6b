"""Several IUTs of one virtual host: who advertises, when they must have settled, how long two were MASTER."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from types import SimpleNamespace

import pytest

from conformance.segment.decision import Inconclusive, Mismatch
from conformance.segment.loop import Loop, VirtualClock
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Trace
from conformance.targets.protocol import Settings
from conformance.targets.subject import Subject
from conformance.targets.subject.group import Group
from conformance.targets.ucarp.profile import PROFILE
from conformance.wire.advertisement import Advertisement

SECOND = 1_000_000_000
SHARED = (IPv4Address("192.0.2.100"),)


@dataclass
class Host:
    name: str
    addresses: tuple[IPv4Address, ...]
    mac: bytes = bytes(6)


class Port:
    def send(self, frame: bytes) -> None:
        raise AssertionError("a group only listens")

    def dropped(self) -> int:
        return 0


@pytest.fixture
def segment():
    return Segment(Loop(VirtualClock()), Trace(), Port())


@pytest.fixture
def pair(segment):
    """Two members: a (1,0) and b (1,128)."""

    def member(name: str, last: int, advskew: int) -> Subject:
        settings = Settings(password="x", addresses=SHARED, advskew=advskew)
        host = Host(name, (IPv4Address(f"192.0.2.{last}"),))
        return Subject(
            None, host, settings, PROFILE, segment, Tester(segment, IPv4Address("192.0.2.254"), bytes(6))
        )

    return member("a", 1, 0), member("b", 2, 128)


def advertises(subject: Subject, *at_ns: int) -> None:
    """Lets ``subject`` advertise at these times from now."""
    ad = Advertisement(
        vhid=1, source=subject.host.addresses[0], secret=subject.secret, advskew=subject.settings.advskew
    )
    now_ns = subject.segment.now_ns()
    for when_ns in at_ns:
        subject.segment.loop.at(
            now_ns + when_ns,
            lambda when_ns=when_ns: subject.segment.trace.add_frame(now_ns + when_ns, ad.frame()),
        )


def test_settling_time_is_made_of_the_slowest(segment, pair):
    group = Group(segment, pair)
    assert group.interval_ns == 1_500_000_000
    assert group.settled_ns == max(pair[1].take_over_bounds_ns[1], pair[1].start_bounds_ns[1]) + 3 * SECOND


def test_one_master_after_the_settling_time(segment, pair):
    group = Group(segment, pair)
    advertises(pair[1], 4 * SECOND)
    advertises(pair[0], *(second * SECOND for second in range(3, 20)))
    found = group.settles_on(pair[0], after_ns=segment.now_ns())
    assert (len(found["a"]) >= 3, found["b"]) == (True, [])


def test_any_member_will_do(segment, pair):
    advertises(pair[1], *(second * SECOND for second in range(3, 20)))
    assert Group(segment, pair).settles_on(after_ns=segment.now_ns())["b"]


def test_two_masters_are_a_mismatch(segment, pair):
    for subject in pair:
        advertises(subject, *(second * SECOND + 7 for second in range(3, 20)))
    with pytest.raises(Mismatch, match="who advertises vhid 1 for 2 intervals is a and b"):
        Group(segment, pair).settles_on(after_ns=segment.now_ns())


def test_no_master_is_a_mismatch(segment, pair):
    with pytest.raises(Mismatch, match="is nobody"):
        Group(segment, pair).settles_on(after_ns=segment.now_ns())


def test_the_wrong_master_is_a_mismatch(segment, pair):
    advertises(pair[1], *(second * SECOND for second in range(3, 20)))
    with pytest.raises(Mismatch, match=r"is a\n.*is b"):
        Group(segment, pair).settles_on(pair[0], after_ns=segment.now_ns())


def stall(segment, for_ns: int) -> None:
    """The IUTs waited for a CPU for so long from now on."""
    began_ns = segment.now_ns()
    segment.stalled_ns = lambda: for_ns if segment.now_ns() > began_ns else 0
    segment._sample()


LEAD = SECOND // 2  # of (1,0) over (1,128)


def test_the_wrong_master_decides_nothing_where_the_rig_was_noisier_than_the_lead(segment, pair):
    a, b = pair
    group = Group(segment, pair)
    stall(segment, LEAD // 2)
    advertises(b, group.settled_ns + SECOND, group.settled_ns + 2 * SECOND)
    with pytest.raises(Inconclusive, match=r"a, by a lead of 0.5"):
        group.settles_on(a, after_ns=segment.now_ns())


def test_the_wrong_master_is_a_mismatch_where_the_lead_was_longer_than_the_noise(segment, pair):
    a, b = pair
    group = Group(segment, pair)
    stall(segment, LEAD // 2 - 1_000_000)
    advertises(b, group.settled_ns + SECOND, group.settled_ns + 2 * SECOND)
    with pytest.raises(Mismatch):
        group.settles_on(a, after_ns=segment.now_ns())


def test_two_masters_are_a_mismatch_on_any_rig(segment, pair):
    a, _ = pair
    group = Group(segment, pair)
    stall(segment, 10 * LEAD)
    for one in pair:
        advertises(one, group.settled_ns + SECOND, group.settled_ns + 2 * SECOND)
    with pytest.raises(Mismatch):
        group.settles_on(a, after_ns=segment.now_ns())


@pytest.mark.parametrize(("after_ns", "error"), [(LEAD, Inconclusive), (LEAD - 2_000_000, Mismatch)])
def test_node_that_started_later_than_its_lead_decides_nothing(segment, pair, after_ns, error):
    """The rig took that long to start the faster one after the slower one."""
    a, b = pair
    b.iut = SimpleNamespace(started_ns=segment.now_ns())
    a.iut = SimpleNamespace(started_ns=segment.now_ns() + after_ns)
    group = Group(segment, pair)
    advertises(b, group.settled_ns + SECOND, group.settled_ns + 2 * SECOND)
    with pytest.raises(error):
        group.settles_on(a, after_ns=segment.now_ns(), together=True)


def test_silence_can_be_expected(segment, pair):
    Group(segment, pair).advertisers_are(set())


@pytest.mark.parametrize(("last_of_a", "overlap"), [(3 * SECOND, SECOND), (SECOND, -SECOND)])
def test_overlap_is_from_the_first_of_the_new_to_the_last_of_the_former(segment, pair, last_of_a, overlap):
    advertises(pair[0], 0, last_of_a)
    advertises(pair[1], 2 * SECOND, 4 * SECOND)
    segment.watch(5 * SECOND)
    found_ns, first, last = Group(segment, pair).overlap_ns(pair[0], pair[1])
    assert (found_ns, first.time_ns - last.time_ns) == (overlap, -overlap)


@pytest.mark.parametrize("silent", ["a", "b"])
def test_overlap_needs_both(segment, pair, silent):
    advertises(pair[1] if silent == "a" else pair[0], 0)
    segment.watch(SECOND)
    with pytest.raises(Mismatch, match=f"{silent} never did"):
        Group(segment, pair).overlap_ns(pair[0], pair[1])


def test_group_shows_its_members(segment, pair):
    assert str(Group(segment, pair)) == "a 1/0 every 1.000 s, b 1/128 every 1.500 s"
