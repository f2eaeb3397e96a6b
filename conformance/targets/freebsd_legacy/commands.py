"""What an administrator of FreeBSD 5.4 to 9 types: ``ifconfig carp1 create``, then parameters and address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.targets.protocol import Settings
from conformance.targets.remote import counters
from conformance.targets.remote.commands import (
    Change,
    changed,
    check_options,
    family,
    rank,
    with_prefix,
)
from conformance.targets.remote.ifconfig import Shown
from conformance.wire.digest import Address

LOG = "/var/log/messages"
SUPPRESS = "net.inet.carp.suppress_preempt"


class FreeBsdLegacy:
    """The :class:`conformance.targets.remote.commands.Commands` of FreeBSD 5.4 to 9. ``base``: the carp interface of vhid 7 is carp(base + 7)."""

    own_interface = True

    def __init__(self, base: int = 0) -> None:
        self._base = base

    def device(self, interface: str, vhid: int) -> str:  # noqa: ARG002  # the shape of Commands
        return f"carp{self._base + vhid}"

    def create(self, interface: Shown, settings: Settings) -> Sequence[Change]:
        """The address comes last: it is what makes it run."""
        check_options(settings, ())
        device = self.device(interface.name, settings.vhid)
        create = Change(f"ifconfig {device} create", f"ifconfig {device} destroy 2>/dev/null || :")
        words = "".join(f" {family(one)} {with_prefix(interface, one)}" for one in settings.addresses[:1])
        more = [self.add_address(interface, settings.vhid, one) for one in settings.addresses[1:]]
        return [create, Change(f"ifconfig {device} {rank(settings)}{words}"), *more]

    def stop(self, interface: str, settings: Settings) -> str:
        return f"ifconfig {self.device(interface, settings.vhid)} down"

    def remove(self, interface: str, settings: Settings) -> str:
        return f"ifconfig {self.device(interface, settings.vhid)} destroy"

    def change(self, interface: str, vhid: int, changes: Mapping[str, Any]) -> str:
        return f"ifconfig {self.device(interface, vhid)} {changed(changes)}"

    def add_address(self, interface: Shown, vhid: int, address: Address) -> Change:
        words = f"{family(address)} {with_prefix(interface, address)} alias"
        return Change(f"ifconfig {self.device(interface.name, vhid)} {words}")

    def remove_address(self, interface: str, vhid: int, address: Address) -> str:
        return f"ifconfig {self.device(interface, vhid)} {family(address)} {address} -alias"

    def order(self, interface: str, vhid: int, state: str) -> str:
        """Its kernel takes such an order, its ifconfig has no word for it: the PICS deny ``state_request``."""
        raise NotImplementedError(
            f"the ifconfig of FreeBSD 9 and earlier cannot order {state} of vhid {vhid} on {interface}"
        )

    def join_group(self, interface: str, vhid: int, group: str) -> Change:
        device = self.device(interface, vhid)
        return Change(f"ifconfig {device} group {group}", f"ifconfig {device} -group {group}")

    def demote(self, amount: int, group: str) -> Change:
        """Only a failure elsewhere demotes it: the PICS deny ``demotion_order``."""
        raise NotImplementedError(f"FreeBSD 9 and earlier are not demoted by {amount} ({group}) on order")

    def read_demotion(self, group: str) -> str:  # noqa: ARG002  # the shape of Commands
        return f"sysctl -n {SUPPRESS}"

    def demotion_in(self, out: str) -> int:
        return int(out.strip())

    def read_counters(self) -> str:
        return "netstat -s -p carp\necho conformance-split\nsysctl -b net.inet.carp.stats 2>/dev/null | od -An -v -t u8"

    def counters_in(self, out: str) -> Mapping[str, int]:
        told, _, whole = out.partition("conformance-split")
        return counters.read_struct(whole) | counters.read_text(told)

    def follow(self, interface: str) -> str:  # noqa: ARG002  # the shape of Commands
        """The kernel's log. A carp interface whose link goes down is BACKUP or INIT: only then ifconfig is asked which, because it is by itself an ioctl that
        makes the kernel hash the addresses anew.
        """
        return (
            f"echo states from the log; tail -n 0 -F {LOG} | while IFS= read -r l; do printf '%s\\n' \"$l\"; case $l in "
            "*' carp'[0-9]*': link state changed to DOWN') d=${l##* carp}; d=carp${d%%:*}; "
            'ifconfig "$d" 2>/dev/null | while IFS= read -r m; do case $m in '
            '*carp:\\ *) echo "shown $d carp: ${m#*carp: }";; esac; done;; esac; done'
        )
