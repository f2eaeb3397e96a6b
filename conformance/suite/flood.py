"""Many frames in a short time, at a bounded rate, made beforehand so that the rig has time for its timers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from conformance.segment.segment import Segment
from conformance.segment.trace import Event, FrameSeen, HostEvent, HostKind
from conformance.targets.subject import Subject

_SECOND_NS = 1_000_000_000
_TICK_NS = 10_000_000
_SETTLE_NS = 5_000_000
"""Until the last frame has surely been heard."""
_LATE_NS = 100_000_000
"""How late a MASTER may be without being taken for one that has yielded and come back."""


def rate(wire: Segment, per_second: int) -> int:
    """Frames a second of a flood: ``per_second`` on a live segment, a tenth in virtual time, where nothing is ever overloaded and a flood only has to be one."""
    return per_second if wire.loop.clock.real else max(per_second // 10, 1)


@contextmanager
def flood(wire: Segment, frames: Iterable[bytes], per_second: int) -> Iterator[None]:
    """Sends ``frames`` one after the other, ``per_second`` of them, in bursts of a hundredth of a second, until they or the block end."""
    burst = max(per_second * _TICK_NS // _SECOND_NS, 1)
    rest = iter(frames)

    def send() -> None:
        for _ in range(burst):
            frame = next(rest, None)
            if frame is None:
                return
            wire.port.send(frame)

    wire.note(f"floods the segment with {per_second} frames a second")
    with wire.loop.every(burst * _SECOND_NS // per_second, send):
        yield
    wire.note("the flood ends")


def own_since(subject: Subject, since_ns: int) -> list[FrameSeen]:
    """The advertisements of the IUT after a moment."""
    return [seen for seen in subject.own_frames() if seen.time_ns > since_ns]


def leaves_a_master_alone(
    subject: Subject,
    frames: Sequence[bytes],
    per_second: int,
    what: str,
    wrong: Callable[[int], str] = lambda _: "one of them",
) -> None:
    """``frames``, ``per_second`` of them, which are ``what`` and which nobody may believe: the IUT advertises as a MASTER meanwhile and afterwards.

    ``wrong`` says what is wrong with the frame of an index.
    """
    wire, begun_ns, first = subject.segment, subject.segment.now_ns(), len(subject.segment.trace.frames)
    flood_ns = len(frames) * _SECOND_NS // per_second
    with flood(wire, frames, per_second):
        wire.watch(flood_ns + _SETTLE_NS)
    if subject.profile.pics.get("state_read"):
        sent = [seen for seen in wire.trace.frames[first:] if seen.sent]
        left = [event for event in wire.trace.since(begun_ns) if _leaves(event, subject)]
        before = [index for index, seen in enumerate(sent) if left and seen.time_ns <= left[0].time_ns]
        culprits = [
            f"frame {sent[index].number}, {wrong(index)}, if not one before it" for index in before[-1:]
        ]
        wire.check(
            f"what makes {subject.name} leave MASTER, of {len(frames)} {what}",
            "; ".join(culprits) or "nothing",
            "nothing",
            *(sent[index] for index in before[-1:]),
        )
    own = own_since(subject, begun_ns)
    wire.check(
        f"number of advertisements of {subject.name} during {len(frames)} {what}",
        len(own),
        range(max(flood_ns // subject.interval_ns - 1, 1), flood_ns // _SECOND_NS + 2),
        *own[-1:],
    )
    subject.next_own()
    earlier, later = max(pairwise(subject.own_frames()), key=lambda two: two[1].time_ns - two[0].time_ns)
    wire.check_span(
        f"the longest time between two advertisements of {subject.name} through {len(frames)} {what}",
        later.time_ns - earlier.time_ns,
        (0, 2 * subject.interval_ns + _LATE_NS),
        earlier,
        later,
        since_ns=begun_ns,
    )
    subject.stays_master(subject.alive(), count=1)


def _leaves(event: Event, subject: Subject) -> bool:
    return (
        isinstance(event, HostEvent)
        and event.host == subject.name
        and event.kind is HostKind.STATE
        and event.text != "MASTER"
    )
