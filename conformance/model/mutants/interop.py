"""Mutants of INTEROP: what only another implementation notices, or suffers from."""

from __future__ import annotations

from conformance.model import checks
from conformance.model.announcing import Gratuitous, Mac
from conformance.model.checks import Arrival
from conformance.model.election import Heard, plain_skew, relieves_nobody
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    ETHERNET,
    advertising,
    authentic,
    common,
    instead,
    mutant,
    resum,
    rules,
    without,
)
from conformance.wire.digest import AddressRule

_CARP = ETHERNET + 20


def _summed_without_the_digest(data: bytearray) -> None:
    resum(data, _CARP, _CARP + 16, 6)


def _pseudo_header_summed(arrival: Arrival) -> bool:
    """Checksum with a pseudo header, as VRRPv3 has it (badsum)"""
    return arrival.drop("badsum", "log_checksum")


def _group_only(arrival: Arrival) -> bool:
    """Sent to the group (badvhid)"""
    return arrival.packet.multicast or arrival.drop("badvhid")


def _never_moved(heard: Heard) -> bool:
    """A MASTER stays MASTER."""
    return heard.own_ns > 2 * heard.heard_ns


def _for_a_demoted_one(heard: Heard) -> bool:
    """With preemption a MASTER with a demote count is relieved, whatever its advskew."""
    return heard.preempt and (heard.own_ns < heard.heard_ns or heard.heard_demote > heard.own_demote)


_BOTH_RULES = (AddressRule.ASCENDING, AddressRule.WITHOUT_LINK_LOCAL)

MUTANTS: tuple[Mutant, ...] = (
    mutant("key-cut-at-18", "18 characters of a password go into the key",
           "INTEROP-001", "openbsd", common(password_length=18)),
    mutant("digest-without-addresses", "the digest covers no address, on either way",
           "INTEROP-001", "freebsd-legacy", authentic(lambda _vhost, _version: ())),
    mutant("checksum-without-the-digest", "the checksum covers the first 16 bytes",
           "INTEROP-012 INTEROP-001", "freebsd-13", advertising(_summed_without_the_digest)),
    mutant("checksum-with-a-pseudo-header", "a checksum without a pseudo header is refused",
           "INTEROP-012", "freebsd-10", instead(checks.header_checksum, _pseudo_header_summed)),
    mutant("configured-order-on-13", "FreeBSD 13 hashes in the order of configuration, as FreeBSD 6 did",
           "INTEROP-002", "freebsd-13",
           rules(address_rule=AddressRule.CONFIGURED, accepts_rules=(AddressRule.CONFIGURED,))),
    mutant("families-signed-apart", "an IPv4 advertisement's digest covers the IPv4 addresses alone",
           "INTEROP-003", "freebsd-15",
           authentic(lambda vhost, version: tuple(one for one in vhost.addresses if one.version == version))),
    mutant("openbsd-hashes-link-local", "OpenBSD believes what FreeBSD hashes, without an address of its own",
           "INTEROP-004", "openbsd",
           rules(own_link_local=False, address_rule=AddressRule.ASCENDING, accepts_rules=_BOTH_RULES)),
    mutant("ucarp-believes-anybody", "ucarp does not look at the digest",
           "INTEROP-005", "ucarp", without(checks.digest_uncounted)),
    mutant("keeps-mastership", "a MASTER hands over only to one that is twice as fast",
           "INTEROP-007", "openbsd", rules(yields=_never_moved)),
    mutant("never-takes-mastership", "preemption has no effect on another implementation's MASTER",
           "INTEROP-007 INTEROP-011", "freebsd-legacy", rules(preempts=relieves_nobody)),
    mutant("freebsd-heeds-the-demote-byte", "FreeBSD relieves a MASTER with a demote count",
           "INTEROP-010", "freebsd-13", rules(preempts=_for_a_demoted_one)),
    mutant("legacy-heeds-the-demote-byte", "FreeBSD 9 relieves a MASTER with a demote count",
           "INTEROP-010", "freebsd-legacy", rules(preempts=_for_a_demoted_one)),
    mutant("demotion-kept-to-itself", "a demoted FreeBSD goes on with its own advskew",
           "INTEROP-011", "freebsd-15", rules(effective_skew=plain_skew)),
    mutant("group-only-with-a-peer", "a virtual host with a peer takes advertisements to the group only",
           "INTEROP-014", "freebsd-15", instead(checks.known_vhid_of_family, _group_only)),
    mutant("announces-its-own-mac", "a new MASTER announces the MAC address of its interface",
           "INTEROP-015", "freebsd-13", rules(gratuitous_arp=Gratuitous(Mac.PHYSICAL, Mac.PHYSICAL, Mac.ZERO))),
    mutant("ucarp-announces-a-virtual-mac", "ucarp announces a MAC address at which it does not receive",
           "INTEROP-015", "ucarp", rules(gratuitous_arp=Gratuitous(Mac.PHYSICAL, Mac.VIRTUAL, Mac.ZERO))),
)  # fmt: skip
