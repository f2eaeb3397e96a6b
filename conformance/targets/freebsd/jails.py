"""Lanes on one FreeBSD machine: a VNET jail each, with an epair that a bridge joins to the lane's VLAN, so that the sysctls of CARP are the lane's own."""

from __future__ import annotations

from conformance.targets.pixit import PixitHost
from conformance.targets.remote.bench import Lane
from conformance.targets.remote.commands import Change, load_module
from conformance.targets.remote.identity import Identity
from conformance.targets.remote.machine import Setup

FIRST_MAJOR = 12
"""From this version on the GENERIC kernel has VNET."""
_MODULES = ("carp", "if_bridge", "if_epair", "if_vlan")


def can_lane(identity: Identity) -> bool:
    """Whether the machine has jails with a network stack of their own."""
    return identity.number[0] >= FIRST_MAJOR


def place(identity: Identity, host: PixitHost, lane: Lane) -> Setup:
    """The interface itself, or the jail of the lane. Its link cannot be lost from the far end of the epair, which stays up whatever the other end does: the
    interface goes down instead.
    """
    if lane.vlan is None or not can_lane(identity):
        return Setup(host.interface, changes=(load_module("carp"),))
    vlan, bridge, pair, jail = (f"{name}{lane.vlan}" for name in ("vlan", "bridge", "epair", "carp"))
    inside = f"{pair}b"
    mac = f"02:ca:00:{lane.vlan >> 8:02x}:{lane.vlan & 0xFF:02x}:{ord(host.name):02x}"
    changes = (
        *map(load_module, _MODULES),
        Change(
            f"ifconfig {vlan} create vlan {lane.vlan} vlandev {host.interface} up",
            f"ifconfig {vlan} destroy 2>/dev/null || :",
        ),
        Change(f"ifconfig {pair} create", f"ifconfig {pair}a destroy 2>/dev/null || :"),
        Change(f"ifconfig {pair}a up && ifconfig {inside} ether {mac}"),
        Change(f"ifconfig {bridge} create", f"ifconfig {bridge} destroy 2>/dev/null || :"),
        Change(f"ifconfig {bridge} addm {vlan} addm {pair}a up"),
        Change(
            f"jail -c name={jail} path=/ host.hostname={host.name} vnet vnet.interface={inside} persist",
            f"jail -r {jail} 2>/dev/null || :",
        ),
    )
    return Setup(inside, f"jexec {jail} /bin/sh", changes)
