"""A judging session: takes packets or frames in the order of time and keeps what the verdicts need, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from conformance.catalogue import load
from conformance.judge import rules
from conformance.judge.digests import Digests, believes
from conformance.judge.form import Advert, Form, Ref, form_of, is_vrrp_frame, refusal
from conformance.judge.host import Family, Host, TakeOver
from conformance.judge.keyring import Passwords
from conformance.judge.ledger import MAX_FRAMES, Ledger
from conformance.judge.monitors import announce, counters, digest, election, neighbours, timing, wire
from conformance.judge.speaker import Spacing, Speaker
from conformance.segment.trace import FrameSeen
from conformance.wire.digest import Address
from conformance.wire.frame import Frame, decode
from conformance.wire.header import LENGTH, PROTOCOL

_MAX_LANES = 8192
_MAX_HOSTS = 2048
_MAX_TRAITS = 8
_MAX_REASONS = 32
_GRACE_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator told: passwords to try, shared addresses, one vhid to look at (None: all), dialect (None: guess)."""

    passwords: tuple[str, ...] = field(default=(), repr=False)
    addresses: tuple[Address, ...] = ()
    vhid: int | None = None
    dialect: str | None = None


@dataclass(slots=True, eq=False)
class Lane:
    """Where advertisements of one form go, and what is already known of them."""

    form: Form
    host: Host
    family: Family
    speaker: Speaker
    objections: tuple[tuple[str, str], ...]
    refused: str | None
    low_ns: int
    high_ns: int
    spacing: Spacing
    steady: int = 0  # unremarkable advertisements not yet booked to the speaker (first pass)

    @property
    def clean(self) -> bool:
        """Whether nobody can object to the form."""
        return not self.objections and self.refused is None


class Session:
    """Feeds frames to the monitors. ``feed`` takes a :class:`FrameSeen`, :func:`conformance.judge.fast.run` packets of a capture; then ``finish`` once."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.told = rules.told(options.dialect) if options.dialect is not None else None
        self.digests = Digests(Passwords(options.passwords), options.addresses)
        self.ledger = Ledger()
        self.catalogue = load()
        self.hosts: dict[tuple[tuple[int, ...], int], Host] = {}
        self.hoods: dict[tuple[int, ...], announce.Neighbourhood] = {}
        self.vrrp: dict[tuple[int, int, Address, tuple[int, ...]], neighbours.VrrpSpeaker] = {}
        self.lanes: dict[Form, Lane] = {}
        self.watched: set[bytes] = set()
        self.frames = 0
        self.cut = 0
        self.cut_first: Ref | None = None
        self.crowded = 0
        self.clock_steps = 0
        self.now_ns = 0
        self.end_ns = 0
        self.finished = False

    def feed(self, seen: FrameSeen) -> None:
        """Takes one frame of a trace; frames that the tester sent take part in the history but are not judged."""
        self.frames += 1
        self.take(seen.frame, seen.time_ns, Ref(0, seen.number), cut=False, sent=seen.sent)

    def packet(self, time_ns: int, capture: int, number: int, data: bytes, cut: bool) -> Lane | None:
        """Takes one captured packet; returns the lane if it was an advertisement."""
        return self.take(decode(data), time_ns, Ref(capture, number), cut=cut)

    def take(self, frame: Frame, time_ns: int, ref: Ref, *, cut: bool, sent: bool = False) -> Lane | None:
        """Sorts a frame to its monitors."""
        self.end_ns = time_ns
        if frame.ip is not None and frame.ip.protocol == PROTOCOL:
            self._clock(time_ns)
            if cut and frame.ip.length - frame.ip.header_length > len(frame.payload):
                self.cut += 1
                self.cut_first = self.cut_first or ref
                return None
            return self._protocol_112(frame, time_ns, ref, sent)
        if frame.arp is not None or frame.neighbour is not None:
            self._clock(time_ns)
            self._said(frame, time_ns, ref)
        if frame.ip is not None or frame.arp is not None:
            self._traffic(frame, time_ns, ref)
        return None

    def _clock(self, time_ns: int) -> None:
        backwards, self.now_ns = time_ns < self.now_ns, time_ns
        if not backwards:
            return
        self.clock_steps += 1
        for host in self.hosts.values():
            for family in host.families.values():
                family.history.step_clock(time_ns)
                for speaker in family.speakers.values():
                    speaker.last_ns = min(speaker.last_ns, time_ns)

    def _protocol_112(self, frame: Frame, time_ns: int, ref: Ref, sent: bool) -> Lane | None:
        if is_vrrp_frame(frame):
            neighbours.heard(self.vrrp, frame, ref)
            return None
        form = form_of(frame)
        if form is None or (self.options.vhid is not None and form.vhid != self.options.vhid):
            return None
        lane = self._lane(form, ref)
        if lane is not None:
            lane.speaker.tester = lane.speaker.tester or sent
            self._advert(lane, Advert(ref, time_ns, form, frame.payload[:LENGTH], frame.data))
        return lane

    def _lane(self, form: Form, ref: Ref) -> Lane | None:
        lane = self.lanes.get(form)
        if lane is not None:
            return lane
        key = (form.vlans, form.vhid)
        host = self.hosts.get(key)
        if host is None:
            if len(self.hosts) >= _MAX_HOSTS:
                self.crowded += 1
                return None
            host = self.hosts[key] = Host(form.vlans, form.vhid)
        if len(self.lanes) >= _MAX_LANES:
            self.lanes.clear()
        family = host.family(form.family)
        crowded = family.crowded
        speaker, objections = host.speaker(form), []
        if family.crowded != crowded:
            self.lanes.clear()  # a speaker made room; no lane may keep it
        names = self.told.names if self.told is not None else rules.shown(form)
        for rule in wire.RULES:
            if rule.concerns(form, names):
                objection = rule.objection(form)
                if objection is None:
                    self.ledger.passed(rule.requirement, speaker.who, ref)
                else:
                    objections.append((rule.requirement, objection))
        low_ns, high_ns = rules.widest_window_ns(form.advbase, form.advskew)
        lane = Lane(form, host, family, speaker, tuple(objections), refusal(form), low_ns, high_ns, speaker.spacing(form))
        self.lanes[form] = lane
        return lane

    def _advert(self, lane: Lane, advert: Advert) -> None:
        speaker, form = lane.speaker, lane.form
        gap_ns = advert.time_ns - speaker.last_ns
        if advert.data == speaker.last_data and gap_ns * 2 < form.interval_ns:
            speaker.duplicates += 1
            if advert.ref.capture == speaker.last[0] and len(speaker.echoes) < MAX_FRAMES:
                speaker.echoes.append(advert.ref)
            return
        speaker.count += 1
        if speaker.first is None:
            speaker.first, speaker.first_ns = advert.ref, advert.time_ns
        for requirement, text in lane.objections:
            self.ledger.failed(requirement, speaker.who, advert.ref, text)
        for traits, value in ((speaker.ttls, form.ttl), (speaker.toses, form.tos), (speaker.macs, form.source_mac)):
            if len(traits) < _MAX_TRAITS:
                traits.setdefault(value, advert.ref)  # type: ignore[index,arg-type]
        if lane.refused is not None:
            speaker.refused += 1
            if lane.refused in speaker.refusals or len(speaker.refusals) < _MAX_REASONS:
                frames = speaker.refusals.setdefault(lane.refused, [])
                if len(frames) < MAX_FRAMES:
                    frames.append(advert.ref)
            if form.whole and form.vhid:
                self._unbelieved(lane, advert)
            return
        self._replay(lane, advert)
        verified = self.digests.check(lane.host, speaker, advert)
        if self._believed(lane, verified):
            self._believe(lane, advert)
        else:
            self._unbelieved(lane, advert)

    def _replay(self, lane: Lane, advert: Advert) -> None:
        secret, own = advert.body[8:], lane.speaker.number
        if own is not None and advert.number == (own + 1) & counters.MASK:
            return  # it counts on by itself and does not hear the other, whose counter runs ahead
        for other in lane.family.speakers.values():
            if other is not lane.speaker and secret in other.last_data and secret not in lane.speaker.last_data and len(lane.speaker.replays) < MAX_FRAMES:
                lane.speaker.replays.append(advert.ref)

    def _believed(self, lane: Lane, verified: bool | None) -> bool:
        host, speaker = lane.host, lane.speaker
        if not verified:
            return verified is None
        material = speaker.key.material if speaker.key is not None else None
        if material is None or host.current is None or lane.family.history.holder is speaker or believes(host.current, material):
            host.current = material
            return True
        return False

    def _believe(self, lane: Lane, advert: Advert) -> None:
        host, family, speaker = lane.host, lane.family, lane.speaker
        self._spaced(lane, advert)
        counters.observe(host, family, speaker, advert.number, advert.ref)
        self._stand(lane, advert)

    def _unbelieved(self, lane: Lane, advert: Advert) -> None:
        """A stream that receivers refuse matters only if it looks like that of a MASTER: the same form at the announced interval."""
        speaker, form, before = lane.speaker, lane.form, lane.speaker.suspect
        speaker.suspect = advert
        family = lane.family
        regular = before is not None and before.form == form and form.interval_ns * 9 // 10 <= advert.time_ns - before.time_ns <= form.interval_ns * 5 // 4
        if speaker in family.history.standing:
            if regular or before is None or before.form == form:
                self._spaced(lane, advert)
                self._stand(lane, advert)
        elif regular and before is not None:
            speaker.rivalry += 1
            if family.history.heard(speaker, before.time_ns, before.ref, form):
                self._took_over(lane, before)
            speaker.last_ns, speaker.last, speaker.last_form = before.time_ns, before.ref, form
            self._spaced(lane, advert)
            self._stand(lane, advert)

    def _spaced(self, lane: Lane, advert: Advert) -> None:
        speaker, form, last = lane.speaker, lane.form, lane.speaker.last_form
        standing = lane.family.history.standing
        if last is None or form.bow_out or len(standing) != 1 or speaker not in standing:
            return
        gap_ns = advert.time_ns - speaker.last_ns
        if last.rank == form.rank and last.demote == form.demote and 0 <= gap_ns <= standing[speaker].patience_ns:
            if gap_ns < lane.low_ns:
                lane.spacing.add_early(gap_ns, advert.ref)
            else:
                lane.spacing.add(gap_ns, advert.ref)

    def _stand(self, lane: Lane, advert: Advert) -> None:
        family, speaker, form = lane.family, lane.speaker, lane.form
        if form.bow_out:
            speaker.bow_outs += 1
        if family.history.heard(speaker, advert.time_ns, advert.ref, form):
            self._took_over(lane, advert)
        if not form.bow_out:
            speaker.best = form.rank if speaker.best is None else min(speaker.best, form.rank)
            speaker.demotes = speaker.demotes or (form.demote > 0 and lane.refused is None)
        speaker.last_ns, speaker.last, speaker.last_form, speaker.last_data = advert.time_ns, advert.ref, form, advert.data
        family.sole = family.history.sole

    def _took_over(self, lane: Lane, advert: Advert) -> None:
        family, hood = lane.family, self._hood(lane.form.vlans)
        if family.version != 4:
            return
        if family.take_over is not None:
            announce.close(self.ledger, hood, family.take_over, advert.time_ns)
        family.take_over = TakeOver(lane.speaker, advert.time_ns, advert.ref, judged=lane.speaker.tester)
        for announcement in hood.recent:
            announce.credit(self.ledger, lane.host, family.take_over, announcement)

    def _hood(self, vlans: tuple[int, ...]) -> announce.Neighbourhood:
        hood = self.hoods.get(vlans)
        if hood is None:
            hood = announce.Neighbourhood()
            if len(self.hoods) < _MAX_HOSTS:
                self.hoods[vlans] = hood
        return hood

    def _said(self, frame: Frame, time_ns: int, ref: Ref) -> None:
        hood = self._hood(frame.vlans)
        if frame.arp is not None:
            told = announce.arp(self.ledger, hood, self.hosts, time_ns, ref, frame)
            self._watch(hood, frame.arp.sender)
            if frame.arp.gratuitous:
                self._notice(frame.vlans, frame.arp.sender)
        else:
            told = announce.neighbour(self.ledger, hood, self.hosts, time_ns, ref, frame)
        if told is not None:
            host, address = told
            if host.learn(address, ref):
                self.digests.reconsider(host)

    def _notice(self, vlans: tuple[int, ...], address: Address) -> None:
        known = self.digests.seen.setdefault(vlans, {}) if len(self.digests.seen) < _MAX_HOSTS else {}
        if len(known) < MAX_FRAMES:
            known[address] = None

    def _watch(self, hood: announce.Neighbourhood, address: Address) -> None:
        binding = hood.bindings.get(address)
        if binding is not None and binding.former and len(self.watched) < _MAX_HOSTS:
            self.watched.add(address.packed)

    def _traffic(self, frame: Frame, time_ns: int, ref: Ref) -> None:
        """Two things that other traffic betrays: a client that uses a former MASTER's MAC, and a BACKUP that sends from the virtual one."""
        hood = self.hoods.get(frame.vlans)
        if frame.ip is not None and hood is not None and isinstance(frame.ip.destination, IPv4Address):
            hood.used(frame.ip.destination, frame.destination, time_ns, ref)
        if frame.source[:5] != announce.VIRTUAL:
            return
        host = self.hosts.get((frame.vlans, frame.source[5]))
        sender = frame.ip.source if frame.ip is not None else frame.arp.sender if frame.arp is not None else None
        if host is None or sender is None:
            return
        family = host.families.get(sender.version)
        speaker = family.speakers.get(sender) if family is not None else None
        if family is None or speaker is None or speaker in family.history.standing or time_ns - speaker.last_ns < _GRACE_NS:
            return
        if len(speaker.stray) < MAX_FRAMES:
            speaker.stray.append(ref)

    def tongue(self, speaker: Speaker) -> rules.Tongue:
        """The dialect of a speaker, as told or guessed."""
        return self.told if self.told is not None else rules.guess(speaker)

    def applies(self, requirement: str, names: frozenset[str]) -> bool:
        """Whether every implementation in ``names`` is known to satisfy a requirement, so that breaking it is a fault and no dialect."""
        return requirement in self.catalogue and names <= self.catalogue[requirement].holds_for

    def finish(self) -> None:
        """Ends the session: closes what is open and draws the conclusions that need the whole history. Calling it again does nothing."""
        if self.finished:
            return
        self.finished = True
        for host in self.hosts.values():
            self.digests.settle(host)
            for family in host.families.values():
                history = family.history
                history.expire(self.end_ns)
                history.finish()
                if family.take_over is not None:
                    announce.close(self.ledger, self._hood(host.vlans), family.take_over, self.end_ns)
                speakers = list(family.speakers.values())
                for speaker in speakers:
                    _name_frames(speaker)
                    digest.finish(self.ledger, speaker)
                    counters.finish(self.ledger, speaker)
                    timing.finish_intervals(self.ledger, speaker, self.tongue(speaker))
                for handover in history.handovers:
                    timing.finish_take_over(self.ledger, handover, self.tongue(handover.new))
                election.finish(self.ledger, history, speakers)


def _name_frames(speaker: Speaker) -> None:
    # The first pass keeps plain tuples, which are cheaper to make.
    speaker.last = Ref(*speaker.last)
    for spacing in speaker.spacings.values():
        spacing.low, spacing.high = Ref(*spacing.low), Ref(*spacing.high)
