"""What a case decides, and how it says that it cannot: decisions, windows, mismatches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.segment.trace import Event, FrameSeen


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that an event may satisfy. ``text`` completes "expected that …", as in "a becomes MASTER"."""

    text: str
    match: Callable[[Event], bool]

    def __and__(self, other: Condition) -> Condition:
        return Condition(
            f"{self.text} and {other.text}", lambda event: self.match(event) and other.match(event)
        )


@dataclass(frozen=True, slots=True)
class Window:
    """When something must happen: from ``from_ns`` to ``to_ns`` since the epoch, counted from ``anchor_ns``; ``anchor`` names that event."""

    anchor_ns: int
    from_ns: int
    to_ns: int
    anchor: str

    @classmethod
    def after(cls, anchor_ns: int, bounds_ns: tuple[int, int], anchor: str) -> Window:
        """The window from ``bounds_ns[0]`` to ``bounds_ns[1]`` after ``anchor_ns``."""
        return cls(anchor_ns, anchor_ns + bounds_ns[0], anchor_ns + bounds_ns[1], anchor)

    def __str__(self) -> str:
        return f"{seconds(self.from_ns - self.anchor_ns)} to {seconds(self.to_ns - self.anchor_ns)} after {self.anchor}"


@dataclass(frozen=True, slots=True)
class Decision:
    """One comparison that was made: what was expected, what was seen, in which frames. ``positive`` if it rests on something that the IUT did.

    ``after_ns`` is the time from the window's anchor to what was waited for; None without a window, or if it never came.
    """

    expected: str
    actual: str
    met: bool
    frames: tuple[int, ...] = ()
    window: Window | None = None
    positive: bool = True
    after_ns: int | None = None


class Undecided(Exception):
    """The base of what ends a case without a verdict on the IUT."""


class Inconclusive(Undecided):
    """The rig was not good enough to tell."""


class NotApplicable(Undecided):
    """The implementation does not claim what the case needs (PICS)."""


class Vacuous(Undecided):
    """The case ended without one decision that rests on something the IUT did: a defect of the case."""


class Mismatch(AssertionError):
    """The IUT did not do what the requirement demands."""

    def __init__(
        self, expected: str, actual: str, frames: tuple[FrameSeen, ...] = (), *, context: str = ""
    ) -> None:
        self.expected, self.actual, self.context = expected, actual, context
        self.frames = tuple(seen.number for seen in frames)
        lines = [f"expected: {expected}", f"  actual: {actual}"]
        if self.frames:
            lines.append("  frames: " + ", ".join(map(str, self.frames)))
        if context:
            lines.append(context)
        super().__init__("\n".join(lines))


def seconds(duration_ns: int) -> str:
    """A duration for people: ``3.391 s``, ``12.4 ms``."""
    if abs(duration_ns) < 100_000_000:
        return f"{duration_ns / 1e6:.1f} ms"
    return f"{duration_ns / 1e9:.3f} s"


def said(what: str, value: object) -> str:
    """A fact in words; one that is or is not so, as in "the old password signs: no"."""
    if isinstance(value, bool):
        return f"{what}: {'yes' if value else 'no'}"
    return f"{what} is {_show(value)}"


def _show(value: object) -> str:
    if isinstance(value, bytes):
        return (value.hex(":") if len(value) <= 20 else value.hex()) or "nothing"
    return str(value)


def choice(options: object) -> str:
    """A set or a range of values in words."""
    if isinstance(options, range):
        return f"{options.start} to {options.stop - 1}"
    return " or ".join(sorted(_show(option) for option in options))  # type: ignore[attr-defined]
