"""Mutants of SCENARIO: what users ran into."""

from __future__ import annotations

from conformance.model.actions import State
from conformance.model.announcing import Answer, Mac
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    common,
    mutant,
    rules,
    sending,
)
from conformance.model.vhost import Port

BACKUP, MASTER = State.BACKUP, State.MASTER


def _from_the_virtual_mac(port: Port, data: bytearray, _: int | None) -> None:
    """Every frame leaves from a virtual MAC."""
    if port.vhosts:
        data[6:12] = next(iter(port.vhosts.values())).mac


MUTANTS: tuple[Mutant, ...] = (
    mutant("backup-uses-the-virtual-mac", "a BACKUP sends from the virtual MAC (toreamun/opnsense-plugins#99)",
           "SCENARIO-011", "freebsd-13", sending(_from_the_virtual_mac)),
    mutant("backup-answers-from-the-virtual-mac", "a BACKUP answers an echo from the virtual MAC",
           "SCENARIO-011 ARP-010", "openbsd", common(answers_in=(BACKUP, MASTER))),
    mutant("address-answers-nobody", "what is sent to the shared address does not arrive (opnsense/src#319)",
           "SCENARIO-010", "freebsd-13", rules(arp_answer=Answer(Mac.PHYSICAL, Mac.ZERO))),
)  # fmt: skip
