"""What arp(8), ndp(8) and sysctl(8) print, read."""

from __future__ import annotations

import re
from ipaddress import ip_address

from conformance.wire.digest import Address

_MAC = r"(?P<mac>[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5})"
_ARP = re.compile(rf"^\? \((?P<ip>[\d.]+)\) at {_MAC} on (?P<interface>\S+)", re.MULTILINE)
_COLUMNS = re.compile(rf"^(?P<ip>[0-9a-f.:]+)(?:%\S+)?\s+{_MAC}\s+(?P<interface>\S+)", re.MULTILINE)
_SETTING = re.compile(r"^(?P<name>net\.inet6?\.[\w.]+)\s*[:=]\s*(?P<value>-?\d+)$", re.MULTILINE)


def neighbours(text: str) -> dict[Address, bytes]:
    """Hardware addresses by address, from ``arp -an`` (FreeBSD's lines, OpenBSD's columns) or ``ndp -an``; the last entry of an address counts."""
    found: dict[Address, bytes] = {}
    for pattern in (_ARP, _COLUMNS):
        for match in pattern.finditer(text):
            found[ip_address(match["ip"])] = bytes(int(part, 16) for part in match["mac"].split(":"))
    return found


def settings(text: str) -> dict[str, int]:
    """Values by full name, from ``sysctl net.inet.carp`` (FreeBSD ``name: 1``, OpenBSD ``name=1``)."""
    return {match["name"]: int(match["value"]) for match in _SETTING.finditer(text)}
