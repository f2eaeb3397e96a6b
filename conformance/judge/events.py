"""What happens in a cluster's history: hand-overs with their cause, times with two MASTERs, flapping."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from conformance.judge.form import Ref
from conformance.judge.speaker import Speaker


class Said(Protocol):
    """What of an advertisement decides who is MASTER: that of CARP has it, and that of VRRP."""

    @property
    def interval_ns(self) -> int:
        """The interval it announces."""

    @property
    def bow_out(self) -> bool:
        """Whether it is a farewell."""

    @property
    def rank(self) -> tuple[int, int]:
        """The smaller one is preferred."""

    @property
    def demote(self) -> int:
        """OpenBSD's demote count, 0 elsewhere."""

    @property
    def source_mac(self) -> bytes:
        """The Ethernet source."""


class Cause(StrEnum):
    """Why mastership went over."""

    START = "start"
    SILENCE = "silence"
    BOW_OUT = "bow-out"
    PREEMPTION = "preemption"
    DEMOTION = "demotion"
    BETTER = "better-advertisement"
    EQUAL = "equal-advertisement"
    RESTART = "restart"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Handover:
    """Mastership going from ``old`` (None at the start of the capture) to ``new``; ``gap_ns`` is from the
    last advertisement of the one to the first of the other.

    ``rank`` is advbase and advskew of the first advertisement of the new MASTER.
    """

    ref: Ref
    time_ns: int
    old: Speaker | None
    new: Speaker
    gap_ns: int | None
    cause: Cause
    rank: tuple[int, int]


@dataclass(frozen=True, slots=True)
class DualMaster:
    """Two MASTERs side by side, from the first advertisement of the ``younger`` to the last that proves it;
    ``left`` is the one that fell silent, None if the capture ends so.
    """

    start: Ref
    end: Ref
    start_ns: int
    end_ns: int
    older: Speaker
    younger: Speaker
    left: Speaker | None

    @property
    def open(self) -> bool:
        """Whether the capture ends with both."""
        return self.left is None


@dataclass(frozen=True, slots=True)
class Flapping:
    """A speaker that becomes MASTER again and again; ``period_ns`` is the median time between two times."""

    speaker: Speaker
    times: int
    period_ns: int
    frames: tuple[Ref, ...]
