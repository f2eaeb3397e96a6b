"""An advertisement as a value: both ways to make its bytes agree, for both families."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.packet import Packet

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import faults
from conformance.wire.digest import AddressRule, Secret
from conformance.wire.frame import GROUP_IPV4, GROUP_IPV6, decode, virtual_mac
from conformance.wire.header import checksum

BYTE = st.integers(0, 255)
V4 = st.integers(1, 0xFFFFFFFE).map(IPv4Address)
V6 = st.integers(1, 2**128 - 1).map(IPv6Address)
ADVERTISEMENTS = st.builds(
    Advertisement,
    vhid=BYTE,
    source=V4 | V6,
    secret=st.builds(
        Secret,
        st.text(max_size=20) | st.binary(max_size=20),
        st.lists(V4 | V6, min_size=1, max_size=4).map(tuple),
    ),
    advbase=BYTE,
    advskew=BYTE,
    demote=BYTE,
    counter=st.integers(0, 2**64 - 1),
    source_mac=st.none() | st.binary(min_size=6, max_size=6),
)


@given(ADVERTISEMENTS)
def test_crafted_and_fast_frame_are_the_same_bytes(advertisement):
    assert bytes(advertisement.packet()) == advertisement.frame()


def test_a_crafted_one_is_built_without_a_copy(monkeypatch):
    advertisement = Advertisement(vhid=7, source=ip_address("192.0.2.1"), secret=Secret("x", ("192.0.2.9",)))
    packet = advertisement.packet()
    monkeypatch.setattr(Packet, "clone_with", lambda *_, **__: pytest.fail("scapy copies it"))
    assert bytes(packet) == advertisement.frame()


@given(ADVERTISEMENTS)
def test_what_is_sent_is_valid_and_reads_back(advertisement):
    frame = decode(advertisement.frame())
    assert faults(frame, advertisement.vhid, advertisement.secret) == frozenset()
    assert frame.carp is not None
    assert (frame.carp.vhid, frame.carp.advbase, frame.carp.advskew, frame.carp.demote) == (
        advertisement.vhid, advertisement.advbase, advertisement.advskew, advertisement.demote,
    )  # fmt: skip
    assert int.from_bytes(frame.carp.counter, "big") == advertisement.counter
    assert frame.ip.source == advertisement.source
    assert frame.ip.destination == (GROUP_IPV4 if frame.ip.version == 4 else GROUP_IPV6)
    assert frame.source == (advertisement.source_mac or virtual_mac(advertisement.vhid))
    assert checksum(frame.payload) == 0


@given(ADVERTISEMENTS, st.permutations(range(4)))
def test_the_order_of_addresses_does_not_change_the_digest(advertisement, order):
    given_ones = advertisement.secret.addresses
    shuffled = tuple(given_ones[i] for i in order if i < len(given_ones))
    other = advertisement.but(secret=Secret(advertisement.secret.password, shuffled))
    assert other.header.digest == advertisement.header.digest


def test_in_the_order_of_configuration_it_does():
    one, other = (ip_address("192.0.2.1"), ip_address("192.0.2.5"))
    digests = {
        Secret("x", pair, AddressRule.CONFIGURED).digest(1, bytes(8)) for pair in ((one, other), (other, one))
    }
    assert len(digests) == 2


def test_but_changes_only_what_it_is_told():
    advertisement = Advertisement(
        vhid=1, source=ip_address("192.0.2.254"), secret=Secret("x", ("192.0.2.1",))
    )
    assert advertisement.but(advskew=7) != advertisement
    assert advertisement.but(advskew=7).but(advskew=0) == advertisement


def test_interval():
    assert (
        Advertisement(
            vhid=1, source=ip_address("192.0.2.254"), secret=Secret("x", ("192.0.2.1",)), advskew=128
        ).interval_ns
        == 1_500_000_000
    )


def test_a_counter_of_its_own_is_kept():
    plain = Advertisement(
        vhid=7, source=ip_address("192.0.2.1"), secret=Secret("x", ("192.0.2.9",)), advbase=2, advskew=30
    )
    assert plain.numbered(5).counter == 5
    assert plain.numbered(5).numbered(9).counter == 5
    assert plain.about == "vhid 7 2/30"
