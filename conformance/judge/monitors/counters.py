"""Monitors of the 64-bit counter: constant, random, or one more than the last one heard (CARP-AUTH-024 to
028).
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.judge.events import Cause, Handover
from conformance.judge.form import Advert, Ref
from conformance.judge.history import MS
from conformance.judge.lane import Lane
from conformance.judge.ledger import Ledger
from conformance.judge.monitors.monitor import Monitor
from conformance.judge.rules import Tongue
from conformance.judge.speaker import MAX_NOTED, Speaker

MASK = (1 << 64) - 1
FOLLOWS = "CARP-AUTH-024"
"""The counter goes on by one from what was heard."""
_ENOUGH = 3
_PAIR = 2
_AT_ONCE_NS = 10 * MS
"""Who takes over so soon after an advertisement has heard it (kernels need 1 to 5 ms); a chance is one in a hundred."""

MONITORS: tuple[Monitor, ...] = (
    Monitor(
        "counter",
        (FOLLOWS, "CARP-AUTH-025", "CARP-AUTH-026", "CARP-AUTH-028"),
        "how each advertisement's counter relates to the last one believed on its virtual host",
    ),
)


def observe(lane: Lane, advert: Advert, disturbed_ns: int = -1) -> bool:
    """Classifies the counter of an advertisement that its host believes; call it before that is entered into the history. Returns False if it is an old one that came again.

    What happened until ``disturbed_ns``, or was said by somebody who is not believed here, may have changed the counter: across that nothing is decided.
    """
    host, family, speaker, number = lane.host, lane.family, lane.speaker, advert.number
    heard, before = host.number, family.last
    if (heard is not None and number == _next(heard)) or _of_a_pair(lane, number, before):
        _in_step(lane, before)
    elif _goes_on(lane, advert):
        speaker.successors += 1
    elif _again(lane, advert):
        speaker.repeated = number, advert.time_ns
        _note(speaker.repeats, advert.ref)
        return False  # whoever sent it, the host itself may go on as if nothing had been
    else:
        _out_of_step(lane, advert, before, quiet_ns=max(host.doubt_ns, disturbed_ns))
    speaker.number = host.number = number
    family.last = host.last = speaker
    return True


def _note(frames: list[Ref], ref: Ref) -> None:
    if len(frames) < MAX_NOTED:
        frames.append(ref)


def _next(number: int | None) -> int | None:
    return (number + 1) & MASK if number is not None else None


def _of_a_pair(lane: Lane, number: int, before: Speaker | None) -> bool:
    """Whether ``number`` is right where hosts send in both families: such a pair may change places on the way, and its first half may be answered."""
    host, speaker = lane.host, lane.speaker
    if len(host.families) < 2 or before is None:
        return False
    if before is speaker:
        return number == _next(_next(speaker.number)) and number != host.number
    lasts = [family.last.number for family in host.families.values() if family.last is not None]
    near = any((number - (last or 0) + _PAIR) & MASK <= 2 * _PAIR + 1 for last in lasts)
    return near and number not in lasts


def _in_step(lane: Lane, before: Speaker | None) -> None:
    speaker, last = lane.speaker, lane.host.last
    speaker.successors += 1
    if before is not speaker and before is not None:
        speaker.chances += 1
        speaker.followed += 1
    if last is not None and last is not speaker and last.source.version != speaker.source.version:
        speaker.paired += 1


def _goes_on(lane: Lane, advert: Advert) -> bool:
    """Whether a speaker that was silenced by its own old advertisement is back and counts on from that, or was itself set back in time: a machine's snapshot."""
    if lane.speaker.repeated is None:
        return False
    number, time_ns = lane.speaker.repeated
    gap_ns = advert.time_ns - time_ns
    due = lane.low_ns <= gap_ns <= lane.high_ns or gap_ns > 5 * lane.form.interval_ns // 2
    return due and advert.number in (number, _next(number))


def _again(lane: Lane, advert: Advert) -> bool:
    """Whether a speaker says again, outside of its rhythm, what it had said before its latest advertisement."""
    speaker = lane.speaker
    if speaker.constants or speaker.number is None or advert.number == speaker.number:
        return False
    if lane.family.last is not speaker or _rhythmic(lane, advert):
        return False
    return any(advert.body[8:] in data for data in speaker.recent)


def _rhythmic(lane: Lane, advert: Advert) -> bool:
    """Whether an advertisement comes when its speaker's next one is due."""
    return lane.low_ns <= advert.time_ns - lane.speaker.last_ns <= lane.high_ns


def _out_of_step(lane: Lane, advert: Advert, before: Speaker | None, quiet_ns: int) -> None:
    host, speaker, number = lane.host, lane.speaker, advert.number
    same, last, shared = before is speaker, host.last, len(host.families) > 1 and number == host.number
    own = speaker.number is not None and number == _next(speaker.number)
    if number == speaker.number:
        speaker.constants += 1
    elif same and shared and last is not speaker:
        _note(speaker.shared, advert.ref)
    elif own and not same:
        speaker.deaf += 1
    else:
        speaker.randoms += 1
    if same and speaker.successors:
        if not (own or shared) and _decided(lane, advert) and speaker.last_ns > quiet_ns:
            _note(speaker.jumps, advert.ref)
        elif speaker.broken is None and number != speaker.number:
            speaker.broken = advert.ref
    if not same and before is not None:
        speaker.chances += 1
        if before.last_ns > quiet_ns and not shared:
            _note(speaker.unfollowed, advert.ref)


def _decided(lane: Lane, advert: Advert) -> bool:
    """Whether nothing but its own rule can have made a speaker's counter what it is: it had counted by one, is the only MASTER, kept its form and its interval."""
    speaker, last, form = lane.speaker, lane.host.last, lane.form
    gap_ns = advert.time_ns - speaker.last_ns
    twins = last is speaker or speaker.paired > 0 or (last is not None and last.paired > 0)
    alone = lane.family.history.sole is speaker and twins
    return alone and speaker.last_form == form and lane.low_ns <= gap_ns <= form.interval_ns * 3 // 2


def finish(ledger: Ledger, speaker: Speaker, handovers: Iterable[Handover], tongue: Tongue) -> None:
    """Draws the conclusions of the whole capture for one speaker that talks ``tongue``."""
    who, last = speaker.who, speaker.last
    if speaker.followed:
        ledger.passed(FOLLOWS, who, last)
    elif speaker.chances >= _ENOUGH and not speaker.constants:
        # The suite's own crafted peers count as they like; a real host that does so is deaf.
        text = "its counter never follows the other speaker's: it does not hear it, or does not believe it"
        ledger.unclear(FOLLOWS, who, last, text)
    _jumps(ledger, speaker)
    _take_overs(ledger, speaker, handovers, tongue)
    _rule_of_openbsd(ledger, speaker)
    lone = not speaker.successors and not speaker.chances
    if speaker.randoms > _ENOUGH and lone and not speaker.constants:
        ledger.passed("CARP-AUTH-025", who, last)
    if speaker.constant_counter:
        ledger.failed("CARP-AUTH-025", who, last, "the counter never changes")
    if speaker.paired:
        ledger.passed("CARP-AUTH-028", who, last)
    if len(speaker.shared) >= _ENOUGH and not speaker.constants:
        text = "the advertisements of both families carry the same counter"
        for ref in speaker.shared:
            ledger.failed("CARP-AUTH-028", who, ref, text)


def _jumps(ledger: Ledger, speaker: Speaker) -> None:
    for ref in speaker.jumps:
        text = (
            "the counter did not go on by one, although the host kept its interval and nobody else was heard"
        )
        ledger.failed(FOLLOWS, speaker.who, ref, text)
    if speaker.broken is not None:
        text = "the counter jumped although it had followed before: the host was restarted, or the rule is broken"
        ledger.unclear(FOLLOWS, speaker.who, speaker.broken, text)


def _take_overs(ledger: Ledger, speaker: Speaker, handovers: Iterable[Handover], tongue: Tongue) -> None:
    unfollowed = set(speaker.unfollowed)
    for handover in handovers if unfollowed else ():
        old = handover.old
        if handover.new is not speaker or old is None or Ref(*handover.ref) not in unfollowed:
            continue
        if _heard(handover, tongue):
            text = f"when it took over shows that it had heard {old.source}, but its first counter is not the next one"
            ledger.failed(FOLLOWS, speaker.who, handover.ref, text)


def _heard(handover: Handover, tongue: Tongue) -> bool:
    """Whether the time of a take-over proves that the new MASTER heard the last advertisement of the old one."""
    gap_ns = handover.gap_ns or 0
    if handover.cause in (
        Cause.BOW_OUT,
        Cause.DEMOTION,
    ):  # not preemption: two that start together speak at once and have heard nobody
        return gap_ns <= _AT_ONCE_NS
    windows = [one.take_over_window_ns(*handover.rank) for one in tongue.dialects]
    in_time = any(low_ns <= gap_ns <= high_ns for low_ns, high_ns in windows)
    return handover.cause is Cause.SILENCE and handover.rank == handover.new.best and in_time


def _rule_of_openbsd(ledger: Ledger, speaker: Speaker) -> None:
    who, last = speaker.who, speaker.last
    if speaker.constants >= _ENOUGH:
        if speaker.constant_counter:
            ledger.passed("CARP-AUTH-026", who, last)
        else:
            ledger.failed("CARP-AUTH-026", who, last, "the counter changed between advertisements")
    elif speaker.randoms + speaker.successors > _ENOUGH:
        ledger.failed("CARP-AUTH-026", who, last, "the counter changes with every advertisement")
