"""The rows of the dialect table about the machine around CARP: what its tools print and demand, its network stacks, its boot, its clock."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.model.announcing import Mac
from conformance.model.rows import (
    ALL_FREEBSD,
    FREEBSD_10,
    FREEBSD_13,
    FREEBSD_15,
    FREEBSDS,
    LATE,
    LEGACIES,
    OPENBSD,
    UCARP,
    Row,
    cell,
    row,
)

NETSTAT: Mapping[str, str] = {
    "ipackets": "{} packets received (IPv4)",
    "ipackets6": "{} packets received (IPv6)",
    "badif": "\t{} packets discarded for bad interface",
    "badttl": "\t{} packets discarded for wrong TTL",
    "hdrops": "\t{} packets shorter than header",
    "badsum": "\t{} discarded for bad checksums",
    "badver": "\t{} discarded packets with a bad version",
    "badlen": "\t{} discarded because packet too short",
    "badauth": "\t{} discarded for bad authentication",
    "badvhid": "\t{} discarded for bad vhid",
    "badaddrs": "\t{} discarded because of a bad address list",
    "opackets": "{} packets sent (IPv4)",
    "opackets6": "{} packets sent (IPv6)",
    "onomem": "\t{} send failed due to mbuf memory error",
    "preempt": "{} transitions to master",
}
"""The lines of ``netstat -s -p carp`` by counter, in their order."""
LIBXO: Mapping[str, str] = {
    "ipackets": "received-inet-packets",
    "ipackets6": "received-inet6-packets",
    "badttl": "dropped-wrong-ttl",
    "hdrops": "dropped-short-header",
    "badsum": "dropped-bad-checksum",
    "badver": "dropped-bad-version",
    "badlen": "dropped-short-packet",
    "badauth": "dropped-bad-authentication",
    "badvhid": "dropped-bad-vhid",
    "badaddrs": "dropped-bad-address-list",
    "opackets": "sent-inet-packets",
    "opackets6": "sent-inet6-packets",
    "onomem": "send-failed-memory-error",
}
"""The names of the counters in ``netstat --libxo``."""
_NO_TOOLS = (UCARP,)
_ANY = ("ethernet", "vlan", "bridge", "loopback", "tunnel")

ROWS: tuple[Row, ...] = (
    row(
        "netstat_shows",
        "counters that netstat -s -p carp prints",
        cell(ALL_FREEBSD, tuple(LIBXO), "all but badif, ostates and preempt"),
        cell(OPENBSD, tuple(NETSTAT), "all but ostates"),
        cell(_NO_TOOLS, (), "none: it has no counters"),
        read="netstat inet.c carp_stats",
        seen={FREEBSD_13: "bad_packets_v4_netstat_end", FREEBSD_15: "netstat -s -p carp"},
    ),
    row(
        "libxo_names",
        "netstat --libxo names the counters",
        cell(FREEBSDS, True),
        cell((*LEGACIES, OPENBSD, *_NO_TOOLS), False),
        read="netstat inet.c carp_stats",
        seen={FREEBSD_15: "netstat --libxo json,pretty -s -p carp"},
    ),
    row(
        "stats_words",
        "64-bit numbers in what the sysctl net.inet.carp.stats returns",
        cell(FREEBSDS, 16),
        cell((*LEGACIES, OPENBSD, *_NO_TOOLS), 0, "not looked at"),
        read="ip_carp.h struct carpstats",
    ),
    row(
        "shows_peers",
        "ifconfig shows the peers of a virtual host, those of multicast mode too",
        cell(FREEBSD_15, True),
        cell((FREEBSD_10, FREEBSD_13, *LEGACIES, OPENBSD, *_NO_TOOLS), False),
        read="ifconfig carp.c carp_status",
        recorded={FREEBSD_15: "ifconfig_cases"},
    ),
    row(
        "words_need_vhid",
        "ifconfig takes parameters only behind the word vhid",
        cell(FREEBSDS, True),
        cell((*LEGACIES, OPENBSD, *_NO_TOOLS), False),
        read="ifconfig carp.c",
        recorded={FREEBSD_13: "ifconfig_cases", FREEBSD_15: "ifconfig_cases"},
    ),
    row(
        "wrong_peer_becomes",
        "what ifconfig makes of a peer that is no address",
        cell(FREEBSD_15, "255.255.255.255"),
        cell((FREEBSD_10, FREEBSD_13, *LEGACIES, OPENBSD, *_NO_TOOLS), None, "it is refused, or not known"),
        read="ifconfig carp.c setcarp_peer",
    ),
    row(
        "carried_by",
        "interfaces that a virtual host can be configured on",
        cell(FREEBSDS, ("ethernet", "vlan", "bridge")),
        cell((*LEGACIES, OPENBSD, *_NO_TOOLS), _ANY, "not looked at"),
        read="carp_ioctl SIOCSVH (if_type), carp_is_supported_if",
        recorded={FREEBSD_13: "ifconfig_cases"},
    ),
    row(
        "netlink",
        "parameters are read and set by a netlink family, too",
        cell(FREEBSD_15, True),
        cell((FREEBSD_10, FREEBSD_13, *LEGACIES, OPENBSD, *_NO_TOOLS), False),
        read="ip_carp_nl.h; ip_carp.c carp_nl_get, carp_nl_set",
    ),
    row(
        "device_events",
        "each change of state is told to devd",
        cell(FREEBSDS, True),
        cell((*LEGACIES, OPENBSD, *_NO_TOOLS), False),
        read="carp_set_state",
        seen={FREEBSD_13: "devctl of a_single_v4_skew0", FREEBSD_15: "devctl of a_single_v4_skew0"},
    ),
    row(
        "stacks_apart",
        "each network stack of a machine has sysctls and counters of its own",
        cell(FREEBSDS, True),
        cell((*LEGACIES, OPENBSD, *_NO_TOOLS), False, "it has one stack"),
        read="CTLFLAG_VNET of the sysctls",
    ),
    row(
        "allow_at_boot",
        "net.inet.carp.allow can be set by the boot loader",
        cell(LATE, True),
        cell((FREEBSD_10, *LEGACIES, OPENBSD, *_NO_TOOLS), False),
        read="SYSCTL_PROC allow (CTLFLAG_RWTUN)",
    ),
    row(
        "boot_demotion",
        "by how much the machine demotes itself while it boots",
        cell(OPENBSD, 128),
        cell((*ALL_FREEBSD, *_NO_TOOLS), 0),
        read="etc/rc",
    ),
    row(
        "bulk_update_demotion",
        "by how much pfsync demotes while it fetches states",
        cell(FREEBSDS, 240),
        cell((*LEGACIES, OPENBSD, *_NO_TOOLS), 0, "not looked at"),
        read="if_pfsync.c",
    ),
    row(
        "unknown_link_is_up",
        "a link whose state the interface does not report is enough to run",
        cell(ALL_FREEBSD, False),
        cell((OPENBSD, *_NO_TOOLS), True),
        read="carp_setrun; carp_sc_state",
    ),
    row(
        "follows_wall_clock",
        "a step of the wall clock moves the timers",
        cell((*ALL_FREEBSD, OPENBSD), False),
        cell(UCARP, True),
        read="callout and timeout run by the time since boot; ucarp docarp (gettimeofday)",
    ),
    row(
        "asks_from_shared",
        "sender hardware address of a MASTER's ARP request whose sender is a shared address",
        cell(FREEBSDS, Mac.VIRTUAL),
        cell((*LEGACIES, OPENBSD, *_NO_TOOLS), Mac.PHYSICAL, "not looked at"),
        read="if_ether.c arprequest (carp_iamatch)",
    ),
)  # fmt: skip
