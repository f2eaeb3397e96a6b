"""Evidence files, read back by two programs that we did not write: scapy and tshark."""

import json
import shutil
import struct
import subprocess
from ipaddress import ip_address

import pytest
from scapy.utils import RawPcapNgReader

from conformance.segment import evidence
from conformance.segment.loop import VirtualClock
from conformance.segment.trace import HostEvent, HostKind, Trace
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret

START = VirtualClock.EPOCH_NS
ADVERTISEMENT = Advertisement(
    vhid=7, source=ip_address("192.0.2.254"), secret=Secret("hunter2", (ip_address("192.0.2.1"),))
)
FRAMES = [ADVERTISEMENT.frame(), b"", b"x", bytes(range(61)), bytes(1514)]
TIMES = [START + 1, START + 123_456_789, START + (1 << 32), START + 2**33 + 5, START + 10**12 + 1]


@pytest.fixture
def trace():
    trace = Trace()
    trace.add(HostEvent(START, "a", HostKind.LOG, "not a frame"))
    for index, (time_ns, data) in enumerate(zip(TIMES, FRAMES, strict=True)):
        trace.add_frame(time_ns, data, sent=index % 2 == 0)
    trace.cite(trace.frames[0], "as expected: vhid is 7")
    trace.cite(trace.frames[0], "zweite Bemerkung: ü → ✔")
    trace.cite(trace.frames[3], "MISMATCH: odd length")
    return trace


@pytest.fixture
def path(trace, tmp_path):
    path = tmp_path / "case.pcapng"
    evidence.write(trace, path, comment="RX-002.case: pass. ü")
    return path


def tshark(path, *fields):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    listed = [part for field in fields for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-r", str(path), "-T", "json", *listed], capture_output=True, text=True, check=True
    )
    return [packet["_source"]["layers"] for packet in json.loads(done.stdout)]


class TestScapy:
    def test_bytes_and_nanoseconds(self, path):
        with RawPcapNgReader(str(path)) as reader:
            read = [(data, ((meta.tshigh << 32) + meta.tslow), meta.tsresol) for data, meta in reader]
        assert [data for data, _, _ in read] == FRAMES
        assert [time_ns for _, time_ns, _ in read] == TIMES
        assert {resolution for _, _, resolution in read} == {10**9}

    def test_comments_and_direction(self, path):
        with RawPcapNgReader(str(path)) as reader:
            metas = [meta for _, meta in reader]
        assert [c.decode() for c in metas[0].comments] == [
            "as expected: vhid is 7",
            "zweite Bemerkung: ü → ✔",
        ]
        assert [c.decode() for c in metas[3].comments] == ["MISMATCH: odd length"]
        assert not metas[1].comments
        assert [meta.direction for meta in metas] == [2, 1, 2, 1, 2]


class TestTshark:
    def test_numbers_times_lengths(self, path):
        rows = tshark(path, "frame.number", "frame.time_epoch", "frame.len")
        assert [int(row["frame.number"][0]) for row in rows] == [1, 2, 3, 4, 5]
        assert [int(row["frame.len"][0]) for row in rows] == [len(data) for data in FRAMES]
        if "." in rows[0]["frame.time_epoch"][0] and "T" not in rows[0]["frame.time_epoch"][0]:
            assert [row["frame.time_epoch"][0] for row in rows] == [
                f"{t // 10**9}.{t % 10**9:09d}" for t in TIMES
            ]

    def test_comments_and_direction(self, path):
        rows = tshark(path, "frame.comment", "frame.packet_flags_direction")
        assert rows[0]["frame.comment"] == ["as expected: vhid is 7", "zweite Bemerkung: ü → ✔"]
        assert "frame.comment" not in rows[1]
        assert [int(row["frame.packet_flags_direction"][0], 0) for row in rows] == [2, 1, 2, 1, 2]

    def test_carp_is_recognised(self, path):
        rows = tshark(path, "ip.proto", "ip.ttl")
        assert (rows[0]["ip.proto"], rows[0]["ip.ttl"]) == (["112"], ["255"])


def test_an_empty_trace_is_a_file_without_frames(tmp_path):
    evidence.write(Trace(), tmp_path / "empty.pcapng", comment="")
    with RawPcapNgReader(str(tmp_path / "empty.pcapng")) as reader:
        assert list(reader) == []


@pytest.mark.parametrize("length", [65_535, 65_536, 200_000])
def test_a_comment_longer_than_the_format_can_hold_is_cut_between_characters(tmp_path, length):
    trace = Trace()
    trace.cite(trace.add_frame(START, b"x"), "ü" * (length // 2) + "x" * (length % 2))
    path = tmp_path / "long.pcapng"
    evidence.write(trace, path, comment="→" * (length // 3))
    with RawPcapNgReader(str(path)) as reader:
        ((_, meta),) = reader
    text = meta.comments[0].decode()
    assert set(text) <= {"ü", "x"}
    assert 65_532 <= len(meta.comments[0]) <= 65_535


def test_every_block_says_its_length_at_both_ends(path):
    data, at, kinds = path.read_bytes(), 0, []
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        kinds.append(kind)
        at += length
    assert at == len(data)
    assert kinds == [0x0A0D0D0A, 1, 6, 6, 6, 6, 6]


def test_the_password_is_not_in_it(path):
    assert b"hunter2" not in path.read_bytes()
