"""The rows of the dialect table about bytes on the wire and about what an implementation can do at all."""

from __future__ import annotations

from enum import Enum

from conformance.model import vrrp3
from conformance.model.rows import (
    ALL_FREEBSD,
    ALONE,
    BSD,
    DEMOTED,
    FREEBSD_10,
    FREEBSD_13,
    FREEBSD_15,
    FREEBSDS,
    LATE,
    LEGACIES,
    LEGACY,
    LEGACY_6,
    OPENBSD,
    OVER_IPV6,
    UCARP,
    Row,
    cell,
    row,
)
from conformance.wire.digest import AddressRule
from conformance.wire.frame import virtual_mac

_FIRST = ALONE | {UCARP: "cap"}
_TWO = {
    LEGACY: "d-v4-two-desc",
    FREEBSD_13: "d_two_addrs_descending",
    FREEBSD_15: "d_two_addrs_descending",
    OPENBSD: "d-v4-two-desc",
}


def vrrp_mac(vhid: int) -> bytes:
    """00:00:5e:00:01:VHID."""
    return virtual_mac(vhid)


def ucarp_mac(vhid: int) -> bytes:
    """00:00:5e:00:00:VHID."""
    return b"\x00\x00\x5e\x00\x00" + bytes([vhid])


class Identification(Enum):
    """The identification field of an IPv4 advertisement."""

    ZERO = "0"
    RANDOM = "random"
    COUNTING = "the host's packet count"


class Source4(Enum):
    """Which IPv4 address an advertisement comes from."""

    FIRST = "first own address of the interface, else the shared one"
    SUBNET = "own address of the shared address's subnet"
    OPTION = "option -s"


class Source6(Enum):
    """Which IPv6 address an advertisement comes from."""

    LINK_LOCAL = "link-local address of the interface"
    SUBNET = "own address of the shared address's subnet"


ROWS: tuple[Row, ...] = (
    row(
        "virtual_mac",
        "Ethernet source of a multicast advertisement",
        cell(BSD, vrrp_mac),
        cell(UCARP, ucarp_mac),
        read="carp_set_enaddr; ucarp carp.c carp_send_ad",
        recorded=_FIRST,
    ),
    row(
        "tos",
        "type of service (traffic class) of an advertisement",
        cell((*LEGACIES, FREEBSD_10, OPENBSD, UCARP), 0x10, "0x10"),
        cell(LATE, 0xE0, "0xe0 (net.inet.carp.dscp << 2)"),
        read="carp_send_ad",
        recorded=_FIRST,
    ),
    row(
        "traffic_class",
        "traffic class of an IPv6 advertisement",
        cell((*LEGACIES, FREEBSD_10, OPENBSD, UCARP), 0, "0"),
        cell(LATE, 0xE0, "0xe0 (net.inet.carp.dscp << 2)"),
        read="carp_send_ad",
        recorded=OVER_IPV6,
    ),
    row(
        "identification",
        "IPv4 identification of an advertisement",
        cell(LEGACIES, Identification.COUNTING),
        cell((FREEBSD_10, OPENBSD, UCARP), Identification.RANDOM),
        cell(LATE, Identification.ZERO),
        read="carp_send_ad, ip_newid, ip_fillid",
        recorded=_FIRST,
    ),
    row(
        "source_ipv4",
        "IPv4 source of an advertisement",
        cell(LEGACIES, Source4.SUBNET),
        cell((FREEBSD_10, OPENBSD), Source4.FIRST),
        cell(LATE, Source4.FIRST),
        cell(UCARP, Source4.OPTION),
        read="carp_send_ad, carp_best_ifa, carp_set_addr",
        recorded=_FIRST,
    ),
    row(
        "source_ipv6",
        "IPv6 source of an advertisement",
        cell(LEGACIES, Source6.SUBNET),
        cell((*FREEBSDS, OPENBSD), Source6.LINK_LOCAL),
        cell(UCARP, None),
        read="carp_send_ad, carp_best_ifa, carp_set_addr6",
        recorded=OVER_IPV6,
    ),
    row(
        "address_rule",
        "which addresses the digest of a sent advertisement covers, in which order",
        cell((LEGACY, *FREEBSDS), AddressRule.ASCENDING),
        cell(LEGACY_6, AddressRule.CONFIGURED),
        cell(OPENBSD, AddressRule.WITHOUT_LINK_LOCAL),
        cell(UCARP, AddressRule.SINGLE),
        read="carp_hmac_prepare",
        recorded=_TWO | {UCARP: "cap"},
    ),
    row(
        "accepts_rules",
        "address rules under which a received digest is believed",
        cell((LEGACY, *FREEBSDS), (AddressRule.ASCENDING,)),
        cell(LEGACY_6, (AddressRule.CONFIGURED,)),
        cell(OPENBSD, (AddressRule.ASCENDING, AddressRule.WITHOUT_LINK_LOCAL)),
        cell(UCARP, (AddressRule.SINGLE,)),
        read="carp_hmac_verify",
    ),
    row(
        "ipv6",
        "IPv6 advertisements",
        cell(BSD, True),
        cell(UCARP, False),
        read="carp_send_ad",
        recorded=OVER_IPV6,
    ),
    row(
        "multiple_addresses",
        "several addresses in one virtual host",
        cell(BSD, True),
        cell(UCARP, False),
        read="carp_hmac_prepare",
        recorded=_TWO,
    ),
    row(
        "bow_out",
        "one advertisement 255/255 when a MASTER's carp interface goes down",
        cell((*LEGACIES, OPENBSD), True),
        cell((*FREEBSDS, UCARP), False),
        read="carp_carpdev_state, carpdetach, carp_ifdown",
        recorded={
            LEGACY: "k1-down-carp1-master",
            OPENBSD: "k1-down-carp0-master",
            FREEBSD_13: "i_failover_preempt0",
        },
    ),
    row(
        "demotion",
        "a host can be demoted from outside",
        cell((*FREEBSDS, OPENBSD), True),
        cell((*LEGACIES, UCARP), False),
        read="carp_demote_adj",
        recorded=DEMOTED,
    ),
    row(
        "unicast",
        "advertisements to one peer instead of the group",
        cell((FREEBSD_15, OPENBSD), True),
        cell((*LEGACIES, FREEBSD_10, FREEBSD_13, UCARP), False),
        read="carp_send_ad_locked; carp_set_addr",
        recorded={FREEBSD_15: "u1_one_side_unicast"},
    ),
    row(
        "vrrp3",
        "VRRPv3 in place of CARP on request (carpver 3)",
        cell(FREEBSD_15, vrrp3.FREEBSD_15, "yes, by the rules of the chapter on VRRPv3"),
        cell((*LEGACIES, FREEBSD_10, FREEBSD_13, OPENBSD, UCARP), None, "no"),
        read="vrrp_input_c, vrrp_send_ad_locked",
        recorded={FREEBSD_15: "kd1_freebsd100_keepalived200_preempt0"},
    ),
    row(
        "allow",
        "net.inet.carp.allow exists",
        cell(BSD, True),
        cell(UCARP, False),
        read="sysctl tables",
        recorded={LEGACY: "n1-allow0-pair", FREEBSD_15: "k2_allow_1_0_1"},
    ),
    row(
        "state_requests",
        "an administrator can order a state",
        cell((*ALL_FREEBSD, OPENBSD), True),
        cell(UCARP, False),
        read="carp_ioctl SIOCSVH",
        recorded={FREEBSD_13: "k_state_backup_preempt0"},
    ),
    row(
        "counters",
        "carpstats counters exist",
        cell(BSD, True),
        cell(UCARP, False),
        read="struct carpstats",
        recorded={
            LEGACY: "l-bad-packets-v4-master",
            FREEBSD_13: "bad_packets_v4",
            OPENBSD: "l-bad-packets-v4-master",
        },
    ),
    row(
        "log_levels",
        "values of net.inet.carp.log that differ in what they print",
        cell(ALL_FREEBSD, (0, 1, 2)),
        cell(OPENBSD, tuple(range(8))),
        cell(UCARP, ()),
        read="carp_log macros",
        recorded={LEGACY: "l-loglevels-statechanges", FREEBSD_13: "states_log2"},
    ),
)
