"""Live progress of a run on standard error: what is running, what has ended, how long it will still take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from conformance.report.visible import visible
from conformance.suite.cases import Case

MARKS = {
    "pass": "✔",
    "fail": "✘",
    "inconclusive": "?",
    "not_applicable": "–",
    "known_deviation": "≠",
    "error": "!",
}
STYLES = {
    "pass": "green",
    "fail": "bold red",
    "inconclusive": "yellow",
    "not_applicable": "dim",
    "known_deviation": "cyan",
    "error": "bold magenta",
}
_SHOWN = 6


class Progress(Protocol):
    def started(self, nodeid: str) -> None: ...

    def ended(self, row: Mapping[str, Any]) -> None: ...


def remaining_s(
    waiting: Sequence[Case], running: Mapping[str, float], known: Mapping[str, Case], lanes: int, now_s: float
) -> float:
    """Seconds until the end: the work that is left, spread over the lanes, but no less than the longest case that runs or waits."""
    left = [
        max(known[nodeid].seconds - (now_s - since_s), 0.5)
        for nodeid, since_s in running.items()
        if nodeid in known
    ]
    wait = [case.seconds for case in waiting]
    return max(sum(left + wait) / max(lanes, 1), max(left + wait, default=0.0))


class LiveProgress:
    """Progress that repaints itself on a terminal; elsewhere a line for each case that ends."""

    def __init__(
        self,
        planned: Sequence[Case],
        lanes: int,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._known = {case.nodeid: case for case in planned}
        self._waiting = dict(self._known)
        self._running: dict[str, float] = {}
        self._ended = 0
        self._lanes, self._clock = lanes, clock
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._live = (
            Live(get_renderable=self._paint, console=self._console, refresh_per_second=4, transient=True)
            if self._console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, nodeid: str) -> None:
        key = nodeid
        self._waiting.pop(key, None)
        self._running[key] = self._clock()

    def ended(self, row: Mapping[str, Any]) -> None:
        self._running.pop(row["nodeid"], None)
        self._waiting.pop(row["nodeid"], None)
        self._ended += 1
        if row["verdict"] == "not_applicable":
            return
        mark, case = f"{MARKS[row['verdict']]} ", f"{visible(row['id'])} "
        rest = f"{row['duration_s']:.1f} s"
        if row["verdict"] not in ("pass", "known_deviation"):
            rest += f"  {visible(row['reason'])}"
        if self._live is None:
            # Nothing that rich could do for it, and it takes long to find that out.
            self._console.file.write(f"{mark}{case}{rest}\n")
        else:
            self._console.print(
                Text.assemble((mark, STYLES[row["verdict"]]), case, (rest, "dim")), soft_wrap=True
            )

    def _paint(self) -> Group:
        now_s = self._clock()
        left_s = remaining_s(list(self._waiting.values()), self._running, self._known, self._lanes, now_s)
        total = len(self._known)
        head = Text(
            f"{self._ended} of {total} cases, {len(self._running)} running, about {left_s:.0f} s left",
            style="bold",
        )
        oldest = sorted(self._running.items(), key=lambda item: item[1])[:_SHOWN]
        rows = [
            Text(
                f"  … {self._known[key].id if key in self._known else key} ({now_s - since_s:.0f} s)",
                style="dim",
            )
            for key, since_s in oldest
        ]
        more = len(self._running) - len(oldest)
        return Group(head, *rows, *([Text(f"  … and {more} more", style="dim")] if more > 0 else []))
