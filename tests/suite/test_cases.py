"""From items to cases: names, selection, applicability, order."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogue import Level, load
from conformance.suite.cases import (
    DEFAULT_SECONDS,
    BadCase,
    Case,
    applicability,
    arrange,
    identify,
    is_selected,
)
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.protocol import Profile
from conformance.targets.ucarp.profile import PROFILE

CATALOGUE = load()
RX = next(r.id for r in CATALOGUE if r.id.startswith("CARP-RX-"))
AUTH = next(r.id for r in CATALOGUE if r.id.startswith("CARP-AUTH-"))


class Item:
    """As much of a pytest item as a case is made from."""

    def __init__(self, *marks, name="test_it_works", doc="Title of the case.\n\nMore."):
        self.marks, self.name, self.nodeid = [m.mark for m in marks], name, f"test_rx.py::{name}"
        self.path = Path("/x/conformance/suite/test_rx.py")

        def function():
            pass

        function.__code__ = function.__code__.replace(co_firstlineno=42)
        function.__doc__ = doc
        self.function = function

    def iter_markers(self, name):
        return (mark for mark in self.marks if mark.name == name)

    def get_closest_marker(self, name):
        return next(self.iter_markers(name), None)


class TestIdentify:
    def test_what_it_says_of_itself(self):
        case = identify(
            Item(
                covers(RX, AUTH),
                covers(RX),
                needs("log", "log"),
                hosts(2),
                takes(9.5),
                name="test_it_works[ttl-1]",
            ),
            CATALOGUE,
        )
        assert case.id == f"{RX.removeprefix('CARP-')}.it_works[ttl-1]"
        assert (case.group, case.title, case.requirements, case.needs, case.hosts, case.seconds) == (
            "RX",
            "Title of the case.",
            (RX, AUTH),
            ("log",),
            2,
            9.5,
        )
        assert case.source == "conformance/suite/test_rx.py:42"

    def test_what_it_need_not_say(self):
        case = identify(Item(covers(RX)), CATALOGUE)
        assert (case.needs, case.hosts, case.seconds, case.raised, case.duration_s) == (
            (),
            1,
            DEFAULT_SECONDS,
            None,
            0.0,
        )

    def test_a_title_of_two_lines_is_one(self):
        assert identify(Item(covers(RX), doc="One\n    two.\n\n    Rest."), CATALOGUE).title == "One two."

    @pytest.mark.parametrize(
        ("item", "says"),
        [
            (Item(), r"test_rx.py::test_it_works covers no requirement"),
            (Item(covers("CARP-RX-999")), "covers CARP-RX-999, which the catalogue does not have"),
            (Item(covers(RX), needs("magic")), "needs magic, which is not in CAPABILITIES"),
            (Item(covers(RX), doc=None), "has no docstring"),
        ],
    )
    def test_a_case_that_says_it_wrongly(self, item, says):
        with pytest.raises(BadCase, match=says):
            identify(item, CATALOGUE)

    def test_a_case_that_is_no_function(self):
        item = Item(covers(RX))
        del item.function
        with pytest.raises(BadCase, match="no docstring"):
            identify(item, CATALOGUE)


def case(**changes):
    return Case(
        **(
            {
                "id": "RX-002.it[a]",
                "group": "RX",
                "title": "",
                "requirements": (RX, AUTH),
                "needs": (),
                "hosts": 1,
                "seconds": 1.0,
                "nodeid": "",
                "source": "",
            }
            | changes
        )
    )


class TestSelection:
    @pytest.mark.parametrize(
        "prefix", ["RX", "rx-002", "CARP-RX-002", "RX-002.it", "rx-002.IT[A]", "AUTH", AUTH, AUTH.lower()]
    )
    def test_selected(self, prefix):
        assert is_selected(case(), [prefix])
        assert is_selected(case(), iter(["NOPE", prefix]))

    @pytest.mark.parametrize("prefix", ["TX", "RX-003.it[a]", "X-002", "RX-002.it[a]b"])
    def test_not_selected(self, prefix):
        assert not is_selected(case(), [prefix])

    def test_nothing_selects_all(self):
        assert is_selected(case(), [])


def profile(**changes):
    given_ones = {name: getattr(PROFILE, name) for name in ("name", "dialect", "rung", "origin", "pics")}
    return Profile(**(given_ones | changes))


class TestApplicability:
    def test_it_applies(self):
        assert applicability(case(needs=("log",)), profile(pics={"log": True}), CATALOGUE) is None

    @pytest.mark.parametrize("pics", [{}, {"log": False}])
    def test_a_capability_is_lacking(self, pics):
        assert (
            applicability(case(needs=("log", "link")), profile(pics=pics | {"link": True}), CATALOGUE)
            == "ucarp does not have: log lines can be read"
        )

    def test_too_few_hosts(self):
        assert applicability(case(hosts=3), profile(max_hosts=2), CATALOGUE) == "needs 3 hosts, ucarp has 2"

    def test_a_may_binds_only_those_whom_it_holds_for(self):
        foreign = next(r for r in CATALOGUE if r.level is Level.MAY and "ucarp" not in r.holds_for)
        own = next(r for r in CATALOGUE if r.level is Level.MAY and "ucarp" in r.holds_for)
        reason = applicability(case(requirements=(foreign.id,)), PROFILE, CATALOGUE)
        assert reason == f"{foreign.id} is a rule of other dialects than ucarp"
        assert applicability(case(requirements=(own.id,)), PROFILE, CATALOGUE) is None
        assert applicability(case(requirements=(foreign.id, own.id)), PROFILE, CATALOGUE) is None

    def test_a_must_binds_all(self):
        must = next(r for r in CATALOGUE if r.level is Level.MUST)
        assert applicability(case(requirements=(must.id,)), PROFILE, CATALOGUE) is None


SECONDS = st.lists(st.floats(0.1, 60, allow_nan=False), max_size=60)


class TestArrange:
    @given(SECONDS, st.integers(0, 8))
    def test_it_is_a_permutation(self, seconds, workers):
        assert sorted(arrange(range(len(seconds)), seconds, workers)) == list(range(len(seconds)))

    @given(SECONDS, st.integers(1, 8))
    def test_shares_are_balanced(self, seconds, workers):
        """No worker has more than one case, or more than the longest case, more than another."""
        order = arrange(range(len(seconds)), seconds, workers)
        ranked = arrange(range(len(seconds)), seconds, 1)
        size = {
            i: sum(
                1
                for row in range(0, len(ranked), workers)
                if self.place(row, i, workers, len(ranked)) is not None
            )
            for i in range(workers)
        }
        shares, at = [], 0
        for i in range(workers):
            shares.append(order[at : at + size[i]])
            at += size[i]
        assert at == len(order)
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
        sums = [sum(seconds[i] for i in share) for share in shares]
        assert max(sums) - min(sums) <= max(seconds, default=0) + 1e-6

    @staticmethod
    def place(row, worker, workers, total):
        at = row + (worker if row // workers % 2 == 0 else workers - 1 - worker)
        return at if at < total else None

    @given(SECONDS)
    def test_one_worker_gets_the_longest_first(self, seconds):
        order = arrange(range(len(seconds)), seconds, 1)
        assert [seconds[i] for i in order] == sorted(seconds, reverse=True)

    @given(SECONDS, st.integers(1, 8))
    def test_every_share_begins_with_one_of_the_longest(self, seconds, workers):
        order = arrange(range(len(seconds)), seconds, workers)
        if order:
            assert seconds[order[0]] == max(seconds)

    def test_equal_ones_keep_their_order(self):
        assert arrange("abc", [1, 1, 1], 1) == ["a", "b", "c"]

    def test_lists_of_other_lengths_are_a_mistake(self):
        with pytest.raises(ValueError, match="zip"):
            arrange("abc", [1], 1)


def test_marks_are_known_to_the_plugin():
    lines = []
    from conformance import plugin

    config = SimpleNamespace(
        addinivalue_line=lambda _, line: lines.append(line.split("(")[0]), getoption=lambda _: None
    )
    plugin.pytest_configure(config)
    assert {m.mark.name for m in (covers("x"), needs("x"), hosts(1), takes(1))} == set(lines)
