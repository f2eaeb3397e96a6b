"""How long processes have stood still for want of a CPU, as the kernel counts it for each of them, and for the whole machine under a hypervisor: by so much they can be late."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

PROC = Path("/proc")


def stalled_ns(pid: int) -> int:
    """Nanoseconds since its start in which the process ``pid`` was ready to run and had no CPU (second field of ``/proc/PID/schedstat``, Documentation/scheduler/sched-stats.rst).

    0 if it has ended, or on a kernel that does not count it.
    """
    try:
        return int((PROC / str(pid) / "schedstat").read_bytes().split()[1])
    except (OSError, IndexError):
        return 0


_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def stolen_ns() -> int:
    """Nanoseconds since the boot in which a CPU of this machine was ready to run and its hypervisor ran something else (eighth number of ``cpu`` in ``/proc/stat``, proc_stat(5)), all CPUs together.

    0 on a machine of its own, or on a kernel that does not count it.
    """
    try:
        return int((PROC / "stat").read_bytes().partition(b"\n")[0].split()[8]) * _TICK_NS
    except (OSError, IndexError):
        return 0


@dataclass(slots=True)
class Family:
    """A process and what it has started: a daemon is as late as the script that it waits for."""

    pid: int
    _stalled_ns: dict[int, int] = field(default_factory=dict)

    def stalled_ns(self) -> int:
        """The stalled time of all its members together, of those that have ended what was last heard of them."""
        for member in _members(self.pid):
            self._stalled_ns[member] = max(self._stalled_ns.get(member, 0), stalled_ns(member))
        return sum(self._stalled_ns.values())


def _members(pid: int) -> Iterator[int]:
    """A process and all its descendants (``/proc/PID/task/PID/children``); without these on a kernel that does not list them."""
    yield pid
    try:
        children = (PROC / str(pid) / "task" / str(pid) / "children").read_bytes().split()
    except OSError:
        return
    for child in children:
        yield from _members(int(child))


@dataclass(slots=True)
class Stalls:
    """The stalled time of some processes together, from samples of it."""

    _samples: list[tuple[int, int]] = field(default_factory=list)

    def sample(self, now_ns: int, total_ns: int) -> None:
        """Takes the stalled time so far at ``now_ns``."""
        self._samples.append((now_ns, total_ns))

    def since_ns(self, when_ns: int) -> int:
        """The stalled time from ``when_ns`` on: from the last sample that is not younger, or from the first one."""
        if not self._samples:
            return 0
        return self._samples[-1][1] - self._until(when_ns)

    def worst_ns(self, since_ns: int, span_ns: int) -> int:
        """The most of it that fell into any ``span_ns`` from ``since_ns`` on, or into little more: as far apart as samples are."""
        return max(
            (
                total_ns - self._until(max(taken_ns - span_ns, since_ns))
                for taken_ns, total_ns in self._samples
                if taken_ns > since_ns
            ),
            default=0,
        )

    def _until(self, when_ns: int) -> int:
        """The last sample that is not younger than ``when_ns``, or the first one."""
        at = bisect_right(self._samples, when_ns, key=itemgetter(0))
        return self._samples[max(at - 1, 0)][1]
