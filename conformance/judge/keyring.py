"""Digest verification at speed, and the search for what a foreign digest covers.

A :class:`Key` holds the two SHA-1 contexts of an HMAC with everything fixed already hashed, so that one advertisement costs two copies
and two short updates. The search tries the operator's passwords on sets of the addresses known on the segment.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from itertools import combinations, permutations
from typing import Any

from conformance.wire.digest import KEY_LENGTH, Address, AddressRule, Secret, key

try:
    # The builtin SHA-1 copies its state without OpenSSL's locks: a third faster for such short messages.
    from _sha1 import sha1
except ImportError:
    sha1 = hashlib.sha1

_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))

MAX_UNIVERSE = 9
"""Addresses of which all subsets are tried (2^9 digests a password)."""
_MAX_ORDERED = 4  # addresses of which all orders are tried (FreeBSD 5.4 to 6 hash in order of configuration)
_MAX_DEEP_PASSWORDS = 16


@dataclass(frozen=True, slots=True)
class Material:
    """What a digest covers: ``password`` is the index into the passwords given (None: no password set), ``mixed`` the index of an older, longer
    password whose tail was left in the key, ``addresses`` in hashed order, ``lladdr`` OpenBSD's custom MAC or empty."""

    password: int | None
    addresses: tuple[Address, ...]
    in_order: bool = False
    lladdr: bytes = b""
    mixed: int | None = None
    long: bool = False

    @property
    def address_set(self) -> frozenset[Address]:
        """The addresses, whatever their order."""
        return frozenset(self.addresses)


@dataclass(frozen=True, slots=True)
class Key:
    """A ready verifier of one virtual host's digests; ``material`` says what it covers, the key bytes stay out of ``repr``."""

    material: Material
    copy_inner: Callable[[], Any] = field(repr=False, compare=False)
    copy_outer: Callable[[], Any] = field(repr=False, compare=False)

    def digest(self, counter: bytes) -> bytes:
        """The 20-byte HMAC-SHA1 for an 8-byte counter."""
        inner = self.copy_inner()
        inner.update(counter)
        outer = self.copy_outer()
        outer.update(inner.digest())
        return outer.digest()  # type: ignore[no-any-return]


def make_key(raw: bytes, vhid: int, material: Material) -> Key:
    """The verifier for 20 raw key bytes and ``material`` on ``vhid``."""
    rule = AddressRule.CONFIGURED if material.in_order else AddressRule.ASCENDING
    prefix = Secret(b"", material.addresses, rule, material.lladdr).message(vhid, b"")
    padded = raw.ljust(_BLOCK, b"\0")
    return Key(material, sha1(padded.translate(_INNER) + prefix).copy, sha1(padded.translate(_OUTER)).copy)


@dataclass(frozen=True, slots=True)
class Passwords:
    """The operator's candidates; never printed, only their place in the list is."""

    given: tuple[str, ...] = field(repr=False)

    def keys(self) -> Iterator[tuple[int | None, int | None, bool, bytes]]:
        """Every key worth trying first: (index, None, False, 20 bytes) for each password, then the empty key of a host without one."""
        for index, password in enumerate(self.given):
            yield index, None, False, key(password)
        yield None, None, False, bytes(KEY_LENGTH)

    def odd_keys(self) -> Iterator[tuple[int | None, int | None, bool, bytes]]:
        """Keys that misconfiguration makes: all 20 bytes of a long password, and a shorter password over the tail of an older, longer one.

        Source of the latter: measured on FreeBSD 13.2 (``pass4carp1`` then ``another`` leaves ``another\\0p1``).
        """
        for index, password in enumerate(self.given):
            if len(password.encode()) >= KEY_LENGTH:
                yield index, None, True, key(password, limit=KEY_LENGTH)
        for index, new in enumerate(self.given):
            for older, old in enumerate(self.given):
                short, long = key(new), key(old)
                used = len(new.encode()) + 1
                if older != index and long[used:].strip(b"\0"):
                    yield index, older, False, short[:used] + long[used:]


def address_sets(given: Sequence[Address], learned: Sequence[Address], seen: Sequence[Address]) -> Iterator[tuple[Address, ...]]:
    """Sets to try, the likely ones first: as given, as announced with the virtual MAC, their union, then every subset of all that is known."""
    done: set[frozenset[Address]] = set()
    likely = [tuple(given), tuple(learned), (*given, *learned), *((one,) for one in (*given, *learned, *seen))]
    universe = list(dict.fromkeys((*given, *learned, *seen)))[:MAX_UNIVERSE]
    subsets = (subset for size in range(len(universe), 0, -1) for subset in combinations(universe, size))
    for candidate in (*likely, *subsets):
        wanted = frozenset(candidate)
        if wanted and wanted not in done:
            done.add(wanted)
            yield tuple(sorted(wanted, key=_order))


def _order(address: Address) -> tuple[int, int]:
    return address.version, int(address)


def _orders(addresses: Sequence[Address]) -> Iterator[tuple[Address, ...]]:
    v4 = [address for address in addresses if isinstance(address, IPv4Address)]
    v6 = [address for address in addresses if isinstance(address, IPv6Address)]
    if len(v4) <= _MAX_ORDERED and len(v6) <= _MAX_ORDERED and max(len(v4), len(v6)) > 1:
        for first in permutations(v4):
            for second in permutations(v6):
                yield (*first, *second)


def search(
    passwords: Passwords, vhid: int, counter: bytes, digest: bytes,
    sets: Callable[[], Iterable[tuple[Address, ...]]], lladdrs: Sequence[bytes] = (),
) -> Key | None:  # fmt: skip
    """The first key that makes ``digest`` of ``counter``, or None. ``sets`` gives address sets, the likely first; ``lladdrs`` custom MACs to try."""

    def fits(candidate: Key) -> bool:
        return hmac.compare_digest(candidate.digest(counter), digest)

    known = list(sets())
    plain = list(passwords.keys())
    few = len(plain) <= _MAX_DEEP_PASSWORDS
    for addresses in known:
        for index, mixed, long, raw in plain:
            candidate = make_key(raw, vhid, Material(index, addresses, mixed=mixed, long=long))
            if fits(candidate):
                return candidate
    if not few:
        return None
    first = known[:4]
    for index, mixed, long, raw in (*passwords.odd_keys(), *plain):
        for addresses in first:
            for lladdr in (b"", *lladdrs):
                candidate = make_key(raw, vhid, Material(index, addresses, lladdr=lladdr, mixed=mixed, long=long))
                if fits(candidate):
                    return candidate
            for ordered in _orders(addresses):
                candidate = make_key(raw, vhid, Material(index, ordered, in_order=True, mixed=mixed, long=long))
                if fits(candidate):
                    return candidate
    return None
