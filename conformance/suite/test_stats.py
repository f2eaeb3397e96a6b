"""STATS: which packet moves which counter."""

from __future__ import annotations

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Fault, Tester
from conformance.suite.marks import covers, needs, takes
from conformance.targets.subject import Subject
from conformance.wire.malformations import named

SENT = 3
ERRORS = {
    "ttl-254": ("badttl", "CARP-STATS-004"),
    "version-3": ("badver", "CARP-STATS-005"),
    "checksum-bit-0": ("badsum", "CARP-STATS-006"),
    "length-20": ("badlen", "CARP-STATS-007"),
    "digest-zero": ("badauth", "CARP-STATS-008"),
    "vhid-next": ("badvhid", "CARP-STATS-009"),
    "address-other": ("badauth", "CARP-STATS-016"),
}


def moved(subject: Subject, tester: Tester, fault: Fault | None, count: int = 1) -> str:
    """What ``count`` better advertisements, spoiled by ``fault``, move among the counters of a BACKUP's host, as ``badttl 1, ipackets 1``."""
    subject.alive()  # what was sent before has been counted
    before = subject.counters()
    for _ in range(count):
        tester.send(subject.better(), fault)
    subject.alive()
    after = subject.counters()
    changes = {name: after[name] - before[name] for name in sorted(after)}
    return ", ".join(f"{name} {change}" for name, change in changes.items() if change)


@covers("CARP-STATS-002", "CARP-STATS-013")
@needs("counters")
@takes(1)
def test_accepted_advertisements(backup: Subject, tester: Tester, wire: Segment) -> None:
    """Accepted advertisements add one each to ipackets and move no other counter."""
    wire.check(
        f"what {SENT} accepted advertisements move", moved(backup, tester, None, SENT), f"ipackets {SENT}"
    )


@needs("counters")
@takes(1)
@pytest.mark.parametrize(
    ("fault", "counter"),
    [
        pytest.param(name, counter, marks=covers(id, "CARP-STATS-012"), id=name)
        for name, (counter, id) in ERRORS.items()
    ],
)
def test_rejected_advertisement(
    backup: Subject, tester: Tester, wire: Segment, fault: str, counter: str
) -> None:
    """A rejected advertisement adds one to ipackets, one to the counter of the check that refused it, and nothing to another."""
    wire.check(
        "what the advertisement moves", moved(backup, tester, named(fault)), f"{counter} 1, ipackets 1"
    )


@covers("CARP-STATS-011")
@needs("counters")
@takes(10)
def test_sent_advertisements(master: Subject, wire: Segment) -> None:
    """Every advertisement that is sent adds one to opackets."""
    (first,) = master.next_own()
    before = master.counters()
    seen = master.next_own(SENT)
    wire.check(
        f"opackets of {SENT} advertisements",
        master.counters()["opackets"] - before["opackets"],
        SENT,
        first,
        *seen,
    )


@covers("CARP-STATS-015")
@needs("counters")
@takes(6)
def test_take_over_is_counted(backup: Subject, wire: Segment) -> None:
    """A transition to MASTER adds one to the counter of transitions."""
    backup.alive()
    before = backup.counters()["preempt"]
    wire.expect(backup.becomes_master(), within=backup.master_down_window())
    wire.check("transitions counted", backup.counters()["preempt"] - before, 1)
