"""The targets ``model:…@standin``: the drivers of real systems on machines that are models. Nothing that they find is a finding about a system."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import conformance
from conformance.lab import netns
from conformance.lab.attachment import Attachment
from conformance.lab.netns import Station, Switch, switch
from conformance.lab.shell import HostError
from conformance.model.dialects import Dialect, dialect
from conformance.targets.freebsd.profile import FAMILY as FREEBSD
from conformance.targets.freebsd_legacy.profile import FAMILY as LEGACY
from conformance.targets.model.target import SEED
from conformance.targets.openbsd.profile import FAMILY as OPENBSD
from conformance.targets.pixit import Pixit, PixitHost
from conformance.targets.protocol import Profile
from conformance.targets.remote.bench import Lane, RemoteBench
from conformance.targets.remote.standin import shelf
from conformance.targets.remote.target import Family, RemoteTarget

RUNG = "netns"
MAX_HOSTS = 4
STARTED_NS = 15_000_000_000
_SUBNET, _SUBNET6 = "192.0.2", "2001:db8::"
_NAMES = "abcd"
_MAY = frozenset({"carp", "sysctl", "interface", "addresses", "service"})


class StandinTarget:
    """A :class:`conformance.targets.protocol.Target` that makes its machines itself. It takes no PIXIT."""

    def __init__(self, name: str, family: Family, rules: Dialect) -> None:
        self.family, self._target_name, self._dialect = family, name, rules

    @cached_property
    def profile(self) -> Profile:
        made = self._with(self._pixit(MAX_HOSTS, {}))
        return Profile(
            name=self._target_name,
            dialect=self._dialect,
            rung=RUNG,
            origin=f"this suite's model of {self._dialect.key} behind the driver of {self.family.title}",
            pics=made.capabilities(self._dialect)
            | {"memberships": False, "commands": False, "balancing": False},
            deviations=self.family.deviations[self._dialect.key],
            max_hosts=MAX_HOSTS,
        )

    def version(self) -> str:
        return conformance.__version__

    def lacks(self) -> tuple[tuple[str, str], ...]:
        return netns.lacks()

    def bench(self, hosts: int) -> AbstractContextManager[RemoteBench]:
        return self._bench(hosts)

    @contextmanager
    def _bench(self, hosts: int) -> Iterator[RemoteBench]:
        with machines(hosts, self._dialect) as made:
            pixit = self._pixit(hosts, made.shells)
            makers = self._with(pixit).makers(hosts)
            bench = RemoteBench(pixit, made.wire, Lane(), makers, made.folder / "journals")
            bench.runs_in = made.pids
            try:
                yield bench
            finally:
                bench.reset()
                bench.close()

    def _with(self, pixit: Pixit) -> RemoteTarget:
        """The driver of the real system on these machines, which says that it wants stand-ins."""
        return RemoteTarget(self.family, pixit, standins=True)

    def _pixit(self, count: int, shells: dict[str, Path]) -> Pixit:
        hosts = tuple(
            PixitHost(
                name=name,
                connection=f"exec://{shells[name]}" if shells else "",
                interface="eth0",
                addresses=(IPv4Address(f"{_SUBNET}.{number}"), IPv6Address(f"{_SUBNET6}{number:x}")),
            )
            for number, name in enumerate(_NAMES[:count], 1)
        )
        shared = [f"{_SUBNET}.{last}" for last in range(100, 110)]
        shared += [f"{_SUBNET6}{last:x}" for last in range(0x100, 0x10A)]
        return Pixit(
            system=self.family.name,
            hosts=hosts,
            tester_interface="eth0",
            tester_addresses=(IPv4Address(f"{_SUBNET}.254"), IPv6Address("fe80::fe")),
            shared_addresses=tuple(map(ip_address, shared)),
            may_change=_MAY,
        )


@dataclass(frozen=True, slots=True)
class Standins:
    """Stand-ins that run: the tester's place on their switch, the programs that are their shells, the folder that holds it all, their processes."""

    wire: Attachment
    shells: dict[str, Path]
    folder: Path
    pids: tuple[int, ...]
    switch: Switch


@contextmanager
def machines(count: int, rules: Dialect) -> Iterator[Standins]:
    """Stand-ins named a, b, c … on a switch.

    Raises :class:`HostError` for one that does not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="carp-standin-")))
        plugged, stations = stack.enter_context(switch())
        tester = plugged.plug("tester", f"{_SUBNET}.254/24", bytes.fromhex("0200000002fe"), stations)
        shells: dict[str, Path] = {}
        running: list[tuple[str, subprocess.Popen[bytes]]] = []
        for number, name in enumerate(_NAMES[:count], 1):
            mac = bytes([2, 0, 0, 0, 2, number])
            station = plugged.plug(name, f"{_SUBNET}.{number}/24", mac, stations, own_stack=True)
            own = folder / name
            own.mkdir()
            shells[name] = shelf.fill(own)
            process = _start(station, own, rules, number)
            stack.callback(_end, process)
            running.append((name, process))
        plugged.settle()
        for name, process in running:
            _await(name, process, folder / name / "socket")
        wire = Attachment(tester.interface, tester.mac, tester.namespace)
        yield Standins(wire, shells, folder, tuple(one.pid for _, one in running), plugged)


def _start(station: Station, folder: Path, rules: Dialect, number: int) -> subprocess.Popen[bytes]:
    order = {
        "name": station.name,
        "dialect": rules.key,
        "seed": SEED + number,
        "interface": station.interface,
        "mac": station.mac.hex(":"),
        "addresses": [
            f"{_SUBNET}.{number}/24",
            f"fe80::{number:x}/64",
        ],
    }
    command = [sys.executable, "-m", "conformance.targets.remote.standin.process", str(folder)]
    process = station.namespace.spawn(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode())
    process.stdin.close()
    return process


def _await(name: str, process: subprocess.Popen[bytes], listening: Path) -> None:
    deadline_ns = time.monotonic_ns() + STARTED_NS
    while not listening.exists():
        if process.poll() is not None or time.monotonic_ns() > deadline_ns:
            raise HostError(name, "its stand-in did not start", "see what it wrote above")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _target(name: str, family: Family, key: str) -> Callable[[], StandinTarget]:
    return lambda: StandinTarget(f"model:{name}@standin", family, dialect(key))


freebsd = _target("freebsd", FREEBSD, "freebsd-13")
freebsd_10 = _target("freebsd-10", FREEBSD, "freebsd-10")
freebsd_15 = _target("freebsd-15", FREEBSD, "freebsd-15")
freebsd_legacy = _target("freebsd-legacy", LEGACY, "freebsd-legacy")
freebsd_legacy_6 = _target("freebsd-legacy-6", LEGACY, "freebsd-legacy-6")
openbsd = _target("openbsd", OPENBSD, "openbsd")
