"""What an administrator types on one kind of system: the seam between the hosts of :mod:`conformance.targets.remote.host` and the systems."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import Any, Protocol

from conformance.targets.protocol import Settings
from conformance.targets.remote.ifconfig import Interface, Shown
from conformance.wire.digest import Address


@dataclass(frozen=True, slots=True)
class Change:
    """A script that changes the machine, and the one that undoes it whether the change was made or not ("": another undoing covers it).

    Of a ``relative`` change that was refused nothing is undone.
    """

    do: str
    undo: str = ""
    relative: bool = False


class Commands(Protocol):
    """Scripts for the POSIX shell of one system. Those with a password go to a machine by standard input only, and none of the undoings has one."""

    own_interface: bool
    """Whether a virtual host is an interface, carp1 for vhid 1."""

    def device(self, interface: str, vhid: int) -> str:
        """The interface whose ifconfig shows the virtual host."""

    def create(self, interface: Shown, settings: Settings) -> Sequence[Change]:
        """Configures a virtual host on ``interface``. Its master-down timer begins to run with the last change."""

    def stop(self, interface: str, settings: Settings) -> str:
        """Ends it as an administrator would."""

    def remove(self, interface: str, settings: Settings) -> str:
        """Removes it without a word on the wire."""

    def change(self, interface: str, vhid: int, changes: Mapping[str, Any]) -> str:
        """Sets ``advbase``, ``advskew`` and ``password`` of a running one in one request."""

    def add_address(self, interface: Shown, vhid: int, address: Address) -> Change: ...

    def remove_address(self, interface: str, vhid: int, address: Address) -> str: ...

    def order(self, interface: str, vhid: int, state: str) -> str:
        """Orders a state (``MASTER``, ``BACKUP``)."""

    def join_group(self, interface: str, vhid: int, group: str) -> Change: ...

    def demote(self, amount: int, group: str) -> Change: ...

    def read_demotion(self, group: str) -> str:
        """Prints the demotion, read by :meth:`demotion_in`."""

    def demotion_in(self, out: str) -> int: ...

    def read_counters(self) -> str:
        """Prints the counters, read by :meth:`counters_in`."""

    def counters_in(self, out: str) -> Mapping[str, int]: ...

    def follow(self, interface: str) -> str:
        """A command that goes on, with a line for :func:`conformance.targets.remote.words.hear` for what the machine says from now on."""


def load_module(module: str, file: str = "") -> Change:
    """FreeBSD: loads a kernel module from ``file`` (of the same name, unless given) if it is not there; it stays."""
    return Change(f"kldstat -q -m {module} || kldload {file or module}")


def set_interface(name: str, *, up: bool) -> Change:
    """Takes an interface down or up."""
    return Change(f"ifconfig {name} {'up' if up else 'down'}", f"ifconfig {name} up")


def set_sysctl(name: str, value: int, before: int) -> Change:
    """Writes ``net.inet.carp.NAME``."""
    full = f"net.inet.carp.{name}"
    return Change(f"sysctl {full}={value}", f"sysctl {full}={before}")


_OPTIONS = ("carpver", "vrrpprio", "vrrpinterval", "peer", "peer6")
"""Options of FreeBSD's ifconfig, in the order in which they are typed."""


class UnknownOption(ValueError):
    """An option that a system's ifconfig does not have."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        super().__init__(f"this driver has no option {name!r}; it has {', '.join(sorted(known)) or 'none'}")


def check_options(settings: Settings, known: Sequence[str]) -> None:
    """Raises :class:`UnknownOption` for one that is neither ``omit`` nor ``known``."""
    for name in settings.options:
        if name not in ("omit", *known):
            raise UnknownOption(name, ("omit", *known))


def rank(settings: Settings) -> str:
    """``vhid 1 advskew 0 advbase 1 pass x``: the parameters, in the order of the recordings.

    What the option ``omit`` names is left out, a password too if there is none; a virtual host that speaks VRRPv3 has other parameters.
    """
    options = settings.options
    omitted = set(options.get("omit", ()))
    words = [f"vhid {settings.vhid}"]
    if options.get("carpver") != 3:
        told = ("advskew", settings.advskew), ("advbase", settings.advbase)
        words += [f"{name} {value}" for name, value in told if name not in omitted]
    words += [f"{name} {options[name]}" for name in _OPTIONS if name in options]
    if settings.password and options.get("carpver") != 3:
        words.append(f"pass {shlex.quote(settings.password)}")
    return " ".join(words)


def changed(changes: Mapping[str, Any]) -> str:
    """The parameters of a change. Raises :class:`UnknownOption` for one that ifconfig does not set."""
    words = {"advbase": "advbase", "advskew": "advskew", "password": "pass"} | dict(
        zip(_OPTIONS, _OPTIONS, strict=True)
    )
    wanted = {name: value for name, value in changes.items() if name != "options"} | dict(
        changes.get("options", {})
    )
    for name in wanted:
        if name not in words:
            raise UnknownOption(name, tuple(words))
    return " ".join(f"{words[name]} {shlex.quote(str(value))}" for name, value in wanted.items())


def family(address: Address) -> str:
    return "inet" if address.version == 4 else "inet6"


def with_prefix(interface: Shown, address: Address) -> Interface:
    """A shared address with the length of the subnet of ``interface`` that it is in; of that of its own family's first address, or alone, where it is in none."""
    from ipaddress import ip_interface

    own = [one for one in interface.own if one.version == address.version]
    fitting = next((one for one in own if address in one.network), None)
    if fitting is None:
        fitting = next((one for one in own if not one.ip.is_link_local), None)
    if address.is_link_local:
        length = 64
    elif fitting is not None:
        length = fitting.network.prefixlen
    else:
        length = 24 if address.version == 4 else 64
    return ip_interface(f"{address}/{length}")


def netmask(address: Interface) -> str:
    """``255.255.255.0`` or ``64``: as the files of OpenBSD have it."""
    return str(address.netmask) if isinstance(address, IPv4Interface) else str(address.network.prefixlen)
