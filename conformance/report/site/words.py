"""The words of the matrix site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
    "hazard": "The pair misbehaved in a way that was predicted, by the hazards named.",
    "fail": "The pair misbehaved and no known hazard says why. It stays a failure when an implementation fails with everyone.",
    "surprise": "A hazard was certain by the tables, and the pair converged all the same: the prediction is wrong, or something was mended.",
    "inconclusive": "The rig was not precise enough to tell.",
    "error": "The rig broke.",
    "not_applicable": "One of the two does not claim what the scenario needs, or the rung cannot do it.",
}
"""What each verdict means."""
