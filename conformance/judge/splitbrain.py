"""Findings on two MASTERs side by side, and on mastership that does not settle."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.judge.diagnosis import Reason, why_two_masters
from conformance.judge.events import DualMaster, Flapping
from conformance.judge.findings import Finding, Severity, clock, duration, finding, several
from conformance.judge.history import REACTION_NS
from conformance.judge.host import Family, Host
from conformance.judge.speaker import Speaker
from conformance.wire.header import interval_ns

ERROR, NOTICE = Severity.ERROR, Severity.NOTICE


def two_masters(host: Host, family: Family, told: dict[Speaker, str]) -> Iterator[Finding]:
    """The findings on each pair of MASTERs, and on those that flap; ``told`` gets the reason that was given, by speaker."""
    flaps = {one.speaker: one for one in family.history.flapping()}
    pairs: dict[tuple[Speaker, Speaker], list[DualMaster]] = {}
    for dual in family.history.duals:
        key = (
            (dual.older, dual.younger)
            if int(dual.older.source) < int(dual.younger.source)
            else (dual.younger, dual.older)
        )
        pairs.setdefault(key, []).append(dual)
    for duals in pairs.values():
        longest = max(duals, key=lambda one: one.end_ns - one.start_ns)
        older, younger = longest.older, longest.younger
        reason = why_two_masters(host, family, longest)
        length = longest.end_ns - longest.start_ns
        interval = interval_ns(*older.best) if older.best is not None else 0
        gives_up = any(one.left is not one.older for one in duals)  # else the older one yields, as it should
        flap = flaps.pop(younger, None) if gives_up else None
        if flap is None and length <= interval * 3 // 2 and not longest.open:
            if length > REACTION_NS:  # else the older one yielded as fast as any can
                yield _short(duals, longest)
            continue
        told |= {older: reason.id, younger: reason.id}
        yield _side_by_side(duals, longest, flap, reason)
    if flaps:
        most = max(flaps.values(), key=lambda one: one.times)
        names = several(speaker.source for speaker in flaps)
        text = (
            f"mastership does not settle: {names} become{'s' if len(flaps) == 1 else ''} "
            f"master again and again, {most.times} times, about every {duration(most.period_ns)}"
        )
        yield finding("flapping", ERROR, text, [ref for flap in flaps.values() for ref in flap.frames])


def _short(duals: list[DualMaster], longest: DualMaster) -> Finding:
    often = f", {len(duals)} times" if len(duals) > 1 else ""
    text = (
        f"two masters for {duration(longest.end_ns - longest.start_ns)} at {clock(longest.start_ns)}{often}: "
        f"{longest.younger.source} had begun before {longest.older.source} "
        f"yielded or {longest.younger.source} gave up"
    )
    return finding(
        "short-dual-master", NOTICE, text, [ref for dual in duals for ref in (dual.start, dual.end)]
    )


def _side_by_side(
    duals: list[DualMaster], longest: DualMaster, flap: Flapping | None, reason: Reason
) -> Finding:
    older, younger = longest.older, longest.younger
    text = (
        f"two masters, {_named(older)} and {_named(younger)}, for "
        f"{duration(longest.end_ns - longest.start_ns)} at {clock(longest.start_ns)}"
    )
    if longest.open:
        text += " until the end of the capture"
    if flap is not None:
        text += (
            f"; {younger.source} becomes master about every {duration(flap.period_ns)}, {flap.times} times"
        )
    elif len(duals) > 1:
        text += f", {len(duals)} times in all"
    text += f", {'because' if reason.sure else 'probably because'} {reason.words}"
    return finding(reason.id, ERROR, text, [ref for dual in duals for ref in (dual.start, dual.end)])


def _named(speaker: Speaker) -> str:
    form = speaker.last_form
    rank = speaker.best if form is None or form.bow_out else form.rank
    return (
        f"{speaker.source} (advbase {rank[0]} advskew {rank[1]})" if rank is not None else str(speaker.source)
    )
