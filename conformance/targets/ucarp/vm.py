"""The target ``ucarp-vm``: ucarp on machines that are reached by ssh, two virtual ones that are brought up for the run, or the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from conformance.lab.hosts import examined, shell
from conformance.lab.shell import HostError
from conformance.targets import vm
from conformance.targets.pixit import Pixit, PixitError
from conformance.targets.protocol import Profile
from conformance.targets.remote.bench import Maker, RemoteBench, SharedBench, remote_bench, this_lane
from conformance.targets.remote.machine import access_of
from conformance.targets.ucarp.profile import PROFILE
from conformance.targets.ucarp.remote import maker

NAME = "ucarp-vm"
SYSTEM = vm.System(
    target=NAME,
    name="ucarp",
    title="Linux with ucarp",
    interface="eth1",
    inner_interface="eth2",
    lanes={"kvm": 24, "qemu": 6},
    may_change=("carp", "interface", "addresses", "service"),
)
_MACS: Mapping[str, bytes] = {
    name: bytes([2, 0, 0, 0, 2, number]) for number, name in enumerate("abcdefgh", 1)
}
_DENIED = {"partition": False, "service": False}
"""Machines on one wire cannot be parted; and an emulated one answers a connection later than a probe waits for it."""


class UcarpVmTarget:
    """A :class:`conformance.targets.protocol.Target`, ``Configurable`` and ``Machined``."""

    needs_vlan = True
    """Its processes live in places of their own, each on a VLAN of the segment."""

    def __init__(self, pixit: Pixit | None = None) -> None:
        self.pixit = pixit
        self._shared = SharedBench()
        made_here = pixit is None or all(one.connection.startswith("vagrant://") for one in pixit.hosts)
        self.profile: Profile = replace(
            PROFILE,
            name=NAME,
            dialect=PROFILE.dialect if pixit is None else pixit.coarsened(PROFILE.dialect),
            rung="vm" if made_here else "lab",
            pics=dict(PROFILE.pics) | _DENIED,
            max_hosts=len(pixit.hosts) if pixit is not None else 2,
            max_lanes=len(pixit.vlans) if pixit is not None and pixit.vlans is not None else None,
        )

    def configured(self, pixit: Pixit) -> UcarpVmTarget:
        if pixit.vlans is None:
            raise PixitError(pixit.path, "vlans", "it has none, and ucarp is tested in places of its own on VLANs", "name VLANs that the wire carries and nobody uses")  # fmt: skip
        for host in pixit.hosts:
            where = f"host {host.name}"
            if not host.connection or not host.interface:
                raise PixitError(
                    pixit.path,
                    where,
                    "it has no connection or no interface",
                    "give both: the tester starts ucarp there",
                )
            if len([one for one in host.addresses if one.version == 4]) != 1:
                raise PixitError(
                    pixit.path, where, "ucarp speaks from one IPv4 address", "give exactly one in addresses"
                )
        return UcarpVmTarget(pixit)

    def version(self) -> str:
        return self._version

    @cached_property
    def _version(self) -> str:
        if self.pixit is None:
            return "unknown"
        there = shell(access_of(self.pixit.hosts[0]))
        try:
            found = re.search(r"ucarp (\S+) - (.+)", there.run("ucarp --help 2>&1").out)
        finally:
            there.close()
        return f"{found[1]} ({found[2].strip()})" if found else "unknown"

    def lacks(self) -> tuple[tuple[str, str], ...]:
        if self.pixit is None:
            return vm.lacks(SYSTEM)
        try:
            self.version()
        except HostError as error:
            return ((f"machine {error.host}: {error.what}", error.remedy),)
        return ()

    def machines(self, *, keep: bool, destroy: bool) -> AbstractContextManager[Path]:
        return vm.machines(SYSTEM, keep=keep, destroy=destroy)

    def environment(self) -> dict[str, Any]:
        """What ``environment.json`` tells of each machine, by testinfra. Raises :class:`HostError`."""
        return (
            {}
            if self.pixit is None
            else {host.name: _facts(examined(access_of(host))) for host in self.pixit.hosts}
        )

    def bench(self, hosts: int) -> AbstractContextManager[RemoteBench]:  # noqa: ARG002  # all machines are on the lane of a worker
        return self._shared.have(self._lane)

    def _lane(self) -> AbstractContextManager[RemoteBench]:
        assert self.pixit is not None, "machines() is asked before a bench is made"
        return remote_bench(self.pixit, self.makers(len(self.pixit.hosts)), this_lane(self.pixit.vlans))

    def makers(self, hosts: int) -> list[Maker]:
        """What the hosts of a bench are made of, beside those of another target as well."""
        return [maker(lambda name: _MACS[name])] * hosts


def _facts(host: Any) -> dict[str, Any]:
    package = host.package("ucarp")
    clock = host.file("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    return {
        "testinfra": {
            "type": host.system_info.type,
            "distribution": host.system_info.distribution,
            "release": host.system_info.release,
        },
        "kernel": host.run("uname -r").stdout.strip(),
        "package": {"ucarp": package.version if package.is_installed else None},
        "clocksource": clock.content_string.strip() if clock.exists else None,
        "ip_forward": host.sysctl("net.ipv4.ip_forward"),
    }
