"""What a host wants done: the only output of the machine. The caller carries them out in their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """The state of a virtual host."""

    INIT = "INIT"
    BACKUP = "BACKUP"
    MASTER = "MASTER"


@dataclass(frozen=True, slots=True)
class Send:
    """Put ``frame`` (Ethernet, without frame check sequence) on ``interface``. ``vhid`` is set if it is an
    advertisement, so that a failure can be reported.
    """

    interface: str
    frame: bytes
    vhid: int | None = None


@dataclass(frozen=True, slots=True)
class StateChange:
    """A virtual host went from ``old`` to ``new``; ``reason`` is a
    :class:`~conformance.model.transitions.Reason` value.
    """

    interface: str
    vhid: int
    old: State
    new: State
    reason: str


@dataclass(frozen=True, slots=True)
class Log:
    """A line for the system log with its syslog ``level`` (0 emergency to 7 debug)."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Count:
    """A counter of struct carpstats rose by one; ``counter`` is its name without the ``carps_`` prefix."""

    counter: str


@dataclass(frozen=True, slots=True)
class Script:
    """ucarp runs its up or down script."""

    interface: str
    vhid: int
    script: str


@dataclass(frozen=True, slots=True)
class Exit:
    """The ucarp process of this virtual host ends with ``status``."""

    interface: str
    vhid: int
    status: int


Action = Send | StateChange | Log | Count | Script | Exit
