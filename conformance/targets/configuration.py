"""Configuration files of each dialect from one description of a host, and back: what an administrator would write."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from conformance.model.rows import FREEBSDS, LEGACIES, OPENBSD, UCARP
from conformance.targets.protocol import Settings

Interface = IPv4Interface | IPv6Interface
Files = dict[str, str]
"""Text by path on the host."""
_PLAIN = re.compile(r"[\w+,./:=@^%-]*", re.ASCII)
"""What neither a shell nor netstart(8) nor ifconfig(8) takes for anything else."""
_CARP = re.compile(r"carp(\d+)")


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


def render(machine: Machine, key: str) -> Files:
    """The files of the dialect ``key`` (:data:`conformance.model.rows.KEYS`) that configure ``machine``.

    Raises :class:`NotRenderable` for a password that a shell or ifconfig would split, an address without a
    subnet, or more addresses than the dialect serves.
    """
    for interface, settings in machine.virtual:
        if not _PLAIN.fullmatch(settings.password):
            raise NotRenderable(
                _where(interface, settings), "the password has a character of the shell's", "leave it out"
            )
    return _RENDERERS[_family(key)](machine)


def parse(files: Files, key: str) -> Machine:
    """The machine that ``files`` of the dialect ``key`` configure. Raises :class:`NotReadable`."""
    return _PARSERS[_family(key)](files)


def _family(key: str) -> str:
    families = {**dict.fromkeys(LEGACIES, "legacy"), **dict.fromkeys(FREEBSDS, "freebsd")}
    return {**families, OPENBSD: OPENBSD, UCARP: UCARP}[key]


def _where(interface: str, settings: Settings) -> str:
    return f"vhid {settings.vhid} on {interface}"


def _with_prefix(machine: Machine, interface: str, settings: Settings) -> list[Interface]:
    """The shared addresses with the prefix length of the subnet that they are in."""
    found: list[Interface] = []
    for address in settings.addresses:
        own = next((one for one in machine.interfaces[interface] if address in one.network), None)
        if own is None:
            raise NotRenderable(
                _where(interface, settings), f"{address} is in no subnet of it", "give the interface one"
            )
        found.append(ip_interface(f"{address}/{own.network.prefixlen}"))
    return found


def _rank(settings: Settings) -> str:
    password = f" pass {settings.password}" if settings.password else ""
    return f"vhid {settings.vhid} advbase {settings.advbase} advskew {settings.advskew}{password}"


def _kind(address: Interface) -> str:
    return "inet" if address.version == 4 else "inet6"


def _settings(words: Sequence[str], addresses: Sequence[Interface]) -> Settings:
    """Settings from ``vhid 1 advskew 50 pass x``, in any order."""
    told = dict(zip(words[::2], words[1::2], strict=True))
    return Settings(
        vhid=int(told["vhid"]),
        password=told.get("pass", ""),
        addresses=tuple(one.ip for one in addresses),
        advbase=int(told.get("advbase", 1)),
        advskew=int(told.get("advskew", 0)),
    )


def _sysctl(machine: Machine) -> Files:
    return {"etc/sysctl.conf": "net.inet.carp.preempt=1\n"} if machine.preempt else {}


def _preempts(files: Files) -> bool:
    return "net.inet.carp.preempt=1" in files.get("etc/sysctl.conf", "").split()


# --- FreeBSD: rc.conf


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
            yield f'ifconfig_{name}_alias{number}="{_kind(address)} {address}"'


def _ipv6(machine: Machine, *variables: str) -> Iterator[str]:
    """What makes rc(8) configure IPv6, where there is any."""
    if any(one.version == 6 for addresses in machine.interfaces.values() for one in addresses):
        yield from (f'{name}="YES"' for name in variables)


def _freebsd(machine: Machine) -> Files:
    """rc.conf of FreeBSD 10 and later: a vhid is a property of addresses."""
    lines = [*_ipv6(machine, "ipv6_activate_all_interfaces"), *_own_lines(machine)]
    numbers = {name: len(addresses) for name, addresses in machine.interfaces.items()}
    for interface, settings in machine.virtual:
        for address in _with_prefix(machine, interface, settings):
            lines.append(
                f'ifconfig_{interface}_alias{numbers[interface]}="{_kind(address)} {_rank(settings)} alias {address}"'
            )
            numbers[interface] += 1
    return {"boot/loader.conf": 'carp_load="YES"\n', "etc/rc.conf": "\n".join(lines) + "\n"} | _sysctl(
        machine
    )


def _read_freebsd(files: Files) -> Machine:
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
    hosts = tuple((at, _settings(words, found)) for (at, _), (words, found) in virtual.items())
    return Machine({name: tuple(found) for name, found in interfaces.items()}, hosts, _preempts(files))


def _legacy(machine: Machine) -> Files:
    """rc.conf of FreeBSD 5 to 9: each virtual host is an interface, which finds its parent by the subnet."""
    devices = [f"carp{number}" for number in range(len(machine.virtual))]
    lines = [*_ipv6(machine, "ipv6_enable", "ipv6_activate_all_interfaces")]
    lines += [f'cloned_interfaces="{" ".join(devices)}"', *_own_lines(machine)]
    for device, (interface, settings) in zip(devices, machine.virtual, strict=True):
        first, *more = _with_prefix(machine, interface, settings)
        lines.append(f'ifconfig_{device}="{_rank(settings)} {_kind(first)} {first}"')
        for number, address in enumerate(more):
            lines.append(f'ifconfig_{device}_alias{number}="{_kind(address)} {address}"')
    files = {"boot/loader.conf": 'carp_load="YES"\n', "etc/rc.conf": "\n".join(lines) + "\n"}
    return files | _sysctl(machine)


def _read_legacy(files: Files) -> Machine:
    interfaces: dict[str, list[Interface]] = {}
    virtual: dict[str, tuple[list[str], list[Interface]]] = {}
    for name, words in _variables(files["etc/rc.conf"]):
        device = name.removeprefix("ifconfig_").partition("_alias")[0]
        if name == "cloned_interfaces":
            continue
        if _CARP.fullmatch(device) is None:
            interfaces.setdefault(device, []).extend(ip_interface(one) for one in words[1:])
        elif words[0] == "vhid":
            virtual[device] = (words[:-2], [ip_interface(words[-1])])
        else:
            virtual[device][1].append(ip_interface(words[-1]))
    hosts = []
    for words, found in virtual.values():
        parent = next(at for at, own in interfaces.items() if any(found[0].ip in one.network for one in own))
        hosts.append((parent, _settings(words, found)))
    own = {name: tuple(found) for name, found in interfaces.items()}
    return Machine(own, tuple(hosts), _preempts(files))


# --- OpenBSD: hostname.if


def _openbsd_address(address: Interface, word: str) -> str:
    if isinstance(address, IPv4Interface):
        return f"inet {word}{address.ip} {address.network.netmask}"
    return f"inet6 {word}{address.ip} {address.network.prefixlen}"


def _openbsd(machine: Machine) -> Files:
    """hostname.if of each interface, the carp interfaces' after their parents'."""
    files: dict[str, str] = {}
    for name, addresses in machine.interfaces.items():
        lines = [_openbsd_address(one, "alias " if at else "") for at, one in enumerate(addresses)]
        files[f"etc/hostname.{name}"] = "\n".join([*lines, "up"]) + "\n"
    for number, (interface, settings) in enumerate(machine.virtual):
        lines = [f"{_rank(settings)} carpdev {interface}"]
        for at, one in enumerate(_with_prefix(machine, interface, settings)):
            lines.append(_openbsd_address(one, "alias " if at else ""))
        files[f"etc/hostname.carp{number}"] = "\n".join([*lines, "up"]) + "\n"
    return files | _sysctl(machine)


def _read_openbsd(files: Files) -> Machine:
    interfaces: dict[str, tuple[Interface, ...]] = {}
    virtual: list[tuple[int, str, Settings]] = []
    for path, text in files.items():
        name = path.removeprefix("etc/hostname.")
        if name == path:
            continue
        found: list[Interface] = []
        rank: list[str] = []
        for line in text.splitlines():
            words = [word for word in line.split() if word != "alias"]
            if words[0] in ("inet", "inet6") and len(words) == 3:
                found.append(ip_interface(f"{words[1]}/{words[2]}"))
            elif words[0] == "vhid":
                rank = words
            elif words != ["up"]:
                raise NotReadable(path, line)
        device = _CARP.fullmatch(name)
        if device is None:
            interfaces[name] = tuple(found)
        else:
            virtual.append((int(device[1]), rank[-1], _settings(rank[:-2], found)))
    hosts = tuple((at, settings) for _, at, settings in sorted(virtual, key=lambda one: one[0]))
    return Machine(interfaces, hosts, _preempts(files))


# --- ucarp: one command line for each virtual host


def _ucarp(machine: Machine) -> Files:
    """A script that starts one ucarp for each virtual host, and a file with its password."""
    lines = ["#!/bin/sh"]
    files: dict[str, str] = {}
    for name, addresses in machine.interfaces.items():
        lines += [f"ip address add {address} dev {name}" for address in addresses]
    for interface, settings in machine.virtual:
        if len(settings.addresses) != 1:
            raise NotRenderable(_where(interface, settings), "ucarp serves one address", "give it one")
        (address,) = _with_prefix(machine, interface, settings)
        source = next(one.ip for one in machine.interfaces[interface] if address.ip in one.network)
        secret = f"etc/ucarp/{settings.vhid}.pass"
        files[secret] = settings.password + "\n"
        options = {
            "interface": interface, "srcip": source, "vhid": settings.vhid, "passfile": f"/{secret}",
            "addr": address.ip, "advbase": settings.advbase, "advskew": settings.advskew,
        }  # fmt: skip
        words = ["ucarp", *(f"--{name}={value}" for name, value in options.items())]
        lines.append(shlex.join([*words, *(["--preempt"] if machine.preempt else []), "--daemonize"]))
    return {"etc/ucarp/start.sh": "\n".join(lines) + "\n"} | files


def _read_ucarp(files: Files) -> Machine:
    interfaces: dict[str, list[Interface]] = {}
    virtual: list[tuple[str, Settings]] = []
    preempt = False
    for line in files["etc/ucarp/start.sh"].splitlines()[1:]:
        words = shlex.split(line)
        if words[:3] == ["ip", "address", "add"]:
            interfaces.setdefault(words[-1], []).append(ip_interface(words[3]))
            continue
        if words[:1] != ["ucarp"]:
            raise NotReadable("etc/ucarp/start.sh", line)
        told = dict(word.removeprefix("--").split("=", 1) for word in words[1:] if "=" in word)
        password = files[told["passfile"].removeprefix("/")].rstrip("\n")
        rank = [word for name in ("vhid", "advbase", "advskew") for word in (name, told[name])]
        settings = _settings([*rank, "pass", password], [ip_interface(told["addr"])])
        virtual.append((told["interface"], settings))
        preempt = preempt or "--preempt" in words
    return Machine({name: tuple(found) for name, found in interfaces.items()}, tuple(virtual), preempt)


_RENDERERS: Mapping[str, Callable[[Machine], Files]] = {
    "freebsd": _freebsd, "legacy": _legacy, OPENBSD: _openbsd, UCARP: _ucarp,
}  # fmt: skip
_PARSERS: Mapping[str, Callable[[Files], Machine]] = {
    "freebsd": _read_freebsd, "legacy": _read_legacy, OPENBSD: _read_openbsd, UCARP: _read_ucarp,
}  # fmt: skip
