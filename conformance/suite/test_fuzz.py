"""ROBUST, RX and AUTH: many advertisements that differ from a valid one, of which the model says whether a MASTER yields to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, cycle

from conformance.segment.segment import LOOK_ON_NS, Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.flood import flood, leaves_a_master_alone
from conformance.suite.fuzzing import drawn, oracle, tells_seed
from conformance.suite.marks import covers, takes
from conformance.targets.subject import Subject
from conformance.wire.advertisement import Advertisement
from conformance.wire.frame import advertisement as carried
from conformance.wire.frame import virtual_mac
from conformance.wire.header import LENGTH, summed
from conformance.wire.malformations import MALFORMATIONS

SECOND_NS = 1_000_000_000
DRAWN = 150
PER_SECOND = 25
"""Slow enough for a process that starts a script at each change of state."""
APART = 1000
"""Between the counters of one changed advertisement and the next; the farewell after it has one in the middle."""
QUICK_PER_SECOND = 100
"""Of frames that change nothing."""
_CHECKSUM_AT = (6, 7)

Pair = tuple[bytes, bytes]
"""A changed advertisement, and the farewell after it."""
Ways = Iterable[tuple[str, Callable[[Advertisement], bytes]]]
"""What is changed in an advertisement, and how the frame is made."""
Judged = tuple[bytes, bool, str]
"""A frame, whether a MASTER yields to it, and what is changed in it."""


def judged(subject: Subject, ways: Ways) -> list[Judged]:
    """Better advertisements, each changed in one of the ``ways``."""
    yields = oracle(subject.dialect, subject.host, subject.settings, subject.peer(255, 255).frame())
    made = [
        (change(subject.better(counter=APART * number)), what)
        for number, (what, change) in enumerate(ways, 1)
    ]
    return [(frame, yields(frame), what) for frame, what in made]


def without_effect(
    subject: Subject, tester: Tester, frames: Sequence[Judged], per_second: int, what: str
) -> None:
    """Of these advertisements those to which the model does not yield leave a MASTER where it is; it yields to a better one."""
    refused = [(frame, changed) for frame, yields, changed in frames if not yields]
    leaves_a_master_alone(
        subject,
        [frame for frame, _ in refused],
        per_second,
        f"{what} without effect",
        lambda index: f"with {refused[index][1]}",
    )
    subject.proves_to_yield(tester.send(subject.better()))


def with_effect(subject: Subject, frames: Sequence[Judged], what: str) -> None:
    """A MASTER yields to each of these advertisements to which the model does: it takes over anew at the farewell after each."""
    wire = subject.segment
    believed = [(frame, changed) for frame, yields, changed in frames if yields]
    pairs = [
        (frame, subject.peer(255, 255, counter=APART * number + APART // 2).frame())
        for number, (frame, _) in enumerate(believed, 1)
    ]
    began_ns = wire.now_ns()
    with flood(wire, chain.from_iterable(pairs), PER_SECOND):
        wire.watch(2 * len(pairs) * SECOND_NS // PER_SECOND)
    # A busy host works the rest off later: one frame each time that its loop comes round, with a script at each change.
    wire.loop.run_until(lambda: not unanswered(subject, pairs), wire.now_ns() + LOOK_ON_NS)
    missed = unanswered(subject, pairs)
    wire.check(
        f"the list of those, of {len(believed)} {what} that are valid however odd, to which {subject.name} does not yield",
        "; ".join(f"{believed[index][1]} (frame {seen.number})" for index, seen in missed) or "empty",
        "empty",
        *(seen for _, seen in missed),
        race=(LOOK_ON_NS, began_ns),
    )


def unanswered(subject: Subject, pairs: Sequence[Pair]) -> list[tuple[int, FrameSeen]]:
    """The pairs, by their index and by the changed advertisement as it was sent, whose farewell did not make the IUT take over, because it had not yielded.

    It is told by its counter, which goes on from the one heard, or where that is constant by the time: before the next pair.
    """
    sent = {seen.frame.data: seen for seen in subject.segment.trace.frames if seen.sent}
    own = [(seen.time_ns, subject.header(seen).counter) for seen in subject.own_frames()]
    ends = [*(sent[frame].time_ns for frame, _ in pairs[1:]), subject.segment.now_ns()]
    found = []
    for index, ((frame, farewell), end_ns) in enumerate(zip(pairs, ends, strict=True)):
        heard = sent[farewell].frame.carp
        assert heard is not None
        follows = (int.from_bytes(heard.counter, "big") + 1).to_bytes(8, "big")
        taken = (
            counter == follows
            if subject.dialect.follows_counter
            else sent[farewell].time_ns <= time_ns < end_ns
            for time_ns, counter in own
        )
        if not any(taken):
            found.append((index, sent[frame]))
    return found


def fuzzed(seed: int) -> Ways:
    """The ways that are drawn from a seed."""
    return [(str(one), one.frame) for one in drawn(seed, DRAWN)]


@covers("CARP-ROBUST-014", "CARP-RX-024")
@takes(14)
def test_what_is_wrong_in_any_way_is_refused(master: Subject, tester: Tester, wire: Segment) -> None:
    """Advertisements to which the model of its dialect does not yield, whatever is changed in them, leave a MASTER where it is; it yields to a better one."""
    seed = tells_seed(wire)
    without_effect(master, tester, judged(master, fuzzed(seed)), PER_SECOND, f"advertisements of seed {seed}")


@covers("CARP-ROBUST-014")
@takes(14)
def test_what_is_odd_in_any_way_is_believed(master: Subject, wire: Segment) -> None:
    """A MASTER yields to each advertisement to which the model of its dialect does, however odd it is: it takes over anew at the farewell after each."""
    seed = tells_seed(wire)
    with_effect(master, judged(master, fuzzed(seed)), f"advertisements of seed {seed}")


# --- every malformation, and every bit of the header


def malformed() -> Ways:
    """All named malformations."""
    return [(str(one), one.frame) for one in MALFORMATIONS]


def flipped() -> Ways:
    """Each bit of the header flipped after the digest was made; the checksum is made right again unless it is one of its own."""
    return [
        (f"bit {bit} of byte {byte} flipped", flip(byte, bit)) for byte in range(LENGTH) for bit in range(8)
    ]


def flip(byte: int, bit: int) -> Callable[[Advertisement], bytes]:
    """Makes the frame of an advertisement with one bit of its header flipped."""

    def make(advertisement: Advertisement) -> bytes:
        header = bytearray(advertisement.header.summed())
        header[byte] ^= 1 << bit
        whole = bytes(header) if byte in _CHECKSUM_AT else summed(bytes(header))
        return carried(whole, advertisement.source, source_mac=virtual_mac(advertisement.vhid))

    return make


@covers("CARP-RX-024")
@takes(14)
def test_every_malformation_leaves_a_master_where_it_is(master: Subject, tester: Tester) -> None:
    """Better advertisements with each of the named malformations do not move a MASTER, where its dialect refuses them; it yields to a sound one."""
    without_effect(master, tester, judged(master, malformed()), QUICK_PER_SECOND, "malformed advertisements")


@covers("CARP-RX-023")
@takes(10)
def test_no_malformation_holds_a_backup(backup: Subject, tester: Tester, wire: Segment) -> None:
    """A stream of all named malformations in turn, as far as the dialect refuses them, does not hold a BACKUP; sound advertisements do."""
    refused = [frame for frame, yields, _ in judged(backup, malformed()) if not yields]
    with flood(wire, cycle(refused), QUICK_PER_SECOND):
        wire.expect(backup.becomes_master(), within=backup.besieged_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@covers("CARP-AUTH-013", "CARP-AUTH-014", "CARP-AUTH-015", "CARP-RX-005")
@takes(14)
def test_bits_that_are_protected(master: Subject, tester: Tester) -> None:
    """Of the 288 bits of the header none that the dialect protects can be flipped with an effect, the checksum being made right again."""
    without_effect(
        master, tester, judged(master, flipped()), QUICK_PER_SECOND, "advertisements with a flipped bit"
    )


@covers("CARP-RX-007", "CARP-RX-008", "CARP-AUTH-016")
@takes(12)
def test_bits_that_are_not_protected(master: Subject) -> None:
    """A MASTER yields to advertisements in which a bit was flipped that neither the digest nor a check of the dialect protects: of type and authlen at least."""
    with_effect(master, judged(master, flipped()), "advertisements with a flipped bit")
