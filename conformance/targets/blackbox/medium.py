"""What a black box is tested through: the tester's wire, and what can be done to the box from outside. There are two, a real and a rehearsed one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from conformance.segment.loop import Loop
from conformance.segment.segment import Port
from conformance.targets.protocol import Settings

OnFrame = Callable[[int, bytes, bool], object]
"""``on_frame(time_ns, data, sent)``."""


class ActionFailed(Exception):
    """Something that had to be done to a box was not done: the action, the machine, and why."""

    def __init__(self, action: str, host: str, why: str) -> None:
        self.action, self.host, self.why = action, host, why
        super().__init__(f"{action} of {host} was not done: {why}. Mend it in the PIXIT's actions")


class Medium(Protocol):
    """The wire and the means."""

    loop: Loop

    def open(self, on_frame: OnFrame) -> Port:
        """Attaches the tester; ``on_frame`` gets every frame from now on, the tester's own included. What was attached before is closed."""

    def act(self, action: str, host: str, settings: Settings) -> None:
        """Does ``action`` (a name of the PIXIT's actions) to a machine whose virtual host has, or for ``configure`` gets, ``settings``.

        Frames are read meanwhile. Raises :class:`ActionFailed`.
        """

    def close(self) -> None:
        """Detaches the tester."""

    def stalled_ns(self) -> int:
        """As :meth:`conformance.targets.protocol.Bench.stalled_ns`."""

    def clock_step_ns(self) -> int:
        """As :meth:`conformance.targets.protocol.Bench.clock_step_ns`."""
