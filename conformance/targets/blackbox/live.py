"""The real medium: the tester's interface in the network namespace of this process, and an operator."""

from __future__ import annotations

import os
from pathlib import Path

from conformance.segment.live import LivePort
from conformance.segment.loop import Loop, RealClock
from conformance.segment.stalls import stalled_ns
from conformance.targets.blackbox.medium import OnFrame
from conformance.targets.blackbox.operator import Operator
from conformance.targets.pixit import Pixit
from conformance.targets.protocol import Settings


class LiveMedium:
    """A :class:`conformance.targets.blackbox.medium.Medium`."""

    def __init__(self, pixit: Pixit) -> None:
        self._interface = pixit.tester_interface
        self._operator = Operator(pixit.actions, pixit.path.parent if pixit.path else Path())
        self._clock = RealClock()
        self.loop = Loop(self._clock)
        self._port: LivePort | None = None

    def open(self, on_frame: OnFrame) -> LivePort:
        self.close()
        self._clock = RealClock()
        self.loop = Loop(self._clock)
        self._port = LivePort(self._interface, on_frame)
        self._clock.watch(self._port, self._port.read)
        return self._port

    def act(self, action: str, host: str, settings: Settings) -> None:
        self._operator.act(action, host, settings, self.loop)

    def close(self) -> None:
        if self._port is not None:
            self._clock.unwatch(self._port)
            self._port.close()
            self._port = None

    def stalled_ns(self) -> int:
        return stalled_ns(os.getpid())

    def clock_step_ns(self) -> int:
        return self._clock.stepped_ns()
