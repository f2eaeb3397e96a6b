"""Settings that an implementation must take, and settings that it must refuse, as decisions of a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.segment.segment import Segment
from conformance.targets.protocol import ConfigurationRefused
from conformance.targets.subject import Subject

Start = Callable[..., Subject]


def accepts(wire: Segment, start: Start, what: str, **settings: Any) -> Subject:
    """The IUT that runs with ``settings`` (as for the fixture ``start``); ``what`` names them in the
    decision, as in ``advskew 254``. Raises :class:`Mismatch` if it refuses them.
    """
    try:
        subject = start(**settings)
    except ConfigurationRefused as refusal:
        wire.check(
            what,
            f"refused, with exit status {refusal.status}: {refusal.said.strip() or 'not a word'}",
            "accepted",
        )
        raise
    wire.check(what, "accepted", "accepted")
    return subject


def refuses(wire: Segment, start: Start, what: str, **settings: Any) -> ConfigurationRefused:
    """How the IUT refused ``settings``: its exit status and what it said. Raises :class:`Mismatch` if it
    starts with them.
    """
    try:
        start(**settings)
    except ConfigurationRefused as refusal:
        wire.check(what, "refused", "refused")
        return refusal
    wire.check(what, "accepted", "refused")
    raise AssertionError("the check above has failed")
