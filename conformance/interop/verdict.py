"""The verdict of a run, and of a cell: what was observed against what was predicted, in both directions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.interop.fault import Fault, Measure
from conformance.interop.looks import Looks, Range
from conformance.interop.predict import Named, Predicted, Prediction
from conformance.interop.run import Observed, Ran
from conformance.segment.decision import seconds
from conformance.segment.segment import NOISE_FACTOR

VERDICTS = ("pass", "hazard", "fail", "surprise", "inconclusive", "error", "not_applicable")
"""The verdicts of a cell, see :data:`conformance.report.site.words.LEGEND`."""
_WORST_FIRST = ("fail", "surprise", "error", "inconclusive", "hazard", "pass")


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict of one run, one sentence that says why, and the names of the hazards that were ``seen``."""

    verdict: str
    reason: str
    seen: frozenset[str] = frozenset()


def cell_verdict(prediction: Prediction, verdicts: Sequence[Judged]) -> tuple[str, str, int]:
    """The verdict of a cell, its reason, and the place of the run that decides it: the worst."""
    if prediction.outcome is Predicted.NOT_APPLICABLE:
        return "not_applicable", prediction.reason, 0
    place = min(range(len(verdicts)), key=lambda one: _WORST_FIRST.index(verdicts[one].verdict))
    worst = verdicts[place]
    count = sum(one.verdict == worst.verdict for one in verdicts)
    times = f" ({count} of {len(verdicts)} runs)" if len(verdicts) > 1 else ""
    return worst.verdict, worst.reason + times, place


def judged(prediction: Prediction, ran: Ran) -> Judged:
    """Holds a run against its prediction. A fault that no predicted hazard looks like, and a certain hazard that does not look as it must, are surprises."""
    said = "; ".join(one.text for one in ran.faults)
    if ran.observed in (Observed.INCONCLUSIVE, Observed.ERROR):
        return Judged(str(ran.observed), said)
    if not prediction.hazards:
        return (
            Judged("fail", f"no hazard is known, and {said}")
            if ran.faults
            else Judged("pass", "converges as predicted")
        )
    late_ns = 0 if prediction.plan is None else max(ran.lasted_ns - prediction.plan.end_ns, 0)
    missing = list(_missing(prediction.hazards, ran, late_ns))
    strange = list(_strange(prediction.hazards, ran, late_ns))
    doubts = [text for text, miss_ns in (*missing, *strange) if miss_ns <= NOISE_FACTOR * ran.noise_ns]
    sure = [text for text, miss_ns in (*missing, *strange) if miss_ns > NOISE_FACTOR * ran.noise_ns]
    if sure:
        return Judged("surprise", "; ".join(sure))
    if doubts:
        return Judged("inconclusive", f"{'; '.join(doubts)}; but this machine was busy")
    names = ", ".join(one.name for one in prediction.hazards)
    if not ran.faults:
        return Judged("pass", f"{names} may show, and did not")
    seen = [
        one.name
        for one in prediction.hazards
        if one.certain or any(_explains(one.looks, fault, ran, late_ns) == 0 for fault in ran.faults)
    ]
    return Judged("hazard", f"{', '.join(seen)}: {said}", frozenset(seen))


def _strange(hazards: Sequence[Named], ran: Ran, late_ns: int) -> Iterator[tuple[str, int]]:
    """The faults that none of the hazards looks like, and by how much they miss the nearest."""
    for fault in ran.faults:
        miss_ns = min(_explains(one.looks, fault, ran, late_ns) for one in hazards)
        if miss_ns:
            names = ", ".join(one.name for one in hazards)
            yield f"{fault.text}, and {names} does not look so{_looked_for(hazards, fault)}", miss_ns


_NEVER_NS = 1 << 62


def _explains(looks: Looks, fault: Fault, ran: Ran, late_ns: int) -> int:
    """0 if the fault is one that this hazard shows, else by how much it misses that."""
    match fault.measure:
        case Measure.ENDS:
            alike = (
                looks.ends is not None
                and fault.vhid == looks.vhid
                and looks.ends.holds(ran.ends.get(fault.vhid, frozenset()))
            )
        case Measure.FLAPPING:
            alike = looks.flapping
        case Measure.REFUSED:
            alike = looks.refused
        case _:
            bounds_ns = _range_of(looks, fault.measure)
            return _NEVER_NS if bounds_ns is None else _miss_ns(fault.value_ns, bounds_ns, late_ns)
    return 0 if alike else _NEVER_NS


def _range_of(looks: Looks, measure: Measure) -> Range | None:
    match measure:
        case Measure.NO_MASTER | Measure.EARLY:
            return looks.no_master_ns
        case Measure.DUAL_MASTER:
            return looks.dual_master_ns
        case Measure.SERVICE:
            return looks.service_ns
    return None


def _looked_for(hazards: Sequence[Named], fault: Fault) -> str:
    known = [bounds_ns for one in hazards if (bounds_ns := _range_of(one.looks, fault.measure)) is not None]
    return f" ({', '.join(f'{seconds(low)} to {seconds(high)}' for low, high in known)})" if known else ""


def _miss_ns(value_ns: int, bounds_ns: Range, late_ns: int) -> int:
    """By how much a time lies outside; what the drivers of a live run took makes all of it longer."""
    return max(bounds_ns[0] - value_ns, value_ns - bounds_ns[1] - late_ns, 0)


def _missing(hazards: Sequence[Named], ran: Ran, late_ns: int) -> Iterator[tuple[str, int]]:
    """What a certain hazard must show and did not, and by how much."""
    for one in hazards:
        if not one.certain:
            continue
        if one.looks.refused:
            if ran.observed is not Observed.REFUSED:
                yield f"{one.name} was predicted, and nothing refused its settings", _NEVER_NS
            continue
        at_end = ran.ends.get(one.looks.vhid, frozenset())
        if one.looks.ends is not None and not one.looks.ends.holds(at_end):
            yield f"{one.name} was predicted, and at the end {_who(at_end)} MASTER", _NEVER_NS
        for told, bounds_ns, value_ns in _times(one.looks, ran):
            miss_ns = _miss_ns(value_ns, bounds_ns, late_ns)
            if miss_ns:
                expected = f"{seconds(bounds_ns[0])} to {seconds(bounds_ns[1])}"
                yield f"{one.name} was predicted, and {told} for {seconds(value_ns)}, not {expected}", miss_ns


def _times(looks: Looks, ran: Ran) -> Iterator[tuple[str, Range, int]]:
    seen = ran.measured
    if seen is None:
        return
    if looks.no_master_ns is not None:
        yield "nobody was MASTER", looks.no_master_ns, seen.no_master_ns
    if looks.dual_master_ns is not None:
        yield "two were MASTER", looks.dual_master_ns, seen.dual_master_ns
    if looks.service_ns is not None and ran.service_ns is not None:
        yield "the service was gone", looks.service_ns, ran.service_ns


def _who(hosts: frozenset[str]) -> str:
    return (
        "nobody is"
        if not hosts
        else f"{min(hosts)} is"
        if len(hosts) == 1
        else f"{' and '.join(sorted(hosts))} are"
    )
