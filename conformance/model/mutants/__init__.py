"""The mutants: deliberate faults of the model, each with the requirements that it violates. One module for each group."""

from __future__ import annotations

from conformance.model.mutant import Mutant
from conformance.model.mutants import auth, rx, wire

MUTANTS: tuple[Mutant, ...] = tuple(mutant for group in (wire, auth, rx) for mutant in group.MUTANTS)
