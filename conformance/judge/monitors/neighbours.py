"""Monitor of VRRP routers: they share protocol number, groups and MAC addresses with CARP (hazard H17). Who of them is MASTER when is told as for CARP."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.judge.form import Ref
from conformance.judge.history import History
from conformance.judge.ledger import Who
from conformance.judge.speaker import Speaker
from conformance.wire.digest import Address
from conformance.wire.frame import Frame
from conformance.wire.vrrp3 import CENTISECOND_NS

_MAX_NEIGHBOURS = 256
_MOST_PRIORITY = 255
_SECOND_NS = 1_000_000_000

Place = tuple[tuple[int, ...], int, int]
"""VLAN ids, virtual router id and address family of an election."""


@dataclass(frozen=True, slots=True)
class VrrpForm:
    """What a VRRP packet announces, in the words that a history of MASTERs asks for."""

    version: int
    priority: int
    interval_ns: int
    source_mac: bytes
    demote: int = 0

    @property
    def bow_out(self) -> bool:
        """Whether the MASTER gives up: priority 0 (RFC 9568 section 5.2.4)."""
        return self.priority == 0

    @property
    def rank(self) -> tuple[int, int]:
        """The smaller one is preferred: the higher priority, whatever the interval (RFC 9568 section 6.4.3)."""
        return 0, _MOST_PRIORITY - self.priority


@dataclass(slots=True, eq=False)
class VrrpRouter:
    """One VRRP router in one election: its latest ``form`` that claimed anything."""

    speaker: Speaker
    form: VrrpForm
    first: Ref
    count: int = 0


@dataclass(slots=True)
class VrrpElection:
    """The routers of one virtual router and the history of their MASTERs."""

    history: History = field(default_factory=History)
    routers: dict[Address, VrrpRouter] = field(default_factory=dict)


def form_of(frame: Frame) -> VrrpForm:
    """The form of a VRRP packet of at least 8 bytes; its version is that of the packet."""
    body = frame.payload
    version = body[0] >> 4
    interval = int.from_bytes(body[4:6], "big") & 0xFFF
    interval_ns = interval * CENTISECOND_NS if version == 3 else body[5] * _SECOND_NS
    return VrrpForm(version, body[2], interval_ns, frame.source)


def heard(elections: dict[Place, VrrpElection], frame: Frame, ref: Ref, time_ns: int) -> None:
    """Takes a VRRP packet into the history of its virtual router; what follows from it stands in the findings."""
    if frame.ip is None:
        return
    source, vrid = frame.ip.source, frame.payload[1]
    place = frame.vlans, vrid, frame.ip.version
    election = elections.get(place)
    if election is None:
        if len(elections) >= _MAX_NEIGHBOURS:
            return
        election = elections[place] = VrrpElection()
    form = form_of(frame)
    router = election.routers.get(source)
    if router is None:
        if len(election.routers) >= _MAX_NEIGHBOURS:
            return
        speaker = Speaker(Who(frame.vlans, vrid, source), first=ref, first_ns=time_ns)
        router = election.routers[source] = VrrpRouter(speaker, form, ref)
    router.count += 1
    if not form.bow_out:
        router.form = form
    election.history.heard(router.speaker, time_ns, ref, form)


def finish(elections: dict[Place, VrrpElection], end_ns: int) -> None:
    """Closes the histories at the end of the capture."""
    for election in elections.values():
        election.history.expire(end_ns)
        election.history.finish()
