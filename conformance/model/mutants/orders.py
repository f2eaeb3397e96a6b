"""Mutants of what an administrator orders while a virtual host runs."""

from __future__ import annotations

from conformance.model import checks
from conformance.model.actions import State
from conformance.model.checks import Arrival
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    carp_at,
    common,
    dropped,
    instead,
    mutant,
    resum,
    rules,
    sending,
    step,
)
from conformance.model.receiving import hmac_sha1
from conformance.model.transitions import Effect, Input, Reason
from conformance.model.vhost import Port
from conformance.wire.header import LENGTH

INIT, BACKUP, MASTER = State.INIT, State.BACKUP, State.MASTER


class _Frozen:
    """The advskew of the first advertisement stays in all others."""

    def __init__(self) -> None:
        self.first: dict[int, int] = {}

    def __call__(self, port: Port, data: bytearray, vhid: int | None) -> None:
        if vhid is not None:
            at = carp_at(data)
            data[at + 2] = self.first.setdefault(id(port), data[at + 2])
            resum(data, at, at + LENGTH, 6)


class _OldKey:
    """The key of the first advertisement signs all others."""

    def __init__(self) -> None:
        self.first: dict[int, bytes] = {}

    def __call__(self, port: Port, data: bytearray, vhid: int | None) -> None:
        if vhid is not None:
            at, vhost = carp_at(data), port.vhosts[vhid]
            key = self.first.setdefault(id(port), vhost.key)
            data[at + 16 : at + LENGTH] = hmac_sha1(key, vhost.prefixes[0], bytes(data[at + 8 : at + 16]))
            resum(data, at, at + LENGTH, 6)


def _deaf_after_allow(arrival: Arrival) -> bool:
    """net.inet.carp.allow is 1 and has always been"""
    host = arrival.host
    if not checks.allowed(arrival):
        host.groups["deaf"] = 1
    return "deaf" not in host.groups


MUTANTS: tuple[Mutant, ...] = (
    mutant("keys-tail-cut", "FreeBSD 13 clears the key before it sets a new one",
           "AUTH-031 AUTH-021", "freebsd-13", rules(key_keeps_tail=False)),
    mutant("removal-unnoticed", "a removed address is still hashed",
           "AUTH-030 ELECT-020 ELECT-021", "freebsd-15", rules(notices_removal=False)),
    mutant("address-added-in-passing", "an added address does not restart the vhid (opnsense/core#2551)",
           "ELECT-020", "freebsd-13", common(restarts_on_address=False)),
    mutant("ordered-master-unheard", "the order to become MASTER has no effect",
           "ELECT-023", "freebsd-13", step(BACKUP, Input.ORDERED_MASTER, to=BACKUP, effects=(), reason=None)),
    mutant("ordered-master-silent", "a MASTER by order does not advertise at once",
           "ELECT-023", "openbsd", dropped(Effect.ADVERTISE, BACKUP, Input.ORDERED_MASTER)),
    mutant("ordered-master-unannounced", "a MASTER by order does not announce the address",
           "ELECT-023", "freebsd-10", dropped(Effect.ANNOUNCE, BACKUP, Input.ORDERED_MASTER)),
    mutant("ordered-backup-for-good", "a BACKUP by order never returns",
           "ELECT-022", "freebsd-13", dropped(Effect.ARM_DOWN, MASTER, Input.ORDERED_BACKUP)),
    mutant("ordered-backup-unheard", "the order to become BACKUP has no effect",
           "ELECT-022", "openbsd", step(MASTER, Input.ORDERED_BACKUP, to=MASTER, effects=(), reason=None)),
    mutant("ordered-in-init", "an order starts a vhid in INIT",
           "ELECT-024", "freebsd-15",
           step(INIT, Input.ORDERED_MASTER, to=MASTER, reason=Reason.ORDERED, effects=(Effect.ENTER, Effect.ADVERTISE))),
    mutant("rank-frozen", "a new advskew is never advertised", "TIMER-018", "freebsd-13", sending(_Frozen())),
    mutant("old-password-signs", "a new password does not sign",
           "AUTH-029", "freebsd-15", sending(_OldKey())),
    mutant("deaf-after-allow", "after allow was 0 the node hears nobody any more (opnsense/core#10780)",
           "SCENARIO-007", "freebsd-13", instead(checks.allowed, _deaf_after_allow)),
    mutant("deaf-after-allow-on-openbsd", "after allow was 0 the node hears nobody any more",
           "SCENARIO-007", "openbsd", instead(checks.allowed, _deaf_after_allow)),
)  # fmt: skip
