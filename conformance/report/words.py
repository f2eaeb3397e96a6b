"""The words of the report page: what each verdict means, the verdict of a run as a sentence, times and anchors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

WORDS: Final[Mapping[str, str]] = {
    "pass": "pass",
    "fail": "fail",
    "inconclusive": "inconclusive",
    "not_applicable": "not applicable",
    "known_deviation": "known deviation",
    "error": "error",
    "not_covered": "not covered",
}
"""Each verdict as it is read."""

LEGEND: Final[Mapping[str, str]] = {
    "pass": "The implementation was seen to do what the requirement asks.",
    "fail": "The implementation was seen to do something else, or a known deviation is no longer there.",
    "inconclusive": "The rig was not precise enough to tell. It says nothing for or against the implementation.",
    "not_applicable": "The implementation declares that it does not have the feature, so the case was not run.",
    "known_deviation": "The implementation departs from the requirement in the way its profile declares, "
    "with a reason and a reference. It has to depart: when it no longer does, the case fails.",
    "error": "The case could not be carried out because the rig broke. It says nothing about the implementation.",
    "not_covered": "No case of this run cites the requirement.",
}
"""What each verdict means."""

EXIT_RULE: Final = (
    "A run conforms (exit status 0) when at least one case reached a decision and all that did passed or are known "
    "deviations. It fails (1) as soon as one case fails or a monitor sees a requirement broken. It is not decided (3) when "
    "a case is inconclusive, when the rig broke, or when no case reached a decision."
)

NOT_IN_CATALOGUE: Final = "This requirement is not in the catalogue of the suite that wrote this page."


def sentence(document: Mapping[str, Any]) -> tuple[str, str]:
    """The overall verdict: a headline, and a sentence that gives the counts behind it."""
    summary = document["summary"]
    total = sum(summary.values())
    verdict = document["verdict"]
    if verdict == "fails":
        failed = f"{summary['fail']} of {total} cases failed"
        count = sum(row["verdict"] == "fail" for row in document.get("invariants", ()))
        also = f", and {count} {'invariant was' if count == 1 else 'invariants were'} broken" if count else ""
        return "Does not conform", f"{failed}{also}."
    if verdict == "error":
        broken = f"The rig broke in {summary['error']} of {total} cases."
        return "Not decided", broken if summary["error"] else "Not every case left a record."
    if verdict == "conforms":
        known = summary["known_deviation"]
        declared = f"; {known} {'deviates' if known == 1 else 'deviate'} as declared" if known else ""
        return "Conforms", f"{summary['pass']} of {total} cases passed, none failed{declared}."
    if summary["inconclusive"]:
        count = summary["inconclusive"]
        return "Not decided", f"{count} of {total} cases {'was' if count == 1 else 'were'} inconclusive."
    if summary["pass"] + summary["known_deviation"]:
        return "Not decided", "No case failed so far, but the run did not end."
    return "Not decided", "No case reached a decision."


def seconds(value: float | None) -> str:
    """A duration for a reader; minutes from two minutes on."""
    if value is None:
        return "not known"
    if value < 120:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02} s"


def instant(value: str | None) -> str:
    """A time stamp of the document (RFC 3339, UTC) for a reader."""
    if value is None:
        return "not known"
    return datetime.fromisoformat(value).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def case_anchor(case_id: str) -> str:
    """The id of a case's element, which is also the fragment that links to it."""
    return f"case:{quoted(case_id)}"


@lru_cache(maxsize=4096)  # a page links to each case from several places
def quoted(text: str) -> str:
    """`text` as a part of a link."""
    return quote(text, safe="", errors="replace")


def declared(value: object) -> str:
    """A value that an implementation declares (PICS) or a monitor reports, for a reader."""
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "not said"}[value]
    if isinstance(value, list):
        return ", ".join(declared(item) for item in value) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
