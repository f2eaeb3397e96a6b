"""The record of a case that has ended: what goes into results.json, and its evidence file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from conformance.segment import evidence
from conformance.segment.segment import Segment
from conformance.segment.trace import Event, FrameSeen, HostEvent, HostKind
from conformance.suite.cases import Case
from conformance.suite.verdict import Verdict, verdict
from conformance.targets.protocol import Bench, Profile
from conformance.wire.describe import fields, summary

EVENT_LIMIT = 400
_KEPT_LINES = 60


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
        "reproduce": f"carp-conformance run --target {profile.name} '{case.id}'",
        "nodeid": case.nodeid,
        "source": case.source,
        "detail": _detail(case, judged),
        "timeline": _timeline(segment, case.bench)
        if segment and case.bench and segment.trace.events
        else None,
        "rig": _rig(segment) if segment else None,
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
    rows = [_event(event, zero_ns, bench, cited) for event in _most_telling(events, cited)]
    return {
        "nodes": ["tester", *bench.hosts],
        "events": rows,
        "windows": [
            {
                "from_ms": _ms(d.window.from_ns - zero_ns),
                "to_ms": _ms(d.window.to_ns - zero_ns),
                "summary": d.expected,
                "met": d.met,
                "after_ms": None if d.after_ns is None else _ms(d.after_ns),
            }
            for d in windows
            if d.window
        ],
        "truncated": len(events) > EVENT_LIMIT,
    }


def _most_telling(events: list[Event], cited: set[int]) -> list[Event]:
    """At most ``EVENT_LIMIT`` events in order: the cited frames first, then all that are not frames, then the other frames."""

    def rank(event: Event) -> int:
        return 1 if not isinstance(event, FrameSeen) else 0 if event.number in cited else 2

    kept = sorted(range(len(events)), key=lambda i: rank(events[i]))[:EVENT_LIMIT]
    return [events[i] for i in sorted(kept)]


def _event(event: Event, zero_ns: int, bench: Bench, cited: set[int]) -> dict[str, Any]:
    row: dict[str, Any] = {"t_ms": _ms(event.time_ns - zero_ns)}
    if isinstance(event, FrameSeen):
        row |= {
            "kind": "frame",
            "frame": event.number,
            "node": _node(event, bench),
            "summary": summary(event.frame),
            "deciding": event.number in cited,
        }
        if event.number in cited:
            row["fields"] = [list(pair) for pair in fields(event.frame)]
        return row
    if isinstance(event, HostEvent):
        if event.kind is HostKind.STATE:
            return row | {"kind": "state", "node": event.host, "state": event.text}
        return row | {
            "kind": "log",
            "node": event.host,
            "summary": f"{event.kind.value}: {event.text}" if event.kind is not HostKind.LOG else event.text,
        }
    return row | {"kind": "action", "node": "tester", "summary": event.text}


def _node(event: FrameSeen, bench: Bench) -> str:
    if event.sent:
        return "tester"
    for host in bench.hosts.values():
        if event.frame.source == host.mac or (
            event.frame.ip is not None and event.frame.ip.source in host.addresses
        ):
            return host.name
        if event.frame.arp is not None and event.frame.arp.sender_mac == host.mac:
            return host.name
    return "unknown"


def _ms(duration_ns: int) -> float:
    return round(duration_ns / 1e6, 3)
