"""An IUT that speaks VRRPv3 in place of CARP, as a case sees it: a :class:`Subject` whose advertisements and
times are those of VRRP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.model.vrrp3 import Vrrp3Rules
from conformance.segment.decision import Window
from conformance.segment.trace import Event, FrameSeen
from conformance.targets.subject.subject import Subject
from conformance.wire.vrrp3 import (
    CENTISECOND_NS,
    INTERVAL_CS,
    PRIORITY,
    Vrrp3,
    Vrrp3Advertisement,
    read,
    sums_up,
)

NUMBER = 3


@dataclass(slots=True)
class Router(Subject):
    """One IUT with ``carpver 3``. Its options ``vrrpprio`` and ``vrrpinterval`` say what it advertises."""

    @classmethod
    def of(cls, subject: Subject) -> Router:
        """The same IUT, which was started with the option ``carpver`` 3."""
        assert subject.settings.options.get("carpver") == NUMBER, "start it with carpver 3"
        return cls(
            subject.iut, subject.host, subject.settings, subject.profile, subject.segment, subject.tester
        )

    @property
    def rules(self) -> Vrrp3Rules:
        """How its dialect speaks VRRPv3."""
        assert self.dialect.vrrp3 is not None, "the case needs vrrp3"
        return self.dialect.vrrp3

    @property
    def priority(self) -> int:
        return int(self.settings.options.get("vrrpprio", PRIORITY))

    @property
    def interval_cs(self) -> int:
        return int(self.settings.options.get("vrrpinterval", INTERVAL_CS))

    @property
    def interval_ns(self) -> int:
        return self.interval_cs * CENTISECOND_NS

    # --- what a peer could send to it

    def router(self, priority: int, **changes: Any) -> Vrrp3Advertisement:
        """A sound advertisement of another router of its virtual router, over the family of the first shared
        address unless ``source`` says otherwise.
        """
        mine = self.settings.addresses
        made = Vrrp3Advertisement(
            vrid=self.settings.vhid,
            source=self.tester.address,
            addresses=mine,
            priority=priority,
            interval_cs=self.interval_cs,
        ).but(**changes)
        family = tuple(one for one in mine if one.version == made.source.version)
        return made.but(addresses=changes.get("addresses", family))

    # --- what it is seen to do

    def is_own(self, event: Event) -> bool:
        if not isinstance(event, FrameSeen) or event.sent:
            return False
        packet = read(event.frame)
        return packet is not None and packet.vrid == self.settings.vhid and self._is_from(event)

    def packet(self, seen: FrameSeen) -> Vrrp3:
        """The VRRPv3 packet of one of its advertisements."""
        packet = read(seen.frame)
        assert packet is not None, "is_own() finds nothing else"
        return packet

    def last_valid(self) -> FrameSeen | None:
        """The last advertisement on the segment that it had to take."""
        for seen in reversed(self.segment.trace.frames):
            packet = read(seen.frame)
            mine = packet is not None and packet.vrid == self.settings.vhid and not self.is_own(seen)
            if mine and seen.frame.ip is not None and seen.frame.ip.ttl == 255 and self._sums_up(seen):
                return seen
        return None

    # --- when it must do it

    def down_bounds_ns(self, master_cs: int) -> tuple[int, int]:
        """Shortest and longest time from the last advertisement of a master with this interval to its own
        first one.
        """
        down_ns = self.rules.down_cs(master_cs, self.priority) * CENTISECOND_NS
        return self.dialect.timer_slack.around(down_ns)

    def master_down_window(self, after: FrameSeen | int | None = None) -> Window:
        if after is None:
            after = self.last_valid() or self.iut.started_ns
        if isinstance(after, int):
            return Window.after(after, self._start_window_ns(), f"the start of {self.name}")
        packet = read(after.frame)
        heard_cs = self.interval_cs if packet is None else self.rules.reads_cs(packet)
        what = f"frame {after.number}, which restarted its timer"
        return Window.after(after.time_ns, self.down_bounds_ns(heard_cs), what)

    def interval_window(self, after: FrameSeen) -> Window:
        bounds = self.dialect.timer_slack.around(self.interval_ns)
        return Window.after(after.time_ns, bounds, f"its advertisement, frame {after.number}")

    @property
    def take_over_bounds_ns(self) -> tuple[int, int]:
        return self.down_bounds_ns(self.interval_cs)

    def _start_window_ns(self) -> tuple[int, int]:
        return self.down_bounds_ns(self.rules.unheard_cs(self.interval_cs))

    def _sums_up(self, seen: FrameSeen) -> bool:
        over_ipv6 = seen.frame.ip is not None and seen.frame.ip.version == 6
        return sums_up(seen.frame, pseudo=self.rules.pseudo_header_ipv4 or over_ipv6)
