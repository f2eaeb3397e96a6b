"""In what the BSD dialects differ from rules that most implementations keep: known deviations of their models, and a beginning for the profile of a real one."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.model.rows import FREEBSD_10, FREEBSD_13, FREEBSD_15, LEGACY, LEGACY_6, OPENBSD
from conformance.targets.protocol import Deviation

_TAKEN = (
    r"a becomes MASTER of vhid 1 .*\n +actual: never|a goes on advertising .*\n +actual: no advertisement"
)
"""An advertisement that should have been refused held a BACKUP, or moved a MASTER."""

ANY_DESTINATION = Deviation(
    cases="RX-020.",
    says=_TAKEN,
    reason="FreeBSD does not compare the destination: other groups and broadcasts take part in the election.",
    reference="FreeBSD 13.2 sys/netinet/ip_carp.c:454-536 (carp_input)",
)
WHOLE_PAYLOAD_SUMMED = Deviation(
    cases="RX-010.",
    says=_TAKEN + r"|a says that it is BACKUP .*\n +actual: never",
    reason="FreeBSD 15 sums the whole IPv4 payload, trailing bytes included.",
    reference="FreeBSD 15.1 sys/netinet/ip_carp.c:595 (carp_input)",
)
TTL_CHECKED_LATE = tuple(
    Deviation(
        cases=f"RX-027.ttl_is_checked_first[{second}]",
        says=rf"error counters that moved is badttl 1\n +actual: error counters that moved is {counter} 1",
        reason="FreeBSD 15 tests the TTL after length, checksum, vhid and version.",
        reference="FreeBSD 15.1 sys/netinet/ip_carp.c:834,863 (vrrp and carp input)",
    )
    for second, counter in (
        ("length-20", "badlen"),
        ("checksum-bit-0", "badsum"),
        ("vhid-next", "badvhid"),
        ("version-3", "badver"),
    )
)
CLOSED_BY_ALLOW = Deviation(
    cases="SYSCTL-008.",
    says=r"a becomes MASTER of vhid 1 .*\n +actual: never",
    reason="On FreeBSD 13 and later allow=0 puts every vhid into INIT (CARP-SYSCTL-009).",
    reference="FreeBSD 13.2 sys/netinet/ip_carp.c:2121-2145 (carp_allow_sysctl)",
)
DEMOTE_COUNT_READ = Deviation(
    cases="RX-009.",
    says=r"a says that it is BACKUP .*\n +actual: never|not that a advertises vhid",
    reason="OpenBSD reads byte 4 as the peer's demote count and does not yield to a higher one.",
    reference="OpenBSD sys/netinet/ip_carp.c:687-715 (carp_proto_input_c)",
)

_UNLIKE = (
    r"digest.* is ([0-9a-f:]{59})\n +actual: digest.* is (?!\1)|a says that it is BACKUP .*\n +actual: never"
)
"""A digest over another list or order of addresses."""

IN_ORDER_OF_CONFIGURATION = tuple(
    Deviation(
        cases=cases,
        says=_UNLIKE,
        reason="FreeBSD 5 and 6 hash the addresses of a family in the order of configuration (CARP-AUTH-032).",
        reference="FreeBSD 6 sys/netinet/ip_carp.c 1.38 (carp_hmac_prepare); read beside FreeBSD 9.3",
    )
    for cases in ("AUTH-004.", "AUTH-006.both_families_are_hashed_over_one_list", "V6-010.")
)
REFUSED_FOR_ITS_ORDER = Deviation(
    cases="INTEROP-002.",
    says=r"not that a advertises vhid 1, for .*\n +actual: a advertises vhid 1 at",
    reason="FreeBSD 5 and 6 hash the addresses of a family in the order of configuration (CARP-AUTH-032), so nobody who does not believes them.",
    reference="FreeBSD 6 sys/netinet/ip_carp.c 1.38 (carp_hmac_prepare); read beside FreeBSD 9.3",
)
SEEN_IN_ORDER_OF_CONFIGURATION = tuple(
    Deviation(
        cases=f"{requirement}.digest",
        says=r"hashed in another order than ascending",
        reason=IN_ORDER_OF_CONFIGURATION[0].reason,
        reference=IN_ORDER_OF_CONFIGURATION[0].reference,
    )
    for requirement in ("AUTH-004", "AUTH-006")
)
"""The same as the passive monitors see it in other cases."""
HASHED_TWICE = Deviation(
    cases="AUTH-005.",
    says=r"each address hashed once signs: yes\n +actual: .*: no",
    reason="FreeBSD 5 and 6 walk the list of addresses as it is, repetitions included.",
    reference="FreeBSD 6 sys/netinet/ip_carp.c 1.38 (carp_hmac_prepare)",
)
REMOVAL_UNNOTICED = (
    Deviation(
        cases="AUTH-030.removed_address_is_no_longer_hashed",
        says=r"the address that is left alone is hashed: yes\n +actual: .*: no",
        reason="A removed IPv4 address stays in the digest until the next carp ioctl, even one that only reads.",
        reference="FreeBSD 9.3 sys/netinet/ip_carp.c carp_del_addr; recording freebsd-9.3/d-v4-two-desc",
    ),
    Deviation(
        cases="ELECT-020.removed_address_restarts",
        says=r"a says that it is INIT .*\n +actual: never",
        reason="The legacy line restarts a virtual host when an address is added, not when one is removed.",
        reference="FreeBSD 9.3 sys/netinet/ip_carp.c carp_del_addr; measured on FreeBSD 9.3",
    ),
    Deviation(
        cases="ELECT-021.",
        says=r"advertisements after the removal is 0\n +actual: .* is [1-9]",
        reason="Removing the only IPv4 address leaves the legacy line MASTER and advertising until the next carp ioctl.",
        reference="measured on FreeBSD 9.3: the only IPv4 address deleted",
    ),
)
NO_UNSOLICITED_NA = tuple(
    Deviation(
        cases=cases,
        says=r"an unsolicited advertisement of .*\n +actual: never",
        reason="The unsolicited neighbour advertisement is built and then dropped as a scope violation: none reaches the wire.",
        reference="measured on FreeBSD 9.3 and 13.2; FreeBSD 13.2 ip_carp.c:1171 (carp_send_na)",
    )
    for cases in ("ND-001.", "ND-002.", "ND-003.")
)
COUNTED_AS_BADVHID = Deviation(
    cases="STATS-010.ipv4_on_an_interface_without_a_virtual_host",
    says=r"badif 1, ipackets 1\n +actual: what it moves is badvhid 1, ipackets 1",
    reason="FreeBSD 10 and later look an IPv4 advertisement up by vhid only, so it counts as badvhid.",
    reference="FreeBSD 13.2 sys/netinet/ip_carp.c:454-536,671 (carp_input, carp_input_c)",
)
PART_LEFT_BEHIND = (
    Deviation(
        cases="CONF-023.refused_change_changes_nothing[{'advbase': 2, 'advskew': 255}]",
        says=r"advbase and advskew is \(1, 100\)\n +actual: .* is \(2, 100\)",
        reason="FreeBSD 10 and 13 set the advbase before they look at the advskew (CARP-CONF-010).",
        reference="FreeBSD 13.2 sys/netinet/ip_carp.c:1779-1803 (carp_ioctl SIOCSVH)",
    ),
    Deviation(
        cases="CONF-023.refused_virtual_host_does_not_exist",
        says=r"the vhids of the host is \(1,\)\n +actual: the vhids of the host is \(1, 9\)",
        reason="FreeBSD 10 and 13 leave the new vhid of a refused request behind, in INIT (CARP-CONF-010).",
        reference="FreeBSD 13.2 sys/netinet/ip_carp.c:1779-1803; measured on FreeBSD 13.2",
    ),
)
NEGATIVE_SUM = Deviation(
    cases="ROBUST-011.",
    says=r"who advertises vhid 1 .* is a or b\n +actual: .* is a and b",
    reason="FreeBSD 10 does not limit a negative sum: it is sent as a high advskew and compared as a low one, so two MASTERs stay.",
    reference="FreeBSD PR 259528, D32759; FreeBSD 10.4 sys/netinet/ip_carp.c:290",
)
CONSTANT_COUNTER = tuple(
    Deviation(
        cases=cases,
        says=r"a advertises with counter .*\n +actual: never|counter is \d+\n +actual: counter is \d+",
        reason="OpenBSD sends the same random eight bytes for ever and takes over nobody's counter (CARP-AUTH-026).",
        reference="OpenBSD sys/netinet/ip_carp.c:982-988 (carp_prepare_ad)",
    )
    for cases in ("AUTH-024.", "AUTH-028.")
)
LINK_LOCAL_UNHASHED = Deviation(
    cases="AUTH-008.",
    says=_UNLIKE,
    reason="OpenBSD leaves link-local addresses out of what it sends, and accepts both (CARP-AUTH-009).",
    reference="OpenBSD sys/netinet/ip_carp.c:357-361,399-411 (carp_hmac_prepare_ctx)",
)
THREE_FULL_INTERVALS = Deviation(
    cases="TIMER-003.",
    says=r"a becomes MASTER of vhid 1 .*\n +actual: .*: too late by 1\.\d{3} s",
    reason="OpenBSD's master-down time is three whole intervals, advskew included (CARP-TIMER-004).",
    reference="OpenBSD sys/netinet/ip_carp.c:1581-1609 (carp_setrun); measured on OpenBSD 8.0-beta",
)
ADVBASE_UP_TO_254 = Deviation(
    cases="CONF-003.lowest_and_highest_advbase_are_taken[255]",
    says=r"advbase 255 is accepted\n +actual: advbase 255 is refused",
    reason="OpenBSD's ifconfig stops at 254.",
    reference="OpenBSD sbin/ifconfig/ifconfig.c 1.232 (setcarp_advbase)",
)

_ANY_FREEBSD = (ANY_DESTINATION,)
_LEGACY = (*_ANY_FREEBSD, *REMOVAL_UNNOTICED, *NO_UNSOLICITED_NA)
_MODERN = (*_ANY_FREEBSD, COUNTED_AS_BADVHID)
KNOWN: Mapping[str, tuple[Deviation, ...]] = {
    LEGACY: _LEGACY,
    LEGACY_6: (
        *_LEGACY,
        *IN_ORDER_OF_CONFIGURATION,
        *SEEN_IN_ORDER_OF_CONFIGURATION,
        REFUSED_FOR_ITS_ORDER,
        HASHED_TWICE,
    ),
    FREEBSD_10: (*_MODERN, *NO_UNSOLICITED_NA, *PART_LEFT_BEHIND, NEGATIVE_SUM),
    FREEBSD_13: (*_MODERN, *NO_UNSOLICITED_NA, *PART_LEFT_BEHIND, CLOSED_BY_ALLOW),
    FREEBSD_15: (*_MODERN, WHOLE_PAYLOAD_SUMMED, *TTL_CHECKED_LATE, CLOSED_BY_ALLOW),
    OPENBSD: (
        DEMOTE_COUNT_READ,
        *CONSTANT_COUNTER,
        LINK_LOCAL_UNHASHED,
        THREE_FULL_INTERVALS,
        ADVBASE_UP_TO_254,
    ),
}
"""By the key of the dialect."""
