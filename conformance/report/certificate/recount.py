"""Counts the cases of a run again: its summary, its overall verdict and each requirement's follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.catalogue import Catalogue
from conformance.report import invariants, results

Document = Mapping[str, Any]


def totals(document: Document) -> Iterator[str]:
    """A sentence for each total of a results document that its cases do not come to."""
    summary = results.summarise(document["cases"])
    if summary != document["summary"]:
        yield "its summary is not the count of its cases"
    monitored = invariants.collected(document["cases"])
    if monitored != document["invariants"]:
        yield "its invariants are not what the monitors saw in its cases"
    overall = results.overall(summary, monitored)
    if overall != document["verdict"]:
        yield f"its cases come to {overall!r}, it says {document['verdict']!r}"


def requirements(document: Document, catalogue: Catalogue) -> Iterator[str]:
    """A sentence if the rows of its requirements are not what its cases come to; ``catalogue`` is the one that judged it."""
    try:
        rows = results.requirement_verdicts(document["cases"], catalogue)
    except results.UnknownRequirement as error:
        yield str(error)
        return
    for ours, theirs in zip(rows, document["requirements"], strict=False):
        if ours != theirs:
            yield f"the cases of {ours['id']} come to {ours['verdict']}, it says {theirs['verdict']} for {theirs['id']}"
            return
    if len(rows) != len(document["requirements"]):
        yield "it does not list every requirement of the catalogue"
