"""Frames with protocol 112 that nobody would send: every length, and mutations that the same seed makes again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import IPv4Address

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import faults
from conformance.wire.frame import (
    ETHERTYPE_IPV4,
    GROUP_IPV4,
    GROUP_MAC_IPV4,
    decode,
    ethernet,
    ipv4,
    virtual_mac,
)

LONGEST = 1480
"""Bytes of payload that fit an Ethernet frame behind an IPv4 header."""


def lengths(advertisement: Advertisement) -> Iterator[bytes]:
    """One frame for each payload length from 0 to :data:`LONGEST`: the beginning of an advertisement, then 0xff; none of them is valid."""
    header = advertisement.header.summed()[:35].ljust(LONGEST, b"\xff")
    return (_frame(advertisement, header[:length]) for length in range(LONGEST + 1))


def mutations(advertisement: Advertisement, seed: int, count: int) -> Iterator[bytes]:
    """``count`` frames, each an advertisement with one to four bytes behind the Ethernet header changed, or cut, or a payload of random bytes; the same for the same ``seed``.

    What came out valid by chance is left out and replaced.
    """
    chance = random.Random(seed)  # repeatable, not secret
    sent = 0
    while sent < count:
        data = _mutated(advertisement.but(counter=chance.getrandbits(64)), chance)
        if faults(decode(data), advertisement.vhid, advertisement.secret):
            sent += 1
            yield data


def _mutated(advertisement: Advertisement, chance: random.Random) -> bytes:
    kind = chance.randrange(4)
    if kind == 0:
        return _frame(advertisement, chance.randbytes(chance.randrange(LONGEST + 1)))
    data = bytearray(advertisement.frame())
    if kind == 1:
        return bytes(data[: chance.randrange(34, len(data))])
    for _ in range(chance.randint(1, 4)):
        data[_position(chance, len(data))] = chance.randrange(256)
    return bytes(data)


def _position(chance: random.Random, length: int) -> int:
    """Somewhere in IP or CARP, but not the protocol number: without it nobody would look at the frame."""
    at = chance.randrange(14, length)
    return at if at != 23 else 14


def _frame(advertisement: Advertisement, payload: bytes) -> bytes:
    assert isinstance(advertisement.source, IPv4Address), "the sweep is over IPv4"
    return ethernet(
        GROUP_MAC_IPV4,
        virtual_mac(advertisement.vhid),
        ETHERTYPE_IPV4,
        ipv4(advertisement.source, GROUP_IPV4, payload),
    )
