"""Mutants of SYSCTL, STATS, LOG and CONF: what a host counts, says, and lets itself be told."""

from __future__ import annotations

from dataclasses import replace

from conformance.model import checks
from conformance.model.actions import Script, State
from conformance.model.administering import Limits
from conformance.model.checks import Arrival
from conformance.model.dialects import Dialect
from conformance.model.effects import Carrier, Happening
from conformance.model.election import summed_skew
from conformance.model.loglines import INFO, Line
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    Fault,
    carp_at,
    carried,
    common,
    dropped,
    instead,
    miscounted,
    mutant,
    resum,
    rules,
    sending,
    step,
    threshold,
    thresholds_of_states,
    wording,
)
from conformance.model.receiving import hmac_sha1
from conformance.model.transitions import Effect, Input, Reason
from conformance.model.vhost import Port
from conformance.wire.header import LENGTH

INIT, BACKUP, MASTER = State.INIT, State.BACKUP, State.MASTER


def switch(**values: int) -> Fault:
    """Other defaults of net.inet.carp."""
    return lambda dialect: replace(dialect, sysctls={**dialect.sysctls, **{f"net.inet.carp.{name}": value for name, value in values.items()}})


def _twice(counter: str) -> tuple[str, ...]:
    return (counter, counter) if counter == "opackets" else (counter,)


def _both(counter: str) -> tuple[str, ...]:
    """A refused packet moves badauth besides."""
    return (counter, "badauth") if counter.startswith("bad") and counter != "badauth" else (counter,)


def _counted_before_the_check(arrival: Arrival) -> bool:
    """badttl is counted, then the TTL is looked at"""
    arrival.host.count("badttl")
    return arrival.packet.ttl == 255


class _Frozen:
    """The advskew of the first advertisement stays in all others."""

    def __init__(self) -> None:
        self.first: dict[int, int] = {}

    def __call__(self, port: Port, data: bytearray, vhid: int | None) -> None:
        if vhid is not None:
            at = carp_at(data)
            data[at + 2] = self.first.setdefault(id(port), data[at + 2])
            resum(data, at, at + LENGTH, 6)


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
    return lambda dialect: replace(dialect, log_states={why: line for why, line in dialect.log_states.items() if why not in reasons})


def _swapped_reasons(dialect: Dialect) -> Dialect:
    """The reasons of the two ways to give a MASTER up are mixed up."""
    lines = dict(dialect.log_states)
    lines[Reason.MASTER_DOWN], lines[Reason.WILL_TIME_OUT] = lines[Reason.WILL_TIME_OUT], lines[Reason.MASTER_DOWN]
    return replace(dialect, log_states=lines)


def _nothing(_: Happening, __: Carrier) -> None:
    """It is left out."""


def _up_at_both(it: Happening, _: Carrier) -> None:
    it.host.act(Script(it.vhost.port.name, it.vhost.vhid, "up"))


class _OldKey:
    """The key of the first advertisement signs all others."""

    def __init__(self) -> None:
        self.first: dict[int, bytes] = {}

    def __call__(self, port: Port, data: bytearray, vhid: int | None) -> None:
        if vhid is not None:
            at, vhost = carp_at(data), port.vhosts[vhid]
            key = self.first.setdefault(id(port), vhost.key)
            data[at + 16 : at + LENGTH] = hmac_sha1(key, vhost.prefixes[0], bytes(data[at + 8 : at + 16]))
            resum(data, at, at + LENGTH, 6)


def _deaf_after_allow(arrival: Arrival) -> bool:
    """net.inet.carp.allow is 1 and has always been"""
    host = arrival.host
    if not checks.allowed(arrival):
        host.groups["deaf"] = 1
    return "deaf" not in host.groups


MUTANTS: tuple[Mutant, ...] = (
    # SYSCTL
    mutant("allow-off-by-default", "net.inet.carp.allow is 0 by default", "SYSCTL-001", "freebsd-legacy", switch(allow=0)),
    mutant("allow-off-by-default-on-13", "net.inet.carp.allow is 0 by default", "SYSCTL-001", "freebsd-13", switch(allow=0)),
    mutant("preempt-on-by-default", "net.inet.carp.preempt is 1 by default", "SYSCTL-002 PREEMPT-001", "openbsd", switch(preempt=1)),
    mutant("log-level-0-by-default", "net.inet.carp.log is 0 by default", "SYSCTL-003", "freebsd-13", switch(log=0)),
    mutant("log-level-1-on-openbsd", "net.inet.carp.log is 1 by default", "SYSCTL-003", "openbsd", switch(log=1)),
    mutant("dscp-of-0", "net.inet.carp.dscp is 0 by default", "SYSCTL-004", "freebsd-15", switch(dscp=0)),
    mutant("factors-of-0", "the demotion factors are 0 by default", "SYSCTL-005 DEMOTE-008 DEMOTE-006", "freebsd-13", switch(senderr_demotion_factor=0, ifdown_demotion_factor=0)),
    mutant("arpbalance-by-default", "net.inet.carp.arpbalance is 1 by default", "SYSCTL-006", "freebsd-legacy", switch(arpbalance=1)),
    mutant("allow0-still-listens", "allow=0 has no effect on what is heard", "SYSCTL-008", "freebsd-legacy", instead(checks.allowed, lambda _: True)),
    mutant("allow0-still-listens-on-openbsd", "allow=0 has no effect on what is heard", "SYSCTL-008", "openbsd", instead(checks.allowed, lambda _: True)),
    mutant("allow0-stops", "allow=0 puts every vhid of FreeBSD 10 into INIT", "SYSCTL-008", "freebsd-10", rules(allow_stops=True)),
    mutant("allow0-goes-on", "allow=0 leaves the vhids of FreeBSD 13 running (truenas/os#93)", "SYSCTL-009", "freebsd-13", rules(allow_stops=False)),
    mutant("allow0-goes-on-15", "allow=0 leaves the vhids of FreeBSD 15 running", "SYSCTL-009", "freebsd-15", rules(allow_stops=False)),
    # STATS
    mutant("ipackets-not-counted", "received advertisements are not counted", "STATS-002", "freebsd-13", miscounted(ipackets=())),
    mutant("ipackets6-as-ipackets", "IPv6 advertisements count as IPv4 ones", "STATS-003", "freebsd-13", miscounted(ipackets6=("ipackets",))),
    mutant("badttl-as-badver", "a wrong TTL counts as a wrong version", "STATS-004", "freebsd-13", miscounted(badttl=("badver",))),
    mutant("badver-as-badlen", "a wrong version counts as a wrong length", "STATS-005", "openbsd", miscounted(badver=("badlen",))),
    mutant("badsum-uncounted", "a wrong checksum is not counted", "STATS-006", "freebsd-legacy", miscounted(badsum=())),
    mutant("badlen-as-badsum", "a short packet counts as a wrong checksum", "STATS-007", "freebsd-10", miscounted(badlen=("badsum",))),
    mutant("badauth-as-badvhid", "a wrong digest counts as an unknown vhid", "STATS-008 STATS-016", "freebsd-15", miscounted(badauth=("badvhid",))),
    mutant("badvhid-uncounted", "an unknown vhid is not counted", "STATS-009", "freebsd-legacy-6", miscounted(badvhid=())),
    mutant("badif-uncounted", "an advertisement on an interface without carp is not counted", "STATS-010", "freebsd-legacy", miscounted(badif=())),
    mutant("opackets-twice", "every sent advertisement counts twice", "STATS-011", "freebsd-13", common(counts=_twice)),
    mutant("opackets-not-counted", "sent advertisements are not counted", "STATS-011", "openbsd", miscounted(opackets=())),
    mutant("two-counters", "a refused packet moves badauth besides", "STATS-012 STATS-004", "freebsd-13", common(counts=_both)),
    mutant("counted-before-the-check", "badttl is counted before the TTL is looked at", "STATS-013 STATS-012", "freebsd-legacy", instead(checks.ttl, _counted_before_the_check)),
    mutant("take-over-uncounted", "OpenBSD does not count its transitions", "STATS-015", "openbsd", miscounted(preempt=())),
    # LOG
    mutant("log-level-off-by-one", "FreeBSD logs transitions from level 2", "LOG-001", "freebsd-13", thresholds_of_states(2)),
    mutant("log-states-at-0", "FreeBSD logs transitions at level 0", "LOG-007", "freebsd-15", thresholds_of_states(0)),
    mutant("vhid-not-named", "FreeBSD's line does not name the vhid", "LOG-001", "freebsd-15", wording("{vhid}@", "")),
    mutant("reasons-mixed-up", "the reasons of timer and threefold limit are mixed up", "LOG-002", "freebsd-13", _swapped_reasons),
    mutant("reasons-mixed-up-on-10", "the reasons of timer and threefold limit are mixed up", "LOG-003", "freebsd-10", _swapped_reasons),
    mutant("vhid-word-left-out", "FreeBSD 10 words its line as FreeBSD 13", "LOG-003", "freebsd-10", wording("VHID ", "")),
    mutant("device-not-named", "the legacy line does not name the carp interface", "LOG-004", "freebsd-legacy", wording("{device}: ", "")),
    mutant("slower-master-unsaid", "a preemption is not logged", "LOG-004", "freebsd-legacy", _unsaid(Reason.SLOWER)),
    mutant("openbsd-states-from-4", "OpenBSD logs all transitions from level 4", "LOG-005", "openbsd", thresholds_of_states(4)),
    mutant("openbsd-states-from-2", "OpenBSD logs transitions of INIT from level 2", "LOG-005", "openbsd", thresholds_of_states(2)),
    mutant("ucarp-states-unsaid", "ucarp does not log its new state", "LOG-006", "ucarp", rules(log_states={})),
    mutant("rejected-logged-at-1", "FreeBSD logs refused packets from level 1", "LOG-008", "freebsd-13", threshold("log_ttl", 1)),
    mutant("rejected-logged-at-3", "FreeBSD logs refused packets from level 3", "LOG-008", "freebsd-15", threshold("log_digest", 3)),
    mutant("rejected-checksum-unsaid", "a wrong checksum is not logged", "LOG-008", "freebsd-legacy", rules(log_checksum=None)),
    mutant("openbsd-ttl-from-6", "OpenBSD logs a wrong TTL from level 6", "LOG-009", "openbsd", threshold("log_ttl", 6)),
    mutant("openbsd-digest-from-5", "OpenBSD logs a wrong digest from level 5", "LOG-009", "openbsd", threshold("log_digest", 5)),
    mutant("openbsd-replay-from-5", "OpenBSD logs a replay from level 5", "LOG-009", "openbsd", threshold("log_replay", 5)),
    mutant("unknown-vhid-logged", "an unknown vhid is logged", "LOG-010", "freebsd-13", instead(checks.known_vhid_of_family, _says_unknown_vhid)),
    mutant("unknown-vhid-logged-by-openbsd", "an unknown vhid is logged", "LOG-010", "openbsd", instead(checks.known_vhid, _says_unknown_vhid_on_openbsd)),
    mutant("demotion-unsaid", "a demotion is not logged", "LOG-011", "freebsd-13", rules(log_demotion=None)),
    mutant("demotion-logged-at-2", "a demotion is logged from level 2", "LOG-011", "freebsd-10", threshold("log_demotion", 2)),
    mutant("link-state-unsaid", "the link state of the carp interface does not follow", "LOG-013", "freebsd-legacy", rules(log_link=None)),
    mutant("no-scripts", "ucarp runs no up script", "LOG-014", "ucarp", carried(Effect.SCRIPT_UP, _nothing)),
    mutant("wrong-script", "ucarp runs the up script when it steps down", "LOG-014", "ucarp", carried(Effect.SCRIPT_DOWN, _up_at_both)),
    mutant("ucarp-checksum-unsaid", "ucarp does not warn of a wrong checksum", "LOG-015", "ucarp", rules(log_checksum=None)),
    mutant("ucarp-ttl-not-told", "ucarp's warning does not tell the TTL", "LOG-015", "ucarp", reworded("log_ttl", "{ttl}", "?")),
    mutant("eras-mixed-up", "FreeBSD 6 logs transitions from level 1", "LOG-016", "freebsd-legacy-6", thresholds_of_states(1)),
    mutant("eras-mixed-up-for-packets", "FreeBSD 6 logs refused packets from level 2", "LOG-016", "freebsd-legacy-6", threshold("log_digest", 2)),
    # CONF
    mutant("vhid-0-taken", "a vhid of 0 is taken", "CONF-001", "freebsd-13", common(vhids=Limits(0, 255))),
    mutant("vhid-255-refused", "> for >=: a vhid of 255 is refused", "CONF-001 MULTI-006", "freebsd-legacy", common(vhids=Limits(1, 254))),
    mutant("advskew-255-taken", "an advskew of 255 is taken", "CONF-002", "freebsd-13", rules(advskew_limits=Limits(0, 255))),
    mutant("advskew-254-refused", "an advskew of 254 is refused", "CONF-002", "freebsd-15", rules(advskew_limits=Limits(0, 253))),
    mutant("advbase-255-refused", "an advbase of 255 is refused", "CONF-003", "freebsd-13", rules(advbase_limits=Limits(1, 254))),
    mutant("half-applied", "a refused change is applied", "CONF-023", "freebsd-15", common(refusal_changes_nothing=False)),
    mutant("half-applied-on-legacy", "a refused change is applied", "CONF-023", "freebsd-legacy", common(refusal_changes_nothing=False)),
    mutant("own-address-not-unskewed", "FreeBSD legacy keeps the advskew with an own address", "CONF-015", "freebsd-legacy", rules(own_address_unskews=False)),
    mutant("any-subnet-taken", "FreeBSD legacy takes an address of any subnet", "CONF-016", "freebsd-legacy", rules(needs_own_subnet=False)),
    mutant("vhid-outlives-its-addresses", "the removal of the last address leaves the vhid", "CONF-013", "freebsd-13", rules(forgets_without_address=False)),
    # what an administrator orders
    mutant("keys-tail-cut", "FreeBSD 13 clears the key before it sets a new one", "AUTH-031 AUTH-021", "freebsd-13", rules(key_keeps_tail=False)),
    mutant("removal-unnoticed", "a removed address is still hashed", "AUTH-030 ELECT-020 ELECT-021", "freebsd-15", rules(notices_removal=False)),
    mutant("address-added-in-passing", "an added address does not restart the vhid (opnsense/core#2551)", "ELECT-020", "freebsd-13", common(restarts_on_address=False)),
    mutant("ordered-master-unheard", "the order to become MASTER has no effect", "ELECT-023", "freebsd-13", step(BACKUP, Input.ORDERED_MASTER, to=BACKUP, effects=(), reason=None)),
    mutant("ordered-master-silent", "a MASTER by order does not advertise at once", "ELECT-023", "openbsd", dropped(Effect.ADVERTISE, BACKUP, Input.ORDERED_MASTER)),
    mutant("ordered-master-unannounced", "a MASTER by order does not announce the address", "ELECT-023", "freebsd-10", dropped(Effect.ANNOUNCE, BACKUP, Input.ORDERED_MASTER)),
    mutant("ordered-backup-for-good", "a BACKUP by order never returns", "ELECT-022", "freebsd-13", dropped(Effect.ARM_DOWN, MASTER, Input.ORDERED_BACKUP)),
    mutant("ordered-backup-unheard", "the order to become BACKUP has no effect", "ELECT-022", "openbsd", step(MASTER, Input.ORDERED_BACKUP, to=MASTER, effects=(), reason=None)),
    mutant("ordered-in-init", "an order starts a vhid in INIT", "ELECT-024", "freebsd-15", step(INIT, Input.ORDERED_MASTER, to=MASTER, reason=Reason.ORDERED, effects=(Effect.ENTER, Effect.ADVERTISE))),
    mutant("rank-frozen", "a new advskew is never advertised", "TIMER-018", "freebsd-13", sending(_Frozen())),
    mutant("advskew-10-by-default", "an advskew of 0 means 10", "CONF-004 WIRE-010", "freebsd-13", rules(effective_skew=lambda advskew, demotion: summed_skew(advskew or 10, demotion))),
    mutant("advskew-10-by-default-on-ucarp", "an advskew of 0 means 10", "CONF-004", "ucarp", rules(effective_skew=lambda advskew, _: advskew or 10)),
    mutant("old-password-signs", "a new password does not sign", "AUTH-029", "freebsd-15", sending(_OldKey())),
    mutant("deaf-after-allow", "after allow was 0 the node hears nobody any more (opnsense/core#10780)", "SCENARIO-007", "freebsd-13", instead(checks.allowed, _deaf_after_allow)),
    mutant("deaf-after-allow-on-openbsd", "after allow was 0 the node hears nobody any more", "SCENARIO-007", "openbsd", instead(checks.allowed, _deaf_after_allow)),
)
