"""What each BSD dialect logs, from which level of net.inet.carp.log on: one table for who provokes a line and who expects it.

A line is a regular expression; ``{device}`` is the carp interface, ``{vhid}`` the number, ``IF`` an interface.
Each entry is the level from which on the line appears, and the line.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.model.rows import (
    FREEBSD_10,
    FREEBSD_13,
    FREEBSD_15,
    LEGACY,
    LEGACY_6,
    OPENBSD,
)

Entry = tuple[int, str] | None
"""Level and line; None: nothing at any level."""
_IF = r"\w+\d+(?:-inner)?"


def _freebsd(ttl: str, length: str, least: str, unknown: str) -> dict[str, Entry]:
    return {
        "ttl-254": (2, ttl),
        "length-7": (2, least),
        "length-20": (2, length),
        "checksum-bit-0": (2, rf"carp_input: checksum failed on {_IF}"),
        "version-3": (2, rf"{_IF}: invalid version 3"),
        "version-4": (2, unknown),
        "digest-zero": (2, rf"carp_input_c: incorrect hash for VHID {{vhid}}@{_IF}"),
        "vhid-next": None,
    }


_TTL = rf"carp_input: received ttl 254 != 255 on {_IF}"
_LENGTH = rf"carp_input: received len 20 < sizeof\(struct carp_header\) on {_IF}"
_LEAST = rf"carp_input: received len 7 < sizeof\(struct carp_header\) on {_IF}"
_UNKNOWN = rf"{_IF}: invalid version 4"


def _legacy(level: int, ttl: str) -> dict[str, Entry]:
    return {
        "ttl-254": (level, ttl),
        "length-7": (level, _LEAST),
        "length-20": (level, _LENGTH),
        "checksum-bit-0": (level, rf"carp_input: checksum failed on {_IF}"),
        "version-3": (level, "{device}; invalid version 3"),
        "version-4": (level, "{device}; invalid version 4"),
        "digest-zero": (level, "{device}: incorrect hash"),
        "vhid-next": None,
    }


PACKETS: Mapping[str, Mapping[str, Entry]] = {
    LEGACY: _legacy(2, _TTL),
    LEGACY_6: _legacy(1, rf"carp_input: received ttl 254 != 255i on {_IF}"),
    FREEBSD_10: _freebsd(_TTL, _LENGTH, _LEAST, _UNKNOWN),
    FREEBSD_13: _freebsd(_TTL, _LENGTH, _LEAST, _UNKNOWN),
    FREEBSD_15: _freebsd(
        rf"carp_input_c: received ttl 254 != 255 on {_IF}",
        rf"carp_input: received len 20 < 56 on {_IF}",
        rf"carp_input: received len 7 < sizeof\(struct vrrpv3_header\) on {_IF}",
        rf"carp_input: unsupported version 4 on {_IF}",
    ),
    OPENBSD: {
        "ttl-254": (5, r"carp: received ttl 254 != 255 on {device}"),
        "length-7": (6, r"carp: packet too short \d+ on {device}"),
        "length-20": (6, r"carp: packet too short \d+ on {device}"),
        "checksum-bit-0": (6, r"carp: checksum failed on {device}"),
        "version-3": (5, "{device}: invalid version 3 != 2"),
        "version-4": (5, "{device}: invalid version 4 != 2"),
        "digest-zero": (6, "{device}: incorrect hash"),
        "vhid-next": None,
    },
}
"""By dialect and malformation: what one packet of it makes the receiver log."""


def _ipv6(ttl: Entry, length: Entry, checksum: Entry) -> dict[str, Entry]:
    return {"ttl-254": ttl, "length-20": length, "checksum-bit-0": checksum}


def _freebsd6(level: int, interface: str) -> dict[str, Entry]:
    return _ipv6(
        (level, rf"carp6_input: received ttl 254 != 255 on {_IF}"),
        (level, rf"carp6_input: packet size 60 too small{interface}"),
        (level, rf"carp6_input: checksum failed, on {_IF}"),
    )


PACKETS6: Mapping[str, Mapping[str, Entry]] = {
    LEGACY: _freebsd6(2, ""),
    LEGACY_6: _freebsd6(1, rf" on {_IF}"),
    FREEBSD_10: _freebsd6(2, ""),
    FREEBSD_13: _freebsd6(2, ""),
    FREEBSD_15: _ipv6(
        (2, rf"carp_input_c: received ttl 254 != 255 on {_IF}"),
        (2, rf"carp6_input: received len 40 < 76 on {_IF}"),
        (2, rf"carp6_input: checksum failed, on {_IF}"),
    ),
    OPENBSD: _ipv6(
        (5, r"carp: received ttl 254 != 255 on {device}"),
        (6, r"carp: packet size \d+ too small on {device}"),
        (6, r"carp: checksum failed, on {device}"),
    ),
}
"""As PACKETS, over IPv6, where its lines differ."""
VRRP3: Mapping[str, Entry] = {
    "ttl": (2, rf"vrrp_input_c: received ttl 254 != 255 on {_IF}"),
    "checksum": (2, rf"vrrp_input_c: incorrect checksum for VRID {{vhid}}@{_IF}"),
    "vrid": None,
    "carp": (2, rf"{_IF}: invalid version 2"),
}
"""By fault: what one packet makes a virtual host log that speaks VRRPv3 (FreeBSD's sys/netinet/ip_carp.c, vrrp_input_c)."""
OWNER: Entry = (2, r"vrrp_input_c: our priority is 255\. Ignore peer announcement\.")
"""What every packet makes it log at priority 255."""


def _changes(prefix: str, words: Mapping[str, str]) -> dict[str, Entry]:
    return {name: (1, rf"{prefix}: {change}") for name, change in words.items()}


_WORDS = {
    "start": r"INIT -> BACKUP \(initialization complete\)",
    "timer": r"BACKUP -> MASTER \(master timed out\)",
    "too-slow": r"BACKUP -> MASTER \(master will time out\)",
    "preemption": r"BACKUP -> MASTER \(preempting a slower master\)",
    "better": r"MASTER -> BACKUP \(more frequent advertisement received\)",
    "link": r"MASTER -> INIT \(hardware interface down\)",
    "order": r"BACKUP -> MASTER \(user requested via ifconfig\)",
}
_WORDS_10 = _WORDS | {
    "timer": r"BACKUP -> MASTER \(master down\)",
    "too-slow": r"BACKUP -> MASTER \(master timed out\)",
}


def _legacy_changes(level: int) -> dict[str, Entry]:
    return {
        "start": (level, "{device}: INIT -> BACKUP"),
        "timer": None,
        "too-slow": (level, r"{device}: BACKUP -> MASTER \(master timed out\)"),
        "preemption": (level, r"{device}: BACKUP -> MASTER \(preempting a slower master\)"),
        "better": (level, r"{device}: MASTER -> BACKUP \(more frequent advertisement received\)"),
        "link": None,
        "order": None,
    }


_OPENBSD = "{device}: state transition: "
CHANGES: Mapping[str, Mapping[str, Entry]] = {
    LEGACY: _legacy_changes(1),
    LEGACY_6: _legacy_changes(2),
    FREEBSD_10: _changes(rf"carp: VHID {{vhid}}@{_IF}", _WORDS_10),
    FREEBSD_13: _changes(rf"carp: {{vhid}}@{_IF}", _WORDS),
    FREEBSD_15: _changes(rf"carp: {{vhid}}@{_IF}", _WORDS),
    OPENBSD: {
        "start": (4, _OPENBSD + "INIT -> BACKUP"),
        "timer": (2, _OPENBSD + "BACKUP -> MASTER"),
        "too-slow": (2, _OPENBSD + "BACKUP -> MASTER"),
        "preemption": (2, _OPENBSD + "BACKUP -> MASTER"),
        "better": (2, _OPENBSD + "MASTER -> BACKUP"),
        "link": (4, _OPENBSD + "MASTER -> INIT"),
        "order": (2, _OPENBSD + "BACKUP -> MASTER"),
    },
}
"""By dialect and event: what a change of state makes the host log."""

LINK_STATE = r"{device}: link state changed to (UP|DOWN)"
"""The generic line of the legacy line's kernel about a carp interface, at every level."""
FREEBSD_DEMOTED = (1, r"carp: demoted by {amount} to {total} \({reason}\)")
OPENBSD_DEMOTED = (3, r"carp: {device} demoted group carp by {amount} to {total} \({reason}\)")
REPLAY = (4, "{device}: replay or network loop detected")
