"""What an administrator of FreeBSD 10 and later types: ifconfig(8), sysctl(8), netstat(1)."""

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
from conformance.targets.remote.words import POLL_NS
from conformance.wire.digest import Address

DEMOTION = "net.inet.carp.demotion"
LOG = "/var/log/messages"
DEVD = "/var/run/devd.pipe"
OPTIONS = ("peer", "peer6", "carpver", "vrrpprio", "vrrpinterval")
SPLIT = "conformance-split"


class FreeBsd:
    """The :class:`conformance.targets.remote.commands.Commands` of FreeBSD 10 and later. ``libxo``: netstat prints JSON (11 and later)."""

    own_interface = False

    def __init__(self, *, libxo: bool) -> None:
        self._libxo = libxo

    def device(self, interface: str, vhid: int) -> str:  # noqa: ARG002  # the shape of Commands
        return interface

    def create(self, interface: Shown, settings: Settings) -> Sequence[Change]:
        name, vhid = interface.name, settings.vhid
        changes: list[Change] = []
        if interface.ipv6_disabled and any(one.version == 6 for one in settings.addresses):
            changes.append(Change(f"ifconfig {name} inet6 -ifdisabled", f"ifconfig {name} inet6 ifdisabled"))
        check_options(settings, OPTIONS)
        if not settings.addresses:
            return [*changes, Change(f"ifconfig {name} {rank(settings)}", _sweep(name, vhid))]
        for number, address in enumerate(settings.addresses):
            words = rank(settings) if number == 0 else f"vhid {vhid}"
            undo = _take(name, address) + ("" if number else f"\n{_sweep(name, vhid)}")
            changes.append(
                Change(
                    f"ifconfig {name} {_inet6(address)}{words} alias {with_prefix(interface, address)}", undo
                )
            )
        return changes

    def stop(self, interface: str, settings: Settings) -> str:
        """There is no carp interface to take down: its addresses are removed."""
        return self.remove(interface, settings)

    def remove(self, interface: str, settings: Settings) -> str:
        return "\n".join(
            [*(_take(interface, one) for one in settings.addresses), _sweep(interface, settings.vhid)]
        )

    def change(self, interface: str, vhid: int, changes: Mapping[str, Any]) -> str:
        return f"ifconfig {interface} vhid {vhid} {changed(changes)}"

    def add_address(self, interface: Shown, vhid: int, address: Address) -> Change:
        name = interface.name
        words = f"{_inet6(address)}vhid {vhid} alias {with_prefix(interface, address)}"
        return Change(f"ifconfig {name} {words}", _take(name, address))

    def remove_address(self, interface: str, vhid: int, address: Address) -> str:  # noqa: ARG002  # the shape of Commands
        return f"ifconfig {interface} {family(address)} {address} -alias"

    def order(self, interface: str, vhid: int, state: str) -> str:
        return f"ifconfig {interface} vhid {vhid} state {state.lower()}"

    def join_group(self, interface: str, vhid: int, group: str) -> Change:  # noqa: ARG002  # the shape of Commands
        return Change(f"ifconfig {interface} group {group}", f"ifconfig {interface} -group {group}")

    def demote(self, amount: int, group: str) -> Change:  # noqa: ARG002  # the shape of Commands
        """A write adds to the sum. What undoes it is the write of the opposite."""
        return Change(f"sysctl {DEMOTION}={amount}", f"sysctl {DEMOTION}={-amount}", relative=True)

    def read_demotion(self, group: str) -> str:  # noqa: ARG002  # the shape of Commands
        return f"sysctl -n {DEMOTION}"

    def demotion_in(self, out: str) -> int:
        return int(out.strip())

    def read_counters(self) -> str:
        """What netstat prints leaves ``badif`` out; the structure that it reads has it."""
        told = "netstat --libxo json -s -p carp" if self._libxo else "netstat -s -p carp"
        return f"{told}\necho {SPLIT}\nsysctl -b net.inet.carp.stats 2>/dev/null | od -An -v -t u8"

    def counters_in(self, out: str) -> Mapping[str, int]:
        told, _, whole = out.partition(SPLIT)
        read = counters.read_json(told) if self._libxo else counters.read_text(told)
        return counters.read_struct(whole) | read

    def follow(self, interface: str) -> str:  # noqa: ARG002  # the shape of Commands
        """The kernel's log as syslogd writes it; and devd's notices of each change of state, which come at every log level, or many looks a second where devd does not run."""
        look = looking("ifconfig -a")
        return (
            f"{{ tail -n 0 -F {LOG} & "
            f"if ls {DEVD} >/dev/null 2>&1; then echo states from devd; nc -U {DEVD}; else {look}; fi; }}"
        )


def looking(show: str) -> str:
    """A loop that prints ``shown IF carp: …`` when what ifconfig shows of a virtual host has changed; ``show`` is the ifconfig."""
    return (
        "echo states from ifconfig; o=; while sleep {every}; do s=$({show} 2>/dev/null | while IFS= read -r l; do "
        'case $l in [a-z]*:\\ flags=*) i=${{l%%:*}};; *carp:\\ *) echo "shown $i carp: ${{l#*carp: }}";; esac; done); '
        '[ "$s" = "$o" ] || {{ o=$s; echo "$s"; }}; done'
    ).format(every=f"{POLL_NS / 1e9:g}", show=show)


def _inet6(address: Address) -> str:
    """An address is taken for IPv4 unless ifconfig is told otherwise."""
    return "inet6 " if address.version == 6 else ""


def _take(interface: str, address: Address) -> str:
    """Takes an address away that may not be there."""
    return f"ifconfig {interface} {family(address)} {address} -alias 2>/dev/null || :"


def _sweep(interface: str, vhid: int) -> str:
    """Removes a virtual host without addresses, which FreeBSD keeps in INIT and cannot remove by itself: with its last address it goes."""
    scratch = f"127.112.{vhid}.1"
    return (
        f'if ifconfig {interface} | grep -Eq "(vhid|vrid) {vhid}( |$)"; then '
        f"ifconfig {interface} vhid {vhid} alias {scratch}/32 && ifconfig {interface} inet {scratch} -alias; fi"
    )
