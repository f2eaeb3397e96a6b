"""Digest verification at speed, and the search for what a foreign digest covers.

A :class:`Key` holds the two SHA-1 contexts of an HMAC with everything fixed already hashed, so that one
advertisement costs two copies
and two short updates. The search tries the operator's passwords on sets of the addresses known on the
segment.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address
from itertools import combinations, permutations
from typing import Any

from conformance.wire.digest import KEY_LENGTH, Address, AddressRule, Secret, key

Sha1 = Callable[[bytes], Any]

_BLOCK = 64
_ROUNDS = 20
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))

MAX_UNIVERSE = 9
"""Addresses of which all subsets are tried (2^9 digests a password)."""
_MAX_ORDERED = 4  # addresses of which all orders are tried (FreeBSD 5.4 to 6 hash in order of configuration)
_MAX_DEEP_PASSWORDS = 16
_LIKELY = 8  # address sets that are tried with the empty key if no password was given


@cache
def quickest_sha1() -> Sha1:
    """The SHA-1 that copies and ends its state in the shortest time here: OpenSSL's, where the processor has instructions for it, or Python's own, where there is one."""
    known: list[Sha1] = [hashlib.sha1]
    if find_spec("_sha1") is not None:
        known.append(import_module("_sha1").sha1)
    return min(known, key=_cost_ns)


def _cost_ns(sha1: Sha1) -> int:
    state, rounds = sha1(bytes(_BLOCK)), []
    for _ in range(_ROUNDS):
        began_ns = time.perf_counter_ns()
        for _ in range(_ROUNDS):
            taken = state.copy()
            taken.update(b"12345678")
            taken.digest()
        rounds.append(time.perf_counter_ns() - began_ns)
    return min(rounds)


@dataclass(frozen=True, slots=True)
class Material:
    """What a digest covers: ``password`` is the index into the passwords given (None: no password set),
    ``mixed`` the index of an older, longer
    password whose tail was left in the key, ``addresses`` in hashed order, ``lladdr`` OpenBSD's custom MAC
    or empty.
    """

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
    """A ready verifier of one virtual host's digests; ``material`` says what it covers, the key bytes stay
    out of ``repr``.
    """

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
    padded, sha1 = raw.ljust(_BLOCK, b"\0"), quickest_sha1()
    return Key(material, sha1(padded.translate(_INNER) + prefix).copy, sha1(padded.translate(_OUTER)).copy)


@dataclass(frozen=True, slots=True)
class Seed:
    """20 key bytes and where they come from: the fields of :class:`Material` that speak of passwords."""

    raw: bytes = field(repr=False)
    password: int | None = None
    mixed: int | None = None
    long: bool = False

    def key(
        self, vhid: int, addresses: tuple[Address, ...], *, in_order: bool = False, lladdr: bytes = b""
    ) -> Key:
        """The verifier for these key bytes over ``addresses``."""
        material = Material(self.password, addresses, in_order, lladdr, self.mixed, self.long)
        return make_key(self.raw, vhid, material)


@dataclass(frozen=True, slots=True)
class Passwords:
    """The operator's candidates; never printed, only their place in the list is."""

    given: tuple[str, ...] = field(repr=False)

    def seeds(self) -> list[Seed]:
        """Every key worth trying first: each password's, then the empty one of a host without a password."""
        return [*(Seed(key(one), index) for index, one in enumerate(self.given)), Seed(bytes(KEY_LENGTH))]

    def odd_seeds(self) -> Iterator[Seed]:
        """Keys that misconfiguration makes: all 20 bytes of a long password, and a shorter password over
        the tail of an older, longer one.

        Source of the latter: measured on FreeBSD 13.2; ``pass4carp1`` and then ``another`` leave
        ``another``, a zero byte, ``p1``.
        """
        for index, password in enumerate(self.given):
            if len(password.encode()) >= KEY_LENGTH:
                yield Seed(key(password, limit=KEY_LENGTH), index, long=True)
        for index, new in enumerate(self.given):
            for older, old in enumerate(self.given):
                short, long = key(new), key(old)
                used = len(new.encode()) + 1
                if older != index and long[used:].strip(b"\0"):
                    yield Seed(short[:used] + long[used:], index, mixed=older)


def address_sets(
    given: Sequence[Address], learned: Sequence[Address], seen: Sequence[Address]
) -> Iterator[tuple[Address, ...]]:
    """Sets to try, the likely ones first: as given, as announced with the virtual MAC, their union, then
    every subset of all that is known.
    """
    done: set[frozenset[Address]] = set()
    likely = [
        tuple(given),
        tuple(learned),
        (*given, *learned),
        *((one,) for one in (*given, *learned, *seen)),
    ]
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


class Search:
    """The candidates for one virtual host, made while they are needed and kept for the next question."""

    def __init__(self, candidates: Iterator[Key]) -> None:
        self._made: list[Key] = []
        self._rest = candidates

    def find(self, counter: bytes, digest: bytes) -> Key | None:
        """The first candidate that makes ``digest`` (20 bytes) of ``counter`` (8 bytes), or None."""
        for candidate in self._made:
            if hmac.compare_digest(candidate.digest(counter), digest):
                return candidate
        for candidate in self._rest:
            self._made.append(candidate)
            if hmac.compare_digest(candidate.digest(counter), digest):
                return candidate
        return None


def candidates(
    passwords: Passwords, vhid: int, sets: list[tuple[Address, ...]], lladdrs: Sequence[bytes] = ()
) -> Iterator[Key]:
    """Every key worth trying, the likely first: ``sets`` are address sets, ``lladdrs`` custom MAC
    addresses.
    """
    seeds = passwords.seeds()
    if not passwords.given:
        yield from (seed.key(vhid, addresses) for addresses in sets[:_LIKELY] for seed in seeds)
        return  # only to notice that no password is set: not worth a search
    yield from (seed.key(vhid, addresses) for addresses in sets for seed in seeds)
    if len(seeds) > _MAX_DEEP_PASSWORDS:
        return
    for seed in (*passwords.odd_seeds(), *seeds):
        for addresses in sets[:4]:
            for lladdr in (b"", *lladdrs):
                yield seed.key(vhid, addresses, lladdr=lladdr)
            for ordered in _orders(addresses):
                yield seed.key(vhid, ordered, in_order=True)
    for addresses in sets[:2]:
        yield from (seed.key(vhid, more) for more in _one_more(addresses) for seed in seeds)


def _one_more(addresses: tuple[Address, ...]) -> Iterator[tuple[Address, ...]]:
    """The set with one more address of the same /24 that nobody announced: an alias on one side only."""
    v4 = [address for address in addresses if isinstance(address, IPv4Address)]
    for last in range(1, 255) if v4 else ():
        more = IPv4Address(int(v4[0]) & ~255 | last)
        if more not in addresses:
            yield tuple(sorted((*addresses, more), key=_order))
