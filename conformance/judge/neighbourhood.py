"""What was said on one VLAN about who has which address: ARP and neighbour discovery, bounded."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from conformance.judge.form import NOWHERE, Ref
from conformance.wire.digest import Address
from conformance.wire.frame import Arp, Frame

MAX_ADDRESSES, _MAX_MACS = 2048, 16
_STALE_AFTER_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame, when and where it was seen."""

    time_ns: int
    ref: Ref
    frame: Frame


@dataclass(slots=True)
class Claim:
    """A MAC address that was announced or answered for an IP address."""

    count: int = 0
    first: Ref = NOWHERE
    last_ns: int = 0
    gratuitous: int = 0
    to_announcement: int = 0
    frames: list[Ref] = field(default_factory=list)


@dataclass(slots=True)
class Binding:
    """The MAC address last announced for an address; ``former`` ones and since when they are wrong;
    ``stale`` frames still go there.
    """

    mac: bytes
    since_ns: int
    former: dict[bytes, int] = field(default_factory=dict)
    stale: dict[bytes, list[Ref]] = field(default_factory=dict)
    stale_count: int = 0


@dataclass(slots=True)
class Announcement:
    """One gratuitous ARP; ``taken`` if it is known to be from a host that was MASTER by then."""

    time_ns: int
    ref: Ref
    arp: Arp
    frame_destination: bytes
    taken: bool = False


@dataclass(slots=True)
class Neighbourhood:
    """What was said on one VLAN about who has which address."""

    claims: dict[Address, dict[bytes, Claim]] = field(default_factory=dict)
    bindings: dict[Address, Binding] = field(default_factory=dict)
    recent: deque[Announcement] = field(default_factory=lambda: deque(maxlen=64))
    arps: int = 0
    most: int = MAX_ADDRESSES

    def claim(self, address: Address, mac: bytes, ref: Ref, time_ns: int) -> Claim:
        """Notes that ``mac`` claims ``address``."""
        macs = self.claims.get(address)
        if macs is None:
            macs = {}
            if len(self.claims) < self.most:
                self.claims[address] = macs
        known = macs.get(mac)
        if known is None:
            known = Claim(first=ref)
            if len(macs) < _MAX_MACS:
                macs[mac] = known
        known.count += 1
        known.last_ns = time_ns
        if len(known.frames) < _MAX_MACS:
            known.frames.append(ref)
        return known

    def announced(self, address: Address, mac: bytes, time_ns: int) -> bool:
        """Binds ``address`` to ``mac``; returns whether that is a change."""
        known = self.bindings.get(address)
        if known is None:
            if len(self.bindings) < self.most:
                self.bindings[address] = Binding(mac, time_ns)
            return False
        if known.mac == mac:
            return False
        if len(known.former) < _MAX_MACS:
            known.former[known.mac] = time_ns
        known.former.pop(mac, None)
        known.mac, known.since_ns = mac, time_ns
        return True

    def used(self, address: Address, mac: bytes, time_ns: int, ref: Ref) -> None:
        """Notes that a client sent a packet for ``address`` to ``mac``."""
        binding = self.bindings.get(address)
        if (
            binding is not None
            and (since_ns := binding.former.get(mac)) is not None
            and time_ns - since_ns > _STALE_AFTER_NS
        ):
            frames = binding.stale.setdefault(mac, [])
            binding.stale_count += 1
            if len(frames) < _MAX_MACS:
                frames.append(ref)
