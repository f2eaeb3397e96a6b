"""A layer-2 segment as a case sees it: send, wait, look, decide. The same for live and simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from conformance.segment.decision import (
    Condition,
    Decision,
    Inconclusive,
    Mismatch,
    Vacuous,
    Window,
    choice,
    said,
    seconds,
)
from conformance.segment.loop import Loop
from conformance.segment.stalls import Stalls
from conformance.segment.trace import Event, FrameSeen, HostEvent, TesterAction, Trace

LOOK_ON_NS = 3_000_000_000
"""How long past a deadline a case looks on, to tell late from never."""
NOISE_FACTOR = 2
"""A time that is missed by no more than this many times the rig's own noise decides nothing."""
HEARTBEAT_NS = 100_000_000
SAMPLE_NS = 500_000_000
CLOCK_STEP_NS = 30_000_000
"""A step of the wall clock beyond which silence proves nothing."""


class Port(Protocol):
    """The tester's attachment to a segment."""

    def send(self, frame: bytes) -> None:
        """Puts an Ethernet frame (no check sequence) on the wire."""

    def dropped(self) -> int:
        """Frames that the capture has lost since it began."""


@dataclass(slots=True)
class Segment:
    """The tester's side of one segment, with the trace of what happened there and the decisions made so far.

    ``describe`` may add lines to a mismatch that help a developer (state of the IUT, last log lines). ``clock_step_ns`` and ``stalled_ns`` tell
    by how much the wall clock has moved and how long the processes of tester and IUTs have stood still for want of a CPU, where that can happen.
    ``hear_out`` returns when hosts that are heard with a delay have said all; nothing is missed, or called late, before.
    """

    loop: Loop
    trace: Trace
    port: Port
    decisions: list[Decision] = field(default_factory=list)
    describe: Callable[[], str] = str
    clock_step_ns: Callable[[], int] = int
    stalled_ns: Callable[[], int] = int
    hear_out: Callable[[], object] = object
    _stalls: Stalls = field(default_factory=Stalls)

    def __post_init__(self) -> None:
        self._sample()

    def now_ns(self) -> int:
        return self.loop.now_ns()

    @property
    def dropped(self) -> int:
        """Frames that the capture lost."""
        return self.port.dropped()

    def note(self, text: str) -> None:
        """Puts a tester action on the time line."""
        self.trace.add(TesterAction(self.now_ns(), text))

    def send(self, frame: bytes) -> FrameSeen:
        """Sends a frame and returns it as the capture saw it leave, with its kernel time stamp."""
        seen: list[FrameSeen] = []

        def sent(event: Event) -> None:
            if isinstance(event, FrameSeen) and event.sent and event.frame.data == frame:
                seen.append(event)

        self.trace.listeners.append(sent)
        try:
            self.port.send(frame)
            if not self.loop.run_until(lambda: bool(seen), self.now_ns() + 1_000_000_000):
                raise Inconclusive(
                    "the capture did not see a frame of the tester's own within 1 s: the rig is overloaded or the link is down"
                )
        finally:
            self.trace.listeners.remove(sent)
        return seen[0]

    def watch(self, for_ns: int) -> list[Event]:
        """Lets ``for_ns`` pass and returns the events of that time."""
        first = len(self.trace.events)
        with self._heartbeat():
            self.loop.run_for(for_ns)
        return self.trace.events[first:]

    def wait(self, condition: Condition, deadline_ns: int, *, since_ns: int | None = None) -> Event | None:
        """The first event from ``since_ns`` on that satisfies ``condition``, or None at ``deadline_ns``; without ``since_ns`` the first that is yet to come. Decides nothing."""
        found: list[Event] = []
        first_ns = self.now_ns() if since_ns is None else since_ns
        for event in () if since_ns is None else self.trace.since(since_ns):
            if condition.match(event):
                return event

        def look(event: Event) -> None:
            # What was on the wire before may be read from the socket only now.
            if not found and event.time_ns >= first_ns and condition.match(event):
                found.append(event)

        self.trace.listeners.append(look)
        try:
            with self._heartbeat():
                self.loop.run_until(lambda: bool(found), deadline_ns)
        finally:
            self.trace.listeners.remove(look)
        return found[0] if found else None

    def expect(self, condition: Condition, *, within: Window) -> Event:
        """The first event after the window's anchor that satisfies ``condition``; it must lie in the window.

        Raises :class:`Mismatch` if it comes early, late (looked for until ``LOOK_ON_NS`` past the deadline) or never, and :class:`Inconclusive` instead where the rig
        was noisier than the miss, lost frames or had its clock stepped.
        """
        event = self.wait(condition, within.to_ns + LOOK_ON_NS, since_ns=within.anchor_ns + 1)
        if event is None:
            self.hear_out()
            event = next(filter(condition.match, self.trace.since(within.anchor_ns + 1)), None)
        expected = f"{condition.text} {within}"
        frames = (event,) if isinstance(event, FrameSeen) else ()
        if event is None:
            self._judge_capture(expected)
            looked_ns = within.to_ns + LOOK_ON_NS - within.anchor_ns
            self._judge_rig(LOOK_ON_NS, within.anchor_ns, f"{expected} and it never came")
            self._decide(
                expected,
                f"never: not in the {seconds(looked_ns)} after {within.anchor}",
                met=False,
                window=within,
            )
        elif within.from_ns <= event.time_ns <= within.to_ns:
            self._decide(
                expected,
                f"{seconds(event.time_ns - within.anchor_ns)} after {within.anchor}",
                frames,
                met=True,
                window=within,
                after_ns=event.time_ns - within.anchor_ns,
            )
        else:
            miss_ns = max(within.from_ns - event.time_ns, event.time_ns - within.to_ns)
            word = "early" if event.time_ns < within.from_ns else "late"
            self._judge_rig(miss_ns, within.anchor_ns, expected)
            after_ns = event.time_ns - within.anchor_ns
            actual = f"{seconds(after_ns)} after {within.anchor}: too {word} by {seconds(miss_ns)}"
            self._decide(expected, actual, frames, met=False, window=within, after_ns=after_ns)
        assert event is not None
        return event

    def expect_none(
        self, condition: Condition, *, for_ns: int, barrier: Callable[[], FrameSeen | HostEvent]
    ) -> None:
        """Nothing that satisfies ``condition`` happens for ``for_ns``; then ``barrier`` must show that the IUT's host would still have been heard.

        Such a decision is not positive: a case made of nothing else is vacuous.
        """
        begun_ns = self.now_ns()
        event = self.wait(condition, begun_ns + for_ns)
        expected = f"not that {condition.text}, for {seconds(for_ns)}"
        if event is not None:
            frames = (event,) if isinstance(event, FrameSeen) else ()
            which = f" (frame {event.number})" if isinstance(event, FrameSeen) else ""
            into = seconds(max(event.time_ns - begun_ns, 0))
            actual = f"{condition.text} at {self._clock(event.time_ns)}{which}, {into} after this began"
            self._decide(expected, actual, frames, met=False)
        alive = barrier()
        self._judge_capture(expected)
        frames = (alive,) if isinstance(alive, FrameSeen) else ()
        self._decide(
            expected, "nothing, and the host was still heard afterwards", frames, met=True, positive=False
        )

    def check(
        self,
        what: str,
        actual: object,
        expected: object,
        *frames: FrameSeen,
        race: tuple[int, int] | None = None,
    ) -> None:
        """``actual`` (of something that the IUT did, in ``frames``) equals ``expected``, or is one of it if that is a set or a range.

        ``race``: if the outcome hangs on who was first, the lead in ns and when it began; inconclusive where the rig has been noisier since then.
        """
        options = isinstance(expected, (set, frozenset, range))
        met = actual in expected if options else actual == expected  # type: ignore[operator]
        wanted = f"{what} is {choice(expected)}" if options else said(what, expected)
        if not met and race is not None:
            self._judge_rig(*race, f"{wanted}, by a lead of {seconds(race[0])}")
        self._decide(
            wanted,
            said(what, actual),
            frames,
            met=bool(met),
        )

    def check_span(
        self, what: str, actual_ns: int, bounds_ns: tuple[int, int], *frames: FrameSeen, since_ns: int = 0
    ) -> None:
        """A measured duration lies within ``bounds_ns``; inconclusive where the rig has been too noisy since ``since_ns`` to tell."""
        expected = f"{what} is {seconds(bounds_ns[0])} to {seconds(bounds_ns[1])}"
        miss_ns = max(bounds_ns[0] - actual_ns, actual_ns - bounds_ns[1])
        if miss_ns > 0:
            self._judge_rig(miss_ns, since_ns, expected)
        self._decide(expected, f"{what} is {seconds(actual_ns)}", frames, met=miss_ns <= 0)

    def missed(self, expected: str, actual: str, *frames: FrameSeen) -> NoReturn:
        """Decides that ``expected`` did not happen: raises :class:`Mismatch`."""
        self._decide(expected, actual, frames, met=False)
        raise AssertionError("a decision that is not met raises")

    def finish(self) -> None:
        """Raises :class:`Vacuous` if no decision rests on something that the IUT did."""
        if not any(decision.positive for decision in self.decisions):
            raise Vacuous("the case ended without one decision that rests on something the IUT did")

    def _decide(
        self,
        expected: str,
        actual: str,
        frames: Iterable[FrameSeen] = (),
        *,
        met: bool,
        window: Window | None = None,
        positive: bool = True,
        after_ns: int | None = None,
    ) -> None:
        cited = tuple(frames)
        self.decisions.append(
            Decision(expected, actual, met, tuple(f.number for f in cited), window, positive, after_ns)
        )
        for frame in cited:
            self.trace.cite(frame, f"{'as expected' if met else 'MISMATCH'}: {expected}; {actual}")
        if not met:
            raise Mismatch(expected, actual, cited, context=self.describe())

    def _judge_capture(self, expected: str) -> None:
        """Silence proves nothing where frames were lost, or carry the time stamps of another time."""
        if self.dropped:
            raise Inconclusive(
                f"expected {expected}; the capture lost {self.dropped} frames, and what was waited for may be one of them: run it with fewer lanes"
            )
        self._judge_clock(CLOCK_STEP_NS)

    def noise_ns(self, since_ns: int, span_ns: int | None = None) -> int:
        """How late this machine may have run anything since ``since_ns``: the worst lateness of the tester's own timers, or all the time in which tester and IUTs waited for a CPU.

        ``span_ns``: what was measured since then adds up over so long and no longer, as a hand-over in a minute of other things; the worst of such spans counts.
        """
        self._sample()
        stalled_ns = (
            self._stalls.since_ns(since_ns) if span_ns is None else self._stalls.worst_ns(since_ns, span_ns)
        )
        return max(self.loop.worst_lateness_ns(since_ns), stalled_ns)

    def _judge_rig(self, miss_ns: int, since_ns: int, expected: str) -> None:
        self.hear_out()
        noise_ns = self.noise_ns(since_ns)
        if NOISE_FACTOR * noise_ns >= miss_ns:
            raise Inconclusive(
                f"expected {expected}; missed by {seconds(miss_ns)}, but this machine was busy and ran things up to {seconds(noise_ns)} late: run it with fewer lanes or on a quieter machine"
            )
        self._judge_clock(miss_ns)

    def _judge_clock(self, limit_ns: int) -> None:
        step_ns = abs(self.clock_step_ns())
        if NOISE_FACTOR * step_ns >= limit_ns:
            raise Inconclusive(
                f"the wall clock was stepped by {seconds(step_ns)} during the case, and packet time stamps with it: run it again"
            )

    @contextmanager
    def _heartbeat(self) -> Iterator[None]:
        """Timers of no other use than to measure how late this machine runs them, and samples of who waited for a CPU; virtual time is never late."""
        if not self.loop.clock.real:
            yield
            return
        with self.loop.every(HEARTBEAT_NS, lambda: None), self.loop.every(SAMPLE_NS, self._sample):
            yield

    def _sample(self) -> None:
        self._stalls.sample(self.now_ns(), self.stalled_ns())

    def _clock(self, time_ns: int) -> str:
        first = self.trace.events[0].time_ns if self.trace.events else time_ns
        return f"{seconds(time_ns - first)} into the case"
