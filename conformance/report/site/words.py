"""The words of the matrix site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

ORDER: Final = ("fail", "surprise", "hazard", "pass", "inconclusive", "error", "not_applicable")

WORDS: Final[Mapping[str, str]] = {
    "pass": "pass",
    "hazard": "known hazard",
    "fail": "fail",
    "surprise": "surprise",
    "inconclusive": "inconclusive",
    "error": "error",
    "not_applicable": "not applicable",
}
"""Each verdict as it is read."""

LEGEND: Final[Mapping[str, str]] = {
    "pass": "The pair kept the scenario: one MASTER at the end, gaps within what the tables of both dialects allow.",
    "hazard": "The pair misbehaved in a way that was predicted, and as the hazards named look: every measure lies in their ranges.",
    "fail": "The pair misbehaved and no known hazard says why. It stays a failure when an implementation fails with everyone.",
    "surprise": "A hazard was predicted, and what was seen does not look like it: it converged although that was impossible, or a measure lies outside of what the hazard explains.",
    "inconclusive": "The rig was not precise enough to tell.",
    "error": "The rig broke.",
    "not_applicable": "One of the two does not claim what the scenario needs, or the rung cannot do it.",
}
"""What each verdict means."""


def appearance(looks: Mapping[str, Any]) -> Iterator[str]:
    """What a hazard looks like, a phrase for each measure that it moves."""
    masters = looks["masters"]
    if masters is not None:
        least, most = masters["least"], masters["most"]
        count = str(least) if least == most else f"{least} to {most}"
        yield f"MASTER at the end: {count} of {', '.join(masters['among'])}"
    for measure, name in (
        ("no MASTER", "no_master_ms"),
        ("two MASTERs", "dual_master_ms"),
        ("no service", "service_gap_ms"),
    ):
        if looks[name] is not None:
            yield f"{measure}: {looks[name][0] / 1000:.3f} to {looks[name][1] / 1000:.3f} s"
    if looks["flapping"]:
        yield "mastership may go to and fro"
    if looks["refused"]:
        yield "the settings are refused"
