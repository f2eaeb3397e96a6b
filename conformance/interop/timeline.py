"""The time line of a run of a scenario: what a reader of a cell wants to see of its trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.segment.timeline import ms, rows
from conformance.segment.trace import Event, FrameSeen, HostEvent, HostKind, Trace
from conformance.targets.protocol import SutHost

EVENT_LIMIT = 250
BEFORE_NS = 1_000_000_000
"""How much is shown of what came before the scenario."""


def timeline(
    trace: Trace,
    hosts: Sequence[SutHost],
    cited: frozenset[int],
    since_ns: int,
    ended: Sequence[tuple[int, str]] = (),
) -> dict[str, Any]:
    """The events since ``since_ns`` (less a second) that tell most, times in milliseconds from ``since_ns``; ``cited`` are the deciding frames,
    ``ended`` tells when which machine lost a node that had no time to say so.
    """
    events = [event for event in trace.since(since_ns - BEFORE_NS) if _telling(event)]
    return {
        "nodes": ["tester", *(host.name for host in hosts)],
        "events": [
            *_standing(trace, since_ns - BEFORE_NS),
            *rows(events, since_ns, hosts, cited, EVENT_LIMIT),
            *(
                {"t_ms": ms(at_ns - since_ns), "kind": "state", "node": host, "state": "gone"}
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
        {"t_ms": ms(-BEFORE_NS), "kind": "state", "node": host, "state": state}
        for host, state in states.items()
    ]


def _telling(event: Event) -> bool:
    """Advertisements, ARP, neighbour discovery and what hosts and tester said: not the probes of the service."""
    if not isinstance(event, FrameSeen):
        return True
    frame = event.frame
    return frame.carp is not None or frame.neighbour is not None or (frame.arp is not None and not event.sent)
