"""The document of ``judge --json``: what a session found, as plain JSON values (schema/judge.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from conformance.judge import inspection, surroundings
from conformance.judge.events import DualMaster, Handover
from conformance.judge.findings import Finding
from conformance.judge.form import Ref
from conformance.judge.history import History
from conformance.judge.host import Family, Host
from conformance.judge.ledger import MAX_FRAMES, Tally, Verdict
from conformance.judge.monitors.neighbours import Place, VrrpElection, VrrpRouter
from conformance.judge.session import Session
from conformance.judge.speaker import Speaker

SCHEMA = 1
_MAX_LISTED = 1000
"""Hand-overs and windows listed for one virtual host; all are counted in ``summary``."""


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    text = resources.files("conformance.judge").joinpath("schema/judge.schema.json").read_text("utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def build(session: Session, captures: Sequence[str], unreadable: Iterable[str]) -> dict[str, Any]:
    """The document of a finished session over the named captures."""
    several = len(captures) > 1
    notes = list(unreadable)
    if session.cut:
        notes.append(
            f"{session.cut} advertisements were cut by the capture's "
            "snap length; capture whole packets (tcpdump -s 0)."
        )
    if session.clock_steps:
        notes.append(
            f"the capture's clock went backwards {session.clock_steps} "
            "times; durations around those frames are not reliable."
        )
    if session.adverts.crowded:
        left_out = f"{session.adverts.crowded} advertisements were left out"
        notes.append(f"there are more virtual hosts than can be kept; {left_out}.")
    if session.adverts.passed_over:
        others = ", ".join(str(vhid) for vhid in sorted(session.adverts.passed_over))
        count = session.adverts.passed_over.total()
        notes.append(
            f"{count} advertisements are of other virtual hosts than the one asked for: vhid {others}."
        )
    speakers = [speaker for host in session.hosts.values() for speaker in host.speakers()]
    speakers += [router.speaker for one in session.vrrp.values() for router in one.routers.values()]
    hosts = sorted(session.hosts.values(), key=lambda host: (host.vlans, host.vhid))
    return {
        "schema": SCHEMA,
        "captures": list(captures),
        "frames": session.frames,
        "started": iso(min((speaker.first_ns for speaker in speakers), default=session.end_ns)),
        "ended": iso(session.end_ns),
        "vhids": [
            _vhid(session, host, host.families[version], several)
            for host in hosts
            for version in sorted(host.families)
        ],
        "vrrp": [_vrrp(place, session.vrrp[place], several) for place in sorted(session.vrrp)],
        "findings": [_finding(one, several) for one in surroundings.of_segment(session)],
        "requirements": _requirements(session),
        "unreadable": notes,
    }


def iso(time_ns: int) -> str:
    """A time stamp as ISO 8601 in UTC with nanoseconds cut to microseconds."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"
    except (OverflowError, ValueError, OSError):
        return f"{seconds}.{rest:09d} s"


def _frame(name: str, ref: Ref, several: bool) -> dict[str, Any]:
    return {name: ref.frame, **({name.replace("frame", "capture"): ref.capture} if several else {})}


def _frames(refs: Sequence[Ref], several: bool) -> dict[str, Any]:
    return {
        "frames": [ref.frame for ref in refs],
        **({"in": [ref.capture for ref in refs]} if several else {}),
    }


def _finding(one: Finding, several: bool) -> dict[str, Any]:
    return {"id": one.id, "severity": one.severity.word, "text": one.text, **_frames(one.frames, several)}


def _vhid(session: Session, host: Host, family: Family, several: bool) -> dict[str, Any]:
    history, speakers = family.history, list(family.speakers.values())
    return {
        "vhid": host.vhid,
        "vlans": list(host.vlans),
        "family": family.version,
        "advertisements": sum(speaker.count for speaker in speakers),
        "authenticated": sum(speaker.authentic for speaker in speakers),
        "mismatched": sum(speaker.mismatched for speaker in speakers),
        "addresses": [
            str(address) for address in sorted(host.addresses(), key=lambda one: (one.version, int(one)))
        ],
        "speakers": [_speaker(session, speaker, several) for speaker in speakers],
        **_events(history, several),
        "flapping": [
            {"source": str(one.speaker.source), "times": one.times, "period_ms": _ms(one.period_ns)}
            for one in history.flapping()
        ],
        "findings": [_finding(one, several) for one in inspection.of_family(session, host, family)],
    }


def _vrrp(place: Place, election: VrrpElection, several: bool) -> dict[str, Any]:
    (vlans, vrid, family), history = place, election.history
    return {
        "vrid": vrid,
        "vlans": list(vlans),
        "family": family,
        "packets": sum(router.count for router in election.routers.values()),
        "routers": [_router(router, several) for router in election.routers.values()],
        **_events(history, several),
    }


def _router(router: VrrpRouter, several: bool) -> dict[str, Any]:
    speaker = router.speaker
    return {
        "source": str(speaker.source),
        "version": router.form.version,
        "packets": router.count,
        "priority": router.form.priority,
        "interval_ms": _ms(router.form.interval_ns),
        "first": iso(speaker.first_ns),
        "last": iso(speaker.last_ns or speaker.first_ns),
        **_frame("first_frame", router.first, several),
    }


def _events(history: History, several: bool) -> dict[str, Any]:
    """Who stands as MASTER at the end, and how it came to that."""
    return {
        "masters": [
            {"source": str(speaker.source), "since": iso(stand.since_ns)}
            for speaker, stand in history.standing.items()
        ],
        "handovers": [_handover(one, several) for one in history.handovers[:_MAX_LISTED]],
        "dual_master": [_dual(one, several) for one in history.duals[:_MAX_LISTED]],
        "more_events": history.more
        + max(len(history.handovers) - _MAX_LISTED, 0)
        + max(len(history.duals) - _MAX_LISTED, 0),
    }


def _ms(time_ns: int) -> float:
    return round(time_ns / 1e6, 3)


def _speaker(session: Session, speaker: Speaker, several: bool) -> dict[str, Any]:
    form, tongue = speaker.last_form, session.tongue(speaker)
    spacing = max(speaker.spacings.values(), key=lambda one: one.count, default=None)
    return {
        "source": str(speaker.source),
        "advertisements": speaker.count,
        "authenticated": speaker.authentic,
        "mismatched": speaker.mismatched,
        "refused": speaker.refused,
        "advbase": form.advbase if form is not None else None,
        "advskew": form.advskew if form is not None else None,
        "demote": form.demote if form is not None else None,
        "most_demote": speaker.demote,
        "announced": [list(rank) for rank in speaker.spacings],
        "interval_ms": _ms(spacing.total_ns // spacing.count)
        if spacing is not None and spacing.count
        else None,
        "dialect": sorted(tongue.names),
        "guessed": tongue.guessed,
        "first": iso(speaker.first_ns),
        "last": iso(speaker.last_ns if speaker.last_form is not None else speaker.first_ns),
        **_frame("first_frame", speaker.first or Ref(0, 0), several),
    }


def _handover(one: Handover, several: bool) -> dict[str, Any]:
    return {
        **_frame("frame", one.ref, several),
        "time": iso(one.time_ns),
        "from": str(one.old.source) if one.old is not None else None,
        "to": str(one.new.source),
        "gap_ms": _ms(one.gap_ns) if one.gap_ns is not None else None,
        "cause": one.cause.value,
    }


def _dual(one: DualMaster, several: bool) -> dict[str, Any]:
    return {
        **_frame("from_frame", one.start, several),
        **_frame("to_frame", one.end, several),
        "time": iso(one.start_ns),
        "ms": _ms(one.end_ns - one.start_ns),
        "masters": [str(one.older.source), str(one.younger.source)],
        "open": one.open,
    }


def _requirements(session: Session) -> list[dict[str, Any]]:
    """One verdict a requirement: fail if anybody who should satisfy it was seen to break it, else pass if
    anybody
    was seen to satisfy it.
    """
    gravity = (Verdict.FAIL, Verdict.PASS, Verdict.INCONCLUSIVE)
    seen: dict[str, dict[Verdict, set[int]]] = {}
    for host in session.hosts.values():
        for speaker in host.speakers():
            if speaker.tester:
                continue
            names = session.tongue(speaker).names
            for requirement, tally in session.ledger.tallies.get(speaker.who, {}).items():
                verdict = _verdict(session, requirement, names, tally)
                if verdict is not None:
                    frames = seen.setdefault(requirement, {}).setdefault(verdict, set())
                    frames.update(ref.frame for ref in tally.frames)
    found = []
    for requirement, verdicts in sorted(seen.items()):
        verdict = next(one for one in gravity if one in verdicts)
        cited = sorted(verdicts[verdict])[:MAX_FRAMES]
        found.append({"id": requirement, "verdict": verdict.value, "frames": cited})
    return found


def _verdict(session: Session, requirement: str, names: frozenset[str], tally: Tally) -> Verdict | None:
    """What one sender's tally comes to; None if a breach is what its dialect does, or if nobody can know."""
    if tally.fails:
        return Verdict.FAIL if session.applies(requirement, names) else None
    return Verdict.PASS if tally.passes and not tally.unclear else Verdict.INCONCLUSIVE
