"""V6: advertisements over IPv6."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.digest import AddressRule, Secret
from conformance.wire.frame import ETHERTYPE_IPV6, GROUP_IPV6, GROUP_MAC_IPV6
from conformance.wire.header import checksum
from conformance.wire.malformations import named

SETTLE_NS = 5_000_000
"""Until the last frame of a stream that has ended has surely been captured."""


def shared4(bench: Bench, count: int = 1) -> tuple[IPv4Address, ...]:
    return tuple(address for address in bench.shared_addresses if isinstance(address, IPv4Address))[:count]


def shared6(bench: Bench, count: int = 1) -> tuple[IPv6Address, ...]:
    return tuple(address for address in bench.shared_addresses if isinstance(address, IPv6Address))[:count]


@pytest.fixture
def source6(bench: Bench) -> IPv6Address:
    """The IPv6 address that the tester sends from."""
    return next(address for address in bench.tester_addresses if isinstance(address, IPv6Address))


@pytest.fixture
def master6(start: Start, bench: Bench) -> Subject:
    """An IUT with one IPv6 address and nothing else, that is MASTER."""
    subject = start(addresses=shared6(bench))
    subject.reach_master()
    return subject


@pytest.fixture
def backup6(start: Start, bench: Bench, tester: Tester, source6: IPv6Address) -> Subject:
    """An IUT with one IPv6 address and nothing else, that is BACKUP and has just heard a better MASTER."""
    subject = start(addresses=shared6(bench))
    tester.send(subject.better(source=source6))
    return subject


@covers("CARP-V6-001")
@needs("ipv6")
def test_destination_is_the_group(master6: Subject, wire: Segment) -> None:
    """The IPv6 destination is ff02::12 and the next header 112."""
    for seen in master6.next_own(2):
        wire.check("Ethernet type", seen.frame.ethertype, ETHERTYPE_IPV6, seen)
        wire.check("IPv6 destination", Subject.ip(seen).destination, GROUP_IPV6, seen)
        wire.check("byte of the next header", seen.frame.data[20], 112, seen)


@covers("CARP-V6-002", "CARP-WIRE-016")
@needs("ipv6")
@pytest.mark.parametrize("vhid", [1, 255])
def test_ethernet_addresses(start: Start, bench: Bench, wire: Segment, vhid: int) -> None:
    """An IPv6 advertisement goes from 00:00:5e:00:01:VHID to 33:33:00:00:00:12."""
    seen = start(vhid=vhid, addresses=shared6(bench)).reach_master()
    wire.check("Ethernet source", seen.frame.source, bytes.fromhex("00005e0001") + bytes([vhid]), seen)
    wire.check("Ethernet destination", seen.frame.destination, GROUP_MAC_IPV6, seen)


@covers("CARP-V6-003", "CARP-WIRE-004")
@needs("ipv6")
def test_ipv6_header(master6: Subject, wire: Segment) -> None:
    """Payload length is 36, hop limit 255, flow label 0, and no extension header lies between."""
    for seen in master6.next_own(2):
        wire.check("payload length", Subject.ip(seen).length - 40, 36, seen)
        wire.check("hop limit", Subject.ip(seen).ttl, 255, seen)
        wire.check("flow label", int.from_bytes(seen.frame.data[14:18], "big") & 0xFFFFF, 0, seen)
        wire.check("bytes of the IPv6 headers", Subject.ip(seen).header_length, 40, seen)


@covers("CARP-V6-004")
@needs("ipv6")
def test_source_is_an_address_of_the_interface(start: Start, bench: Bench, wire: Segment) -> None:
    """The IPv6 source is an address of the carrying interface, not the shared one."""
    subject = start(addresses=shared6(bench))
    seen = wire.expect(subject.advertised_by_anybody(), within=subject.master_down_window())
    assert isinstance(seen, FrameSeen)
    wire.check("IPv6 source", Subject.ip(seen).source, set(subject.host.addresses), seen)


@covers("CARP-V6-005")
@needs("ipv6")
def test_traffic_class(master6: Subject, wire: Segment) -> None:
    """The traffic class is the default of the implementation: 0xe0 on FreeBSD 13 and later, 0 elsewhere."""
    for seen in master6.next_own(2):
        wire.check("traffic class", Subject.ip(seen).tos, master6.dialect.traffic_class, seen)


@covers("CARP-V6-006")
@needs("ipv6")
def test_checksum_has_no_pseudo_header(master6: Subject, wire: Segment) -> None:
    """The 36 CARP bytes sum to zero by themselves, and with a pseudo header they would not."""
    for seen in master6.next_own(2):
        ip, payload = Subject.ip(seen), seen.frame.payload
        pseudo = ip.source.packed + ip.destination.packed + bytes([0, 0, 0, len(payload), 0, 0, 0, 112])
        wire.check("sum over the CARP header", checksum(payload), 0, seen)
        wire.check("sum with a pseudo header being zero", checksum(pseudo + payload) == 0, False, seen)


@covers("CARP-V6-006")
@needs("ipv6")
def test_checksum_with_a_pseudo_header_is_refused(
    backup6: Subject, tester: Tester, wire: Segment, source6: IPv6Address
) -> None:
    """An IPv6 stream whose checksum includes a pseudo header must not hold a BACKUP back."""
    with tester.advertising(backup6.better(source=source6), named("checksum-pseudo-header")):
        wire.expect(backup6.becomes_master(), within=backup6.master_down_window())
    with tester.advertising(backup6.better(source=source6)) as first:
        backup6.expect_yields(first)


@covers("CARP-V6-007", "CARP-ELECT-002")
@needs("ipv6")
def test_backup_takes_over(backup6: Subject, wire: Segment) -> None:
    """A BACKUP with IPv6 addresses only takes over when the IPv6 advertisements of its master end."""
    wire.expect(backup6.becomes_master(), within=backup6.master_down_window())


@covers("CARP-V6-007", "CARP-ELECT-003")
@needs("ipv6")
def test_master_yields_to_a_better_peer(
    master6: Subject, tester: Tester, wire: Segment, source6: IPv6Address
) -> None:
    """A MASTER with IPv6 addresses only yields to a better IPv6 peer, and comes back when it falls silent."""
    with tester.advertising(master6.better(source=source6)) as first:
        master6.expect_yields(first)
    wire.watch(SETTLE_NS)
    wire.expect(master6.becomes_master(), within=master6.master_down_window())


@covers("CARP-V6-007", "CARP-ELECT-004")
@needs("ipv6")
def test_master_outranks_a_worse_peer(master6: Subject, tester: Tester, source6: IPv6Address) -> None:
    """A MASTER with IPv6 addresses only goes on advertising against a worse IPv6 peer."""
    with tester.advertising(master6.worse(source=source6)) as first:
        master6.stays_master(first)


@covers("CARP-V6-007", "CARP-RX-001")
@needs("ipv6")
def test_hop_limit_must_be_255(backup6: Subject, tester: Tester, wire: Segment, source6: IPv6Address) -> None:
    """An IPv6 stream of hop limit 254 must not hold a BACKUP back."""
    with tester.advertising(backup6.better(source=source6), named("ttl-254")):
        wire.expect(backup6.becomes_master(), within=backup6.master_down_window())
    with tester.advertising(backup6.better(source=source6)) as first:
        backup6.expect_yields(first)


@covers("CARP-V6-008")
@needs("ipv6")
@pytest.mark.parametrize("version", [4, 6])
def test_either_family_makes_a_master_yield(start: Start, bench: Bench, tester: Tester, version: int) -> None:
    """A MASTER with addresses of both families yields to a better peer that speaks one of them only."""
    master = start(addresses=(*shared4(bench), *shared6(bench)))
    master.reach_master()
    source = next(address for address in bench.tester_addresses if address.version == version)
    sent = tester.send(master.better(source=source))
    master.expect_yields(sent)


@covers("CARP-V6-009")
@needs("ipv6")
@takes(20)
def test_flapping_on_one_family_alone(start: Start, bench: Bench, tester: Tester, wire: Segment) -> None:
    """Whether a BACKUP with addresses of both families flaps when it hears IPv4 alone is recorded; it must
    take over in time when that ends, too.
    """
    backup = start(addresses=(*shared4(bench), *shared6(bench)))
    with tester.advertising(backup.better()):
        wire.watch(4 * backup.take_over_bounds_ns[1])
    frames = list(backup.own_frames())
    wire.check(
        "a BACKUP that hears one family of two",
        "flapping" if frames else "held",
        {"flapping", "held"},
        *frames[:1],
    )
    wire.watch(SETTLE_NS)
    last = backup.last_valid()
    assert last is not None
    wire.check(
        "silence of all masters",
        wire.wait(backup.advertises(), backup.master_down_window(last).to_ns) is None,
        False,
        last,
    )


@covers("CARP-V6-010")
@needs("ipv6")
def test_order_of_configuration_does_not_matter(
    start: Start, bench: Bench, tester: Tester, source6: IPv6Address
) -> None:
    """A MASTER whose IPv6 addresses were configured in descending order yields to a peer that hashes them in
    ascending order.
    """
    shared = shared6(bench, 3)
    master = start(addresses=shared[::-1])
    master.reach_master()
    with tester.advertising(
        master.better(source=source6, secret=Secret(master.settings.password, shared, AddressRule.ASCENDING))
    ) as first:
        master.expect_yields(first)
