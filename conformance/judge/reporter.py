"""What a live view tells a collector: each thing that happens, once, as a JSON object."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from conformance.judge import document, inspection, surroundings
from conformance.judge.events import DualMaster, Handover
from conformance.judge.findings import Finding
from conformance.judge.history import History
from conformance.judge.session import Session


@dataclass(slots=True)
class _Told:
    """What was told of one place so far: the latest events of each kind, and the findings."""

    handover: Handover | None = None
    handovers: int = 0
    duals: int = 0
    pairs: frozenset[tuple[object, ...]] = frozenset()
    findings: set[tuple[object, ...]] = field(default_factory=set)


class Reporter:
    """Tells each new event once: hand-overs, times with two masters, findings."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self._emit = emit
        self._told: dict[tuple[object, ...], _Told] = {}

    def look(self, session: Session) -> None:
        """Emits what happened since the last look."""
        for host in session.hosts.values():
            for family in host.families.values():
                where = {"vhid": host.vhid, "family": family.version, "vlans": list(host.vlans)}
                told = self._told.setdefault((host.vlans, host.vhid, family.version), _Told())
                self._events(told, where, family.history)
                self._findings(told, where, inspection.of_family(session, host, family))
        for place, election in session.vrrp.items():
            vlans, vrid, version = place
            where = {"vrid": vrid, "family": version, "vlans": list(vlans)}
            self._events(self._told.setdefault(("vrrp", *place), _Told()), where, election.history)
        self._findings(self._told.setdefault((), _Told()), {}, surroundings.of_segment(session))

    def _events(self, told: _Told, where: dict[str, Any], history: History) -> None:
        fresh, told.handovers = history.handovers[told.handovers :], len(history.handovers)
        if not fresh and history.latest is not told.handover and history.latest is not None:
            fresh = [history.latest]  # more than a history keeps
        told.handover = history.latest
        for handover in fresh:
            self._emit({"event": "handover", **where, **_handover(handover)})
        pairs = set()
        for older, younger in history.side_by_side():
            pair = (older.speaker, younger.speaker, younger.since)
            pairs.add(pair)
            if pair not in told.pairs:
                masters = [str(older.speaker.source), str(younger.speaker.source)]
                began = document.iso(younger.since_ns)
                self._emit({"event": "two-masters", **where, "time": began, "masters": masters})
        told.pairs = frozenset(pairs)
        fresh_duals, told.duals = history.duals[told.duals :], len(history.duals)
        for dual in fresh_duals:
            self._emit({"event": "dual-master", **where, **_dual(dual)})

    def _findings(self, told: _Told, where: dict[str, Any], findings: Iterable[Finding]) -> None:
        for found in findings:
            key = (found.id, found.severity)
            if key not in told.findings:
                told.findings.add(key)
                event = {"id": found.id, "severity": found.severity.word, "text": found.text}
                self._emit({"event": "finding", **where, **event})


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
