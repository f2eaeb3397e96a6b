"""A second implementation on the segment, played by the tester: the model of a dialect at the tester's own port and addresses.

It speaks and listens through the port of the case, so that it stands beside an IUT on every rung.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_interface
from random import Random

from conformance.model.actions import Action, Send, State
from conformance.model.config import Interface
from conformance.model.dialects import Dialect
from conformance.model.machine import Host
from conformance.segment.decision import Condition, Mismatch, seconds
from conformance.segment.loop import Timer
from conformance.segment.segment import LOOK_ON_NS, Segment
from conformance.segment.trace import Event, FrameSeen, HostEvent, HostKind
from conformance.targets.model.administrator import Administrator
from conformance.targets.protocol import Settings
from conformance.targets.subject.conditions import told
from conformance.wire.digest import Address

INTERFACE = "tester0"
_SEED = 20_261_122
_DELIVERED_NS = 5_000_000
"""Until a frame that has left has reached those who are there now, and nobody who comes later."""


@dataclass(slots=True)
class Partner:
    """A model of ``dialect`` with one virtual host of ``settings``, which are not set before :meth:`join`.

    ``apart`` keeps what it says off the segment, and what is said there from it. What it says of itself goes into the trace as a host of the name ``name``.
    """

    segment: Segment
    dialect: Dialect
    mac: bytes
    addresses: Sequence[Address]
    settings: Settings
    apart: bool = False
    joined_ns: int = 0
    _machine: Host = field(init=False)
    _administrator: Administrator = field(init=False)
    _timer: Timer | None = None

    def __post_init__(self) -> None:
        # Of the whole address space its prefix is: the legacy line refuses a shared address without an own one in its subnet.
        own = tuple(ip_interface(f"{address}/0") for address in self.addresses)
        self._machine = Host(self.name, self.dialect, [Interface(INTERFACE, self.mac, own)], Random(_SEED))
        self._administrator = Administrator(self._machine, INTERFACE)
        self.segment.trace.listeners.append(self._hear)

    @property
    def name(self) -> str:
        return f"model:{self.dialect.key}"

    @property
    def interval_ns(self) -> int:
        return self.dialect.interval_ns(self.settings.advbase, self.settings.advskew)

    @property
    def latest_start_ns(self) -> int:
        """Until then, from its start, it is MASTER on a silent segment."""
        return self.dialect.start_window_ns(self.settings.advbase, self.settings.advskew)[1]

    @property
    def latest_take_over_ns(self) -> int:
        """Until then, from the last advertisement that it believed, it is MASTER."""
        return self.dialect.take_over_window_ns(self.settings.advbase, self.settings.advskew)[1]

    @property
    def state(self) -> State | None:
        """The state of its virtual host, None without one."""
        vhost = self._machine.port(INTERFACE).vhosts.get(self.settings.vhid)
        return None if vhost is None else vhost.state

    # --- what it does

    def join(self, **changes: object) -> None:
        """Begins to take part, with these fields of its settings changed."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # fields of Settings, by name
        preempt = ", preempt" if self.settings.preempt else ""
        self.segment.note(
            f"plays a {self.name} of vhid {self.settings.vhid}: advbase {self.settings.advbase}, advskew {self.settings.advskew}{preempt}"
        )
        self.joined_ns = self.segment.now_ns()
        self._carry_out(self._administrator.configure(self.joined_ns, self.settings))

    def die(self) -> None:
        """Is gone, without a word."""
        self.segment.note(f"no longer plays the {self.name}")
        self._carry_out(self._machine.destroy(self.segment.now_ns(), INTERFACE, self.settings.vhid))

    def demote(self, amount: int) -> None:
        """Its administrator demotes it."""
        self.segment.note(f"demotes the {self.name} by {amount}")
        self._carry_out(self._machine.demote(self.segment.now_ns(), amount))

    # --- what is seen of it

    def advertises(self) -> Condition:
        """An advertisement of it."""
        return Condition(f"the {self.name} beside it advertises vhid {self.settings.vhid}", self._is_own)

    def enters(self, state: State) -> Condition:
        """A change of its state."""
        return told(
            f"the {self.name} beside it becomes {state.value}",
            self.name,
            HostKind.STATE,
            lambda text: text == state.value,
        )

    def next_own(self) -> FrameSeen:
        """Its next advertisement; raises :class:`Mismatch` if there is none in its down time. Setting the scene: not a decision."""
        longest_ns = self.latest_start_ns + self.interval_ns + LOOK_ON_NS
        event = self.segment.wait(self.advertises(), self.segment.now_ns() + longest_ns)
        if not isinstance(event, FrameSeen):
            raise Mismatch(
                f"(precondition) the {self.name} beside it advertises",
                f"no advertisement in {seconds(longest_ns)}",
                context=self.segment.describe(),
            )
        self.segment.watch(_DELIVERED_NS)
        return event

    def own_before(self, time_ns: int) -> FrameSeen:
        """Its last advertisement before ``time_ns``; there is one."""
        frames = self.segment.trace.frames
        return next(one for one in reversed(frames) if one.time_ns < time_ns and self._is_own(one))

    def last_own(self) -> FrameSeen:
        """Its last advertisement so far."""
        return next(seen for seen in reversed(self.segment.trace.frames) if self._is_own(seen))

    def describe(self) -> str:
        """Its state and its counters, for a developer who reads a failure."""
        counted = ", ".join(f"{name} {value}" for name, value in self._machine.counters.items() if value)
        state = self.state
        return f"the {self.name} that the tester plays is {state.value if state else 'gone'}; counters: {counted or 'all zero'}"

    def _is_own(self, event: Event) -> bool:
        return (
            isinstance(event, FrameSeen)
            and event.sent
            and event.frame.carp is not None
            and event.frame.carp.vhid == self.settings.vhid
        )

    def _hear(self, event: Event) -> None:
        if isinstance(event, FrameSeen) and not event.sent and not self.apart:
            self._carry_out(self._machine.receive(self.segment.now_ns(), INTERFACE, event.frame.data))

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                if not self.apart:
                    self.segment.port.send(action.frame)
                continue
            told = self._administrator.told(action)
            if told is not None:
                self.segment.trace.add(HostEvent(self.segment.now_ns(), self.name, *told))
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due_ns = self._machine.next_deadline_ns
        self._timer = None if due_ns is None else self.segment.loop.at(due_ns, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._carry_out(self._machine.tick(self.segment.now_ns()))
