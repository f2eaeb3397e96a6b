"""The record of a case that has ended: what goes into results.json, and its evidence file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from conformance.segment import evidence
from conformance.segment.segment import Segment
from conformance.segment.timeline import ms, rows
from conformance.suite.cases import Case
from conformance.suite.monitored import monitored
from conformance.suite.verdict import Verdict, verdict
from conformance.targets.protocol import Bench, Profile

EVENT_LIMIT = 400
_KEPT_LINES = 60
_LAB = " --pixit FILE --interface IF --this-segment-is-mine"
"""What the user's own machines need besides; which file that was is the user's business."""


def record(case: Case, profile: Profile, out: Path | None) -> dict[str, Any]:
    """The case as a row of ``results.json`` (see its schema). Writes ``evidence/<case>.pcapng`` under ``out`` if that is given and frames were seen."""
    judged = verdict(case.id, case.raised, profile.deviations)
    segment = case.segment
    decisions = segment.decisions if segment else []
    failed = [decision for decision in decisions if not decision.met]
    row: dict[str, Any] = {
        "id": case.id,
        "group": case.group,
        "title": case.title,
        "requirements": list(case.requirements),
        "verdict": judged.word,
        "reason": judged.reason,
        "expected": [decision.expected for decision in (failed or decisions)]
        or [getattr(case.raised, "expected", "")],
        "actual": "; ".join(decision.actual for decision in (failed or decisions))
        or getattr(case.raised, "actual", ""),
        "duration_s": round(case.duration_s, 3),
        "evidence": None,
        "frames": sorted({number for decision in decisions for number in decision.frames}),
        "deviation": {"reason": judged.deviation.reason, "reference": judged.deviation.reference}
        if judged.deviation
        else None,
        "reproduce": f"carp-conformance run --target {profile.name} '{case.id}'{_LAB if profile.rung == 'lab' else ''}",
        "nodeid": case.nodeid,
        "source": case.source,
        "detail": _detail(case, judged),
        "timeline": _timeline(segment, case.bench)
        if segment and case.bench and segment.trace.events
        else None,
        "rig": _rig(segment) if segment else None,
        "invariants": monitored(case, profile) if out is not None else None,
    }
    if out is not None and segment is not None and segment.trace.frames:
        name = f"evidence/{file_name(case.id)}.pcapng"
        (out / "evidence").mkdir(parents=True, exist_ok=True)
        evidence.write(segment.trace, out / name, comment=f"{case.id}: {judged.word}. {judged.reason}")
        row["evidence"] = name
    return row


def file_name(case_id: str) -> str:
    """A case id as a file name without characters that a shell or a zip reader minds."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", case_id).strip("-")


def _detail(case: Case, judged: Verdict) -> str:
    if judged.word == "error":
        return "\n".join(case.traceback.splitlines()[-_KEPT_LINES:])
    return getattr(case.raised, "context", "")


def _rig(segment: Segment) -> dict[str, Any]:
    lateness = sorted(segment.loop.lateness_ns)
    return {
        "lateness_max_ms": round(lateness[-1] / 1e6, 3) if lateness else 0.0,
        "lateness_p99_ms": round(lateness[len(lateness) * 99 // 100] / 1e6, 3) if lateness else 0.0,
        "timers": len(lateness),
        "frames_dropped": segment.dropped,
    }


def _timeline(segment: Segment, bench: Bench) -> dict[str, Any]:
    events = segment.trace.events
    zero_ns = events[0].time_ns
    windows = [decision for decision in segment.decisions if decision.window is not None]
    cited = {number for decision in segment.decisions for number in decision.frames}
    return {
        "nodes": ["tester", *bench.hosts],
        "events": rows(events, zero_ns, bench.hosts.values(), cited, EVENT_LIMIT),
        "windows": [
            {
                "from_ms": ms(d.window.from_ns - zero_ns),
                "to_ms": ms(d.window.to_ns - zero_ns),
                "summary": d.expected,
                "met": d.met,
                "after_ms": None if d.after_ns is None else ms(d.after_ns),
            }
            for d in windows
            if d.window
        ],
        "truncated": len(events) > EVENT_LIMIT,
    }
