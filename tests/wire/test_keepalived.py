"""Recorded advertisements of a real keepalived are read, rebuilt byte by byte, and keep RFC 9568."""

from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import pytest

from conformance.wire.frame import GROUP_IPV4, GROUP_IPV6, GROUP_MAC_IPV4, GROUP_MAC_IPV6, decode, is_vrrp
from conformance.wire.header import PROTOCOL, checksum
from conformance.wire.vrrp3 import Vrrp3Advertisement, read, sums_up
from tests.model.recordings import frames

CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures" / "keepalived"
MAC = bytes.fromhex("0200000002c8")
IPV4 = ("v3-ipv4-priority200", 1, 200, 100, ("192.0.2.101", "192.0.2.100"))
IPV6 = ("v3-ipv6-interval50", 7, 150, 50, ("fe80::100", "2001:db8::100"))


def advertisements(name):
    recorded = [(when, decode(data)) for when, data in frames(CAPTURES / f"{name}.pcap")]
    return [(when, one) for when, one in recorded if one.ip is not None and one.ip.protocol == PROTOCOL]


@pytest.mark.parametrize(("name", "vrid", "priority", "interval_cs", "addresses"), [IPV4, IPV6])
def test_version_3_is_rebuilt(name, vrid, priority, interval_cs, addresses):
    found = advertisements(name)
    assert len(found) >= 4
    for at, (_, seen) in enumerate(found, 1):
        made = Vrrp3Advertisement(
            vrid=vrid,
            source=seen.ip.source,
            addresses=tuple(ip_address(one) for one in addresses),
            priority=0 if at == len(found) else priority,
            interval_cs=interval_cs,
        )
        assert seen.payload == decode(made.frame()).payload
        assert sums_up(seen, pseudo=True)


@pytest.mark.parametrize("name", [IPV4[0], IPV6[0]])
def test_clauses_of_rfc_9568(name):
    """5.1.1 and 5.1.2: group, TTL; 5.2: version, type, count, reserved bits; 7.2: every interval."""
    found = advertisements(name)
    packets = [read(seen) for _, seen in found]
    for (_, seen), packet in zip(found, packets, strict=True):
        ip = seen.ip
        ipv4 = ip.version == 4
        assert (ip.destination, ip.ttl) == (GROUP_IPV4 if ipv4 else GROUP_IPV6, 255)
        assert seen.destination == (GROUP_MAC_IPV4 if ipv4 else GROUP_MAC_IPV6)
        assert (packet.version, packet.type, packet.reserved) == (3, 1, 0)
        assert packet.count == len(packet.addresses(ip.version)) == 2
    times = [when for when, _ in found][:-1]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(abs(gap - packets[0].interval_ns) < 120_000_000 for gap in gaps)


def test_it_sends_from_its_own_mac():
    assert {seen.source for _, seen in advertisements(IPV4[0])} == {MAC}


def test_version_2():
    found = [seen for _, seen in advertisements("v2-ipv4-priority200")]
    assert all(is_vrrp(seen.payload) and seen.carp is None and read(seen) is None for seen in found)
    assert all(len(seen.payload) == 20 and checksum(seen.payload) == 0 for seen in found)
    assert [seen.payload[2] for seen in found][-2:] == [200, 0]
