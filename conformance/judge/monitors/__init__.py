"""The registry of monitors: every passive check and the requirements that it judges."""

from __future__ import annotations

from functools import cache

from conformance.judge.monitors import announce, counters, digest, election, timing, wire
from conformance.judge.monitors.monitor import Monitor

MONITORS: tuple[Monitor, ...] = (
    *wire.MONITORS,
    *digest.MONITORS,
    *counters.MONITORS,
    *timing.MONITORS,
    *announce.MONITORS,
    *election.MONITORS,
)


@cache
def cover() -> dict[str, str]:
    """The monitor's id for each requirement id that is judged passively; used by ``list``."""
    return {requirement: monitor.id for monitor in MONITORS for requirement in monitor.requirements}
