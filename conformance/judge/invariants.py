"""The monitors over the trace of a case: what the hosts of the IUT sent is judged, what the tester forged is not.

A case's tester lies on purpose, so nothing that it sends is believed here. It only tells when a host may have been disturbed: the spacing of two
advertisements is judged where nothing was sent or done between them, the election where nothing was done before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from conformance.judge.keyring import Key, Seed
from conformance.judge.lane import Options, Witness
from conformance.judge.monitors import cover
from conformance.judge.session import Session
from conformance.segment.trace import Event, FrameSeen, TesterAction
from conformance.wire.digest import Address, AddressRule, key
from conformance.wire.frame import Frame


@dataclass(frozen=True, slots=True)
class Given:
    """What a virtual host was given at some time of the case: its digests may cover that."""

    vhid: int
    password: str = field(repr=False)
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One segment of a case: the names of the IUT's hosts there by their real addresses, and all that was given to their virtual hosts."""

    hosts: Mapping[Address, str]
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Breach:
    """A requirement that ``host`` was seen to break: ``monitor`` noticed, ``frames`` show it, ``text`` says how."""

    requirement: str
    monitor: str
    host: str
    text: str
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """What the monitors make of a case: the requirements that were seen to hold, and each breach."""

    held: frozenset[str] = frozenset()
    breaches: tuple[Breach, ...] = ()


def observe(events: Sequence[Event], sides: Iterable[Side], dialect: str, witness: Witness) -> Observed:
    """Judges the trace of a case on each of its segments; ``dialect`` is the key of the IUT's.

    Raises :class:`conformance.model.dialects.UnknownDialect`.
    """
    held: set[str] = set()
    breaches: list[Breach] = []
    for side in sides:
        session = _session(side, dialect, witness)
        for seen in _of_hosts(events, side, session):
            session.feed(seen)
        session.finish()
        breaches += _conclusions(session, side, held)
    return Observed(frozenset(held - {one.requirement for one in breaches}), tuple(breaches))


def _session(side: Side, dialect: str, witness: Witness) -> Session:
    passwords = tuple(dict.fromkeys(one.password for one in side.given))
    addresses = tuple(dict.fromkeys(address for one in side.given for address in one.addresses))
    session = Session(Options(passwords, addresses, None, dialect, witness))
    tongue = session.told
    configured = tongue is not None and all(
        one.address_rule is AddressRule.CONFIGURED for one in tongue.dialects
    )
    for one in side.given:
        session.digests.known.setdefault(one.vhid, []).append(
            _key(one, passwords.index(one.password), configured)
        )
    return session


@lru_cache(maxsize=256)
def _key(given: Given, index: int, in_order: bool) -> Key:
    return Seed(key(given.password), index).key(given.vhid, given.addresses, in_order=in_order)


def _of_hosts(events: Sequence[Event], side: Side, session: Session) -> Iterator[FrameSeen]:
    """The frames that the hosts of ``side`` sent; whatever the tester sends or does on the way disturbs them."""
    hosts, shared = side.hosts, {address for one in side.given for address in one.addresses}
    disturbed_ns = -1
    for event in events:
        if isinstance(event, FrameSeen):
            if event.sent:
                if event.frame.arp is None:  # the question whether the host is still there disturbs nobody
                    disturbed_ns = event.time_ns
            elif _is_theirs(event.frame, hosts, shared):
                if disturbed_ns >= 0:
                    session.disturbed(disturbed_ns)
                    disturbed_ns = -1
                yield event
        elif isinstance(event, TesterAction):
            disturbed_ns = event.time_ns


def _is_theirs(frame: Frame, hosts: Mapping[Address, str], shared: set[Address]) -> bool:
    if frame.arp is not None:
        return frame.arp.sender in shared or frame.arp.sender in hosts
    if frame.ip is None:
        return False
    if frame.neighbour is not None:
        return frame.neighbour.target in shared or frame.ip.source in hosts
    return frame.ip.source in hosts


def _conclusions(session: Session, side: Side, held: set[str]) -> Iterator[Breach]:
    """The breaches of what binds the dialect; what holds goes into ``held``."""
    monitors = cover()
    for host in session.hosts.values():
        for speaker in host.speakers():
            for requirement, tally in session.ledger.tallies.get(speaker.who, {}).items():
                if not tally.fails:
                    if tally.passes:
                        held.add(requirement)
                elif session.applies(requirement, session.tongue(speaker).names):
                    frames = tuple(ref.frame for ref in tally.frames)
                    name = side.hosts[speaker.source]
                    yield Breach(requirement, monitors[requirement], name, tally.text, frames)
