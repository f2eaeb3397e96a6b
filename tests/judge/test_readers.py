"""Captures from files, compressed or not, from standard input, several merged by time."""

import bz2
import gzip
import importlib.util
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

from conformance.judge.packets import CaptureError, Unreadable
from conformance.judge.readers import read
from tests.judge.making import Member, pcap, section
from tests.judge.test_pcap import read as read_bytes

WHOLE = pcap(Member().run(0, 20))


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: gzip.compress(gzip.compress(data))]
)
def test_compressed_captures(pack):
    found, complaints = read_bytes(pack(WHOLE))
    assert (len(found), complaints) == (20, [])


class Packing(NamedTuple):
    """A compression and the standard library's own view of what can be unpacked of its beginning."""

    pack: Callable[[bytes], bytes]
    unpacking: Callable[[], Any]


PACKINGS = {
    "gzip": Packing(gzip.compress, lambda: zlib.decompressobj(31)),
    "bzip2": Packing(lambda data: bz2.compress(data, 1), bz2.BZ2Decompressor),  # blocks of 100 kB
    "xz": Packing(lzma.compress, lzma.LZMADecompressor),
}
MANY = pcap(Member().run(0, 5_000))
FRAME = (len(MANY) - 24) // 5_000


@pytest.mark.parametrize("name", PACKINGS)
@pytest.mark.parametrize("left", [0.3, 0.5, 0.7, 0.95, -12, -9, -1])
def test_of_a_cut_file_all_that_can_be_unpacked_is_read(name, left):
    packing = PACKINGS[name]
    packed = packing.pack(MANY)
    cut = packed[: left if left < 0 else int(len(packed) * left)]
    readable = len(packing.unpacking().decompress(cut))
    found, complaints = read_bytes(cut)
    assert len(found) == (readable - 24) // FRAME > 1_000
    assert complaints[0].startswith("the file is cut: ")
    assert ("bzip2" in complaints[0]) == (name == "bzip2")


def test_a_bzip2_file_cut_in_its_first_block_says_why_nothing_is_read():
    found, complaints = read_bytes(bz2.compress(MANY)[:-20])
    assert found == []
    assert complaints[0] == (
        "the file is cut: its compressed data end too early, and what came before the cut was read; "
        "bzip2 packs blocks of up to 900 kB, of which a cut one cannot be unpacked"
    )


@pytest.mark.parametrize("name", PACKINGS)
@pytest.mark.parametrize("share", [0.5, 0.75])
def test_of_a_damaged_file_what_precedes_the_damage_is_read(name, share):
    """To the kilobyte: bytes are destroyed, and every frame of what was packed before them is there."""
    packing = PACKINGS[name]
    packed = bytearray(packing.pack(MANY))
    at = int(len(packed) * share)
    before = len(packing.unpacking().decompress(bytes(packed[:at])))
    packed[at : at + 40] = b"\xff" * 40
    found, complaints = read_bytes(bytes(packed))
    assert len(found) >= (before - 24 - 1024) // FRAME > 2_000
    assert "rest" in complaints[0]
    assert "not read" in complaints[0]


def test_garbage_inside_compression():
    packed = bytearray(gzip.compress(WHOLE))
    packed[40:60] = bytes(20)
    found, complaints = read_bytes(bytes(packed))
    assert len(found) < 20
    assert complaints


def test_compression_all_the_way_down():
    data = WHOLE
    for _ in range(6):
        data = gzip.compress(data)
    assert read_bytes(data)[1] == [
        "this is neither pcap nor pcapng, plain or compressed; save the capture in one of these formats"
    ]


@pytest.mark.parametrize("data", [b"GIF89a and the rest", b"\x28\xb5\x2f\xfd" + bytes(20)])
def test_no_capture_at_all(data):
    if data[:1] == b"\x28" and importlib.util.find_spec("compression") is not None:
        pytest.skip("this Python reads zstd")
    found, complaints = read_bytes(data)
    assert found == []
    assert "neither pcap nor pcapng" in complaints[0]


def test_zstd_where_python_has_it(monkeypatch):
    """Stands in for ``compression.zstd`` of Python 3.14: same shape, no compression."""
    module = ModuleType("compression.zstd")
    module.ZstdFile = lambda stream: io.BytesIO(stream.read()[4:])  # has read1, as the real one
    monkeypatch.setitem(sys.modules, "compression.zstd", module)
    assert len(read_bytes(b"\x28\xb5\x2f\xfd" + WHOLE)[0]) == 20


def test_an_empty_pcapng():
    assert read_bytes(section()) == ([], [])


def test_several_files_are_merged_by_time(tmp_path):
    (tmp_path / "a.pcap").write_bytes(pcap(Member().run(0, 3)))
    (tmp_path / "b.pcap").write_bytes(pcap(Member().run(0.5, 3)))
    with ExitStack() as stack:
        found = list(read([tmp_path / "a.pcap", str(tmp_path / "b.pcap")], Unreadable(), stack))
    assert [(capture, number) for _, capture, number, _, _ in found] == [
        (0, 1),
        (1, 1),
        (0, 2),
        (1, 2),
        (0, 3),
        (1, 3),
    ]


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(WHOLE)))
    with ExitStack() as stack:
        assert sum(1 for _ in read(["-"], Unreadable(), stack)) == 20


def test_standard_input_is_there_only_once():
    with ExitStack() as stack, pytest.raises(CaptureError, match="give it once, and the others as files"):
        read(["-", "-"], Unreadable(), stack)


def test_a_missing_file_is_an_error_with_a_remedy(tmp_path):
    with ExitStack() as stack, pytest.raises(CaptureError) as caught:
        read([tmp_path / "none.pcap"], Unreadable(), stack)
    assert caught.value.capture.endswith("none.pcap")
    assert "give the path of a readable capture file" in str(caught.value)


def test_complaints_are_bounded():
    unreadable = Unreadable()
    complain = unreadable.about("x.pcap")
    for index in range(30):
        complain(f"frame {index} is bad")
    assert unreadable.all()[0] == "x.pcap: frame 0 is bad"
    assert unreadable.all()[-1] == "10 further complaints of this kind were left out."
    assert len(unreadable.all()) == 21
    assert Unreadable().all() == []


def test_short_reads_of_a_pipe():
    class Drip(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7))

    from conformance.judge.readers import packets

    for data in (WHOLE, gzip.compress(WHOLE)):
        assert sum(1 for _ in packets(Drip(data), 0, pytest.fail)) == 20
