"""The reference receiver: one fault at a time, several together, and the two digests of OpenBSD."""

from ipaddress import ip_address

import pytest

from conformance.wire import frame as wire
from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import Check, faults
from conformance.wire.digest import AddressRule, Secret
from conformance.wire.frame import decode
from conformance.wire.header import Header

SECRET = Secret("secret", (ip_address("192.0.2.1"),))
ADVERTISEMENT = Advertisement(vhid=7, source=ip_address("192.0.2.254"), secret=SECRET)


def found(data, vhid=7, secret=SECRET):
    return faults(decode(data), vhid, secret)


def of_header(**fields):
    header = Header(**({"vhid": 7, "digest": SECRET.digest(fields.get("vhid", 7), bytes(8))} | fields))
    return wire.advertisement(header.summed(), ADVERTISEMENT.source, source_mac=bytes(6))


@pytest.mark.parametrize("source", ["192.0.2.254", "fe80::1"])
def test_a_valid_one_has_none(source):
    assert found(ADVERTISEMENT.but(source=ip_address(source)).frame()) == set()


def test_in_a_vlan_it_is_as_valid():
    data = ADVERTISEMENT.frame()
    assert found(data[:12] + b"\x81\x00\x00\x05" + data[12:]) == set()


def test_each_header_check_alone():
    assert found(of_header(vhid=8)) == {Check.VHID}
    assert found(of_header(version=3)) == {Check.VERSION}
    assert found(of_header(digest=bytes(20))) == {Check.DIGEST}


def test_all_that_is_wrong_is_said():
    header = Header(vhid=8, version=3, checksum=0x1234).pack()
    data = wire.advertisement(
        header, ADVERTISEMENT.source, source_mac=bytes(6), ttl=1, destination=ip_address("192.0.2.2")
    )
    assert found(data) == {
        Check.DESTINATION,
        Check.TTL,
        Check.CHECKSUM,
        Check.VHID,
        Check.VERSION,
        Check.DIGEST,
    }


def test_behind_a_short_header_nothing_is_looked_at():
    data = wire.advertisement(
        ADVERTISEMENT.header.summed()[:35], ADVERTISEMENT.source, source_mac=bytes(6), ttl=1
    )
    assert found(data) == {Check.TTL, Check.LENGTH}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        ADVERTISEMENT.frame()[:30],
        ADVERTISEMENT.frame()[:24] + b"\0\0" + ADVERTISEMENT.frame()[26:],
        wire.ethernet(
            bytes(6),
            bytes(6),
            0x0800,
            wire.ipv4(ip_address("192.0.2.1"), wire.GROUP_IPV4, bytes(36), protocol=17),
        ),
        wire.ethernet(
            bytes(6),
            bytes(6),
            0x0800,
            wire.ipv4(ip_address("192.0.2.1"), wire.GROUP_IPV4, bytes(36), fragment=0x2000),
        ),
        wire.ethernet(
            bytes(6),
            bytes(6),
            0x0800,
            wire.ipv4(ip_address("192.0.2.1"), wire.GROUP_IPV4, bytes(36), fragment=1),
        ),
        wire.arp(
            wire.ArpOperation.REPLY, bytes(6), ip_address("192.0.2.1"), bytes(6), ip_address("192.0.2.1")
        ),
    ],
    ids=["empty", "cut", "bad sum", "udp", "first fragment", "later fragment", "arp"],
)
def test_what_is_no_protocol_112_packet_fails_ip_alone(data):
    assert found(data) == {Check.IP}


class TestOpenBsd:
    """It sends a digest without link-local addresses and accepts one with them."""

    ADDRESSES = (ip_address("2001:db8::1"), ip_address("fe80::1"))

    @pytest.mark.parametrize("rule", [AddressRule.WITHOUT_LINK_LOCAL, AddressRule.ASCENDING])
    def test_it_takes_both(self, rule):
        data = ADVERTISEMENT.but(secret=Secret("secret", self.ADDRESSES, rule)).frame()
        assert found(data, secret=Secret("secret", self.ADDRESSES, AddressRule.WITHOUT_LINK_LOCAL)) == set()

    def test_others_take_only_theirs(self):
        data = ADVERTISEMENT.but(
            secret=Secret("secret", self.ADDRESSES, AddressRule.WITHOUT_LINK_LOCAL)
        ).frame()
        assert found(data, secret=Secret("secret", self.ADDRESSES)) == {Check.DIGEST}

    def test_a_custom_link_address_counts_in_both(self):
        data = ADVERTISEMENT.but(secret=Secret("secret", self.ADDRESSES, lladdr=b"\x02" * 6)).frame()
        assert (
            found(data, secret=Secret("secret", self.ADDRESSES, AddressRule.WITHOUT_LINK_LOCAL, b"\x02" * 6))
            == set()
        )
        assert found(data, secret=Secret("secret", self.ADDRESSES, AddressRule.WITHOUT_LINK_LOCAL)) == {
            Check.DIGEST
        }
