"""One host as its configuration files describe it, and what they have in common in several dialects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from conformance.targets.protocol import Settings

Interface = IPv4Interface | IPv6Interface
Files = dict[str, str]
"""Text by path on the host."""
CARP = re.compile(r"carp(\d+)")
"""The name of a carp interface."""


class NotRenderable(ValueError):
    """A description that a dialect's files cannot express."""

    def __init__(self, where: str, what: str, remedy: str) -> None:
        self.where, self.what, self.remedy = where, what, remedy
        super().__init__(f"{where}: {what}; {remedy}")


class NotReadable(ValueError):
    """A line of a configuration file that is not understood."""

    def __init__(self, path: str, line: str) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path}: cannot read {line!r}; write it as render() does")


@dataclass(frozen=True, slots=True)
class Machine:
    """One host: the real addresses of its interfaces (with prefix length), its virtual hosts by interface (each
    address within a prefix of that interface), and preemption, which holds for the whole host.
    """

    interfaces: Mapping[str, tuple[Interface, ...]]
    virtual: tuple[tuple[str, Settings], ...]
    preempt: bool = False


def where(interface: str, settings: Settings) -> str:
    return f"vhid {settings.vhid} on {interface}"


def with_prefix(machine: Machine, interface: str, settings: Settings) -> list[Interface]:
    """The shared addresses with the prefix length of the subnet that they are in."""
    found: list[Interface] = []
    for address in settings.addresses:
        own = next((one for one in machine.interfaces[interface] if address in one.network), None)
        if own is None:
            raise NotRenderable(
                where(interface, settings), f"{address} is in no subnet of it", "give the interface one"
            )
        found.append(ip_interface(f"{address}/{own.network.prefixlen}"))
    return found


def rank(settings: Settings) -> str:
    password = f" pass {settings.password}" if settings.password else ""
    return f"vhid {settings.vhid} advbase {settings.advbase} advskew {settings.advskew}{password}"


def kind(address: Interface) -> str:
    return "inet" if address.version == 4 else "inet6"


def settings_of(words: Sequence[str], addresses: Sequence[Interface]) -> Settings:
    """Settings from ``vhid 1 advskew 50 pass x``, in any order."""
    told = dict(zip(words[::2], words[1::2], strict=True))
    return Settings(
        vhid=int(told["vhid"]),
        password=told.get("pass", ""),
        addresses=tuple(one.ip for one in addresses),
        advbase=int(told.get("advbase", 1)),
        advskew=int(told.get("advskew", 0)),
    )


def preemption(machine: Machine) -> Files:
    """The file that switches preemption on, where it is on."""
    return {"etc/sysctl.conf": "net.inet.carp.preempt=1\n"} if machine.preempt else {}


def preempts(files: Files) -> bool:
    return "net.inet.carp.preempt=1" in files.get("etc/sysctl.conf", "").split()
