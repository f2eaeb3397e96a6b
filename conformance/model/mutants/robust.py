"""Mutants of ROBUST: crashes, floods, amplification."""

from __future__ import annotations

from conformance.model import checks
from conformance.model.actions import State
from conformance.model.checks import Arrival
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    ETHERNET,
    added,
    carried,
    common,
    first,
    instead,
    last,
    meant,
    mutant,
    wedge,
)
from conformance.model.packet import Packet
from conformance.model.timing import MS
from conformance.model.transitions import Effect, Input

BACKUP, MASTER = State.BACKUP, State.MASTER


def _crashes(arrival: Arrival) -> bool:
    """A payload of seventeen bytes crashes the host"""
    if len(arrival.packet.payload) == 17:
        for vhost in arrival.port.vhosts.values():
            wedge(vhost)
    return True


def _crashes_on_long(arrival: Arrival) -> bool:
    """A payload of more than a thousand bytes crashes the host"""
    if len(arrival.packet.payload) > 1000:
        for vhost in arrival.port.vhosts.values():
            wedge(vhost)
    return True


def _delays(arrival: Arrival) -> bool:
    """Every packet that comes in delays what goes out by 2 ms"""
    for vhost in arrival.port.vhosts.values():
        if vhost.advertise_ns is not None:
            vhost.advertise_ns += 2 * MS
    return True


def _restarts_advertising(arrival: Arrival) -> bool:
    """A packet that names the vhid restarts the advertisement timer"""
    vhost = meant(arrival)
    if vhost is not None and vhost.advertise_ns is not None:
        host, config = arrival.host, vhost.config
        vhost.advertise_ns = max(
            vhost.advertise_ns,
            host.now_ns + host.dialect.interval_ns(config.advbase, config.advskew),
        )
    return True


def _queued(it: Happening, right: Carrier) -> None:
    """Every advertisement of a flood is worked on for 5 ms, one after the other."""
    before_ns = it.vhost.down_ns or 0
    right(it)
    if it.vhost.down_ns is not None and it.vhost.down_ns - before_ns < 20 * MS:
        it.vhost.down_ns = before_ns + 50 * MS


def _twenty_bytes(packet: Packet) -> bool:
    """CARP begins after twenty bytes, whatever the header length says"""
    if packet.version == 4 and packet.header_length != 20:
        packet.payload = packet.frame[ETHERNET + 20 :]
        return True
    return packet.sound and not packet.fragment


class _Leaks:
    """After fifty changes of state nothing works any more."""

    def __init__(self) -> None:
        self.changes: dict[int, int] = {}

    def __call__(self, it: Happening, right: Carrier) -> None:
        right(it)
        key = id(it.host)
        self.changes[key] = self.changes.get(key, 0) + 1
        if self.changes[key] > 50:
            wedge(it.vhost)
            self.changes[key] = 0


def _joint(arrival: Arrival) -> bool:
    """One checksum over both headers"""
    return arrival.packet.joint_checksum() == 0 or arrival.drop("badsum", "log_checksum")


def _crashes_on_extensions(arrival: Arrival) -> bool:
    """An IPv6 extension header crashes the host"""
    if arrival.packet.version == 6 and arrival.packet.header_length > 40:
        for vhost in arrival.port.vhosts.values():
            wedge(vhost)
    return True


def _summed_if_of_type_1(arrival: Arrival) -> bool:
    """Checksum over 36 bytes, in a packet of type 1"""
    return arrival.header[0] & 15 != 1 or checks.header_checksum(arrival)


def _authenticated_if_of_authlen_7(arrival: Arrival) -> bool:
    """Digest, in a packet of authlen 7"""
    return arrival.header[3] != 7 or checks.digest(arrival)


def _one_oddity_at_most(arrival: Arrival) -> bool:
    """Type or authlen may be odd, but not both"""
    return arrival.header[0] & 15 == 1 or arrival.header[3] == 7 or arrival.drop("badver")


MUTANTS: tuple[Mutant, ...] = (
    mutant("crashes-at-17-bytes", "a payload of 17 bytes crashes the host",
           "ROBUST-001", "freebsd-13", first(_crashes)),
    mutant("crashes-at-1000-bytes", "a payload of more than 1000 bytes crashes the host",
           "ROBUST-001", "openbsd", first(_crashes_on_long)),
    mutant("delayed-by-what-comes-in", "every packet delays the next advertisement by 2 ms",
           "ROBUST-002", "freebsd-legacy", first(_delays)),
    mutant("advertising-restarted-by-rejected", "a refused packet restarts the advertisement timer",
           "ROBUST-002 RX-024", "freebsd-13", first(_restarts_advertising)),
    mutant("flood-is-queued", "every advertisement of a flood prolongs the wait",
           "ROBUST-003", "freebsd-15", carried(Effect.ARM_FAMILY, _queued)),
    mutant("header-length-ignored", "the IPv4 header is taken to have twenty bytes",
           "ROBUST-004", "freebsd-13", common(takes=_twenty_bytes)),
    mutant("leaks-at-each-change", "after fifty changes of state the node stops",
           "ROBUST-005", "freebsd-13", carried(Effect.ENTER, _Leaks())),
    mutant("answers-every-slower-one", "a slower advertisement is answered by one",
           "ROBUST-006", "freebsd-13", added(Effect.ADVERTISE, MASTER, Input.WORSE)),
    mutant("announces-at-every-slower-one", "a slower advertisement is answered by a gratuitous ARP",
           "ROBUST-006", "openbsd", added(Effect.ANNOUNCE, MASTER, Input.WORSE)),
    mutant("one-sum-for-both-headers", "one checksum covers both headers, as in ucarp",
           "ROBUST-008", "freebsd-legacy", common(takes=lambda packet: not packet.fragment),
           instead(checks.header_checksum, _joint)),
    mutant("crashes-at-extension-headers", "an IPv6 extension header crashes the host",
           "ROBUST-007", "freebsd-13", first(_crashes_on_extensions)),
    mutant("another-type-is-not-summed", "the checksum of a packet of another type is not looked at",
           "ROBUST-014", "freebsd-10", instead(checks.header_checksum, _summed_if_of_type_1)),
    mutant("another-authlen-is-not-authenticated", "the digest of a packet of another authlen is not looked at",
           "ROBUST-014", "freebsd-13", instead(checks.digest, _authenticated_if_of_authlen_7)),
    mutant("two-oddities-are-a-fault", "an odd type and an odd authlen are refused together",
           "ROBUST-014", "openbsd", last(_one_oddity_at_most)),
)  # fmt: skip
