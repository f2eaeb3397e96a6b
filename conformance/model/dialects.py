"""The dialects: in what the implementations of CARP lawfully differ, as one frozen record of named rules
each.

A dialect is a row-wise cut through the tables in :mod:`conformance.model.timing`,
:mod:`conformance.model.onwire` and their neighbours; there is no code per
dialect. What a value means and what confirms it stands in its row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.model import (
    administering,
    announcing,
    balancing,
    checks,
    effects,
    election,
    loglines,
    onwire,
    platform,
    receiving,
    timing,
)
from conformance.model.actions import State
from conformance.model.common import COMMON, Common
from conformance.model.rows import KEYS, Row
from conformance.model.timing import Interval, MasterDown, PollLoop, Slack, Window
from conformance.model.transitions import Effect, Table
from conformance.model.vrrp3 import Vrrp3Rules
from conformance.wire.digest import Address, AddressRule

ROWS: tuple[Row, ...] = (
    *timing.ROWS,
    *onwire.ROWS,
    *announcing.ROWS,
    *receiving.ROWS,
    *election.ROWS,
    *loglines.ROWS,
    *administering.ROWS,
    *balancing.ROWS,
    *platform.ROWS,
)
"""All rules, in the order in which the docs list them."""

_VERSIONS: dict[str, dict[str, str]] = {
    "freebsd": {"10": "freebsd-10", "13": "freebsd-13", "15": "freebsd-15"},
    "freebsd-legacy": {"6": "freebsd-legacy-6", "9": "freebsd-legacy"},
    "openbsd": {},
    "ucarp": {},
}
_DEFAULT = {
    "freebsd": "freebsd-13",
    "freebsd-legacy": "freebsd-legacy",
    "openbsd": "openbsd",
    "ucarp": "ucarp",
}


class UnknownDialect(LookupError):
    """No dialect has this name, or this dialect has no such version."""

    def __init__(self, name: str, version: str | None) -> None:
        self.name, self.version = name, version
        if name in _VERSIONS:
            known = ", ".join(_VERSIONS[name]) or "none, it has only one set of rules"
            super().__init__(f"dialect {name!r} has no version {version!r}; known versions: {known}")
        else:
            super().__init__(
                f"there is no dialect {name!r}; known are {', '.join(_VERSIONS)} "
                f"(or a key: {', '.join(KEYS)})"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dialect:
    """The rules of one implementation. Fields are the rows of :data:`ROWS`; the methods derive windows from
    them. Times are integer nanoseconds.
    """

    key: str
    # time (conformance.model.timing)
    interval_ns: Interval
    master_down_ns: MasterDown
    timer_slack: Slack
    timer_late_ns: int
    poll_loop: PollLoop | None
    reaction_ns: int
    # on the wire (conformance.model.onwire)
    virtual_mac: Callable[[int], bytes]
    tos: int
    traffic_class: int
    identification: onwire.Identification
    source_ipv4: onwire.Source4
    source_ipv6: onwire.Source6 | None
    address_rule: AddressRule
    accepts_rules: tuple[AddressRule, ...]
    # capabilities
    ipv6: bool
    multiple_addresses: bool
    bow_out: bool
    demotion: bool
    unicast: bool
    vrrp3: Vrrp3Rules | None
    allow: bool
    state_requests: bool
    counters: bool
    log_levels: tuple[int, ...]
    # ARP and neighbour discovery (conformance.model.announcing)
    gratuitous_arp: announcing.Gratuitous
    arp_answer: announcing.Answer
    answers_gratuitous: tuple[State, ...]
    pings_by_own_mac: bool
    echo_from: announcing.Mac
    unsolicited_na: bool
    na_answer: announcing.Answer | None
    na_answer_unicast: announcing.Answer | None
    own_link_local: bool
    # reception (conformance.model.receiving)
    checks_ipv4: tuple[checks.Check, ...]
    checks_ipv6: tuple[checks.Check, ...]
    reads_behind_extensions: bool
    raw_frames: bool
    any_group: bool
    copies: receiving.Copies
    next_counter: receiving.NextCounter
    follows_counter: bool
    digest: receiving.Digest
    allow_stops: bool
    # election (conformance.model.election)
    transitions: Table
    yields: election.Rule
    preempts: election.Rule
    relieves: election.Rule
    times_out: election.Rule
    demotion_by: election.Demotion
    effective_skew: election.EffectiveSkew
    demote_byte: election.DemoteByte
    recovers_from_send_errors: bool
    carriers: Mapping[Effect, effects.Carrier]
    """What carries each effect out: the same for all."""
    common: Common
    """What all do alike."""
    # log lines (conformance.model.loglines)
    log_states: loglines.StateLines
    log_causes: loglines.CauseLines
    log_link: loglines.Line | None
    log_ttl: loglines.Line | None
    log_ttl6: loglines.Line | None
    log_least_length: loglines.Line | None
    log_least_length6: loglines.Line | None
    log_length: loglines.Line | None
    log_length6: loglines.Line | None
    log_checksum: loglines.Line | None
    log_checksum6: loglines.Line | None
    log_version: loglines.Line | None
    log_unknown_version: loglines.Line | None
    log_unknown_version6: loglines.Line | None
    log_digest: loglines.Line | None
    log_replay: loglines.Line | None
    log_interface: loglines.Line | None
    log_interface6: loglines.Line | None
    log_loop: loglines.Line | None
    log_demotion: loglines.Line | None
    # configuration (conformance.model.administering)
    sysctls: Mapping[str, int]
    advskew_limits: administering.Limits
    advbase_limits: administering.Limits
    password_refused_from: int | None
    password_needed: bool
    key_keeps_tail: bool
    own_interface: bool
    needs_own_subnet: bool
    own_address_unskews: bool
    rearms_on_change: bool
    changes_while_running: bool
    forgets_without_address: bool
    notices_removal: bool
    refusal_leaves_part: bool
    dead_peer_is_an_error: bool
    hashes_lladdr: bool
    # load balancing (conformance.model.balancing)
    carpnodes: balancing.Carpnodes | None
    arpbalance: Callable[[Address, int], int] | None
    # the machine around it (conformance.model.platform)
    netstat_shows: tuple[str, ...]
    libxo_names: bool
    stats_words: int
    shows_peers: bool
    words_need_vhid: bool
    wrong_peer_becomes: str | None
    carried_by: tuple[str, ...]
    netlink: bool
    device_events: bool
    stacks_apart: bool
    allow_at_boot: bool
    boot_demotion: int
    bulk_update_demotion: int
    unknown_link_is_up: bool
    follows_wall_clock: bool
    asks_from_shared: announcing.Mac

    @property
    def name(self) -> str:
        """The family's name as ``--dialect`` takes it: freebsd, freebsd-legacy, openbsd, ucarp."""
        return next(
            name for name, default in _DEFAULT.items() if self.key in (default, *_VERSIONS[name].values())
        )

    def interval_window_ns(self, advbase: int, advskew: int) -> Window:
        """Allowed spacing of two advertisements (``advskew`` as advertised)."""
        return self.timer_slack.around(self.interval_ns(advbase, advskew))

    def take_over_window_ns(self, advbase: int, advskew: int, dead_ratio: int = 3) -> Window:
        """From the last advertisement that restarted the timer to the first own one; the parameters are the
        BACKUP's own.

        In a poll loop the frame may be seen late, and the timer is looked at once a period.
        """
        down_ns = self.master_down_ns(advbase, advskew, dead_ratio)
        earliest_ns, latest_ns = self.timer_slack.around(down_ns)
        if self.poll_loop is None:
            return earliest_ns, latest_ns
        wakes_ns = self.poll_loop.wakes_ns(advbase, advskew, down_ns)
        return earliest_ns, self.poll_loop.read_timeout_ns + wakes_ns + self.timer_slack.late_ns

    def start_window_ns(self, advbase: int, advskew: int, dead_ratio: int = 3) -> Window:
        """From the start (or link up) to the first own advertisement on a segment where nobody else speaks
        CARP.
        """
        down_ns = self.master_down_ns(advbase, advskew, dead_ratio)
        earliest_ns, latest_ns = self.timer_slack.around(down_ns)
        if self.poll_loop is None:
            return earliest_ns, latest_ns
        return earliest_ns, self.poll_loop.wakes_ns(advbase, advskew, down_ns) + self.timer_slack.late_ns

    @property
    def link_demotion(self) -> int:
        """By how much one lost link demotes by default."""
        return self.sysctls.get("net.inet.carp.ifdown_demotion_factor", 1)

    @property
    def send_error_demotion(self) -> int:
        """By how much failed sends demote by default."""
        return self.sysctls.get("net.inet.carp.senderr_demotion_factor", 1)

    @property
    def reaction_window_ns(self) -> Window:
        """From a valid advertisement in to its visible effect out."""
        return 0, self.reaction_ns


def _build(key: str) -> Dialect:
    values: dict[str, Any] = {one.name: one.values[key] for one in ROWS if one.name in Dialect.__slots__}
    return Dialect(key=key, carriers=effects.CARRIERS, common=COMMON, **values)


_DIALECTS = {key: _build(key) for key in KEYS}


def dialect(name: str, version: str | int | None = None) -> Dialect:
    """The dialect ``name`` (freebsd, freebsd-legacy, openbsd, ucarp) at ``version`` (freebsd 10, 13, 15,
    default 13; freebsd-legacy 6, 9, default 9), or by its key.

    Raises :class:`UnknownDialect`.
    """
    key = _DEFAULT.get(name, name) if version is None else _VERSIONS.get(name, {}).get(str(version), "")
    if key not in _DIALECTS:
        raise UnknownDialect(name, None if version is None else str(version))
    return _DIALECTS[key]


def dialects() -> tuple[Dialect, ...]:
    """Every dialect, oldest FreeBSD first."""
    return tuple(_DIALECTS.values())
