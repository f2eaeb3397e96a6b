"""What a monitor is: a named passive check and the requirements that it judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.judge.form import Form


@dataclass(frozen=True, slots=True)
class Monitor:
    """A passive check: ``id`` names it, ``requirements`` are catalogue ids, ``about`` says what it looks
    at.
    """

    id: str
    requirements: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class FormRule:
    """A requirement that the form of one advertisement decides: ``applies`` to which forms, ``objection``
    what is wrong (None: nothing).

    ``only`` limits the rule to these dialects, ``but`` exempts them, where the dialect is told or shows in
    the form itself.
    """

    requirement: str
    applies: Callable[[Form], bool]
    objection: Callable[[Form], str | None]
    only: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()

    def concerns(self, form: Form, names: frozenset[str]) -> bool:
        """Whether the rule is to be judged on ``form``; ``names`` are the dialects its sender is known to
        talk, empty if that is open.
        """
        if self.only and not names & self.only:
            return False
        if names and names <= self.but:
            return False
        return self.applies(form)
