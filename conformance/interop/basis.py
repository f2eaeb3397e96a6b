"""What a run of a pair was measured with besides its frames, as plain JSON; and the same measured again from nothing but its capture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from conformance.interop.measure import advertisers, judged, measured
from conformance.segment.trace import Trace
from conformance.wire.digest import Address

Basis = dict[str, Any]
"""``machines`` by their addresses, ``vhids``, and when the scenario began, was played and ended: nanoseconds since the first frame."""


def stated(
    trace: Trace,
    owners: Mapping[Address, str],
    vhids: Iterable[int],
    began_ns: int,
    played_ns: int,
    end_ns: int,
) -> Basis | None:
    """The basis of a run; None if no frame was seen."""
    if not trace.frames:
        return None
    zero_ns = trace.frames[0].time_ns
    return {
        "machines": {str(address): machine for address, machine in owners.items()},
        "vhids": list(vhids),
        "began_ns": began_ns - zero_ns,
        "played_ns": played_ns - zero_ns,
        "end_ns": end_ns - zero_ns,
    }


def ends(
    trace: Trace, owners: Mapping[Address, str], vhids: Iterable[int], played_ns: int
) -> dict[int, frozenset[str]]:
    """Which machines advertise each vhid when all is done."""
    return {
        vhid: frozenset(owners.get(source, str(source)) for source in advertisers(trace, vhid, played_ns))
        for vhid in vhids
    }


def measured_again(trace: Trace, basis: Mapping[str, Any]) -> dict[str, Any]:
    """``masters``, ``no_master_ms``, ``dual_master_ms`` as the row of a run has them, and ``flapping``. Raises :class:`ValueError` for a basis that makes no sense."""
    if not trace.frames:
        raise ValueError("the capture has no frame")
    zero_ns = trace.frames[0].time_ns
    owners = {ip_address(address): machine for address, machine in basis["machines"].items()}
    found = measured(
        judged(trace),
        basis["vhids"],
        zero_ns + basis["began_ns"],
        zero_ns + basis["end_ns"],
        frozenset(owners),
    )
    last = ends(trace, owners, basis["vhids"], zero_ns + basis["played_ns"])
    return {
        "masters": {str(vhid): sorted(machines) for vhid, machines in last.items()},
        "no_master_ms": round(found.no_master_ns / 1e6, 3),
        "dual_master_ms": round(found.dual_master_ns / 1e6, 3),
        "flapping": found.flapping,
    }
