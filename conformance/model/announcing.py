"""The rows of the dialect table about ARP, neighbour discovery and traffic for the shared addresses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformance.model.actions import State
from conformance.model.rows import (
    ALONE,
    BSD,
    FREEBSD_10,
    FREEBSD_13,
    FREEBSD_15,
    FREEBSDS,
    LEGACIES,
    LEGACY,
    OPENBSD,
    OVER_IPV6,
    UCARP,
    Row,
    cell,
    row,
)


class Mac(Enum):
    """Whose MAC address stands in a field."""

    VIRTUAL = "virtual MAC"
    PHYSICAL = "MAC of the interface"
    ZERO = "zeros"


@dataclass(frozen=True, slots=True)
class Gratuitous:
    """The gratuitous ARP request of a new MASTER: Ethernet source, sender and target hardware address."""

    ether_source: Mac
    sender: Mac
    target: Mac

    def __str__(self) -> str:
        fields = (self.ether_source, self.sender, self.target)
        return "Ethernet source: {}; sender: {}; target: {}".format(*(one.value for one in fields))


@dataclass(frozen=True, slots=True)
class Answer:
    """How a MASTER answers for a shared address: Ethernet source of the frame, and the link-layer address it
    tells (``None``: no option).
    """

    ether_source: Mac
    told: Mac | None

    def __str__(self) -> str:
        told = "nothing" if self.told is None else f"the {self.told.value}"
        return f"from the {self.ether_source.value}, telling {told}"


_FREEBSD_GARP = Gratuitous(Mac.PHYSICAL, Mac.VIRTUAL, Mac.ZERO)
_BSD_GARP = Gratuitous(Mac.VIRTUAL, Mac.VIRTUAL, Mac.ZERO)
_UCARP_GARP = Gratuitous(Mac.PHYSICAL, Mac.PHYSICAL, Mac.PHYSICAL)
_VIRTUAL = Answer(Mac.VIRTUAL, Mac.VIRTUAL)
_BY_STATE = {FREEBSD_13: "ARP, neighbour solicitations and echo requests as MASTER, BACKUP and INIT"}

ROWS: tuple[Row, ...] = (
    row(
        "gratuitous_arp",
        "gratuitous ARP request of a new MASTER",
        cell(FREEBSDS, _FREEBSD_GARP),
        cell(LEGACIES, _FREEBSD_GARP),
        cell(OPENBSD, _BSD_GARP),
        cell(UCARP, _UCARP_GARP),
        read="carp_send_arp; ucarp garp.c",
        recorded=ALONE | {UCARP: "c_100.22909"},
    ),
    row(
        "arp_answer",
        "a MASTER's answer to an ARP request for a shared address",
        cell((*LEGACIES, *FREEBSDS), Answer(Mac.PHYSICAL, Mac.VIRTUAL)),
        cell(OPENBSD, _VIRTUAL),
        cell(UCARP, Answer(Mac.PHYSICAL, Mac.PHYSICAL)),
        read="carp_iamatch, arpreply",
        recorded={FREEBSD_13: "a_single_v4_skew0", FREEBSD_15: "a_single_v4_skew0"},
        seen={LEGACY: "ARP requests as MASTER and BACKUP"},
    ),
    row(
        "answers_gratuitous",
        "states in which a host answers a gratuitous ARP for a shared address with its own MAC",
        cell((*LEGACIES, OPENBSD, UCARP), (), "none"),
        cell(FREEBSDS, (State.INIT, State.BACKUP)),
        read="in_arpinput",
        recorded={FREEBSD_13: "i_failover_preempt1"},
        seen={FREEBSD_15: "BACKUP in a pair; the MASTER logs that the address moved"},
    ),
    row(
        "pings_by_own_mac",
        "a BACKUP answers an echo request for a shared address that is framed to its own MAC",
        cell(FREEBSDS, True),
        cell((*LEGACIES, OPENBSD, UCARP), False),
        read="ip_input",
        seen=_BY_STATE,
    ),
    row(
        "echo_from",
        "Ethernet source of a MASTER's echo replies",
        cell((*LEGACIES, *FREEBSDS, UCARP), Mac.PHYSICAL),
        cell(OPENBSD, Mac.VIRTUAL),
        read="ether_output",
        recorded={FREEBSD_13: "a_single_v4_skew0", FREEBSD_15: "a_single_v4_skew0"},
    ),
    row(
        "unsolicited_na",
        "an unsolicited neighbour advertisement of a new MASTER reaches the wire",
        cell((*LEGACIES, FREEBSD_10, FREEBSD_13, UCARP), False),
        cell((FREEBSD_15, OPENBSD), True),
        read="carp_send_na, ip6_output",
        recorded=OVER_IPV6,
    ),
    row(
        "na_answer",
        "a MASTER's answer to a multicast neighbour solicitation for a shared address",
        cell(BSD, _VIRTUAL),
        cell(UCARP, None),
        read="nd6_ns_input",
        seen=_BY_STATE | {LEGACY: "solicitation of the shared address"},
    ),
    row(
        "na_answer_unicast",
        "a MASTER's answer to a unicast neighbour solicitation for a shared address",
        cell((*LEGACIES, FREEBSD_15, OPENBSD), _VIRTUAL),
        cell((FREEBSD_10, FREEBSD_13), Answer(Mac.PHYSICAL, None)),
        cell(UCARP, None),
        read="nd6_ns_input, nd6_na_output_fib",
    ),
    row(
        "own_link_local",
        "an IPv6 virtual host has a link-local address of its own virtual MAC besides",
        cell((*LEGACIES, *FREEBSDS, UCARP), False),
        cell(OPENBSD, True),
        read="carp_set_addr6",
        recorded={OPENBSD: "e-v6"},
    ),
)
