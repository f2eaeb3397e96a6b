"""How busy this machine is, as the kernel measures it: the time in which something waited for a CPU (pressure stall information)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path("/proc/pressure/cpu")


def cpu_stalled_ns() -> int:
    """Nanoseconds since boot in which at least one task waited for a CPU (``some total``, Documentation/accounting/psi.rst); 0 on a kernel that does not measure it."""
    try:
        return int(SOURCE.read_text().split("total=", 1)[1].split()[0]) * 1000
    except (OSError, IndexError):
        return 0


@dataclass(slots=True)
class Stretches:
    """Unbroken stretches in which something waited for a CPU, from samples of the time that was stalled so far.

    An implementation that runs on this machine can be late by as much, even where the tester's own timers were in time.
    """

    _stretch_ns: int = 0
    _last: tuple[int, int] | None = None
    _seen: list[tuple[int, int]] = field(default_factory=list)

    def sample(self, now_ns: int, stalled_ns: int) -> None:
        """Takes the stalled time so far at ``now_ns``. A stretch goes on as long as half of each interval between samples was stalled."""
        if self._last is not None:
            passed_ns, waited_ns = now_ns - self._last[0], stalled_ns - self._last[1]
            self._stretch_ns = self._stretch_ns + passed_ns if 2 * waited_ns >= passed_ns > 0 else 0
            if self._stretch_ns:
                self._seen.append((now_ns, self._stretch_ns))
        self._last = now_ns, stalled_ns

    def longest_ns(self, since_ns: int) -> int:
        """The longest stretch that ended, or still went on, after ``since_ns``."""
        return max((length_ns for end_ns, length_ns in self._seen if end_ns >= since_ns), default=0)
