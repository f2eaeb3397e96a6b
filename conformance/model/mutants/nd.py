"""Mutants of ND and V6: IPv6 advertisements, announcements and answers."""

from __future__ import annotations

from collections.abc import Callable

from conformance.model import adverts, checks
from conformance.model.actions import State
from conformance.model.announcing import Answer, Mac
from conformance.model.checks import Arrival
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    ETHERNET,
    advertising,
    carried,
    common,
    demanding,
    instead,
    mutant,
    put,
    rules,
    sending,
    without,
)
from conformance.model.transitions import Effect
from conformance.model.vhost import Port
from conformance.wire.digest import AddressRule
from conformance.wire.header import checksum

BACKUP, MASTER = State.BACKUP, State.MASTER
IPV6 = b"\x86\xdd"
IP, ICMP = ETHERNET, ETHERNET + 40
ADVERTISEMENT = 136
OVERRIDE, SOLICITED, ROUTER = 0x20, 0x40, 0x80


def _na(change: Callable[[Port, bytearray], None], *, unsolicited: bool) -> Callable[[Port, bytearray, int | None], None]:
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


def _only6(change: Callable[[bytearray], None]) -> Callable[[bytearray], None]:
    def emit(data: bytearray) -> None:
        if data[12:14] == IPV6:
            change(data)

    return emit


def _before_advertising(it: Happening, right: Carrier) -> None:
    """Neighbour advertisements precede the CARP one."""
    adverts.neighbour_advertisements(it.host, it.vhost)
    right(it)


def _quiet(it: Happening, _: Carrier) -> None:
    adverts.gratuitous_arp(it.host, it.vhost)


def _ttl4_only(arrival: Arrival) -> bool:
    """TTL 255, over IPv4 only"""
    return arrival.packet.version == 6 or checks.ttl(arrival)


def _no_family(arrival: Arrival) -> bool:
    """Virtual host of this vhid, whatever its addresses are"""
    arrival.vhost = arrival.port.vhosts.get(arrival.vhid)
    return arrival.vhost is not None or arrival.drop("badvhid")


def _ipv4_only(arrival: Arrival) -> bool:
    return arrival.packet.version == 4


def _shared_source(port: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None and data[12:14] == IPV6:
        data[IP + 8 : IP + 24] = port.vhosts[vhid].ipv6()[0].packed


def _ipv4_alone(_: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:
    return (frame,) if vhid is None or frame[12:14] != IPV6 else ()


MUTANTS: tuple[Mutant, ...] = (
    mutant("group-of-all-nodes", "IPv6 advertisements go to ff02::1", "V6-001", "freebsd-13", advertising(_only6(put(IP + 39, b"\x01")))),
    mutant("no-ipv6-advertisements", "nothing is advertised over IPv6 (opnsense/core#3411)", "V6-001 V6-007", "freebsd-15", common(emits=_ipv4_alone)),
    mutant("group-mac6-of-all-nodes", "IPv6 advertisements go to 33:33:00:00:00:01", "V6-002", "openbsd", advertising(_only6(put(5, b"\x01")))),
    mutant("hop-limit-64-sent", "IPv6 advertisements leave with hop limit 64", "V6-003 WIRE-004", "freebsd-legacy", advertising(_only6(put(IP + 7, b"\x40")))),
    mutant("flow-label-set", "the flow label is 1", "V6-003", "freebsd-13", advertising(_only6(put(IP + 3, b"\x01")))),
    mutant("source6-is-the-shared-address", "IPv6 advertisements come from the shared address", "V6-004", "freebsd-13", sending(_shared_source)),
    mutant("traffic-class-of-ipv4", "OpenBSD's type of service is the traffic class, too", "V6-005", "openbsd", rules(traffic_class=0x10)),
    mutant("traffic-class-0", "the dscp does not reach IPv6", "V6-005", "freebsd-15", rules(traffic_class=0)),
    mutant("ipv6-ignored", "IPv6 advertisements are dropped", "V6-007 V6-008", "freebsd-13", demanding(_ipv4_only)),
    mutant("hop-limit-unchecked", "the hop limit is not looked at", "RX-032 V6-007", "freebsd-13", instead(checks.ttl, _ttl4_only)),
    mutant("family-mixed-up", "an advertisement counts for a vhid without an address of its family", "RX-029", "freebsd-10", instead(checks.known_vhid_of_family, _no_family)),
    mutant("non-carp-interface-uncounted", "an IPv6 advertisement on an interface without carp is not counted", "RX-033", "freebsd-13", without(checks.carp_interface)),
    mutant("extension-headers-followed", "FreeBSD 15 follows extension headers", "RX-034", "freebsd-15", rules(reads_behind_extensions=True)),
    mutant("configured-order-over-ipv6", "IPv6 addresses are hashed in the order of configuration", "V6-010", "openbsd", rules(address_rule=AddressRule.CONFIGURED, accepts_rules=(AddressRule.CONFIGURED,))),
    mutant("no-link-local-of-its-own", "OpenBSD makes no link-local address of the virtual MAC", "V6-011", "openbsd", rules(own_link_local=False)),
    mutant("ipv6-not-announced", "a new MASTER sends no neighbour advertisement", "ND-001", "freebsd-15", rules(unsolicited_na=False)),
    mutant("ipv6-not-announced-by-openbsd", "a new MASTER sends no neighbour advertisement", "ND-001", "openbsd", rules(unsolicited_na=False)),
    mutant("announced-without-override", "the neighbour advertisement does not override", "ND-002", "openbsd", sending(announced(_flags(0)))),
    mutant("announced-as-solicited", "the neighbour advertisement says that it was asked for", "ND-002", "freebsd-15", sending(announced(_flags(OVERRIDE | SOLICITED)))),
    mutant("announced-from-afar", "the neighbour advertisement has hop limit 64", "ND-002", "freebsd-15", sending(announced(_hops))),
    mutant("announced-with-the-wrong-mac", "the neighbour advertisement gives the physical MAC", "ND-003", "freebsd-15", sending(announced(_physical))),
    mutant("announced-as-router", "the neighbour advertisement says that the host is a router", "ND-004", "openbsd", sending(announced(_flags(ROUTER | OVERRIDE)))),
    mutant("solicitation-not-answered", "a MASTER does not answer multicast solicitations", "ND-005", "freebsd-13", rules(na_answer=None)),
    mutant("answers-solicitations-with-the-wrong-mac", "a MASTER answers a multicast solicitation with the physical MAC (opnsense/core#1790)", "ND-005", "freebsd-legacy", rules(na_answer=Answer(Mac.PHYSICAL, Mac.PHYSICAL))),
    mutant("unicast-solicitation-not-answered", "a MASTER does not answer unicast solicitations", "ND-005", "freebsd-10", rules(na_answer_unicast=None)),
    mutant("backup-answers-nd", "a BACKUP answers solicitations (opnsense/core#6542)", "ND-006", "freebsd-13", common(answers_in=(BACKUP, MASTER))),
    mutant("init-answers-nd", "a host answers solicitations in INIT (opnsense/core#4022)", "SCENARIO-021", "openbsd", common(answers_in=(State.INIT, MASTER))),
    mutant("unicast-answer-of-13", "FreeBSD 15 answers unicast solicitations as FreeBSD 13 does", "ND-007", "freebsd-15", rules(na_answer_unicast=Answer(Mac.PHYSICAL, None))),
    mutant("announced-before-the-advertisement", "OpenBSD's neighbour advertisement precedes the CARP one", "ND-010", "openbsd", carried(Effect.ENTER, _before_advertising), carried(Effect.ANNOUNCE, _quiet)),
)
