"""When an IUT must do something: the windows that follow from its settings and from the rules of its dialect."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.segment.decision import NotApplicable, Window
from conformance.segment.trace import FrameSeen
from conformance.targets.protocol import Declaring
from conformance.targets.subject.recognised import Recognised


@dataclass(slots=True)
class Timed(Recognised):
    """One IUT with the times in which it must act. All are nanoseconds."""

    def master_down_window(self, after: FrameSeen | int | None = None) -> Window:
        """When it must become MASTER: after ``after``, or after the last thing that restarted its timer (a valid advertisement, or its start)."""
        if after is None:
            after = self.last_valid() or self.started_ns
        if isinstance(after, int):
            return Window.after(after, self._start_window_ns(), f"the start of {self.name}")
        return Window.after(
            after.time_ns,
            self.dialect.take_over_window_ns(self.settings.advbase, self.settings.advskew, self._dead_ratio),
            f"frame {after.number}, which restarted its timer",
        )

    def besieged_window(self) -> Window:
        """When it must become MASTER while frames that it rejects keep coming: each of them wakes a poll loop, which may then miss the end of its timer by
        one period (CARP-RX-023).
        """
        window = self.master_down_window()
        loop = self.dialect.poll_loop
        if loop is None:
            return window
        advbase, advskew = self.settings.advbase, self.settings.advskew
        down_ns = self.dialect.master_down_ns(advbase, advskew, self._dead_ratio)
        latest_ns = (
            loop.read_timeout_ns
            + down_ns
            + loop.period_ns(advbase, advskew)
            + self.dialect.timer_slack.late_ns
        )
        return Window(
            window.anchor_ns, window.from_ns, max(window.to_ns, window.anchor_ns + latest_ns), window.anchor
        )

    def reaction_window(self, after: FrameSeen | int) -> Window:
        """When the effect of ``after`` must be visible."""
        if isinstance(after, int):
            return Window.after(after, self.dialect.reaction_window_ns, "the event")
        return Window.after(after.time_ns, self.dialect.reaction_window_ns, f"frame {after.number}")

    def interval_window(self, after: FrameSeen) -> Window:
        """When its next advertisement is due after its advertisement ``after``."""
        bounds = self.dialect.interval_window_ns(self.settings.advbase, self.settings.advskew)
        return Window.after(after.time_ns, bounds, f"its advertisement, frame {after.number}")

    def pace_ns(self, count: int) -> int:
        """The interval at which ``count`` frames are sent before its master-down time can have passed."""
        return self.take_over_bounds_ns[0] * 9 // (10 * count)

    def link_up_window(self, up_ns: int) -> Window:
        """When a host that nobody disturbs must be MASTER again after its link came back at ``up_ns``: a full start, later where the link is only polled."""
        earliest_ns, latest_ns = self._start_window_ns()
        return Window.after(
            up_ns, (earliest_ns, latest_ns + self._link_late_ns), f"the link of {self.name} came back"
        )

    def link_down_window(self, down_ns: int) -> Window:
        """When a MASTER must have noticed that its link is gone: a polling one with its next advertisement."""
        late_ns = self.interval_ns if self.dialect.poll_loop else 0
        return Window.after(
            down_ns, (0, late_ns + self.dialect.reaction_window_ns[1]), f"the link of {self.name} was lost"
        )

    @property
    def take_over_bounds_ns(self) -> tuple[int, int]:
        """Shortest and longest time from the last advertisement that restarts its timer to its own first one."""
        return self.dialect.take_over_window_ns(
            self.settings.advbase, self.settings.advskew, self._dead_ratio
        )

    @property
    def just_now_ns(self) -> int:
        """The moment before an action of the tester: in virtual time its effects bear the time of the action itself."""
        return self.segment.now_ns() - 1

    @property
    def started_ns(self) -> int:
        """When its master-down timer began to run. Raises :class:`NotApplicable` where somebody else started it."""
        if isinstance(self.host, Declaring):
            raise NotApplicable(
                f"{self.name} is started by somebody else: when its timer began to run nobody knows"
            )
        return self.iut.started_ns

    @property
    def start_window(self) -> Window:
        """When it must become MASTER on a silent segment, from its start."""
        return Window.after(self.started_ns, self._start_window_ns(), f"the start of {self.name}")

    @property
    def start_bounds_ns(self) -> tuple[int, int]:
        """Shortest and longest time from its start on a silent segment to its first advertisement."""
        return self._start_window_ns()

    @property
    def _link_late_ns(self) -> int:
        return self.dialect.poll_loop.link_sleep_ns if self.dialect.poll_loop else 0

    @property
    def _dead_ratio(self) -> int:
        return int(self.settings.options.get("dead_ratio", 3))

    def _start_window_ns(self) -> tuple[int, int]:
        return self.dialect.start_window_ns(self.settings.advbase, self.settings.advskew, self._dead_ratio)
