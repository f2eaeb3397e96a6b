"""The mutants: deliberate faults of the model, each with the requirements that it violates.

One module for each group.
"""

from __future__ import annotations

from conformance.model.mutant import Mutant
from conformance.model.mutants import (
    arp,
    auth,
    conf,
    demote,
    elect,
    log,
    multi,
    nd,
    orders,
    preempt,
    robust,
    rx,
    scenario,
    stats,
    sysctl,
    timer,
    unicast,
    v6,
    wire,
)

_GROUPS = (
    wire,
    auth,
    rx,
    elect,
    timer,
    preempt,
    demote,
    arp,
    nd,
    v6,
    sysctl,
    log,
    stats,
    conf,
    orders,
    multi,
    unicast,
    robust,
    scenario,
)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for group in _GROUPS for mutant in group.MUTANTS)
"""All of them, group by group."""
