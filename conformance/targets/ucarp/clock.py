"""The clock of another machine, told on the tester's: its offset, how far that may be wrong, and when a line of a log was written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}): ")


@dataclass(frozen=True, slots=True)
class Offset:
    """The machine's clock less the tester's, known to ``uncertainty_ns`` either way."""

    offset_ns: int
    uncertainty_ns: int

    def here_ns(self, there_ns: int) -> int:
        """A time of the machine's clock on the tester's."""
        return there_ns - self.offset_ns

    def latest_ns(self, there_ns: int) -> int:
        """The latest that it can have been here: what a frame has caused is not to be told before that frame."""
        return self.here_ns(there_ns) + self.uncertainty_ns


def closest(tries: Sequence[tuple[int, int, int]]) -> Offset:
    """The offset from exchanges (asked at, the machine's answer, answered at; the outer two on the tester's clock): of the quickest, which half its duration can be wrong by."""
    asked_ns, there_ns, answered_ns = min(tries, key=lambda one: one[2] - one[0])
    half_ns = (answered_ns - asked_ns + 1) // 2
    return Offset(there_ns - (asked_ns + half_ns), half_ns)


def stamped_ns(line: str) -> int | None:
    """When ucarp says that it wrote a log line (its wall clock, in UTC), in nanoseconds."""
    found = _STAMP.match(line)
    if found is None:
        return None
    moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
