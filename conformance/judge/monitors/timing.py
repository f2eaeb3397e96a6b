"""Monitors of the spacing of advertisements and of the time to a take-over (group TIMER)."""

from __future__ import annotations

from conformance.judge.events import Cause, Handover
from conformance.judge.lane import Witness
from conformance.judge.ledger import Ledger
from conformance.judge.monitors.monitor import Monitor
from conformance.judge.rules import Tongue
from conformance.judge.speaker import Speaker
from conformance.segment.segment import NOISE_FACTOR
from conformance.wire.header import interval_ns

MS = 1_000_000
_ENOUGH = 3
_DEMOTED = 240
_CAPTURE_NS = 10 * MS  # how late the machine that captured may have been

MONITORS: tuple[Monitor, ...] = (
    Monitor(
        "interval",
        ("CARP-TIMER-001", "CARP-TIMER-002"),
        "the spacing of a MASTER's advertisements against what they announce",
    ),
    Monitor(
        "take-over-time",
        ("CARP-TIMER-003", "CARP-TIMER-004", "CARP-TIMER-005"),
        "the silence before a take-over against the new MASTER's own timers",
    ),
)

_DOWN_RULE = {"openbsd": "CARP-TIMER-004", "ucarp": "CARP-TIMER-005"}


def finish_intervals(
    ledger: Ledger, speaker: Speaker, tongue: Tongue, witness: Witness | None = None
) -> None:
    """Judges a speaker's spacings: the mean against the dialect's window, then the extremes.

    It is a fault where every spacing is off: in a capture by more than 10 ms, on a rig by more than twice its noise.
    """
    doubt_ns = NOISE_FACTOR * witness.noise_ns if witness is not None else _CAPTURE_NS
    for (advbase, advskew), spacing in speaker.spacings.items():
        low_ns, high_ns = tongue.interval_window_ns(advbase, advskew)
        said = f"advbase {advbase} advskew {advskew} announce {interval_ns(advbase, advskew) / 1e9:.3f} s"
        if spacing.early_ref is not None:
            text = f"{said}, but one came after {spacing.early_ns / 1e9:.3f} s"
            often = spacing.early >= _ENOUGH and spacing.early >= spacing.count
            if often and low_ns - spacing.early_ns > doubt_ns:
                ledger.failed(
                    "CARP-TIMER-001",
                    speaker.who,
                    spacing.early_ref,
                    f"{text}, and {spacing.early - 1} more too early",
                )
                continue
            ledger.unclear("CARP-TIMER-002", speaker.who, spacing.early_ref, text)
        if spacing.count < _ENOUGH:
            continue
        mean_ns = spacing.total_ns // spacing.count
        if low_ns <= mean_ns <= high_ns:
            ledger.passed("CARP-TIMER-001", speaker.who, spacing.low)
        else:
            # Where only some spacings are off, something else than its timer may have been at work.
            ref = spacing.low if mean_ns < low_ns else spacing.high
            clear = max(low_ns - spacing.high_ns, spacing.low_ns - high_ns) > doubt_ns
            text = f"{said}, but the mean spacing is {mean_ns / 1e9:.3f} s"
            (ledger.failed if clear else ledger.unclear)("CARP-TIMER-001", speaker.who, ref, text)
        if low_ns <= spacing.low_ns and spacing.high_ns <= high_ns:
            ledger.passed("CARP-TIMER-002", speaker.who, spacing.high)
        else:
            seen_ns, ref = (
                (spacing.low_ns, spacing.low) if spacing.low_ns < low_ns else (spacing.high_ns, spacing.high)
            )
            ledger.unclear(
                "CARP-TIMER-002", speaker.who, ref, f"{said}, but one came after {seen_ns / 1e9:.3f} s"
            )


def finish_take_over(ledger: Ledger, handover: Handover, tongue: Tongue) -> None:
    """Judges one take-over after silence by the parameters in the new MASTER's first advertisement."""
    advbase, advskew = handover.rank
    if (
        handover.cause is not Cause.SILENCE
        or handover.gap_ns is None
        or advskew >= _DEMOTED
        or handover.rank != handover.new.best
    ):
        return  # a demoted host does not show the parameters that its timer uses
    windows = [one.take_over_window_ns(advbase, advskew) for one in tongue.dialects]
    low_ns, high_ns = min(low for low, _ in windows), max(high for _, high in windows)
    rules = {_DOWN_RULE.get(one.key, "CARP-TIMER-003") for one in tongue.dialects}
    for rule in sorted(rules) if len(rules) == 1 else ():
        if low_ns <= handover.gap_ns <= high_ns:
            ledger.passed(rule, handover.new.who, handover.ref)
        else:
            seen, early, late = handover.gap_ns / 1e9, low_ns / 1e9, high_ns / 1e9
            ledger.unclear(
                rule,
                handover.new.who,
                handover.ref,
                f"it took over after {seen:.3f} s of silence, its timers say {early:.3f} to {late:.3f} s",
            )
