"""The parts of the pages on the interop matrix that are written from its tables: hazards and scenarios."""

from __future__ import annotations

import re
from collections.abc import Callable

from cells import code, plain, table

from conformance.interop.hazards import PAIR_HAZARDS
from conformance.interop.looks import LOOKS
from conformance.interop.scenarios import SCENARIOS
from conformance.model.hazards import KNOWN_HAZARDS


def hazards() -> str:
    """Every hazard that is predicted by name: what it is, what it looks like, where it was seen."""
    configured = (
        (code(one.name), plain(one.what), plain(_told(LOOKS[one.expected])), plain(one.source))
        for one in KNOWN_HAZARDS
    )
    played = (
        (code(one.name), plain(one.what), plain(_told(one.looks)), plain(one.source)) for one in PAIR_HAZARDS
    )
    head = ("hazard", "what it is", "what it looks like", "source")
    return (
        f"### Of a configuration\n\n{table(head, configured)}\n### Of what happens\n\n{table(head, played)}"
    )


def _told(looks: Callable[..., object]) -> str:
    return re.sub(r"\s+", " ", looks.__doc__ or "")


def scenarios() -> str:
    """Every scenario, and what an implementation must be able to do for it."""
    rows = (
        (
            code(one.name),
            plain(one.told),
            str(len(one.machines)),
            "<br>".join(
                f"{role}: {', '.join(map(code, names))}" for role, names in one.needs.items() if names
            ),
        )
        for one in SCENARIOS
    )
    return table(("scenario", "what happens", "machines", "needs"), rows)
