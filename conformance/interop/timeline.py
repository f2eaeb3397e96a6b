"""The time line of a run, as documents carry it and pages draw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.segment.trace import Event, FrameSeen, HostEvent, HostKind, TesterAction, Trace
from conformance.targets.protocol import Bench
from conformance.wire.describe import summary

EVENT_LIMIT = 250


def timeline(
    trace: Trace, bench: Bench, cited: frozenset[int], since_ns: int, ended: Sequence[tuple[int, str]] = ()
) -> dict[str, Any]:
    """The events since ``since_ns`` (less a second) that tell most, times in milliseconds from ``since_ns``; ``cited`` are the deciding frames,
    ``ended`` tells when which machine lost a node that had no time to say so.
    """
    events = [event for event in trace.since(since_ns - 1_000_000_000) if _telling(event)]
    kept = sorted(range(len(events)), key=lambda place: (_rank(events[place], cited), place))[:EVENT_LIMIT]
    return {
        "nodes": ["tester", *bench.hosts],
        "events": [
            *_standing(trace, since_ns - 1_000_000_000),
            *(_row(events[place], since_ns, bench, cited) for place in sorted(kept)),
            *(
                {"t_ms": _ms(at_ns - since_ns), "kind": "state", "node": host, "state": "gone"}
                for at_ns, host in ended
            ),
        ],
        "windows": [],
        "truncated": len(events) > EVENT_LIMIT,
    }


def _standing(trace: Trace, from_ns: int) -> list[dict[str, Any]]:
    """The states in which the hosts stood when the time line begins."""
    states: dict[str, str] = {}
    for event in trace.events:
        if event.time_ns < from_ns and isinstance(event, HostEvent) and event.kind is HostKind.STATE:
            states[event.host] = event.text
    return [
        {"t_ms": -1000.0, "kind": "state", "node": host, "state": state} for host, state in states.items()
    ]


def _telling(event: Event) -> bool:
    """Advertisements, ARP, neighbour discovery and what hosts and tester said: not the probes of the service."""
    if not isinstance(event, FrameSeen):
        return True
    frame = event.frame
    return frame.carp is not None or frame.neighbour is not None or (frame.arp is not None and not event.sent)


def _rank(event: Event, cited: frozenset[int]) -> int:
    return 1 if not isinstance(event, FrameSeen) else 0 if event.number in cited else 2


def _row(event: Event, zero_ns: int, bench: Bench, cited: frozenset[int]) -> dict[str, Any]:
    row: dict[str, Any] = {"t_ms": _ms(event.time_ns - zero_ns)}
    match event:
        case FrameSeen():
            deciding = event.number in cited
            return row | {
                "kind": "frame",
                "frame": event.number,
                "node": _node(event, bench),
                "summary": summary(event.frame),
                "deciding": deciding,
            }
        case HostEvent(kind=HostKind.STATE):
            return row | {"kind": "state", "node": event.host, "state": event.text}
        case HostEvent():
            return row | {"kind": "log", "node": event.host, "summary": event.text}
        case TesterAction():
            return row | {"kind": "action", "node": "tester", "summary": event.text}


def _node(event: FrameSeen, bench: Bench) -> str:
    if event.sent:
        return "tester"
    frame = event.frame
    for host in bench.hosts.values():
        arp = frame.arp is not None and frame.arp.sender_mac == host.mac
        if arp or frame.source == host.mac or (frame.ip is not None and frame.ip.source in host.addresses):
            return host.name
    return "unknown"


def _ms(duration_ns: int) -> float:
    return round(duration_ns / 1e6, 3)
