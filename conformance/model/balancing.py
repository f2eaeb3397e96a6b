"""Load balancing: several virtual hosts for one address, of which the client's address picks one (``carpnodes`` of OpenBSD,
``arpbalance`` of the legacy line).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.model.actions import State
from conformance.model.rows import FREEBSDS, LEGACIES, OPENBSD, UCARP, Row, cell, row
from conformance.wire.digest import Address
from conformance.wire.frame import virtual_mac

if TYPE_CHECKING:
    from conformance.model.vhost import Vhost

MODES = ("ip", "ip-stealth", "ip-unicast")
"""What ``balancing`` of OpenBSD's ifconfig takes."""


@dataclass(slots=True, eq=False)
class Nodes:
    """The virtual hosts of one carp interface, in ascending order of their vhids; the first leads."""

    mode: str
    members: list[Vhost] = field(default_factory=list)


def multicast_mac(mode: str, vhid: int) -> bytes:
    """01:00:5e:00:01:VHID of the first vhid in mode ip, the virtual MAC in the others."""
    return (b"\1" if mode == "ip" else b"\0") + virtual_mac(vhid)[1:]


def folded(source: Address, destination: Address, count: int) -> int:
    """Source XOR destination, in 32-bit words, modulo the number of virtual hosts."""
    mixed = int.from_bytes(source.packed) ^ int.from_bytes(destination.packed)
    fold = 0
    while mixed:
        fold ^= mixed & 0xFFFF_FFFF
        mixed >>= 32
    return fold % count


def source_modulo(source: Address, count: int) -> int:
    """The IPv4 source of the request modulo the number of virtual hosts that run."""
    return int.from_bytes(source.packed) % count


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carpnodes:
    """How an interface with several virtual hosts behaves."""

    most: int = 32
    """Pairs of vhid and advskew."""
    default: str = "ip"
    """The mode if none is given."""
    mac: Callable[[str, int], bytes] = multicast_mac
    announces: bool = False
    """A new MASTER sends gratuitous ARP and unsolicited neighbour advertisements."""
    picks: Callable[[Address, Address, int], int] = folded
    """Which virtual host takes a packet from a source to a destination."""

    def takes(self, nodes: Nodes, source: Address, destination: Address) -> bool:
        """Whether this host takes a packet: it is MASTER of the virtual host that is picked."""
        picked = self.picks(source, destination, len(nodes.members))
        return nodes.members[picked].state is State.MASTER

    def __str__(self) -> str:
        return (
            f"yes, up to {self.most}, mode {self.default} unless another is given: 01:00:5e:00:01:VHID of the first vhid is the "
            "shared MAC (the virtual MAC in the other modes), nothing is announced, and each host takes the packets whose "
            "folded addresses pick a virtual host that it is MASTER of"
        )


ROWS: tuple[Row, ...] = (
    row(
        "carpnodes",
        "several virtual hosts on one carp interface",
        cell(OPENBSD, Carpnodes()),
        cell((*LEGACIES, *FREEBSDS, UCARP), None, "no"),
        read="carp_vhids_ioctl, carp_set_vhe_enaddr, carp_lsdrop, carp_master_down",
        seen={OPENBSD: "carpnodes 1:0,2:100: both MASTER, source MAC 01:00:5e:00:01:01"},
    ),
    row(
        "arpbalance",
        "which of the virtual hosts that share an address answers ARP while net.inet.carp.arpbalance is not 0",
        cell(LEGACIES, source_modulo),
        cell((*FREEBSDS, OPENBSD, UCARP), None, "no such sysctl"),
        read="carp_iamatch",
    ),
)
