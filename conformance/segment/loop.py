"""One event loop with two clocks: real time waits in a selector, virtual time jumps to the next due timer.

Nothing else in this package sleeps or waits. Times are integers of nanoseconds since the epoch.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

Callback = Callable[[], None]


class HasFileno(Protocol):
    def fileno(self) -> int: ...


class Clock(Protocol):
    """Where the loop gets its time from. ``real`` time passes by itself, and timers can be late on it."""

    real: bool

    def now_ns(self) -> int:
        """Nanoseconds since the epoch; never goes back."""

    def wait_until(self, when_ns: int) -> None:
        """Returns at ``when_ns``, or earlier when something became readable (its callback has then run)."""

    def watch(self, source: HasFileno, callback: Callback) -> None:
        """Calls ``callback`` during :meth:`wait_until` whenever ``source`` is readable."""

    def unwatch(self, source: HasFileno) -> None:
        """Ends :meth:`watch`."""


_TRIES = 8


def _offset_ns() -> int:
    """Wall time less monotonic time, from the try in which the least time passed between reading both."""
    tries = []
    for _ in range(_TRIES):
        before_ns, wall_ns, after_ns = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        tries.append((after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2))
    return min(tries)[1]


class RealClock:
    """Monotonic time, told as wall time: the offset is taken once, so that a step of the wall clock during a run cannot move deadlines.

    :meth:`stepped_ns` says by how much the wall clock, and with it the kernel's packet time stamps, has moved against it since.
    """

    real = True

    def __init__(self) -> None:
        self._offset_ns = _offset_ns()
        self._selector = selectors.DefaultSelector()

    def now_ns(self) -> int:
        return time.monotonic_ns() + self._offset_ns

    def stepped_ns(self) -> int:
        return time.time_ns() - self.now_ns()

    def wait_until(self, when_ns: int) -> None:
        remaining_ns = when_ns - self.now_ns()
        for ready, _ in self._selector.select(max(remaining_ns, 0) / 1e9):
            if self._selector.get_map().get(ready.fd) is ready:  # a callback before may have ended its watch
                ready.data()

    def watch(self, source: HasFileno, callback: Callback) -> None:
        self._selector.register(source, selectors.EVENT_READ, callback)

    def unwatch(self, source: HasFileno) -> None:
        self._selector.unregister(source)


class VirtualClock:
    """Time that stands still until the loop moves it. Nothing is ever readable: all there is are timers."""

    EPOCH_NS = 1_767_225_600_000_000_000
    """2026-01-01T00:00:00Z, so that simulated evidence carries a plausible and constant date."""
    real = False

    def __init__(self, start_ns: int = EPOCH_NS) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        return self._now_ns

    def wait_until(self, when_ns: int) -> None:
        self._now_ns = max(self._now_ns, when_ns)

    def watch(self, source: HasFileno, callback: Callback) -> None:  # noqa: ARG002  # the shape of a Clock
        raise TypeError("a virtual clock has no files to watch; use timers")

    def unwatch(self, source: HasFileno) -> None:  # noqa: ARG002  # the shape of a Clock
        raise TypeError("a virtual clock has no files to watch; use timers")


@dataclass(slots=True)
class Timer:
    """A callback due at ``due_ns``; :meth:`cancel` keeps it from running."""

    due_ns: int
    callback: Callback
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass(slots=True)
class Loop:
    """Timers and readiness on one clock. ``lateness_ns`` collects how late each timer ran: the rig's own jitter."""

    clock: Clock
    lateness_ns: list[int] = field(default_factory=list)
    _ran_ns: list[int] = field(default_factory=list)
    _queue: list[tuple[int, int, Timer]] = field(default_factory=list)
    _serial: Iterator[int] = field(default_factory=itertools.count)

    def now_ns(self) -> int:
        return self.clock.now_ns()

    def at(self, when_ns: int, callback: Callback) -> Timer:
        """Runs ``callback`` at ``when_ns`` (at once if that is past), while something waits on this loop."""
        timer = Timer(when_ns, callback)
        heapq.heappush(self._queue, (when_ns, next(self._serial), timer))
        return timer

    @contextmanager
    def every(self, interval_ns: int, callback: Callback, *, start_ns: int | None = None) -> Iterator[None]:
        """Runs ``callback`` now (or at ``start_ns``) and then each ``interval_ns``, counted from the first due time, so that lateness does not add up."""
        current: list[Timer] = []

        def run(due_ns: int) -> None:
            current[:] = [self.at(due_ns + interval_ns, lambda: run(due_ns + interval_ns))]
            callback()

        first_ns = self.now_ns() if start_ns is None else start_ns
        current[:] = [self.at(first_ns, lambda: run(first_ns))]
        try:
            yield
        finally:
            current[0].cancel()

    def run_until(self, condition: Callable[[], bool], deadline_ns: int) -> bool:
        """Runs timers and readers until ``condition`` holds or ``deadline_ns`` has passed; returns whether it holds."""
        while not condition():
            self._drop_cancelled()
            next_ns = min(deadline_ns, self._queue[0][0]) if self._queue else deadline_ns
            self.clock.wait_until(next_ns)
            self._run_due()
            if self.now_ns() >= deadline_ns and not self._due_by(deadline_ns):
                return condition()
        return True

    def run_for(self, duration_ns: int) -> None:
        """Runs timers and readers for ``duration_ns``."""
        self.run_until(lambda: False, self.now_ns() + duration_ns)

    def was_late(self, late_ns: int) -> None:
        """Something else than a timer has just turned out to have been late: no miss by so little is to be called one."""
        self._ran_ns.append(self.now_ns())
        self.lateness_ns.append(late_ns)

    def worst_lateness_ns(self, since_ns: int) -> int:
        """How late the latest of the timers was that ran from ``since_ns`` on, or of what :meth:`was_late`; 0 if nothing was."""
        return max(
            (
                late_ns
                for ran_ns, late_ns in zip(self._ran_ns, self.lateness_ns, strict=True)
                if ran_ns >= since_ns
            ),
            default=0,
        )

    def _due_by(self, when_ns: int) -> bool:
        self._drop_cancelled()
        return bool(self._queue) and self._queue[0][0] <= when_ns

    def _drop_cancelled(self) -> None:
        while self._queue and self._queue[0][2].cancelled:
            heapq.heappop(self._queue)

    def _run_due(self) -> None:
        queue, now_ns = self._queue, self.now_ns()
        while queue and queue[0][0] <= now_ns:
            due_ns, _, timer = heapq.heappop(queue)
            if not timer.cancelled:
                self.was_late(self.now_ns() - due_ns)
                timer.callback()
