"""Mutants of ELECT: who steps down, who takes over, and what a change of state brings along."""

from __future__ import annotations

from conformance.model import election
from conformance.model.actions import Script, State
from conformance.model.effects import Carrier, Happening
from conformance.model.election import Heard
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    added,
    carp,
    carried,
    common,
    dropped,
    mutant,
    put,
    rules,
    step,
)
from conformance.model.timing import MS, SECOND, PollLoop
from conformance.model.transitions import Effect, Input
from conformance.wire.header import interval_ns

INIT, BACKUP, MASTER = State.INIT, State.BACKUP, State.MASTER
_TICK_NS = interval_ns(0, 1)
_FAREWELL_NS = interval_ns(255, 255)


def _yields_to_faster(heard: Heard) -> bool:
    return heard.own_ns > heard.heard_ns


def _yields_by_two(heard: Heard) -> bool:
    return heard.own_ns > heard.heard_ns + 3 * _TICK_NS // 2


def _yields_to_almost(heard: Heard) -> bool:
    return heard.own_ns + 3 * _TICK_NS // 2 >= heard.heard_ns


def _always(_: Heard) -> bool:
    return True


def _skew_first(heard: Heard) -> bool:
    return _rank(heard.heard_ns) <= _rank(heard.own_ns)


def _rank(at_ns: int) -> tuple[int, int]:
    """advskew, then advbase, of an interval."""
    return at_ns % SECOND, at_ns // SECOND


def _skew_alone(heard: Heard) -> bool:
    return heard.own_ns % SECOND >= heard.heard_ns % SECOND


def _base_alone(heard: Heard) -> bool:
    return heard.own_ns // SECOND >= heard.heard_ns // SECOND


def _reversed(heard: Heard) -> bool:
    return heard.own_ns <= heard.heard_ns


def _tie_by_number(heard: Heard) -> bool:
    if heard.own_ns != heard.heard_ns:
        return heard.own_ns > heard.heard_ns
    source, own = heard.addresses()
    return source.packed < own.packed


def _tie_to_the_higher(heard: Heard) -> bool:
    if heard.own_ns != heard.heard_ns:
        return heard.own_ns > heard.heard_ns
    source, own = heard.addresses()
    return int.from_bytes(source.packed, "little") > int.from_bytes(own.packed, "little")


def _limit_included(heard: Heard) -> bool:
    return heard.limit_ns <= heard.heard_ns


def _limit_without_skew(heard: Heard) -> bool:
    return heard.limit_ns // SECOND * SECOND < heard.heard_ns


def _limit_of_one(heard: Heard) -> bool:
    return heard.own_ns < heard.heard_ns


def _limit_of_four(heard: Heard) -> bool:
    return heard.limit_ns + heard.own_advbase * SECOND < heard.heard_ns


def _limit_of_three_without_ratio(heard: Heard) -> bool:
    return 3 * heard.own_advbase * SECOND + heard.own_ns % SECOND < heard.heard_ns


def _farewell_ignored(heard: Heard) -> bool:
    return election.will_time_out(heard) and heard.heard_ns < _FAREWELL_NS


def _without_neutral(it: Happening, _: Carrier) -> None:
    """-n changes nothing."""
    it.host.act(Script(it.vhost.port.name, it.vhost.vhid, "down"))


MUTANTS: tuple[Mutant, ...] = (
    mutant("starts-as-master", "a fresh node is MASTER at once",
           "ELECT-001 TIMER-013 WIRE-024", "freebsd-13",
           step(INIT, Input.USABLE, to=MASTER, effects=(Effect.ENTER, Effect.ADVERTISE, Effect.ANNOUNCE))),
    mutant("never-takes-over", "the master-down timer has no effect",
           "ELECT-002", "freebsd-legacy", step(BACKUP, Input.MASTER_DOWN, to=BACKUP, effects=(), reason=None)),
    mutant("takes-over-once", "a node that stepped down never comes back",
           "ELECT-029", "freebsd-15", dropped(Effect.ARM_DOWN, MASTER, Input.BETTER)),
    mutant("back-after-one-interval", "a node that stepped down is back after one interval",
           "ELECT-029 ELECT-003", "freebsd-13", dropped(Effect.STOP_ADVERTISING, MASTER, Input.BETTER)),
    mutant("never-yields", "a MASTER never steps down",
           "ELECT-003 ELECT-033 PREEMPT-008", "freebsd-13", rules(yields=election.relieves_nobody)),
    mutant("yields-by-two", "a difference of 1/256 s is not enough to step down",
           "ELECT-003", "freebsd-legacy", rules(yields=_yields_by_two)),
    mutant("tie-kept", "> for >=: a MASTER stays under an equal advertisement",
           "ELECT-005 ELECT-033 SCENARIO-019", "freebsd-13", rules(yields=_yields_to_faster)),
    mutant("tie-kept-by-openbsd", "> for >=: a MASTER stays under an equal advertisement",
           "ELECT-005", "openbsd", rules(yields=lambda heard: heard.own_ns > heard.heard_ns)),
    mutant("yields-to-everybody", "a MASTER steps down for every valid advertisement",
           "ELECT-004", "freebsd-10", rules(yields=_always)),
    mutant("yields-to-almost-equal", "a MASTER steps down for one that is slower by 1/256 s",
           "ELECT-004", "freebsd-15", rules(yields=_yields_to_almost)),
    mutant("slower-wins", "the comparison is reversed",
           "ELECT-003 ELECT-004 ELECT-028 ELECT-007", "freebsd-legacy-6", rules(yields=_reversed)),
    mutant("advskew-before-advbase", "advskew is compared before advbase",
           "ELECT-007", "freebsd-13", rules(yields=_skew_first)),
    mutant("advskew-alone", "advbase is not compared", "ELECT-007", "openbsd", rules(yields=_skew_alone)),
    mutant("advbase-alone", "advskew is not compared",
           "ELECT-004 ELECT-028", "freebsd-legacy", rules(yields=_base_alone)),
    mutant("tie-by-number", "ucarp compares addresses from the first octet on",
           "ELECT-006", "ucarp", rules(yields=_tie_by_number)),
    mutant("tie-to-the-higher", "ucarp lets the higher address win",
           "ELECT-006", "ucarp", rules(yields=_tie_to_the_higher)),
    mutant("not-rearmed-by-slower", "a slower advertisement leaves the timer alone",
           "ELECT-008 TIMER-007 INTEROP-008", "freebsd-13", step(BACKUP, Input.WORSE, effects=())),
    mutant("down-timer-not-rearmed", "a better advertisement leaves the timer alone",
           "ELECT-009 TIMER-007 SCENARIO-009 ELECT-028", "freebsd-13", step(BACKUP, Input.BETTER, effects=())),
    mutant("down-timer-not-rearmed-by-ucarp", "a better advertisement leaves the timer alone",
           "ELECT-009", "ucarp", step(BACKUP, Input.BETTER, effects=())),
    mutant("waits-for-who-will-time-out", "a too slow advertisement restarts the timer",
           "ELECT-010 ELECT-014", "freebsd-13", rules(times_out=election.relieves_nobody)),
    mutant("limit-of-four-intervals", "the limit is four intervals",
           "ELECT-010", "openbsd", rules(times_out=_limit_of_four)),
    mutant("limit-of-one-interval", "the limit is one interval",
           "ELECT-011 ELECT-008", "freebsd-10", rules(times_out=_limit_of_one)),
    mutant("limit-included", ">= for >: exactly three intervals are too slow",
           "ELECT-011", "freebsd-13", rules(times_out=_limit_included)),
    mutant("limit-without-skew", "the limit leaves the own advskew out",
           "ELECT-011", "freebsd-legacy", rules(times_out=_limit_without_skew)),
    mutant("limit-without-dead-ratio", "the limit is three intervals whatever -r says",
           "ELECT-012", "ucarp", rules(times_out=_limit_of_three_without_ratio)),
    mutant("limit-with-advbase-0", "OpenBSD keeps the limit with advbase 0",
           "ELECT-013", "openbsd", rules(times_out=election.will_time_out)),
    mutant("farewell-ignored", "255/255 restarts the timer",
           "ELECT-014", "freebsd-15",
           rules(times_out=_farewell_ignored, preempts=lambda heard: election.preempts_slower(heard) and heard.heard_ns < _FAREWELL_NS)),
    mutant("farewell-not-said", "a carp interface goes down without a word",
           "ELECT-015", "freebsd-legacy", dropped(Effect.FAREWELL, MASTER, Input.CLOSED)),
    mutant("farewell-with-own-rank", "the last advertisement carries the configured advskew",
           "ELECT-015", "openbsd", carp(put(2, b"\x64"))),
    mutant("link-loss-unnoticed", "a lost link changes nothing",
           "ELECT-018 ELECT-019", "freebsd-13", common(link_stops=False, restarts_on_address=False)),
    mutant("link-loss-unnoticed-by-legacy", "a lost link changes nothing",
           "ELECT-018", "freebsd-legacy-6", common(link_stops=False, restarts_on_address=False)),
    mutant("lost-link-means-backup", "a lost link puts a MASTER into BACKUP",
           "ELECT-019", "freebsd-15", step(MASTER, Input.UNUSABLE, to=BACKUP), step(BACKUP, Input.RESET, to=INIT)),
    mutant("unlucky-usr2", "SIGUSR2 does not make ucarp pause",
           "ELECT-025", "ucarp", rules(poll_loop=PollLoop(SECOND, order_sleep_ns=MS))),
    mutant("usr2-without-script", "SIGUSR2 runs no script",
           "ELECT-025", "ucarp", dropped(Effect.SCRIPT_DOWN, MASTER, Input.ORDERED_BACKUP)),
    mutant("neutral-ignored", "-n does not leave the down script out at start",
           "ELECT-027", "ucarp", carried(Effect.SCRIPT_DOWN, _without_neutral)),
    mutant("steps-down-silently", "ucarp steps down without its extra advertisement",
           "ELECT-030", "ucarp", dropped(Effect.ADVERTISE, MASTER, Input.BETTER)),
    mutant("announces-when-stepping-down", "a node that steps down announces the address",
           "ELECT-035", "freebsd-13", added(Effect.ANNOUNCE, MASTER, Input.BETTER)),
    mutant("announces-when-stepping-down-on-openbsd", "a node that steps down announces the address",
           "ELECT-035", "openbsd", added(Effect.ANNOUNCE, MASTER, Input.BETTER)),
)  # fmt: skip
