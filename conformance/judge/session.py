"""A judging session: sorts frames to the monitors in the order of time and concludes, in bounded memory."""

from __future__ import annotations

from ipaddress import IPv4Address

from conformance.catalogue import load
from conformance.judge import rules
from conformance.judge.adverts import Adverts
from conformance.judge.digests import Digests
from conformance.judge.form import Advert, Ref, form_of
from conformance.judge.host import Family, Host
from conformance.judge.keyring import Passwords
from conformance.judge.lane import Lane, Options
from conformance.judge.ledger import MAX_FRAMES, Ledger
from conformance.judge.monitors import announce, counters, digest, election, neighbours, timing, wire
from conformance.judge.neighbourhood import MAX_ADDRESSES, Neighbourhood, Sight
from conformance.judge.speaker import Speaker
from conformance.segment.trace import FrameSeen
from conformance.wire.digest import Address
from conformance.wire.frame import decode
from conformance.wire.header import LENGTH, PROTOCOL

_MAX_VLANS = 2048
_LARGE_VLANS, _FEW_ADDRESSES = 16, 16
"""So many VLANs may have many addresses; a capture that has more of them keeps few of each."""
_MAX_STEPS = 1000
_GRACE_NS = 1_000_000_000


class Session:
    """Feeds frames to the monitors, then draws the conclusions.

    ``feed`` takes the frames of a trace, :func:`conformance.judge.fast.run` the packets of a capture;
    ``finish`` ends it.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.told = rules.told(options.dialect) if options.dialect is not None else None
        self.digests = Digests(Passwords(options.passwords), options.addresses)
        self.ledger = Ledger()
        self.catalogue = load()
        self.hoods: dict[tuple[int, ...], Neighbourhood] = {}
        self.adverts = Adverts(options, self.told, self.ledger, self.digests, self._hood)
        self.hosts: dict[tuple[tuple[int, ...], int], Host] = self.adverts.hosts
        self.vrrp: dict[neighbours.Place, neighbours.VrrpElection] = {}
        self.watched: set[bytes] = set()
        self.frames = 0
        self.cut = 0
        self.clock_steps = 0
        self.now_ns = 0
        self.end_ns = 0
        self.calm_until_ns: int | None = None
        self._finished = False

    def feed(self, seen: FrameSeen) -> None:
        """Takes one frame of a trace; what the tester sent takes part in the history but is not judged."""
        self.frames += 1
        self._take(Sight(seen.time_ns, Ref(0, seen.number), seen.frame), cut=False, sent=seen.sent)

    def packet(self, time_ns: int, capture: int, number: int, data: bytes, cut: bool) -> Lane | None:
        """Takes one captured packet; returns its lane if it was an advertisement."""
        return self._take(Sight(time_ns, Ref(capture, number), decode(data)), cut=cut, sent=False)

    def disturbed(self, time_ns: int) -> None:
        """At ``time_ns`` something was sent or done that may have disturbed the hosts: a spacing across it is not judged."""
        if self.calm_until_ns is None or time_ns < self.calm_until_ns:
            self.calm_until_ns = time_ns
        over_ns = time_ns + (self.told.reaction_ns if self.told is not None else 0)
        self.adverts.disturbed_ns = max(self.adverts.disturbed_ns, over_ns)
        for host in self.hosts.values():
            for family in host.families.values():
                family.sole = None  # the next advertisement takes the slow way

    def _take(self, seen: Sight, *, cut: bool, sent: bool) -> Lane | None:
        frame = seen.frame
        self.end_ns = seen.time_ns
        if frame.ip is not None and frame.ip.protocol == PROTOCOL:
            self._clock(seen.time_ns)
            if cut and frame.ip.length - frame.ip.header_length > len(frame.payload):
                self.cut += 1
                self.adverts.unheard_ns = max(self.adverts.unheard_ns, seen.time_ns)
                return None
            return self._protocol_112(seen, sent=sent)
        if frame.arp is not None or frame.neighbour is not None:
            self._clock(seen.time_ns)
            self._said(seen)
        self._traffic(seen)
        return None

    def _clock(self, time_ns: int) -> None:
        backwards, self.now_ns = time_ns < self.now_ns, time_ns
        if not backwards:
            return
        self.clock_steps += 1
        self.adverts.unheard_ns = max(self.adverts.unheard_ns, time_ns)
        if self.clock_steps > _MAX_STEPS:
            return  # no clock does that: a file that was made to cost time
        for election_ in self.vrrp.values():
            election_.history.step_clock(time_ns)
        for host in self.hosts.values():
            for family in host.families.values():
                family.history.step_clock(time_ns)
                for speaker in family.speakers.values():
                    speaker.last_ns = min(speaker.last_ns, time_ns)

    def _protocol_112(self, seen: Sight, *, sent: bool) -> Lane | None:
        form = form_of(seen.frame)
        if form is None:
            neighbours.heard(self.vrrp, seen.frame, seen.ref, seen.time_ns)
            return None
        body = seen.frame.payload[:LENGTH]
        return self.adverts.take(Advert(seen.ref, seen.time_ns, form, body, seen.frame.data), sent=sent)

    def _hood(self, vlans: tuple[int, ...]) -> Neighbourhood:
        hood = self.hoods.get(vlans)
        if hood is None:
            hood = Neighbourhood(most=MAX_ADDRESSES if len(self.hoods) < _LARGE_VLANS else _FEW_ADDRESSES)
            if len(self.hoods) < _MAX_VLANS:
                self.hoods[vlans] = hood
        return hood

    def _said(self, seen: Sight) -> None:
        frame, hood = seen.frame, self._hood(seen.frame.vlans)
        if frame.arp is not None:
            told = announce.arp(self.ledger, hood, self.hosts, seen)
            binding = hood.bindings.get(frame.arp.sender)
            if binding is not None and binding.former and len(self.watched) < _MAX_VLANS:
                self.watched.add(frame.arp.sender.packed)
            if frame.arp.gratuitous:
                self._notice(frame.vlans, frame.arp.sender)
        else:
            told = announce.neighbour(self.ledger, hood, self.hosts, seen)
            # Duplicate address detection: somebody configures this address.
            if frame.neighbour is not None and frame.ip is not None and frame.ip.source.is_unspecified:
                self._notice(frame.vlans, frame.neighbour.target)
        if told is not None:
            host, address = told
            if host.learn(address, seen.ref):
                self.digests.reconsider(host)

    def _notice(self, vlans: tuple[int, ...], address: Address) -> None:
        """Remembers an address that a digest may cover, and tries it on what could not be verified so far."""
        known = self.digests.seen.setdefault(vlans, {}) if len(self.digests.seen) < _MAX_VLANS else {}
        if address in known or len(known) >= MAX_FRAMES:
            return
        known[address] = None
        for host in self.hosts.values():
            if host.vlans == vlans:
                self.digests.reconsider(host)

    def _traffic(self, seen: Sight) -> None:
        """Takes what other traffic betrays: shared addresses, clients of a former MASTER, a BACKUP that
        sends from the virtual MAC.
        """
        frame = seen.frame
        hood = self.hoods.get(frame.vlans)
        if frame.ip is not None and not frame.ip.destination.is_multicast:
            if hood is not None and isinstance(frame.ip.destination, IPv4Address):
                hood.used(frame.ip.destination, frame.destination, seen.time_ns, seen.ref)
            if frame.destination[:5] == announce.VIRTUAL:
                self._notice(frame.vlans, frame.ip.destination)
        host = (
            self.hosts.get((frame.vlans, frame.source[5])) if frame.source[:5] == announce.VIRTUAL else None
        )
        if host is not None:
            _stray(host, seen)

    def tongue(self, speaker: Speaker) -> rules.Tongue:
        """The dialect of a speaker, as told or guessed."""
        return self.told if self.told is not None else rules.guess(speaker)

    def applies(self, requirement: str, names: frozenset[str]) -> bool:
        """Whether every implementation in ``names`` is known to satisfy a requirement, so that a breach is
        a fault and no dialect.
        """
        if requirement in wire.EXEMPT and names & wire.EXEMPT[requirement]:
            return False
        return requirement in self.catalogue and names <= self.catalogue[requirement].holds_for

    def finish(self) -> None:
        """Ends the session: closes what is open and draws the conclusions that need the whole history; a
        second call does nothing.
        """
        if self._finished:
            return
        self._finished = True
        neighbours.finish(self.vrrp, self.end_ns)
        for host in self.hosts.values():
            self.digests.settle(host)
            for family in host.families.values():
                self._conclude(host, family)

    def _conclude(self, host: Host, family: Family) -> None:
        history, witness = family.history, self.options.witness
        for speaker in family.speakers.values():
            _name_frames(speaker)
        history.expire(self.end_ns)
        history.finish()
        if family.take_over is not None:
            announce.close(self.ledger, self._hood(host.vlans), family.take_over, self.end_ns, witness)
        for speaker in family.speakers.values():
            digest.finish(self.ledger, speaker, witness)
            counters.finish(self.ledger, speaker, history.handovers, self.tongue(speaker))
            timing.finish_intervals(self.ledger, speaker, self.tongue(speaker), witness)
        for handover in history.handovers:
            timing.finish_take_over(self.ledger, handover, self.tongue(handover.new))
        calm_ns = self.end_ns if self.calm_until_ns is None else self.calm_until_ns
        election.finish(
            self.ledger, history, list(family.speakers.values()), calm_ns if witness is not None else None
        )


def _stray(host: Host, seen: Sight) -> None:
    """Notes a frame from a host's virtual MAC whose IP source is the own address of a speaker that is not
    MASTER.
    """
    ip, arp = seen.frame.ip, seen.frame.arp
    sender = ip.source if ip is not None else arp.sender if arp is not None else None
    if sender is None or sender in host.addresses():
        return
    family = host.families.get(sender.version)
    speaker = family.speakers.get(sender) if family is not None else None
    if family is None or speaker is None or speaker in family.history.standing:
        return
    heard_ns = max(speaker.last_ns, speaker.suspect.time_ns if speaker.suspect is not None else 0)
    if seen.time_ns - heard_ns >= _GRACE_NS and len(speaker.stray) < MAX_FRAMES:
        speaker.stray.append((seen.time_ns, seen.ref))


def _name_frames(speaker: Speaker) -> None:
    # The first pass keeps plain tuples, which are cheaper to make.
    speaker.last = Ref(*speaker.last)
    for spacing in speaker.spacings.values():
        spacing.low, spacing.high = Ref(*spacing.low), Ref(*spacing.high)
