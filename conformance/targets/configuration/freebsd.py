"""rc.conf of FreeBSD: of 10 and later, and of 5 to 9."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_interface

from conformance.targets.configuration.machine import (
    CARP,
    Files,
    Interface,
    Machine,
    NotReadable,
    kind,
    preemption,
    preempts,
    rank,
    settings_of,
    with_prefix,
)


def _variables(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        match = re.fullmatch(r'(\w+)="(.*)"', line)
        if match is None:
            raise NotReadable("etc/rc.conf", line)
        if not match[1].startswith("ipv6_"):
            yield match[1], match[2].split()


def _own_lines(machine: Machine) -> Iterator[str]:
    for name, addresses in machine.interfaces.items():
        yield f'ifconfig_{name}="up"'
        for number, address in enumerate(addresses):
            yield f'ifconfig_{name}_alias{number}="{kind(address)} {address}"'


def _ipv6(machine: Machine, *variables: str) -> Iterator[str]:
    """What makes rc(8) configure IPv6, where there is any."""
    if any(one.version == 6 for addresses in machine.interfaces.values() for one in addresses):
        yield from (f'{name}="YES"' for name in variables)


def modern(machine: Machine) -> Files:
    """rc.conf of FreeBSD 10 and later: a vhid is a property of addresses."""
    lines = [*_ipv6(machine, "ipv6_activate_all_interfaces"), *_own_lines(machine)]
    numbers = {name: len(addresses) for name, addresses in machine.interfaces.items()}
    for interface, settings in machine.virtual:
        for address in with_prefix(machine, interface, settings):
            lines.append(
                f'ifconfig_{interface}_alias{numbers[interface]}="{kind(address)} {rank(settings)} alias {address}"'
            )
            numbers[interface] += 1
    return {"boot/loader.conf": 'carp_load="YES"\n', "etc/rc.conf": "\n".join(lines) + "\n"} | preemption(
        machine
    )


def read_modern(files: Files) -> Machine:
    interfaces: dict[str, list[Interface]] = {}
    virtual: dict[tuple[str, str], tuple[list[str], list[Interface]]] = {}
    for name, words in _variables(files["etc/rc.conf"]):
        interface = name.removeprefix("ifconfig_").partition("_alias")[0]
        mine = interfaces.setdefault(interface, [])
        if "vhid" in words:
            entry = virtual.setdefault((interface, words[2]), (words[1:-2], []))
            entry[1].append(ip_interface(words[-1]))
        elif words[0] in ("inet", "inet6"):
            mine.append(ip_interface(words[1]))
    hosts = tuple((at, settings_of(words, found)) for (at, _), (words, found) in virtual.items())
    return Machine({name: tuple(found) for name, found in interfaces.items()}, hosts, preempts(files))


def legacy(machine: Machine) -> Files:
    """rc.conf of FreeBSD 5 to 9: each virtual host is an interface, which finds its parent by the subnet."""
    devices = [f"carp{number}" for number in range(len(machine.virtual))]
    lines = [*_ipv6(machine, "ipv6_enable", "ipv6_activate_all_interfaces")]
    lines += [f'cloned_interfaces="{" ".join(devices)}"', *_own_lines(machine)]
    for device, (interface, settings) in zip(devices, machine.virtual, strict=True):
        first, *more = with_prefix(machine, interface, settings)
        lines.append(f'ifconfig_{device}="{rank(settings)} {kind(first)} {first}"')
        for number, address in enumerate(more):
            lines.append(f'ifconfig_{device}_alias{number}="{kind(address)} {address}"')
    files = {"boot/loader.conf": 'carp_load="YES"\n', "etc/rc.conf": "\n".join(lines) + "\n"}
    return files | preemption(machine)


def read_legacy(files: Files) -> Machine:
    interfaces: dict[str, list[Interface]] = {}
    virtual: dict[str, tuple[list[str], list[Interface]]] = {}
    for name, words in _variables(files["etc/rc.conf"]):
        device = name.removeprefix("ifconfig_").partition("_alias")[0]
        if name == "cloned_interfaces":
            continue
        if CARP.fullmatch(device) is None:
            interfaces.setdefault(device, []).extend(ip_interface(one) for one in words[1:])
        elif words[0] == "vhid":
            virtual[device] = (words[:-2], [ip_interface(words[-1])])
        else:
            virtual[device][1].append(ip_interface(words[-1]))
    hosts = []
    for words, found in virtual.values():
        parent = next(at for at, own in interfaces.items() if any(found[0].ip in one.network for one in own))
        hosts.append((parent, settings_of(words, found)))
    own = {name: tuple(found) for name, found in interfaces.items()}
    return Machine(own, tuple(hosts), preempts(files))
