"""Mutants of a virtual host's life: made, changed, removed, beside others (ELECT, CONF, MULTI, ROBUST, UNICAST, SCENARIO …)."""

from __future__ import annotations

from ipaddress import IPv6Address

from conformance.model import checks
from conformance.model.checks import Arrival
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    ETHERNET,
    authentic,
    carried,
    common,
    instead,
    mutant,
    rules,
    sending,
)
from conformance.model.transitions import Effect
from conformance.model.vhost import Port
from conformance.wire.digest import Secret

_MOST_VHID = 200
_IPV6 = b"\x86\xdd"


def _twice(_: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:
    return (frame,) if vhid is None else (frame, frame)


def _silent_above(_: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:
    return () if vhid is not None and vhid > _MOST_VHID else (frame,)


def _nothing_to_link_local(_: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:
    lost = (
        vhid is not None
        and frame[12:14] == _IPV6
        and IPv6Address(frame[ETHERNET + 24 : ETHERNET + 40]).is_link_local
    )
    return () if lost else (frame,)


def _from_a_foreign_mac(_: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None:
        data[6:12] = b"\x02\x00\x00\x00\xff\xff"


def _from_the_interface(port: Port, data: bytearray, _: int | None) -> None:
    data[6:12] = port.mac


def _both_timers_stopped(it: Happening, right: Carrier) -> None:
    """An advertisement of one family stops the timers of both."""
    right(it)
    if len(it.vhost.families) > 1:
        it.vhost.down_ns = it.vhost.down6_ns = None


def _first_address_hashed(arrival: Arrival) -> bool:
    """Digest over the first address (badauth)"""
    vhost, header = arrival.vhost, arrival.header
    assert vhost is not None
    rules = arrival.host.dialect
    secret = Secret(vhost.key, vhost.addresses[:1], rules.address_rule)
    return secret.verifies(vhost.vhid, header[8:16], header[16:36]) or arrival.drop("badauth", "log_digest")


MUTANTS: tuple[Mutant, ...] = (
    mutant("says-farewell-when-removed", "FreeBSD says 255/255 when a virtual host is removed",
           "ELECT-016", "freebsd-13", common(leaves_silently=False)),
    mutant("ucarp-says-farewell", "ucarp says 255/255 when it ends",
           "ELECT-017", "ucarp", common(leaves_silently=False)),
    mutant("usr1-unheard", "ucarp does not log its state at SIGUSR1",
           "ELECT-026", "ucarp", common(tells_state=False)),
    mutant("runs-without-an-address", "a virtual host without an address runs",
           "ELECT-036", "freebsd-13", common(needs_address=False)),
    mutant("runs-without-an-address-on-openbsd", "a virtual host without an address runs",
           "ELECT-036", "openbsd", common(needs_address=False)),
    mutant("duplicate-found", "a BACKUP takes its master's announcement for a duplicate address",
           "ND-009", "freebsd-15", common(marks_duplicates=True)),
    mutant("suppress-preempt-written", "suppress_preempt can be written",
           "SYSCTL-007", "freebsd-legacy", common(suppress_is_read_only=False)),
    mutant("two-of-one-vhid", "a vhid that is configured again advertises twice",
           "CONF-005", "freebsd-13", common(emits=_twice)),
    mutant("refusal-leaves-nothing", "a refused advskew leaves nothing behind on FreeBSD 13",
           "CONF-010", "freebsd-13", rules(refusal_leaves_part=False)),
    mutant("address-taken-once", "setting an address again is refused (opnsense/core#2486)",
           "CONF-014", "freebsd-15", common(takes_address_again=False)),
    mutant("deaf-after-one-family", "an advertisement of one family stops the timers of both",
           "V6-009", "freebsd-13", carried(Effect.ARM_FAMILY, _both_timers_stopped)),
    mutant("200-vhids", "virtual hosts above 200 do not advertise",
           "MULTI-006", "freebsd-13", common(emits=_silent_above)),
    mutant("dead-peer-demotes-openbsd", "OpenBSD counts EHOSTDOWN as a failed send",
           "UNICAST-008", "openbsd", rules(dead_peer_is_an_error=True)),
    mutant("dead-peer-unnoticed", "FreeBSD 15 does not count a peer that does not resolve",
           "UNICAST-011", "freebsd-15", rules(dead_peer_is_an_error=False)),
    mutant("no-link-local-peer", "nothing is sent to a link-local peer",
           "UNICAST-010", "freebsd-15", common(emits=_nothing_to_link_local)),
    mutant("unicast-from-a-foreign-mac", "in unicast mode the Ethernet source is nobody's",
           "UNICAST-012", "freebsd-15", sending(_from_a_foreign_mac)),
    mutant("nothing-after-a-removal", "after the removal of a virtual host none starts on its interface any more",
           "ROBUST-009", "freebsd-13", common(survives_removal=False)),
    mutant("nothing-after-a-removal-on-legacy", "after the removal of a virtual host none starts on its interface any more",
           "ROBUST-009", "freebsd-legacy", common(survives_removal=False)),
    mutant("removed-mac-kept", "frames to the MAC of a virtual host that was removed are taken in",
           "SCENARIO-012", "freebsd-13", common(forgets_mac=False)),
    mutant("never-at-the-virtual-mac", "no frame leaves from the virtual MAC, so a switch never learns it again (acassen/keepalived#74)",
           "SCENARIO-008", "freebsd-13", sending(_from_the_interface)),
    mutant("added-address-splits", "an address that is added on both sides is hashed by the sender alone",
           "SCENARIO-020", "freebsd-13", instead(checks.digest, _first_address_hashed)),
    mutant("mac-set-by-hand-unhashed", "a MAC address that was set by hand is not hashed",
           "AUTH-022", "openbsd", authentic()),
)  # fmt: skip
