"""Whatever mix of dialects and whatever faults: once all is mended, one host is MASTER, within the time that the
dialects' own rules promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conformance.model.actions import Count, State
from conformance.model.dialects import dialect
from conformance.model.hazards import hazards_of
from conformance.model.rows import KEYS, LEGACY_6, UCARP
from conformance.model.transitions import FREEBSD, Effect, Input, Transition
from conformance.segment.simulated import Weather
from tests.model.mixing import (
    MS,
    PAYLOAD,
    SECOND,
    SHARED,
    SHARED6,
    Node,
    Village,
    convergence_ns,
    mix_of,
    slowest_take_over_ns,
)

BUDGET = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""The same examples in every run: CI says the same thing twice. Look for new ones with another ``max_examples``."""
ADDRESSES = {
    "one": (SHARED,),
    "two": (ip_address("192.0.2.101"), SHARED),
    "both families": (SHARED, SHARED6),
    "IPv6": (SHARED6, ip_address("2001:db8::101")),
}
CLEAR = (
    Weather(),
    Weather(latency_ns=2 * MS),
    Weather(jitter_ns=3 * MS),
    Weather(latency_ns=5 * MS, jitter_ns=10 * MS, duplication=0.2),
)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that befalls a segment, and how long it is then left alone."""

    kind: str
    one: int = 0
    other: int = 1
    amount: int = 1
    rest_ms: int = 1000


def befall(village: Village, step: Step) -> None:
    """Carries one step out; hosts are counted modulo how many there are."""
    names = list(village.stations)
    one, other = names[step.one % len(names)], names[step.other % len(names)]
    match step.kind:
        case "start":
            village.at(one).start()
        case "stop":
            village.at(one).stop()
        case "kill":
            village.at(one).kill()
        case "pull" | "plug":
            village.at(one).cable(plugged=step.kind == "plug")
        case "demote":
            village.at(one).demote(step.amount)
        case "part":
            left = [name for number, name in enumerate(names) if step.amount >> number & 1]
            village.part(left, [name for name in names if name not in left], parted=True)
        case "deafen" if one != other:
            village.part([one], [other], parted=True, both_ways=False)
        case "storm":
            share = step.amount / 255
            village.weather(Weather(jitter_ns=20 * MS, loss=share / 2, duplication=share / 4))
        case "lose all":
            village.weather(Weather(loss=1.0))
        case "calm":
            village.weather(village.clear)
    village.wait(step.rest_ms * MS)


KINDS = ("start", "stop", "kill", "pull", "plug", "demote", "part", "deafen", "storm", "lose all", "calm")
steps = st.builds(
    Step,
    kind=st.sampled_from(KINDS),
    one=st.integers(0, 7),
    other=st.integers(0, 7),
    amount=st.integers(1, 255),
    rest_ms=st.sampled_from((0, 1, 20, 300, 1000, 1700, 3500, 6000)),
)


def intervals(key: str) -> st.SearchStrategy[tuple[int, int]]:
    """Advbase and advskew that a dialect takes; with advbase 0 only long ones, which cost less to simulate."""
    base, skew = dialect(key).advbase_limits, dialect(key).advskew_limits
    usual = st.tuples(st.integers(1, 3), st.integers(skew.least, skew.most))
    return usual if base.least > 0 else usual | st.tuples(st.just(0), st.integers(128, skew.most))


@st.composite
def mixes(draw: st.DrawFn, *, hazards: bool = False) -> tuple[Node, ...]:
    """Two to eight hosts of any dialects and parameters; without a known hazard unless those are wanted."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=2, max_size=8))
    kinds = ("one",) if UCARP in keys else tuple(ADDRESSES)
    shared = ADDRESSES[draw(st.sampled_from(kinds))]
    orders = st.just(shared) if LEGACY_6 in keys else st.permutations(shared).map(tuple)
    if LEGACY_6 in keys and set(keys) != {LEGACY_6}:
        orders = st.just(tuple(sorted(shared, key=lambda one: (one.version, one))))
    nodes = tuple(
        Node(
            key,
            *draw(intervals(key)),
            preempt=draw(st.booleans()),
            addresses=draw(orders),
            dead_ratio=draw(st.integers(1, 5)) if key == UCARP else 3,
        )
        for key in keys
    )
    assume(hazards or not hazards_of(mix_of(nodes)))
    return nodes


def lived(nodes: Sequence[Node], clear: Weather, seed: int, schedule: Sequence[Step]) -> tuple[Village, int]:
    """A village after its faults, mended; and when that was."""
    village = Village(nodes, seed, clear=clear)
    village.start_all(37 * MS)
    for step in schedule:
        befall(village, step)
    village.heal()
    return village, village.now_ns()


def check_nobody_ever_misbehaved(village: Village) -> None:
    """What holds at all times, faults or not."""
    assert village.violations() == []
    assert village.faulty_adverts() == []
    assert all(found == (0, {}) for found in village.demotions().values()), village.demotions()


def check_no_gap(village: Village, allowed_ns: int) -> None:
    """Where somebody waits to be MASTER, somebody is within ``allowed_ns`` of the last one's end, or of the last
    fault.
    """
    for begin_ns, end_ns, masters, waits in village.spans():
        if waits and not masters:
            edges = [begin_ns, *(t for t in village.disturbed_ns if begin_ns <= t < end_ns), end_ns]
            longest_ns = max(later - earlier for earlier, later in pairwise(edges))
            assert longest_ns <= allowed_ns, f"nobody was MASTER for {longest_ns / SECOND:.3f} s"


def check_one_master(village: Village, since_ns: int) -> None:
    """From ``since_ns`` until now the same host was MASTER, and no other."""
    reigns = village.reigns(since_ns)
    assert len(reigns) == 1, f"mastership changed after it should have settled: {reigns}"
    assert len(reigns[0]) == 1, f"MASTER: {', '.join(reigns[0]) or 'nobody'}"


def check_service(village: Village) -> None:
    """One host answers for the shared IPv4 address, and what is sent to it comes back once."""
    shared = village.stations["a"].node.addresses
    if SHARED not in shared:
        return
    answers = village.arp_answers()
    assert len(answers) == 1
    assert village.echoes(answers[0]) == [PAYLOAD]


class TestAnyMix:
    @BUDGET
    @given(
        nodes=mixes(),
        clear=st.sampled_from(CLEAR),
        seed=st.integers(0, 2**32),
        schedule=st.lists(steps, max_size=8),
    )
    def test_faults_that_heal_leave_one_master(
        self, nodes: tuple[Node, ...], clear: Weather, seed: int, schedule: list[Step]
    ) -> None:
        """Within the convergence bound of the last fault one host is MASTER, the same for as long as one looks;
        it serves; nobody misbehaved on the way.
        """
        village, mended_ns = lived(nodes, clear, seed, schedule)
        link_lost = any(step.kind == "pull" for step in schedule)
        settled_ns = mended_ns + convergence_ns(nodes, link_lost=link_lost)
        village.wait(settled_ns - mended_ns)
        village.switch.weather = Weather()
        village.wait(2 * slowest_take_over_ns(nodes))
        check_service(village)
        check_one_master(village, settled_ns)
        check_no_gap(village, slowest_take_over_ns(nodes) + 50 * MS)
        check_nobody_ever_misbehaved(village)

    @BUDGET
    @given(
        nodes=mixes(hazards=True),
        clear=st.sampled_from(CLEAR),
        seed=st.integers(0, 2**32),
        schedule=st.lists(steps, max_size=8),
    )
    def test_hazards_break_no_rule_that_one_host_keeps_alone(
        self, nodes: tuple[Node, ...], clear: Weather, seed: int, schedule: list[Step]
    ) -> None:
        """Equal timers, races, too short down times: advertisements are right, no BACKUP uses the virtual MAC,
        demotions and counters are in order, and no gap is longer than the slowest down time.
        """
        village, _ = lived(nodes, clear, seed, schedule)
        village.wait(convergence_ns(nodes))
        check_no_gap(village, slowest_take_over_ns(nodes) + 50 * MS)
        check_nobody_ever_misbehaved(village)

    @BUDGET
    @given(
        nodes=mixes(),
        clear=st.sampled_from(CLEAR),
        seed=st.integers(0, 2**32),
        left=st.integers(1, 254),
    )
    def test_each_part_of_a_parted_segment_has_one_master_and_together_they_have_one(
        self, nodes: tuple[Node, ...], clear: Weather, seed: int, left: int
    ) -> None:
        """A lasting partition leaves one MASTER on either side; its end leaves one in all."""
        village = Village(nodes, seed, clear=clear)
        village.start_all(53 * MS)
        names = list(village.stations)
        sides = [[name for n, name in enumerate(names) if (left >> n & 1) == side] for side in (0, 1)]
        village.part(*sides, parted=True)
        village.wait(convergence_ns(nodes))
        masters = set(village.masters())
        assert [len(masters & set(side)) for side in sides] == [min(len(side), 1) for side in sides]
        village.part(*sides, parted=False)
        village.wait(convergence_ns(nodes))
        since_ns = village.now_ns()
        village.wait(slowest_take_over_ns(nodes))
        check_one_master(village, since_ns)
        check_nobody_ever_misbehaved(village)


class TestTheChecksCanFail:
    """A rule that is broken in one host makes the check of its kind fail."""

    @staticmethod
    def village(**broken: Any) -> Village:
        """Two FreeBSD 13, of which the second has a rule changed, parted once and healed."""
        village = Village((Node("freebsd-13"), Node("freebsd-13", advskew=100)), 1)
        machine = village.stations["b"].machine
        machine.dialect = replace(machine.dialect, **broken)
        village.start_all(20 * MS)
        village.part("a", "b", parted=True)
        village.at("b").demote(3)
        village.wait(6 * SECOND)
        village.heal()
        village.wait(6 * SECOND)
        return village

    def test_with_nothing_broken_they_pass(self) -> None:
        village = self.village()
        check_one_master(village, village.now_ns() - 2 * SECOND)
        check_no_gap(village, 4 * SECOND)
        check_nobody_ever_misbehaved(village)
        check_service(village)

    def test_two_masters(self) -> None:
        village = self.village(yields=lambda _: False)
        with pytest.raises(AssertionError, match="MASTER: a, b"):
            check_one_master(village, village.now_ns() - 2 * SECOND)
        with pytest.raises(AssertionError):
            check_service(village)

    def test_mastership_that_changes(self) -> None:
        village = self.village()
        with pytest.raises(AssertionError, match="mastership changed"):
            check_one_master(village, village.now_ns() - 8 * SECOND)

    def test_nobody(self) -> None:
        village = self.village(master_down_ns=lambda *_: 20 * SECOND)
        village.at("a").kill()
        village.wait(12 * SECOND)
        with pytest.raises(AssertionError, match="nobody was MASTER"):
            check_no_gap(village, 4 * SECOND)
        with pytest.raises(AssertionError, match="MASTER: nobody"):
            check_one_master(village, village.now_ns() - SECOND)

    def test_the_virtual_mac_of_a_backup(self) -> None:
        step_down = FREEBSD[State.MASTER, Input.BETTER]
        late = Transition(step_down.to, step_down.reason, (*step_down.effects, Effect.ADVERTISE))
        village = self.village(transitions={**FREEBSD, (State.MASTER, Input.BETTER): late})
        assert any("b sends from the virtual MAC as" in said for said in village.violations())

    def test_a_wrong_digest(self) -> None:
        village = self.village(digest=lambda *_: bytes(20))
        assert all(said.endswith(": digest") for said in village.faulty_adverts())
        assert village.faulty_adverts()

    def test_a_demotion_that_stays(self) -> None:
        common = replace(dialect("freebsd-13").common, demotion_adds=False)
        village = self.village(common=common)
        with pytest.raises(AssertionError):
            check_nobody_ever_misbehaved(village)

    def test_a_counter_that_falls(self) -> None:
        village = self.village()
        station = village.stations["a"]
        station.machine._counters["opackets"] -= 1
        station.carry_out([])
        assert village.violations() == ["counters of a fell: opackets"]

    def test_a_counter_that_does_not_move(self) -> None:
        village = self.village()
        village.stations["a"].carry_out([Count("badver")])
        assert village.violations() == ["a counted badver and reads 0"]


def test_the_bound_is_the_dialects_own() -> None:
    nodes = (Node("openbsd", advskew=200), Node("freebsd-legacy"))
    assert slowest_take_over_ns(nodes) == 3 * (SECOND + 781_250_000) + 30 * MS
    assert convergence_ns(nodes) == slowest_take_over_ns(nodes) + 2 * (1_781_250_000 + 30 * MS) + 100 * MS
    sleepy = (Node("ucarp"), Node("openbsd"))
    assert slowest_take_over_ns(sleepy, link_lost=True) - slowest_take_over_ns(sleepy) == 10 * SECOND
