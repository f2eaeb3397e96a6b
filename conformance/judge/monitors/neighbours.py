"""Monitor of VRRP speakers: they share protocol number, groups and MAC addresses with CARP (hazard H17)."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.judge.form import Ref
from conformance.wire.digest import Address
from conformance.wire.frame import Frame

_MAX_NEIGHBOURS = 256


@dataclass(slots=True)
class VrrpSpeaker:
    """A VRRP router heard on the segment."""

    version: int
    vrid: int
    source: Address
    vlans: tuple[int, ...]
    first: Ref
    count: int = 1


def heard(
    known: dict[tuple[int, int, Address, tuple[int, ...]], VrrpSpeaker], frame: Frame, ref: Ref
) -> None:
    """Notes a VRRP packet; what follows from it stands in the findings."""
    if frame.ip is None:
        return
    version, vrid = frame.payload[0] >> 4, frame.payload[1]
    key = (version, vrid, frame.ip.source, frame.vlans)
    speaker = known.get(key)
    if speaker is not None:
        speaker.count += 1
    elif len(known) < _MAX_NEIGHBOURS:
        known[key] = VrrpSpeaker(version, vrid, frame.ip.source, frame.vlans, ref)
