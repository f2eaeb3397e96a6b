"""The mutants: deliberate faults of the model, each with the requirements that it violates.

One module for each group.
"""

from __future__ import annotations

from conformance.model.mutant import Mutant
from conformance.model.mutants import (
    arp,
    auth,
    demote,
    elect,
    host,
    multi,
    nd,
    preempt,
    robust,
    rx,
    timer,
    unicast,
    wire,
)

_GROUPS = (wire, auth, rx, elect, timer, preempt, demote, arp, nd, multi, unicast, host, robust)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for group in _GROUPS for mutant in group.MUTANTS)
