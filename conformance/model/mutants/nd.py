"""Mutants of ND: neighbour advertisements and answers."""

from __future__ import annotations

from collections.abc import Callable

from conformance.model import adverts
from conformance.model.actions import State
from conformance.model.announcing import Answer, Mac
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    ETHERNET,
    carried,
    common,
    mutant,
    rules,
    sending,
)
from conformance.model.transitions import Effect
from conformance.model.vhost import Port
from conformance.wire.header import checksum

BACKUP, MASTER = State.BACKUP, State.MASTER
IPV6 = b"\x86\xdd"
IP, ICMP = ETHERNET, ETHERNET + 40
ADVERTISEMENT = 136
OVERRIDE, SOLICITED, ROUTER = 0x20, 0x40, 0x80


def _na(
    change: Callable[[Port, bytearray], None],
    *,
    unsolicited: bool,
) -> Callable[[Port, bytearray, int | None], None]:
    """A change of neighbour advertisements, under a right checksum."""

    def emit(port: Port, data: bytearray, _: int | None) -> None:
        if data[12:14] != IPV6 or len(data) <= ICMP or data[IP + 6] != 58 or data[ICMP] != ADVERTISEMENT:
            return
        if bool(data[ICMP + 4] & SOLICITED) != unsolicited:
            change(port, data)
            data[ICMP + 2 : ICMP + 4] = bytes(2)
            body = bytes(data[ICMP:])
            pseudo = bytes(data[IP + 8 : IP + 40]) + len(body).to_bytes(4, "big") + bytes([0, 0, 0, 58])
            data[ICMP + 2 : ICMP + 4] = checksum(pseudo + body).to_bytes(2, "big")

    return emit


def announced(change: Callable[[Port, bytearray], None]) -> Callable[[Port, bytearray, int | None], None]:
    return _na(change, unsolicited=True)


def _physical(port: Port, data: bytearray) -> None:
    data[ICMP + 26 : ICMP + 32] = port.mac


def _flags(value: int) -> Callable[[Port, bytearray], None]:
    def change(_: Port, data: bytearray) -> None:
        data[ICMP + 4] = value

    return change


def _hops(_: Port, data: bytearray) -> None:
    data[IP + 7] = 64


def _before_advertising(it: Happening, right: Carrier) -> None:
    """Neighbour advertisements precede the CARP one."""
    adverts.neighbour_advertisements(it.host, it.vhost)
    right(it)


def _quiet(it: Happening, _: Carrier) -> None:
    adverts.gratuitous_arp(it.host, it.vhost)


MUTANTS: tuple[Mutant, ...] = (
    mutant("ipv6-not-announced", "a new MASTER sends no neighbour advertisement",
           "ND-001", "freebsd-15", rules(unsolicited_na=False)),
    mutant("ipv6-not-announced-by-openbsd", "a new MASTER sends no neighbour advertisement",
           "ND-001", "openbsd", rules(unsolicited_na=False)),
    mutant("announced-without-override", "the neighbour advertisement does not override",
           "ND-002", "openbsd", sending(announced(_flags(0)))),
    mutant("announced-as-solicited", "the neighbour advertisement says that it was asked for",
           "ND-002", "freebsd-15", sending(announced(_flags(OVERRIDE | SOLICITED)))),
    mutant("announced-from-afar", "the neighbour advertisement has hop limit 64",
           "ND-002", "freebsd-15", sending(announced(_hops))),
    mutant("announced-with-the-wrong-mac", "the neighbour advertisement gives the physical MAC",
           "ND-003", "freebsd-15", sending(announced(_physical))),
    mutant("announced-as-router", "the neighbour advertisement says that the host is a router",
           "ND-004", "openbsd", sending(announced(_flags(ROUTER | OVERRIDE)))),
    mutant("solicitation-not-answered", "a MASTER does not answer multicast solicitations",
           "ND-005", "freebsd-13", rules(na_answer=None)),
    mutant("answers-solicitations-with-the-wrong-mac", "a MASTER answers a multicast solicitation with the physical MAC (opnsense/core#1790)",
           "ND-005", "freebsd-legacy", rules(na_answer=Answer(Mac.PHYSICAL, Mac.PHYSICAL))),
    mutant("unicast-solicitation-not-answered", "a MASTER does not answer unicast solicitations",
           "ND-005", "freebsd-10", rules(na_answer_unicast=None)),
    mutant("backup-answers-nd", "a BACKUP answers solicitations (opnsense/core#6542)",
           "ND-006", "freebsd-13", common(answers_in=(BACKUP, MASTER))),
    mutant("init-answers-nd", "a host answers solicitations in INIT (opnsense/core#4022)",
           "SCENARIO-021", "openbsd", common(answers_in=(State.INIT, MASTER))),
    mutant("unicast-answer-of-13", "FreeBSD 15 answers unicast solicitations as FreeBSD 13 does",
           "ND-007", "freebsd-15", rules(na_answer_unicast=Answer(Mac.PHYSICAL, None))),
    mutant("announced-before-the-advertisement", "OpenBSD's neighbour advertisement precedes the CARP one",
           "ND-010", "openbsd", carried(Effect.ENTER, _before_advertising), carried(Effect.ANNOUNCE, _quiet)),
)  # fmt: skip
