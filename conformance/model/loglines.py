"""The rows of the dialect table about log lines: their exact texts, the syslog level, and the value of
``net.inet.carp.log`` from which they are printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.model.rows import (
    BAD_PACKETS,
    BSD,
    FREEBSD_10,
    FREEBSD_13,
    FREEBSD_15,
    FREEBSDS,
    LATE,
    LEGACIES,
    LEGACY,
    LEGACY_6,
    OPENBSD,
    UCARP,
    Row,
    cell,
    row,
)
from conformance.model.transitions import Input, Reason

CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG = 2, 3, 4, 5, 6, 7


@dataclass(frozen=True, slots=True)
class Line:
    """A log line: printed when ``net.inet.carp.log`` is at least ``threshold``, with syslog ``level``;
    ``text`` is a format string.
    """

    threshold: int
    level: int
    text: str

    def __str__(self) -> str:
        return f"{self.threshold} and more, <{self.level}>: `{self.text}`"


def _bsd(text: str) -> Line:
    return Line(2, DEBUG, text)


def _era6(text: str) -> Line:
    return Line(1, INFO, text)


def _openbsd(level: int, text: str) -> Line:
    return Line(level, level, text)


def _legacy_states(threshold: int, level: int) -> dict[Reason, Line]:
    texts = {
        Reason.INITIALIZED: "{device}: INIT -> BACKUP",
        Reason.BETTER: "{device}: MASTER -> BACKUP (more frequent advertisement received)",
        Reason.SLOWER: "{device}: BACKUP -> MASTER (preempting a slower master)",
        Reason.WILL_TIME_OUT: "{device}: BACKUP -> MASTER (master timed out)",
    }
    return {reason: Line(threshold, level, text) for reason, text in texts.items()}


_WORDS_10 = {reason: reason.value for reason in Reason} | {
    Reason.MASTER_DOWN: "master down",
    Reason.WILL_TIME_OUT: "master timed out",
}
_STATES_10 = {
    reason: Line(1, INFO, f"carp: VHID {{vhid}}@{{interface}}: {{old}} -> {{new}} ({word})")
    for reason, word in _WORDS_10.items()
}
_STATES_13 = {
    reason: Line(1, INFO, f"carp: {{vhid}}@{{interface}}: {{old}} -> {{new}} ({reason.value})")
    for reason in Reason
}
_INVOLVE_INIT = (Reason.INITIALIZED, Reason.DOWN, Reason.UP, Reason.CLOSED)
_STATES_OPENBSD = {
    reason: _openbsd(
        WARNING if reason in _INVOLVE_INIT else CRITICAL, "{device}: state transition{which}: {old} -> {new}"
    )
    for reason in Reason
}
_STATES_UCARP = {reason: Line(0, WARNING, "Switching to state: {new}") for reason in Reason}
_CAUSES_UCARP = {
    Input.BETTER: Line(0, WARNING, "Preferred master advertised: going back to BACKUP state"),
    Input.WORSE: Line(
        0, WARNING, "Non-preferred master advertising: reasserting control of VIP with another gratuitous arp"
    ),
    Input.SLOWER: Line(0, WARNING, "Putting MASTER down - preemption"),
    Input.WILL_TIME_OUT: Line(0, WARNING, "Putting MASTER DOWN (going to time out)"),
}
StateLines = Mapping[Reason, Line]
CauseLines = Mapping[Input, Line]

_SEEN_15 = {FREEBSD_15: "crafted packets at log 0, 1 and 2"}
_FREEBSD_LENGTH = "carp_input: received len {length} < sizeof(struct carp_header) on {interface}"
_UNKNOWN_10 = (*LEGACIES, FREEBSD_10, FREEBSD_13, OPENBSD, UCARP)

ROWS: tuple[Row, ...] = (
    row(
        "log_states",
        "log line of a state change, by its reason",
        cell(
            LEGACY,
            _legacy_states(1, INFO),
            "1 and more, <6>: `carp1: OLD -> NEW (reason)`; nothing for a timer take-over, orders and INIT",
        ),
        cell(
            LEGACY_6,
            _legacy_states(2, DEBUG),
            "2 and more, <7>: `carp1: OLD -> NEW (reason)`; nothing for a timer take-over, orders and INIT",
        ),
        cell(
            FREEBSD_10,
            _STATES_10,
            "1 and more, <6>: `carp: VHID 1@em0: OLD -> NEW (why)`; timer: master down; 3x: master timed out",
        ),
        cell(
            LATE,
            _STATES_13,
            "1 and more, <6>: `carp: 1@em0: OLD -> NEW (why)`; 3x: master will time out",
        ),
        cell(
            OPENBSD,
            _STATES_OPENBSD,
            "`carp0: state transition: OLD -> NEW`; 2 between BACKUP and MASTER, 4 with INIT",
        ),
        cell(UCARP, _STATES_UCARP, "always, <4>: `Switching to state: NEW`"),
        read="carp_set_state; ucarp carp_set_state",
        recorded={
            LEGACY: "l-loglevels-statechanges",
            FREEBSD_13: "states_log1",
            FREEBSD_15: "k2_allow_1_0_1",
            OPENBSD: "a-v4-skew0",
        },
    ),
    row(
        "log_causes",
        "further log line that tells the cause",
        cell(BSD, {}, "none"),
        cell(UCARP, _CAUSES_UCARP, "one line after the change, by what was heard"),
        read="ucarp packethandler",
    ),
    row(
        "log_link",
        "line for the carp interface's link state at every change, whatever net.inet.carp.log is",
        cell(LEGACIES, Line(0, NOTICE, "{device}: link state changed to {link}")),
        cell((*FREEBSDS, OPENBSD, UCARP), None),
        read="do_link_state_change",
        recorded={LEGACY: "l-loglevels-statechanges"},
    ),
    row(
        "log_ttl",
        "TTL is not 255",
        cell(LEGACY, _bsd("carp_input: received ttl {ttl} != 255 on {interface}")),
        cell(LEGACY_6, _era6("carp_input: received ttl {ttl} != 255i on {interface}")),
        cell((FREEBSD_10, FREEBSD_13), _bsd("carp_input: received ttl {ttl} != 255 on {interface}")),
        cell(FREEBSD_15, _bsd("carp_input_c: received ttl {ttl} != 255 on {interface}")),
        cell(OPENBSD, _openbsd(NOTICE, "carp: received ttl {ttl} != 255 on {heard_on}")),
        cell(UCARP, Line(0, WARNING, "Bad TTL: [{ttl}]")),
        read="carp_input; ucarp packethandler",
        recorded=BAD_PACKETS,
        seen=_SEEN_15,
    ),
    row(
        "log_ttl6",
        "hop limit is not 255",
        cell(LEGACY, _bsd("carp6_input: received ttl {ttl} != 255 on {interface}")),
        cell(LEGACY_6, _era6("carp6_input: received ttl {ttl} != 255 on {interface}")),
        cell((FREEBSD_10, FREEBSD_13), _bsd("carp6_input: received ttl {ttl} != 255 on {interface}")),
        cell(FREEBSD_15, _bsd("carp_input_c: received ttl {ttl} != 255 on {interface}")),
        cell(OPENBSD, _openbsd(NOTICE, "carp: received ttl {ttl} != 255 on {heard_on}")),
        cell(UCARP, None),
        read="carp6_input",
    ),
    row(
        "log_least_length",
        "IPv4 payload too short to tell CARP from VRRPv3",
        cell(_UNKNOWN_10, None),
        cell(
            FREEBSD_15,
            _bsd("carp_input: received len {total_less_20} < sizeof(struct vrrpv3_header) on {interface}"),
        ),
        read="carp_input",
    ),
    row(
        "log_least_length6",
        "IPv6 payload too short to tell CARP from VRRPv3",
        cell(_UNKNOWN_10, None),
        cell(FREEBSD_15, _bsd("carp6_input: packet size {total} too small")),
        read="carp6_input",
    ),
    row(
        "log_length",
        "IPv4 payload shorter than 36 bytes",
        cell((LEGACY, FREEBSD_10, FREEBSD_13), _bsd(_FREEBSD_LENGTH)),
        cell(LEGACY_6, _era6(_FREEBSD_LENGTH)),
        cell(FREEBSD_15, _bsd("carp_input: received len {total_less_20} < {needed} on {interface}")),
        cell(OPENBSD, _openbsd(INFO, "carp: packet too short {total} on {heard_on}")),
        cell(UCARP, None),
        read="carp_input",
        recorded=BAD_PACKETS,
        seen=_SEEN_15,
    ),
    row(
        "log_length6",
        "IPv6 payload shorter than 36 bytes",
        cell((LEGACY, FREEBSD_10, FREEBSD_13), _bsd("carp6_input: packet size {total} too small")),
        cell(LEGACY_6, _era6("carp6_input: packet size {total} too small on {interface}")),
        cell(FREEBSD_15, _bsd("carp6_input: received len {total_less_20} < 76 on {interface}")),
        cell(OPENBSD, _openbsd(INFO, "carp: packet size {total} too small on {heard_on}")),
        cell(UCARP, None),
        read="carp6_input",
        seen={FREEBSD_13: "crafted IPv6 packets: packet size 75 too small"} | _SEEN_15,
    ),
    row(
        "log_checksum",
        "CARP checksum is wrong (IPv4)",
        cell((LEGACY, *FREEBSDS), _bsd("carp_input: checksum failed on {interface}")),
        cell(LEGACY_6, _era6("carp_input: checksum failed on {interface}")),
        cell(OPENBSD, _openbsd(INFO, "carp: checksum failed on {heard_on}")),
        cell(UCARP, Line(0, WARNING, "Bad IP checksum")),
        read="carp_input; ucarp packethandler",
        recorded=BAD_PACKETS,
        seen=_SEEN_15,
    ),
    row(
        "log_checksum6",
        "CARP checksum is wrong (IPv6)",
        cell((LEGACY, *FREEBSDS), _bsd("carp6_input: checksum failed, on {interface}")),
        cell(LEGACY_6, _era6("carp6_input: checksum failed, on {interface}")),
        cell(OPENBSD, _openbsd(INFO, "carp: checksum failed, on {heard_on}")),
        cell(UCARP, None),
        read="carp6_input",
    ),
    row(
        "log_version",
        "version is not 2",
        cell(LEGACY, _bsd("{device}; invalid version {version}")),
        cell(LEGACY_6, _era6("{device}; invalid version {version}")),
        cell(FREEBSDS, _bsd("{interface}: invalid version {version}")),
        cell(OPENBSD, _openbsd(NOTICE, "{device}: invalid version {version} != 2")),
        cell(UCARP, Line(0, WARNING, "Bad version: [{version}]")),
        read="carp_input_c; ucarp packethandler",
        recorded=BAD_PACKETS,
        seen=_SEEN_15,
    ),
    row(
        "log_unknown_version",
        "version is neither 2 nor 3 (IPv4)",
        cell(_UNKNOWN_10, None),
        cell(FREEBSD_15, _bsd("carp_input: unsupported version {version} on {interface}")),
        read="carp_input",
        seen=_SEEN_15,
    ),
    row(
        "log_unknown_version6",
        "version is neither 2 nor 3 (IPv6)",
        cell(_UNKNOWN_10, None),
        cell(FREEBSD_15, _bsd("carp6_input: unsupported version {version} on {interface}")),
        read="carp6_input",
    ),
    row(
        "log_digest",
        "digest does not match",
        cell(LEGACY, _bsd("{device}: incorrect hash")),
        cell(LEGACY_6, _era6("{device}: incorrect hash")),
        cell(FREEBSDS, _bsd("carp_input_c: incorrect hash for VHID {vhid}@{interface}")),
        cell(OPENBSD, _openbsd(INFO, "{device}: incorrect hash")),
        cell(
            UCARP,
            Line(
                0,
                WARNING,
                "Bad digest - md2=[{own_digest}...] md=[{digest}...] - "
                "Check vhid, password and virtual IP address",
            ),
        ),
        read="carp_input_c; ucarp packethandler",
        recorded=BAD_PACKETS,
        seen=_SEEN_15,
    ),
    row(
        "log_replay",
        "own cookie came back",
        cell((*LEGACIES, *FREEBSDS, UCARP), None),
        cell(OPENBSD, _openbsd(WARNING, "{device}: replay or network loop detected")),
        read="carp_proto_input_c",
        recorded={OPENBSD: "l-bad-packets-v4-master"},
    ),
    row(
        "log_interface",
        "no virtual host on the interface (IPv4)",
        cell(LEGACY, _bsd("carp_input: packet received on non-carp interface: {interface}")),
        cell(LEGACY_6, _era6("carp_input: packet received on non-carp interface: {interface}")),
        cell((*FREEBSDS, UCARP), None),
        cell(OPENBSD, _openbsd(INFO, "carp: packet received on non-carp interface: {interface}")),
        read="carp_input",
        recorded={LEGACY: "l-bad-packets-v4-master"},
    ),
    row(
        "log_interface6",
        "no virtual host on the interface (IPv6)",
        cell((LEGACY, *FREEBSDS), _bsd("carp6_input: packet received on non-carp interface: {interface}")),
        cell(LEGACY_6, _era6("carp6_input: packet received on non-carp interface: {interface}")),
        cell(OPENBSD, _openbsd(INFO, "carp: packet received on non-carp interface: {interface}")),
        cell(UCARP, None),
        read="carp6_input",
    ),
    row(
        "log_loop",
        "vhid 0 from a shared address",
        cell((*LEGACIES, OPENBSD, UCARP), None),
        cell(FREEBSDS, _bsd("dropping looped packet on interface {interface}")),
        read="carp_input_c",
        recorded={FREEBSD_13: "bad_packets_v4"},
    ),
    row(
        "log_demotion",
        "the host's demotion changed",
        cell((*LEGACIES, UCARP), None),
        cell(FREEBSDS, Line(1, INFO, "carp: demoted by {amount} to {demotion} ({reason})")),
        cell(
            OPENBSD,
            _openbsd(ERROR, "carp: {device} demoted group {group} by {amount} to {demotion} ({reason})"),
        ),
        read="carp_demote_adj; carp_group_demote_adj",
        recorded={FREEBSD_13: "j_demotion_preempt0", FREEBSD_15: "k2_allow_1_0_1"},
    ),
)
