"""The rows of the dialect table about configuration: sysctls, limits, passwords, what a change of addresses
does.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.model.rows import (
    ALL_FREEBSD,
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


@dataclass(frozen=True, slots=True)
class Limits:
    """Smallest and largest value of a parameter that the tools accept."""

    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.least} to {self.most}"


_BASE = {"net.inet.carp.allow": 1, "net.inet.carp.preempt": 0, "net.inet.carp.log": 1}
_LEGACY = _BASE | {"net.inet.carp.arpbalance": 0, "net.inet.carp.suppress_preempt": 0}
_FREEBSD = _BASE | {
    "net.inet.carp.demotion": 0,
    "net.inet.carp.senderr_demotion_factor": 240,
    "net.inet.carp.ifdown_demotion_factor": 240,
}
_LATE = _FREEBSD | {"net.inet.carp.dscp": 56}
_OPENBSD = _BASE | {"net.inet.carp.log": 2}

ROWS: tuple[Row, ...] = (
    row(
        "sysctls",
        "settings of the host and their defaults",
        cell(LEGACIES, _LEGACY, "allow 1, preempt 0, log 1, arpbalance 0, suppress_preempt (read only)"),
        cell(
            FREEBSD_10,
            _FREEBSD,
            "allow 1, preempt 0, log 1, demotion 0 (a write adds), two demotion factors 240",
        ),
        cell(
            LATE,
            _LATE,
            "allow 1, preempt 0, log 1, dscp 56, demotion 0 (a write adds), two demotion factors 240",
        ),
        cell(OPENBSD, _OPENBSD, "allow 1, preempt 0, log 2"),
        cell(UCARP, {"net.inet.carp.log": 0}, "none"),
        read="sysctl tables",
        recorded={LEGACY: "a-v4-skew0", FREEBSD_13: "states_log1", FREEBSD_15: "k2_allow_1_0_1"},
    ),
    row(
        "advskew_limits",
        "advskew that can be configured",
        cell((*ALL_FREEBSD, OPENBSD), Limits(0, 254)),
        cell(UCARP, Limits(0, 255)),
        read="carp_ioctl SIOCSVH",
        recorded={FREEBSD_13: "ifconfig_cases", FREEBSD_15: "ifconfig_cases"},
    ),
    row(
        "advbase_limits",
        "advbase that can be configured",
        cell(FREEBSDS, Limits(1, 255)),
        cell((*LEGACIES, UCARP), Limits(0, 255)),
        cell(OPENBSD, Limits(0, 254)),
        read="carp_ioctl SIOCSVH",
        recorded={FREEBSD_13: "ifconfig_cases"},
    ),
    row(
        "password_refused_from",
        "length of a password that is refused (otherwise it is cut to 19 characters)",
        cell((*ALL_FREEBSD, OPENBSD), None),
        cell(UCARP, 20),
        read="ucarp docarp; ifconfig",
        recorded={FREEBSD_13: "h2_password_19chars"},
    ),
    row(
        "password_needed",
        "a virtual host needs a password",
        cell((*ALL_FREEBSD, OPENBSD), False),
        cell(UCARP, True),
        read="ucarp main",
        recorded={LEGACY: "g-nopass", FREEBSD_13: "g_no_password", OPENBSD: "g-nopass"},
    ),
    row(
        "key_keeps_tail",
        "a shorter new password leaves the tail of the old one in the key, an empty one changes nothing",
        cell(FREEBSDS, True),
        cell((*LEGACIES, OPENBSD, UCARP), False),
        read="carp_ioctl SIOCSVH",
        seen={FREEBSD_13: "pass4carp1, then another: key another\\0p1"},
    ),
    row(
        "own_interface",
        "a virtual host is an interface of its own that can be taken down",
        cell((*LEGACIES, OPENBSD), True),
        cell((*FREEBSDS, UCARP), False),
        read="carp_clone_create",
        recorded={LEGACY: "k1-down-carp1-master", OPENBSD: "k1-down-carp0-master"},
    ),
    row(
        "needs_own_subnet",
        "an address is refused unless the interface has an own one in its subnet",
        cell(LEGACIES, True),
        cell((*FREEBSDS, OPENBSD, UCARP), False),
        read="carp_set_addr",
        seen={LEGACY: "EADDRNOTAVAIL without one"},
    ),
    row(
        "own_address_unskews",
        "sharing the interface's own address forces advskew 0",
        cell(LEGACIES, True),
        cell((*FREEBSDS, OPENBSD, UCARP), False),
        read="carp_set_addr",
        seen={LEGACY: "carp3 with the parent's address"},
    ),
    row(
        "rearms_on_change",
        "changed parameters restart the running timer at once",
        cell((*LEGACIES, OPENBSD), True),
        cell((*FREEBSDS, UCARP), False),
        read="carp_ioctl SIOCSVH",
        seen={FREEBSD_13: "advskew, advbase and pass changed on a MASTER"},
    ),
    row(
        "changes_while_running",
        "parameters can be changed while it runs",
        cell((*ALL_FREEBSD, OPENBSD), True),
        cell(UCARP, False),
        read="carp_ioctl SIOCSVH",
        recorded={FREEBSD_13: "ifconfig_cases"},
    ),
    row(
        "forgets_without_address",
        "removing the last address removes the virtual host",
        cell(FREEBSDS, True),
        cell((*LEGACIES, OPENBSD, UCARP), False),
        read="carp_detach",
    ),
    row(
        "refusal_leaves_part",
        "a refused advskew leaves a new virtual host without addresses behind, and a changed advbase",
        cell((FREEBSD_10, FREEBSD_13), True),
        cell((*LEGACIES, FREEBSD_15, OPENBSD, UCARP), False),
        read="carp_ioctl SIOCSVH",
        recorded={FREEBSD_13: "ifconfig_cases"},
    ),
    row(
        "dead_peer_is_an_error",
        "an IPv4 unicast peer whose MAC address is not found counts as a failed send",
        cell((FREEBSD_10, FREEBSD_13, FREEBSD_15, *LEGACIES, UCARP), True),
        cell(OPENBSD, False),
        read="carp_send_ad_error; carp_send_ad (EHOSTDOWN)",
        seen={FREEBSD_15: "error 64, demotion 240"},
    ),
    row(
        "hashes_lladdr",
        "a MAC address that was set by hand, neither the virtual nor the parent's, is hashed before the vhid",
        cell(OPENBSD, True),
        cell((*ALL_FREEBSD, UCARP), False, "no: none can be set for a virtual host"),
        read="carp_hmac_prepare_ctx",
    ),
    row(
        "notices_removal",
        "removing an address changes the digest at once",
        cell(LEGACIES, False, "only with the next configuration request"),
        cell((*FREEBSDS, OPENBSD, UCARP), True),
        read="carp_addrcount",
        recorded={LEGACY: "d-v4-two-desc", FREEBSD_15: "d_two_addrs_descending"},
    ),
)
