"""Who was MASTER when: hand-overs with their gap and cause, and the time in which two MASTERs stood side by
side.

Only what is on the wire counts: a speaker stands as MASTER from its first advertisement until one is
overdue or it bows out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from conformance.judge.events import Cause, DualMaster, Flapping, Handover, Said
from conformance.judge.form import Ref
from conformance.judge.speaker import Speaker

MS = 1_000_000
MAX_EVENTS = 10_000
"""Hand-overs and windows kept for one virtual host; later ones are counted."""

REACTION_NS = 60 * MS
"""A kernel preempts within this time of the advertisement that provokes it (measured: 1 to 5 ms)."""
_UCARP_REACTION_NS = 1_200 * MS
"""ucarp sees a frame up to a second late (libpcap read timeout)."""


@dataclass(slots=True)
class Budget:
    """How many events all histories of a session may still keep, so that a hostile capture cannot fill the memory."""

    left: int = 200_000

    def spend(self, cost: int = 1) -> bool:
        """Whether there is still room; takes ``cost`` of it."""
        self.left -= cost
        return self.left > 0


@dataclass(slots=True)
class Stand:
    """A MASTER as the wire shows it: since when, and the form of its latest advertisement. ``rival`` is
    what the standing MASTER last said before this one
    began, when, and the best advbase and advskew it had had; ``best`` is this one's own.
    """

    speaker: Speaker
    since_ns: int
    since: Ref
    form: Said
    best: tuple[int, int]
    rival: tuple[Said, int, tuple[int, int]] | None = None
    answered: dict[Speaker, tuple[int, Ref]] = field(
        default_factory=dict
    )  # first advert of an older MASTER after this one began

    @property
    def last_ns(self) -> int:
        """When the speaker last advertised (the first pass keeps that in the speaker alone)."""
        return self.speaker.last_ns

    @property
    def last(self) -> Ref:
        """The frame of that advertisement."""
        return Ref(*self.speaker.last)

    @property
    def patience_ns(self) -> int:
        """How long after its latest advertisement the next one is overdue: half an interval and 200 ms."""
        return self.form.interval_ns * 3 // 2 + 200 * MS


@dataclass(frozen=True, slots=True)
class _Departed:
    speaker: Speaker
    last_ns: int
    form: Said
    bowed_out: bool


@dataclass(slots=True)
class History:
    """The history of one virtual host in one address family; fed with each advertisement that receivers
    would believe, in the order of time.
    """

    standing: dict[Speaker, Stand] = field(default_factory=dict)
    holder: Speaker | None = None
    departed: _Departed | None = None
    latest: Handover | None = None
    handovers: list[Handover] = field(default_factory=list)
    duals: list[DualMaster] = field(default_factory=list)
    attempts: list[tuple[Speaker, int, Ref]] = field(default_factory=list)
    more: int = 0
    budget: Budget = field(default_factory=Budget)

    @property
    def sole(self) -> Speaker | None:
        """The MASTER if there is exactly one."""
        return self.holder if len(self.standing) == 1 and self.holder in self.standing else None

    def stands(self, now_ns: int) -> bool:
        """Whether anybody is MASTER at ``now_ns``: the next advertisement of somebody is not overdue."""
        return any(now_ns - stand.last_ns <= stand.patience_ns for stand in self.standing.values())

    def side_by_side(self) -> list[tuple[Stand, Stand]]:
        """The pairs that stand as MASTER now, each of which has spoken after the younger one began."""
        stands = list(self.standing.values())
        pairs = [(one, other) for index, one in enumerate(stands) for other in stands[index + 1 :]]
        return [(older, younger) for older, younger in pairs if older.speaker in younger.answered]

    def heard(self, speaker: Speaker, time_ns: int, ref: Ref, form: Said) -> bool:
        """Takes an advertisement; returns whether the speaker became a standing MASTER by it."""
        self.expire(time_ns)
        stand = self.standing.get(speaker)
        if form.bow_out:
            if stand is not None:
                speaker.last_ns, speaker.last = time_ns, ref
                self._leave(stand, bowed_out=True)
            return False
        if stand is not None:
            speaker.last_ns, speaker.last, stand.form = time_ns, ref, form
            stand.best = min(stand.best, form.rank)
            for other in self.standing.values():
                if other is not stand and stand.since_ns <= other.since_ns:
                    other.answered.setdefault(speaker, (time_ns, ref))
            return False
        incumbent = self.standing.get(self.holder) if self.holder is not None else None
        speaker.last_ns, speaker.last = time_ns, ref
        stand = Stand(speaker, time_ns, ref, form, form.rank)
        self.standing[speaker] = stand
        if incumbent is not None:
            stand.rival = incumbent.form, incumbent.last_ns, incumbent.best
        else:
            self._succeed(stand)
        return True

    def expire(self, now_ns: int) -> None:
        """Lets those MASTERs go whose next advertisement is overdue at ``now_ns``, the longest silent
        first.
        """
        late = [stand for stand in self.standing.values() if now_ns - stand.last_ns > stand.patience_ns]
        for stand in sorted(late, key=lambda one: one.last_ns):
            self._leave(stand, bowed_out=False)

    def finish(self) -> None:
        """Closes what is open at the end of the capture; the standing MASTERs stay."""
        stands = list(self.standing.values())
        for index, older in enumerate(stands):
            for younger in stands[index + 1 :]:
                self._close(older, younger, None)
                if older.speaker not in younger.answered:
                    self.attempts.append((younger.speaker, younger.since_ns, younger.since))
        incumbent = self.standing.get(self.holder) if self.holder is not None else None
        if incumbent is not None:
            for stand in stands:
                # The newcomer spoke last and the old MASTER was about to be overdue: mastership went over.
                if (
                    stand is not incumbent
                    and not stand.answered
                    and stand.last_ns - incumbent.last_ns > incumbent.form.interval_ns // 2
                    and stand.rival is not None
                ):
                    self._hand_over(incumbent, stand)
                    self.attempts.clear()
                    break

    def forget(self, speaker: Speaker) -> None:
        """Lets a speaker go that there is no more room for."""
        stand = self.standing.get(speaker)
        if stand is not None:
            self._leave(stand, bowed_out=False)

    def step_clock(self, now_ns: int) -> None:
        """The capture's clock went backwards to ``now_ns``: what stands is taken to have spoken just now."""
        for stand in self.standing.values():
            stand.since_ns = min(stand.since_ns, now_ns)
            stand.speaker.last_ns = now_ns

    def _leave(self, gone: Stand, *, bowed_out: bool) -> None:
        del self.standing[gone.speaker]
        for other in self.standing.values():
            pair = (gone, other) if gone.since_ns <= other.since_ns else (other, gone)
            self._close(*pair, gone.speaker)
        if gone.speaker is not self.holder:
            return
        if self.standing:
            heir = min(self.standing.values(), key=lambda one: one.since_ns)
            self._hand_over(gone, heir)
        else:
            self.departed = _Departed(gone.speaker, gone.last_ns, gone.form, bowed_out)

    def _succeed(self, stand: Stand) -> None:
        before, self.holder = self.departed, stand.speaker
        if before is None:
            self._add(
                Handover(stand.since, stand.since_ns, None, stand.speaker, None, Cause.START, stand.form.rank)
            )
            return
        gap_ns = stand.since_ns - before.last_ns
        if (
            before.speaker is stand.speaker
            and not before.bowed_out
            and gap_ns < before.form.interval_ns * 27 // 10
        ):
            stand.speaker.missed += max(round(gap_ns / max(before.form.interval_ns, 1)) - 1, 0)
            return
        same = before.speaker is stand.speaker
        cause = Cause.BOW_OUT if before.bowed_out and not same else Cause.RESTART if same else Cause.SILENCE
        self._add(
            Handover(
                stand.since, stand.since_ns, before.speaker, stand.speaker, gap_ns, cause, stand.form.rank
            )
        )

    def _hand_over(self, gone: Stand, heir: Stand) -> None:
        form, last_ns, best = heir.rival or (gone.form, gone.last_ns, gone.best)
        gap_ns = max(heir.since_ns - last_ns, 0)
        self.holder = heir.speaker
        self._add(
            Handover(
                heir.since,
                heir.since_ns,
                gone.speaker,
                heir.speaker,
                gap_ns,
                _cause(best, form, heir, gap_ns),
                heir.form.rank,
            )
        )

    def _close(self, older: Stand, younger: Stand, left: Speaker | None) -> None:
        answer = younger.answered.get(older.speaker)
        if answer is None:
            return  # the older one never spoke again: it yielded
        (end_ns, end), both = (
            answer,
            min((older.last_ns, older.last), (younger.last_ns, younger.last), key=lambda one: one[0]),
        )
        if both[0] > younger.since_ns:
            end_ns, end = both
        if len(self.duals) < MAX_EVENTS and self.budget.spend():
            self.duals.append(
                DualMaster(younger.since, end, younger.since_ns, end_ns, older.speaker, younger.speaker, left)
            )
        else:
            self.more += 1

    def _add(self, handover: Handover) -> None:
        self.latest = handover
        if len(self.handovers) < MAX_EVENTS and self.budget.spend():
            self.handovers.append(handover)
        else:
            self.more += 1

    def flapping(self) -> list[Flapping]:
        """Speakers that became MASTER at least three times, less than a minute apart in the median."""
        times: dict[Speaker, list[tuple[int, Ref]]] = {}
        for handover in self.handovers:
            times.setdefault(handover.new, []).append((handover.time_ns, handover.ref))
        for dual in self.duals:
            times.setdefault(dual.younger, []).append((dual.start_ns, dual.start))
        for speaker, time_ns, ref in self.attempts:
            times.setdefault(speaker, []).append((time_ns, ref))
        alone = len(times) < 2
        found = []
        for speaker, events in times.items():
            seen = sorted(set(events))
            steps = [later[0] - earlier[0] for earlier, later in pairwise(seen)]
            if len(seen) < 3 or median(steps) >= 60_000 * MS:
                continue
            # A lone MASTER that starts again and again does so for a reason of its own, unless a timer's
            # rhythm shows.
            if not alone or max(steps) - min(steps) < median(steps) // 10:
                found.append(
                    Flapping(speaker, len(seen), int(median(steps)), tuple(ref for _, ref in seen[:8]))
                )
        return found


def _cause(best: tuple[int, int], form: Said, heir: Stand, gap_ns: int) -> Cause:
    """Why ``heir`` took over from a MASTER that had advertised ``form`` ``gap_ns`` before and was not
    overdue; ``best`` is the best it had advertised.
    """
    new = heir.form
    if heir.speaker.rivalry:
        return Cause.OTHER  # nobody believes it, so nobody yielded to it
    demoted = form.demote > new.demote or form.rank > best
    if demoted and (form.demote > new.demote or new.rank < form.rank):
        return Cause.DEMOTION
    if new.rank < form.rank:
        quick_ns = _UCARP_REACTION_NS if new.source_mac[:5] == b"\x00\x00\x5e\x00\x00" else REACTION_NS
        return Cause.PREEMPTION if gap_ns <= quick_ns else Cause.BETTER
    return Cause.EQUAL if new.rank == form.rank else Cause.OTHER
