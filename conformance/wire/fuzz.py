"""Frames with protocol 112 that nobody would send: every length, and random ones that the same seed makes again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import IPv4Address

from conformance.wire.advertisement import Advertisement
from conformance.wire.frame import (
    ETHERTYPE_IPV4,
    GROUP_IPV4,
    GROUP_MAC_IPV4,
    ethernet,
    ipv4,
    virtual_mac,
)

LONGEST = 1480
"""Bytes of payload that fit an Ethernet frame behind an IPv4 header."""
_ORIGINALS = 64
"""How many different advertisements are spoiled."""
_PROTOCOL_AT = 23


def lengths(advertisement: Advertisement) -> Iterator[bytes]:
    """One frame for each payload length from 0 to :data:`LONGEST`: the beginning of an advertisement, then 0xff; none of them is valid."""
    header = advertisement.header.summed()[:35].ljust(LONGEST, b"\xff")
    return (_frame(advertisement, header[:length]) for length in range(LONGEST + 1))


def noise(advertisement: Advertisement, seed: int, count: int) -> Iterator[bytes]:
    """``count`` random frames, the same ones for the same ``seed``: payloads of random bytes, and advertisements cut short or with one to four bytes
    behind the Ethernet header changed.

    None of them has a right checksum, whether one is taken over each header or over both (ucarp's ``carp.c``), so that nobody may believe one.
    """
    chance = random.Random(seed)  # repeatable, not secret
    whole = [advertisement.but(counter=chance.getrandbits(64)).frame() for _ in range(_ORIGINALS)]
    sent = 0
    while sent < count:
        data = _spoiled(advertisement, whole[chance.getrandbits(6)], chance)
        if int.from_bytes(data[14:70], "big") % 0xFFFF:
            sent += 1
            yield data


def _spoiled(advertisement: Advertisement, whole: bytes, chance: random.Random) -> bytes:
    kind = chance.getrandbits(2)
    if kind == 0:  # few are long: every length has a sweep of its own
        return _frame(advertisement, chance.randbytes(min(int(chance.expovariate(1 / 60)), LONGEST)))
    if kind == 1:
        return whole[: int(34 + chance.random() * (len(whole) - 34))]
    data = bytearray(whole)
    for _ in range(1 + chance.getrandbits(2)):
        at = int(14 + chance.random() * (len(data) - 14))
        if at != _PROTOCOL_AT:  # without it nobody would look at the frame
            data[at] = chance.getrandbits(8)
    return bytes(data)


def _frame(advertisement: Advertisement, payload: bytes) -> bytes:
    assert isinstance(advertisement.source, IPv4Address), "the sweep is over IPv4"
    return ethernet(
        GROUP_MAC_IPV4,
        virtual_mac(advertisement.vhid),
        ETHERTYPE_IPV4,
        ipv4(advertisement.source, GROUP_IPV4, payload),
    )
