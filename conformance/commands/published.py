"""What of a PIXIT file is published: what was tested and how it was wired, and not how to log in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from conformance.report.certificate.secrets import cleaned
from conformance.targets.pixit import Pixit, load
from conformance.wire.digest import Address

Document = dict[str, Any]

REMOVED = ("password", "connection", "ssh_config", "identity", "actions")
"""What is left out: it lets one in, or names the vendor's own machines and programs. Of actions the names stay."""


def published(options: Sequence[str], clean: Callable[[str], str]) -> Document:
    """``{"pixit": …}`` for ``environment.json`` of a run with these options of pytest, ``clean`` applied to every text; empty if it used no PIXIT."""
    if "--pixit" not in options:
        return {}
    pixit = load(Path(options[options.index("--pixit") + 1]))
    given = options[options.index("--interface") + 1] if "--interface" in options else ""
    return {"pixit": cleaned(_shown(pixit, given or pixit.tester_interface), clean)}


def _shown(pixit: Pixit, interface: str) -> Document:
    return {
        "system": pixit.system,
        "product": pixit.product,
        "dialect": pixit.dialect,
        "tester": {
            "interface": interface,
            "addresses": _texts(pixit.tester_addresses),
            "inner_interface": pixit.tester_inner_interface,
            "inner_addresses": _texts(pixit.tester_inner_addresses),
        },
        "hosts": [
            {
                "name": host.name,
                "interface": host.interface,
                "addresses": _texts(host.addresses),
                "inner_interface": host.inner_interface,
                "inner_addresses": _texts(host.inner_addresses),
                "mac": host.mac.hex(":") if host.mac else None,
            }
            for host in pixit.hosts
        ],
        "vhids": _bounds(pixit.vhids),
        "vlans": _bounds(pixit.vlans),
        "shared_addresses": _texts(pixit.shared_addresses),
        "shared_inner_addresses": _texts(pixit.shared_inner_addresses),
        "granularity_ms": pixit.granularity_ms,
        "may_change": sorted(pixit.may_change),
        "actions": sorted(pixit.actions),
        "speakers": [
            {
                "protocol": one.protocol,
                "id": one.id,
                "source": None if one.source is None else str(one.source),
            }
            for one in pixit.speakers
        ],
        "declared": [
            {
                "host": one.host,
                "vhid": one.vhid,
                "addresses": _texts(one.addresses),
                "advbase": one.advbase,
                "advskew": one.advskew,
                "preempt": one.preempt,
                "dead_ratio": one.dead_ratio,
            }
            for one in pixit.declared
        ],
        "removed": list(REMOVED),
    }


def _texts(addresses: Iterable[Address]) -> list[str]:
    return [str(one) for one in addresses]


def _bounds(numbers: range | None) -> Document | None:
    return {"first": numbers.start, "last": numbers.stop - 1} if numbers else None
