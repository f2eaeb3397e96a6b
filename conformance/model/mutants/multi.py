"""Mutants of MULTI: one virtual host influences another."""

from __future__ import annotations

from random import Random

from conformance.model import checks
from conformance.model.checks import Arrival
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    CARP_MAC,
    ETHERNET,
    carried,
    common,
    instead,
    mutant,
    resum,
    rules,
    sending,
)
from conformance.model.receiving import hmac_sha1, running_counter
from conformance.model.transitions import Effect
from conformance.model.vhost import Port, Vhost


def _all_step_down(it: Happening, right: Carrier) -> None:
    """What stops one virtual host stops its neighbours."""
    for vhost in it.vhost.port.vhosts.values():
        vhost.advertise_ns = None
    right(it)


def _all_rearmed(it: Happening, right: Carrier) -> None:
    """An advertisement restarts the timers of all virtual hosts of the interface."""
    right(it)
    for vhost in it.vhost.port.vhosts.values():
        if vhost.down_ns is not None:
            vhost.down_ns = max(vhost.down_ns, it.vhost.down_ns or 0)


def _all_of_the_host_rearmed(it: Happening, right: Carrier) -> None:
    """An advertisement restarts the timers of the vhid on all interfaces."""
    right(it)
    for vhost in it.host.vhosts():
        if vhost.vhid == it.vhost.vhid and vhost.down_ns is not None and it.vhost.down_ns is not None:
            vhost.down_ns = it.vhost.down_ns


def _stopped_everywhere(it: Happening, right: Carrier) -> None:
    """What stops a vhid on one interface stops it on the others."""
    for vhost in it.host.vhosts():
        if vhost.vhid == it.vhost.vhid:
            vhost.advertise_ns = None
    right(it)


def _shared_counter(vhost: Vhost, rng: Random) -> bytes:
    """One counter for all virtual hosts of the interface."""
    for other in vhost.port.vhosts.values():
        if other.heard:
            vhost.counter, vhost.heard = other.counter, True
            break
    return running_counter(vhost, rng)


def _key_of_the_first(arrival: Arrival) -> bool:
    """Digest with the key of the first virtual host"""
    vhost, header = arrival.vhost, arrival.header
    assert vhost is not None
    key = next(iter(arrival.port.vhosts.values())).key
    return hmac_sha1(key, vhost.prefixes[0], header[8:16]) == header[16:36] or arrival.drop(
        "badauth",
        "log_digest",
    )


def _signed_with_the_first(port: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is None:
        return
    at = ETHERNET + (20 if data[12:14] == b"\x08\x00" else 40)
    key = next(iter(port.vhosts.values())).key
    data[at + 16 : at + 36] = hmac_sha1(key, port.vhosts[vhid].prefixes[0], bytes(data[at + 8 : at + 16]))
    resum(data, at, at + 36, 6)


def _foreign_rearms(arrival: Arrival) -> bool:
    """An advertisement for a vhid holds every virtual host of the interface back"""
    for vhost in arrival.port.vhosts.values():
        if vhost.down_ns is not None:
            config, host = vhost.config, arrival.host
            vhost.down_ns = host.now_ns + host.dialect.master_down_ns(
                config.advbase,
                config.advskew,
                config.dead_ratio,
            )
    return checks.version(arrival)


def _any_interface(arrival: Arrival) -> bool:
    """Virtual host of this vhid on any interface"""
    found = (port.vhosts[arrival.vhid] for port in arrival.host.ports.values() if arrival.vhid in port.vhosts)
    arrival.vhost = next(found, None)
    return arrival.vhost is not None or arrival.drop("badvhid")


def _one_for_each_address(port: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:
    """A virtual host is silent that shares an address of another one."""
    if vhid is None:
        return (frame,)
    mine = set(port.vhosts[vhid].config.addresses)
    taken = any(other < vhid and mine & set(one.config.addresses) for other, one in port.vhosts.items())
    return () if taken else (frame,)


MUTANTS: tuple[Mutant, ...] = (
    mutant("neighbours-step-down", "a virtual host that steps down silences its neighbours",
           "MULTI-001", "freebsd-13", carried(Effect.STOP_ADVERTISING, _all_step_down)),
    mutant("neighbours-rearmed", "an advertisement restarts the timers of all virtual hosts",
           "MULTI-001 MULTI-002", "openbsd", carried(Effect.ARM_FAMILY, _all_rearmed)),
    mutant("one-counter-for-all", "the virtual hosts share one counter",
           "MULTI-001", "freebsd-legacy", rules(next_counter=_shared_counter)),
    mutant("signed-with-the-first-key", "all virtual hosts sign with the key of the first",
           "MULTI-001", "freebsd-13", sending(_signed_with_the_first)),
    mutant("verified-with-the-first-key", "all virtual hosts verify with the key of the first",
           "MULTI-001", "freebsd-15", instead(checks.digest, _key_of_the_first)),
    mutant("stream-holds-neighbours", "a stream for one vhid holds the others back",
           "MULTI-002 MULTI-001", "freebsd-10", instead(checks.version, _foreign_rearms)),
    mutant("mac-of-the-first", "all virtual hosts advertise from one virtual MAC",
           "MULTI-003 WIRE-016", "freebsd-13", rules(virtual_mac=lambda _: CARP_MAC + b"\x01")),
    mutant("rearmed-on-all-interfaces", "an advertisement restarts the timers of its vhid on all interfaces",
           "MULTI-005", "freebsd-13", carried(Effect.ARM_FAMILY, _all_of_the_host_rearmed)),
    mutant("stopped-on-all-interfaces", "a vhid that steps down on one interface does so on all",
           "MULTI-005", "openbsd", carried(Effect.STOP_ADVERTISING, _stopped_everywhere)),
    mutant("address-of-one-vhid-alone", "of two vhids that share an address one advertises",
           "MULTI-009", "freebsd-legacy", common(emits=_one_for_each_address)),
    mutant("heard-on-any-interface", "an advertisement counts for a vhid on another interface",
           "RX-025", "freebsd-legacy", instead(checks.known_vhid, _any_interface),
           instead(checks.carp_interface, lambda _: True)),
)  # fmt: skip
