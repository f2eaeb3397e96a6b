"""What the capture readers hand on: packets as plain tuples, and the sentences about what could not be
read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

Packet = tuple[int, int, int, bytes, bool]
"""time_ns since the epoch, index of the capture, frame number in it (from 1, as Wireshark counts), Ethernet
bytes, cut.

``cut`` tells that the capture holds fewer bytes than were on the wire (snap length). A tuple and not a
class, because a
million of them a second are made.
"""

Packets = Iterator[Packet]


class Stream(Protocol):
    """Where a capture is read from; it may give less than was asked for, and ends with nothing."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes."""


Complain = Callable[[str], None]
"""Takes one sentence about a part of a capture that could not be read."""

MAX_PACKET = 262_144
"""More bytes than any capture tool writes for one packet (libpcap MAXIMUM_SNAPLEN); a longer record is
damage.
"""

_MAX_COMPLAINTS = 20


class CaptureError(Exception):
    """A capture that cannot be judged at all: ``capture`` is its name, ``problem`` what is wrong,
    ``remedy`` what to do.
    """

    def __init__(self, capture: str, problem: str, remedy: str) -> None:
        self.capture = capture
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{capture}: {problem}; {remedy}.")


@dataclass(slots=True)
class Unreadable:
    """Collects the sentences about unreadable parts; keeps the first 20 and counts the others."""

    texts: list[str] = field(default_factory=list)
    more: int = 0

    def about(self, capture: str) -> Complain:
        """The function that notes a sentence about ``capture``."""

        def complain(text: str) -> None:
            if len(self.texts) < _MAX_COMPLAINTS:
                self.texts.append(f"{capture}: {text}")
            else:
                self.more += 1

        return complain

    def all(self) -> list[str]:
        """The sentences, and one more that counts those that were left out."""
        return (
            [*self.texts, f"{self.more} further complaints of this kind were left out."]
            if self.more
            else list(self.texts)
        )
