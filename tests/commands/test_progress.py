"""Progress: how long it still takes, and a line for each case that ends."""

import io

import pytest
from rich.console import Console

from conformance.commands.progress import MARKS, LiveProgress, remaining_s
from conformance.suite.cases import Case


def case(name, seconds=6.0):
    return Case(f"RX-001.{name}", "RX", "", (), (), 1, seconds, name, "")


def row(name, verdict="pass"):
    return {
        "id": f"RX-001.{name}",
        "nodeid": name,
        "verdict": verdict,
        "duration_s": 1.25,
        "reason": "because [red]",
    }


class TestRemaining:
    KNOWN = {name: case(name, seconds) for name, seconds in (("a", 10.0), ("b", 4.0), ("c", 4.0))}

    def test_work_is_spread_over_the_lanes(self):
        waiting = [self.KNOWN["b"], self.KNOWN["c"]]
        assert remaining_s(waiting, {}, self.KNOWN, 2, 0.0) == 4.0
        assert remaining_s(waiting, {}, self.KNOWN, 1, 0.0) == 8.0
        assert remaining_s(waiting, {}, self.KNOWN, 0, 0.0) == 8.0

    def test_no_less_than_the_longest(self):
        assert remaining_s(list(self.KNOWN.values()), {}, self.KNOWN, 100, 0.0) == 10.0

    def test_what_runs_has_a_part_behind_it(self):
        assert remaining_s([], {"a": 100.0}, self.KNOWN, 1, 107.0) == 3.0
        assert remaining_s([], {"a": 100.0}, self.KNOWN, 1, 200.0) == 0.5
        assert remaining_s([], {"unknown": 100.0}, self.KNOWN, 1, 200.0) == 0.0


def painted(progress):
    console = Console(file=io.StringIO(), width=100)
    console.print(progress._paint())
    return console.file.getvalue()


def test_not_on_a_terminal_it_writes_a_line_for_each_case_that_ends():
    file = io.StringIO()
    with LiveProgress([case("a"), case("b"), case("c")], 2, Console(file=file, width=40)) as progress:
        progress.started("a")
        progress.ended(row("a"))
        progress.ended(row("b", "fail"))
        progress.ended(row("c", "not_applicable"))
    lines = file.getvalue().splitlines()
    assert lines == [f"{MARKS['pass']} RX-001.a 1.2 s", f"{MARKS['fail']} RX-001.b 1.2 s  because [red]"]


def test_on_a_terminal_it_also_paints_what_runs():
    now = [0.0]
    file = io.StringIO()
    cases = [case(f"c{n}") for n in range(10)]
    with LiveProgress(
        cases, 4, Console(file=file, force_terminal=True, width=100), clock=lambda: now[0]
    ) as progress:
        for one in cases[:8]:
            progress.started(one.nodeid)
        progress.started("unheard-of")
        now[0] = 2.0
        text = painted(progress)
        progress.ended(row("c0"))
    assert "0 of 10 cases, 9 running, about " in text
    assert "RX-001.c0 (2 s)" in text
    assert "and 3 more" in text
    assert "RX-001.c0" in file.getvalue()


@pytest.mark.parametrize("verdict", MARKS)
def test_every_verdict_has_a_mark(verdict):
    file = io.StringIO()
    LiveProgress([], 1, Console(file=file)).ended(row("a", verdict))
    assert bool(file.getvalue()) == (verdict != "not_applicable")
