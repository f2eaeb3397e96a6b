"""Each known hazard misbehaves as the table says in a minimal mix, and a mix that differs in just the hazard does
not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest

from conformance.model.config import ConfigurationError
from conformance.model.hazards import KNOWN_HAZARDS, Hazard, Misbehaviour, hazards_of
from conformance.model.mix import Mix
from conformance.segment.simulated import Weather
from tests.model.circumstances import (
    after_a_partition,
    deaf_later,
    demoted_below_zero,
    demoted_later,
    flapping,
    in_jitter,
    nobody,
    not_relieved,
    reflecting,
    the_slower_one,
    together,
    two_masters,
    without_ipv6,
)
from tests.model.mixing import (
    MS,
    SECOND,
    SHARED,
    SHARED6,
    Node,
    Village,
    mix_of,
    slowest_take_over_ns,
)

OTHER = ip_address("192.0.2.101")
LINK_LOCAL = ip_address("fe80::100")
F6, F9, F10, F13, F15 = "freebsd-legacy-6", "freebsd-legacy", "freebsd-10", "freebsd-13", "freebsd-15"
OB, UC = "openbsd", "ucarp"
BOTH = (SHARED, SHARED6)
BY_NAME = {one.name: one for one in KNOWN_HAZARDS}


SHOWS: Mapping[Misbehaviour, Callable[[Village], bool]] = {
    Misbehaviour.TWO_MASTERS: two_masters,
    Misbehaviour.FLAPPING: flapping,
    Misbehaviour.NO_MASTER: nobody,
    Misbehaviour.NOT_RELIEVED: not_relieved,
    Misbehaviour.WRONG_MASTER: the_slower_one,
}


@dataclass(frozen=True, slots=True)
class Minimal:
    """The smallest mix with a hazard, and one that lacks only that; what is done to both."""

    name: str
    bad: tuple[Node, ...]
    good: tuple[Node, ...]
    happens: Callable[[Village], None] = together
    bad_mix: Mapping[str, Any] = field(default_factory=dict)
    good_mix: Mapping[str, Any] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    """What the hazard's table is told of the first host besides."""
    second: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}-{'-'.join(node.key for node in self.bad)}"

    @property
    def hazard(self) -> Hazard:
        return BY_NAME[self.name]

    def mix(self, nodes: tuple[Node, ...], more: Mapping[str, Any]) -> Mix:
        members = (nodes[0].member(1, **self.first), nodes[1].member(2, **self.second))
        return Mix(members, **more)


def pair(a: str, b: str, **both: Any) -> tuple[Node, Node]:
    """A faster and a slower host."""
    return Node(a, **both), Node(b, **({"advskew": 100} | both))


MINIMAL = (
    *(
        Minimal(
            "different-addresses",
            (Node(a), Node(b, advskew=100, addresses=(SHARED, OTHER))),
            (Node(a), Node(b, advskew=100)),
        )
        for a, b in ((F13, F13), (UC, F9), (F15, OB), (UC, OB))
    ),
    Minimal("different-passwords", (Node(F13), Node(UC, advskew=100, password="other")), pair(F13, UC)),
    *(
        Minimal(
            "configured-order",
            (Node(F6, addresses=(OTHER, SHARED)), Node(b, advskew=100, addresses=(OTHER, SHARED))),
            (Node(F6, addresses=(SHARED, OTHER)), Node(b, advskew=100, addresses=(OTHER, SHARED))),
        )
        for b in (F9, F13, OB)
    ),
    Minimal(
        "configured-order",
        (Node(F6, addresses=(OTHER, SHARED)), Node(F6, advskew=100, addresses=(SHARED, OTHER))),
        (Node(F6, addresses=(OTHER, SHARED)), Node(F6, advskew=100, addresses=(OTHER, SHARED))),
    ),
    *(
        Minimal(
            "link-local",
            pair(a, OB, addresses=(SHARED6, LINK_LOCAL)),
            pair(a, OB, addresses=(SHARED6,)),
        )
        for a in (F9, F13, F15)
    ),
    *(
        Minimal(
            "one-family-unheard",
            pair(a, b, addresses=BOTH),
            pair(a, b, addresses=(SHARED,)),
            without_ipv6,
            {"unheard": frozenset({6})},
            {"unheard": frozenset({6})},
        )
        for a, b in ((F9, F9), (F13, F15), (OB, OB))
    ),
    *(
        Minimal(
            "equal-timers-ucarp",
            (Node(bsd, advskew=20), Node(UC, advskew=20)),
            (Node(UC, advskew=20), Node(bsd, advskew=20)),
            happens,
        )
        for bsd, happens in ((F9, after_a_partition), (F13, after_a_partition))
    ),
    *(
        Minimal("equal-timers", (Node(a), Node(a)), (Node(a), Node(a, advskew=1)), after_a_partition)
        for a in (F6, F9, F10, F13, F15, OB)
    ),
    *(
        Minimal(
            "down-time-within-interval",
            (Node(a, 0, skew), Node(a, 0, slower)),
            (Node(a, 1, skew), Node(a, 1, slower)),
            in_jitter,
        )
        for a, skew, slower in ((F9, 100, 101), (F6, 100, 101), (OB, 0, 1), (UC, 50, 100))
    ),
    Minimal(
        "down-time-within-interval",
        (Node(UC, advskew=100, preempt=True), Node(UC, advskew=128, dead_ratio=1)),
        (Node(UC, advskew=100, preempt=True), Node(UC, advskew=128, dead_ratio=2)),
    ),
    *(
        Minimal(
            "demote-byte",
            (Node(OB, preempt=True), Node(b, advskew=100, preempt=True)),
            (Node(OB, preempt=True), Node(OB, advskew=100, preempt=True)),
            demoted_later,
            first={"demotion": 10},
        )
        for b in (F9, F13, UC)
    ),
    *(
        Minimal(
            "skew-above-240",
            (Node(a, advskew=250, preempt=True), Node(OB, advskew=245, preempt=True)),
            (Node(a, advskew=240, preempt=True), Node(OB, advskew=235, preempt=True)),
        )
        for a in (F10, F13, F15)
    ),
    Minimal(
        "negative-skew",
        (Node(F10), Node(F10, advskew=100)),
        (Node(F13), Node(F13, advskew=100)),
        demoted_below_zero,
        first={"demotion": -10},
    ),
    *(
        Minimal("allow-0", pair(F13, b), pair(F13, F13), deaf_later, second={"allow": False})
        for b in (F6, F9, F10, OB)
    ),
    Minimal(
        "unicast-on-one-side",
        (Node(OB, peer="192.0.2.2"), Node(OB, advskew=100)),
        (Node(OB, peer="192.0.2.2"), Node(OB, advskew=100, peer="192.0.2.1")),
    ),
    *(
        Minimal("reflected", pair(a, OB), pair(OB, OB), reflecting, {"reflects": True}, {"reflects": True})
        for a in (F9, F13, F15)
    ),
)


@pytest.mark.parametrize("minimal", MINIMAL, ids=str)
class TestMinimal:
    def test_the_table_knows_it(self, minimal: Minimal) -> None:
        assert minimal.name in [one.name for one in hazards_of(minimal.mix(minimal.bad, minimal.bad_mix))]

    def test_it_misbehaves_as_expected(self, minimal: Minimal) -> None:
        village = Village(minimal.bad, 3)
        minimal.happens(village)
        assert SHOWS[minimal.hazard.expected](village)

    def test_without_the_hazard_the_table_is_silent(self, minimal: Minimal) -> None:
        assert hazards_of(minimal.mix(minimal.good, minimal.good_mix)) == ()

    def test_without_the_hazard_it_does_not(self, minimal: Minimal) -> None:
        village = Village(minimal.good, 3)
        minimal.happens(village)
        assert not SHOWS[minimal.hazard.expected](village)
        assert village.violations() == []


class TestRace:
    """A MASTER whose interval is the down time of its BACKUP."""

    @staticmethod
    def outcomes(master: Node, backup: Node) -> set[tuple[str, ...]]:
        found = set()
        for seed in range(12):
            village = Village([master, backup], seed, clear=Weather(jitter_ns=5 * MS))
            village.at("a").start()
            village.wait(slowest_take_over_ns([master]) + 100 * MS)
            village.at("b").start()
            village.wait(10 * SECOND)
            found.add(village.masters())
        return found

    @pytest.mark.parametrize("key", [F9, F13, OB])
    def test_who_is_master_is_luck(self, key: str) -> None:
        mix = mix_of([Node(key, 3), Node(key, 1)])
        assert "interval-near-down-time" in [one.name for one in hazards_of(mix)]
        assert self.outcomes(*(Node(key, base) for base in (3, 1))) == {("a",), ("b",)}

    @pytest.mark.parametrize("key", [F9, F13, OB])
    @pytest.mark.parametrize(("advbase", "master"), [(2, "a"), (4, "b")])
    def test_a_shorter_interval_holds_and_a_longer_one_does_not(
        self, key: str, advbase: int, master: str
    ) -> None:
        assert hazards_of(mix_of([Node(key, advbase), Node(key, 1)])) == ()
        assert self.outcomes(Node(key, advbase), Node(key, 1)) == {(master,)}


class TestRefused:
    @pytest.mark.parametrize(("length", "refused"), [(19, False), (20, True)])
    def test_ucarp_does_not_start_where_the_others_do(self, length: int, refused: bool) -> None:
        nodes = pair(F13, UC, password="p" * length)
        assert ("password-too-long" in [one.name for one in hazards_of(mix_of(nodes))]) is refused
        village = Village(nodes, 1)
        village.at("a").start()
        if refused:
            with pytest.raises(ConfigurationError, match="password is too long"):
                village.at("b").start()
        else:
            village.at("b").start()
            village.wait(6 * SECOND)
            assert village.masters() == ("a",)

    def test_the_first_19_characters_are_the_key(self) -> None:
        nodes = (Node(F13, password="p" * 19 + "one"), Node(OB, advskew=100, password="p" * 19 + "other"))
        assert hazards_of(mix_of(nodes)) == ()
        village = Village(nodes, 1)
        together(village)
        assert village.masters() == ("a",)


class TestLivelock:
    """What was found by the property, kept as cases."""

    @pytest.mark.parametrize("key", [F6, F9, F10, F13, F15, OB])
    def test_equal_hosts_that_step_down_together_do_it_again(self, key: str) -> None:
        """Exact timers never drift apart: the same pair that yields once yields for ever."""
        village = Village([Node(key), Node(key)], 1)
        village.start_all()
        village.wait(60 * SECOND)
        gaps = [span for span in village.spans() if not span[2] and span[3]]
        assert len(gaps) > 8

    def test_jitter_of_the_network_ends_it(self) -> None:
        village = Village([Node(F13), Node(F13)], 1, clear=Weather(jitter_ns=2 * MS))
        village.start_all()
        village.wait(60 * SECOND)
        since_ns = village.now_ns()
        village.wait(30 * SECOND)
        assert [len(masters) for masters in village.reigns(since_ns)] == [1]


def test_every_hazard_is_shown() -> None:
    shown = {one.name for one in MINIMAL} | {"interval-near-down-time", "password-too-long"}
    assert shown == set(BY_NAME)


def test_names_are_unique_and_the_words_are_there() -> None:
    assert len(BY_NAME) == len(KNOWN_HAZARDS)
    for one in KNOWN_HAZARDS:
        assert one.what.endswith(".")
        assert one.source.startswith(("measured", "recorded capture", "read in source", "found by"))


def test_every_misbehaviour_is_expected_of_something() -> None:
    assert {one.expected for one in KNOWN_HAZARDS} == set(Misbehaviour)


def test_a_plain_pair_has_none() -> None:
    assert hazards_of(mix_of(pair(F13, OB))) == ()


def test_a_member_knows_what_it_compares_with() -> None:
    member = Node(F13, 2, 250).member(1, demotion=3)
    assert (member.advskew, member.interval_ns, member.master_down_ns) == (240, 2_937_500_000, 6_976_562_000)
