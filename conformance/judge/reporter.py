"""What a live view tells a collector: each thing that happens, once, as a JSON object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.judge import document, inspection
from conformance.judge.events import DualMaster, Handover
from conformance.judge.session import Session


class Reporter:
    """Tells each new event once: hand-overs, times with two masters, findings."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self._emit = emit
        self._told: set[tuple[object, ...]] = set()

    def look(self, session: Session) -> None:
        """Emits what happened since the last look."""
        for host in session.hosts.values():
            for family in host.families.values():
                where = {"vhid": host.vhid, "family": family.version, "vlans": list(host.vlans)}
                key = (host.vlans, host.vhid, family.version)
                for handover in family.history.handovers:
                    self._once(
                        (*key, "h", handover.ref), {"event": "handover", **where, **_handover(handover)}
                    )
                for older, younger in family.history.side_by_side():
                    began = {
                        "time": document.iso(younger.since_ns),
                        "masters": [str(older.speaker.source), str(younger.speaker.source)],
                    }
                    self._once(
                        (*key, "b", younger.since, younger.speaker),
                        {"event": "two-masters", **where, **began},
                    )
                for dual in family.history.duals:
                    self._once(
                        (*key, "d", dual.start, dual.younger),
                        {"event": "dual-master", **where, **_dual(dual)},
                    )
                for found in inspection.of_family(session, host, family):
                    event = {
                        "event": "finding",
                        **where,
                        "id": found.id,
                        "severity": found.severity.word,
                        "text": found.text,
                    }
                    self._once((*key, "f", found.id, found.severity), event)

    def _once(self, key: tuple[object, ...], event: dict[str, Any]) -> None:
        if key not in self._told and len(self._told) < 100_000:
            self._told.add(key)
            self._emit(event)


def _handover(one: Handover) -> dict[str, Any]:
    gap = round(one.gap_ns / 1e6, 3) if one.gap_ns is not None else None
    return {
        "time": document.iso(one.time_ns),
        "from": str(one.old.source) if one.old else None,
        "to": str(one.new.source),
        "gap_ms": gap,
        "cause": one.cause.value,
    }


def _dual(one: DualMaster) -> dict[str, Any]:
    return {
        "time": document.iso(one.start_ns),
        "ms": round((one.end_ns - one.start_ns) / 1e6, 3),
        "masters": [str(one.older.source), str(one.younger.source)],
    }
