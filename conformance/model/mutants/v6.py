"""Mutants of V6: advertisements over IPv6."""

from __future__ import annotations

from collections.abc import Callable

from conformance.model import checks
from conformance.model.checks import Arrival
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    ETHERNET,
    advertising,
    common,
    demanding,
    instead,
    mutant,
    put,
    rules,
    sending,
    without,
)
from conformance.model.vhost import Port
from conformance.wire.digest import AddressRule

IPV6 = b"\x86\xdd"
IP, ICMP = ETHERNET, ETHERNET + 40


def _only6(change: Callable[[bytearray], None]) -> Callable[[bytearray], None]:
    def emit(data: bytearray) -> None:
        if data[12:14] == IPV6:
            change(data)

    return emit


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
    mutant("group-of-all-nodes", "IPv6 advertisements go to ff02::1",
           "V6-001", "freebsd-13", advertising(_only6(put(IP + 39, b"\x01")))),
    mutant("no-ipv6-advertisements", "nothing is advertised over IPv6 (opnsense/core#3411)",
           "V6-001 V6-007", "freebsd-15", common(emits=_ipv4_alone)),
    mutant("group-mac6-of-all-nodes", "IPv6 advertisements go to 33:33:00:00:00:01",
           "V6-002", "openbsd", advertising(_only6(put(5, b"\x01")))),
    mutant("hop-limit-64-sent", "IPv6 advertisements leave with hop limit 64",
           "V6-003 WIRE-004", "freebsd-legacy", advertising(_only6(put(IP + 7, b"\x40")))),
    mutant("flow-label-set", "the flow label is 1",
           "V6-003", "freebsd-13", advertising(_only6(put(IP + 3, b"\x01")))),
    mutant("source6-is-the-shared-address", "IPv6 advertisements come from the shared address",
           "V6-004", "freebsd-13", sending(_shared_source)),
    mutant("traffic-class-of-ipv4", "OpenBSD's type of service is the traffic class, too",
           "V6-005", "openbsd", rules(traffic_class=0x10)),
    mutant("traffic-class-0", "the dscp does not reach IPv6", "V6-005", "freebsd-15", rules(traffic_class=0)),
    mutant("ipv6-ignored", "IPv6 advertisements are dropped",
           "V6-007 V6-008", "freebsd-13", demanding(_ipv4_only)),
    mutant("hop-limit-unchecked", "the hop limit is not looked at",
           "RX-032 V6-007", "freebsd-13", instead(checks.ttl, _ttl4_only)),
    mutant("family-mixed-up", "an advertisement counts for a vhid without an address of its family",
           "RX-029", "freebsd-10", instead(checks.known_vhid_of_family, _no_family)),
    mutant("non-carp-interface-uncounted", "an IPv6 advertisement on an interface without carp is not counted",
           "RX-033", "freebsd-13", without(checks.carp_interface)),
    mutant("extension-headers-followed", "FreeBSD 15 follows extension headers",
           "RX-034", "freebsd-15", rules(reads_behind_extensions=True)),
    mutant("configured-order-over-ipv6", "IPv6 addresses are hashed in the order of configuration",
           "V6-010", "openbsd", rules(address_rule=AddressRule.CONFIGURED, accepts_rules=(AddressRule.CONFIGURED,))),
    mutant("no-link-local-of-its-own", "OpenBSD makes no link-local address of the virtual MAC",
           "V6-011", "openbsd", rules(own_link_local=False)),
)  # fmt: skip
