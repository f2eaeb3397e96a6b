"""Mixes of implementations that are known to misbehave: each by name, with a predicate over the mix, what to
expect of it, and where that was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address
from itertools import combinations

from conformance.model.election import Demotion, plain_skew
from conformance.model.mix import Member, Mix
from conformance.model.rows import ALL_FREEBSD, BSD, OPENBSD, UCARP
from conformance.wire.digest import addresses
from conformance.wire.header import interval_ns

MARGIN_NS = 20_000_000
"""Ticks, callout slack and the network's own delays: what lies closer together than this is a race."""


class Misbehaviour(Enum):
    """What a hazard leads to, as an observer of the segment sees it."""

    TWO_MASTERS = "two hosts are MASTER and stay it"
    NO_MASTER = "all step down, and nobody is MASTER for one more down time, once or again and again"
    FLAPPING = "mastership goes to and fro"
    RACE = "who is MASTER is decided by fractions of a tick"
    WRONG_MASTER = "a host that is configured to be slower is MASTER"
    NOT_RELIEVED = "a demoted host stays MASTER"
    REFUSED = "an implementation does not take the configuration"


@dataclass(frozen=True, slots=True)
class Hazard:
    """A known way of a mix to misbehave. ``holds`` tells whether a mix has it."""

    name: str
    what: str
    holds: Callable[[Mix], bool]
    expected: Misbehaviour
    source: str


def _different_addresses(mix: Mix) -> bool:
    return len({frozenset(one.config.parsed()) for one in mix.members}) > 1


def _configured_order(mix: Mix) -> bool:
    return not (_different_addresses(mix) or _link_local(mix)) and any(
        not _hashes_alike(sender, receiver) for sender, receiver in mix.pairs()
    )


def _hashes_alike(sender: Member, receiver: Member) -> bool:
    sent = addresses(sender.served(), sender.dialect.address_rule)
    return any(sent == addresses(receiver.served(), rule) for rule in receiver.dialect.accepts_rules)


def _link_local(mix: Mix) -> bool:
    return bool(mix.having(OPENBSD)) and any(
        address.is_link_local
        for one in mix.having(*ALL_FREEBSD)
        for address in one.config.parsed()
        if address.version == 6
    )


def _different_passwords(mix: Mix) -> bool:
    return len({_key(one) for one in mix.members}) > 1


def _key(member: Member) -> bytes:
    password = member.config.password
    raw = password.encode() if isinstance(password, str) else password
    return raw[: member.dialect.common.password_length]


def _password_refused(mix: Mix) -> bool:
    return any(
        one.dialect.password_refused_from is not None
        and len(one.config.password) >= one.dialect.password_refused_from
        for one in mix.members
    )


def _one_family_unheard(mix: Mix) -> bool:
    families = {address.version for one in mix.members for address in one.config.parsed()}
    return len(mix.unheard) == 1 and len(families) == 2


def _little_endian(address: IPv4Address) -> int:
    """How ucarp compares addresses on the machines that it runs on."""
    return int.from_bytes(address.packed, "little")


def _equal_timers_ucarp(mix: Mix) -> bool:
    return any(
        daemon.interval_ns == kernel.interval_ns
        and _little_endian(kernel.source) < _little_endian(daemon.source)
        for daemon in mix.having(UCARP)
        for kernel in mix.having(*BSD)
    )


def _equal_timers(mix: Mix) -> bool:
    return any(one.interval_ns == two.interval_ns for one, two in combinations(mix.having(*BSD), 2))


def _read_late_ns(member: Member) -> int:
    return member.dialect.poll_loop.read_timeout_ns if member.dialect.poll_loop is not None else 0


def _races(mix: Mix) -> bool:
    return any(
        master.interval_ns > backup.interval_ns
        and -MARGIN_NS - _read_late_ns(backup)
        <= master.interval_ns - backup.master_down_ns
        <= MARGIN_NS + master.interval_ns // 16
        for master, backup in mix.pairs()
    )


def _down_within_interval(mix: Mix) -> bool:
    return any(
        master.interval_ns <= backup.interval_ns
        and _patience_ns(backup) <= _silence_ns(master, backup) + MARGIN_NS
        for master, backup in mix.pairs()
    )


def _patience_ns(backup: Member) -> int:
    """For how long a BACKUP takes silence: ucarp looks at its timer only when its poll loop wakes."""
    loop, config, down_ns = backup.dialect.poll_loop, backup.config, backup.master_down_ns
    return down_ns if loop is None else loop.wakes_ns(config.advbase, config.advskew, down_ns)


def _silence_ns(master: Member, backup: Member) -> int:
    """The longest time from one advertisement to the next, as a BACKUP sees them: ucarp gets its frames in turns
    of libpcap's read timeout.
    """
    turn_ns = _read_late_ns(backup)
    return -(-master.interval_ns // turn_ns) * turn_ns if turn_ns else master.interval_ns


def _demote_byte(mix: Mix) -> bool:
    others = [one for one in mix.members if one.dialect.demotion_by is not Demotion.GROUPS]
    return bool(others) and any(one.demotion for one in mix.having(OPENBSD))


def _skew_above_240(mix: Mix) -> bool:
    return any(
        one.dialect.effective_skew is not plain_skew
        and one.demotion == 0
        and one.advskew < one.config.advskew
        and _configured_ns(other) < _configured_ns(one)
        and other.interval_ns >= one.interval_ns
        for one, other in mix.pairs()
    )


def _configured_ns(member: Member) -> int:
    return interval_ns(member.config.advbase, member.config.advskew)


def _negative_skew(mix: Mix) -> bool:
    return any(one.advskew < 0 for one in mix.members)


def _deaf(mix: Mix) -> bool:
    return any(not one.allow and one.dialect.allow and not one.dialect.allow_stops for one in mix.members)


def _unicast_on_one_side(mix: Mix) -> bool:
    return bool(mix.having(OPENBSD)) and len({one.config.peer is None for one in mix.members}) == 2


def _reflected(mix: Mix) -> bool:
    return mix.reflects and bool(mix.having(*ALL_FREEBSD))


KNOWN_HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        "different-addresses",
        "The digest covers the addresses: hosts that serve different ones refuse each other. ucarp has only "
        "one.",
        _different_addresses,
        Misbehaviour.TWO_MASTERS,
        "measured: FreeBSD 9.3, 13.2, 15.1, OpenBSD 8.0-beta, ucarp 1.5.2 in pairs; carp_hmac_prepare",
    ),
    Hazard(
        "different-passwords",
        "Hosts with different passwords refuse each other.",
        _different_passwords,
        Misbehaviour.TWO_MASTERS,
        "recorded capture: freebsd-13.2/m_password_mismatch",
    ),
    Hazard(
        "configured-order",
        "FreeBSD up to 6 hashes the addresses in the order of their configuration, all later ones ascending.",
        _configured_order,
        Misbehaviour.TWO_MASTERS,
        "read in source: FreeBSD 6 ip_carp.c 1.38, carp_hmac_prepare",
    ),
    Hazard(
        "link-local",
        "FreeBSD hashes link-local shared addresses; OpenBSD leaves them out of what it sends, and has one "
        "more of its own.",
        _link_local,
        Misbehaviour.TWO_MASTERS,
        "read in source: OpenBSD ip_carp.c:284-411 (HMAC_ORIG, HMAC_NOV6LL), FreeBSD carp_hmac_prepare",
    ),
    Hazard(
        "password-too-long",
        "ucarp refuses a password of 20 characters and more, which the others cut to 19.",
        _password_refused,
        Misbehaviour.REFUSED,
        "measured: ucarp 1.5.2; ucarp src/carp.c:691",
    ),
    Hazard(
        "one-family-unheard",
        "Each family has a down timer of its own: where one is filtered it runs out, although the other "
        "family's advertisements arrive.",
        _one_family_unheard,
        Misbehaviour.FLAPPING,
        "recorded capture: openbsd-8.0beta/m7-mixed-peer-v4-only; measured: FreeBSD 13.2",
    ),
    Hazard(
        "equal-timers-ucarp",
        "A BSD yields to every equal advertisement, ucarp to one from a lower address (compared as a "
        "little-endian number) and with one more advertisement: if the BSD's address is lower, both yield.",
        _equal_timers_ucarp,
        Misbehaviour.NO_MASTER,
        "measured: ucarp 1.5.2 with FreeBSD 9.3 (5 of 5 runs) and 13.2 (3 of 5), 3.4 s without a MASTER; "
        "ucarp src/carp.c:567-575",
    ),
    Hazard(
        "equal-timers",
        "A BSD yields to every equal advertisement: two that cross on the wire make both yield, and equal "
        "down timers let them do it again. Real timers drift apart in a few rounds.",
        _equal_timers,
        Misbehaviour.NO_MASTER,
        "found by tests/model/test_properties.py; read in source: carp_proto_input_c (own >= heard)",
    ),
    Hazard(
        "interval-near-down-time",
        "The interval of a slower MASTER is about the down time of a BACKUP: each advertisement races with "
        "the timer.",
        _races,
        Misbehaviour.RACE,
        "read in source: carp_setrun, carp_send_ad; as advbase 3 against 1",
    ),
    Hazard(
        "down-time-within-interval",
        "The down time of a BACKUP is hardly longer than the interval of a better MASTER: advbase 0, or dead "
        "ratio 1 of ucarp, which sees advertisements only once in a second.",
        _down_within_interval,
        Misbehaviour.FLAPPING,
        "read in source: carp_setrun (3 * 0 + advskew/256), ucarp src/carp.c:348 (dead ratio)",
    ),
    Hazard(
        "demote-byte",
        "Only OpenBSD reads and writes the demote count: others do not relieve a demoted OpenBSD.",
        _demote_byte,
        Misbehaviour.NOT_RELIEVED,
        "measured: byte 4 is ignored by FreeBSD 9.3 and 13.2; OpenBSD ip_carp.c:687-715",
    ),
    Hazard(
        "skew-above-240",
        "FreeBSD 10 and later caps every advskew at 240: it is faster than peers that are configured below "
        "its own advskew, and equal to others of its kind.",
        _skew_above_240,
        Misbehaviour.WRONG_MASTER,
        "read in source: FreeBSD 13.2 ip_carp.c:305 (DEMOTE_ADVSKEW)",
    ),
    Hazard(
        "negative-skew",
        "FreeBSD 10 has no lower bound for advskew and demotion: a negative sum compares as faster than all, "
        "and goes out as one near 255.",
        _negative_skew,
        Misbehaviour.TWO_MASTERS,
        "read in source: FreeBSD 10.4 ip_carp.c:290; FreeBSD PR 259528",
    ),
    Hazard(
        "allow-0",
        "With net.inet.carp.allow=0 a host drops what it hears and goes on by its timers (FreeBSD 13 and "
        "later leave the election).",
        _deaf,
        Misbehaviour.TWO_MASTERS,
        "recorded capture: freebsd-9.3/n1-allow0-pair",
    ),
    Hazard(
        "unicast-on-one-side",
        "An OpenBSD with carppeer takes only unicast advertisements, one without only multicast ones.",
        _unicast_on_one_side,
        Misbehaviour.TWO_MASTERS,
        "read in source: OpenBSD ip_carp.c:621 (carp_proto_input_c)",
    ),
    Hazard(
        "reflected",
        "A segment that returns frames to their sender (hairpin, echoing virtual switch) brings a FreeBSD "
        "MASTER its own advertisement, to which it yields; OpenBSD and ucarp know theirs.",
        _reflected,
        Misbehaviour.FLAPPING,
        "recorded capture: freebsd-9.3/l-bad-packets-v4-master, freebsd-13.2/bad_packets_v4",
    ),
)
"""By what is wrong with a mix, most common first: settings that differ, timers, what a dialect does not know."""


def hazards_of(mix: Mix) -> tuple[Hazard, ...]:
    """The known hazards of a mix, in the order of the table; none if it should behave."""
    return tuple(one for one in KNOWN_HAZARDS if one.holds(mix))
