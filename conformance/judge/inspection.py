"""Turns what a session collected into findings, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.judge import conduct, rules
from conformance.judge.diagnosis import refusal_id
from conformance.judge.findings import (
    Finding,
    Severity,
    difference,
    finding,
    password_words,
    several,
)
from conformance.judge.host import Family, Host
from conformance.judge.ledger import MAX_FRAMES, Tally
from conformance.judge.monitors import counters
from conformance.judge.session import Session
from conformance.judge.speaker import Speaker
from conformance.judge.splitbrain import two_masters
from conformance.wire.digest import Address
from conformance.wire.header import VERSION

_COUNTER = frozenset(counters.MONITORS[0].requirements)
ERROR, WARNING, NOTICE = Severity.ERROR, Severity.WARNING, Severity.NOTICE
_REFUSED = frozenset(
    {"CARP-WIRE-004", "CARP-WIRE-007", "CARP-WIRE-013", "CARP-WIRE-014", "CARP-V6-006", "CARP-V6-003"}
)


def of_family(session: Session, host: Host, family: Family) -> list[Finding]:
    """The findings on one virtual host in one address family, the gravest first."""
    told: dict[Speaker, str] = {}
    found = [*two_masters(host, family, told)]
    miscounted = any(_miscounts(session, speaker) for speaker in family.speakers.values())
    for speaker in family.speakers.values():
        found += _digest(speaker, told)
        found += _refused(speaker, told)
        found += _odd(session, speaker)
        found += _constant(session, speaker)
        found += conduct.of_speaker(speaker, miscounted=miscounted)
    found += _equals(family)
    found += conduct.gaps(family)
    found += conduct.farewells(family)
    found += _checked(session, host, family)
    if family.crowded:
        found.append(
            finding(
                "crowd",
                WARNING,
                f"more sources advertise this vhid than can be kept; {family.crowded} of them were forgotten",
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
        if requirement == "CARP-AUTH-025" and _miscounts(session, speaker):
            continue  # told already
        if speaker.refusals and (requirement in _REFUSED or _of_another_version(requirement, tally)):
            continue
        yield _broken(requirement, speaker, tally)


def _constant(session: Session, speaker: Speaker) -> Iterator[Finding]:
    if rules.contradicts(session.tongue(speaker), speaker):
        text = (
            f"{speaker.source}'s counter never changes, as that of OpenBSD, but its type of service is "
            "FreeBSD's: its counter is wrong, or something rewrites the type of service"
        )
        yield finding("counter-wrong", WARNING, text, [speaker.last])


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
    if requirement in _COUNTER:
        return finding(
            "counter-wrong",
            WARNING,
            f"{speaker.source} does not count as it should{count}: {tally.text}",
            tally.frames,
        )
    return finding(
        f"breaks-{requirement.removeprefix('CARP-').lower()}",
        WARNING,
        f"{speaker.source} breaks {requirement}{count}: {tally.text}",
        tally.frames,
    )


def _miscounts(session: Session, speaker: Speaker) -> bool:
    tally = session.ledger.tallies.get(speaker.who, {}).get(counters.FOLLOWS)
    return (tally is not None and tally.fails > 0) or rules.contradicts(session.tongue(speaker), speaker)


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
