"""The service behind the shared address, as a client of it lives through a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import pairwise

from conformance.targets.protocol import Bench

EVERY_NS = 50_000_000
PORT = 8112


@dataclass(slots=True)
class Service:
    """Connects to ``address`` every 50 ms from the tester's side; ``answers`` are when each ended and which host answered, or None."""

    bench: Bench
    address: IPv4Address
    answers: list[tuple[int, str | None]] = field(default_factory=list)
    asked: int = 0

    def offer(self) -> None:
        """Every host runs the service from now on; it answers when it has the address."""
        for host in self.bench.hosts.values():
            host.serve(self.address, PORT)

    @contextmanager
    def used(self) -> Iterator[None]:
        """While this lasts, the client connects."""
        with self.bench.loop.every(EVERY_NS, self._connect):
            yield

    def _connect(self) -> None:
        self.asked += 1
        self.bench.probe(self.address, PORT, lambda time_ns, name: self.answers.append((time_ns, name)))


def longest_gap_ns(answers: Sequence[tuple[int, str | None]], from_ns: int, to_ns: int) -> int:
    """The longest time from one answer to the next between ``from_ns`` and ``to_ns``, ends included; a service that does not come back counts to the end."""
    good = [time_ns for time_ns, name in answers if name is not None]
    before = max((time_ns for time_ns in good if time_ns <= from_ns), default=from_ns)
    inside = [time_ns for time_ns in good if from_ns < time_ns <= to_ns]
    return max(later - earlier for earlier, later in pairwise([before, *inside, to_ns]))


def lost(answers: Sequence[tuple[int, str | None]], from_ns: int) -> int:
    """How many connections since ``from_ns`` nobody answered."""
    return sum(name is None for time_ns, name in answers if time_ns >= from_ns)
