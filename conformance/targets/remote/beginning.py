"""Before the first case: an interface gets the addresses that the PIXIT names, and must be nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_interface

from conformance.lab.shell import HostError
from conformance.targets.remote.commands import Change, family
from conformance.targets.remote.ifconfig import Shown
from conformance.targets.remote.machine import Machine
from conformance.wire.digest import Address


@dataclass(frozen=True, slots=True)
class Rights:
    """What may be changed on the machines besides virtual hosts (``may_change`` of the PIXIT)."""

    addresses: bool = False


def prepare(machine: Machine, shown: Shown, wanted: Sequence[Address], rights: Rights) -> None:
    """Gives the interface the addresses that it does not have, and takes it up; all of that stays until the place is given up. Raises :class:`HostError`."""
    there = {one.ip for one in shown.own}
    missing = [one for one in wanted if one not in there]
    if missing and not rights.addresses:
        raise HostError(
            machine.name,
            f"{shown.name} does not have {', '.join(map(str, missing))}",
            "configure it, or name addresses in may_change",
        )
    changes = [] if shown.up else [Change(f"ifconfig {shown.name} up", f"ifconfig {shown.name} down")]
    for one in missing:
        whole = ip_interface(f"{one}/{24 if one.version == 4 else 64}")
        words = f"ifconfig {shown.name} {family(one)}"
        if one.version == 6 and shown.ipv6_disabled:
            changes.append(Change(f"{words} -ifdisabled", f"{words} ifdisabled"))
        changes.append(Change(f"{words} {whole} alias", f"{words} {one} -alias"))
    if changes:
        machine.must_change(*changes)
        machine.keep()


def mac_of(machine: Machine, shown: Shown) -> bytes:
    """The MAC address of the interface. Raises :class:`HostError` if it has none."""
    if shown.mac is None:
        raise HostError(
            machine.name, f"{shown.name} has no MAC address", "name the interface on the CARP segment"
        )
    return shown.mac


def expect_none(machine: Machine, shown: Shown) -> None:
    """A virtual host that is there already is not the tester's: it would take part in every case. Raises :class:`HostError`."""
    found = sorted(one.vhid for one in shown.virtual)
    if found:
        raise HostError(
            machine.name,
            f"{shown.name} has virtual hosts that the tester did not make (vhid {', '.join(map(str, found))})",
            "remove them, or give another interface",
        )
