"""Which dialect a speaker talks: as the operator said, or a guess from what is on the wire; and what
follows for its timers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from conformance.judge.form import Form
from conformance.judge.speaker import Speaker
from conformance.model.dialects import Dialect, dialect, dialects
from conformance.wire.header import interval_ns

_UCARP_MAC = b"\x00\x00\x5e\x00\x00"
_DSCP_56 = 0xE0
_CATALOGUE = {"freebsd-legacy-6": "freebsd-legacy"}


@dataclass(frozen=True, slots=True)
class Tongue:
    """The dialects that a speaker may talk; ``guessed`` tells that nobody said so."""

    dialects: tuple[Dialect, ...]
    guessed: bool

    @property
    def names(self) -> frozenset[str]:
        """The implementations in the catalogue's ``holds_for`` words."""
        return frozenset(_CATALOGUE.get(one.key, one.key) for one in self.dialects)

    @property
    def reaction_ns(self) -> int:
        """How long after a frame its effect may be seen at the latest."""
        return max(one.reaction_window_ns[1] for one in self.dialects)

    def interval_window_ns(self, advbase: int, advskew: int) -> tuple[int, int]:
        """The widest spacing window of the possible dialects."""
        windows = [one.interval_window_ns(advbase, advskew) for one in self.dialects]
        return min(low for low, _ in windows), max(high for _, high in windows)


def told(name: str) -> Tongue:
    """The dialect that the operator named (``freebsd``, ``openbsd``, ``ucarp``, a key …); ``freebsd`` alone
    means any version. Raises UnknownDialect.
    """
    if name == "freebsd":
        return Tongue(tuple(one for one in dialects() if one.name == "freebsd"), False)
    return Tongue((dialect(name),), False)


def shown(form: Form) -> frozenset[str]:
    """The dialects that one form by itself gives away: only ucarp uses 00:00:5e:00:00:VHID. Empty if it may
    be any.
    """
    return frozenset({"ucarp"}) if form.source_mac[:5] == _UCARP_MAC else frozenset()


def guess(speaker: Speaker) -> Tongue:
    """The dialects that fit what a speaker sent.

    ucarp alone uses 00:00:5e:00:00:VHID; FreeBSD 13 and 15 alone send DSCP 56; OpenBSD alone repeats its
    counter (see ``measured.md`` of the founding notes).
    """
    every = dialects()
    if any(mac[:5] == _UCARP_MAC for mac in speaker.macs):
        return Tongue(tuple(one for one in every if one.key == "ucarp"), True)
    bsd = tuple(one for one in every if one.key != "ucarp")
    if speaker.constant_counter or (speaker.demote and speaker.successors == 0 and speaker.randoms <= 1):
        named = (_DSCP_56,) if _DSCP_56 in speaker.toses and speaker.constant_counter else ()
        return Tongue(tuple(one for one in bsd if one.key == "openbsd" or one.tos in named), True)
    moving = speaker.randoms + speaker.successors >= 2
    family = speaker.source.version
    if _DSCP_56 in speaker.toses:
        return Tongue(tuple(one for one in bsd if one.tos == _DSCP_56), True)
    older = tuple(one for one in bsd if one.tos != _DSCP_56 and not (moving and one.key == "openbsd"))
    return Tongue(older if family == 6 or 0x10 in speaker.toses else bsd, True)


def contradicts(tongue: Tongue, speaker: Speaker) -> bool:
    """Whether what a speaker sent fits no dialect as a whole: the constant counter of OpenBSD, the type of service of FreeBSD."""
    return tongue.guessed and speaker.constant_counter and _DSCP_56 in speaker.toses


_EVERY = Tongue(dialects(), True)


@lru_cache(maxsize=1024)
def widest_window_ns(advbase: int, advskew: int) -> tuple[int, int]:
    """A window that holds the spacing of every dialect: nobody objects to a spacing inside it before the
    dialect is known.
    """
    low, high = _EVERY.interval_window_ns(advbase, advskew)
    nominal = interval_ns(advbase, advskew)
    return max(low, nominal // 2), high
