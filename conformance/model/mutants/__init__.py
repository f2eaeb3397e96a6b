"""The mutants: deliberate faults of the model, each with the requirements that it violates. One module for each group."""

from __future__ import annotations

from conformance.model.mutant import Mutant
from conformance.model.mutants import wire

MUTANTS: tuple[Mutant, ...] = tuple(mutant for group in (wire,) for mutant in group.MUTANTS)
