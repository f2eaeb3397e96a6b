"""What is known of FreeBSD 5.4 to 9 before anything is run."""

from __future__ import annotations

from conformance.model.rows import LEGACIES, LEGACY
from conformance.targets import vm
from conformance.targets.freebsd_legacy.commands import FreeBsdLegacy
from conformance.targets.model.deviations import KNOWN
from conformance.targets.remote.commands import Commands, load_module
from conformance.targets.remote.identity import Identity
from conformance.targets.remote.machine import whole
from conformance.targets.remote.target import Family


def commands(identity: Identity, base: int) -> Commands:  # noqa: ARG001  # all of them the same
    return FreeBsdLegacy(base)


FAMILY = Family(
    name="freebsd-legacy",
    title="FreeBSD 5.4 to 9",
    system="FreeBSD",
    default=LEGACY,
    majors=range(5, 10),
    commands=commands,
    place=whole(load_module("carp", "if_carp")),
    can_lane=lambda _: False,
    vm=vm.System(
        target="freebsd-legacy",
        name="freebsd-legacy",
        title="FreeBSD 9 or earlier",
        interface="vtnet1",
        inner_interface="vtnet2",
        lanes={"kvm": 1, "qemu": 1},
        may_change=("carp", "sysctl", "interface", "addresses", "service"),
        sudo=True,
    ),
    deviations={key: KNOWN[key] for key in LEGACIES},
    denied=frozenset({"state_request", "demotion_order"}),
)
