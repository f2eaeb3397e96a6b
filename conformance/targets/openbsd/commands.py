"""What an administrator of OpenBSD types: ``ifconfig carp1 … carpdev em0``, interface groups, ``carpdemote``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
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

OPTIONS = ("peer", "lladdr", "carpnodes", "balancing")
LOG = "/var/log/messages"
MOST_AT_ONCE = 128
"""The largest step that ifconfig takes for carpdemote."""
_COUNT = re.compile(r"carp demote count (\d+)")


class OpenBsd:
    """The :class:`conformance.targets.remote.commands.Commands` of OpenBSD. ``base``: the carp interface of vhid 7 is carp(base + 7)."""

    own_interface = True

    def __init__(self, base: int = 0) -> None:
        self._base = base

    def device(self, interface: str, vhid: int) -> str:  # noqa: ARG002  # the shape of Commands
        return f"carp{self._base + vhid}"

    def create(self, interface: Shown, settings: Settings) -> Sequence[Change]:
        device = self.device(interface.name, settings.vhid)
        check_options(settings, OPTIONS)
        options = settings.options
        peer = f" carppeer {options['peer']}" if "peer" in options else ""
        changes = [
            Change(f"ifconfig {device} create", f"ifconfig {device} destroy 2>/dev/null || :"),
            Change(f"ifconfig {device} {_rank(settings)} carpdev {interface.name}{peer}"),
        ]
        if "lladdr" in options:
            changes.append(Change(f"ifconfig {device} lladdr {options['lladdr']}"))
        changes += [
            Change(self._add(interface, settings.vhid, one, alias=number > 0))
            for number, one in enumerate(settings.addresses)
        ]
        return [*changes, Change(f"ifconfig {device} up")]

    def stop(self, interface: str, settings: Settings) -> str:
        return f"ifconfig {self.device(interface, settings.vhid)} down"

    def remove(self, interface: str, settings: Settings) -> str:
        return f"ifconfig {self.device(interface, settings.vhid)} destroy"

    def change(self, interface: str, vhid: int, changes: Mapping[str, Any]) -> str:
        return f"ifconfig {self.device(interface, vhid)} {changed(changes)}"

    def add_address(self, interface: Shown, vhid: int, address: Address) -> Change:
        return Change(self._add(interface, vhid, address, alias=True))

    def remove_address(self, interface: str, vhid: int, address: Address) -> str:
        return f"ifconfig {self.device(interface, vhid)} {family(address)} {address} delete"

    def order(self, interface: str, vhid: int, state: str) -> str:
        return f"ifconfig {self.device(interface, vhid)} state {state.lower()}"

    def join_group(self, interface: str, vhid: int, group: str) -> Change:
        device = self.device(interface, vhid)
        return Change(
            f"ifconfig {device} group {group}", f"ifconfig {device} -group {group} 2>/dev/null || :"
        )

    def demote(self, amount: int, group: str) -> Change:
        return Change(_steps(amount, group), _steps(-amount, group), relative=True)

    def read_demotion(self, group: str) -> str:
        return f"ifconfig -g {group}"

    def demotion_in(self, out: str) -> int:
        found = _COUNT.search(out)
        return int(found[1]) if found else 0

    def read_counters(self) -> str:
        return "netstat -s -p carp"

    def counters_in(self, out: str) -> Mapping[str, int]:
        return counters.read_text(out)

    def follow(self, interface: str) -> str:  # noqa: ARG002  # the shape of Commands
        """The kernel's log, whose level may leave changes of state out, and the routing socket, which tells each of them as a link state."""
        return f"{{ echo states from the routing socket; tail -n 0 -f {LOG} & route -n monitor; }}"

    def _add(self, interface: Shown, vhid: int, address: Address, *, alias: bool) -> str:
        word = "alias " if alias else ""
        device = self.device(interface.name, vhid)
        return f"ifconfig {device} {family(address)} {word}{with_prefix(interface, address)}"


def _rank(settings: Settings) -> str:
    """The parameters of a carp interface. With ``carpnodes`` it has several virtual hosts, each with a vhid and an advskew of its own, of which ``settings`` names the first."""
    options = settings.options
    if "carpnodes" not in options:
        return rank(replace(settings, options={"omit": options.get("omit", ())}))
    nodes = ",".join(f"{vhid}:{advskew}" for vhid, advskew in options["carpnodes"])
    mode = f" balancing {options['balancing']}" if "balancing" in options else ""
    word = f" pass {shlex.quote(settings.password)}" if settings.password else ""
    return f"carpnodes {nodes}{mode} advbase {settings.advbase}{word}"


def _steps(amount: int, group: str) -> str:
    """One ifconfig, or as many as it takes; if one of them is refused, those before it are taken back."""
    word, back = ("carpdemote", "-carpdemote") if amount >= 0 else ("-carpdemote", "carpdemote")
    whole, rest = divmod(abs(amount), MOST_AT_ONCE)
    steps = [MOST_AT_ONCE] * whole + ([rest] if rest or not whole else [])
    script = f"ifconfig -g {group} {word} {steps[-1]}"
    for step in reversed(steps[:-1]):
        undo = f"ifconfig -g {group} {back} {step}"
        script = f"ifconfig -g {group} {word} {step} && {{ {script} || {{ {undo}; false; }}; }}"
    return script
