"""Network namespaces: one switch, one tester and any number of hosts, held by open files alone.

No namespace gets a name or a mount, so the kernel removes all of it (interfaces, bridge, addresses) when the process that made it ends, in whatever way. Processes that are
started in a namespace get a parent-death signal for the same reason.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from conformance.lab.process import wakes_soon

_CLONE_NEWNET = 0x40000000
_IFF_NOARP = 0x80
SETTLE_NS = 5_000_000_000
_OWN = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)
IN_USER_NAMESPACE = "CARP_CONFORMANCE_USER_NAMESPACE"


class NamespaceError(RuntimeError):
    """The kernel refuses a network namespace. ``remedy`` is a command or a sentence."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}: {remedy}")


def _call(function: Callable[..., int], *arguments: int) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def may_create() -> bool:
    """Whether this process can make network namespaces here and now (root or a user namespace of its own)."""
    try:
        Namespace.create().close()
    except NamespaceError:
        return False
    return True


def may_unshare() -> bool:
    """Whether an ordinary user can make a user namespace here, and network namespaces in it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    command = [unshare, "--user", "--map-root-user", "--net", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def lacks() -> tuple[tuple[str, str], ...]:
    """What this machine lacks to run processes in namespaces, each with its remedy; empty if nothing."""
    missing = []
    if shutil.which("setpriv") is None:
        missing.append(("the command 'setpriv' is missing", "apt-get install util-linux"))
    if not may_create():
        missing.append(
            (
                "this process may not make network namespaces",
                "run as root, or allow user namespaces: sysctl -w user.max_user_namespaces=10000",
            )
        )
    return tuple(missing)


def enter_user_namespace(arguments: Sequence[str]) -> None:
    """Re-executes ``arguments`` (a whole command line) in a user namespace of its own, keeping the process id; does not return.

    Raises :class:`NamespaceError` where the kernel or the machine does not allow it.
    """
    unshare = shutil.which("unshare")
    if unshare is None:
        raise NamespaceError("the command 'unshare' is missing", "apt-get install util-linux, or run as root")
    if not may_unshare():
        raise NamespaceError(
            "this kernel does not let an ordinary user make a user namespace",
            "run as root, or sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000",
        )
    sys.stdout.flush()
    os.environ[IN_USER_NAMESPACE] = "1"
    os.execv(unshare, [unshare, "--user", "--map-root-user", "--net", *arguments])


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace, alive as long as its file descriptor."""

    fd: int

    @classmethod
    def create(cls) -> Namespace:
        """A new, empty namespace; raises :class:`NamespaceError` without the privilege.

        In a user namespace whose network is still its parent's (``unshare --user`` alone) one can be made, but there is no way back from it.
        """
        home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call(_libc.unshare, _CLONE_NEWNET)
            try:
                return cls(os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC))
            finally:
                _call(_libc.setns, home, _CLONE_NEWNET)
        except OSError as error:
            raise NamespaceError(
                f"cannot make a network namespace ({error.strerror})",
                "run as root, or as a user in a kernel that allows user namespaces",
            ) from error
        finally:
            os.close(home)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread is in this namespace meanwhile; sockets and processes made there stay there."""
        home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call(_libc.setns, self.fd, _CLONE_NEWNET)
            try:
                yield
            finally:
                _call(_libc.setns, home, _CLONE_NEWNET)
        finally:
            os.close(home)

    def spawn(self, command: Sequence[str], **popen: Any) -> subprocess.Popen[bytes]:
        """Starts a process in this namespace that dies with the calling thread's process (``setpriv --pdeathsig``).

        It leads a process group of its own: what it starts can be ended with it, and a Ctrl-C of the user does not reach it.
        """
        with self.entered():
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command], process_group=0, **popen
            )
        wakes_soon(process.pid)
        return process

    def sysctl(self, name: str, value: int) -> None:
        """Writes ``net.…`` of this namespace, given with slashes (``net/ipv4/ip_nonlocal_bind``)."""
        with self.entered():
            Path("/proc/sys", name).write_text(str(value))

    def sysctl_if_there(self, name: str, value: int) -> None:
        """As :meth:`sysctl`, for a switch of a kernel module that may not be loaded."""
        with self.entered():
            path = Path("/proc/sys", name)
            if path.exists():
                path.write_text(str(value))

    def close(self) -> None:
        os.close(self.fd)


@contextmanager
def _unless_gone() -> Iterator[None]:
    """The kernel removes the secondary addresses of a subnet together with its first one."""
    try:
        yield
    except NetlinkError as error:
        if error.code != errno.EADDRNOTAVAIL:
            raise


@dataclass(slots=True)
class Station:
    """Something plugged into the switch: its namespace, interface ``eth0``, address and MAC (six bytes).

    ``own_stack``: a process there answers for the address, so the kernel gets neither an address nor ARP.
    """

    name: str
    namespace: Namespace
    address: IPv4Interface
    mac: bytes
    ip: IPRoute
    index: int
    interface: str = "eth0"
    own_stack: bool = False

    def add_address(self, address: str, prefix: int) -> None:
        self.ip.addr("add", index=self.index, address=address, prefixlen=prefix)

    def flush_addresses(self) -> None:
        """Removes all addresses but the station's own."""
        for found in self.ip.get_addr(index=self.index, family=2):
            if found.get_attr("IFA_ADDRESS") != str(self.address.ip):
                with _unless_gone():
                    self.ip.addr(
                        "del",
                        index=self.index,
                        address=found.get_attr("IFA_ADDRESS"),
                        prefixlen=found["prefixlen"],
                    )


@dataclass(slots=True)
class Switch:
    """A Linux bridge in a namespace of its own, without snooping, spanning tree or delay, that floods all multicast."""

    namespace: Namespace
    ip: IPRoute
    bridge: int
    stations: dict[str, Station] = field(default_factory=dict)
    _ports: dict[str, int] = field(default_factory=dict)
    _pulled: set[str] = field(default_factory=set)
    _parted: set[str] = field(default_factory=set)
    _settled: bool = True

    def plug(
        self,
        name: str,
        address: str,
        mac: bytes,
        stack: ExitStack,
        *,
        own_stack: bool = False,
        beside: tuple[Station, str] | None = None,
    ) -> Station:
        """Makes a station ``name`` with ``address`` (a.b.c.d/len) on ``eth0`` and connects it.

        With ``own_stack`` the kernel there stays silent: the address is left to a process on a packet socket. ``beside`` is a station of another
        switch in whose namespace it is one more interface, of that name.
        """
        if beside is not None:
            other, interface = beside
            station = Station(
                name, other.namespace, IPv4Interface(address), mac, other.ip, 0, interface, own_stack
            )
        else:
            namespace = Namespace.create()
            stack.callback(namespace.close)
            with namespace.entered():
                ip = stack.enter_context(IPRoute())
            ip.link("set", index=ip.link_lookup(ifname="lo")[0], state="up")
            station = Station(name, namespace, IPv4Interface(address), mac, ip, 0, own_stack=own_stack)
        self.stations[name] = station
        self.replug(name)
        return station

    def replug(self, name: str) -> None:
        """Gives a station that has none its interface, with its MAC and its own address, and connects it."""
        station, port = self.stations[name], f"p-{name}"
        self.ip.link(
            "add",
            ifname=port,
            kind="veth",
            peer={
                "ifname": station.interface,
                "net_ns_fd": station.namespace.fd,
                "address": station.mac.hex(":"),
            },
        )
        self._ports[name] = self.ip.link_lookup(ifname=port)[0]
        self.ip.link("set", index=self._ports[name], master=self.bridge, state="up")
        station.namespace.sysctl(f"net/ipv6/conf/{station.interface}/disable_ipv6", 1)
        station.index = station.ip.link_lookup(ifname=station.interface)[0]
        if station.own_stack:
            station.ip.link("set", index=station.index, flags=_IFF_NOARP, change=_IFF_NOARP)
        station.ip.link("set", index=station.index, state="up")
        if not station.own_stack:
            station.add_address(str(station.address.ip), station.address.network.prefixlen)
        self._settled = False

    def unplug(self, name: str) -> None:
        """Removes the station's interface, and the cable with it."""
        station = self.stations[name]
        station.ip.link("del", index=station.index)
        del self._ports[name]
        self._pulled.discard(name)
        self._parted.discard(name)

    def cable(self, name: str, *, plugged: bool) -> None:
        """Takes the carrier from the station's interface, or gives it back."""
        if plugged == (name in self._pulled):
            self.ip.link("set", index=self._ports[name], state="up" if plugged else "down")
            self._pulled ^= {name}
            self._settled = False

    def settle(self) -> None:
        """Returns when every link is up: on a busy machine the kernel starts to send some time after it was told to, and loses what comes before.

        Raises :class:`NamespaceError` if that takes more than ``SETTLE_NS``.
        """
        if self._settled:
            return
        deadline_ns = time.monotonic_ns() + SETTLE_NS
        while not all(self._is_up(name) for name in self._ports):
            if time.monotonic_ns() > deadline_ns:
                raise NamespaceError("the links of a switch did not come up in 5 s", "run with fewer lanes")
        self._settled = True

    def _is_up(self, name: str) -> bool:
        station = self.stations[name]
        ends = (*self.ip.get_links(self._ports[name]), *station.ip.get_links(station.index))
        return all(end.get_attr("IFLA_OPERSTATE") == "UP" for end in ends)

    def part(self, names: Sequence[str], *, parted: bool) -> None:
        """Parts stations from one another: each still hears, and is heard by, all that are not named. ``parted`` false heals it."""
        for name in self._ports.keys() & (set(names) - self._parted if parted else self._parted & set(names)):
            self.ip.brport("set", index=self._ports[name], isolated=int(parted))
            self._parted ^= {name}

    def deafen(self, name: str, *, deaf: bool) -> None:
        """Sends ``name`` no multicast and no broadcast any more, or ends that; all others still hear it."""
        flooded = int(not deaf)
        self.ip.brport("set", index=self._ports[name], mcast_flood=flooded, bcast_flood=flooded)


@contextmanager
def switch() -> Iterator[tuple[Switch, ExitStack]]:
    """A switch and the stack that everything plugged into it is torn down with."""
    with ExitStack() as stack:
        namespace = Namespace.create()
        stack.callback(namespace.close)
        namespace.sysctl("net/ipv6/conf/default/disable_ipv6", 1)
        for family in (
            "iptables",
            "ip6tables",
            "arptables",
        ):  # br_netfilter drops damaged IP packets and cuts padding off: no wire does
            namespace.sysctl_if_there(f"net/bridge/bridge-nf-call-{family}", 0)
        with namespace.entered():
            ip = stack.enter_context(IPRoute())
        ip.link("add", ifname="br0", kind="bridge", br_mcast_snooping=0, br_stp_state=0, br_forward_delay=0)
        bridge = ip.link_lookup(ifname="br0")[0]
        ip.link("set", index=bridge, state="up")
        yield Switch(namespace, ip, bridge), stack
