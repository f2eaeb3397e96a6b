"""Monitors of the 64-bit counter: constant, random, or one more than the last one heard (CARP-AUTH-024 to
028).
"""

from __future__ import annotations

from conformance.judge.form import Ref
from conformance.judge.host import Family, Host
from conformance.judge.ledger import Ledger
from conformance.judge.monitors.monitor import Monitor
from conformance.judge.speaker import Speaker

MASK = (1 << 64) - 1
_ENOUGH = 3

MONITORS: tuple[Monitor, ...] = (
    Monitor(
        "counter",
        ("CARP-AUTH-024", "CARP-AUTH-025", "CARP-AUTH-026", "CARP-AUTH-028"),
        "how each advertisement's counter relates to the last one believed on its virtual host",
    ),
)


def observe(host: Host, family: Family, speaker: Speaker, number: int, ref: Ref) -> None:
    """Classifies the counter ``number`` of an advertisement that its host believes."""
    heard, same = host.number, family.last is speaker
    if heard is not None and number == (heard + 1) & MASK:
        speaker.successors += 1
        if not same and family.last is not None:
            speaker.chances += 1
            speaker.followed += 1
        if (
            host.last is not None
            and host.last is not speaker
            and host.last.who.source.version != speaker.source.version
        ):
            speaker.paired += 1
    else:
        if number == (heard if same else speaker.number):
            speaker.constants += 1
        else:
            if same and speaker.successors and speaker.broken is None:
                speaker.broken = ref
            if not same and speaker.number is not None and number == (speaker.number + 1) & MASK:
                speaker.deaf += 1
            else:
                speaker.randoms += 1
        if not same and family.last is not None:
            speaker.chances += 1
    speaker.number = host.number = number
    family.last = host.last = speaker


def finish(ledger: Ledger, speaker: Speaker) -> None:
    """Draws the conclusions of the whole capture for one speaker."""
    who, last = speaker.who, speaker.last
    if speaker.followed:
        ledger.passed("CARP-AUTH-024", who, last)
    elif speaker.chances >= _ENOUGH and not speaker.constants:
        # The suite's own crafted peers count as they like; a real host that does so is deaf.
        ledger.unclear(
            "CARP-AUTH-024",
            who,
            last,
            "its counter never follows the other speaker's: it does not hear it, or does not believe it",
        )
    if speaker.broken is not None:
        ledger.unclear(
            "CARP-AUTH-024",
            who,
            speaker.broken,
            (
                "the counter jumped although it had followed before: "
                "the host was restarted, or the rule is broken"
            ),
        )
    if speaker.constants >= _ENOUGH:
        if speaker.constant_counter:
            ledger.passed("CARP-AUTH-026", who, last)
        else:
            ledger.failed("CARP-AUTH-026", who, last, "the counter changed between advertisements")
    elif speaker.randoms + speaker.successors > _ENOUGH:
        ledger.failed("CARP-AUTH-026", who, last, "the counter changes with every advertisement")
    if speaker.randoms > _ENOUGH and not speaker.successors and not speaker.constants and not speaker.chances:
        ledger.passed("CARP-AUTH-025", who, last)
    if speaker.paired:
        ledger.passed("CARP-AUTH-028", who, last)
