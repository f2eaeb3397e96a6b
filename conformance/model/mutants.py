"""The mutants: deliberate faults of the model, each with the requirements that it violates."""

from __future__ import annotations

from dataclasses import replace

from conformance.model import election, transitions
from conformance.model.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    Mutant("tie-kept", "a MASTER stays on an equal advertisement", ("CARP-ELECT-005",), "freebsd-13", lambda d: replace(d, yields=lambda heard: heard.own_ns > heard.heard_ns)),
    Mutant("never-yields", "a MASTER never steps down", ("CARP-ELECT-003",), "freebsd-13", lambda d: replace(d, yields=election.relieves_nobody)),
)
assert transitions.FREEBSD
