"""Mutants of AUTH: what the digest covers, how it is checked, how the counter runs."""

from __future__ import annotations

import hashlib
from random import Random

from conformance.model import checks
from conformance.model.actions import State
from conformance.model.checks import Arrival
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    authentic,
    carried,
    common,
    demanding,
    instead,
    last,
    mutant,
    rules,
    wedge,
    without,
)
from conformance.model.receiving import Digest, NextCounter, constant_cookie, hmac_sha1, running_counter
from conformance.model.transitions import Effect
from conformance.model.vhost import Vhost
from conformance.wire.digest import AddressRule, Secret


def _of(message: bytes) -> tuple[bytes, bytes]:
    """What comes before the addresses, and the addresses."""
    return message[:3], message[3:]


def _uncounted(key: bytes, message: bytes, _: bytes) -> bytes:
    return hmac_sha1(key, message, b"")


def _packed_first_byte(key: bytes, message: bytes, counter: bytes) -> bytes:
    return hmac_sha1(key, b"\x21" + message[2:], counter)


def _without_vhid(key: bytes, message: bytes, counter: bytes) -> bytes:
    return hmac_sha1(key, message[:2] + message[3:], counter)


def _host_order(key: bytes, message: bytes, counter: bytes) -> bytes:
    head, addresses = _of(message)
    return hmac_sha1(key, head + addresses[:4][::-1] + addresses[4:], counter)


def _counter_first(key: bytes, message: bytes, counter: bytes) -> bytes:
    return hmac_sha1(key, counter + message, b"")


def _counter_reversed(key: bytes, message: bytes, counter: bytes) -> bytes:
    return hmac_sha1(key, message, counter[::-1])


def _plain_sha1(key: bytes, message: bytes, counter: bytes) -> bytes:
    return hashlib.sha1(key + message + counter, usedforsecurity=False).digest()


def _zero_key(_: bytes, message: bytes, counter: bytes) -> bytes:
    return hmac_sha1(bytes(20), message, counter)


def _terminated_key(key: bytes, message: bytes, counter: bytes) -> bytes:
    """An empty password is not twenty zeros but twenty ones."""
    return hmac_sha1(key.strip(b"\0") or bytes([1]) * 20, message, counter)


def _ipv6_first(key: bytes, message: bytes, counter: bytes) -> bytes:
    head, addresses = _of(message)
    at = len(addresses) % 16  # the IPv4 addresses, if there are fewer than four
    return hmac_sha1(key, head + addresses[at:] + addresses[:at], counter)


def _scoped(key: bytes, message: bytes, counter: bytes) -> bytes:
    """The scope that the kernel embeds in bytes 2 and 3 stays in."""
    return hmac_sha1(key, message.replace(b"\xfe\x80\x00\x00", b"\xfe\x80\x00\x01"), counter)


def _verified_by(make: Digest, compared: int = 20) -> checks.Check:
    """The check of the digest, made otherwise, of which some bytes are compared."""

    def digest(arrival: Arrival) -> bool:
        vhost, header = arrival.vhost, arrival.header
        assert vhost is not None
        good = any(
            make(vhost.key, prefix, header[8:16])[:compared] == header[16 : 16 + compared]
            for prefix in vhost.prefixes
        )
        return good or arrival.drop("badauth", "log_digest")

    return digest


def _of_any_vhid(arrival: Arrival) -> bool:
    """Digest of this vhid or of a neighbouring one"""
    vhost, header = arrival.vhost, arrival.header
    assert vhost is not None
    messages = [prefix[:2] + bytes([vhid]) + prefix[3:] for prefix in vhost.prefixes for vhid in range(256)]
    return any(
        hmac_sha1(vhost.key, message, header[8:16]) == header[16:36] for message in messages
    ) or arrival.drop("badauth", "log_digest")


def _of_some_addresses(arrival: Arrival) -> bool:
    """Digest over all addresses or over all but one"""
    vhost, header = arrival.vhost, arrival.header
    assert vhost is not None
    sets = [
        vhost.addresses,
        *(tuple(one for one in vhost.addresses if one is not other) for other in vhost.addresses),
    ]
    good = any(
        Secret(vhost.config.password, addresses).verifies(vhost.vhid, header[8:16], header[16:36])
        for addresses in sets
    )
    return good or arrival.drop("badauth", "log_digest")


def _of_any_address(arrival: Arrival) -> bool:
    """Digest of the password over any address that the tester may take"""
    vhost, header = arrival.vhost, arrival.header
    assert vhost is not None
    sets = [vhost.addresses, (*vhost.addresses, "203.0.113.77"), ("203.0.113.78", *vhost.addresses[1:])]
    good = any(
        Secret(vhost.config.password, addresses).verifies(vhost.vhid, header[8:16], header[16:36])
        for addresses in sets
    )
    return good or arrival.drop("badauth", "log_digest")


def _top_bit_open(arrival: Arrival) -> bool:
    """Digest with or without the highest bit of the counter"""
    vhost, header = arrival.vhost, arrival.header
    assert vhost is not None
    counters = (header[8:16], bytes([header[8] ^ 0x80]) + header[9:16])
    return any(
        hmac_sha1(vhost.key, prefix, counter) == header[16:36]
        for prefix in vhost.prefixes
        for counter in counters
    ) or arrival.drop("badauth", "log_digest")


def _wedged_by_type(arrival: Arrival) -> bool:
    """An unknown type stops the virtual host for good."""
    if arrival.header[0] & 15 != 1 and arrival.vhost is not None:
        wedge(arrival.vhost)
        return False
    return True


def _replay_stops_the_timer(it: Happening, right: Carrier) -> None:
    """A counter that is not higher than the one before stops the timer for good."""
    key = id(it.vhost)
    seen = _SEEN.get(key, -1)
    _SEEN[key] = it.vhost.counter
    right(it)
    if seen >= it.vhost.counter:
        it.vhost.down_ns = it.vhost.down6_ns = None


_SEEN: dict[int, int] = {}


def _counting(amount: int, bits: int = 64) -> NextCounter:
    """The counter goes on by ``amount``; only its lowest ``bits`` do."""

    def count(vhost: Vhost, rng: Random) -> bytes:
        if not vhost.heard:
            return running_counter(vhost, rng)
        low = (1 << bits) - 1
        vhost.counter = vhost.counter & ~low | (vhost.counter + amount) & low
        return vhost.counter.to_bytes(8, "big")

    return count


def _from_zero(vhost: Vhost, _: Random) -> bytes:
    """It counts from 0 from the beginning."""
    vhost.counter = (vhost.counter + 1) & 0xFFFF_FFFF_FFFF_FFFF
    return vhost.counter.to_bytes(8, "big")


def _forgets(it: Happening, right: Carrier) -> None:
    """A new MASTER has heard nobody."""
    right(it)
    if it.transition.to is State.MASTER:
        it.vhost.heard = False


def _not_zero(arrival: Arrival) -> bool:
    """Counter is not 0"""
    return arrival.header[8:16] != bytes(8)


def _not_lower(arrival: Arrival) -> bool:
    """Counter is not lower than the last one"""
    vhost = arrival.vhost
    return vhost is None or not vhost.heard or int.from_bytes(arrival.header[8:16], "big") >= vhost.counter


def _same_for_both(vhost: Vhost, version: int, as_made: bytes) -> bytes:
    """The IPv6 advertisement repeats the counter of the IPv4 one."""
    return (
        as_made
        if version == 4 or len(vhost.families) < 2
        else ((int.from_bytes(as_made, "big") - 1) & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "big")
    )


MUTANTS: tuple[Mutant, ...] = (
    mutant("counter-not-hashed", "the counter is left out of the digest",
           "AUTH-010 AUTH-015 WIRE-015", "freebsd-13", rules(digest=_uncounted)),
    mutant("counter-hashed-first", "the counter is hashed before the addresses",
           "AUTH-010", "freebsd-legacy", rules(digest=_counter_first)),
    mutant("counter-hashed-in-host-order", "the counter is hashed with its bytes reversed",
           "AUTH-010", "openbsd", rules(digest=_counter_reversed)),
    mutant("hash-without-key-rounds", "plain SHA-1 over key and message in place of HMAC",
           "AUTH-001", "freebsd-10", rules(digest=_plain_sha1)),
    mutant("password-not-used", "the key is always zero",
           "AUTH-001 SCENARIO-001", "ucarp", rules(digest=_zero_key)),
    mutant("password-cut-at-18", "the nineteenth character of a password is cut off",
           "AUTH-001 AUTH-019", "freebsd-13", common(password_length=18)),
    mutant("password-cut-at-20", "the twentieth character of a password is taken into the key",
           "AUTH-019", "openbsd", common(password_length=20)),
    mutant("empty-password-is-ones", "without a password the key is not zero",
           "AUTH-018 AUTH-001", "freebsd-legacy", rules(digest=_terminated_key)),
    mutant("packed-version-hashed", "the packed first byte 21 is hashed (scapy's contrib layer)",
           "AUTH-002", "freebsd-13", rules(digest=_packed_first_byte)),
    mutant("vhid-not-hashed", "the vhid is left out of the digest",
           "AUTH-002 AUTH-013", "openbsd", rules(digest=_without_vhid), instead(checks.digest, _of_any_vhid)),
    mutant("address-hashed-in-host-order", "the address is hashed with its bytes reversed",
           "AUTH-003", "freebsd-15", rules(digest=_host_order)),
    mutant("addresses-in-configured-order", "addresses are hashed in the order of configuration",
           "AUTH-004 V6-010 AUTH-005", "freebsd-13",
           rules(address_rule=AddressRule.CONFIGURED, accepts_rules=(AddressRule.CONFIGURED,))),
    mutant("sent-in-configured-order", "addresses are hashed in the order of configuration in what is sent",
           "AUTH-004", "freebsd-10",
           rules(address_rule=AddressRule.CONFIGURED, accepts_rules=(AddressRule.ASCENDING,))),
    mutant("ipv6-hashed-first", "IPv6 addresses are hashed before the IPv4 ones",
           "AUTH-006", "freebsd-13", rules(digest=_ipv6_first)),
    mutant("families-hashed-apart", "an advertisement is authenticated over the addresses of its own family",
           "AUTH-007", "freebsd-15",
           authentic(lambda vhost, version: tuple(one for one in vhost.addresses if one.version == version))),
    mutant("scope-hashed", "a link-local address is hashed with its scope",
           "AUTH-008", "freebsd-13", rules(digest=_scoped)),
    mutant("link-local-sent", "OpenBSD hashes its link-local address in what it sends",
           "AUTH-009", "openbsd", rules(address_rule=AddressRule.ASCENDING)),
    mutant("link-local-not-accepted", "OpenBSD accepts no digest over its link-local address",
           "AUTH-009", "openbsd", rules(accepts_rules=(AddressRule.WITHOUT_LINK_LOCAL,))),
    mutant("digest-unchecked", "every digest is right",
           "AUTH-011 AUTH-012 AUTH-014 AUTH-015 RX-023 RX-024 STATS-008", "freebsd-13", without(checks.digest)),
    mutant("digest-unchecked-by-ucarp", "every digest is right",
           "AUTH-011 AUTH-014", "ucarp", without(checks.digest_uncounted)),
    mutant("digest-compared-by-half", "ten bytes of the digest are compared",
           "AUTH-014", "freebsd-legacy", instead(checks.digest, _verified_by(hmac_sha1, 10))),
    mutant("last-digest-byte-open", "nineteen bytes of the digest are compared",
           "AUTH-014", "freebsd-15", instead(checks.digest, _verified_by(hmac_sha1, 19))),
    mutant("counter-top-bit-open", "the highest bit of the counter is not authenticated",
           "AUTH-015", "freebsd-13", instead(checks.digest, _top_bit_open)),
    mutant("digest-of-any-vhid", "a digest made for another vhid is accepted",
           "AUTH-013", "freebsd-legacy-6", instead(checks.digest, _of_any_vhid)),
    mutant("fewer-addresses-accepted", "a digest over all addresses but one is accepted",
           "AUTH-012", "freebsd-13", instead(checks.digest, _of_some_addresses)),
    mutant("other-addresses-accepted", "a digest over other addresses is accepted",
           "AUTH-012 STATS-016", "openbsd", instead(checks.digest, _of_any_address)),
    mutant("wedged-by-a-forged-type", "an advertisement of another type stops the virtual host for good",
           "AUTH-016 RX-007", "freebsd-13", last(_wedged_by_type)),
    mutant("timer-stopped-by-a-replay", "a replayed advertisement stops the master-down timer for good",
           "AUTH-017", "freebsd-13", carried(Effect.ARM_FAMILY, _replay_stops_the_timer)),
    mutant("long-password-taken", "ucarp cuts a long password in place of refusing it",
           "AUTH-020", "ucarp", rules(password_refused_from=None)),
    mutant("password-of-20-taken", "ucarp refuses a password from 21 characters on",
           "AUTH-020", "ucarp", rules(password_refused_from=21)),
    mutant("own-cookie-accepted", "OpenBSD believes its own advertisement",
           "AUTH-023 RX-022", "openbsd", without(checks.not_own_cookie)),
    mutant("counter-not-followed", "the counter of a peer is not taken over",
           "AUTH-024 AUTH-028", "freebsd-13", rules(follows_counter=False)),
    mutant("counter-plus-two", "the counter goes on by two",
           "AUTH-024 AUTH-028", "freebsd-15", rules(next_counter=_counting(2))),
    mutant("counter-stands-still", "the counter repeats what was heard",
           "AUTH-024", "ucarp", rules(next_counter=_counting(0))),
    mutant("counter-without-carry", "only the lower half of the counter counts",
           "AUTH-024", "freebsd-legacy", rules(next_counter=_counting(1, 32))),
    mutant("counter-forgotten-at-take-over", "the first counter of a new MASTER is drawn",
           "AUTH-024", "freebsd-10", carried(Effect.ENTER, _forgets)),
    mutant("counter-from-zero", "the counter of a lone MASTER starts at 1",
           "AUTH-025", "freebsd-13", rules(next_counter=_from_zero)),
    mutant("counter-drawn-once", "the counter of a lone MASTER is drawn once",
           "AUTH-025", "freebsd-legacy-6", rules(next_counter=constant_cookie)),
    mutant("cookie-redrawn", "OpenBSD draws its cookie for every advertisement",
           "AUTH-026", "openbsd", rules(next_counter=running_counter)),
    mutant("counter-zero-refused", "a counter of 0 is refused",
           "AUTH-027", "freebsd-13", demanding(_not_zero)),
    mutant("lower-counter-refused", "a counter lower than the last one is refused",
           "AUTH-027", "freebsd-legacy", demanding(_not_lower)),
    mutant("one-counter-for-both-families", "the advertisements of both families carry one counter",
           "AUTH-028", "freebsd-13", authentic(counter=_same_for_both)),
    mutant("era-6-sorts", "FreeBSD 6 sorts the addresses that it hashes",
           "AUTH-032", "freebsd-legacy-6",
           rules(address_rule=AddressRule.ASCENDING, accepts_rules=(AddressRule.ASCENDING,))),
)  # fmt: skip
