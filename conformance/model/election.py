"""The rows of the dialect table about the election: comparison, preemption, the three-intervals rule,
demotion, transitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from conformance.model import transitions
from conformance.model.rows import (
    ALL_FREEBSD,
    BAD_PACKETS,
    DEMOTED,
    FREEBSD_10,
    FREEBSD_13,
    FREEBSD_15,
    FREEBSDS,
    LATE,
    LEGACIES,
    LEGACY,
    OPENBSD,
    UCARP,
    Row,
    cell,
    row,
)
from conformance.wire.digest import Address

MOST_DEMOTED = 240
"""The advskew of a demoted FreeBSD or ucarp host (``CARP_MAXSKEW``, ``CARP_BULK_UPDATE_MIN_DELAY``)."""


@dataclass(slots=True)
class Heard:
    """A valid advertisement against the receiver's own parameters.

    ``own_ns`` and ``heard_ns`` are advbase + advskew/256 s; ``limit_ns`` is the receiver's dead ratio (3) *
    advbase + advskew/256 s; ``own_demote`` and
    ``heard_demote`` the demote counts (0 where byte 4 means nothing); ``source`` and ``own_source`` the IP
    addresses of both advertisements.
    """

    own_ns: int
    heard_ns: int
    limit_ns: int
    own_advbase: int
    preempt: bool
    own_demote: int
    heard_demote: int
    addresses: Callable[[], tuple[Address, Address]]


class Rule(Protocol):
    """Whether something holds of an advertisement that was heard."""

    def __call__(self, heard: Heard) -> bool: ...


def yields_to_equal(heard: Heard) -> bool:
    """Advertised interval is not longer than the own."""
    return heard.own_ns >= heard.heard_ns


def yields_by_demotion(heard: Heard) -> bool:
    """Lower demote count; or interval not longer than the own and demote count not higher."""
    return heard.heard_demote < heard.own_demote or (
        heard.own_ns >= heard.heard_ns and heard.heard_demote <= heard.own_demote
    )


def yields_by_address(heard: Heard) -> bool:
    """Shorter interval; a tie goes to the lower source address, compared as a little-endian number."""
    if heard.own_ns != heard.heard_ns:
        return heard.own_ns > heard.heard_ns
    source, own_source = heard.addresses()
    return int.from_bytes(source.packed, "little") < int.from_bytes(own_source.packed, "little")


def preempts_slower(heard: Heard) -> bool:
    """Preemption is on and the advertised interval is longer than the own."""
    return heard.preempt and heard.own_ns < heard.heard_ns


def preempts_unless_demoted(heard: Heard) -> bool:
    """Preemption is on, the advertised interval is longer, and the demote count not lower than the own."""
    return heard.preempt and heard.own_ns < heard.heard_ns and heard.heard_demote >= heard.own_demote


def relieves_nobody(heard: Heard) -> bool:  # noqa: ARG001  # the shape of a Rule
    """Never."""
    return False


def relieves_the_demoted(heard: Heard) -> bool:
    """The advertisement's demote count is higher than the own, preemption or not."""
    return heard.heard_demote > heard.own_demote


def will_time_out(heard: Heard) -> bool:
    """Advertised interval is longer than 3 * advbase + advskew/256 s."""
    return heard.limit_ns < heard.heard_ns


def will_time_out_unless_zero(heard: Heard) -> bool:
    """Advertised interval is longer than 3 * advbase + advskew/256 s, and own advbase is not 0."""
    return heard.own_advbase != 0 and heard.limit_ns < heard.heard_ns


class Demotion(Enum):
    """How a host is demoted."""

    SUPPRESS = "a count of failures (suppress_preempt); while it is above 0 the host advertises 240"
    SUM = "a signed sum (net.inet.carp.demotion), added to advskew"
    GROUPS = "demote counts of interface groups, sent in byte 4"


class EffectiveSkew(Protocol):
    """The advskew a host advertises and compares with, from the configured one and the demotion."""

    def __call__(self, advskew: int, demotion: int) -> int: ...


def suppressed_skew(advskew: int, demotion: int) -> int:
    """240 while demoted, unless higher."""
    return max(advskew, MOST_DEMOTED) if demotion > 0 else advskew


def summed_skew_unbounded(advskew: int, demotion: int) -> int:
    """Advskew + demotion, at most 240, no lower bound."""
    return min(advskew + demotion, MOST_DEMOTED)


def summed_skew(advskew: int, demotion: int) -> int:
    """Advskew + demotion, from 0 to 240."""
    return min(max(advskew + demotion, 0), MOST_DEMOTED)


def plain_skew(advskew: int, demotion: int) -> int:  # noqa: ARG001  # the shape of an EffectiveSkew
    """Advskew as configured."""
    return advskew


class DemoteByte(Protocol):
    """Byte 4 of the header from the demotion."""

    def __call__(self, demotion: int) -> int: ...


def zero_byte(demotion: int) -> int:  # noqa: ARG001  # the shape of a DemoteByte
    """0."""
    return 0


def count_byte(demotion: int) -> int:
    """The demote count, at most 255."""
    return min(demotion, 255)


ROWS: tuple[Row, ...] = (
    row(
        "transitions",
        "the state machine",
        cell(LEGACIES, transitions.LEGACY, "carp interface; advertisement, then gratuitous ARP"),
        cell(FREEBSDS, transitions.FREEBSD, "advertisement, then gratuitous ARP"),
        cell(
            OPENBSD, transitions.OPENBSD, "carp interface; gratuitous ARP again with the third advertisement"
        ),
        cell(
            UCARP,
            transitions.UCARP,
            "script, gratuitous ARP, advertisement; one more advertisement before stepping down",
        ),
        read="carp_proto_input_c, carp_master_down, carp_setrun; ucarp packethandler",
        recorded={
            LEGACY: "l-loglevels-statechanges",
            FREEBSD_13: "states_log1",
            FREEBSD_15: "k2_allow_1_0_1",
            OPENBSD: "m1-backup-peer-skew0-then-stops",
            UCARP: "c_100.22909",
        },
    ),
    row(
        "yields",
        "a MASTER steps down for an advertisement with",
        cell(ALL_FREEBSD, yields_to_equal),
        cell(OPENBSD, yields_by_demotion),
        cell(UCARP, yields_by_address),
        read="carp_proto_input_c; ucarp packethandler",
        recorded=BAD_PACKETS,
        seen={UCARP: "ties between four source addresses"},
    ),
    row(
        "preempts",
        "a BACKUP takes over at once when",
        cell((*ALL_FREEBSD, UCARP), preempts_slower),
        cell(OPENBSD, preempts_unless_demoted),
        read="carp_proto_input_c",
        recorded={LEGACY: "S1-ref-preempt1-ext-link-off.br-carp", FREEBSD_13: "i_failover_preempt1"},
        seen={OPENBSD: "peer of advskew 200, preempt 0 then 1"},
    ),
    row(
        "relieves",
        "a BACKUP relieves a demoted MASTER when",
        cell((*ALL_FREEBSD, UCARP), relieves_nobody),
        cell(OPENBSD, relieves_the_demoted),
        read="carp_proto_input_c",
        recorded=BAD_PACKETS,
        seen={OPENBSD: "peer that raises its demote count to 1: MASTER after 3 ms with preempt 0"},
    ),
    row(
        "times_out",
        "a BACKUP gives a MASTER up at once when",
        cell((*ALL_FREEBSD, UCARP), will_time_out),
        cell(OPENBSD, will_time_out_unless_zero),
        read="carp_proto_input_c",
        recorded={LEGACY: "l-loglevels-statechanges", FREEBSD_13: "bad_packets_v4"},
        seen={OPENBSD: "255/255: MASTER after 2 ms"},
    ),
    row(
        "demotion_by",
        "how a host is demoted",
        cell((*LEGACIES, UCARP), Demotion.SUPPRESS),
        cell(FREEBSDS, Demotion.SUM),
        cell(OPENBSD, Demotion.GROUPS),
        read="carp_demote_adj, carp_group_demote_adj",
        recorded=DEMOTED | {LEGACY: "S1-ref-preempt1-ext-link-off.br-carp2"},
    ),
    row(
        "effective_skew",
        "advskew as advertised and compared",
        cell((*LEGACIES, UCARP), suppressed_skew),
        cell(FREEBSD_10, summed_skew_unbounded),
        cell(LATE, summed_skew),
        cell(OPENBSD, plain_skew),
        read="DEMOTE_ADVSKEW; carp_send_ad",
        recorded=DEMOTED | {LEGACY: "S2-ref-preempt0-ext-link-off.br-carp2"},
    ),
    row(
        "demote_byte",
        "byte 4 of the header",
        cell((*ALL_FREEBSD, UCARP), zero_byte),
        cell(OPENBSD, count_byte),
        read="carp_send_ad",
        recorded=BAD_PACKETS | {OPENBSD: "j1-demote-single"},
    ),
    row(
        "recovers_from_send_errors",
        "three sent advertisements take the demotion of three failed ones back",
        cell((*LEGACIES, *LATE, OPENBSD, UCARP), True),
        cell(FREEBSD_10, False),
        read="carp_send_ad_error",
    ),
)
