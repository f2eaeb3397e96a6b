"""The 36 bytes: pack and unpack, truncation, the checksum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.wire.header import LENGTH, Header, TruncatedHeader, checksum, interval_ns

BYTE = st.integers(0, 255)
HEADERS = st.builds(
    Header,
    vhid=BYTE,
    advskew=BYTE,
    advbase=BYTE,
    counter=st.binary(min_size=8, max_size=8),
    digest=st.binary(min_size=20, max_size=20),
    demote=BYTE,
    authlen=BYTE,
    version=st.integers(0, 15),
    type=st.integers(0, 15),
    checksum=st.integers(0, 0xFFFF),
)


class TestRoundTrip:
    @given(HEADERS)
    def test_every_header_comes_back(self, header):
        assert Header.unpack(header.pack()) == header

    @given(st.binary(min_size=LENGTH, max_size=LENGTH))
    def test_every_36_bytes_come_back(self, data):
        assert Header.unpack(data).pack() == data

    @given(HEADERS, st.binary(max_size=40))
    def test_what_follows_the_header_is_not_looked_at(self, header, trailer):
        assert Header.unpack(header.pack() + trailer) == header

    @given(HEADERS)
    def test_a_summed_header_sums_to_zero_and_differs_in_nothing_else(self, header):
        data, plain = header.summed(), header.pack()
        assert checksum(data) in (0, 0xFFFF)
        assert data[:6] + data[8:] == plain[:6] + plain[8:]


@pytest.mark.parametrize("length", range(LENGTH))
def test_fewer_bytes_are_refused_and_counted(length):
    with pytest.raises(TruncatedHeader, match=f"36 bytes, only {length} are there") as raised:
        Header.unpack(bytes(length))
    assert raised.value.length == length


@pytest.mark.parametrize(
    ("field", "at"), [("vhid", 1), ("advskew", 2), ("authlen", 3), ("demote", 4), ("advbase", 5)]
)
def test_a_field_is_in_its_own_byte(field, at):
    before, after = Header(vhid=1).pack(), Header(**({"vhid": 1} | {field: 0xA5})).pack()
    assert [i for i in range(LENGTH) if before[i] != after[i]] == [at]
    assert after[at] == 0xA5


def test_version_is_the_high_nibble_and_the_checksum_in_network_order():
    data = Header(vhid=1, version=2, type=1, checksum=0x1234).pack()
    assert data[0] == 0x21
    assert data[6:8] == b"\x12\x34"


class TestChecksum:
    def test_worked_example_of_rfc_1071(self):
        assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2

    def test_an_odd_length_is_padded_with_zero(self):
        assert checksum(b"\x12\x34\x56") == checksum(b"\x12\x34\x56\x00")

    def test_nothing_sums_to_all_ones(self):
        assert checksum(b"") == 0xFFFF

    @given(st.binary(min_size=LENGTH, max_size=LENGTH))
    def test_the_fast_way_for_36_bytes_agrees_with_the_general_one(self, data):
        assert checksum(data) == checksum(data + b"\0\0")

    @given(st.binary(max_size=64).filter(lambda data: len(data) % 2 == 0))
    def test_data_with_its_checksum_sums_to_zero(self, data):
        assert checksum(data + checksum(data).to_bytes(2, "big")) == 0


@pytest.mark.parametrize(
    ("advbase", "advskew", "expected_ns"),
    [
        (1, 0, 1_000_000_000),
        (1, 100, 1_390_625_000),
        (0, 1, 3_906_000),
        (0, 0, 0),
        (255, 255, 255_996_093_000),
        (2, 50, 2_195_312_000),
    ],
)
def test_interval_in_whole_microseconds(advbase, advskew, expected_ns):
    assert interval_ns(advbase, advskew) == expected_ns
    assert Header(1, advskew, advbase).interval_ns == expected_ns
