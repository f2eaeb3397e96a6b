"""Mutants of VRRP3: FreeBSD 15 that does what RFC 9568 says where it does not, or something else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from conformance.model import checks
from conformance.model.administering import Limits
from conformance.model.checks import Arrival
from conformance.model.effects import Carrier, Happening
from conformance.model.loglines import DEBUG, Line
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import Fault, carried, exchanged, first, instead, mutant, rules, without
from conformance.model.transitions import Effect
from conformance.model.vrrp3 import FREEBSD_15, HeardVrrp3, Rule, preempts_less_or_slower
from conformance.wire.digest import Address
from conformance.wire.frame import virtual_mac
from conformance.wire.vrrp3 import INTERVAL_CS, OWNER, Vrrp3, mac6


def routing(**values: Any) -> Fault:
    """Other rules for VRRPv3."""
    return rules(vrrp3=replace(FREEBSD_15, **values))


def _ascending(addresses: Sequence[Address], version: int) -> bytes:
    return b"".join(sorted(one.packed for one in addresses if one.version == version))


def _both(addresses: Sequence[Address], version: int) -> bytes:  # noqa: ARG001  # the shape of the rule
    return b"".join(one.packed for one in addresses)


def _plain(addresses: Sequence[Address], version: int) -> bytes:
    return b"".join(one.packed for one in addresses if one.version == version)


def _of_its_family(addresses: Sequence[Address], version: int) -> int:
    return sum(one.version == version for one in addresses)


def _or_equal(heard: HeardVrrp3) -> bool:
    """Priority and interval as good as the own."""
    return heard.heard_priority >= heard.own_priority and heard.heard_cs <= heard.own_cs


def _by_priority(heard: HeardVrrp3) -> bool:
    """A higher priority only, as RFC 9568 has it."""
    return heard.heard_priority > heard.own_priority


def _by_interval(heard: HeardVrrp3) -> bool:
    """A shorter interval only."""
    return heard.heard_cs < heard.own_cs


def _of(**own: Any) -> Callable[[Rule], Rule]:
    """The rule for a receiver that is something else than it is."""
    return lambda rule: lambda heard: rule(replace(heard, **own))


def _resigned_at_once(heard: HeardVrrp3) -> bool:
    """Also after priority 0, preemption or not."""
    return heard.heard_priority == 0 or preempts_less_or_slower(heard)


def _equal_too(heard: HeardVrrp3) -> bool:
    return heard.preempt and heard.heard_priority <= heard.own_priority


def _preempts_by_priority(heard: HeardVrrp3) -> bool:
    return heard.preempt and heard.heard_priority < heard.own_priority


def _owner_at_once(it: Happening, right: Carrier) -> None:
    """The owner of the address is MASTER from the start."""
    right(it)
    if it.vhost.routes is not None and it.vhost.config.priority == OWNER:
        it.vhost.down_ns = it.now_ns


def _either_version(arrival: Arrival) -> bool:
    """Version 2 or 3, whatever the virtual host speaks (badver)"""
    return arrival.header[0] >> 4 in (2, 3) or arrival.drop("badver", "log_version")


def _type_1(packet: Vrrp3, addresses: Sequence[Address]) -> bool:  # noqa: ARG001  # the shape of the rule
    return packet.type == 1


def _same_addresses(packet: Vrrp3, addresses: Sequence[Address]) -> bool:
    return packet.addresses(addresses[0].version) == tuple(addresses)


def _right_count(packet: Vrrp3, addresses: Sequence[Address]) -> bool:
    return packet.count == len(addresses)


MUTANTS: tuple[Mutant, ...] = (
    mutant("vrrp3-priority-one-less", "VRRPv3 advertises one less than its priority",
           "VRRP3-001", "freebsd-15", routing(priority=lambda configured, _: configured - 1)),
    mutant("vrrp3-counts-nothing", "VRRPv3 counts no address",
           "VRRP3-001 VRRP3-004", "freebsd-15", routing(counts=lambda _addresses, _version: 0)),
    mutant("vrrp3-sums-as-the-rfc", "VRRPv3 leaves the pseudo-header out of the IPv4 checksum",
           "VRRP3-002", "freebsd-15", routing(pseudo_header_ipv4=False)),
    mutant("vrrp3-checksum-unchecked", "VRRPv3 checks no checksum",
           "VRRP3-002", "freebsd-15", without(checks.vrrp3_checksum)),
    mutant("vrrp3-mac-as-the-rfc", "VRRPv3 over IPv6 leaves from 00:00:5e:00:02:VRID",
           "VRRP3-003", "freebsd-15",
           routing(mac=lambda vrid, version: mac6(vrid) if version == 6 else virtual_mac(vrid))),
    mutant("vrrp3-lists-ascending", "VRRPv3 lists its addresses by size",
           "VRRP3-004", "freebsd-15", routing(lists=_ascending)),
    mutant("vrrp3-lists-both-families", "VRRPv3 lists addresses of both families",
           "VRRP3-004 VRRP3-016", "freebsd-15", routing(lists=_both)),
    mutant("vrrp3-no-scope", "VRRPv3 lists link-local addresses without a scope id",
           "VRRP3-005", "freebsd-15", routing(lists=_plain)),
    mutant("vrrp3-yields-to-equal", "VRRPv3 yields to an equal router",
           "VRRP3-006", "freebsd-15", routing(yields=_or_equal)),
    mutant("vrrp3-yields-by-priority-only", "VRRPv3 does not yield to a shorter interval",
           "VRRP3-006", "freebsd-15", routing(yields=_by_priority)),
    mutant("vrrp3-yields-by-interval-only", "VRRPv3 does not yield to a higher priority",
           "VRRP3-006", "freebsd-15", routing(yields=_by_interval)),
    mutant("vrrp3-preempts-as-the-rfc", "VRRPv3 never takes over at once",
           "VRRP3-007", "freebsd-15", routing(preempts=lambda _: False)),
    mutant("vrrp3-preempts-always", "VRRPv3 preempts without being told to",
           "VRRP3-007", "freebsd-15", routing(preempts=_of(preempt=True)(preempts_less_or_slower))),
    mutant("vrrp3-preempts-equal", "VRRPv3 preempts an equal router",
           "VRRP3-007", "freebsd-15", routing(preempts=_equal_too)),
    mutant("vrrp3-preempts-by-priority-only", "VRRPv3 does not preempt a longer interval",
           "VRRP3-007", "freebsd-15", routing(preempts=_preempts_by_priority)),
    mutant("vrrp3-starts-from-its-interval", "VRRPv3 starts from its own interval, as RFC 9568 has it",
           "VRRP3-008", "freebsd-15", routing(unheard_cs=lambda own_cs: own_cs)),
    mutant("vrrp3-down-time-without-skew", "VRRPv3 waits three intervals whatever its priority",
           "VRRP3-008", "freebsd-15", routing(down_cs=lambda master_cs, _: 3 * master_cs)),
    mutant("vrrp3-down-time-of-one-second", "VRRPv3 waits as if every master advertised each second",
           "VRRP3-008", "freebsd-15",
           routing(down_cs=lambda _, priority: FREEBSD_15.down_cs(INTERVAL_CS, priority))),
    mutant("vrrp3-reserved-bits-masked", "VRRPv3 ignores the reserved bits of the interval",
           "VRRP3-009", "freebsd-15", routing(reads_cs=lambda packet: packet.interval_cs)),
    mutant("vrrp3-interval-0-is-1-s", "VRRPv3 takes an interval of 0 for a second",
           "VRRP3-009", "freebsd-15",
           routing(reads_cs=lambda packet: packet.reserved << 12 | (packet.interval_cs or INTERVAL_CS))),
    mutant("vrrp3-farewell", "VRRPv3 resigns with priority 0",
           "VRRP3-010", "freebsd-15", routing(says_farewell=True)),
    mutant("vrrp3-priority-0-is-a-farewell", "VRRPv3 takes over at once after priority 0",
           "VRRP3-010", "freebsd-15", routing(preempts=_resigned_at_once)),
    mutant("vrrp3-owner-listens", "VRRPv3 with priority 255 obeys a shorter interval",
           "VRRP3-011", "freebsd-15", routing(owner_is_deaf=False)),
    mutant("vrrp3-owner-at-once", "VRRPv3 with priority 255 is MASTER from the start, as RFC 9568 has it",
           "VRRP3-011", "freebsd-15", carried(Effect.ARM_DOWN, _owner_at_once)),
    mutant("vrrp3-ttl-unchecked", "VRRPv3 takes any TTL",
           "VRRP3-012", "freebsd-15", without(checks.vrrp3_ttl)),
    mutant("vrrp3-checksum-before-ttl", "VRRPv3 checks the checksum before the TTL",
           "VRRP3-012", "freebsd-15", exchanged(checks.vrrp3_ttl, checks.vrrp3_checksum)),
    mutant("vrrp3-ttl-before-vrid", "the TTL is checked before anything else",
           "VRRP3-012", "freebsd-15", first(checks.ttl)),
    mutant("vrrp3-and-carp-mixed", "a virtual host takes both versions",
           "VRRP3-013", "freebsd-15", instead(checks.version, _either_version)),
    mutant("vrrp3-demoted", "a demotion lowers the priority of VRRPv3",
           "VRRP3-014", "freebsd-15", routing(priority=lambda configured, by: max(configured - by, 1))),
    mutant("vrrp3-interval-up-to-255", "an interval over 255 cs is refused",
           "VRRP3-015", "freebsd-15", routing(intervals=Limits(1, 255))),
    mutant("vrrp3-interval-of-0", "an interval of 0 is accepted",
           "VRRP3-015", "freebsd-15", routing(intervals=Limits(0, 4095))),
    mutant("vrrp3-shown-as-carp", "VRRPv3 is shown as if it were CARP",
           "VRRP3-015", "freebsd-15", routing(shown="carp: {} vhid {} advbase {} advskew {}")),
    mutant("vrrp3-counts-its-family", "VRRPv3 counts what it lists",
           "VRRP3-016", "freebsd-15", routing(counts=_of_its_family)),
    mutant("vrrp3-type-examined", "VRRPv3 refuses another type than 1",
           "VRRP3-017", "freebsd-15", routing(examines=_type_1)),
    mutant("vrrp3-list-examined", "VRRPv3 refuses another address list",
           "VRRP3-017", "freebsd-15", routing(examines=_same_addresses)),
    mutant("vrrp3-count-examined", "VRRPv3 refuses another count",
           "VRRP3-017", "freebsd-15", routing(examines=_right_count)),
    mutant("vrrp3-ttl-logged-as-carp", "VRRPv3 logs a wrong TTL with the line of CARP",
           "LOG-008", "freebsd-15", routing(log_ttl=Line(2, DEBUG, "carp_input_c: received ttl {ttl} != 255 on {interface}"))),
    mutant("vrrp3-checksum-logged-at-1", "VRRPv3 logs a wrong checksum at level 1",
           "LOG-008", "freebsd-15", routing(log_checksum=replace(FREEBSD_15.log_checksum, threshold=1))),
    mutant("vrrp3-owner-says-nothing", "VRRPv3 with priority 255 ignores packets silently",
           "VRRP3-011", "freebsd-15", routing(log_owner=None)),
    mutant("carpver-changeable", "the carpver of a virtual host can be changed",
           "CONF-018", "freebsd-15", routing(version_is_fixed=False)),
)  # fmt: skip
