"""What faults are made of: each function here returns one, a change of a dialect's rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.model.actions import State
from conformance.model.checks import Arrival, Check
from conformance.model.dialects import Dialect
from conformance.model.effects import Carrier, Happening
from conformance.model.loglines import Line
from conformance.model.mutant import Mutant
from conformance.model.transitions import Effect, Input, Table, Transition
from conformance.model.vhost import Port, Vhost
from conformance.wire.digest import AddressRule, Secret
from conformance.wire.header import LENGTH, Header, checksum

Fault = Callable[[Dialect], Dialect]
Change = Callable[[bytearray], None]
ETHERNET = 14
"""Bytes of an Ethernet header."""
CARP_MAC = b"\x00\x00\x5e\x00\x01"


def mutant(id: str, about: str, violates: str, dialect: str, *faults: Fault) -> Mutant:
    """A mutant whose rules have all of ``faults``; ``violates`` are requirements without ``CARP-``, with blanks between them."""

    def fault(rules: Dialect) -> Dialect:
        for one in faults:
            rules = one(rules)
        return rules

    return Mutant(id, about, tuple(f"CARP-{short}" for short in violates.split()), dialect, fault)


def rules(**values: Any) -> Fault:
    """Other values for rows of the dialect."""
    return lambda dialect: replace(dialect, **values)


def common(**values: Any) -> Fault:
    """Other values for the rules that all dialects have alike."""
    return lambda dialect: replace(dialect, common=replace(dialect.common, **values))


# --- reception


def _checks(change: Callable[[list[Check]], None]) -> Fault:
    def fault(dialect: Dialect) -> Dialect:
        both = []
        for checks in (dialect.checks_ipv4, dialect.checks_ipv6):
            changed = list(checks)
            change(changed)
            both.append(tuple(changed))
        return replace(dialect, checks_ipv4=both[0], checks_ipv6=both[1])

    return fault


def without(*checks: Check) -> Fault:
    """These checks are left out."""

    def change(found: list[Check]) -> None:
        found[:] = [check for check in found if check not in checks]

    return _checks(change)


def instead(old: Check, new: Check) -> Fault:
    """``new`` in the place of ``old``."""

    def change(found: list[Check]) -> None:
        found[:] = [new if check is old else check for check in found]

    return _checks(change)


def exchanged(one: Check, other: Check) -> Fault:
    """Two checks have changed places."""
    places = {one: other, other: one}

    def change(found: list[Check]) -> None:
        found[:] = [places.get(check, check) for check in found]

    return _checks(change)


def first(check: Check) -> Fault:
    """``check`` before all others."""
    return _checks(lambda found: found.insert(0, check))


def last(check: Check) -> Fault:
    """``check`` after all others."""
    return _checks(lambda found: found.append(check))


def demanding(holds: Callable[[Arrival], bool]) -> Fault:
    """One more condition, tried last, without a counter or a line."""
    return last(holds)


def meant(arrival: Arrival) -> Vhost | None:
    """The virtual host that a packet names, before anything was checked."""
    if arrival.vhost is not None:
        return arrival.vhost
    return arrival.port.vhosts.get(arrival.header[1]) if len(arrival.header) > 1 else None


def wedge(vhost: Vhost) -> None:
    """The virtual host does nothing any more, as after a crash."""
    vhost.advertise_ns = vhost.down_ns = vhost.down6_ns = None
    vhost.port.up = False


# --- transitions


def table(change: Callable[[dict[tuple[State, Input], Transition]], None]) -> Fault:
    """Rows of the state machine changed in place."""

    def fault(dialect: Dialect) -> Dialect:
        rows = dict(dialect.transitions)
        change(rows)
        changed: Table = rows
        return replace(dialect, transitions=changed)

    return fault


def step(state: State, what: Input, **changes: Any) -> Fault:
    """Another transition for an input."""
    return table(lambda rows: rows.__setitem__((state, what), replace(rows[state, what], **changes)))


def dropped(effect: Effect, state: State, *inputs: Input) -> Fault:
    """An effect is left out of the transitions for ``inputs``."""

    def change(rows: dict[tuple[State, Input], Transition]) -> None:
        for what in inputs:
            row = rows[state, what]
            rows[state, what] = replace(row, effects=tuple(one for one in row.effects if one is not effect))

    return table(change)


def added(effect: Effect, state: State, what: Input) -> Fault:
    """One more effect, after the others."""
    return table(
        lambda rows: rows.__setitem__(
            (state, what),
            replace(rows[state, what], effects=(*rows[state, what].effects, effect)),
        ),
    )


def carried(effect: Effect, by: Callable[[Happening, Carrier], None]) -> Fault:
    """``by`` carries an effect out; it gets the right carrier, too."""

    def fault(dialect: Dialect) -> Dialect:
        right = dialect.carriers[effect]
        return replace(dialect, carriers={**dialect.carriers, effect: lambda it: by(it, right)})

    return fault


# --- sending


def carp_at(frame: bytes | bytearray) -> int:
    """Where CARP begins in an advertisement of the host."""
    return ETHERNET + (20 if frame[12:14] == b"\x08\x00" else 40)


def sending(change: Callable[[Port, bytearray, int | None], None]) -> Fault:
    """Every frame is changed as it leaves."""

    def emits(port: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:
        data = bytearray(frame)
        change(port, data, vhid)
        return (bytes(data),)

    return common(emits=emits)


def advertising(change: Change) -> Fault:
    """Every advertisement is changed as it leaves; the checksum of the IPv4 header is right for it, nothing else."""

    def emit(_: Port, data: bytearray, vhid: int | None) -> None:
        if vhid is not None:
            change(data)
            if data[12:14] == b"\x08\x00":
                resum(data, ETHERNET, ETHERNET + 4 * (data[ETHERNET] & 15), 10)

    return sending(emit)


def carp(change: Change) -> Fault:
    """The 36 bytes of every advertisement are changed as it leaves; the checksum is right for it, the digest is not."""

    def emit(data: bytearray) -> None:
        at = carp_at(data)
        header = data[at : at + LENGTH]
        change(header)
        data[at : at + LENGTH] = header
        resum(data, at, at + LENGTH, 6)

    return advertising(emit)


def put(at: int, value: bytes) -> Change:
    """These bytes at that place."""

    def change(data: bytearray) -> None:
        data[at : at + len(value)] = value

    return change


def resum(data: bytearray, begin: int, end: int, at: int) -> None:
    """Makes the checksum at ``begin + at`` right for the bytes from ``begin`` to ``end``."""
    data[begin + at : begin + at + 2] = bytes(2)
    data[begin + at : begin + at + 2] = checksum(data[begin:end]).to_bytes(2, "big")


def authentic(
    addresses: Callable[[Vhost, int], tuple[Any, ...]] = lambda vhost, _: vhost.addresses,
    counter: Callable[[Vhost, int, bytes], bytes] = lambda _vhost, _version, as_made: as_made,
    rule: AddressRule = AddressRule.ASCENDING,
) -> Fault:
    """Every advertisement leaves with a right digest over other addresses, or with another counter; both are told the vhost and 4 or 6."""

    def emit(port: Port, data: bytearray, vhid: int | None) -> None:
        if vhid is not None:
            at, vhost = carp_at(data), port.vhosts[vhid]
            version = 4 if at == ETHERNET + 20 else 6
            header = Header.unpack(bytes(data[at:]))
            carries = counter(vhost, version, header.counter)
            digest = Secret(vhost.config.password, addresses(vhost, version), rule).digest(
                header.vhid,
                carries,
            )
            data[at : at + LENGTH] = replace(header, counter=carries, digest=digest).summed()

    return sending(emit)


# --- log lines


def threshold(row: str, value: int) -> Fault:
    """A line appears from another log level on."""

    def fault(dialect: Dialect) -> Dialect:
        line = getattr(dialect, row)
        assert isinstance(line, Line), f"{dialect.key} has no line {row}"
        return rules(**{row: replace(line, threshold=value)})(dialect)

    return fault


def thresholds_of_states(value: int) -> Fault:
    """The lines of all changes of state appear from another log level on."""
    return lambda dialect: replace(
        dialect,
        log_states={why: replace(line, threshold=value) for why, line in dialect.log_states.items()},
    )


def wording(old: str, new: str) -> Fault:
    """Another text in the lines of changes of state."""
    return lambda dialect: replace(
        dialect,
        log_states={
            why: replace(line, text=line.text.replace(old, new)) for why, line in dialect.log_states.items()
        },
    )


# --- counters


def miscounted(**counters: tuple[str, ...]) -> Fault:
    """What is to move one counter moves others."""
    return common(counts=lambda counter: counters.get(counter, (counter,)))
