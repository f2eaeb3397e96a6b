"""The monitors over the trace of a case: the hosts of the IUT are judged, the tester's forgeries are not."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from conformance.judge.invariants import Given, Observed, Side, observe
from conformance.judge.lane import Witness
from conformance.segment.trace import HostEvent, HostKind, TesterAction, Trace
from conformance.wire.frame import ALL_NODES, ALL_NODES_MAC, NeighbourMessage, ethernet, neighbour
from tests.judge.making import MAC_A, MS, SECOND, START, VIP, Member

A = Member(counter=1 << 40)
B = Member(source="192.0.2.12", advskew=100, counter=1 << 41)
TESTER = Member(source="192.0.2.254", counter=1 << 42)
HOSTS = {ip_address("192.0.2.11"): "a", ip_address("192.0.2.12"): "b"}
GIVEN = Given(1, "secret", (ip_address(VIP),))
CALM = Witness()
FORGED = replace(TESTER, password="guess", ttl=3, source_mac=MAC_A)


def watched(*parts, sent=(), notes=(), given=(GIVEN,), witness=CALM, dialect="freebsd-13") -> Observed:
    """What the monitors make of these frames of the hosts, of those that the tester ``sent``, and of what it did at these times."""
    events = [(at, data, False) for part in parts for at, data in part]
    events += [(at, data, True) for at, data in sent] + [(at, None, False) for at in notes]
    trace = Trace()
    for at, data, by_tester in sorted(events, key=lambda one: one[0]):
        if data is None:
            trace.add(TesterAction(START + at, "does something"))
        else:
            trace.add_frame(START + at, data, sent=by_tester)
    return observe(trace.events, [Side(HOSTS, given)], dialect, witness)


def broken(observed):
    return [(one.requirement, one.host) for one in observed.breaches]


def told(member, at=0.001):
    return [member.announcement(at)]


def test_a_healthy_host_keeps_what_is_seen_of_it():
    seen = watched(A.run(0, 6), told(A))
    assert seen.breaches == ()
    assert {"CARP-WIRE-004", "CARP-AUTH-001", "CARP-ARP-001", "CARP-TIMER-001"} <= seen.held


@pytest.mark.parametrize("times", [3, 40])
def test_what_the_tester_forges_is_held_against_nobody(times):
    forged = [(at * SECOND // 20, FORGED.frame(at)) for at in range(times)]
    seen = watched(A.run(0, 6), told(A), sent=forged)
    assert seen.breaches == ()
    assert "CARP-WIRE-004" in seen.held


@pytest.mark.parametrize(
    ("member", "requirement"),
    [
        (replace(A, ttl=254), "CARP-WIRE-004"),
        (replace(A, source_mac=MAC_A), "CARP-WIRE-016"),
        (replace(A, demote=1), "CARP-WIRE-012"),
    ],
)
def test_a_fault_of_the_host_is_found_and_cited(member, requirement):
    (breach,) = watched(member.run(0, 3), told(A)).breaches
    assert (breach.requirement, breach.monitor, breach.host) == (requirement, "wire-format", "a")
    assert breach.frames == (1, 3, 4)
    assert requirement not in watched(member.run(0, 3), told(A)).held


def test_only_what_binds_the_dialect_is_a_breach():
    assert broken(watched(replace(A, demote=1, step=0).run(0, 6), told(A), dialect="openbsd")) == []


def test_a_digest_that_fits_nothing_that_was_given():
    odd = replace(A, password="untold")
    mixed = [*A.run(0, 3), *odd.run(3.003, 2, first=3)]
    assert broken(watched(mixed, told(A))) == [("CARP-AUTH-001", "a")]
    assert watched(mixed, told(A), given=(GIVEN, replace(GIVEN, password="untold"))).breaches == ()


def test_the_digest_of_a_lone_host_is_checked_too():
    assert broken(watched(replace(A, password="untold").run(0, 3), told(A))) == [("CARP-AUTH-001", "a")]


class TestSpacings:
    HASTY = [(at * 300 * MS, A.frame(at)) for at in range(8)]

    def test_half_an_interval_is_a_breach(self):
        assert broken(watched(self.HASTY, told(A))) == [("CARP-TIMER-001", "a")]

    def test_but_not_where_the_tester_did_something_in_between(self):
        assert watched(self.HASTY, told(A), notes=[at - MS for at, _ in self.HASTY]).breaches == ()
        forged = [(at - MS, FORGED.frame()) for at, _ in self.HASTY]
        assert watched(self.HASTY, told(A), sent=forged).breaches == ()

    def test_and_not_where_the_rig_was_noisier_than_the_miss(self):
        slow = [(at * 1_200 * MS, A.frame(at)) for at in range(8)]
        assert broken(watched(slow, told(A))) == [("CARP-TIMER-001", "a")]
        assert watched(slow, told(A), witness=Witness(noise_ns=200 * MS)).breaches == ()


class TestAnnouncements:
    def test_the_first_master_of_a_case_owes_one(self):
        assert broken(watched(A.run(0, 6))) == [("CARP-ARP-001", "a")]

    def test_a_capture_that_lost_frames_cannot_tell(self):
        assert watched(A.run(0, 6), witness=Witness(lossy=True)).breaches == ()

    def test_one_that_was_only_late_owes_none(self):
        late = [*A.run(0, 3), *A.run(4.5, 3, first=3)]
        assert watched(late, told(A)).breaches == ()

    def test_the_repeat_of_the_former_master_is_no_early_one_of_the_next(self):
        """OpenBSD announces again with its third advertisement, which may be what provokes the preemption."""
        before, after = B.run(0, 3), replace(A, counter=1 << 43).run(2.7832, 4)
        repeat = [B.announcement(2.78313)]
        assert watched(before, told(B), repeat, after, [A.announcement(2.7834)]).breaches == ()


class TestCluster:
    def test_two_masters_that_nobody_disturbed(self):
        seen = watched(A.run(0, 24), told(A), B.run(0.5, 17), [B.announcement(0.501)])
        assert ("CARP-ELECT-028", "b") in broken(seen)

    def test_but_not_after_the_tester_did_something(self):
        seen = watched(A.run(0, 24), told(A), B.run(0.5, 17), [B.announcement(0.501)], notes=[1])
        assert broken(seen) == []

    def test_nor_where_they_cannot_believe_each_other(self):
        other = replace(B, password="other")
        given = (GIVEN, replace(GIVEN, password="other"))
        frames = (A.run(0, 24), told(A), other.run(0.5, 17), [other.announcement(0.501)])
        assert broken(watched(*frames, given=given)) == []


def test_each_segment_is_judged_by_itself():
    inner = Member(source="198.51.100.11", addresses=("198.51.100.1",), ttl=9)
    trace = Trace()
    for at, data in sorted(
        [*A.run(0, 3), *inner.run(0.4, 3), A.announcement(0.001), inner.announcement(0.401, "198.51.100.1")]
    ):
        trace.add_frame(START + at, data)
    sides = [
        Side(HOSTS, (GIVEN,)),
        Side({ip_address("198.51.100.11"): "a-inner"}, (Given(1, "secret", (ip_address("198.51.100.1"),)),)),
    ]
    assert broken(observe(trace.events, sides, "freebsd-13", Witness())) == [("CARP-WIRE-004", "a-inner")]


def test_two_masters_that_cannot_believe_each_other_settle_on_nobody():
    """What the other one hashes is not known: that they stand side by side breaks nothing."""
    seen = watched(A.run(0, 24), told(A), replace(B, password="unknown").run(3, 16))
    assert "CARP-ELECT-028" not in [one.requirement for one in seen.breaches]


def test_frames_of_others_are_left_out():
    """A stranger's advertisement, a frame without an address, a neighbour advertisement of somebody, a line of a log."""
    stranger = replace(B, source="192.0.2.77", ttl=9).run(0.5, 4)
    link = [(SECOND // 2, ethernet(b"\xff" * 6, MAC_A, 0x88CC, b"hello"))]
    target, source = ip_address("2001:db8::7"), ip_address("fe80::77")
    found = neighbour(
        NeighbourMessage.ADVERTISEMENT,
        target,
        MAC_A,
        source=source,
        destination=ALL_NODES,
        source_mac=MAC_A,
        destination_mac=ALL_NODES_MAC,
        flags=0x20,
    )
    seen = watched(A.run(0, 6), told(A), stranger, link, [(SECOND // 3, found)])
    assert seen.breaches == ()
    trace = Trace()
    trace.add_frame(START, A.frame(), sent=False)
    trace.add(HostEvent(START + 1, "a", next(iter(HostKind)), "carp: something"))
    assert observe(trace.events, [Side(HOSTS, (GIVEN,))], "freebsd-13", CALM).breaches == ()
