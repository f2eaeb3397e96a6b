"""A virtual host on a segment: its families, its speakers, its addresses, and the material that its digests
cover.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.judge.form import Form, Ref
from conformance.judge.history import Budget, History
from conformance.judge.keyring import Key, Material
from conformance.judge.ledger import Who
from conformance.judge.speaker import Speaker
from conformance.wire.digest import Address

MAX_SPEAKERS = 64
"""Speakers kept of one virtual host in one family."""
_MAX_ADDRESSES = 64
_EVICTED = 20  # events: what a speaker that had to make room takes while a hand-over names it


@dataclass(slots=True)
class TakeOver:
    """A speaker that became MASTER and owes the segment an announcement; ``announced`` lists those that
    were seen. One that talks to a ``unicast`` peer may have to ask for its MAC address first.
    """

    speaker: Speaker
    time_ns: int
    ref: Ref
    unicast: bool = False
    announced: set[Address] = field(default_factory=set)
    judged: bool = False


@dataclass(slots=True, eq=False)
class Family:
    """One address family (4 or 6) of a virtual host; the election runs in each family by itself."""

    version: int
    history: History = field(default_factory=History)
    speakers: dict[Address, Speaker] = field(default_factory=dict)
    sole: Speaker | None = None
    last: Speaker | None = None
    take_over: TakeOver | None = None
    crowded: int = 0


@dataclass(slots=True, eq=False)
class Host:
    """A virtual host: a vhid on one VLAN.

    ``learned`` are the addresses that somebody announced with its virtual MAC, ``number`` is the counter of
    the latest advertisement believed,
    ``doubt_ns`` when an advertisement came that is not believed here, ``current`` the material of the latest one whose digest was verified, ``version`` grows when an address
    is learned.
    """

    vlans: tuple[int, ...]
    vhid: int
    budget: Budget = field(default_factory=Budget)
    families: dict[int, Family] = field(default_factory=dict)
    learned: dict[Address, Ref] = field(default_factory=dict)
    number: int | None = None
    doubt_ns: int = -1
    last: Speaker | None = None
    keys: list[Key] = field(default_factory=list)
    current: Material | None = None
    searches: int = 0
    version: int = 0

    def family(self, version: int) -> Family:
        """The family, made at its first advertisement."""
        known = self.families.get(version)
        if known is None:
            known = self.families[version] = Family(version, History(budget=self.budget))
        return known

    def speaker(self, form: Form, most: int = MAX_SPEAKERS) -> Speaker:
        """The speaker that sent ``form``; the one silent for longest makes room when there are ``most`` already."""
        family = self.family(form.family)
        known = family.speakers.get(form.source)
        if known is None:
            if len(family.speakers) >= most:
                family.crowded += 1
                standing = family.history.standing
                idle = min(family.speakers.values(), key=lambda one: (one in standing, one.last_ns))
                family.history.forget(idle)
                self.budget.spend(_EVICTED)
                del family.speakers[idle.source]
            known = Speaker(Who(self.vlans, self.vhid, form.source))
            family.speakers[form.source] = known
        return known

    def speakers(self) -> Iterator[Speaker]:
        """All speakers of both families."""
        for family in self.families.values():
            yield from family.speakers.values()

    def learn(self, address: Address, ref: Ref) -> bool:
        """Notes an address announced for this host; returns whether it is new."""
        if address in self.learned or len(self.learned) >= _MAX_ADDRESSES:
            return False
        self.learned[address] = ref
        self.version += 1
        return True

    def addresses(self) -> frozenset[Address]:
        """The addresses known to be shared: announced with the virtual MAC, or covered by the digests."""
        return frozenset(self.learned) | (
            self.current.address_set if self.current is not None else frozenset()
        )
