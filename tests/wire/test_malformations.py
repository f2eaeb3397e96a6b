"""Every malformation is wrong in exactly the way that it says, and in no other."""

from ipaddress import ip_address

import pytest

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import Check, faults
from conformance.wire.digest import Secret
from conformance.wire.frame import decode
from conformance.wire.header import checksum
from conformance.wire.malformations import (
    MALFORMATIONS,
    BadMalformation,
    Malformation,
    demanded_by,
    in_turn,
    named,
)

ADVERTISEMENT = Advertisement(
    vhid=7,
    source=ip_address("192.0.2.254"),
    secret=Secret("secret", (ip_address("192.0.2.1"),)),
    advskew=3,
    counter=0x0123456789ABCDEF,
)


def test_unspoiled_advertisement_has_no_fault():
    assert faults(decode(ADVERTISEMENT.frame()), 7, ADVERTISEMENT.secret) == frozenset()


@pytest.mark.parametrize("malformation", MALFORMATIONS, ids=str)
def test_exactly_the_named_check_finds_it(malformation):
    assert faults(decode(malformation.frame(ADVERTISEMENT)), 7, ADVERTISEMENT.secret) == {malformation.check}


@pytest.mark.parametrize("vhid", [1, 2, 255])
def test_the_table_holds_for_the_outermost_vhids(vhid):
    for malformation in MALFORMATIONS:
        malformation.frame(ADVERTISEMENT.but(vhid=vhid))


def test_a_malformation_that_is_wrong_otherwise_is_refused():
    bad = Malformation("bad", "", Check.TTL, "CARP-RX-001", lambda ad: ad.frame())
    with pytest.raises(BadMalformation, match="should fail the ttl check alone, but fails: nothing"):
        bad.frame(ADVERTISEMENT)


def test_names_are_unique():
    assert len({m.name for m in MALFORMATIONS}) == len(MALFORMATIONS)


def test_every_check_has_a_malformation():
    assert {m.check for m in MALFORMATIONS} == set(Check)


def test_fast_and_crafted_frame_are_the_same():
    assert bytes(ADVERTISEMENT.packet()) == ADVERTISEMENT.frame()
    v6 = ADVERTISEMENT.but(source=ip_address("fe80::1"))
    assert bytes(v6.packet()) == v6.frame()


def test_in_turn_walks_through_the_faults():
    faulty = [m for m in MALFORMATIONS if m.check is Check.TTL][:3]
    walk = in_turn(*faulty)
    assert [decode(walk(ADVERTISEMENT)).ip.ttl for _ in range(5)] == [254, 128, 64, 254, 128]
    assert walk.__name__ == "in turn ttl-254, ttl-128, ttl-64"
    many = [m for m in MALFORMATIONS if m.check is Check.DIGEST]
    assert in_turn(*many).__name__.startswith("in turn password-other to counter-bit")


def test_by_requirement():
    assert {m.check for m in demanded_by("CARP-RX-005")} == {Check.CHECKSUM}
    assert demanded_by("CARP-RX-999") == ()


def test_compensating_checksums_sum_to_zero_over_both_headers():
    data = named("checksums-compensating").frame(ADVERTISEMENT)
    assert checksum(data[14:70]) == 0
    assert checksum(data[14:34]) != 0
    assert checksum(data[34:70]) != 0


@pytest.mark.parametrize("ihl", [0, 4, 6, 15])
def test_ihl_is_what_its_name_says(ihl):
    assert named(f"ihl-{ihl}").frame(ADVERTISEMENT)[14] == 0x40 | ihl


def test_padded_frames_hold_the_whole_header():
    data = named("length-35-padded").frame(ADVERTISEMENT)
    assert len(data) == len(ADVERTISEMENT.frame())
    assert len(decode(data).payload) == 35
    assert data[34:] == ADVERTISEMENT.frame()[34:]


@pytest.mark.parametrize("length", [0, 1, 20, 35])
def test_a_cut_header_is_short_by_the_ip_length_too(length):
    frame = decode(named(f"length-{length}").frame(ADVERTISEMENT))
    assert frame.ip.length == len(frame.data) - 14 == 20 + length
    assert frame.ip.sound
    assert frame.ip.protocol == 112
    assert frame.payload == ADVERTISEMENT.header.summed()[:length]
