"""The mutants: deliberate faults of the model, each with the requirements that it violates.

One module for each group.
"""

from __future__ import annotations

from conformance.model.mutant import Mutant
from conformance.model.mutants import (
    arp,
    auth,
    balancing,
    conf,
    demote,
    elect,
    interop,
    living,
    log,
    machine,
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
    vrrp3,
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
    balancing,
    unicast,
    vrrp3,
    robust,
    scenario,
    interop,
    living,
    machine,
)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for group in _GROUPS for mutant in group.MUTANTS)
"""All of them, group by group."""
