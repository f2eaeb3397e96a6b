"""Which frames the monitors of a live session can make anything of, as a program for the kernel: on a busy router the others never reach this process.

CARP, VRRP, ARP and neighbour discovery always. Of other traffic as much as ``Session`` takes of it: packets to addresses that moved (stale
clients), packets from a virtual MAC by a host that may be a BACKUP, and packets to a virtual MAC while they can still tell shared addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.judge.fast import V6_READ
from conformance.judge.ledger import MAX_FRAMES
from conformance.judge.monitors.announce import VIRTUAL
from conformance.judge.session import Session
from conformance.segment.filter import (
    BYTE_BEHIND,
    DROP,
    LOAD_BYTE,
    LOAD_WORD,
    PASS,
    WORD_BEHIND,
    Program,
    Row,
    behind_tags,
    if_untagged,
    load,
    pass_if,
    unless,
    when,
)
from conformance.wire.frame import ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, VLAN_TAGS
from conformance.wire.header import PROTOCOL

_MOST = 64  # addresses of one kind in a program: of more, all packets of the kind are passed
_TAGS = 2  # what has more of them is passed
_DESTINATION_MAC, _SOURCE_MAC = 0, 6
_PROTOCOL, _SOURCE, _DESTINATION = 23, 26, 30  # of IPv4, untagged
_NEXT_HEADER, _SOURCE_END = 20, 34  # of IPv6, untagged; of an address its last four bytes
_VIRTUAL_START, _VIRTUAL_END = int.from_bytes(VIRTUAL[:4], "big"), VIRTUAL[4]


@dataclass(frozen=True, slots=True)
class Interest:
    """What decides about other traffic; addresses are the last four bytes as an integer.

    ``moved``: IPv4 addresses that were bound to another MAC address before; ``own``: the addresses that speakers speak from; ``noted``:
    IPv4 addresses, without a VLAN, that packets to them can tell nothing more about; ``full`` if no further address would be noted there.
    """

    moved: frozenset[int] = frozenset()
    own: frozenset[int] = frozenset()
    noted: frozenset[int] = frozenset()
    full: bool = False


def interest(session: Session) -> Interest:
    """What ``session`` can make of other traffic as it stands."""
    speakers = (
        address
        for host in session.hosts.values()
        for family in host.families.values()
        for address in family.speakers
    )
    noted = session.digests.seen.get((), {})
    return Interest(
        frozenset(int.from_bytes(address, "big") for address in session.watched),
        frozenset(int.from_bytes(address.packed[-4:], "big") for address in speakers),
        frozenset(int(address) for address in noted if address.version == 4),
        len(noted) >= MAX_FRAMES,
    )


def program(about: Interest) -> Program:
    """Passes the frames that a session of this interest can make anything of, tagged up to twice, whether or not the kernel took a tag off; few others."""
    to_virtual: Program = (
        () if about.full else (load(WORD_BEHIND, _DESTINATION), *unless(about.noted, (PASS,)))
    )
    ipv4 = (
        load(BYTE_BEHIND, _PROTOCOL),
        *pass_if((PROTOCOL,)),
        *_any(about.moved, _DESTINATION),
        *_virtual(_SOURCE_MAC, _any(about.own, _SOURCE)),
        *_virtual(_DESTINATION_MAC, _unless_untagged(to_virtual)),
        DROP,
    )
    ipv6 = (
        load(BYTE_BEHIND, _NEXT_HEADER),
        *pass_if(sorted(V6_READ)),
        *_virtual(_SOURCE_MAC, _any(about.own, _SOURCE_END)),
        *_virtual(_DESTINATION_MAC, _unless_untagged(() if about.full else (PASS,))),
        DROP,
    )
    return (
        *behind_tags(VLAN_TAGS, _TAGS),
        *pass_if((ETHERTYPE_ARP, *VLAN_TAGS)),
        *when(ETHERTYPE_IPV4, ipv4),
        *when(ETHERTYPE_IPV6, ipv6),
        DROP,
    )


def _any(addresses: frozenset[int], at: int) -> Program:
    """Passes a packet with one of ``addresses`` at ``at``."""
    if len(addresses) > _MOST:
        return (PASS,)
    return (load(WORD_BEHIND, at), *pass_if(sorted(addresses))) if addresses else ()


def _virtual(at: int, rows: Iterable[Row]) -> Program:
    """``rows``, only where a virtual MAC address (CARP's and VRRP's) is at ``at``."""
    return (
        load(LOAD_WORD, at),
        *when(_VIRTUAL_START, (load(LOAD_BYTE, at + 4), *when(_VIRTUAL_END, rows))),
    )


def _unless_untagged(rows: Program) -> Program:
    """Passes a tagged frame; takes ``rows`` for one without a tag, and drops what they do not pass."""
    return (*if_untagged((*rows, DROP)), PASS)
