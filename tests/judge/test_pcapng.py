"""pcapng files: sections, interfaces, resolutions, all kinds of packet blocks, and every damage."""

import struct

import pytest

from tests.judge.making import SECOND, Member, block, enhanced, interface, option, section
from tests.judge.test_pcap import read

DATA = Member().frame()


@pytest.mark.parametrize("order", ["<", ">"])
def test_sections_and_byte_orders(order):
    whole = section(order) + interface(order=order) + enhanced(1_000_000, DATA, order=order)
    found, complaints = read(whole + section("<") + interface() + enhanced(2_000_000, DATA))
    assert complaints == []
    assert [(time_ns, number) for time_ns, _, number, _, _ in found] == [(SECOND, 1), (2 * SECOND, 2)]


@pytest.mark.parametrize(
    ("options", "stamp", "time_ns"),
    [
        (b"", 1_500_000, 1_500_000_000),
        (option(9, b"\x09"), 1_500_000_000, 1_500_000_000),
        (option(9, b"\x8a"), 1536, 1_500_000_000),
        (option(9, b"\x00"), 3, 3 * SECOND),
        (option(14, struct.pack("<q", 10)), 1_000_000, 11 * SECOND),
        (option(2, b"eth0") + option(9, b"\x03") + option(0, b""), 1500, 1_500_000_000),
        (option(14, b"\x01"), 1_000_000, SECOND),
        (struct.pack("<HH", 9, 200), 1_000_000, SECOND),
    ],
)
def test_time_stamps(options, stamp, time_ns):
    found, complaints = read(section() + interface(options=options) + enhanced(stamp, DATA))
    assert complaints == []
    assert found[0][0] == time_ns


def test_simple_and_obsolete_packet_blocks():
    simple = block(3, struct.pack("<I", len(DATA)) + DATA)
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 7_000_000, len(DATA), len(DATA) + 4) + DATA)
    found, complaints = read(section() + interface() + old + simple)
    assert complaints == []
    assert [(time_ns, data, cut) for time_ns, _, _, data, cut in found] == [
        (7 * SECOND, DATA, True),
        (7 * SECOND, DATA, False),
    ]


def test_a_simple_packet_is_cut_at_the_snap_length():
    simple = block(3, struct.pack("<I", len(DATA)) + DATA[:40])
    found, _ = read(section() + interface(snaplen=40) + simple)
    assert (found[0][3], found[0][4]) == (DATA[:40], True)


def test_journal_entries_count_as_frames():
    found, _ = read(
        section() + interface() + block(9, b"MESSAGE=x\n") + block(5, bytes(12)) + enhanced(1, DATA)
    )
    assert [number for _, _, number, _, _ in found] == [2]


def test_cooked_interfaces_and_unknown_ones_in_one_file():
    raw = DATA[14:]
    whole = section() + interface(101) + interface(147) + enhanced(1, raw) + enhanced(2, DATA, which=1)
    found, complaints = read(whole + enhanced(3, b"\x00", which=0))
    assert [number for _, _, number, _, _ in found] == [1]
    assert complaints == ["link type 147 cannot be read; frames of that interface are left out"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (enhanced(1, DATA, which=4), "names interface 4"),
        (block(6, struct.pack("<IIIII", 0, 0, 0, 9999, 9999) + DATA), "claims 9999 bytes"),
        (block(6, b"\0" * 8), "its block has only 8 bytes"),
        (block(3, b""), "its block has only 0 bytes"),
        (block(3, struct.pack("<I", 10)), None),
        (block(1, b"\0\0"), "an interface description is cut"),
    ],
)
def test_a_damaged_block_is_told_and_the_next_is_read(damage, words):
    found, complaints = read(section() + interface() + damage + enhanced(5, DATA))
    assert found[-1][3] == DATA
    assert [words in one for one in complaints] == ([True] if words else [])


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"\x06\0\0", "the last block is cut off: 3 bytes"),
        (enhanced(1, DATA)[:-8], "the last block is cut off"),
        (struct.pack("<III", 6, 8, 0), "claims 8 bytes"),
        (struct.pack("<III", 6, 1 << 30, 0), "claims 1073741824 bytes"),
        (block(0x0A0D0D0A, bytes(16)), "does not tell its byte order"),
    ],
)
def test_what_cannot_be_read_further_ends_the_reading(tail, words):
    found, complaints = read(section() + interface() + enhanced(1, DATA) + tail)
    assert len(found) == 1
    assert words in complaints[0]


def test_interfaces_are_bounded():
    found, complaints = read(section() + interface() * 5000 + enhanced(1, DATA, which=4500))
    assert found == []
    assert "names interface 4500" in complaints[0]


def test_blocks_across_the_chunks_of_the_reader():
    large = block(5, bytes(700_000))
    found, complaints = read(section() + interface() + large + enhanced(1, DATA) + large)
    assert (len(found), complaints) == (1, [])
