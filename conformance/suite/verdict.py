"""From what a case raised to its verdict, known deviations considered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.segment.decision import Inconclusive, Mismatch, NotApplicable
from conformance.targets.protocol import ConfigurationRefused, Deviation


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of ``pass fail inconclusive not_applicable known_deviation error``, with the sentence that explains it and the deviation that was considered."""

    word: str
    reason: str = ""
    deviation: Deviation | None = None


def expected_deviation(case_id: str, deviations: Iterable[Deviation]) -> Deviation | None:
    """The known deviation for a case: the one with the longest matching prefix of its id."""
    return max(
        (d for d in deviations if case_id.startswith(d.cases)), key=lambda d: len(d.cases), default=None
    )


def excused(requirement: str, monitor: str, text: str, deviations: Iterable[Deviation]) -> Deviation | None:
    """The known deviation for what a monitor noticed: it is to the monitor what it is to a case of the name ``<requirement without CARP->.<monitor>``, its text included."""
    deviation = expected_deviation(f"{requirement.removeprefix('CARP-')}.{monitor}", deviations)
    return deviation if deviation is not None and re.search(deviation.says, text) else None


def verdict(case_id: str, raised: BaseException | None, deviations: Iterable[Deviation]) -> Verdict:
    """The verdict of a case that raised ``raised`` (None: nothing). A known deviation must fail with the text that the profile names, and if it is strict it must fail."""
    deviation = expected_deviation(case_id, deviations)
    if isinstance(raised, NotApplicable):
        return Verdict("not_applicable", str(raised))
    if isinstance(raised, Inconclusive):
        return Verdict("inconclusive", str(raised))
    if raised is None:
        if deviation is None or not deviation.strict:
            return Verdict("pass")
        return Verdict(
            "fail",
            f"passed, although the profile knows a deviation ({deviation.reason}): remove it from the profile or find out what changed",
            deviation,
        )
    if isinstance(raised, Mismatch):
        said = f"expected {raised.expected}; {raised.actual}"
    elif isinstance(raised, ConfigurationRefused):
        said = f"expected the settings of the case to be accepted; {raised}"
    else:
        return Verdict("error", f"{type(raised).__name__}: {raised}")
    if deviation is None:
        return Verdict("fail", said)
    if re.search(deviation.says, str(raised)):
        return Verdict("known_deviation", deviation.reason, deviation)
    return Verdict(
        "fail",
        f"failed otherwise than the known deviation says: {said}",
        deviation,
    )
