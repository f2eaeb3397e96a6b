"""The rows of the dialect table about reception: the checks in their order, who gets a copy, and the counter
of one's own advertisements.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from enum import Enum
from random import Random
from typing import TYPE_CHECKING

from conformance.model import checks
from conformance.model.rows import (
    ALL_FREEBSD,
    ALONE,
    BAD_PACKETS,
    BSD,
    FREEBSD_10,
    FREEBSD_13,
    FREEBSD_15,
    LATE,
    LEGACIES,
    LEGACY,
    OPENBSD,
    UCARP,
    Row,
    cell,
    row,
)

if TYPE_CHECKING:
    from conformance.model.vhost import Vhost

NextCounter = Callable[["Vhost", Random], bytes]
"""The 8 counter bytes of a virtual host's next advertisement."""
Digest = Callable[[bytes, bytes, bytes], bytes]
"""The 20-byte digest from key, message before the counter, and counter."""


def running_counter(vhost: Vhost, rng: Random) -> bytes:
    """Random each time until a valid advertisement was heard, then last one seen + 1."""
    vhost.counter = (vhost.counter + 1) & 0xFFFFFFFFFFFFFFFF if vhost.heard else rng.getrandbits(64)
    return vhost.counter.to_bytes(8, "big")


def constant_cookie(vhost: Vhost, rng: Random) -> bytes:
    """Random once, then the same for ever."""
    if not vhost.heard:
        vhost.counter, vhost.heard = rng.getrandbits(64), True
    return vhost.counter.to_bytes(8, "big")


def hmac_sha1(key: bytes, message: bytes, counter: bytes) -> bytes:
    """HMAC-SHA1 over 02 01 vhid, addresses, counter."""
    return hmac.digest(key, message + counter, hashlib.sha1)


class Copies(Enum):
    """How many times one frame goes through the receive path."""

    ONCE = "once"
    PER_INTERFACE = "multicast: once for each carp interface on the parent"


_LEGACY = (
    checks.allowed,
    checks.carp_interface,
    checks.ttl,
    checks.length,
    checks.header_checksum,
    checks.known_vhid,
    checks.version,
    checks.digest,
)
_FREEBSD4 = (
    checks.allowed,
    checks.ttl,
    checks.length,
    checks.header_checksum,
    checks.not_looped,
    checks.known_vhid_of_family,
    checks.version,
    checks.digest,
)
_FREEBSD6 = (checks.allowed, checks.carp_interface, *_FREEBSD4[1:])
_FREEBSD15_4 = (
    checks.allowed,
    checks.least_length,
    checks.known_version,
    checks.carp_length,
    checks.payload_checksum,
    checks.not_looped,
    checks.known_vhid_of_family,
    checks.version,
    checks.ttl_if_multicast,
    checks.digest,
    checks.vrrp3_ttl,
    checks.vrrp3_checksum,
    checks.vrrp3_not_owner,
    checks.vrrp3_sense,
)
_FREEBSD15_6 = (
    checks.allowed,
    checks.carp_interface,
    checks.least_length,
    checks.known_version,
    checks.carp_length,
    checks.carp_checksum,
    checks.not_looped,
    checks.known_vhid_of_family,
    checks.version,
    checks.ttl_if_multicast,
    checks.digest,
    checks.vrrp3_ttl,
    checks.vrrp3_checksum,
    checks.vrrp3_not_owner,
    checks.vrrp3_sense,
)
_OPENBSD = (
    checks.allowed,
    checks.carp_interface,
    checks.ttl,
    checks.length,
    checks.header_checksum,
    checks.known_vhid,
    checks.cast_mode,
    checks.version,
    checks.digest,
    checks.not_own_cookie,
)
_UCARP = (
    checks.foreign_source,
    checks.captured_length,
    checks.ttl_uncounted,
    checks.version_uncounted,
    checks.only_vhid,
    checks.group_destination,
    checks.joint_checksum,
    checks.digest_uncounted,
)

_SEEN_15 = {FREEBSD_15: "crafted packets at log 0, 1 and 2"}
_COUNTERS = {
    LEGACY: "p3-counter",
    FREEBSD_13: "i_failover_preempt1",
    OPENBSD: "a-v4-skew0",
    UCARP: "c_50.10795",
}

ROWS: tuple[Row, ...] = (
    row(
        "checks_ipv4",
        "checks of a received IPv4 advertisement, in their order",
        cell(LEGACIES, _LEGACY),
        cell((FREEBSD_10, FREEBSD_13), _FREEBSD4),
        cell(FREEBSD_15, _FREEBSD15_4),
        cell(OPENBSD, _OPENBSD),
        cell(UCARP, _UCARP),
        read="carp_input, carp_input_c; carp_proto_input; ucarp packethandler",
        recorded=BAD_PACKETS,
        seen=_SEEN_15,
    ),
    row(
        "checks_ipv6",
        "checks of a received IPv6 advertisement, in their order",
        cell(LEGACIES, _LEGACY),
        cell((FREEBSD_10, FREEBSD_13), _FREEBSD6),
        cell(FREEBSD_15, _FREEBSD15_6),
        cell(OPENBSD, _OPENBSD),
        cell(UCARP, ()),
        read="carp6_input, carp_input_c; carp6_proto_input",
        seen={FREEBSD_13: "crafted IPv6 packets"} | _SEEN_15,
    ),
    row(
        "reads_behind_extensions",
        "an IPv6 header chain before CARP is followed",
        cell((*LEGACIES, FREEBSD_10, FREEBSD_13, OPENBSD), True),
        cell((FREEBSD_15, UCARP), False, "no: the header is read at byte 40"),
        read="carp6_input",
    ),
    row(
        "raw_frames",
        "frames are read raw: no IP header checksum, reassembly or length rule first",
        cell(BSD, False),
        cell(UCARP, True),
        read="ucarp packethandler",
        recorded=BAD_PACKETS,
    ),
    row(
        "any_group",
        "advertisements to other multicast groups, broadcast and own addresses are taken",
        cell(ALL_FREEBSD, True),
        cell((OPENBSD, UCARP), False),
        read="ip_input",
        recorded=BAD_PACKETS,
    ),
    row(
        "copies",
        "how often one frame is counted and handled",
        cell((*ALL_FREEBSD, UCARP), Copies.ONCE),
        cell(OPENBSD, Copies.PER_INTERFACE),
        read="carp_input",
        recorded=BAD_PACKETS,
    ),
    row(
        "next_counter",
        "counter of one's own advertisements",
        cell((*ALL_FREEBSD, UCARP), running_counter),
        cell(OPENBSD, constant_cookie),
        read="carp_prepare_ad",
        recorded=_COUNTERS,
        seen={FREEBSD_15: "as FreeBSD 13.2"},
    ),
    row(
        "follows_counter",
        "the counter of a valid advertisement replaces the own one",
        cell((*ALL_FREEBSD, UCARP), True),
        cell(OPENBSD, False),
        read="carp_proto_input_c",
        recorded=_COUNTERS,
    ),
    row(
        "digest",
        "digest of the header",
        cell((*BSD, UCARP), hmac_sha1),
        read="carp_hmac_generate",
        recorded=ALONE | {UCARP: "cap"},
    ),
    row(
        "allow_stops",
        "net.inet.carp.allow=0",
        cell((*LEGACIES, FREEBSD_10, OPENBSD, UCARP), False, "only received advertisements are dropped"),
        cell(LATE, True, "every virtual host goes to INIT and demotes the host"),
        read="carp_input; carp_allow_sysctl",
        recorded={LEGACY: "n1-allow0-pair", FREEBSD_13: "bad_packets_v4", FREEBSD_15: "k2_allow_1_0_1"},
    ),
)
