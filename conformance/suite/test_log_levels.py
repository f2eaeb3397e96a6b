"""LOG by level: for every rejected packet and every change of state, from which level on which line appears, and that nothing does below."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen, HostEvent, HostKind
from conformance.suite.configuring import Start
from conformance.suite.loglines import (
    CHANGES,
    FREEBSD_DEMOTED,
    LINK_STATE,
    OPENBSD_DEMOTED,
    PACKETS,
    REPLAY,
    Entry,
)
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.malformations import named

SECOND = 1_000_000_000
SETTLE_NS = 50_000_000
EACH = 2
"""How many packets of a class are sent, to tell one line per packet from one line."""
LINK_LINE = "link state changed to"


def lines(subject: Subject, since: int = 0) -> list[str]:
    """The log lines of its host after the first ``since`` events, without the kernel's own about link states."""
    return [
        event.text
        for event in subject.segment.trace.events[since:]
        if isinstance(event, HostEvent) and event.kind is HostKind.LOG and LINK_LINE not in event.text
    ]


def written(line: str, subject: Subject, **values: object) -> re.Pattern[str]:
    """A line of the table for a virtual host."""
    vhid = subject.settings.vhid
    for name, value in ({"device": rf"carp{vhid}", "vhid": vhid} | values).items():
        line = line.replace(f"{{{name}}}", str(value))
    return re.compile(line)


def says(
    subject: Subject,
    wire: Segment,
    entry: Entry,
    level: int,
    since: int,
    what: str,
    times: int = 1,
    **values: object,
) -> None:
    """At ``level`` the host has logged the line of ``entry`` ``times`` times since event ``since``, or nothing if
    the level is too low, and nothing else either way.
    """
    wire.watch(SETTLE_NS)
    said = lines(subject, since)
    if entry is None or level < entry[0]:
        wire.check(f"log lines about {what} at level {level}", "; ".join(said) or "none", "none")
        return
    pattern = written(entry[1], subject, **values)
    strange = [line for line in said if not pattern.fullmatch(line)]
    wire.check(f"other log lines about {what} at level {level}", "; ".join(strange) or "none", "none")
    wire.check(f"log lines {pattern.pattern!r} at level {level}", len(said), times)


def levels(start: Start, bench: Bench, **settings: object) -> Iterator[tuple[int, Subject]]:
    """A virtual host for each log level that the dialect knows, the log still at 0 when it has started."""
    first = start(vhid=1, addresses=(bench.shared_addresses[0],), **settings)
    known = first.dialect.log_levels
    first.sysctls().set_sysctl("log", 0)
    yield known[0], first
    for number, level in enumerate(known[1:], 1):
        first.sysctls().set_sysctl("log", 0)
        yield level, start(vhid=1 + 2 * number, addresses=(bench.shared_addresses[number],), **settings)


PACKET_IDS = {
    "ttl-254": ("CARP-LOG-008", "CARP-LOG-009", "CARP-LOG-016"),
    "length-7": ("CARP-LOG-008", "CARP-LOG-009", "CARP-LOG-016"),
    "length-20": ("CARP-LOG-008", "CARP-LOG-009", "CARP-LOG-016"),
    "checksum-bit-0": ("CARP-LOG-008", "CARP-LOG-009", "CARP-LOG-016"),
    "version-3": ("CARP-LOG-008", "CARP-LOG-009", "CARP-LOG-016"),
    "version-4": ("CARP-LOG-008", "CARP-LOG-009", "CARP-LOG-016"),
    "digest-zero": ("CARP-LOG-008", "CARP-LOG-009", "CARP-LOG-016"),
    "vhid-next": ("CARP-LOG-010",),
}


@needs("log", "sysctl")
@takes(4)
@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=covers(*ids)) for name, ids in PACKET_IDS.items()]
)
def test_rejected_packet_is_logged_from_its_level_on(
    start: Start, tester: Tester, wire: Segment, fault: str
) -> None:
    """A rejected advertisement is logged once each from the level of its check on, with its line, and not at all
    below.
    """
    subject = start()
    for level in subject.dialect.log_levels:
        subject.sysctls().set_sysctl("log", level)
        since = len(wire.trace.events)
        for _ in range(EACH):
            tester.send(subject.better(), named(fault))
        subject.alive()
        says(subject, wire, PACKETS[subject.dialect.key][fault], level, since, f"a packet of {fault}", EACH)


Provoke = Callable[[Subject, Tester, Segment], object]
"""Brings a virtual host to where the change begins, with the log at 0; returns what makes it happen."""


def _timer(subject: Subject, tester: Tester, wire: Segment) -> Callable[[], object]:
    return subject.reach_master


def _too_slow(subject: Subject, tester: Tester, wire: Segment) -> Callable[[], object]:
    return lambda: tester.send(subject.peer(255, 255))


def _slower(subject: Subject, tester: Tester, wire: Segment) -> Callable[[], object]:
    subject.sysctls().set_sysctl("preempt", 1)
    return lambda: tester.send(subject.worse())


def _better(subject: Subject, tester: Tester, wire: Segment) -> Callable[[], object]:
    subject.reach_master()
    return lambda: tester.send(subject.better())


def _order(subject: Subject, tester: Tester, wire: Segment) -> Callable[[], object]:
    return lambda: subject.request_state("MASTER")


EVENTS = {
    "timer": _timer,
    "too-slow": _too_slow,
    "preemption": _slower,
    "better": _better,
    "order": _order,
}
"""What makes each change of the table happen."""
STATE_LINES = ("CARP-LOG-001", "CARP-LOG-002", "CARP-LOG-003", "CARP-LOG-004", "CARP-LOG-005")


@covers(*STATE_LINES)
@needs("log", "sysctl", "kill")
@takes(30)
@pytest.mark.parametrize("event", [name for name in EVENTS if name != "order"])
def test_change_of_state_is_logged_from_its_level_on(
    start: Start, tester: Tester, bench: Bench, wire: Segment, event: str
) -> None:
    """A change of state is logged once from its level on, with its reason, and not at all below."""
    _walk(start, tester, bench, wire, event)


@covers(*STATE_LINES)
@needs("log", "sysctl", "kill", "state_request")
@takes(6)
def test_ordered_change_is_logged_from_its_level_on(
    start: Start, tester: Tester, bench: Bench, wire: Segment
) -> None:
    """A change of state that was ordered is logged once from its level on, and not at all below."""
    _walk(start, tester, bench, wire, "order")


def _walk(start: Start, tester: Tester, bench: Bench, wire: Segment, event: str) -> None:
    for level, subject in levels(start, bench):
        happen = EVENTS[event](subject, tester, wire)
        subject.sysctls().set_sysctl("log", level)
        since = len(wire.trace.events)
        happen()
        says(subject, wire, CHANGES[subject.dialect.key][event], level, since, f"the change by {event}")
        subject.sysctls().set_sysctl("log", 0)
        subject.iut.kill()


@covers(*STATE_LINES)
@needs("log", "sysctl", "kill")
@takes(2)
def test_start_is_logged_from_its_level_on(start: Start, bench: Bench, wire: Segment) -> None:
    """The change from INIT to BACKUP is logged once from its level on, and not at all below."""
    first = start(vhid=200, addresses=bench.shared_addresses[9:10])
    for number, level in enumerate(first.dialect.log_levels):
        first.sysctls().set_sysctl("log", level)
        since = len(wire.trace.events)
        subject = start(vhid=1 + number, addresses=(bench.shared_addresses[number],))
        says(subject, wire, CHANGES[subject.dialect.key]["start"], level, since, "the start")
        first.sysctls().set_sysctl("log", 0)
        subject.iut.kill()


@covers(*STATE_LINES, "CARP-LOG-011", "CARP-LOG-009")
@needs("log", "sysctl", "link", "kill")
@takes(30)
def test_lost_link_is_logged_from_its_level_on(start: Start, bench: Bench, wire: Segment) -> None:
    """A lost link is logged as a change to INIT and, on those that tell it, as a demotion, each from its level on."""
    for level in start(vhid=99, addresses=bench.shared_addresses[9:10]).dialect.log_levels:
        subject = _fresh(start, bench, level)
        subject.reach_master()
        subject.sysctls().set_sysctl("log", level)
        since = len(wire.trace.events)
        subject.host.cable(plugged=False)
        wire.watch(SETTLE_NS)
        said = lines(subject, since)
        expected = [
            entry
            for entry in (CHANGES[subject.dialect.key]["link"], _demoted(subject))
            if entry is not None and level >= entry[0]
        ]
        values = {
            "amount": subject.dialect.link_demotion,
            "total": r"\d+",
            "reason": r"(?:interface down|carpdev)",
        }
        missing = [
            line
            for _, line in expected
            if not any(written(line, subject, **values).fullmatch(one) for one in said)
        ]
        wire.check(f"lines that are missing at level {level}", "; ".join(missing) or "none", "none")
        wire.check(f"whether there are lines at level {level}", bool(said), bool(expected))
        subject.sysctls().set_sysctl("log", 0)
        subject.host.cable(plugged=True)
        subject.iut.kill()


def _fresh(start: Start, bench: Bench, level: int) -> Subject:
    return start(vhid=10 + level, addresses=(bench.shared_addresses[level],))


def _demoted(subject: Subject) -> Entry:
    if subject.profile.pics.get("demotion_sum"):
        return FREEBSD_DEMOTED
    return OPENBSD_DEMOTED if subject.profile.pics.get("demotion_groups") else None


@covers("CARP-LOG-011")
@needs("log", "sysctl", "demotion_order", "demotion_sum")
@takes(2)
@pytest.mark.parametrize("amount", [50, -50])
def test_written_demotion_is_logged_from_its_level_on(
    start: Start, bench: Bench, wire: Segment, amount: int
) -> None:
    """A change of the demotion by sysctl is logged once from level 1 on."""
    total = 0
    for level, subject in levels(start, bench):
        subject.sysctls().set_sysctl("log", level)
        since, total = len(wire.trace.events), total + amount
        subject.demote(amount)
        values = {"amount": amount, "total": total, "reason": "sysctl"}
        says(subject, wire, FREEBSD_DEMOTED, level, since, "the demotion", 1, **values)


@covers("CARP-LOG-009")
@needs("log", "sysctl", "demotion_groups")
@takes(30)
def test_replayed_advertisement_is_logged_from_its_level_on(
    start: Start, bench: Bench, wire: Segment
) -> None:
    """A MASTER that hears its own advertisement again logs that from level 4 on."""
    for level, subject in levels(start, bench):
        subject.reach_master()
        (own,) = subject.next_own()
        assert isinstance(own, FrameSeen)
        subject.sysctls().set_sysctl("log", level)
        since = len(wire.trace.events)
        wire.send(own.frame.data)
        says(subject, wire, REPLAY, level, since, "the replay")
        subject.sysctls().set_sysctl("log", 0)
        subject.iut.kill()


@covers("CARP-LOG-013", "CARP-LOG-004")
@needs("log", "sysctl", "carp_interface", "demotion_suppress")
@takes(10)
@pytest.mark.parametrize("level", [0, 1, 2])
def test_link_state_of_the_carp_interface(start: Start, tester: Tester, wire: Segment, level: int) -> None:
    """The link state of the carp interface goes up with MASTER and down with BACKUP, and the kernel says so at every
    level.
    """
    subject = start()
    subject.sysctls().set_sysctl("log", level)
    since = len(wire.trace.events)
    subject.reach_master()
    tester.send(subject.better())
    wire.watch(SETTLE_NS)
    said = [
        event.text
        for event in wire.trace.events[since:]
        if isinstance(event, HostEvent) and LINK_LINE in event.text
    ]
    pattern = written(LINK_STATE, subject)
    wire.check("link states", [match[1] for match in map(pattern.fullmatch, said) if match], ["UP", "DOWN"])


@covers("CARP-LOG-016")
@needs("log", "sysctl", "packets_before_states")
@takes(5)
def test_packets_come_before_states(start: Start, tester: Tester, wire: Segment) -> None:
    """At level 1 a rejected packet is logged and a change of state is not; at level 2 both are."""
    subject = start()
    for level, changes in ((1, 0), (2, 1)):
        subject.sysctls().set_sysctl("log", level)
        subject.reach_master()
        subject.next_own()
        since = len(wire.trace.events)
        tester.send(subject.better(), named("ttl-254"))
        last = tester.send(subject.better())
        subject.expect_yields(last)
        said = lines(subject, since)
        packets = sum("received ttl" in line for line in said)
        wire.check(
            f"lines about packets, and about states, at level {level}",
            (packets, len(said) - packets),
            (1, changes),
        )
        subject.comes_back(last)
