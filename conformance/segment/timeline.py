"""The time line of a trace, as documents carry it and pages draw it: the events that tell most, one row each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from conformance.segment.trace import Event, FrameSeen, HostEvent, HostKind, TesterAction
from conformance.wire.describe import fields, summary
from conformance.wire.digest import Address


class Plugged(Protocol):
    """A host on the segment, as far as its frames are told by it."""

    name: str
    mac: bytes
    addresses: tuple[Address, ...]


def rows(
    events: Sequence[Event], zero_ns: int, hosts: Iterable[Plugged], cited: Collection[int], limit: int
) -> list[dict[str, Any]]:
    """At most ``limit`` of ``events`` in their order, as rows with times in milliseconds from ``zero_ns``.

    The frames whose numbers are in ``cited`` go first, with their fields, then all that are not frames, then the other frames.
    """
    plugged = tuple(hosts)
    ranks = [_rank(event, cited) for event in events]
    kept = sorted(range(len(events)), key=ranks.__getitem__)[:limit]
    return [_row(events[place], zero_ns, plugged, cited) for place in sorted(kept)]


def ms(duration_ns: int) -> float:
    """Nanoseconds as the milliseconds of a document."""
    return round(duration_ns / 1e6, 3)


def _rank(event: Event, cited: Collection[int]) -> int:
    return 1 if not isinstance(event, FrameSeen) else 0 if event.number in cited else 2


def _row(event: Event, zero_ns: int, hosts: Sequence[Plugged], cited: Collection[int]) -> dict[str, Any]:
    row: dict[str, Any] = {"t_ms": ms(event.time_ns - zero_ns)}
    match event:
        case FrameSeen():
            deciding = event.number in cited
            row |= {
                "kind": "frame",
                "frame": event.number,
                "node": _node(event, hosts),
                "summary": summary(event.frame),
                "deciding": deciding,
            }
            return row | {"fields": [list(pair) for pair in fields(event.frame)]} if deciding else row
        case HostEvent(kind=HostKind.STATE):
            return row | {"kind": "state", "node": event.host, "state": event.text}
        case HostEvent():
            text = event.text if event.kind is HostKind.LOG else f"{event.kind.value}: {event.text}"
            return row | {"kind": "log", "node": event.host, "summary": text}
        case TesterAction():
            return row | {"kind": "action", "node": "tester", "summary": event.text}


def _node(event: FrameSeen, hosts: Sequence[Plugged]) -> str:
    """Who sent a frame: by its addresses, or by what its ARP says of the sender."""
    if event.sent:
        return "tester"
    frame = event.frame
    for host in hosts:
        if (
            frame.source == host.mac
            or (frame.ip is not None and frame.ip.source in host.addresses)
            or (frame.arp is not None and frame.arp.sender_mac == host.mac)
        ):
            return host.name
    return "unknown"
