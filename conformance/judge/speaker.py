"""One sender of advertisements for one virtual host in one address family, and what is remembered of it
(bounded).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from conformance.judge.form import NOWHERE, Advert, Form, Ref
from conformance.judge.keyring import Key, Material
from conformance.judge.ledger import Who
from conformance.wire.digest import Address

MAX_WAITING = 64
"""Advertisements kept until an address is learned under which their digest can be checked."""
MAX_RECENT = 64
"""Frames kept of each sender, to know its advertisements again when somebody replays them."""
MAX_NOTED = 64
"""Odd counters kept of each sender."""
_MAX_SPACINGS = 32


@dataclass(slots=True)
class Spacing:
    """Spacing of consecutive advertisements with the same announced interval: how many, their sum, the
    closest and the widest with their frames.

    ``early`` counts those that came too early to be the next one of a timer (sent at once for a change, or
    by another rhythm); they are not in the sum.
    """

    count: int = 0
    total_ns: int = 0
    low_ns: int = 1 << 62
    high_ns: int = -1
    early: int = 0
    early_ns: int = 0
    early_ref: Ref | None = None
    low: Ref = NOWHERE
    high: Ref = NOWHERE

    def add(self, gap_ns: int, ref: Ref) -> None:
        """Takes one spacing that a timer may have made; ``ref`` is the later frame."""
        self.count += 1
        self.total_ns += gap_ns
        if gap_ns < self.low_ns:
            self.low_ns, self.low = gap_ns, ref
        if gap_ns > self.high_ns:
            self.high_ns, self.high = gap_ns, ref

    def add_early(self, gap_ns: int, ref: Ref) -> None:
        """Takes one spacing that is too short for the announced interval."""
        self.early += 1
        if self.early_ref is None or gap_ns < self.early_ns:
            self.early_ns, self.early_ref = gap_ns, ref


@dataclass(slots=True, eq=False)
class Speaker:
    """A sender: its source address on one virtual host, with counts and the traits that tell its dialect
    and its health.
    """

    who: Who
    count: int = 0
    authentic: int = 0
    mismatched: int = 0
    unchecked: int = 0
    refused: int = 0
    missed: int = 0
    duplicates: int = 0
    bow_outs: int = 0
    first: Ref | None = None
    first_ns: int = 0
    last: Ref = NOWHERE
    last_ns: int = 0
    last_form: Form | None = None
    recent: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAX_RECENT))
    key: Key | None = None
    keys: list[Key] = field(default_factory=list)
    searches: int = 0
    used: dict[Material, Ref] = field(default_factory=dict)
    disbelieved: dict[Material, tuple[Material, list[Ref]]] = field(default_factory=dict)
    waiting: deque[Advert] = field(default_factory=lambda: deque(maxlen=MAX_WAITING))
    mismatch: list[Ref] = field(default_factory=list)
    suspect: Advert | None = None
    rivalry: int = 0
    best: tuple[int, int] | None = None
    demote: int = 0
    number: int | None = None
    constants: int = 0
    successors: int = 0
    randoms: int = 0
    chances: int = 0
    followed: int = 0
    paired: int = 0
    deaf: int = 0
    broken: Ref | None = None
    shared: list[Ref] = field(default_factory=list)
    jumps: list[Ref] = field(default_factory=list)
    unfollowed: list[Ref] = field(default_factory=list)
    repeated: tuple[int, int] | None = None
    repeats: list[Ref] = field(default_factory=list)
    refusals: dict[str, list[Ref]] = field(default_factory=dict)
    echoes: list[Ref] = field(default_factory=list)
    replays: list[Ref] = field(default_factory=list)
    stray: list[tuple[int, Ref]] = field(default_factory=list)
    tester: bool = False
    forms: int = 0
    macs: dict[bytes, Ref] = field(default_factory=dict)
    ttls: dict[int, Ref] = field(default_factory=dict)
    toses: dict[int, Ref] = field(default_factory=dict)
    spacings: dict[tuple[int, int], Spacing] = field(default_factory=dict)

    @property
    def last_data(self) -> bytes:
        """The frame of its latest advertisement; empty before the first."""
        return self.recent[-1] if self.recent else b""

    @property
    def source(self) -> Address:
        """The IP source address."""
        return self.who.source

    @property
    def constant_counter(self) -> bool:
        """Whether the counter never changes, as only OpenBSD's does."""
        return (
            self.constants >= 3
            and self.successors == 0
            and self.deaf == 0
            and self.constants * 10
            >= (self.constants + self.randoms - 1) * 8  # the first one is random to who hears it
        )

    def spacing(self, form: Form) -> Spacing:
        """The account of spacings for the interval that ``form`` announces."""
        known = self.spacings.get(form.rank)
        if known is None:
            known = Spacing()
            if len(self.spacings) < _MAX_SPACINGS:
                self.spacings[form.rank] = known
        return known
