"""Many frames in a short time, at a bounded rate, made beforehand so that the rig has time for its timers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from conformance.segment.segment import Segment

_SECOND_NS = 1_000_000_000
_TICK_NS = 10_000_000


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
