"""Turns what a session collected into findings, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.judge.diagnosis import refusal_id
from conformance.judge.events import Cause
from conformance.judge.findings import (
    Finding,
    Severity,
    clock,
    difference,
    duration,
    finding,
    password_words,
    several,
)
from conformance.judge.host import Family, Host
from conformance.judge.ledger import MAX_FRAMES, Tally
from conformance.judge.monitors import election
from conformance.judge.session import Session
from conformance.judge.speaker import Speaker
from conformance.judge.splitbrain import two_masters
from conformance.wire.digest import Address
from conformance.wire.header import VERSION

ERROR, WARNING, NOTICE = Severity.ERROR, Severity.WARNING, Severity.NOTICE
_REFUSED = frozenset(
    {"CARP-WIRE-004", "CARP-WIRE-007", "CARP-WIRE-013", "CARP-WIRE-014", "CARP-V6-006", "CARP-V6-003"}
)


def of_family(session: Session, host: Host, family: Family) -> list[Finding]:
    """The findings on one virtual host in one address family, the gravest first."""
    told: dict[Speaker, str] = {}
    found = [*two_masters(host, family, told)]
    for speaker in family.speakers.values():
        found += _digest(speaker, told)
        found += _refused(speaker, told)
        found += _odd(session, speaker)
        found += _conduct(speaker)
    found += _equals(family)
    found += _gaps(family)
    found += _farewells(family)
    found += _checked(session, host, family)
    if family.crowded:
        found.append(
            finding(
                "crowd",
                WARNING,
                f"more than 64 sources advertise this vhid; {family.crowded} of them were forgotten",
                (),
            )
        )
    return sorted(found, key=lambda one: one.severity)


def _digest(speaker: Speaker, told: dict[Speaker, str]) -> Iterator[Finding]:
    why = told.get(speaker, "")
    for material, (against, frames) in speaker.disbelieved.items():
        name, words = difference(material, against)
        if name != why:
            yield finding(
                name,
                ERROR if len(frames) > 1 else WARNING,
                f"nobody believes {len(frames)} advertisements of {speaker.source}: {words}",
                frames,
            )
    if speaker.mismatched and why not in ("foreign-speaker", "digest-unknown"):
        count = (
            f"{speaker.mismatched} of {speaker.count}" if speaker.authentic else f"all {speaker.mismatched}"
        )
        text = (
            f"{count} advertisements of {speaker.source} have a digest "
            "that fits no password and address set that is known"
        )
        yield finding(
            "digest-wrong" if speaker.authentic else "foreign-speaker", ERROR, text, speaker.mismatch
        )
    if any(material.password is None for material in speaker.used):
        yield finding(
            "no-password",
            WARNING,
            f"{speaker.source} has no password set: anybody can take its addresses over",
            speaker.used.values(),
        )
    for material, ref in speaker.used.items():
        if material.mixed is not None:
            yield finding(
                "key-remainder",
                WARNING,
                f"the digest of {speaker.source} is made with {password_words(material)}",
                [ref],
            )


def _refused(speaker: Speaker, told: dict[Speaker, str]) -> Iterator[Finding]:
    most = max(speaker.refusals, key=lambda one: len(speaker.refusals[one]), default="")
    for reason, frames in speaker.refusals.items():
        name = refusal_id(reason)
        if speaker.rivalry and told.get(speaker) == name:
            continue
        text = (
            f"nobody believes {len(frames) if len(frames) < MAX_FRAMES else 'many'} "
            f"advertisements of {speaker.source}: {reason}"
        )
        yield finding(name, ERROR if speaker.rivalry and reason == most else WARNING, text, frames)


def _odd(session: Session, speaker: Speaker) -> Iterator[Finding]:
    names = session.tongue(speaker).names
    for requirement, tally in session.ledger.tallies.get(speaker.who, {}).items():
        if not tally.fails or speaker.tester:
            continue
        if not session.applies(requirement, names):
            continue
        if speaker.refusals and (requirement in _REFUSED or _of_another_version(requirement, tally)):
            continue
        yield _broken(requirement, speaker, tally)


def _of_another_version(requirement: str, tally: Tally) -> bool:
    return requirement == "CARP-WIRE-008" and f"(version {VERSION}," not in tally.text


def _broken(requirement: str, speaker: Speaker, tally: Tally) -> Finding:
    count = f" ({tally.fails} frames)" if tally.fails > 1 else ""
    if requirement in ("CARP-WIRE-016", "CARP-V6-002") and "physical" in tally.text:
        return finding(
            "physical-mac",
            WARNING,
            f"advertisements of {speaker.source} come from a physical MAC address{count}: {tally.text}",
            tally.frames,
        )
    if requirement == "CARP-ARP-001":
        return finding(
            "no-announcement",
            WARNING,
            f"{speaker.source} took over without announcing the address{count}: {tally.text}",
            tally.frames,
        )
    if requirement == "CARP-TIMER-001":
        return finding(
            "interval-wrong",
            WARNING,
            f"{speaker.source} does not keep its interval: {tally.text}",
            tally.frames,
        )
    return finding(
        f"breaks-{requirement.removeprefix('CARP-').lower()}",
        WARNING,
        f"{speaker.source} breaks {requirement}{count}: {tally.text}",
        tally.frames,
    )


def _conduct(speaker: Speaker) -> Iterator[Finding]:
    source = speaker.source
    if speaker.echoes:
        yield finding(
            "echo",
            WARNING,
            (
                f"{speaker.duplicates} advertisements of {source} came "
                "back unchanged: a loop in the network, or a mirror port"
            ),
            speaker.echoes,
        )
    if speaker.replays:
        yield finding(
            "replay",
            WARNING,
            f"{source} sends counters and digests that another host sent before: replayed or reflected",
            speaker.replays,
        )
    if speaker.stray:
        yield finding(
            "virtual-mac-from-backup",
            WARNING,
            f"{source} sends from the virtual MAC address although it is not master",
            speaker.stray,
        )
    if len(speaker.toses) > 1:
        values = ", ".join(f"{tos:#04x}" for tos in sorted(speaker.toses))
        yield finding(
            "dscp-changed",
            WARNING,
            (
                f"the type of service of {source}'s advertisements changes "
                f"({values}): something rewrites it on the way, or it was reconfigured"
            ),
            speaker.toses.values(),
        )
    if speaker.missed:
        yield finding(
            "lost-advertisements",
            NOTICE,
            f"{speaker.missed} advertisements of {source} are missing: lost on the way or by the capture",
            [speaker.last],
        )
    if speaker.last_form is not None and speaker.last_form.unicast and not speaker.refused:
        yield finding(
            "unicast",
            NOTICE,
            f"{source} sends to {speaker.last_form.destination} alone (unicast peer): others do not hear it",
            [speaker.last],
        )


def _equals(family: Family) -> Iterator[Finding]:
    ranks: dict[tuple[int, int], list[Speaker]] = {}
    for speaker in family.speakers.values():
        if speaker.best is not None and any(
            spacing.count >= 3 for rank, spacing in speaker.spacings.items() if rank == speaker.best
        ):
            ranks.setdefault(speaker.best, []).append(speaker)
    for (advbase, advskew), speakers in ranks.items():
        if len(speakers) > 1:
            names = several(speaker.source for speaker in speakers)
            text = (
                f"{names} announce the same advbase {advbase} and advskew "
                f"{advskew}: which of them is master is left to chance"
            )
            yield finding(
                "equal-timers",
                NOTICE,
                text,
                [speaker.first for speaker in speakers if speaker.first is not None],
            )


def _gaps(family: Family) -> Iterator[Finding]:
    flapping = {one.speaker for one in family.history.flapping()}
    restarts = [
        one for one in family.history.handovers if one.cause is Cause.RESTART and one.new not in flapping
    ]
    if restarts:
        longest = max(restarts, key=lambda one: one.gap_ns or 0)
        often = f" ({len(restarts)} times)" if len(restarts) > 1 else ""
        why = (
            "it had said good-bye (255/255), as when its carp interface is taken down"
            if longest.new.bow_outs
            else "its vhid was reset, or its link was lost"
        )
        text = (
            f"no master for {duration(longest.gap_ns or 0)} before {clock(longest.time_ns)}{often}, "
            f"then {longest.new.source} again: {why}"
        )
        yield finding("interruption", NOTICE, text, [one.ref for one in restarts])


def _farewells(family: Family) -> Iterator[Finding]:
    for one in family.history.handovers:
        if one.cause is Cause.BOW_OUT and one.old is not None and (one.gap_ns or 0) > election.SOON_NS:
            text = (
                f"{one.old.source} said good-bye, but {one.new.source} took over only "
                f"{duration(one.gap_ns or 0)} later: it did not hear that, or did not believe it"
            )
            yield finding("bow-out-unheard", WARNING, text, [one.ref])


def _checked(session: Session, host: Host, family: Family) -> Iterator[Finding]:
    unchecked = [
        speaker for speaker in family.speakers.values() if speaker.unchecked and not speaker.authentic
    ]
    if unchecked and session.digests.active:
        names = several(speaker.source for speaker in unchecked)
        known = several(host.addresses()) or "none"
        text = (
            f"no digest of {names} could be verified: the password "
            f"or the addresses are others (known addresses: {known})"
        )
        yield finding(
            "digest-unverified",
            NOTICE,
            text,
            [speaker.first for speaker in unchecked if speaker.first is not None],
        )
    given = frozenset(session.options.addresses)
    elsewhere = frozenset[Address]().union(
        *(one.addresses() for one in session.hosts.values() if one is not host)
    )
    if (
        host.current is not None
        and host.current.address_set & given
        and (host.current.address_set - given or given - host.current.address_set - elsewhere)
    ):
        yield finding(
            "addresses-given-differ",
            NOTICE,
            f"the digests cover {several(host.current.address_set)}, not the addresses given",
            (),
        )
