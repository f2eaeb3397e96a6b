"""Real VRRP routers beside the IUTs: keepalived in a namespace of its own on the bench's segment."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from conformance.segment.trace import HostKind
from conformance.targets.protocol import VrrpRouter

if TYPE_CHECKING:
    from conformance.targets.netns_bench import NetnsBench

NAME = "keepalived"
MAC = bytes.fromhex("0200000002c8")
LINK_LOCAL = "fe80::c8"
_STAMP = re.compile(r"^\w{3} \w{3} +\d+ [\d:.]+ \d{4}: ")
_INSTANCE = "neighbour"


def program() -> str | None:
    """Where keepalived is installed, or None."""
    return shutil.which("keepalived", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def configuration(router: VrrpRouter) -> str:
    """The text of keepalived.conf for ``router``. One gratuitous ARP a time; no script, no tracking."""
    shared = "".join(f"        {one}/{one.max_prefixlen}\n" for one in router.addresses)
    interval = f"{router.interval_cs / 100:g}"
    nopreempt = "" if router.preempt else "    nopreempt\n"
    return (
        "global_defs {\n"
        f"    vrrp_version {router.version}\n    vrrp_garp_master_delay 0\n    vrrp_garp_master_repeat 1\n"
        "    vrrp_check_unicast_src\n}\n"
        f"vrrp_instance {_INSTANCE} {{\n"
        f"    state BACKUP\n    interface eth0\n    virtual_router_id {router.vrid}\n"
        f"    priority {router.priority}\n    advert_int {interval}\n{nopreempt}"
        f"    virtual_ipaddress {{\n{shared}    }}\n}}\n"
    )


def beside(pics: Mapping[str, bool]) -> dict[str, bool]:
    """The PICS of an implementation on a bench of namespaces: with ``vrrp_neighbour`` where keepalived is
    installed.
    """
    return {**pics, "vrrp_neighbour": program() is not None}


class Running(Protocol):
    """A process of the bench whose lines go into the trace."""

    def signal(self, name: str) -> None: ...

    def end(self) -> None: ...


class Keepalived:
    """One keepalived (a :class:`conformance.targets.protocol.Neighbour`), plugged into the switch of the bench.

    What it logs goes into the trace as of a host named keepalived.
    """

    def __init__(self, bench: NetnsBench, router: VrrpRouter, run: Callable[..., Running]) -> None:
        found = program()
        assert found is not None, "the case needs vrrp_neighbour"
        self.bench, self.name, self.router = bench, NAME, router
        self.addresses = (router.source, ip_address(LINK_LOCAL))
        self._parts = ExitStack()
        folder = Path(self._parts.enter_context(tempfile.TemporaryDirectory(prefix="neighbour-")))
        self.station = bench.switch.plug(NAME, f"{router.source}/24", MAC, self._parts)
        self._parts.callback(bench.switch.unplug, NAME)
        if any(one.version == 6 for one in router.addresses):
            self._give_ipv6()
        bench.switch.settle()
        (folder / "conf").write_text(configuration(router))
        bench.note(
            f"starts keepalived beside: VRRPv{router.version}, vrid {router.vrid}, priority {router.priority}"
        )
        files = [f"--{what}={folder / what}" for what in ("pid", "vrrp_pid", "checkers_pid")]
        command = [found, "--dont-fork", "--log-console", "--vrrp", f"--use-file={folder / 'conf'}", *files]
        self._process = run(self, command, _told)
        self._parts.callback(self._process.end)

    def stop(self) -> None:
        """Ends it as an administrator would: a MASTER resigns with priority 0."""
        self._process.signal("TERM")

    def kill(self) -> None:
        """Ends it without giving it a chance to say anything."""
        self.bench.note("kills keepalived")
        self._process.end()

    def close(self) -> None:
        """Ends it and takes it off the segment."""
        self._parts.close()

    def _give_ipv6(self) -> None:
        namespace = self.station.namespace
        namespace.sysctl("net/ipv6/conf/eth0/accept_dad", 0)
        namespace.sysctl("net/ipv6/conf/eth0/addr_gen_mode", 1)
        namespace.sysctl("net/ipv6/conf/eth0/disable_ipv6", 0)
        self.station.add_address(LINK_LOCAL, 64)


def _told(line: str, _time_ns: int) -> tuple[HostKind, str] | None:
    text = _STAMP.sub("", line)
    entered = re.fullmatch(rf"\({_INSTANCE}\) Entering (\w+) STATE.*", text)
    return (HostKind.STATE, entered[1]) if entered else (HostKind.LOG, text)
