"""Mutants of PREEMPT: who takes over from a live MASTER."""

from __future__ import annotations

from conformance.model.actions import State
from conformance.model.effects import Carrier, Happening
from conformance.model.election import Heard, relieves_nobody
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import carried, mutant, rules
from conformance.model.timing import SECOND
from conformance.model.transitions import Effect
from conformance.wire.header import interval_ns

_TICK_NS = interval_ns(0, 1)


def _by_default(heard: Heard) -> bool:
    return heard.own_ns < heard.heard_ns


def _or_equal(heard: Heard) -> bool:
    return heard.preempt and heard.own_ns <= heard.heard_ns


def _anybody(heard: Heard) -> bool:
    return heard.preempt


def _by_two(heard: Heard) -> bool:
    return heard.preempt and heard.own_ns + 3 * _TICK_NS // 2 < heard.heard_ns


def _by_base(heard: Heard) -> bool:
    return heard.preempt and heard.own_ns // SECOND < heard.heard_ns // SECOND


def _by_skew(heard: Heard) -> bool:
    return heard.preempt and heard.own_ns % SECOND < heard.heard_ns % SECOND


def _hurried(it: Happening, right: Carrier) -> None:
    """With preemption the first wait is a second."""
    right(it)
    if it.transition.to is State.BACKUP and it.host.preempts(it.vhost) and it.what.name == "USABLE":
        it.vhost.down_ns = it.now_ns + SECOND


MUTANTS: tuple[Mutant, ...] = (
    mutant("preempts-by-default", "preemption is on without being switched on",
           "PREEMPT-001 ELECT-008 SCENARIO-004", "freebsd-13", rules(preempts=_by_default)),
    mutant("preempts-by-default-on-ucarp", "preemption is on without -P",
           "PREEMPT-001", "ucarp", rules(preempts=_by_default)),
    mutant("never-preempts", "preemption has no effect",
           "PREEMPT-002 PREEMPT-006", "freebsd-13", rules(preempts=relieves_nobody)),
    mutant("never-preempts-on-ucarp", "-P has no effect",
           "PREEMPT-002 PREEMPT-009 LOG-006", "ucarp", rules(preempts=relieves_nobody)),
    mutant("preempts-by-two", "a difference of 1/256 s is not enough to preempt",
           "PREEMPT-002", "freebsd-legacy", rules(preempts=_by_two)),
    mutant("preempts-by-advbase", "advskew does not count for preemption",
           "PREEMPT-002", "freebsd-10", rules(preempts=_by_base)),
    mutant("preempts-by-advskew", "advbase does not count for preemption",
           "PREEMPT-002", "openbsd", rules(preempts=_by_skew)),
    mutant("preempts-an-equal", "<= for <: an equal MASTER is preempted",
           "PREEMPT-003", "freebsd-13", rules(preempts=_or_equal)),
    mutant("preempts-an-equal-on-openbsd", "<= for <: an equal MASTER is preempted",
           "PREEMPT-003", "openbsd", rules(preempts=_or_equal)),
    mutant("preempts-anybody", "a faster MASTER is preempted",
           "PREEMPT-004 PREEMPT-003", "freebsd-legacy-6", rules(preempts=_anybody)),
    mutant("preempts-silence", "preemption shortens the start",
           "PREEMPT-005", "freebsd-15", carried(Effect.ARM_DOWN, _hurried)),
    mutant("preemption-not-logged", "ucarp does not log the cause",
           "PREEMPT-009 LOG-006", "ucarp", rules(log_causes={})),
)  # fmt: skip
