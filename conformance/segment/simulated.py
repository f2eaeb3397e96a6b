"""A simulated switch on a virtual clock: latency, loss, duplication, reordering, partitions and pulled cables, all from one seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from conformance.segment.loop import Loop
from conformance.segment.trace import Trace

Receive = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Weather:
    """What the switch does to frames. ``latency_ns`` applies to every delivery, ``jitter_ns`` adds up to that much to each (and so reorders);
    ``loss`` and ``duplication`` are probabilities of each delivery.
    """

    latency_ns: int = 20_000
    jitter_ns: int = 0
    loss: float = 0.0
    duplication: float = 0.0


@dataclass(slots=True)
class SimulatedSwitch:
    """A learning switch with named ports. ``rng`` is its only randomness: the same seed gives the same trace.

    ``blocked`` holds (from, to) pairs that do not hear each other in that direction; ``unplugged`` ports neither send nor receive.
    """

    loop: Loop
    rng: Random
    weather: Weather = Weather()
    learns: bool = True
    blocked: set[tuple[str, str]] = field(default_factory=set)
    unplugged: set[str] = field(default_factory=set)
    _ports: dict[str, Receive] = field(default_factory=dict)
    _learned: dict[bytes, str] = field(default_factory=dict)

    def plug(self, name: str, receive: Receive) -> None:
        """Connects a port; ``receive`` is called with each frame that reaches it."""
        self._ports[name] = receive

    def forget(self) -> None:
        """Forgets where addresses were learned."""
        self._learned.clear()

    def transmit(self, source: str, frame: bytes) -> None:
        """A frame enters at port ``source`` and is delivered, later, to the port where its destination was learned, or to all others."""
        if source in self.unplugged:
            return
        if self.learns and not frame[6] & 1:
            self._learned[frame[6:12]] = source
        known = self._learned.get(frame[:6])
        for name in self._ports if known is None else (known,):
            if name != source:
                self._deliver(source, name, frame)

    def part(self, left: str, right: str, *, parted: bool, both_ways: bool = True) -> None:
        """Lets ``right`` no longer hear ``left`` (and the reverse), or heals that."""
        for way in ((left, right), (right, left)) if both_ways else ((left, right),):
            if parted:
                self.blocked.add(way)
            else:
                self.blocked.discard(way)

    def _deliver(self, source: str, name: str, frame: bytes) -> None:
        if (source, name) in self.blocked:
            return
        copies = 1
        if self.weather.loss and self.rng.random() < self.weather.loss:
            copies = 0
        elif self.weather.duplication and self.rng.random() < self.weather.duplication:
            copies = 2
        for _ in range(copies):
            delay_ns = self.weather.latency_ns + (
                self.rng.randrange(self.weather.jitter_ns) if self.weather.jitter_ns else 0
            )
            self.loop.at(self.loop.now_ns() + delay_ns, lambda: self._arrive(name, frame))

    def _arrive(self, name: str, frame: bytes) -> None:
        if name not in self.unplugged:
            self._ports[name](frame)


@dataclass(slots=True)
class SimulatedPort:
    """The tester's attachment to a simulated switch; everything that it sends and hears goes into ``trace``."""

    switch: SimulatedSwitch
    trace: Trace
    name: str = "tester"

    def __post_init__(self) -> None:
        self.switch.plug(self.name, self._hear)

    def _hear(self, frame: bytes) -> None:
        self.trace.add_frame(self.switch.loop.now_ns(), frame)

    def send(self, frame: bytes) -> None:
        self.trace.add_frame(self.switch.loop.now_ns(), frame, sent=True)
        self.switch.transmit(self.name, frame)

    def dropped(self) -> int:
        return 0
