"""AUTH: how the counter runs, and what digest and counter do not keep out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from itertools import pairwise
from typing import Any

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire import frame
from conformance.wire.advertisement import Advertisement

HIGHEST = 2**64 - 1
SETTLE_NS = 5_000_000
"""Until the last frame of a stream that has ended has surely been captured."""


def counter_of(seen: FrameSeen) -> int:
    return int.from_bytes(Subject.header(seen).counter, "big")


# --- what it does not keep out: recorded, never demanded


@dataclass(frozen=True, slots=True)
class Forgery:
    """An honest advertisement in which fields outside the digest are rewritten, the checksum put right and
    the digest left alone.
    """

    name: str
    honest: Callable[[Subject], Advertisement]
    changes: Mapping[str, Any]

    def __call__(self, advertisement: Advertisement) -> bytes:
        header = replace(advertisement.header, **self.changes)
        return frame.advertisement(
            header.summed(), advertisement.source, source_mac=frame.virtual_mac(header.vhid)
        )

    def __str__(self) -> str:
        return self.name


UNPROTECTED = (
    Forgery("advskew", lambda master: master.worse(), {"advskew": 0}),
    Forgery("advbase", lambda master: master.peer(master.settings.advbase + 1, 0), {"advbase": 1}),
    Forgery("fifth-byte", lambda master: master.better(), {"demote": 1}),
    Forgery("authlen", lambda master: master.better(), {"authlen": 0}),
    Forgery("type", lambda master: master.better(), {"type": 2}),
)


def lets_go(subject: Subject, wire: Segment) -> None:
    """A BACKUP that was held by a stream which has just ended takes over in time."""
    wire.watch(SETTLE_NS)
    wire.expect(subject.becomes_master(), within=subject.master_down_window())


def follows(subject: Subject, tester: Tester) -> None:
    """A MASTER yields to an honest, better stream."""
    with tester.advertising(subject.better()) as first:
        subject.expect_yields(first)


@covers("CARP-AUTH-016")
@takes(13)
@pytest.mark.parametrize("forgery", UNPROTECTED, ids=str)
def test_field_outside_the_digest_is_believed(
    master: Subject, tester: Tester, wire: Segment, forgery: Forgery
) -> None:
    """Whether a MASTER believes an advertisement in which a field outside the digest was rewritten is
    recorded; it must come back, or still yield to an honest one.
    """
    with tester.advertising(forgery.honest(master), forgery, interval_ns=master.interval_ns) as first:
        refused = master.still_master(first)
    wire.check(
        f"an advertisement with a forged {forgery}",
        "refused" if refused else "believed",
        {"refused", "believed"},
        first,
    )
    follows(master, tester) if refused else lets_go(master, wire)


@covers("CARP-AUTH-017")
@takes(13)
def test_replay_is_believed(backup: Subject, tester: Tester, wire: Segment) -> None:
    """Whether a recorded advertisement, sent again and again after newer ones, holds a BACKUP is recorded; it
    must take over when that ends, or still yield to fresh ones.
    """
    recorded = backup.last_valid()
    assert recorded is not None
    tester.send(backup.better())
    with tester.advertising(backup.better(), lambda _: recorded.frame.data):
        held = wire.wait(backup.becomes_master(), wire.now_ns() + backup.take_over_bounds_ns[1]) is None
    wire.check(
        "a replayed advertisement", "believed" if held else "refused", {"refused", "believed"}, recorded
    )
    lets_go(backup, wire) if held else follows(backup, tester)


# --- the counter


def counted(counter: int) -> Callable[[Advertisement], bytes]:
    """Sends an advertisement with exactly this counter, which may be 0."""
    return lambda advertisement: advertisement.but(counter=counter).frame()


def next_interval(master: Subject, heard: FrameSeen) -> Window:
    """Until when a MASTER that reacts to ``heard`` has sent its next advertisement."""
    _, reacts_ns = master.dialect.reaction_window_ns
    _, sends_ns = master.dialect.interval_window_ns(master.settings.advbase, master.settings.advskew)
    return Window.after(heard.time_ns, (0, reacts_ns + sends_ns), f"frame {heard.number}")


@covers("CARP-AUTH-024")
@takes(9)
@pytest.mark.parametrize("heard", [0xFF, 0xFFFF_FFFF, 0x0123_4567_89AB_CDEF], ids=hex)
def test_counter_goes_on_from_the_one_heard(
    master: Subject, tester: Tester, wire: Segment, heard: int
) -> None:
    """After a MASTER has heard a worse peer its counter is that of the peer plus one, and each further
    advertisement adds one.
    """
    sent = tester.send(master.worse(counter=heard))
    wire.expect(master.counts(heard + 1), within=next_interval(master, sent))
    for expected, seen in enumerate(master.next_own(2), heard + 2):
        wire.check("counter", f"{counter_of(seen):#x}", f"{expected:#x}", seen)


@covers("CARP-AUTH-024")
@takes(6)
def test_counter_goes_on_at_take_over(backup: Subject, wire: Segment) -> None:
    """The first advertisement of a new MASTER carries the counter of the last one that it heard, plus one."""
    last = backup.last_valid()
    assert last is not None
    seen = wire.expect(backup.becomes_master(), within=backup.master_down_window(last))
    assert isinstance(seen, FrameSeen)
    wire.check("counter", counter_of(seen), counter_of(last) + 1, last, seen)


@covers("CARP-AUTH-024", "CARP-AUTH-027")
@takes(7)
@pytest.mark.parametrize(("heard", "own"), [(0, 1), (HIGHEST, 0)], ids=["0", "2^64-1"])
def test_counter_wraps(master: Subject, tester: Tester, wire: Segment, heard: int, own: int) -> None:
    """After a counter of 0 the own one is 1, and after 2^64-1 it is 0."""
    sent = tester.send(master.worse(), counted(heard))
    wire.expect(master.counts(own), within=next_interval(master, sent))


@covers("CARP-AUTH-025")
@takes(9)
def test_lone_master_draws_each_counter(master: Subject, wire: Segment) -> None:
    """The counters of a MASTER that has never heard a peer are neither constant nor counting up."""
    seen = [*list(master.own_frames())[:1], *master.next_own(3)]
    counters = [counter_of(one) for one in seen]
    wire.check("number of different counters", len(set(counters)), 4, *seen)
    wire.check(
        "one counter being the one before plus one",
        any(b == a + 1 for a, b in pairwise(counters)),
        False,
        *seen,
    )


@covers("CARP-AUTH-026")
@takes(12)
def test_counter_is_constant(master: Subject, tester: Tester, wire: Segment) -> None:
    """OpenBSD sends one counter for ever, whatever a peer sends."""
    before = master.next_own(2)
    tester.send(master.worse(counter=0xFF))
    seen = [*before, *master.next_own(3)]
    wire.check("number of different counters", len({counter_of(one) for one in seen}), 1, *seen)


@covers("CARP-AUTH-027")
@takes(9)
@pytest.mark.parametrize("counter", [0, 1, HIGHEST], ids=["0", "1", "2^64-1"])
def test_every_counter_is_accepted(master: Subject, tester: Tester, counter: int) -> None:
    """A MASTER yields to a better advertisement with the lowest or the highest counter."""
    master.proves_to_yield(tester.send(master.better(), counted(counter)))


@covers("CARP-AUTH-027")
@takes(14)
def test_backup_accepts_a_lower_counter(backup: Subject, tester: Tester, wire: Segment) -> None:
    """A stream of counter 0 holds a BACKUP that has heard the highest counter before."""
    tester.send(backup.better(), counted(HIGHEST))
    with tester.advertising(backup.better(), counted(0)):
        backup.stays_silent(backup.take_over_bounds_ns[1])
    lets_go(backup, wire)


@covers("CARP-AUTH-028")
@needs("ipv6")
def test_families_take_consecutive_counters(
    start: Start, bench: Bench, tester: Tester, wire: Segment
) -> None:
    """Once a dual-stack MASTER has heard a peer, the IPv4 and the IPv6 advertisement of an interval carry
    consecutive counters.
    """
    master = start(
        addresses=(
            bench.shared_addresses[0],
            next(a for a in bench.shared_addresses if isinstance(a, IPv6Address)),
        )
    )
    master.reach_master()
    sent = tester.send(master.worse(counter=0xFF))
    first = wire.expect(master.counts(0x100), within=next_interval(master, sent))
    assert isinstance(first, FrameSeen)
    wire.watch(2 * master.interval_ns)
    following = [seen for seen in master.own_frames() if seen.number > first.number]
    for expected, seen in enumerate(following[:3], 0x101):
        wire.check("counter", f"{counter_of(seen):#x}", f"{expected:#x}", seen)
