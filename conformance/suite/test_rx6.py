"""RX and STATS over IPv6, on interfaces without a virtual host, and with several: which packets count, and as what."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Fault, Tester
from conformance.suite.configuring import Start
from conformance.suite.conftest import Leg
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire import frame
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Address
from conformance.wire.header import PROTOCOL
from conformance.wire.malformations import named

SENT = 3
SECOND = 1_000_000_000
_DESTINATION_OPTIONS, _HOP_BY_HOP = 60, 0
_ETHERNET, _FIXED = 14, 40


def shared6(bench: Bench, count: int = 1) -> tuple[IPv6Address, ...]:
    return tuple(one for one in bench.shared_addresses if isinstance(one, IPv6Address))[:count]


@pytest.fixture
def source6(bench: Bench) -> IPv6Address:
    """The IPv6 address that the tester sends from."""
    return next(one for one in bench.tester_addresses if isinstance(one, IPv6Address))


@pytest.fixture
def backup6(start: Start, bench: Bench, tester: Tester, source6: IPv6Address) -> Subject:
    """An IUT with one IPv6 address and nothing else, that is BACKUP and has just heard a better MASTER."""
    subject = start(addresses=shared6(bench))
    tester.send(subject.better(source=source6))
    return subject


def difference(subject: Subject, send: Callable[[], object]) -> str:
    """What ``send`` moves among the counters of the host, as ``badttl 1, ipackets6 1``."""
    subject.alive()
    before = subject.counters()
    send()
    subject.alive()
    after = subject.counters()
    moved = {name: after[name] - before[name] for name in sorted(after) if after[name] != before[name]}
    return ", ".join(f"{name} {change}" for name, change in moved.items() if name != "opackets") or "nothing"


# --- counters of IPv6


@covers("CARP-STATS-003")
@needs("ipv6", "counters")
@takes(1)
def test_accepted_advertisements_are_counted(
    backup6: Subject, tester: Tester, wire: Segment, source6: IPv6Address
) -> None:
    """Accepted IPv6 advertisements add one each to ipackets6 and move no other counter."""

    def send() -> None:
        for _ in range(SENT):
            tester.send(backup6.better(source=source6))

    wire.check(f"what {SENT} accepted advertisements move", difference(backup6, send), f"ipackets6 {SENT}")


REJECTED = {
    "ttl-254": ("badttl", "CARP-STATS-004"),
    "version-3": ("badver", "CARP-STATS-005"),
    "checksum-bit-0": ("badsum", "CARP-STATS-006"),
    "length-20": ("badlen", "CARP-STATS-007"),
    "digest-zero": ("badauth", "CARP-STATS-008"),
    "vhid-next": ("badvhid", "CARP-STATS-009"),
}


@needs("ipv6", "counters")
@takes(1)
@pytest.mark.parametrize(
    ("fault", "counter"),
    [
        pytest.param(name, counter, marks=covers("CARP-STATS-003", id, "CARP-STATS-012"), id=name)
        for name, (counter, id) in REJECTED.items()
    ],
)
def test_rejected_advertisement_is_counted(
    backup6: Subject, tester: Tester, wire: Segment, source6: IPv6Address, fault: str, counter: str
) -> None:
    """A rejected IPv6 advertisement adds one to ipackets6, one to the counter of the check that refused it, and
    nothing to another.
    """
    moved = difference(backup6, lambda: tester.send(backup6.better(source=source6), named(fault)))
    wire.check("what the advertisement moves", moved, f"{counter} 1, ipackets6 1")


# --- hop limit, families, extension headers


@covers("CARP-RX-032")
@needs("ipv6")
@takes(8)
@pytest.mark.parametrize("limit", [0, 1, 64, 254])
def test_hop_limit_is_checked(
    backup6: Subject, tester: Tester, wire: Segment, source6: IPv6Address, limit: int
) -> None:
    """A stream of another hop limit than 255 does not hold a BACKUP; with 255 it does."""

    def lowered(advertisement: Advertisement) -> bytes:
        data = bytearray(advertisement.frame())
        data[_ETHERNET + 7] = limit
        return bytes(data)

    window = backup6.master_down_window()
    with tester.advertising(backup6.better(source=source6), lowered):
        wire.expect(backup6.becomes_master(), within=window)
    with tester.advertising(backup6.better(source=source6)) as first:
        backup6.expect_yields(first)


@covers("CARP-RX-029")
@needs("ipv6", "counters")
@takes(8)
@pytest.mark.parametrize("version", [4, 6])
def test_advertisement_counts_for_its_own_family(
    start: Start, bench: Bench, tester: Tester, wire: Segment, version: int
) -> None:
    """An advertisement over one family for a virtual host with addresses of the other alone counts as badvhid
    and holds nothing; over its own it makes it yield.
    """
    mine = tuple(one for one in bench.shared_addresses if one.version != version)[:1]
    sources: dict[int, Address] = {one.version: one for one in bench.tester_addresses}
    backup = start(addresses=mine)
    foreign = backup.better(source=sources[version])
    window = backup.master_down_window()
    counter = "ipackets" if version == 4 else "ipackets6"
    start(vhid=2, addresses=tuple(one for one in bench.shared_addresses if one.version == version)[-1:])
    moved = difference(backup, lambda: tester.send(foreign))
    wire.check("what it moves", moved, f"badvhid 1, {counter} 1")
    with tester.advertising(foreign):
        wire.expect(backup.becomes_master(), within=window)
    backup.expect_yields(tester.send(backup.better(source=sources[10 - version])))


def behind(extension: int) -> Callable[[Advertisement], bytes]:
    """Puts an extension header of 8 bytes (padding) between IPv6 and CARP."""

    def make(advertisement: Advertisement) -> bytes:
        data = advertisement.frame()
        head, payload = bytearray(data[: _ETHERNET + _FIXED]), data[_ETHERNET + _FIXED :]
        head[_ETHERNET + 6] = extension
        head[_ETHERNET + 4 : _ETHERNET + 6] = (len(payload) + 8).to_bytes(2, "big")
        return bytes(head) + bytes([PROTOCOL, 0, 1, 4, 0, 0, 0, 0]) + payload

    return make


EXTENSIONS = pytest.mark.parametrize(
    "extension", [_DESTINATION_OPTIONS, _HOP_BY_HOP], ids=["options", "hop-by-hop"]
)


@covers("CARP-RX-034")
@needs("ipv6")
@takes(8)
@EXTENSIONS
def test_extension_header_is_misread(
    backup6: Subject, tester: Tester, wire: Segment, source6: IPv6Address, extension: int
) -> None:
    """An advertisement behind an extension header is rejected: its stream does not hold a BACKUP, and the same
    without the header does.
    """
    window = backup6.master_down_window()
    with tester.advertising(backup6.better(source=source6), behind(extension)):
        wire.expect(backup6.becomes_master(), within=window)
    backup6.expect_yields(tester.send(backup6.better(source=source6)))


@covers("CARP-ROBUST-007")
@needs("ipv6")
@takes(8)
@EXTENSIONS
def test_extension_header_is_survived(
    master6: Subject, tester: Tester, wire: Segment, source6: IPv6Address, extension: int
) -> None:
    """A MASTER that hears advertisements behind an extension header, believed or not, yields to a plain one."""
    tester.send(master6.worse(source=source6), behind(extension))
    master6.next_own()
    master6.expect_yields(tester.send(master6.better(source=source6)))


@pytest.fixture
def master6(start: Start, bench: Bench) -> Subject:
    """An IUT with one IPv6 address and nothing else, that is MASTER."""
    subject = start(addresses=shared6(bench))
    subject.reach_master()
    return subject


def cut(length: int, claimed: int) -> Callable[[Advertisement], bytes]:
    """Leaves ``length`` bytes behind the IPv6 header, which claims ``claimed``."""

    def make(advertisement: Advertisement) -> bytes:
        data = bytearray(advertisement.frame()[: _ETHERNET + _FIXED + length])
        data[_ETHERNET + 4 : _ETHERNET + 6] = claimed.to_bytes(2, "big")
        return bytes(data)

    return make


TRUNCATIONS = {
    "payload-length-0": cut(36, 0),
    "payload-of-35": cut(35, 35),
    "payload-of-1": cut(1, 1),
    "no-payload": cut(0, 0),
    "shorter-than-it-says": cut(20, 36),
    "longer-than-it-says": cut(36, 20),
    "says-65535": cut(36, 65535),
    "half-a-header": lambda advertisement: advertisement.frame()[: _ETHERNET + 20],
}


@covers("CARP-ROBUST-007")
@needs("ipv6")
@takes(8)
@pytest.mark.parametrize("truncation", TRUNCATIONS)
def test_truncated_packets_are_survived(
    master6: Subject, tester: Tester, source6: IPv6Address, truncation: str
) -> None:
    """A MASTER goes on beside advertisements that are cut short or lie about their length, and yields to a whole
    one.
    """
    fault: Fault = TRUNCATIONS[truncation]
    for _ in range(SENT):
        sent = tester.send(master6.better(source=source6), fault)
    master6.stays_master(sent)
    master6.expect_yields(tester.send(master6.better(source=source6)))


# --- interfaces without a virtual host, and with several


def directed(subject: Subject, leg: Leg, source_index: int) -> bytes:
    """A better advertisement for ``subject`` to the real address of its host's other interface."""
    host = leg.side.hosts[subject.name]
    source = leg.side.tester_addresses[source_index]
    to = next(one for one in host.addresses if one.version == source.version)
    better = subject.better(source=source)
    return frame.advertisement(
        better.header.summed(), source, source_mac=leg.tester.mac, destination=to, destination_mac=host.mac
    )


@covers("CARP-STATS-010")
@needs("second_interface", "counters")
@takes(1)
def test_ipv4_on_an_interface_without_a_virtual_host(backup: Subject, inner: Leg, wire: Segment) -> None:
    """An IPv4 advertisement on an interface without carp adds one to badif."""
    moved = difference(backup, lambda: inner.tester.send_exactly(directed(backup, inner, 0)))
    wire.check("what it moves", moved, "badif 1, ipackets 1")


@covers("CARP-RX-033", "CARP-STATS-010")
@needs("second_interface", "counters", "ipv6")
@takes(1)
def test_ipv6_on_an_interface_without_a_virtual_host(backup: Subject, inner: Leg, wire: Segment) -> None:
    """An IPv6 advertisement on an interface without carp adds one to badif."""
    moved = difference(backup, lambda: inner.tester.send_exactly(directed(backup, inner, 1)))
    wire.check("what it moves", moved, "badif 1, ipackets6 1")


@covers("CARP-RX-035")
@needs("multiple_vhids", "counters")
@takes(2)
@pytest.mark.parametrize("count", [1, 3])
def test_each_carp_interface_gets_a_copy(
    start: Start, bench: Bench, tester: Tester, wire: Segment, count: int
) -> None:
    """A multicast advertisement is counted once for each carp interface of the parent."""
    subjects = [
        start(vhid=vhid, addresses=(shared,))
        for vhid, shared in zip(range(1, count + 1), bench.shared_addresses, strict=False)
    ]
    moved = difference(subjects[0], lambda: tester.send(subjects[0].better()))
    wire.check("what it moves", moved, f"ipackets {count}")


# --- as many virtual hosts as there are


@covers("CARP-MULTI-006")
@needs("multiple_vhids", "ipv6", "vhid_list")
@takes(12)
def test_all_255_virtual_hosts_work(start: Start, bench: Bench, wire: Segment) -> None:
    """All 255 vhids run on one interface at once, and each of them advertises once in its interval."""
    (first,) = shared6(bench)
    subjects = [start(vhid=vhid, addresses=(first + 256 * vhid,), advskew=0) for vhid in range(1, 256)]
    wire.check("how many run", len(subjects[0].vhids()), 255)
    wire.watch(subjects[0].start_bounds_ns[1] + SECOND // 10)
    began_ns = wire.now_ns()
    wire.watch(3 * SECOND)
    spoke = dict.fromkeys(range(1, 256), 0)
    for seen in wire.trace.frames:
        if seen.time_ns > began_ns and not seen.sent and seen.frame.carp is not None:
            spoke[seen.frame.carp.vhid] += 1
    odd = {vhid: count for vhid, count in spoke.items() if count not in (2, 3)}
    wire.check("vhids that did not advertise 2 or 3 times in 3 s", odd or "none", "none")
