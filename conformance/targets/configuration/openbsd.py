"""hostname.if of OpenBSD."""

from __future__ import annotations

from ipaddress import IPv4Interface, ip_interface

from conformance.targets.configuration.machine import (
    CARP,
    Files,
    Interface,
    Machine,
    NotReadable,
    preemption,
    preempts,
    rank,
    settings_of,
    with_prefix,
)
from conformance.targets.protocol import Settings


def _address(address: Interface, word: str) -> str:
    if isinstance(address, IPv4Interface):
        return f"inet {word}{address.ip} {address.network.netmask}"
    return f"inet6 {word}{address.ip} {address.network.prefixlen}"


def openbsd(machine: Machine) -> Files:
    """hostname.if of each interface, the carp interfaces' after their parents'."""
    files: dict[str, str] = {}
    for name, addresses in machine.interfaces.items():
        lines = [_address(one, "alias " if at else "") for at, one in enumerate(addresses)]
        files[f"etc/hostname.{name}"] = "\n".join([*lines, "up"]) + "\n"
    for number, (interface, settings) in enumerate(machine.virtual):
        lines = [f"{rank(settings)} carpdev {interface}"]
        for at, one in enumerate(with_prefix(machine, interface, settings)):
            lines.append(_address(one, "alias " if at else ""))
        files[f"etc/hostname.carp{number}"] = "\n".join([*lines, "up"]) + "\n"
    return files | preemption(machine)


def read_openbsd(files: Files) -> Machine:
    interfaces: dict[str, tuple[Interface, ...]] = {}
    virtual: list[tuple[int, str, Settings]] = []
    for path, text in files.items():
        name = path.removeprefix("etc/hostname.")
        if name == path:
            continue
        found: list[Interface] = []
        ranked: list[str] = []
        for line in text.splitlines():
            words = [word for word in line.split() if word != "alias"]
            if words[0] in ("inet", "inet6") and len(words) == 3:
                found.append(ip_interface(f"{words[1]}/{words[2]}"))
            elif words[0] == "vhid":
                ranked = words
            elif words != ["up"]:
                raise NotReadable(path, line)
        device = CARP.fullmatch(name)
        if device is None:
            interfaces[name] = tuple(found)
        else:
            virtual.append((int(device[1]), ranked[-1], settings_of(ranked[:-2], found)))
    hosts = tuple((at, settings) for _, at, settings in sorted(virtual, key=lambda one: one[0]))
    return Machine(interfaces, hosts, preempts(files))
