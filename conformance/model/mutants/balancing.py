"""Mutants of load balancing: ``carpnodes`` of OpenBSD, ``arpbalance`` of the legacy line."""

from __future__ import annotations

from typing import Any

from conformance.model.balancing import Carpnodes, folded, multicast_mac
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import Fault, carp, carried, mutant, rules
from conformance.model.transitions import Effect
from conformance.wire.frame import virtual_mac


def nodes(**values: Any) -> Fault:
    """Other rules for the virtual hosts of one interface."""
    return rules(carpnodes=Carpnodes(**values))


def _all_step_down(it: Happening, right: Carrier) -> None:
    for vhost in it.vhost.of_interface():
        vhost.advertise_ns = None
    right(it)


def _skew_of_the_first(header: bytearray) -> None:
    header[2] = 0


MUTANTS: tuple[Mutant, ...] = (
    mutant("carpnodes-31", "only 31 carpnodes are accepted", "CONF-017", "openbsd", nodes(most=31)),
    mutant("carpnodes-33", "33 carpnodes are accepted", "CONF-017", "openbsd", nodes(most=33)),
    mutant("carpnodes-stealthy", "carpnodes balance in mode ip-stealth unless told otherwise",
           "CONF-017", "openbsd", nodes(default="ip-stealth")),
    mutant("carpnodes-of-one-skew", "all carpnodes advertise advskew 0",
           "MULTI-007", "openbsd", carp(_skew_of_the_first)),
    mutant("carpnodes-yield-together", "a virtual host that yields takes the others of its interface along",
           "MULTI-007", "openbsd", carried(Effect.STOP_ADVERTISING, _all_step_down)),
    mutant("carpnodes-announce", "a balancing MASTER announces its addresses",
           "ARP-015", "openbsd", nodes(announces=True)),
    mutant("carpnodes-virtual-mac", "balancing ip uses the virtual MAC",
           "MULTI-008", "openbsd", nodes(mac=lambda _, vhid: virtual_mac(vhid))),
    mutant("carpnodes-multicast-mac", "every mode of balancing uses the multicast MAC",
           "MULTI-008", "openbsd", nodes(mac=lambda _, vhid: multicast_mac("ip", vhid))),
    mutant("carpnodes-unfiltered", "the first virtual host takes every packet",
           "MULTI-008", "openbsd", nodes(picks=lambda _source, _destination, _count: 0)),
    mutant("carpnodes-filter-turned", "the filter picks the virtual hosts in descending order",
           "MULTI-008", "openbsd",
           nodes(picks=lambda source, destination, count: count - 1 - folded(source, destination, count))),
    mutant("arpbalance-ignored", "arpbalance has no effect", "ARP-014", "freebsd-legacy",
           rules(arpbalance=lambda _source, _count: 0)),
    mutant("arpbalance-turned", "arpbalance picks the virtual hosts in descending order", "ARP-014", "freebsd-legacy",
           rules(arpbalance=lambda source, count: count - 1 - int(source) % count)),
    mutant("arpbalance-unbalanced", "every virtual host that shares the address answers", "ARP-014", "freebsd-legacy-6",
           rules(arpbalance=None)),
)  # fmt: skip
