"""An IUT as a case sees it: how it gets where the case needs it, and what it must go on doing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.segment.decision import Condition, Mismatch, seconds
from conformance.segment.segment import LOOK_ON_NS
from conformance.segment.tester import Sendable
from conformance.segment.trace import Event, FrameSeen
from conformance.targets.subject.administered import Administered
from conformance.targets.subject.timed import Timed

_LATE_NS = 100_000_000
"""How late a MASTER may be without being taken for one that has yielded; a demoted one is late for its configured advskew, too."""
_SETTLE_NS = 5_000_000
"""Until the last frame of a stream that has ended has surely been captured."""


@dataclass(slots=True)
class Subject(Timed, Administered):
    """One IUT with everything that a case asks of it."""

    def reach_master(self) -> FrameSeen:
        """Waits until it advertises; raises :class:`Mismatch` if it never does. Setting the scene: not a decision."""
        window = self.master_down_window()
        event = self.segment.wait(self.becomes_master(), window.to_ns + LOOK_ON_NS, since_ns=window.anchor_ns)
        if not isinstance(event, FrameSeen):
            raise Mismatch(
                f"(precondition) {self.name} becomes MASTER {window}",
                f"it did not advertise in {seconds(window.to_ns + LOOK_ON_NS - window.anchor_ns)}",
                context=self.segment.describe(),
            )
        return event

    def next_own(self, count: int = 1, *, against: FrameSeen | None = None) -> list[FrameSeen]:
        """Its next ``count`` advertisements; raises :class:`Mismatch` where one is missing. ``against`` is the first frame that was sent to silence it."""
        found: list[FrameSeen] = []
        for _ in range(count):
            deadline_ns = self.segment.now_ns() + self.interval_ns + LOOK_ON_NS
            event = self.segment.wait(
                self.advertises(),
                deadline_ns,
                since_ns=(found[-1].time_ns if found else self.segment.now_ns()) + 1,
            )
            if not isinstance(event, FrameSeen):
                last = max(self.own_frames(), key=lambda seen: seen.number, default=None)
                since = "" if last is None else f" after frame {last.number}"
                if against is not None and against.sent:
                    since += f", frame {against.number} being the first that was sent against it"
                self.segment.missed(
                    f"{self.name} goes on advertising every {seconds(self.interval_ns)}",
                    f"no advertisement in {seconds(self.interval_ns + LOOK_ON_NS)}{since}",
                    *found[-1:],
                )
            found.append(event)
        return found

    def expect_yields(self, after: FrameSeen) -> None:
        """A MASTER steps down because of ``after``: by the end of its reaction window it is silent, for two of its intervals, while its host is still there.

        Where the host can be read, its own word is asked for as well; otherwise the case has to show that it comes back.
        """
        window = self.reaction_window(after)
        if self.profile.pics.get("state_read"):
            self.segment.expect(self.enters("BACKUP"), within=window)
        self.segment.loop.run_until(lambda: False, window.to_ns)
        self.stays_silent(2 * self.interval_ns)

    def proves_to_yield(self, after: FrameSeen) -> None:
        """As :meth:`expect_yields` where nothing else decides a case: a host that cannot be read proves it by coming back, in time after what it heard last."""
        self.expect_yields(after)
        if not self.profile.pics.get("state_read"):
            self.comes_back(self.last_valid() or after)

    def comes_back(self, after: FrameSeen) -> None:
        """After :meth:`expect_yields`: it becomes MASTER again in its window after ``after``, which made it yield and which nothing followed."""
        silent_ns = self.segment.now_ns()
        again = Condition(
            f"{self.name} becomes MASTER again", lambda e: self.is_own(e) and e.time_ns > silent_ns
        )
        self.segment.expect(again, within=self.master_down_window(after))

    def still_master(self, after: FrameSeen) -> bool:
        """Whether it still advertises when it could have reacted to ``after``. Decides nothing: for what is recorded and not demanded."""
        until_ns = max(self.reaction_window(after).to_ns, self.segment.now_ns())
        self.segment.loop.run_until(lambda: False, until_ns)
        return (
            self.segment.wait(self.advertises(), until_ns + self.interval_ns * 3 // 2, since_ns=until_ns + 1)
            is not None
        )

    def stays_silent(self, for_ns: int) -> None:
        """No advertisement of its own for ``for_ns``; the host must answer afterwards."""
        self.segment.expect_none(self.advertises(), for_ns=for_ns, barrier=self.alive)

    def stays_master(self, after: FrameSeen, count: int = 3) -> None:
        """It goes on advertising ``count`` more times after ``after``, beyond the time in which it could still have been reacting.

        It is not silent for more than two intervals: one that has yielded is, before it comes back.
        """
        last_ns = max(self.reaction_window(after).to_ns, self.segment.now_ns())
        self.segment.loop.run_until(lambda: False, last_ns)
        for seen in self.next_own(count, against=after):
            silence = f"the time without an advertisement of {self.name} as MASTER"
            self.segment.check_span(
                silence, seen.time_ns - last_ns, (0, 2 * self.interval_ns + _LATE_NS), seen, since_ns=last_ns
            )
            last_ns = seen.time_ns

    def keeps_its_interval(self, count: int, before: FrameSeen | None = None) -> None:
        """Each of its next ``count`` advertisements is in time after the one before; the first after ``before``, or after its next."""
        last = before or self.next_own()[0]
        for _ in range(count):
            event = self.segment.expect(self.advertises(), within=self.interval_window(last))
            assert isinstance(event, FrameSeen)
            last = event

    def stays_backup(self, peer: Sendable, *, interval_ns: int | None = None, times: int = 1) -> None:
        """A stream of ``peer`` (at its own interval, or every ``interval_ns``) holds a BACKUP beyond its master-down time, ``times`` times as long; when the
        stream ends it takes over in time.
        """
        with self.tester.advertising(peer, interval_ns=interval_ns):
            self.stays_silent(times * self.take_over_bounds_ns[1])
        self.segment.watch(_SETTLE_NS)
        self.segment.expect(self.becomes_master(), within=self.master_down_window())

    @contextmanager
    def reflected(self) -> Iterator[None]:
        """Each of its advertisements comes back to it unchanged, as from a bridge with a loop."""

        def send_back(event: Event) -> None:
            if isinstance(event, FrameSeen) and self.is_own(event):
                self.segment.port.send(event.frame.data)

        self.segment.note(f"sends every advertisement of {self.name} back to it")
        self.segment.trace.listeners.append(send_back)
        try:
            yield
        finally:
            self.segment.trace.listeners.remove(send_back)
        self.segment.note(f"no longer sends back what {self.name} advertises")

    def alive(self) -> FrameSeen:
        """The barrier: the host's answer to an ARP request for its real address."""
        return self.tester.hears(self.name, self.host.addresses[0])
