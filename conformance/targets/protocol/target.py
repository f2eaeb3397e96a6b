"""What a driver promises of a target, an implementation on a rung, and what one can do besides."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from conformance.targets.pixit import Pixit
from conformance.targets.protocol.bench import Bench
from conformance.targets.protocol.profile import Profile


class Target(Protocol):
    """An implementation on a rung; found through the entry-point group ``carp_conformance.targets``."""

    profile: Profile

    def version(self) -> str:
        """The version of what is installed, or "unknown"."""

    def lacks(self) -> tuple[tuple[str, str], ...]:
        """What this machine lacks to run it, each with the command or sentence that mends it; empty if ready."""

    def bench(self, hosts: int) -> AbstractContextManager[Bench]:
        """A lane with ``hosts`` machines named a, b, c …"""


@runtime_checkable
class Configurable(Protocol):
    """What a target that tests machines that are already there can do besides."""

    def configured(self, pixit: Pixit) -> Target:
        """The same target for the machines of ``pixit``. Raises :class:`conformance.targets.pixit.PixitError` if they cannot be what it needs."""


@runtime_checkable
class Examined(Protocol):
    """What a target can do besides whose machines can be looked into."""

    def environment(self) -> Mapping[str, Any]:
        """What ``environment.json`` tells of each machine, by its name. Raises :class:`conformance.lab.shell.HostError`."""


@runtime_checkable
class Machined(Protocol):
    """What a target can do besides whose machines are brought up for a run."""

    def machines(self, *, keep: bool, destroy: bool) -> AbstractContextManager[Path]:
        """Brings them up (or takes those that run) and gives a PIXIT file for them, with which workers find the target again.

        Afterwards they are halted, left running (``keep``) or removed (``destroy``). Raises :class:`MachinesError`.
        """


class MachinesError(Exception):
    """Machines that do not come up: one sentence that says which, why, and what to do."""


@runtime_checkable
class Rehearsable(Protocol):
    """What a target has besides whose IUTs are configured by somebody else, so that a case cannot have what settings it likes."""

    def rehearsal(self) -> Target:
        """A conforming model of it in virtual time, with the same PICS and settings, driven by the same means: what no case can
        decide on that, it cannot decide on the target.
        """
