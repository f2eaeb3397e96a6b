"""LOG: what an implementation says, and which other events it raises."""

from __future__ import annotations

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import HostEvent, HostKind
from conformance.suite.conftest import Start
from conformance.suite.marks import covers, needs, takes
from conformance.targets.subject import Subject
from conformance.wire.malformations import named

EACH = 3
"""How many packets of a class are sent, to tell one line per packet from one line."""
WARNINGS = {
    "ttl-254": "[WARNING] Bad TTL: [254]",
    "version-3": "[WARNING] Bad version: [3]",
    "checksum-bit-0": "[WARNING] Bad IP checksum",
    "digest-zero": "[WARNING] Bad digest",
}
UNMENTIONED = ("vhid-next", "destination-224.0.0.19")


def lines(subject: Subject, text: str) -> int:
    """How many log lines of its host contain ``text``. The kernel's own line about a link state is none of carp's."""
    events = (
        event
        for event in subject.segment.trace.events
        if isinstance(event, HostEvent) and event.host == subject.name
    )
    return sum(
        event.kind is HostKind.LOG and text in event.text and "link state" not in event.text
        for event in events
    )


@covers("CARP-LOG-006")
@needs("log", "state_read")
@takes(5)
def test_step_down_is_logged(master: Subject, tester: Tester, wire: Segment) -> None:
    """Stepping down is logged as the new state and its cause."""
    better = tester.send(master.better())
    wire.expect(master.enters("BACKUP"), within=master.reaction_window(better))
    wire.expect(
        master.says("[WARNING] Preferred master advertised: going back to BACKUP state"),
        within=master.reaction_window(better),
    )


@covers("CARP-LOG-006")
@needs("log", "state_read")
@takes(5)
def test_take_over_is_logged(backup: Subject, wire: Segment) -> None:
    """Taking over is logged as the new state."""
    wire.expect(backup.enters("MASTER"), within=backup.master_down_window())


@covers("CARP-LOG-006")
@needs("log", "state_read", "preempt")
@takes(2)
@pytest.mark.parametrize(
    ("preempt", "rank", "cause"),
    [
        (False, (255, 255), "Putting MASTER DOWN (going to time out)"),
        (True, (1, 150), "Putting MASTER down - preemption"),
    ],
    ids=["too-slow", "preemption"],
)
def test_cause_of_a_take_over_is_logged(
    start: Start, tester: Tester, wire: Segment, preempt: bool, rank: tuple[int, int], cause: str
) -> None:
    """Taking over because of what was heard is logged with its cause."""
    backup = start(preempt=preempt)
    heard = tester.send(backup.peer(*rank))
    wire.expect(backup.enters("MASTER"), within=backup.reaction_window(heard))
    wire.expect(backup.says(f"[WARNING] {cause}"), within=backup.reaction_window(heard))


@covers("CARP-LOG-006")
@needs("log")
@takes(5)
def test_slower_master_is_logged(master: Subject, tester: Tester, wire: Segment) -> None:
    """A MASTER that hears a slower advertisement says that it reasserts itself."""
    heard = tester.send(master.worse())
    wire.expect(
        master.says("[WARNING] Non-preferred master advertising: reasserting control of VIP"),
        within=master.reaction_window(heard),
    )


@covers("CARP-LOG-007")
@needs("log", "sysctl")
@takes(16)
def test_level_0_is_silent(start: Start, tester: Tester, wire: Segment) -> None:
    """At log level 0 a transition leaves no carp line; at the highest level it does."""
    subject = start()
    subject.sysctls().set_sysctl("log", 0)
    subject.reach_master()
    before = lines(subject, "carp")
    better = tester.send(subject.better())
    subject.expect_yields(better)
    wire.check("new lines about carp at level 0", lines(subject, "carp") - before, 0)
    subject.comes_back(better)
    subject.sysctls().set_sysctl("log", max(subject.dialect.log_levels))
    subject.expect_yields(tester.send(subject.better()))
    wire.check("new lines about carp at the highest level", lines(subject, "carp") - before, range(1, 10))


@covers("CARP-LOG-010")
@needs("log", "sysctl", "counters")
@takes(2)
def test_unknown_vhid_is_not_logged(start: Start, tester: Tester, wire: Segment) -> None:
    """An advertisement for an unknown vhid is counted and not logged, even at the highest level."""
    subject = start()
    subject.sysctls().set_sysctl("log", max(subject.dialect.log_levels))
    said, counted = lines(subject, ""), subject.counters()["badvhid"]
    tester.send(subject.better(), named("vhid-next"))
    subject.alive()
    wire.check("badvhid", subject.counters()["badvhid"], counted + 1)
    wire.check("log lines", lines(subject, ""), said)


@covers("CARP-LOG-014")
@needs("scripts")
@takes(8)
@pytest.mark.parametrize("extra", ["", "an extra argument"], ids=["plain", "extra"])
def test_scripts_get_interface_and_address(start: Start, tester: Tester, wire: Segment, extra: str) -> None:
    """The up and the down script are called with the interface, the shared address and the extra argument at each change of state."""
    subject = start(options={"xparam": extra} if extra else {})
    call = f"eth0 {subject.settings.addresses[0]} {extra}".strip()
    wire.expect(subject.runs_script(f"up {call}"), within=subject.master_down_window())
    better = tester.send(subject.better())
    wire.expect(subject.runs_script(f"down {call}"), within=subject.reaction_window(better))


@covers("CARP-LOG-015")
@needs("log")
@takes(3)
@pytest.mark.parametrize("fault", WARNINGS)
def test_one_warning_per_rejected_packet(backup: Subject, tester: Tester, wire: Segment, fault: str) -> None:
    """A rejected advertisement is reported by one warning that names the check."""
    for _ in range(EACH):
        last = tester.send(backup.better(), named(fault))
    wire.expect(backup.says(WARNINGS[fault]), within=backup.reaction_window(last))
    backup.stays_silent(backup.dialect.reaction_window_ns[1])
    wire.check(f"lines {WARNINGS[fault]!r} after {EACH} packets", lines(backup, WARNINGS[fault]), EACH)


@covers("CARP-LOG-015")
@needs("log")
@takes(3)
@pytest.mark.parametrize("fault", UNMENTIONED)
def test_foreign_packets_are_not_mentioned(
    backup: Subject, tester: Tester, wire: Segment, fault: str
) -> None:
    """An advertisement for another vhid or destination leaves no line, while a rejected one after it does."""
    said = lines(backup, "")
    tester.send(backup.better(), named(fault))
    rejected = tester.send(backup.better(), named("ttl-254"))
    wire.expect(backup.says(WARNINGS["ttl-254"]), within=backup.reaction_window(rejected))
    wire.check("log lines for both", lines(backup, "") - said, 1)
