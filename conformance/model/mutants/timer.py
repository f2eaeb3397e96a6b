"""Mutants of TIMER: intervals and the master-down time."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.model.actions import State
from conformance.model.administering import Limits
from conformance.model.checks import Arrival
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    carried,
    dropped,
    last,
    mutant,
    rules,
    step,
)
from conformance.model.timing import (
    MS,
    SECOND,
    MasterDown,
    PollLoop,
    plain_ns,
    skew_once_ns,
    skew_thrice_ns,
)
from conformance.model.transitions import Effect, Input

INIT, BACKUP, MASTER = State.INIT, State.BACKUP, State.MASTER


def _without_skew(advbase: int, _: int) -> int:
    return advbase * SECOND


def _skew_in_hundredths(advbase: int, advskew: int) -> int:
    return advbase * SECOND + advskew * SECOND // 100


def _skew_in_200ths(advbase: int, advskew: int) -> int:
    return advbase * SECOND + advskew * SECOND // 200


def _base_one(_: int, advskew: int) -> int:
    return plain_ns(1, advskew)


def _skew_seven_bits(advbase: int, advskew: int) -> int:
    return plain_ns(advbase, advskew & 0x7F)


class _Jitter:
    """An interval with something added that changes from one to the next."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, advbase: int, advskew: int) -> int:
        self.count += 1
        return plain_ns(advbase, advskew) + self.count * 7 % 5 * 20 * MS


def _down_without_skew(advbase: int, _: int, __: int = 3) -> int:
    return 3 * advbase * SECOND


def _down_of_two(advbase: int, advskew: int, __: int = 3) -> int:
    return plain_ns(2 * advbase, advskew)


def _down_of_base_one(_: int, advskew: int, __: int = 3) -> int:
    return plain_ns(3, advskew)


def _late_by(more_ns: int, down: MasterDown) -> MasterDown:
    def master_down_ns(advbase: int, advskew: int, dead_ratio: int = 3) -> int:
        return down(advbase, advskew, dead_ratio) + more_ns

    return master_down_ns


_PEER = [1, 0]


def _note_peer(arrival: Arrival) -> bool:
    """Remembers the parameters of the peer"""
    _PEER[:] = arrival.header[5], arrival.header[2]
    return True


def _by_the_peer(it: Happening, right: Carrier) -> None:
    right(it)
    it.vhost.down_ns = it.now_ns + skew_once_ns(*_PEER)


class _EveryOther:
    """Only every other advertisement restarts the timer."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, it: Happening, right: Carrier) -> None:
        self.count += 1
        if self.count % 2 == 0:
            right(it)


def _both_families(it: Happening, _: Carrier) -> None:
    it.host.dialect.carriers[Effect.ARM_DOWN](it)


def _prolongs(it: Happening, right: Carrier) -> None:
    """Each advertisement adds to the time that is left."""
    before_ns = it.vhost.down_ns
    right(it)
    if before_ns is not None and it.vhost.down_ns is not None:
        it.vhost.down_ns += max(before_ns - it.now_ns, 0) // 2


def _demoted_down(it: Happening, right: Carrier) -> None:
    """The timer is made of the demoted advskew."""
    right(it)
    host, config = it.host, it.vhost.config
    skew = host.dialect.effective_skew(config.advskew, host.demotion_of(it.vhost))
    more_ns = plain_ns(0, skew) - plain_ns(0, config.advskew)
    if it.vhost.down_ns is not None:
        it.vhost.down_ns += more_ns


@dataclass(frozen=True, slots=True)
class _Restless(PollLoop):
    """A poll loop that wakes every 10 ms."""

    def period_ns(self, advbase: int, advskew: int) -> int:  # noqa: ARG002  # the shape of a PollLoop
        return 10 * MS


MUTANTS: tuple[Mutant, ...] = (
    mutant("interval-without-skew", "advskew is left out of the interval",
           "TIMER-001", "freebsd-13", rules(interval_ns=_without_skew)),
    mutant("interval-without-skew-on-ucarp", "advskew is left out of the interval",
           "TIMER-001", "ucarp", rules(interval_ns=_without_skew)),
    mutant("skew-in-hundredths", "advskew counts hundredths of a second",
           "TIMER-001", "freebsd-legacy", rules(interval_ns=_skew_in_hundredths)),
    mutant("skew-in-200ths", "advskew counts 1/200 s",
           "TIMER-001", "openbsd", rules(interval_ns=_skew_in_200ths)),
    mutant("timed-with-seven-bits", "the highest bit of advskew is left out of the interval",
           "TIMER-001", "freebsd-13", rules(interval_ns=_skew_seven_bits)),
    mutant("interval-with-jitter", "up to 80 ms are added to the interval by chance",
           "TIMER-002", "freebsd-legacy", rules(interval_ns=_Jitter())),
    mutant("interval-with-jitter-on-openbsd", "up to 80 ms are added to the interval by chance",
           "TIMER-002", "openbsd", rules(interval_ns=_Jitter())),
    mutant("down-with-skew-thrice", "advskew counts three times in the master-down time",
           "TIMER-003", "freebsd-13", rules(master_down_ns=skew_thrice_ns)),
    mutant("down-without-skew", "advskew is left out of the master-down time (ucarp before b2fb432)",
           "TIMER-003 TIMER-009", "freebsd-legacy", rules(master_down_ns=_down_without_skew)),
    mutant("down-without-skew-on-ucarp", "advskew is left out of the master-down time (ucarp before b2fb432)",
           "TIMER-009 TIMER-013", "ucarp", rules(master_down_ns=_down_without_skew, poll_loop=PollLoop(10 * MS))),
    mutant("down-of-two-intervals", "two intervals are waited for, not three",
           "TIMER-009 TIMER-003", "freebsd-15", rules(master_down_ns=_down_of_two)),
    mutant("down-with-skew-once", "advskew counts once in OpenBSD's master-down time",
           "TIMER-004", "openbsd", rules(master_down_ns=skew_once_ns)),
    mutant("down-by-the-peer", "the master-down time is made of the peer's parameters",
           "TIMER-006", "freebsd-13", last(_note_peer), carried(Effect.ARM_FAMILY, _by_the_peer)),
    mutant("every-other-rearms", "every other advertisement restarts the timer",
           "TIMER-007", "freebsd-13", carried(Effect.ARM_FAMILY, _EveryOther())),
    mutant("one-timer-for-both-families", "an advertisement of one family restarts the timers of both",
           "TIMER-008", "freebsd-13", carried(Effect.ARM_FAMILY, _both_families)),
    mutant("down-too-early", "the take-over comes 20 ms too early",
           "TIMER-009", "freebsd-13", rules(master_down_ns=_late_by(-20 * MS, skew_once_ns))),
    mutant("down-too-early-on-openbsd", "the take-over comes 20 ms too early",
           "TIMER-009 TIMER-013", "openbsd", rules(master_down_ns=_late_by(-20 * MS, skew_thrice_ns))),
    mutant("down-too-late", "the take-over comes half a second late",
           "TIMER-010", "freebsd-legacy", rules(master_down_ns=_late_by(500 * MS, skew_once_ns))),
    mutant("down-in-the-poll-loop", "a BSD looks at its timers once a second",
           "TIMER-010", "freebsd-10",
           rules(master_down_ns=lambda advbase, advskew, _=3: -(-skew_once_ns(advbase, advskew) // SECOND) * SECOND)),
    mutant("down-after-a-flood", "what is left of the timer is added to it",
           "ROBUST-003", "freebsd-13", carried(Effect.ARM_FAMILY, _prolongs)),
    mutant("start-after-one-interval", "a start takes one interval",
           "TIMER-013 ELECT-001", "openbsd", step(INIT, Input.USABLE, effects=(Effect.ENTER, Effect.ARM_ADVERTISING))),
    mutant("dead-ratio-ignored", "-r does not change the master-down time",
           "TIMER-014", "ucarp", rules(master_down_ns=skew_once_ns)),
    mutant("advertises-after-stepping-down", "a regular advertisement follows the step down",
           "TIMER-015", "freebsd-13", dropped(Effect.STOP_ADVERTISING, MASTER, Input.BETTER)),
    mutant("first-advertisement-after-an-interval", "a new MASTER waits an interval before it advertises",
           "TIMER-016 ELECT-002", "freebsd-13", dropped(Effect.ADVERTISE, BACKUP, Input.MASTER_DOWN)),
    mutant("down-by-the-demoted-skew", "a demotion lengthens the master-down time",
           "TIMER-017", "freebsd-13", carried(Effect.ARM_FAMILY, _demoted_down)),
    mutant("link-looked-at-every-second", "ucarp looks for its link every second",
           "TIMER-019", "ucarp", rules(poll_loop=PollLoop(SECOND, link_sleep_ns=SECOND))),
    mutant("interval-of-advbase-1", "advbase is left out of the interval",
           "TIMER-021", "freebsd-13", rules(interval_ns=_base_one)),
    mutant("down-of-advbase-1", "advbase is left out of the master-down time",
           "TIMER-021", "freebsd-legacy-6", rules(master_down_ns=_down_of_base_one)),
    mutant("down-doubled", "the master-down time is doubled",
           "TIMER-003 TIMER-010 INTEROP-006 SCENARIO-005 SCENARIO-006", "freebsd-13",
           rules(master_down_ns=lambda advbase, advskew, _=3: 2 * skew_once_ns(advbase, advskew))),
    mutant("ucarp-looks-all-the-time", "ucarp looks at its timer every 10 ms",
           "TIMER-005", "ucarp", rules(poll_loop=_Restless(SECOND))),
    mutant("advbase-0-refused", "FreeBSD legacy refuses an advbase of 0",
           "TIMER-012", "freebsd-legacy", rules(advbase_limits=Limits(1, 255))),
)  # fmt: skip
