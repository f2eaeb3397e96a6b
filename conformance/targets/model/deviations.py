"""In what the BSD dialects differ from rules that most implementations keep: known deviations of their models, and a beginning for the profile of a real one."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.model.rows import ALL_FREEBSD, FREEBSD_13, FREEBSD_15, OPENBSD
from conformance.targets.protocol import Deviation

_TAKEN = r"a becomes MASTER of vhid 1 .*\n +actual: never|a goes on advertising .*\n +actual: no advertisement"
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
    for second, counter in (("length-20", "badlen"), ("checksum-bit-0", "badsum"), ("vhid-next", "badvhid"), ("version-3", "badver"))
)
CLOSED_BY_ALLOW = Deviation(
    cases="SYSCTL-008.",
    says=r"a becomes MASTER of vhid 1 .*\n +actual: never",
    reason="On FreeBSD 13 and later allow=0 puts every vhid into INIT (CARP-SYSCTL-009).",
    reference="FreeBSD 13.2 sys/netinet/ip_carp.c:2121-2145 (carp_allow_sysctl)",
)
DEMOTE_COUNT_READ = Deviation(
    cases="RX-009.",
    says=r"a says that it is BACKUP .*\n +actual: never",
    reason="OpenBSD reads byte 4 as the peer's demote count and does not yield to a higher one.",
    reference="OpenBSD sys/netinet/ip_carp.c:687-715 (carp_proto_input_c)",
)

KNOWN: Mapping[str, tuple[Deviation, ...]] = {
    **dict.fromkeys(ALL_FREEBSD, (ANY_DESTINATION,)),
    FREEBSD_13: (ANY_DESTINATION, CLOSED_BY_ALLOW),
    FREEBSD_15: (ANY_DESTINATION, WHOLE_PAYLOAD_SUMMED, *TTL_CHECKED_LATE, CLOSED_BY_ALLOW),
    OPENBSD: (DEMOTE_COUNT_READ,),
}
"""By the key of the dialect."""
