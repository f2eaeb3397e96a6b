"""Mutants of ARP: announcements, answers, and whose MAC address they give."""

from __future__ import annotations

from dataclasses import replace

from conformance.model import adverts
from conformance.model.actions import State
from conformance.model.announcing import Answer, Gratuitous, Mac
from conformance.model.dialects import Dialect
from conformance.model.effects import Carrier, Happening
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    ETHERNET,
    Fault,
    added,
    carried,
    common,
    dropped,
    mutant,
    rules,
    sending,
    step,
)
from conformance.model.transitions import Effect, Input
from conformance.model.vhost import Port

INIT, BACKUP, MASTER = State.INIT, State.BACKUP, State.MASTER
_TAKE_OVERS = (Input.MASTER_DOWN, Input.SLOWER, Input.WILL_TIME_OUT)
ARP = b"\x08\x06"
OPERATION, SENDER_IP, TARGET_IP = ETHERNET + 6, ETHERNET + 14, ETHERNET + 24


def _gratuitous(data: bytearray) -> bool:
    return data[12:14] == ARP and data[SENDER_IP : SENDER_IP + 4] == data[TARGET_IP : TARGET_IP + 4]


def _as_reply(_: Port, data: bytearray, __: int | None) -> None:
    if _gratuitous(data):
        data[OPERATION + 1] = 2


def _to_the_group(_: Port, data: bytearray, __: int | None) -> None:
    if _gratuitous(data):
        data[0:6] = bytes.fromhex("01005e000012")


def _without_target(_: Port, data: bytearray, __: int | None) -> None:
    if _gratuitous(data):
        data[TARGET_IP : TARGET_IP + 4] = bytes(4)


def _twice(it: Happening, right: Carrier) -> None:
    right(it)
    right(it)


def _first_only(it: Happening, _: Carrier) -> None:
    addresses = it.vhost.addresses
    it.vhost.addresses = addresses[:1]
    adverts.gratuitous_arp(it.host, it.vhost)
    it.vhost.addresses = addresses


def _with_the_second(it: Happening, right: Carrier) -> None:
    right(it)
    it.vhost.announce_in = 1


def announcing(**changes: Mac) -> Fault:
    """The gratuitous ARP with other MAC addresses in it."""

    def fault(dialect: Dialect) -> Dialect:
        rule: Gratuitous = replace(dialect.gratuitous_arp, **changes)
        return replace(dialect, gratuitous_arp=rule)

    return fault


MUTANTS: tuple[Mutant, ...] = (
    mutant("no-gratuitous-arp", "a new MASTER announces nothing",
           "ARP-001 ARP-002 MULTI-004", "freebsd-13", dropped(Effect.ANNOUNCE, BACKUP, *_TAKE_OVERS)),
    mutant("no-gratuitous-arp-from-ucarp", "a new MASTER announces nothing",
           "ARP-001", "ucarp", dropped(Effect.ANNOUNCE, BACKUP, *_TAKE_OVERS)),
    mutant("announced-twice", "a new MASTER announces the address twice",
           "ARP-001 MULTI-004", "freebsd-legacy", carried(Effect.ANNOUNCE, _twice)),
    mutant("first-address-announced", "a new MASTER announces the first of its addresses",
           "MULTI-004 ARP-001", "freebsd-15", carried(Effect.ANNOUNCE, _first_only)),
    mutant("announced-by-reply", "the gratuitous ARP is a reply",
           "ARP-002", "freebsd-13", sending(_as_reply)),
    mutant("announced-to-the-group", "the gratuitous ARP goes to the group",
           "ARP-002", "openbsd", sending(_to_the_group)),
    mutant("announced-without-target", "the gratuitous ARP asks for 0.0.0.0",
           "ARP-002", "freebsd-legacy", sending(_without_target)),
    mutant("wrong-mac-announced", "the gratuitous ARP gives the physical MAC",
           "ARP-003", "freebsd-13", announcing(sender=Mac.PHYSICAL)),
    mutant("wrong-mac-announced-by-openbsd", "the gratuitous ARP gives the physical MAC",
           "ARP-003 MULTI-003", "openbsd", announcing(sender=Mac.PHYSICAL)),
    mutant("target-mac-filled", "the target hardware address is the sender's",
           "ARP-004", "freebsd-13", announcing(target=Mac.VIRTUAL)),
    mutant("announced-from-the-virtual-mac", "the gratuitous ARP leaves from the virtual MAC",
           "ARP-005", "freebsd-13", announcing(ether_source=Mac.VIRTUAL)),
    mutant("announced-before-advertising", "the gratuitous ARP precedes the advertisement",
           "ARP-006", "freebsd-13",
           step(BACKUP, Input.MASTER_DOWN, effects=(Effect.ENTER, Effect.ANNOUNCE, Effect.ADVERTISE, Effect.ARM_ADVERTISING))),
    mutant("not-announced-again", "OpenBSD does not repeat the gratuitous ARP",
           "ARP-007", "openbsd", dropped(Effect.ANNOUNCE_LATER, BACKUP, *_TAKE_OVERS)),
    mutant("announced-again-too-early", "the gratuitous ARP is repeated with the second advertisement",
           "ARP-007", "openbsd", carried(Effect.ANNOUNCE_LATER, _with_the_second)),
    mutant("not-announced-again-by-ucarp", "ucarp does not repeat the gratuitous ARP",
           "ARP-007", "ucarp", dropped(Effect.ANNOUNCE_LATER, BACKUP, *_TAKE_OVERS)),
    mutant("master-does-not-answer", "a MASTER does not answer for the shared address",
           "ARP-008 ARP-013", "freebsd-13", common(answers_in=())),
    mutant("answers-with-the-wrong-mac", "a MASTER answers with the physical MAC (opnsense/core#6542)",
           "ARP-009 ARP-012", "freebsd-13", rules(arp_answer=Answer(Mac.PHYSICAL, Mac.PHYSICAL))),
    mutant("backup-answers-arp", "a BACKUP answers for the shared address",
           "ARP-010 ARP-013", "freebsd-13", common(answers_in=(BACKUP, MASTER))),
    mutant("backup-answers-arp-on-ucarp", "a BACKUP answers for the shared address",
           "ARP-010", "ucarp", common(answers_in=(BACKUP, MASTER))),
    mutant("answers-from-the-virtual-mac", "FreeBSD answers from the virtual MAC",
           "ARP-011", "freebsd-15", rules(arp_answer=Answer(Mac.VIRTUAL, Mac.VIRTUAL))),
    mutant("not-reasserted", "a ucarp MASTER does not announce the address when it hears a slower one",
           "ARP-016", "ucarp", dropped(Effect.ANNOUNCE, MASTER, Input.WORSE)),
    mutant("not-reasserted-again", "a ucarp MASTER announces the address once when it hears a slower one",
           "ARP-016", "ucarp", dropped(Effect.ANNOUNCE_LATER, MASTER, Input.WORSE)),
    mutant("announced-at-start", "configuring an address announces it",
           "ARP-018", "freebsd-10", added(Effect.ANNOUNCE, INIT, Input.USABLE)),
    mutant("gratuitous-arp-not-answered", "a BACKUP does not contradict a gratuitous ARP",
           "ARP-020", "freebsd-13", rules(answers_gratuitous=())),
)  # fmt: skip
