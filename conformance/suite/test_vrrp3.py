"""VRRP3: what a virtual host with ``carpver 3`` sends, and how it is configured."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from conformance.segment.segment import Segment
from conformance.suite.configuring import Start, accepts, refuses
from conformance.suite.marks import covers, needs, takes
from conformance.suite.routing import family, master_router, route
from conformance.targets.protocol import Bench, ConfigurationRefused
from conformance.targets.subject.router import Router
from conformance.wire.frame import GROUP_IPV4, GROUP_IPV6, TTL, virtual_mac
from conformance.wire.vrrp3 import sums_up

pytestmark = needs("vrrp3")


# --- what it sends


@covers("CARP-VRRP3-001")
@takes(8)
def test_default_advertisement(start: Start, wire: Segment) -> None:
    """With carpver 3 and nothing else it advertises VRRPv3 with priority 100, one address and 100 centiseconds, and does so
    every second.
    """
    router = master_router(start, vhid=7)
    (seen,) = router.next_own()
    packet = router.packet(seen)
    wire.check("first byte", seen.frame.payload[0], 0x31, seen)
    wire.check("vrid", packet.vrid, 7, seen)
    wire.check("priority", packet.priority, 100, seen)
    wire.check("count", packet.count, 1, seen)
    wire.check("interval in centiseconds", packet.interval_cs, 100, seen)
    wire.check("addresses", packet.addresses(4), router.settings.addresses, seen)
    wire.check(
        "destination and TTL", (router.ip(seen).destination, router.ip(seen).ttl), (GROUP_IPV4, TTL), seen
    )
    router.keeps_its_interval(3)


@covers("CARP-VRRP3-001")
@takes(6)
def test_configured_priority_and_interval(start: Start, wire: Segment) -> None:
    """Priority and interval are advertised as configured, and the interval is kept."""
    router = master_router(start, priority=200, interval_cs=50)
    (seen,) = router.next_own()
    wire.check("priority", router.packet(seen).priority, 200, seen)
    wire.check("interval in centiseconds", router.packet(seen).interval_cs, 50, seen)
    router.keeps_its_interval(4)


@covers("CARP-VRRP3-003")
@needs("ipv6")
@takes(5)
def test_ethernet_source_over_ipv6(start: Start, bench: Bench, wire: Segment) -> None:
    """Over IPv6 it advertises to ff02::12 with hop limit 255 from 00:00:5e:00:01:VRID, not from the prefix that RFC 9568
    has for IPv6.
    """
    router = master_router(start, vhid=9, addresses=family(bench, 6))
    (seen,) = router.next_own()
    wire.check("Ethernet source", seen.frame.source, virtual_mac(9), seen)
    wire.check(
        "destination and hop limit",
        (router.ip(seen).destination, router.ip(seen).ttl),
        (GROUP_IPV6, TTL),
        seen,
    )
    wire.check("checksum with pseudo-header is right", sums_up(seen.frame, pseudo=True), True, seen)


@covers("CARP-VRRP3-004")
@needs("multiple_addresses")
@takes(5)
def test_address_list_in_order_of_configuration(start: Start, bench: Bench, wire: Segment) -> None:
    """Addresses are listed in the order of configuration, not by size."""
    descending = family(bench, 4, 2)[::-1]
    router = master_router(start, addresses=descending)
    (seen,) = router.next_own()
    wire.check("addresses", router.packet(seen).addresses(4), descending, seen)
    wire.check("count", router.packet(seen).count, 2, seen)


@covers("CARP-VRRP3-004", "CARP-VRRP3-016")
@needs("multiple_addresses", "ipv6")
@takes(5)
def test_address_list_of_both_families(start: Start, bench: Bench, wire: Segment) -> None:
    """With addresses of both families each advertisement lists those of its own, although the one over IPv6 counts both."""
    addresses = family(bench, 4) + family(bench, 6)
    router = master_router(start, addresses=addresses)
    router.next_own(2)
    for version in (4, 6):
        seen = next(one for one in router.own_frames() if router.ip(one).version == version)
        own = tuple(one for one in addresses if one.version == version)
        wire.check(f"addresses over IPv{version}", router.packet(seen).addresses(version), own, seen)
        wire.check(f"count over IPv{version}", router.packet(seen).count, 2 if version == 6 else 1, seen)


@covers("CARP-VRRP3-005")
@needs("ipv6")
@takes(5)
def test_link_local_address_with_scope(start: Start, wire: Segment) -> None:
    """A link-local address is listed with the kernel's scope id in its bytes 2 and 3."""
    router = master_router(start, addresses=(ip_address("fe80::100"),))
    (seen,) = router.next_own()
    (listed,) = router.packet(seen).addresses(6)
    wire.check("bytes 2 and 3 are a scope id", listed.packed[2:4] != bytes(2), True, seen)
    wire.check(
        "the rest of the address",
        listed.packed[:2] + bytes(2) + listed.packed[4:],
        ip_address("fe80::100").packed,
        seen,
    )


@covers("CARP-VRRP3-002")
@takes(5)
def test_checksum_of_an_advertisement(start: Start, wire: Segment) -> None:
    """The checksum over IPv4 covers a pseudo-header, which RFC 9568 leaves out."""
    (seen,) = master_router(start).next_own()
    right = sums_up(seen.frame, pseudo=True), sums_up(seen.frame, pseudo=False)
    wire.check("checksum is right with and without a pseudo-header", right, (True, False), seen)


@covers("CARP-VRRP3-014")
@needs("demotion_order", "multiple_vhids")
@takes(6)
def test_demotion_has_no_effect(start: Start, wire: Segment, bench: Bench) -> None:
    """A demotion of the host changes neither priority nor interval, although it demotes a CARP virtual host beside it."""
    first, second = family(bench, 4, 2)
    router = route(start, vhid=1, addresses=(first,))
    carp = start(vhid=2, addresses=(second,), advskew=0)
    router.reach_master()
    carp.reach_master()
    carp.demote(50)
    (demoted,) = carp.next_own()
    wire.check("advskew of the CARP virtual host", carp.header(demoted).advskew, 50, demoted)
    (seen,) = router.next_own()
    wire.check("priority", router.packet(seen).priority, 100, seen)
    router.keeps_its_interval(3)


# --- configuration


@covers("CARP-VRRP3-015")
@pytest.mark.parametrize("interval_cs", [1, 4095])
@takes(3)
def test_limits_of_the_interval(start: Start, wire: Segment, interval_cs: int) -> None:
    """An interval of 1 and one of 4095 centiseconds are accepted and advertised."""
    what = f"vrrpinterval {interval_cs}"
    router = Router.of(accepts(wire, start, what, options={"carpver": 3, "vrrpinterval": interval_cs}))
    seen = router.reach_master()
    wire.check("interval in centiseconds", router.packet(seen).interval_cs, interval_cs, seen)


@covers("CARP-VRRP3-015")
@pytest.mark.parametrize("interval_cs", [0, 4096])
@takes(1)
def test_interval_beyond_its_limits(start: Start, wire: Segment, interval_cs: int) -> None:
    """An interval of 0 and one of 4096 centiseconds are refused."""
    refuses(wire, start, f"vrrpinterval {interval_cs}", options={"carpver": 3, "vrrpinterval": interval_cs})


@covers("CARP-VRRP3-015")
@needs("reconfigure", "commands")
@pytest.mark.parametrize(("asked", "effective"), [(0, 42), (256, 42), (300, 44), (255, 255)])
@takes(1)
def test_priority_of_eight_bits(start: Start, wire: Segment, asked: int, effective: int) -> None:
    """Of a priority eight bits count, and 0 changes nothing; state, vrid, priority and interval are shown."""
    router = route(start, vhid=7, priority=42, interval_cs=50)
    router.reconfigure(options={"vrrpprio": asked})
    line = next(one.strip() for one in router.shown().splitlines() if " 7 " in one)
    wire.check("what is shown", line, f"vrrp: BACKUP vrid 7 prio {effective} interval 50")


@covers("CARP-CONF-018")
@needs("reconfigure")
@pytest.mark.parametrize("version", [2, 3])
@takes(8)
def test_carpver_cannot_be_changed(start: Start, wire: Segment, version: int) -> None:
    """The carpver of a virtual host that is there cannot be changed either way: it is refused, and it speaks on as before."""
    subject = start(options={"carpver": version})
    speaker = Router.of(subject) if version == 3 else subject
    speaker.reach_master()
    try:
        subject.reconfigure(options={"carpver": 5 - version})
        said = "accepted"
    except ConfigurationRefused:
        said = "refused"
    wire.check(f"another carpver than {version}", said, "refused")
    speaker.keeps_its_interval(2)
