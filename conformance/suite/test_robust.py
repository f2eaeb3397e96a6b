"""ROBUST: what a node survives. Each case ends by showing that it still elects."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, cycle, pairwise

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import LOOK_ON_NS, Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.conftest import Start
from conformance.suite.flood import flood, leaves_a_master_alone, own_since, rate
from conformance.suite.fuzzing import tells_seed
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.subject import Subject
from conformance.wire import fuzz
from conformance.wire.malformations import demanded_by, in_turn, named

SECOND_NS = 1_000_000_000
TEN_A_SECOND_NS = SECOND_NS // 10
FLOOD_PER_SECOND = 1000
FLOOD_NS = 5 * SECOND_NS
BACKLOG_NS = SECOND_NS
"""What CARP-ROBUST-003 grants for frames that are still queued when a flood ends."""
ROUNDS = 50
"""Each is two transitions; shortened from the hundred of the requirement, because every one runs a script on ucarp."""
SLOWER = 200

RANDOM_FRAMES = 10_000
RANDOM_PER_SECOND = 2500


def still_elects(subject: Subject, tester: Tester) -> None:
    """A MASTER yields to a better advertisement, and takes over again in time when no other follows."""
    better = tester.send(subject.better())
    subject.expect_yields(better)
    subject.comes_back(better)


def is_done(master: Subject, began_ns: int) -> bool:
    """Whether a MASTER that was to take over ``ROUNDS`` times since then has nothing left to do but advertise: once more in its interval."""
    own = own_since(master, began_ns)
    earliest_ns, _ = master.dialect.interval_window_ns(master.settings.advbase, master.settings.advskew)
    return len(own) >= ROUNDS and own[-1].time_ns - own[-2].time_ns >= earliest_ns


def forever(subject: Subject, fault: str) -> Iterable[bytes]:
    """Better advertisements with a fault, twenty different ones in turn."""
    return cycle([named(fault).frame(subject.peer(0, 0, counter=counter)) for counter in range(1, 21)])


@covers("CARP-ROBUST-001")
@takes(14)
def test_no_length_crashes_it(master: Subject, tester: Tester) -> None:
    """A MASTER survives frames of protocol 112 of every length, and elects as before."""
    frames = list(fuzz.lengths(master.peer(0, 0, counter=1)))
    leaves_a_master_alone(
        master, frames, FLOOD_PER_SECOND, "frames of every length", lambda length: f"of {length} bytes"
    )
    still_elects(master, tester)


@covers("CARP-ROBUST-001")
@takes(16)
def test_no_random_frame_crashes_it(master: Subject, tester: Tester, wire: Segment) -> None:
    """A MASTER survives ten thousand random frames, and elects as before."""
    seed = tells_seed(wire)
    frames = list(fuzz.noise(master.peer(0, 0, counter=1), seed, RANDOM_FRAMES))
    leaves_a_master_alone(master, frames, RANDOM_PER_SECOND, f"random frames of seed {seed}")
    still_elects(master, tester)


@covers("CARP-ROBUST-002")
@takes(8.5)
@pytest.mark.parametrize(
    "fault", ["ttl-254", "version-3", "vhid-next", "checksum-bit-0", "length-20", "digest-zero"]
)
def test_flood_of_rejected_does_not_delay_a_master(master: Subject, wire: Segment, fault: str) -> None:
    """A flood of rejected advertisements delays a MASTER's own by at most a tenth of the interval."""
    earliest_ns, _ = master.dialect.interval_window_ns(master.settings.advbase, master.settings.advskew)
    latest_ns = master.interval_ns * 11 // 10
    begun_ns = wire.now_ns()
    with flood(wire, forever(master, fault), rate(wire, FLOOD_PER_SECOND)):
        seen = master.next_own(3)
    for earlier, later in pairwise(seen):
        wire.check_span(
            "interval of the MASTER in the flood",
            later.time_ns - earlier.time_ns,
            (earliest_ns, latest_ns),
            earlier,
            later,
            since_ns=begun_ns,
        )


@covers("CARP-ROBUST-003")
@takes(10)
def test_take_over_after_a_flood_of_valid(backup: Subject, tester: Tester, wire: Segment) -> None:
    """When a flood of valid advertisements ends, a BACKUP takes over within its master-down time and a second for the backlog."""
    with flood(
        wire,
        (backup.better(counter=counter).frame() for counter in range(1, 1_000_000)),
        rate(wire, FLOOD_PER_SECOND),
    ):
        backup.stays_silent(FLOOD_NS)
    last = tester.send(backup.better(counter=1_000_000))
    window = backup.master_down_window(last)
    wire.expect(
        backup.becomes_master(),
        within=Window(window.anchor_ns, window.from_ns, window.to_ns + BACKLOG_NS, "the end of the flood"),
    )


@covers("CARP-ROBUST-004")
@takes(10)
def test_every_header_length(backup: Subject, tester: Tester, wire: Segment) -> None:
    """Advertisements with an IPv4 header length of 0 to 4 words, or beyond the end of the packet, are survived and ignored."""
    with tester.advertising(
        backup.better(), in_turn(*demanded_by("CARP-ROBUST-004")), interval_ns=TEN_A_SECOND_NS
    ):
        wire.expect(backup.becomes_master(), within=backup.besieged_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@covers("CARP-ROBUST-005")
@takes(16)
def test_quick_transitions(master: Subject, tester: Tester, wire: Segment) -> None:
    """A hundred quick transitions leave the node working."""
    rounds = chain.from_iterable(
        (master.better(counter=n).frame(), master.peer(255, 255, counter=n + 1).frame())
        for n in range(1, 2 * ROUNDS, 2)
    )
    began_ns = wire.now_ns()
    with flood(wire, rounds, 25):
        wire.watch(2 * ROUNDS * SECOND_NS // 25 + sum(master.dialect.reaction_window_ns))
    # A busy host works the rest off later: one frame each time that its loop comes round, with a script at each change.
    wire.loop.run_until(lambda: is_done(master, began_ns), wire.now_ns() + 3 * LOOK_ON_NS)
    own = own_since(master, began_ns)
    wire.check(
        f"advertisements of the IUT in {ROUNDS} take-overs",
        len(own),
        range(ROUNDS, 10 * ROUNDS),
        *own[-1:],
        race=(LOOK_ON_NS, began_ns),
    )
    master.stays_master(master.alive(), count=1)
    still_elects(master, tester)


@covers("CARP-ROBUST-006")
@takes(9)
def test_no_amplification(master: Subject, wire: Segment) -> None:
    """Slower advertisements do not make a MASTER send more frames than it does without them."""
    frames = [master.worse(counter=counter).frame() for counter in range(1, SLOWER + 1)]
    with flood(wire, frames, 100):
        events = wire.watch(SLOWER * SECOND_NS // 100 + 2 * master.interval_ns)
    sent = [event for event in events if isinstance(event, FrameSeen) and not event.sent]
    wire.check(
        f"frames of the MASTER, its own advertisements included, while it hears {SLOWER} slower ones",
        len(sent),
        range(1, SLOWER // 10),
        *sent[:1],
    )


@covers("CARP-ROBUST-008")
@takes(11.5)
def test_checksum_errors_that_compensate(master: Subject, tester: Tester) -> None:
    """An advertisement with errors in the IP and the CARP checksum that compensate each other does not make a MASTER yield; one without does."""
    with tester.advertising(
        master.peer(0, 0), named("checksums-compensating"), interval_ns=TEN_A_SECOND_NS
    ) as first:
        master.stays_master(first, count=2)
    with tester.advertising(master.peer(0, 0), interval_ns=TEN_A_SECOND_NS) as first:
        master.expect_yields(first)


@covers("CARP-ROBUST-012")
@needs("interface_removal", "exit_status", "log")
@takes(7)
def test_removed_interface(master: Subject, wire: Segment) -> None:
    """When its interface disappears it writes a log line and ends with status 0."""
    master.next_own()
    wire.watch(
        master.interval_ns // 2
    )  # ucarp says nothing where its ioctl(2) fails before its poll(2) does, so catch it at rest
    removed_ns = wire.now_ns() - 1  # virtual time stands still meanwhile
    master.remove_interface()
    window = master.reaction_window(removed_ns)
    wire.expect(master.says("exiting:"), within=window)
    wire.expect(master.ends(0), within=window)


@covers("CARP-ROBUST-013")
@needs("process", "signals")
@hosts(2)
@takes(18)
def test_pause_of_the_master(start: Start, wire: Segment) -> None:
    """After the MASTER's process was stopped until the other host took over, and continued, one MASTER is left within two intervals."""
    paused, other = start(on="a", advskew=50), start(on="b", advskew=150)
    paused.reach_master()
    (last,) = paused.next_own()
    paused.iut.signal("STOP")
    wire.expect(other.becomes_master(), within=other.master_down_window(last))
    paused.iut.signal("CONT")
    (back,) = paused.next_own()
    limit_ns = 2 * other.interval_ns + sum(other.dialect.reaction_window_ns)
    wire.watch(limit_ns - min(limit_ns, wire.now_ns() - back.time_ns))
    other.stays_silent(2 * other.interval_ns)
    paused.stays_master(back, count=2)


@covers("CARP-ROBUST-013")
@needs("process", "signals")
@takes(18)
def test_pause_of_a_master_that_has_been_replaced(master: Subject, tester: Tester, wire: Segment) -> None:
    """A MASTER that was stopped while a better one took over yields within two intervals of being continued."""
    master.iut.signal("STOP")
    with tester.advertising(master.better()):
        wire.watch(master.dialect.master_down_ns(master.settings.advbase, master.settings.advskew))
        master.iut.signal("CONT")
        wire.watch(2 * master.interval_ns)
        master.stays_silent(2 * master.interval_ns)
    last = master.last_valid()
    assert last is not None
    wire.expect(master.becomes_master(), within=master.master_down_window(last))
