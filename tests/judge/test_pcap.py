"""pcap files are read whole where they are whole, and as far as they go where they are damaged."""

import io

import pytest

from conformance.judge.linktypes import converter, supported
from conformance.judge.packets import MAX_PACKET
from conformance.judge.readers import packets
from tests.judge.making import START, Member, pcap

FRAMES = [(index * 1_000_000_000 + 5_000, Member().frame(index)) for index in range(5)]


def read(data):
    """The packets of a capture, and the complaints about it."""
    complaints = []
    return list(packets(io.BytesIO(data), 3, complaints.append)), complaints


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_both_byte_orders_and_resolutions(order, nanoseconds):
    found, complaints = read(pcap(FRAMES, order=order, nanoseconds=nanoseconds))
    assert complaints == []
    assert found == [
        (START + time_ns, 3, number, data, False) for number, (time_ns, data) in enumerate(FRAMES, start=1)
    ]


def test_patched_libpcap_has_longer_records():
    whole = bytearray(pcap(FRAMES[:1], nanoseconds=False))
    whole[:4] = bytes.fromhex("34cdb2a1")
    found, complaints = read(bytes(whole[:40] + bytes(8) + whole[40:]))
    assert (len(found), complaints) == (1, [])
    assert found[0][3] == FRAMES[0][1]


def test_a_cut_last_record_is_told_and_the_others_are_used():
    found, complaints = read(pcap(FRAMES)[:-9])
    assert len(found) == 4
    assert complaints == ["frame 5 is cut off at the end of the file (77 bytes of it are there)"]


@pytest.mark.parametrize("length", [0, 5])
def test_a_file_without_its_header(length):
    found, complaints = read(pcap([])[:length])
    assert found == []
    assert len(complaints) == 1


def test_a_cut_file_header():
    assert read(pcap([])[:20]) == ([], ["the file header is cut: 20 of 24 bytes are there"])


def test_an_absurd_length_ends_the_reading():
    data = bytearray(pcap(FRAMES))
    second = 24 + 16 + 70
    data[second + 8 : second + 12] = (MAX_PACKET + 1).to_bytes(4, "little")
    found, complaints = read(bytes(data))
    assert len(found) == 1
    assert complaints[0].startswith("frame 2 claims 262145 bytes")


def test_a_snap_length_marks_packets_as_cut():
    found, complaints = read(pcap(FRAMES, snaplen=40))
    assert [(len(data), cut) for *_, data, cut in found] == [(40, True)] * 5
    assert complaints == []


def test_records_across_the_chunks_of_the_reader():
    many = [(index * 1000, bytes([index % 251]) * 1400) for index in range(1000)]
    found, complaints = read(pcap(many))
    assert complaints == []
    assert [data for *_, data, _cut in found] == [data for _, data in many]


def test_an_unknown_link_type_is_told():
    found, complaints = read(pcap(FRAMES, linktype=147))
    assert found == []
    assert "link type 147 cannot be read" in complaints[0]


IPV4, IPV6 = Member().frame()[14:], Member(source="fe80::1").frame()[14:]
SLL = bytes.fromhex("0000000100060200000000a90000")
SLL2 = "{}000000000002000100060200000000a90000"


@pytest.mark.parametrize(
    ("linktype", "packet", "payload"),
    [
        (113, SLL + b"\x08\x00" + IPV4, b"\x08\x00" + IPV4),
        (276, bytes.fromhex(SLL2.format("0800")) + IPV4, b"\x08\x00" + IPV4),
        (101, IPV4, b"\x08\x00" + IPV4),
        (228, IPV4, b"\x08\x00" + IPV4),
        (229, IPV6, b"\x86\xdd" + IPV6),
        (12, IPV6, b"\x86\xdd" + IPV6),
        (0, b"\x02\0\0\0" + IPV4, b"\x08\x00" + IPV4),
        (0, b"\0\0\0\x02" + IPV4, b"\x08\x00" + IPV4),
        (0, b"\x18\0\0\0" + IPV6, b"\x86\xdd" + IPV6),
        (0, b"\0\0\0\x1c" + IPV6, b"\x86\xdd" + IPV6),
        (108, b"\0\0\0\x1e" + IPV6, b"\x86\xdd" + IPV6),
    ],
)
def test_link_types_become_ethernet(linktype, packet, payload):
    found, complaints = read(pcap([(0, packet)], linktype=linktype))
    assert complaints == []
    assert found[0][3][12:] == payload
    assert found[0][3][:6] == bytes(6)


def test_cooked_captures_keep_the_sender():
    assert read(pcap([(0, SLL + b"\x08\x00" + IPV4)], linktype=113))[0][0][3][6:12].hex() == "0200000000a9"
    loopback = SLL[:4] + b"\0\0" + SLL[6:]
    assert read(pcap([(0, loopback + b"\x08\x00" + IPV4)], linktype=113))[0][0][3][6:12] == bytes(6)
    two = bytes.fromhex("0800000000000002000100000200000000a90000")
    assert read(pcap([(0, two + IPV4)], linktype=276))[0][0][3][6:12] == bytes(6)


@pytest.mark.parametrize("linktype", [0, 12, 101, 108, 113, 276])
@pytest.mark.parametrize("data", [b"", b"\x01", b"\xff" * 4, b"\x10" * 15])
def test_packets_of_no_interest_are_left_out_but_numbered(linktype, data):
    good = {0: b"\x02\0\0\0", 108: b"\0\0\0\x02", 113: SLL + b"\x08\x00"}.get(linktype, b"")
    good = bytes.fromhex(SLL2.format("0800")) if linktype == 276 else good
    found, _ = read(pcap([(0, data), (1, good + IPV4)], linktype=linktype))
    assert found[-1][2] == 2
    assert len(found) == 1


def test_supported_says_what_converter_can():
    assert supported(1)
    assert converter(1) is None
    assert not supported(147)
    with pytest.raises(KeyError):
        converter(147)
