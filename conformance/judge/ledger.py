"""The account of passive requirements: what was seen to hold, what was seen broken, by whom, in which
frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from conformance.judge.form import Ref
from conformance.wire.digest import Address

MAX_FRAMES = 16
"""Frames cited for one requirement and one sender; more would not convince anybody better."""
_MAX_SENDERS = 8192


class Verdict(StrEnum):
    """What a passive requirement comes to."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Who:
    """One sender on one virtual host: VLAN ids, vhid, source address."""

    vlans: tuple[int, ...]
    vhid: int
    source: Address
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.vlans, self.vhid, self.source)))

    def __hash__(self) -> int:
        return self._hash  # asked for with every verdict, and that of an address is dear


@dataclass(slots=True)
class Tally:
    """What was seen of one requirement from one sender; ``text`` is the first objection, ``frames`` the
    first 16 that show one.
    """

    passes: int = 0
    fails: int = 0
    unclear: int = 0
    text: str = ""
    frames: list[Ref] = field(default_factory=list)


@dataclass(slots=True)
class Ledger:
    """Tallies by sender and requirement id; bounded, so that a hostile capture cannot fill the memory."""

    tallies: dict[Who, dict[str, Tally]] = field(default_factory=dict)

    def _of(self, who: Who) -> dict[str, Tally]:
        own = self.tallies.get(who)
        if own is None:
            own = {}
            if len(self.tallies) < _MAX_SENDERS:
                self.tallies[who] = own
        return own

    def _tally(self, requirement: str, who: Who) -> Tally:
        return self._of(who).setdefault(requirement, Tally())

    def passed(self, requirement: str, who: Who, ref: Ref | None = None) -> None:
        """Notes that ``who`` was seen to satisfy ``requirement``; ``ref`` shows it."""
        tally = self._tally(requirement, who)
        tally.passes += 1
        if ref is not None and not tally.frames:
            tally.frames.append(ref)

    def passed_all(self, requirements: Iterable[str], who: Who, ref: Ref) -> None:
        """Notes that ``who`` was seen to satisfy each of ``requirements`` in frame ``ref``."""
        own = self._of(who)
        for requirement in requirements:
            tally = own.get(requirement)
            if tally is None:
                tally = own[requirement] = Tally()
            tally.passes += 1
            if not tally.frames:
                tally.frames.append(ref)

    def failed(self, requirement: str, who: Who, ref: Ref, text: str) -> None:
        """Notes that frame ``ref`` of ``who`` breaks ``requirement``; ``text`` says how."""
        tally = self._tally(requirement, who)
        if not tally.fails:
            tally.text = text
            tally.frames.clear()
        tally.fails += 1
        if len(tally.frames) < MAX_FRAMES:
            tally.frames.append(ref)

    def unclear(self, requirement: str, who: Who, ref: Ref, text: str) -> None:
        """Notes an observation that a capture alone cannot decide."""
        tally = self._tally(requirement, who)
        tally.unclear += 1
        if not tally.fails and len(tally.frames) < MAX_FRAMES:
            tally.text = tally.text or text
            tally.frames.append(ref)
