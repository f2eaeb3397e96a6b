"""Monitors of the wire format: what one advertisement shows by itself (groups WIRE and V6)."""

from __future__ import annotations

from functools import lru_cache

from conformance.judge.form import Form
from conformance.judge.monitors.monitor import FormRule, Monitor
from conformance.wire.frame import (
    BROADCAST_MAC,
    GROUP_IPV4,
    GROUP_IPV6,
    GROUP_MAC_IPV4,
    GROUP_MAC_IPV6,
    TTL,
    mac_text,
    virtual_mac,
)
from conformance.wire.header import AUTHLEN, LENGTH

_DF = 0x4000


def _v4(form: Form) -> bool:
    return form.family == 4


def _v6(form: Form) -> bool:
    return form.family == 6


def _both(form: Form) -> bool:
    return form.family in (4, 6)


def _whole(form: Form) -> bool:
    return form.whole


def _v6_whole(form: Form) -> bool:
    return form.family == 6 and form.whole


def _v4_grouped(form: Form) -> bool:
    return form.family == 4 and not form.unicast and any(form.destination_mac)


def _multicast(form: Form) -> bool:
    return form.whole and not form.unicast and any(form.source_mac)


def _v6_mac(form: Form) -> bool:
    return form.family == 6 and form.whole and any(form.destination_mac) and any(form.source_mac)


def _expect(name: str, value: object, wanted: object) -> str | None:
    return None if value == wanted else f"{name} is {value} instead of {wanted}"


def _destination(form: Form) -> str | None:
    if form.destination == GROUP_IPV4 or form.unicast:
        return None
    return f"it is addressed to {form.destination} instead of {GROUP_IPV4}"


def _destination6(form: Form) -> str | None:
    if form.destination == GROUP_IPV6 or form.unicast:
        return None
    return f"it is addressed to {form.destination} instead of {GROUP_IPV6}"


def _destination_mac(form: Form) -> str | None:
    if form.destination_mac == BROADCAST_MAC and form.source_mac[:5] == b"\x00\x00\x5e\x00\x00":
        return None  # ucarp --nomcast, CARP-WIRE-020
    return _expect("the Ethernet destination", mac_text(form.destination_mac), mac_text(GROUP_MAC_IPV4))


def _source_mac(form: Form) -> str | None:
    wanted = virtual_mac(form.vhid)
    if form.source_mac == wanted:
        return None
    kind = "the physical address " if form.physical_mac else ""
    return (
        f"the Ethernet source is {kind}{mac_text(form.source_mac)} instead of the virtual {mac_text(wanted)}"
    )


def _ucarp_mac(form: Form) -> str | None:
    return _expect(
        "the Ethernet source",
        mac_text(form.source_mac),
        mac_text(b"\x00\x00\x5e\x00\x00" + bytes([form.vhid])),
    )


def _macs6(form: Form) -> str | None:
    if form.unicast:
        return None
    return _expect(
        "the Ethernet destination", mac_text(form.destination_mac), mac_text(GROUP_MAC_IPV6)
    ) or _source_mac(form)


def _flags(form: Form) -> str | None:
    return (
        None
        if form.fragment == _DF
        else f"flags and fragment offset are {form.fragment:#06x} instead of {_DF:#06x} (DF)"
    )


def _size(form: Form) -> str | None:
    if form.extended:
        return "the IP header has options"
    return _expect("the IP length", form.length, 20 + LENGTH)


def _shape6(form: Form) -> str | None:
    if form.extended:
        return "extension headers precede the advertisement"
    return (
        _expect("the payload length", form.payload, LENGTH)
        or _expect("the hop limit", form.ttl, TTL)
        or _expect("the flow label", form.flow, 0)
    )


def _first(form: Form) -> str | None:
    return (
        None
        if form.first == 0x21
        else (
            f"the first byte is {form.first:#04x} instead of 0x21 "
            f"(version {form.version}, type {form.first & 15})"
        )
    )


RULES: tuple[FormRule, ...] = (
    FormRule("CARP-WIRE-002", _v4, _destination),
    FormRule("CARP-WIRE-003", _v4_grouped, _destination_mac),
    FormRule("CARP-WIRE-004", _both, lambda form: _expect("the TTL", form.ttl, TTL)),
    FormRule("CARP-WIRE-005", _v4, _flags),
    FormRule("CARP-WIRE-006", _v4, _size),
    FormRule("CARP-WIRE-007", _v4, lambda form: None if form.ip_sound else "the IP header checksum is wrong"),
    FormRule("CARP-WIRE-008", _whole, _first),
    FormRule("CARP-WIRE-011", _whole, lambda form: _expect("authlen", form.authlen, AUTHLEN)),
    # OpenBSD's demote count lives in this byte (CARP-DEMOTE-011).
    FormRule(
        "CARP-WIRE-012", _whole, lambda form: _expect("byte 4", form.demote, 0), but=frozenset({"openbsd"})
    ),
    FormRule("CARP-WIRE-013", _whole, lambda form: None if form.carp_sound else "the CARP checksum is wrong"),
    FormRule("CARP-WIRE-014", _both, lambda form: _expect("the CARP payload's length", form.payload, LENGTH)),
    FormRule("CARP-WIRE-016", _multicast, _source_mac, but=frozenset({"ucarp"})),
    FormRule("CARP-WIRE-017", _multicast, _ucarp_mac, only=frozenset({"ucarp"})),
    FormRule("CARP-V6-001", _v6, _destination6),
    FormRule("CARP-V6-002", _v6_mac, _macs6),
    FormRule("CARP-V6-003", _v6, _shape6),
    FormRule(
        "CARP-V6-006", _v6_whole, lambda form: None if form.carp_sound else "the CARP checksum is wrong"
    ),
)
"""One row a requirement; whatever depends on the form alone is judged once a form."""


@lru_cache(maxsize=1024)
def judged(form: Form, names: frozenset[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The requirements that ``form`` satisfies, and those that it breaks, each with the objection; ``names`` are the dialects its sender is known to talk."""
    satisfied, broken = [], []
    for rule in RULES:
        if rule.concerns(form, names):
            objection = rule.objection(form)
            if objection is None:
                satisfied.append(rule.requirement)
            else:
                broken.append((rule.requirement, objection))
    return tuple(satisfied), tuple(broken)


EXEMPT: dict[str, frozenset[str]] = {rule.requirement: rule.but for rule in RULES if rule.but}
"""Dialects whose lawful behaviour looks like a breach of a requirement."""

MONITORS: tuple[Monitor, ...] = (
    Monitor(
        "wire-format",
        tuple(rule.requirement for rule in RULES),
        "each advertisement's headers, lengths, addresses and checksums",
    ),
)
