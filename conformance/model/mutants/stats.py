"""Mutants of STATS: which packet moves which counter."""

from __future__ import annotations

from conformance.model import checks
from conformance.model.checks import Arrival
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    common,
    instead,
    miscounted,
    mutant,
)


def _twice(counter: str) -> tuple[str, ...]:
    return (counter, counter) if counter == "opackets" else (counter,)


def _both(counter: str) -> tuple[str, ...]:
    """A refused packet moves badauth besides."""
    return (counter, "badauth") if counter.startswith("bad") and counter != "badauth" else (counter,)


def _counted_before_the_check(arrival: Arrival) -> bool:
    """Counts badttl, then looks at the TTL"""
    arrival.host.count("badttl")
    return arrival.packet.ttl == 255


MUTANTS: tuple[Mutant, ...] = (
    mutant("ipackets-not-counted", "received advertisements are not counted",
           "STATS-002", "freebsd-13", miscounted(ipackets=())),
    mutant("ipackets6-as-ipackets", "IPv6 advertisements count as IPv4 ones",
           "STATS-003", "freebsd-13", miscounted(ipackets6=("ipackets",))),
    mutant("badttl-as-badver", "a wrong TTL counts as a wrong version",
           "STATS-004", "freebsd-13", miscounted(badttl=("badver",))),
    mutant("badver-as-badlen", "a wrong version counts as a wrong length",
           "STATS-005", "openbsd", miscounted(badver=("badlen",))),
    mutant("badsum-uncounted", "a wrong checksum is not counted",
           "STATS-006", "freebsd-legacy", miscounted(badsum=())),
    mutant("badlen-as-badsum", "a short packet counts as a wrong checksum",
           "STATS-007", "freebsd-10", miscounted(badlen=("badsum",))),
    mutant("badauth-as-badvhid", "a wrong digest counts as an unknown vhid",
           "STATS-008 STATS-016", "freebsd-15", miscounted(badauth=("badvhid",))),
    mutant("badvhid-uncounted", "an unknown vhid is not counted",
           "STATS-009", "freebsd-legacy-6", miscounted(badvhid=())),
    mutant("badif-uncounted", "an advertisement on an interface without carp is not counted",
           "STATS-010", "freebsd-legacy", miscounted(badif=())),
    mutant("opackets-twice", "every sent advertisement counts twice",
           "STATS-011", "freebsd-13", common(counts=_twice)),
    mutant("opackets-not-counted", "sent advertisements are not counted",
           "STATS-011", "openbsd", miscounted(opackets=())),
    mutant("two-counters", "a refused packet moves badauth besides",
           "STATS-012 STATS-004", "freebsd-13", common(counts=_both)),
    mutant("counted-before-the-check", "badttl is counted before the TTL is looked at",
           "STATS-013 STATS-012", "freebsd-legacy", instead(checks.ttl, _counted_before_the_check)),
    mutant("take-over-uncounted", "OpenBSD does not count its transitions",
           "STATS-015", "openbsd", miscounted(preempt=())),
)  # fmt: skip
