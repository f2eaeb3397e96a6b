"""Mutants of DEMOTE: what a demotion is made of, how it is told, and whether it goes away again."""

from __future__ import annotations

from collections.abc import Callable

from conformance.model.effects import Carrier, Happening
from conformance.model.election import (
    Demotion,
    Heard,
    plain_skew,
    relieves_nobody,
    summed_skew,
    summed_skew_unbounded,
    suppressed_skew,
    yields_to_equal,
)
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import carp_at, carried, common, mutant, rules, sending
from conformance.model.transitions import Effect
from conformance.model.vhost import Port


def _capped_at(most: int) -> Callable[[int, int], int]:
    def skew(advskew: int, demotion: int) -> int:
        """Advskew + demotion, capped elsewhere."""
        return min(max(advskew + demotion, 0), most)

    return skew


def _capped_if_demoted(advskew: int, demotion: int) -> int:
    return summed_skew(advskew, demotion) if demotion else advskew


def _without_the_sign(advskew: int, demotion: int) -> int:
    return summed_skew(advskew, abs(demotion))


def _in_eight_bits(advskew: int, demotion: int) -> int:
    return (advskew + demotion) & 0xFF


def _suppressed_at_239(advskew: int, demotion: int) -> int:
    return max(advskew, 239) if demotion > 0 else advskew


def _lower_count_only(heard: Heard) -> bool:
    """A lower demote count does not outrank a faster advertisement."""
    return heard.own_ns >= heard.heard_ns and heard.heard_demote <= heard.own_demote


def _any_count(heard: Heard) -> bool:
    """A higher demote count does not protect the MASTER."""
    return heard.heard_demote < heard.own_demote or heard.own_ns >= heard.heard_ns


def _relieves_if_preempting(heard: Heard) -> bool:
    return heard.preempt and heard.heard_demote > heard.own_demote


def _byte_unbounded(demotion: int) -> int:
    return demotion & 0x7F


def _interval_as_demoted(it: Happening, right: Carrier) -> None:
    """The first interval is that of the demoted advskew."""
    right(it)
    host, config = it.host, it.vhost.config
    skew = host.dialect.effective_skew(config.advskew, host.demotion_of(it.vhost))
    it.vhost.advertise_ns = (
        it.now_ns + host.dialect.interval_ns(config.advbase, skew) + host.dialect.timer_late_ns
    )


def _silent_when_demoted(port: Port, data: bytearray, vhid: int | None) -> None:
    """An advertisement with more than the configured advskew is the last."""
    if vhid is not None and data[carp_at(data) + 2] > port.vhosts[vhid].config.advskew:
        port.vhosts[vhid].advertise_ns = None


MUTANTS: tuple[Mutant, ...] = (
    mutant("demotion-replaces", "a write to the demotion replaces it",
           "DEMOTE-001", "freebsd-13", common(demotion_adds=False)),
    mutant("demotion-replaces-on-10", "a write to the demotion replaces it",
           "DEMOTE-001", "freebsd-10", common(demotion_adds=False)),
    mutant("demotion-ignored", "the demotion is not advertised",
           "DEMOTE-002 DEMOTE-009 SCENARIO-003 PREEMPT-007", "freebsd-13", rules(effective_skew=plain_skew)),
    mutant("demoted-up-to-254", "the sum of advskew and demotion is capped at 254",
           "DEMOTE-002 DEMOTE-003", "freebsd-15", rules(effective_skew=_capped_at(254))),
    mutant("demoted-up-to-239", "the sum of advskew and demotion is capped at 239",
           "DEMOTE-002", "freebsd-10", rules(effective_skew=_capped_at(239))),
    mutant("undemoted-254-sent", "an advskew above 240 is sent unless the host is demoted",
           "DEMOTE-003", "freebsd-13", rules(effective_skew=_capped_if_demoted)),
    mutant("negative-demotion-unbounded", "a negative sum is cut to eight bits (FreeBSD PR 259528)",
           "DEMOTE-004 ROBUST-011", "freebsd-13", rules(effective_skew=summed_skew_unbounded)),
    mutant("demotion-without-its-sign", "a negative demotion demotes",
           "DEMOTE-004", "freebsd-15", rules(effective_skew=_without_the_sign)),
    mutant("demotion-in-eight-bits", "the sum of advskew and demotion wraps at eight bits",
           "DEMOTE-002", "freebsd-13", rules(effective_skew=_in_eight_bits)),
    mutant("demotion-told-late", "a demotion is told with the next regular advertisement",
           "DEMOTE-005 DEMOTE-002", "freebsd-13", common(tells_demotion=False)),
    mutant("demotion-told-late-by-openbsd", "a demotion is told with the next regular advertisement",
           "DEMOTE-011", "openbsd", common(tells_demotion=False)),
    mutant("send-errors-stay", "the demotion for failed sends is never taken back (FreeBSD PR 260499)",
           "DEMOTE-007", "freebsd-13", rules(recovers_from_send_errors=False)),
    mutant("send-errors-stay-on-openbsd", "the demotion for failed sends is never taken back",
           "DEMOTE-007", "openbsd", rules(recovers_from_send_errors=False)),
    mutant("send-errors-stay-on-legacy", "the demotion for failed sends is never taken back",
           "DEMOTE-007", "freebsd-legacy-6", rules(recovers_from_send_errors=False)),
    mutant("never-returns-from-demotion", "the demotion for a lost link is never taken back (opnsense/core#1100)",
           "DEMOTE-008 SCENARIO-002 SCENARIO-003", "freebsd-13", common(link_recovers=False)),
    mutant("never-returns-from-demotion-on-openbsd", "the demotion for a lost link is never taken back",
           "DEMOTE-016 SCENARIO-002", "openbsd", common(link_recovers=False)),
    mutant("never-returns-from-suppression", "the suppression for a lost link is never taken back",
           "DEMOTE-017 SCENARIO-003", "freebsd-legacy", common(link_recovers=False)),
    mutant("removed-vhid-still-demotes", "a vhid that is removed leaves its demotion behind",
           "DEMOTE-008", "freebsd-15", common(unloads_demotion=False)),
    mutant("demote-byte-of-seven-bits", "the demote count is cut to seven bits",
           "DEMOTE-015", "openbsd", rules(demote_byte=_byte_unbounded)),
    mutant("demote-byte-empty", "OpenBSD does not send its demote count",
           "DEMOTE-011 DEMOTE-016", "openbsd", rules(demote_byte=lambda _: 0)),
    mutant("demotion-in-the-advskew", "OpenBSD adds its demote count to the advskew",
           "DEMOTE-011", "openbsd", rules(effective_skew=summed_skew)),
    mutant("lower-count-needs-speed", "a lower demote count does not outrank a faster MASTER",
           "DEMOTE-012 ELECT-034", "openbsd", rules(yields=_lower_count_only)),
    mutant("higher-count-does-not-protect", "a MASTER yields to a faster one of a higher demote count",
           "DEMOTE-013 ELECT-034", "openbsd", rules(yields=_any_count)),
    mutant("demote-count-not-compared", "demote counts are not compared",
           "DEMOTE-012 DEMOTE-013 ELECT-034", "openbsd", rules(yields=yields_to_equal)),
    mutant("demoted-not-relieved", "a BACKUP does not relieve a demoted MASTER",
           "DEMOTE-014", "openbsd", rules(relieves=relieves_nobody)),
    mutant("demoted-relieved-by-preemption", "a BACKUP relieves a demoted MASTER only with preemption",
           "DEMOTE-014", "openbsd", rules(relieves=_relieves_if_preempting)),
    mutant("suppression-ignored", "a failure elsewhere is not advertised",
           "DEMOTE-017 SCENARIO-003", "freebsd-legacy", rules(effective_skew=plain_skew)),
    mutant("suppressed-at-239", "> for >=: a suppressed host advertises 239",
           "DEMOTE-017", "freebsd-legacy-6", rules(effective_skew=_suppressed_at_239)),
    mutant("suppression-ignored-by-ucarp", "failed sends are not advertised",
           "DEMOTE-017", "ucarp", rules(effective_skew=plain_skew)),
    mutant("demotion-takes-mastership", "a suppressed host is told its demotion as a sum",
           "DEMOTE-009", "freebsd-10",
           rules(effective_skew=lambda advskew, demotion: suppressed_skew(advskew, demotion) and 254 if demotion > 0 else min(advskew, 240))),
    mutant("first-interval-as-demoted", "the first interval of a new MASTER is made of the demoted advskew",
           "TIMER-011", "freebsd-13", carried(Effect.ARM_ADVERTISING, _interval_as_demoted)),
    mutant("lowered-demotion-not-told", "a demotion that goes down is told with the next regular advertisement",
           "DEMOTE-005", "freebsd-15", rules(demotion_by=Demotion.SUPPRESS)),
    mutant("demoted-master-falls-silent", "a demotion alone ends the mastership",
           "DEMOTE-018", "freebsd-13", sending(_silent_when_demoted)),
)  # fmt: skip
