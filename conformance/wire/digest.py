"""What the 20-byte digest of an advertisement covers: key rules, address order per dialect, HMAC-SHA1."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

KEY_LENGTH = 20
"""Bytes of the key field (``sc_key``); the configuration tools fill at most 19 of them."""

Address = IPv4Address | IPv6Address


class AddressRule(Enum):
    """Which of a virtual host's addresses enter the digest, and in which order."""

    ASCENDING = "ascending"
    """Numerically ascending, IPv4 before IPv6, each once (FreeBSD >= 7 ``carp_hmac_prepare``, NetBSD)."""
    CONFIGURED = "configured"
    """IPv4 then IPv6, each family in the order of configuration (FreeBSD 5.4 to 6)."""
    WITHOUT_LINK_LOCAL = "without-link-local"
    """As ASCENDING without fe80::/10: what OpenBSD sends (``HMAC_NOV6LL``); it accepts ASCENDING as well."""
    SINGLE = "single"
    """The one IPv4 address that ucarp knows (``-a``)."""


class DigestError(ValueError):
    """The material of a digest does not fit its rule."""


def key(password: str | bytes, *, limit: int = KEY_LENGTH - 1) -> bytes:
    """The 20-byte key of a password: cut to ``limit`` bytes (19 by ifconfig's strlcpy), zero filled; no password is 20 zero bytes.

    A str is taken as UTF-8, as a terminal hands it to ifconfig.
    """
    raw = password.encode() if isinstance(password, str) else password
    return raw[:limit].ljust(KEY_LENGTH, b"\0")


def addresses(values: Iterable[Address | str], rule: AddressRule = AddressRule.ASCENDING) -> bytes:
    """The address part of the hashed message: 4 bytes an IPv4, 16 bytes an IPv6 address, in network order.

    Link-local IPv6 addresses lose the scope that KAME kernels embed in bytes 2-3, so a textual fe80:: address hashes as written.
    The BSD scan cannot reach 0.0.0.0 and 255.255.255.255, so ASCENDING leaves them out (``carp_hmac_prepare``: strict bounds).
    """
    known = [ip_address(value) if isinstance(value, str) else value for value in values]
    v4 = [a for a in known if isinstance(a, IPv4Address)]
    v6 = [a for a in known if isinstance(a, IPv6Address)]
    if rule is AddressRule.SINGLE:
        if len(v4) != 1 or v6:
            raise DigestError(
                f"ucarp hashes exactly one IPv4 address, not {len(v4)} IPv4 and {len(v6)} IPv6; give one address"
            )
        return v4[0].packed
    if rule is not AddressRule.CONFIGURED:
        v4 = sorted(a for a in set(v4) if a.packed not in (b"\0\0\0\0", b"\xff\xff\xff\xff"))
        v6 = sorted(set(v6))
    if rule is AddressRule.WITHOUT_LINK_LOCAL:
        v6 = [a for a in v6 if not a.is_link_local]
    return b"".join(a.packed for a in v4) + b"".join(_without_scope(a) for a in v6)


@lru_cache(maxsize=1024)
def _hashed(values: tuple[Address | str, ...], rule: AddressRule) -> bytes:
    """The same, once for all advertisements of a virtual host."""
    return addresses(values, rule)


def _without_scope(address: IPv6Address) -> bytes:
    packed = address.packed
    return packed[:2] + b"\0\0" + packed[4:] if address.is_link_local else packed


@dataclass(frozen=True, slots=True)
class Secret:
    """What two virtual hosts must share to believe each other: password, address set, rule, OpenBSD's custom lladdr (6 bytes).

    ``password`` is kept out of ``repr`` so that it cannot reach a report.
    """

    password: str | bytes = field(repr=False)
    addresses: tuple[Address | str, ...]
    rule: AddressRule = AddressRule.ASCENDING
    lladdr: bytes = b""

    def message(self, vhid: int, counter: bytes) -> bytes:
        """The hashed bytes: 02 01, custom lladdr if any, vhid, addresses, 8 counter bytes as on the wire."""
        return b"\x02\x01" + self.lladdr + bytes([vhid]) + _hashed(self.addresses, self.rule) + counter

    def digest(self, vhid: int, counter: bytes) -> bytes:
        """The 20-byte HMAC-SHA1 (FreeBSD ``carp_hmac_generate``, OpenBSD ``carp_hmac_generate``, ucarp ``carp_hmac_sha1``)."""
        return hmac.digest(key(self.password), self.message(vhid, counter), hashlib.sha1)

    def verifies(self, vhid: int, counter: bytes, digest: bytes) -> bool:
        """True if ``digest`` (20 bytes) is the one of this secret for ``vhid`` and ``counter``."""
        return hmac.compare_digest(self.digest(vhid, counter), digest)
