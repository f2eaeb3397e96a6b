"""What is known of FreeBSD 10 and later before anything is run."""

from __future__ import annotations

from conformance.model.rows import FREEBSD_13, FREEBSDS
from conformance.targets import vm
from conformance.targets.freebsd.commands import FreeBsd
from conformance.targets.freebsd.jails import can_lane, place
from conformance.targets.model.deviations import KNOWN
from conformance.targets.remote.commands import Commands
from conformance.targets.remote.identity import Identity
from conformance.targets.remote.target import Family

LIBXO_SINCE = 11
"""The major version from which on netstat(1) prints by libxo(3)."""


def commands(identity: Identity, base: int) -> Commands:  # noqa: ARG001  # no carp interfaces to count
    return FreeBsd(libxo=identity.number[0] >= LIBXO_SINCE)


FAMILY = Family(
    name="freebsd",
    title="FreeBSD 10 or later",
    system="FreeBSD",
    default=FREEBSD_13,
    majors=range(10, 100),
    commands=commands,
    place=place,
    can_lane=can_lane,
    vm=vm.System(
        target="freebsd",
        name="freebsd",
        title="FreeBSD",
        interface="vtnet1",
        inner_interface="vtnet2",
        lanes={"kvm": 12, "qemu": 4},
        may_change=("carp", "sysctl", "interface", "addresses", "service"),
        sudo=True,
    ),
    deviations={key: KNOWN[key] for key in FREEBSDS},
)
