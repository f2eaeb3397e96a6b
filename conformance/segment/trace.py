"""One time line of everything observed: frames, host events and the tester's actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from conformance.wire.frame import Frame, decode


class HostKind(Enum):
    """What a host event tells."""

    STATE = "state"
    LOG = "log"
    SCRIPT = "script"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class FrameSeen:
    """A frame on the wire: ``number`` from 1 as Wireshark counts it in the evidence file, ``time_ns`` since the epoch, ``sent`` if the tester sent it."""

    number: int
    time_ns: int
    frame: Frame
    sent: bool = False


@dataclass(frozen=True, slots=True)
class HostEvent:
    """Something a host said of itself (not seen on the wire): a log line, a state, a script call, the end of a process.

    ``vhid`` says of which virtual host, where that is known.
    """

    time_ns: int
    host: str
    kind: HostKind
    text: str
    vhid: int | None = None


@dataclass(frozen=True, slots=True)
class TesterAction:
    """Something the tester did: started a stream, took a link down, sent a signal."""

    __test__ = False  # pytest collects what is called Test…
    time_ns: int
    text: str


Event = FrameSeen | HostEvent | TesterAction


@dataclass(slots=True)
class Trace:
    """Events in the order of their arrival, with the comments that mark the frames which decided something.

    ``listeners`` are called with each event as it is added.
    """

    events: list[Event] = field(default_factory=list)
    frames: list[FrameSeen] = field(default_factory=list)
    comments: dict[int, list[str]] = field(default_factory=dict)
    listeners: list[Callable[[Event], None]] = field(default_factory=list)

    def add_frame(self, time_ns: int, data: bytes, *, sent: bool = False) -> FrameSeen:
        """Decodes and appends a frame; ``time_ns`` is the kernel's receive (or send) time stamp."""
        seen = FrameSeen(len(self.frames) + 1, time_ns, decode(data), sent)
        self.frames.append(seen)
        self.add(seen)
        return seen

    def add(self, event: Event) -> None:
        """Appends an event and tells the listeners."""
        self.events.append(event)
        for listener in tuple(self.listeners):
            listener(event)

    def cite(self, frame: FrameSeen, comment: str) -> None:
        """Marks a frame as one that decided something; the comment goes into the evidence file."""
        self.comments.setdefault(frame.number, []).append(comment)

    def since(self, time_ns: int) -> Iterator[Event]:
        """The events from ``time_ns`` on, in order of arrival."""
        return (event for event in self.events if event.time_ns >= time_ns)
