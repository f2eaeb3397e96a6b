"""What a scenario's trace shows, by the history that the judge draws from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conformance.judge.events import Handover
from conformance.judge.history import History
from conformance.judge.lane import Options
from conformance.judge.session import Session
from conformance.segment.trace import FrameSeen, Trace
from conformance.wire.digest import Address

HANDED_OVER = frozenset({"preemption", "demotion", "better-advertisement", "equal-advertisement", "other"})
"""Causes of a hand-over before which the former MASTER was still there."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What happened after ``since_ns``, in nanoseconds; the worst of all virtual hosts and families.

    ``no_master_ns`` is the longest time from the last advertisement of a MASTER that fell silent to the first
    of the next one; ``dual_master_ns`` is the time with two MASTERs side by side.
    """

    no_master_ns: int
    dual_master_ns: int
    handovers: int
    flapping: bool
    frames: tuple[int, ...]


def judged(trace: Trace) -> Session:
    """The judge's session over what the hosts of a trace sent, finished. The tester's forgeries are left out."""
    session = Session(Options())
    for seen in trace.frames:
        if not seen.sent:
            session.feed(seen)
    session.finish()
    return session


def measured(
    session: Session,
    vhids: Iterable[int],
    since_ns: int,
    end_ns: int,
    speakers: frozenset[Address],
) -> Measured:
    """What the histories of these virtual hosts show since ``since_ns``, of the addresses in ``speakers`` alone."""
    histories = [
        family.history
        for (_, vhid), host in sorted(session.hosts.items())
        if vhid in set(vhids)
        for family in host.families.values()
    ]
    moves = [
        [one for one in history.handovers if one.time_ns >= since_ns and _real(one, speakers)]
        for history in histories
    ]
    cited = {one.ref.frame for found in moves for one in found}
    cited |= {one.start.frame for history in histories for one in history.duals if one.start_ns >= since_ns}
    return Measured(
        no_master_ns=max(
            (_no_master_ns(*pair, since_ns, end_ns) for pair in zip(histories, moves, strict=True)),
            default=0,
        ),
        dual_master_ns=max((_dual_ns(history, since_ns) for history in histories), default=0),
        handovers=sum(map(len, moves)),
        flapping=any(
            one.times >= 3 and one.speaker.source in speakers
            for history in histories
            for one in history.flapping()
        ),
        frames=tuple(sorted(cited)),
    )


def _real(handover: Handover, speakers: frozenset[Address]) -> bool:
    return handover.new.source in speakers


def _no_master_ns(history: History, moves: Sequence[Handover], since_ns: int, end_ns: int) -> int:
    gaps = [one.gap_ns for one in moves if one.gap_ns is not None and one.cause.value not in HANDED_OVER]
    if not history.standing and history.departed is not None:
        gaps.append(end_ns - max(history.departed.last_ns, since_ns))
    return max(gaps, default=0)


def _dual_ns(history: History, since_ns: int) -> int:
    """The union of the times with two MASTERs, as three of them are not twice as bad."""
    total_ns, until_ns = 0, since_ns
    for one in sorted(history.duals, key=lambda dual: dual.start_ns):
        from_ns = max(one.start_ns, until_ns)
        total_ns += max(one.end_ns - from_ns, 0)
        until_ns = max(until_ns, one.end_ns)
    return total_ns


def advertisers(trace: Trace, vhid: int, from_ns: int) -> dict[Address, list[FrameSeen]]:
    """Who advertised ``vhid`` since ``from_ns``, by source address; what the tester sent left out."""
    found: dict[Address, list[FrameSeen]] = {}
    for seen in trace.frames:
        if seen.time_ns < from_ns or seen.sent or seen.frame.carp is None or seen.frame.ip is None:
            continue
        if seen.frame.carp.vhid == vhid:
            found.setdefault(seen.frame.ip.source, []).append(seen)
    return found
