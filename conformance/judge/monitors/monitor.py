"""What a monitor is: a named passive check and the requirements that it judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.judge.form import Form


@dataclass(frozen=True, slots=True)
class Monitor:
    """A passive check: ``id`` names it, ``requirements`` are catalogue ids, ``about`` says what it looks at."""

    id: str
    requirements: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class FormRule:
    """A requirement that the form of one advertisement decides: ``applies`` to which forms, ``objection`` what is wrong (None: nothing).

    ``only`` and ``but`` restrict the rule to, or exempt, dialects by key beyond what the catalogue's ``holds_for`` says.
    """

    requirement: str
    applies: Callable[[Form], bool]
    objection: Callable[[Form], str | None]
    only: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()
