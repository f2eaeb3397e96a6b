"""Findings on how a speaker behaves over time: echoes, replays, losses, times without a MASTER."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.judge.events import Cause
from conformance.judge.findings import Finding, Severity, clock, duration, finding
from conformance.judge.host import Family
from conformance.judge.monitors import election
from conformance.judge.speaker import Speaker

WARNING, NOTICE = Severity.WARNING, Severity.NOTICE


def of_speaker(speaker: Speaker, *, miscounted: bool) -> Iterator[Finding]:
    """What a speaker does that no single advertisement shows; where somebody is ``miscounted``, counters may meet once that nobody replayed."""
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
    if len(speaker.replays) > (1 if miscounted else 0):
        yield finding(
            "replay",
            WARNING,
            f"{source} sends counters and digests that another host sent before: replayed or reflected",
            speaker.replays,
        )
    if speaker.repeats:
        yield finding(
            "replay",
            WARNING,
            f"old advertisements of {source} came again, with counters and digests that it had sent before: replayed by somebody",
            speaker.repeats,
        )
    if speaker.stray and not miscounted:
        yield finding(
            "virtual-mac-from-backup",
            WARNING,
            f"{source} sends from the virtual MAC address although it is not master",
            (ref for _time_ns, ref in speaker.stray),
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


def gaps(family: Family) -> Iterator[Finding]:
    """Times without a MASTER after which the same one was back."""
    flapping = {one.speaker for one in family.history.flapping()}
    restarts = [
        one for one in family.history.handovers if one.cause is Cause.RESTART and one.new not in flapping
    ]
    if restarts:
        longest = max(restarts, key=lambda one: one.gap_ns or 0)
        often = f" ({len(restarts)} times)" if len(restarts) > 1 else ""
        why = "its vhid was reset, CARP was switched off there (net.inet.carp.allow), or its link was lost"
        if longest.new.bow_outs:
            why = "it had said good-bye (255/255), as when its carp interface is taken down"
        elif longest.new.repeats:
            why = "its own old advertisements, sent again by somebody, may have silenced it"
        text = (
            f"no master for {duration(longest.gap_ns or 0)} before {clock(longest.time_ns)}{often}, "
            f"then {longest.new.source} again: {why}"
        )
        yield finding("interruption", NOTICE, text, [one.ref for one in restarts])


def farewells(family: Family) -> Iterator[Finding]:
    """Good-byes that the heir did not hear, or did not believe."""
    for one in family.history.handovers:
        if one.cause is Cause.BOW_OUT and one.old is not None and (one.gap_ns or 0) > election.SOON_NS:
            text = (
                f"{one.old.source} said good-bye, but {one.new.source} took over only "
                f"{duration(one.gap_ns or 0)} later: it did not hear that, or did not believe it"
            )
            yield finding("bow-out-unheard", WARNING, text, [one.ref])
