"""What becomes of one advertisement: its form judged, its digest checked, believed or not, entered into the
history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from conformance.judge import rules
from conformance.judge.digests import Digests, believes
from conformance.judge.events import Cause
from conformance.judge.form import Advert, Form, Ref, refusal
from conformance.judge.history import Budget
from conformance.judge.host import MAX_SPEAKERS, Host, TakeOver
from conformance.judge.lane import Lane, Options
from conformance.judge.ledger import MAX_FRAMES, Ledger
from conformance.judge.monitors import announce, counters, wire
from conformance.judge.neighbourhood import Neighbourhood
from conformance.judge.rules import Tongue
from conformance.judge.speaker import Speaker

_MAX_LANES = 8192
_MAX_HOSTS = 2048
_MAX_SPEAKERS = 8192
_MAX_TRAITS = 8
_MAX_REASONS = 32
_AT_ONCE_NS = 50_000_000
_NEVER_SURE_NS = 1 << 62
_FEW = 4  # speakers whose whole memory is searched for a replay

_Trait = TypeVar("_Trait", int, bytes)


class Adverts:
    """Takes advertisements in the order of time; owns the virtual hosts. ``hood`` gives a VLAN's
    neighbourhood.
    """

    def __init__(
        self,
        options: Options,
        told: Tongue | None,
        ledger: Ledger,
        digests: Digests,
        hood: Callable[[tuple[int, ...]], Neighbourhood],
    ) -> None:
        self._vhid = options.vhid
        self._names = told.names if told is not None else None
        self._witness = options.witness
        self._excused = (Cause.START, Cause.RESTART) if options.witness is None else (Cause.RESTART,)
        self._ledger = ledger
        self._digests = digests
        self._hood = hood
        self._lanes: dict[Form, Lane] = {}
        self.hosts: dict[tuple[tuple[int, ...], int], Host] = {}
        self.crowded = 0
        self._speakers = 0
        self._budget = Budget()
        self.passed_over: Counter[int] = Counter()
        self.disturbed_ns = -1
        self.unheard_ns = _NEVER_SURE_NS if options.witness is not None and options.witness.lossy else -1

    def take(self, advert: Advert, *, sent: bool) -> Lane | None:
        """Takes one advertisement, damaged or not; None if it is not looked at (another vhid was asked
        for).
        """
        if self._vhid is not None and advert.form.vhid != self._vhid:
            self.passed_over[advert.form.vhid] += 1
            return None
        lane = self._lanes.get(advert.form) or self._open_lane(advert.form, advert.ref)
        if lane is not None:
            lane.speaker.tester = lane.speaker.tester or sent
            self._judge(lane, advert)
        return lane

    def _open_lane(self, form: Form, ref: Ref) -> Lane | None:
        host = self.hosts.get((form.vlans, form.vhid))
        if host is None:
            if len(self.hosts) >= _MAX_HOSTS:
                self.crowded += 1
                return None
            host = self.hosts[form.vlans, form.vhid] = Host(form.vlans, form.vhid, self._budget)
        family = host.family(form.family)
        crowded = family.crowded
        # A capture full of forged sources shall not fill the memory: then each family keeps one.
        speaker = host.speaker(form, MAX_SPEAKERS if self._speakers < _MAX_SPEAKERS else 1)
        self._speakers += speaker.first is None and family.crowded == crowded
        if family.crowded != crowded or len(self._lanes) >= _MAX_LANES:
            self._lanes.clear()  # if a speaker made room, no lane may keep it
        objections = self._objections(form, speaker, ref)
        low_ns, high_ns = rules.widest_window_ns(form.advbase, form.advskew)
        spacing = speaker.spacing(form)
        lane = Lane(form, host, family, speaker, objections, refusal(form), low_ns, high_ns, spacing)
        self._lanes[form] = lane
        return lane

    def _objections(self, form: Form, speaker: Speaker, ref: Ref) -> tuple[tuple[str, str], ...]:
        names = self._names if self._names is not None else rules.shown(form)
        satisfied, objections = wire.judged(form, names)
        self._ledger.passed_all(satisfied, speaker.who, ref)
        return objections

    def _judge(self, lane: Lane, advert: Advert) -> None:
        speaker, form = lane.speaker, lane.form
        if advert.data == speaker.last_data and (advert.time_ns - speaker.last_ns) * 2 < form.interval_ns:
            speaker.duplicates += 1
            if advert.ref.capture == speaker.last[0] and len(speaker.echoes) < MAX_FRAMES:
                speaker.echoes.append(advert.ref)
            return
        speaker.count += 1
        if speaker.first is None:
            speaker.first, speaker.first_ns = advert.ref, advert.time_ns
        for requirement, text in lane.objections:
            self._ledger.failed(requirement, speaker.who, advert.ref, text)
        _note(speaker.ttls, form.ttl, advert.ref)
        _note(speaker.toses, form.tos, advert.ref)
        _note(speaker.macs, form.source_mac, advert.ref)
        if lane.refused is not None:
            lane.host.doubt_ns = advert.time_ns
            _refuse(speaker, lane.refused, advert.ref)
            if form.whole and form.vhid:
                self._unbelieved(lane, advert)
            return
        if _replay(lane, advert) and not self._goes_on(lane, advert):
            lane.host.doubt_ns = advert.time_ns
            return
        verified = self._digests.check(lane.host, speaker, advert)
        if self._believed(lane, verified, advert.ref):
            if counters.observe(lane, advert, max(self.disturbed_ns, self.unheard_ns)):
                self._spaced(lane, advert)
                self._stand(lane, advert)
        else:
            lane.host.doubt_ns = advert.time_ns
            self._unbelieved(lane, advert)

    def _believed(self, lane: Lane, verified: bool | None, ref: Ref) -> bool:
        host, speaker = lane.host, lane.speaker
        if not verified:
            return verified is None
        material = speaker.key.material if speaker.key is not None else None
        against = host.current
        own = lane.family.history.holder is speaker
        if material is None or against is None or own or believes(against, material):
            host.current = material
            return True
        _against, frames = speaker.disbelieved.setdefault(material, (against, []))
        if len(frames) < MAX_FRAMES:
            frames.append(ref)
        return False

    def _goes_on(self, lane: Lane, advert: Advert) -> bool:
        """Whether a speaker that repeats what another one said is a MASTER all the same: one that no longer hears the other counts on from the same number."""
        speaker, before = lane.speaker, lane.speaker.suspect
        if speaker in lane.family.history.standing:
            return True
        speaker.suspect = advert
        if before is None or before.form != advert.form or not _timed(before, advert):
            return False
        speaker.replays.clear()
        self._stand(lane, before)
        return True

    def _unbelieved(self, lane: Lane, advert: Advert) -> None:
        """A stream that receivers refuse matters only if it looks like a MASTER's: one form, on time."""
        speaker, form, before, history = lane.speaker, lane.form, lane.speaker.suspect, lane.family.history
        speaker.suspect = advert
        if before is not None and before.form != form:
            return
        timed = before is not None and _timed(before, advert)
        speaker.rivalry += timed
        if speaker in history.standing:
            self._spaced(lane, advert)
            self._stand(lane, advert)
            return
        if before is None or not timed:
            return
        self._stand(lane, before)
        self._spaced(lane, advert)
        self._stand(lane, advert)

    def _spaced(self, lane: Lane, advert: Advert) -> None:
        speaker, form, last = lane.speaker, lane.form, lane.speaker.last_form
        stand = lane.family.history.standing.get(speaker)
        if last is None or stand is None or form.bow_out or len(lane.family.history.standing) != 1:
            return
        gap_ns = advert.time_ns - speaker.last_ns
        if (last.rank, last.demote) != (form.rank, form.demote) or not 0 <= gap_ns <= stand.patience_ns:
            return
        if speaker.last_ns <= self.disturbed_ns:
            return
        if gap_ns < lane.low_ns:
            lane.spacing.add_early(gap_ns, advert.ref)
        else:
            lane.spacing.add(gap_ns, advert.ref)

    def _stand(self, lane: Lane, advert: Advert) -> None:
        family, speaker, form = lane.family, lane.speaker, lane.form
        if family.history.heard(speaker, advert.time_ns, advert.ref, form):
            # What it sent just before, it sent as the new MASTER: frames change places on the way.
            while speaker.stray and advert.time_ns - speaker.stray[-1][0] < _AT_ONCE_NS:
                speaker.stray.pop()
            self._took_over(lane, advert)
        if form.bow_out:
            speaker.bow_outs += 1
        else:
            speaker.best = form.rank if speaker.best is None else min(speaker.best, form.rank)
            if lane.refused is None:
                speaker.demote = max(speaker.demote, form.demote)
        speaker.last_ns, speaker.last = advert.time_ns, advert.ref
        speaker.last_form = form
        speaker.recent.append(advert.data)
        family.sole = family.history.sole

    def _took_over(self, lane: Lane, advert: Advert) -> None:
        family, hood = lane.family, self._hood(lane.form.vlans)
        if family.version != 4:
            return
        if family.take_over is not None:
            announce.close(self._ledger, hood, family.take_over, advert.time_ns, self._witness)
        # At the start of a capture the MASTER may be an old one, and one that is back after a pause may only
        # have been unheard: neither owes an announcement.
        latest = family.history.handovers[-1:]
        old = any(one.new is lane.speaker and one.cause in self._excused for one in latest)
        missed = family.history.holder is lane.speaker and not any(one.ref == advert.ref for one in latest)
        excused = lane.speaker.tester or old or missed
        family.take_over = TakeOver(
            lane.speaker, advert.time_ns, advert.ref, unicast=lane.form.unicast, judged=excused
        )
        for announcement in hood.recent:
            announce.credit(self._ledger, lane.host, family.take_over, announcement)


def _timed(before: Advert, advert: Advert) -> bool:
    """Whether ``advert`` comes when it is due after ``before``."""
    interval_ns = advert.form.interval_ns
    return interval_ns * 9 // 10 <= advert.time_ns - before.time_ns <= interval_ns * 5 // 4


def _note(traits: dict[_Trait, Ref], value: _Trait, ref: Ref) -> None:
    if len(traits) < _MAX_TRAITS:
        traits.setdefault(value, ref)


def _refuse(speaker: Speaker, reason: str, ref: Ref) -> None:
    speaker.refused += 1
    if reason in speaker.refusals or len(speaker.refusals) < _MAX_REASONS:
        frames = speaker.refusals.setdefault(reason, [])
        if len(frames) < MAX_FRAMES:
            frames.append(ref)


def _replay(lane: Lane, advert: Advert) -> bool:
    """Notes a counter and digest that another speaker sent before; returns whether that one is still there, so that this one claims nothing."""
    speaker, secret = lane.speaker, advert.body[8:]
    if speaker.number is not None and advert.number == (speaker.number + 1) & counters.MASK:
        return False  # it counts on by itself and does not hear the other, whose counter runs ahead
    if any(secret in data for data in speaker.recent):
        return False
    few = len(lane.family.speakers) <= _FEW
    for other in lane.family.speakers.values():
        if other is not speaker and (
            any(secret in data for data in other.recent) if few else secret in other.last_data
        ):
            if len(speaker.replays) < MAX_FRAMES:
                speaker.replays.append(advert.ref)
            stand = lane.family.history.standing.get(other)
            return stand is not None and advert.time_ns - stand.last_ns <= stand.patience_ns
    return False
