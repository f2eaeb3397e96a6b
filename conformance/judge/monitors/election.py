"""Monitors of the election as the wire shows it: farewells, preemption, and that one MASTER is left (groups
ELECT and PREEMPT).
"""

from __future__ import annotations

from conformance.judge.digests import believes
from conformance.judge.events import Cause, DualMaster, Handover
from conformance.judge.history import History
from conformance.judge.ledger import Ledger
from conformance.judge.monitors.monitor import Monitor
from conformance.judge.speaker import Speaker
from conformance.wire.header import interval_ns

MS = 1_000_000
SOON_NS = 1_200 * MS
"""Within this time of a farewell a BACKUP that heard it is MASTER; ucarp may see it a second late."""
_SETTLED = 10  # intervals, as in the test that the catalogue gives for CARP-ELECT-028

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


def finish(
    ledger: Ledger, history: History, speakers: list[Speaker], calm_until_ns: int | None = None
) -> None:
    """Judges the history of one virtual host in one family.

    In the trace of a case nobody disturbed the hosts until ``calm_until_ns``; only what they did before that is held against them. None: a capture.
    """
    for speaker in speakers:
        if speaker.bow_outs:
            ledger.passed("CARP-ELECT-015", speaker.who, speaker.last)
    for handover in history.handovers:
        if handover.cause is Cause.BOW_OUT:
            _farewell(ledger, handover)
        elif handover.cause in (Cause.PREEMPTION, Cause.DEMOTION):
            _preemption(ledger, handover, history.duals, calm_until_ns)
    if sum(speaker.count > 1 for speaker in speakers) > 1:
        _settled(ledger, history)
        if calm_until_ns is not None:
            _side_by_side(ledger, history.duals, calm_until_ns)


def _farewell(ledger: Ledger, handover: Handover) -> None:
    gap_ns = handover.gap_ns or 0
    if gap_ns <= SOON_NS:
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


def _side_by_side(ledger: Ledger, duals: list[DualMaster], calm_until_ns: int) -> None:
    """Two MASTERs that could believe each other, of different rank, for ten intervals in which nobody disturbed them."""
    for dual in duals:
        older, younger = dual.older, dual.younger
        if older.key is None or younger.key is None or older.best is None or younger.best is None:
            continue
        long_ns = dual.end_ns - dual.start_ns
        enough_ns = _SETTLED * max(interval_ns(*older.best), interval_ns(*younger.best))
        alike = believes(older.key.material, younger.key.material) and older.best != younger.best
        if alike and dual.end_ns <= calm_until_ns and long_ns >= enough_ns:
            text = f"{older.source} and {younger.source} are both MASTER for {long_ns / 1e9:.3f} s"
            ledger.failed("CARP-ELECT-028", younger.who, dual.start, text)


def _preemption(
    ledger: Ledger, handover: Handover, duals: list[DualMaster], calm_until_ns: int | None
) -> None:
    old = handover.old
    assert old is not None
    assert old.best is not None
    for dual in duals:
        if dual.older is old and dual.younger is handover.new and dual.start == handover.ref:
            long = dual.end_ns - dual.start_ns
            if long > interval_ns(*old.best):
                text = f"it went on for {long / MS:.0f} ms after it was preempted"
                sure = calm_until_ns is None or dual.end_ns <= calm_until_ns
                (ledger.failed if sure else ledger.unclear)("CARP-PREEMPT-008", old.who, dual.end, text)
                return
    ledger.passed("CARP-PREEMPT-008", old.who, handover.ref)
