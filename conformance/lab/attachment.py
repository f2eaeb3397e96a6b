"""The tester's place on a wire: an interface of this machine as it is, or a VLAN on it in a network namespace of its own."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from conformance.lab import tagging
from conformance.lab.netns import Namespace, NamespaceError

Interface = IPv4Interface | IPv6Interface
_SIOCGIFHWADDR = 0x8927
_IFREQ = struct.Struct("@16sH6s16x")  # struct ifreq: name, family, hardware address
_NAME_LENGTH = 15


@dataclass(frozen=True, slots=True)
class Attachment:
    """Where the tester sends and listens. ``mac`` is six bytes; ``namespace`` None is the one that the process is in."""

    interface: str
    mac: bytes
    namespace: Namespace | None = None

    def entered(self) -> AbstractContextManager[None]:
        """The calling thread is where the interface is meanwhile."""
        return nullcontext() if self.namespace is None else self.namespace.entered()


def interface_mac(interface: str) -> bytes:
    """The MAC address of an interface of the namespace that the calling thread is in. Raises OSError if there is none of that name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        answer = fcntl.ioctl(asked, _SIOCGIFHWADDR, _IFREQ.pack(interface.encode(), 0, bytes(6)))
    mac: bytes = _IFREQ.unpack(answer)[2]
    return mac


@contextmanager
def attached(interface: str, addresses: Sequence[Interface], vlan: int | None) -> Iterator[Attachment]:
    """The tester on ``interface`` with ``addresses``, as long as the context lasts; with ``vlan`` on that VLAN of it, alone in a namespace, which takes all of it along when
    the process ends.

    An address that the interface has already stays. IPv6 addresses are for frames that the tester makes itself: the kernel's own stack gets none of them.

    Raises :class:`NamespaceError` where there is no such interface or the privilege is missing.
    """
    with ExitStack() as stack:
        ip = stack.enter_context(IPRoute())
        found = ip.link_lookup(ifname=interface)
        if not found:
            raise NamespaceError(
                f"this machine has no interface {interface!r}", "give the name that ip link shows"
            )
        wanted = [one for one in addresses if one.version == 4]
        try:
            if vlan is None:
                yield _in_place(ip, found[0], interface, wanted, stack)
            else:
                yield _on_vlan(ip, found[0], interface, wanted, vlan, stack)
        except PermissionError as error:
            raise NamespaceError("this process may not configure interfaces", "run as root") from error


def _in_place(
    ip: IPRoute, index: int, interface: str, addresses: Sequence[Interface], stack: ExitStack
) -> Attachment:
    ip.link("set", index=index, state="up")
    there = {one.get_attr("IFA_ADDRESS") for one in ip.get_addr(index=index)}
    for one in addresses:
        if str(one.ip) not in there:
            _give(ip, index, one)
            stack.callback(ip.addr, "del", index=index, address=str(one.ip), prefixlen=one.network.prefixlen)
    return Attachment(interface, interface_mac(interface))


def _on_vlan(
    ip: IPRoute, index: int, interface: str, addresses: Sequence[Interface], vlan: int, stack: ExitStack
) -> Attachment:
    ip.link("set", index=index, state="up")
    namespace = Namespace.create()
    stack.callback(namespace.close)
    name = f"{interface[: _NAME_LENGTH - 5]}.{vlan}"
    _add_vlan(ip, index, name, vlan)
    ip.link("set", index=ip.link_lookup(ifname=name)[0], net_ns_fd=namespace.fd)
    with namespace.entered():
        inside = stack.enter_context(IPRoute())
    namespace.sysctl(f"net/ipv6/conf/{name}/disable_ipv6", 1)
    inside.link("set", index=inside.link_lookup(ifname="lo")[0], state="up")
    own = inside.link_lookup(ifname=name)[0]
    inside.link("set", index=own, state="up")
    for one in addresses:
        _give(inside, own, one)
    with namespace.entered():
        return Attachment(name, interface_mac(name), namespace)


def _add_vlan(ip: IPRoute, index: int, name: str, vlan: int) -> None:
    try:
        ip.link("add", ifname=name, kind="vlan", link=index, vlan_id=vlan)
    except NetlinkError as error:
        if error.code != errno.EOPNOTSUPP:
            raise
        tagging.add_vlan(ip, index, name, vlan)


def _give(ip: IPRoute, index: int, address: Interface) -> None:
    ip.addr("add", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
