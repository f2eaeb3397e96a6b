"""Several IUTs of one virtual host on one segment: who of them is MASTER, and how long two were."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.segment.decision import Mismatch, seconds
from conformance.segment.segment import Segment
from conformance.segment.trace import FrameSeen
from conformance.targets.subject.subject import Subject

_INTERVALS = 2


@dataclass(frozen=True, slots=True)
class Group:
    """The hosts of one virtual host. They must have different names."""

    segment: Segment
    members: tuple[Subject, ...]

    @property
    def interval_ns(self) -> int:
        """The longest interval of a member."""
        return max(member.interval_ns for member in self.members)

    @property
    def settled_ns(self) -> int:
        """From the moment when the members start, or hear one another, to the moment from which one of them
        alone may advertise: the slowest's take-over and two intervals.
        """
        return (
            max(max(member.take_over_bounds_ns[1], member.start_bounds_ns[1]) for member in self.members)
            + 2 * self.interval_ns
        )

    def settles_on(
        self, *chosen: Subject, after_ns: int, together: bool = False
    ) -> dict[str, list[FrameSeen]]:
        """From :attr:`settled_ns` after ``after_ns`` on, exactly one member advertises, and it is one of
        ``chosen`` (of all, unless given). Returns the frames of that time by host.

        ``together``: they were to start at the same time, so that what lay between their starts is taken off the lead of ``chosen``.
        """
        self.segment.loop.run_until(lambda: False, after_ns + self.settled_ns)
        best = chosen or self.members
        leads_ns = [
            (other.iut.started_ns + other.take_over_bounds_ns[0])
            - (one.iut.started_ns + one.take_over_bounds_ns[0])
            if together
            else abs(other.take_over_bounds_ns[0] - one.take_over_bounds_ns[0])
            for one in best
            for other in self.members
            if other not in best
        ]
        return self.advertisers_are(
            *({name} for name in sorted(member.name for member in best)),
            race=(max(min(leads_ns), 0), after_ns) if leads_ns else None,
        )

    def advertisers_are(
        self, *options: set[str], race: tuple[int, int] | None = None
    ) -> dict[str, list[FrameSeen]]:
        """For two intervals the hosts that advertise are one of ``options``. Returns their frames by host.

        ``race``: the lead in ns by which they were to be first, and when it began; that another one alone was first decides nothing where the rig was noisier than that.
        """
        until_ns = self.segment.now_ns()
        events = self.segment.watch(_INTERVALS * self.interval_ns + self.interval_ns // 2)
        found = {
            member.name: [
                event
                for event in events
                if isinstance(event, FrameSeen) and event.time_ns >= until_ns and member.is_own(event)
            ]
            for member in self.members
        }
        speaking = {name: frames for name, frames in found.items() if frames}
        what = f"who advertises vhid {self.members[0].settings.vhid} for {_INTERVALS} intervals"
        expected = frozenset(" and ".join(sorted(option)) or "nobody" for option in options)
        self.segment.check(
            what,
            " and ".join(sorted(speaking)) or "nobody",
            expected,
            *(frames[-1] for frames in speaking.values()),
            race=race if len(speaking) == 1 else None,
        )
        return found

    def overlap_ns(self, former: Subject, new: Subject) -> tuple[int, FrameSeen, FrameSeen]:
        """How long both were MASTER on the wire: from the first advertisement of ``new`` to the last of
        ``former`` so far (0 or less: not at all), and the two.
        """
        first = next(new.own_frames(), None)
        last = max(former.own_frames(), key=lambda seen: seen.number, default=None)
        if first is None or last is None:
            raise Mismatch(
                f"{former.name} and then {new.name} advertise",
                f"{former.name if last is None else new.name} never did",
                context=self.segment.describe(),
            )
        return last.time_ns - first.time_ns, first, last

    def __str__(self) -> str:
        return ", ".join(
            f"{one.name} {one.settings.advbase}/{one.settings.advskew} every {seconds(one.interval_ns)}"
            for one in self.members
        )
