"""ucarp: one command line for each virtual host."""

from __future__ import annotations

import shlex
from ipaddress import ip_interface

from conformance.targets.configuration.machine import (
    Files,
    Interface,
    Machine,
    NotReadable,
    NotRenderable,
    settings_of,
    where,
    with_prefix,
)
from conformance.targets.protocol import Settings


def ucarp(machine: Machine) -> Files:
    """A script that starts one ucarp for each virtual host, and a file with its password."""
    lines = ["#!/bin/sh"]
    files: dict[str, str] = {}
    for name, addresses in machine.interfaces.items():
        lines += [f"ip address add {address} dev {name}" for address in addresses]
    for interface, settings in machine.virtual:
        if len(settings.addresses) != 1:
            raise NotRenderable(where(interface, settings), "ucarp serves one address", "give it one")
        (address,) = with_prefix(machine, interface, settings)
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


def read_ucarp(files: Files) -> Machine:
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
        settings = settings_of([*rank, "pass", password], [ip_interface(told["addr"])])
        virtual.append((told["interface"], settings))
        preempt = preempt or "--preempt" in words
    return Machine({name: tuple(found) for name, found in interfaces.items()}, tuple(virtual), preempt)
