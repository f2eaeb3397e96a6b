"""Mutants of LOG: what is said, and from which level on."""

from __future__ import annotations

from dataclasses import replace

from conformance.model import checks
from conformance.model.actions import Script
from conformance.model.checks import Arrival
from conformance.model.dialects import Dialect
from conformance.model.effects import Carrier, Happening
from conformance.model.loglines import INFO, Line
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    Fault,
    carried,
    instead,
    mutant,
    rules,
    threshold,
    thresholds_of_states,
    wording,
)
from conformance.model.transitions import Effect, Reason


def _says_unknown_vhid(arrival: Arrival) -> bool:
    """An unknown vhid is logged"""
    if not arrival.port.vhosts.get(arrival.vhid):
        arrival.host.say(Line(1, INFO, "carp: unknown vhid"))
    return checks.known_vhid_of_family(arrival)


def _says_unknown_vhid_on_openbsd(arrival: Arrival) -> bool:
    if not arrival.port.vhosts.get(arrival.vhid):
        arrival.host.say(Line(7, INFO, "carp: unknown vhid"))
    return checks.known_vhid(arrival)


def reworded(row: str, old: str, new: str) -> Fault:
    """Another text of a line."""

    def fault(dialect: Dialect) -> Dialect:
        line = getattr(dialect, row)
        return replace(dialect, **{row: replace(line, text=line.text.replace(old, new))})

    return fault


def _unsaid(*reasons: Reason) -> Fault:
    return lambda dialect: replace(
        dialect,
        log_states={why: line for why, line in dialect.log_states.items() if why not in reasons},
    )


def _swapped_reasons(dialect: Dialect) -> Dialect:
    """The reasons of the two ways to give a MASTER up are mixed up."""
    lines = dict(dialect.log_states)
    lines[Reason.MASTER_DOWN], lines[Reason.WILL_TIME_OUT] = (
        lines[Reason.WILL_TIME_OUT],
        lines[Reason.MASTER_DOWN],
    )
    return replace(dialect, log_states=lines)


def _nothing(_: Happening, __: Carrier) -> None:
    """It is left out."""


def _up_at_both(it: Happening, _: Carrier) -> None:
    it.host.act(Script(it.vhost.port.name, it.vhost.vhid, "up"))


MUTANTS: tuple[Mutant, ...] = (
    mutant("log-level-off-by-one", "FreeBSD logs transitions from level 2",
           "LOG-001", "freebsd-13", thresholds_of_states(2)),
    mutant("log-states-at-0", "FreeBSD logs transitions at level 0",
           "LOG-007", "freebsd-15", thresholds_of_states(0)),
    mutant("vhid-not-named", "FreeBSD's line does not name the vhid",
           "LOG-001", "freebsd-15", wording("{vhid}@", "")),
    mutant("reasons-mixed-up", "the reasons of timer and threefold limit are mixed up",
           "LOG-002", "freebsd-13", _swapped_reasons),
    mutant("reasons-mixed-up-on-10", "the reasons of timer and threefold limit are mixed up",
           "LOG-003", "freebsd-10", _swapped_reasons),
    mutant("vhid-word-left-out", "FreeBSD 10 words its line as FreeBSD 13",
           "LOG-003", "freebsd-10", wording("VHID ", "")),
    mutant("device-not-named", "the legacy line does not name the carp interface",
           "LOG-004", "freebsd-legacy", wording("{device}: ", "")),
    mutant("slower-master-unsaid", "a preemption is not logged",
           "LOG-004", "freebsd-legacy", _unsaid(Reason.SLOWER)),
    mutant("openbsd-states-from-4", "OpenBSD logs all transitions from level 4",
           "LOG-005", "openbsd", thresholds_of_states(4)),
    mutant("openbsd-states-from-2", "OpenBSD logs transitions of INIT from level 2",
           "LOG-005", "openbsd", thresholds_of_states(2)),
    mutant("ucarp-states-unsaid", "ucarp does not log its new state",
           "LOG-006", "ucarp", rules(log_states={})),
    mutant("rejected-logged-at-1", "FreeBSD logs refused packets from level 1",
           "LOG-008", "freebsd-13", threshold("log_ttl", 1)),
    mutant("rejected-logged-at-3", "FreeBSD logs refused packets from level 3",
           "LOG-008", "freebsd-15", threshold("log_digest", 3)),
    mutant("rejected-checksum-unsaid", "a wrong checksum is not logged",
           "LOG-008", "freebsd-legacy", rules(log_checksum=None)),
    mutant("short-packet-logged-as-carp", "FreeBSD 15 compares a packet of 7 bytes with the length of CARP",
           "LOG-008", "freebsd-15", reworded("log_least_length", "sizeof(struct vrrpv3_header)", "56")),
    mutant("unknown-version-logged-as-invalid", "FreeBSD 15 words an unknown version as a wrong one",
           "LOG-008", "freebsd-15", reworded("log_unknown_version", "unsupported", "invalid")),
    mutant("hop-limit-unsaid", "a wrong hop limit is not logged",
           "LOG-008", "freebsd-10", rules(log_ttl6=None)),
    mutant("openbsd-short-ipv6-from-5", "OpenBSD logs a short IPv6 packet from level 5",
           "LOG-009", "openbsd", threshold("log_length6", 5)),
    mutant("openbsd-ttl-from-6", "OpenBSD logs a wrong TTL from level 6",
           "LOG-009", "openbsd", threshold("log_ttl", 6)),
    mutant("openbsd-digest-from-5", "OpenBSD logs a wrong digest from level 5",
           "LOG-009", "openbsd", threshold("log_digest", 5)),
    mutant("openbsd-replay-from-5", "OpenBSD logs a replay from level 5",
           "LOG-009", "openbsd", threshold("log_replay", 5)),
    mutant("unknown-vhid-logged", "an unknown vhid is logged",
           "LOG-010", "freebsd-13", instead(checks.known_vhid_of_family, _says_unknown_vhid)),
    mutant("unknown-vhid-logged-by-openbsd", "an unknown vhid is logged",
           "LOG-010", "openbsd", instead(checks.known_vhid, _says_unknown_vhid_on_openbsd)),
    mutant("demotion-unsaid", "a demotion is not logged", "LOG-011", "freebsd-13", rules(log_demotion=None)),
    mutant("demotion-logged-at-2", "a demotion is logged from level 2",
           "LOG-011", "freebsd-10", threshold("log_demotion", 2)),
    mutant("link-state-unsaid", "the link state of the carp interface does not follow",
           "LOG-013", "freebsd-legacy", rules(log_link=None)),
    mutant("no-scripts", "ucarp runs no up script", "LOG-014", "ucarp", carried(Effect.SCRIPT_UP, _nothing)),
    mutant("wrong-script", "ucarp runs the up script when it steps down",
           "LOG-014", "ucarp", carried(Effect.SCRIPT_DOWN, _up_at_both)),
    mutant("ucarp-checksum-unsaid", "ucarp does not warn of a wrong checksum",
           "LOG-015", "ucarp", rules(log_checksum=None)),
    mutant("ucarp-ttl-not-told", "ucarp's warning does not tell the TTL",
           "LOG-015", "ucarp", reworded("log_ttl", "{ttl}", "?")),
    mutant("eras-mixed-up", "FreeBSD 6 logs transitions from level 1",
           "LOG-016", "freebsd-legacy-6", thresholds_of_states(1)),
    mutant("eras-mixed-up-for-packets", "FreeBSD 6 logs refused packets from level 2",
           "LOG-016", "freebsd-legacy-6", threshold("log_digest", 2)),
)  # fmt: skip
