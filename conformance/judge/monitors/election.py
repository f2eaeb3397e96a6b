"""Monitors of the election as the wire shows it: farewells, preemption, and that one MASTER is left (groups
ELECT and PREEMPT).
"""

from __future__ import annotations

from conformance.judge.history import Cause, DualMaster, Handover, History
from conformance.judge.ledger import Ledger
from conformance.judge.monitors.monitor import Monitor
from conformance.judge.speaker import Speaker
from conformance.wire.header import interval_ns

MS = 1_000_000
_SOON_NS = 1_200 * MS

MONITORS: tuple[Monitor, ...] = (
    Monitor(
        "farewell",
        ("CARP-ELECT-014", "CARP-ELECT-015"),
        "the bow-out 255/255 and how soon somebody else is MASTER",
    ),
    Monitor(
        "preemption",
        ("CARP-PREEMPT-008",),
        "that the former MASTER yields to a better one within an interval",
    ),
    Monitor("one-master", ("CARP-ELECT-028",), "that several hosts settle on one MASTER"),
)


def finish(ledger: Ledger, history: History, speakers: list[Speaker]) -> None:
    """Judges the history of one virtual host in one family."""
    for speaker in speakers:
        if speaker.bow_outs:
            ledger.passed("CARP-ELECT-015", speaker.who, speaker.last)
    for handover in history.handovers:
        if handover.cause is Cause.BOW_OUT:
            _farewell(ledger, handover)
        elif handover.cause in (Cause.PREEMPTION, Cause.DEMOTION):
            _preemption(ledger, handover, history.duals)
    if sum(speaker.count > 1 for speaker in speakers) > 1:
        _settled(ledger, history)


def _farewell(ledger: Ledger, handover: Handover) -> None:
    gap_ns = handover.gap_ns or 0
    if gap_ns <= _SOON_NS:
        ledger.passed("CARP-ELECT-014", handover.new.who, handover.ref)
    else:
        text = f"it took over only {gap_ns / 1e9:.3f} s after the bow-out"
        ledger.unclear("CARP-ELECT-014", handover.new.who, handover.ref, text)


def _settled(ledger: Ledger, history: History) -> None:
    for stand in history.standing.values():
        if len(history.standing) == 1:
            ledger.passed("CARP-ELECT-028", stand.speaker.who, stand.last)
        else:
            text = "the capture ends with more than one MASTER"
            ledger.unclear("CARP-ELECT-028", stand.speaker.who, stand.last, text)


def _preemption(ledger: Ledger, handover: Handover, duals: list[DualMaster]) -> None:
    old = handover.old
    assert old is not None
    assert old.best is not None
    for dual in duals:
        if dual.older is old and dual.younger is handover.new and dual.start == handover.ref:
            long = dual.end_ns - dual.start_ns
            if long > interval_ns(*old.best):
                ledger.failed(
                    "CARP-PREEMPT-008",
                    old.who,
                    dual.end,
                    f"it went on for {long / MS:.0f} ms after it was preempted",
                )
                return
    ledger.passed("CARP-PREEMPT-008", old.who, handover.ref)
