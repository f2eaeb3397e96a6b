"""A mutant: a dialect with one deliberate, named fault. The cases must notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.model.dialects import Dialect


@dataclass(frozen=True, slots=True)
class Mutant:
    """``fault`` turns the rules of ``dialect`` (a key such as ``freebsd-13``) into faulty ones; ``violates`` names the requirements that this breaks."""

    id: str
    about: str
    violates: tuple[str, ...]
    dialect: str
    fault: Callable[[Dialect], Dialect]

    @property
    def group(self) -> str:
        """The group of the first requirement that it violates."""
        return self.violates[0].split("-")[1]
