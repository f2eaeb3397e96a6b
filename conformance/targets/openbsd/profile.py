"""What is known of OpenBSD before anything is run."""

from __future__ import annotations

from conformance.model.rows import OPENBSD
from conformance.targets import vm
from conformance.targets.model.deviations import KNOWN
from conformance.targets.openbsd.commands import OpenBsd
from conformance.targets.remote.commands import Commands
from conformance.targets.remote.identity import Identity
from conformance.targets.remote.machine import whole
from conformance.targets.remote.target import Family


def commands(identity: Identity, base: int) -> Commands:  # noqa: ARG001  # all of them the same
    return OpenBsd(base)


FAMILY = Family(
    name="openbsd",
    title="OpenBSD",
    system="OpenBSD",
    default=OPENBSD,
    majors=range(5, 100),
    commands=commands,
    place=whole(),
    can_lane=lambda _: False,
    vm=vm.System(
        target="openbsd",
        name="openbsd",
        title="OpenBSD",
        interface="vio1",
        inner_interface="vio2",
        lanes={"kvm": 1, "qemu": 1},
        may_change=("carp", "sysctl", "interface", "addresses", "service"),
        sudo=True,
    ),
    deviations={OPENBSD: KNOWN[OPENBSD]},
)
