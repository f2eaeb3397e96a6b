"""What can be done to a zip without touching the content of a file in it is found, and none of it leads anywhere."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.report.certificate.archive import NotABundle, pack, unpack

FILES = {"certificate.json": b"{}\n", "evidence/a.pcapng": b"\x0a\x0d\x0d\x0a" * 64, "results.json": b"{ }\n"}
Trick = Callable[[], bytes]


def rebuilt(change: Callable[[zipfile.ZipInfo], None] = lambda _: None, *more: zipfile.ZipInfo, comment: bytes = b"") -> bytes:  # fmt: skip
    """The zip of FILES with ``change`` applied to the entry of the capture, and with ``more`` entries."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        warnings.simplefilter("ignore")  # it warns of duplicates
        for path, data in FILES.items():
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            if path.startswith("evidence"):
                change(entry)
            archive.writestr(entry, data, compress_type=entry.compress_type)
        for entry in more:
            archive.writestr(entry, b"../../etc/passwd", compress_type=entry.compress_type)
        archive.comment = comment
    return buffer.getvalue()


def having(**values: object) -> Trick:
    def change(entry: zipfile.ZipInfo) -> None:
        for name, value in values.items():
            setattr(entry, name, value)

    return lambda: rebuilt(change)


def named(path: str, **values: object) -> Trick:
    def made() -> bytes:
        entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
        entry.create_system, entry.external_attr = 3, 0o100644 << 16
        for name, value in values.items():
            setattr(entry, name, value)
        return rebuilt(lambda _: None, entry)

    return made


def bomb() -> bytes:
    """A hundred megabytes of nothing in a hundred kilobytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("evidence/a.pcapng", bytes(100_000_000))
    return buffer.getvalue()


def overlapping() -> bytes:
    """Many entries of the table that share the bytes of one file: that is how a bomb grows without compression."""
    data = rebuilt()
    start = zipfile.ZipFile(io.BytesIO(data)).start_dir
    entry = data[start : start + 46 + len("certificate.json")]
    table = entry.replace(b"certificate", b"certificatf") * 50
    end = bytearray(data[-22:])
    struct.pack_into("<HHII", end, 8, 53, 53, len(data) - 22 - start + len(table), start)
    return data[:-22] + table + bytes(end)


def other_local_name() -> bytes:
    """The table of contents says one name, the file's own header another: readers disagree which it is."""
    return rebuilt().replace(b"evidence/a", b"evidence/b", 1)


TRICKS: dict[str, tuple[Trick, str]] = {
    "twice the same name": (named("results.json"), "results.json: it is there twice"),
    "a path upwards": (named("../outside.txt"), "../outside.txt: its path"),
    "a path upwards inside": (named("evidence/../../outside.txt"), "its path"),
    "an absolute path": (named("/etc/outside.txt"), "its path"),
    "a drive": (named("C:outside.txt"), "its path"),
    "a backslash": (named("evidence\\outside.txt"), "its path"),
    "a hidden file": (named(".ssh/config"), "its path"),
    "a folder": (named("evidence/"), "its path"),
    "an empty part": (named("evidence//a"), "its path"),
    "a line feed": (named("a\nb"), "a\\nb: its path"),
    "a mark that turns the direction of text": (named("a\u202egnp.exe"), "its path"),
    "a symbolic link": (having(external_attr=0o120777 << 16), "is not as this suite writes it"),
    "another mode": (having(external_attr=0o100755 << 16), "is not as this suite writes it"),
    "another date": (having(date_time=(2026, 1, 1, 0, 0, 0)), "is not as this suite writes it"),
    "another system": (having(create_system=0), "is not as this suite writes it"),
    "a comment on a file": (having(comment=b"hello"), "is not as this suite writes it"),
    "an extra field": (having(extra=b"\x99\x99\x04\x00evil"), "is not as this suite writes it"),
    "a compressed file": (having(compress_type=zipfile.ZIP_DEFLATED), "evidence/a.pcapng: it is compressed"),
    "a comment on the whole": (lambda: rebuilt(comment=b"hello"), "table of contents"),
    "bytes behind it": (lambda: pack(FILES) + b"hello", "table of contents"),
    "bytes before it": (lambda: b"#!/bin/sh\n" + pack(FILES), "is not as this suite writes it"),
    "a second zip behind it": (
        lambda: pack(FILES) + pack({"results.json": b"[]"}),
        "is not as this suite writes it",
    ),
    "files in another order": (lambda: rebuilt(having_first), "is not as this suite writes it"),
    "a bomb": (bomb, "evidence/a.pcapng: it is compressed"),
    "files that overlap": (overlapping, "its bytes were changed"),
    "two names for one file": (other_local_name, "its bytes were changed"),
}


def having_first(entry: zipfile.ZipInfo) -> None:
    entry.filename = "zz.pcapng"


@pytest.mark.parametrize("name", TRICKS)
def test_trick_is_found_and_named(name):
    make, told = TRICKS[name]
    damage = unpack(make(), "it.zip").damage
    assert any(told in one for one in damage), damage


def test_nothing_is_written_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for make, _ in TRICKS.values():
        unpack(make(), "it.zip")
    assert list(tmp_path.iterdir()) == []
    assert not Path("../outside.txt").exists()


def test_zip_that_says_it_is_encrypted_is_no_reason_to_ask_for_a_password():
    data = bytearray(pack(FILES))
    for at in (6, zipfile.ZipFile(io.BytesIO(data)).start_dir + 8):
        data[at] |= 1
    assert (
        unpack(bytes(data), "it.zip").damage[0].startswith("certificate.json: it is compressed or encrypted")
    )


@pytest.mark.parametrize("data", [b"", b"PK", b"\x1f\x8b" + bytes(40), b"PK\x03\x04" * 9])
def test_what_is_no_zip_is_said_in_one_sentence(data):
    with pytest.raises(NotABundle, match="it.zip is not a bundle"):
        unpack(data, "it.zip")


def test_each_byte_of_each_file_is_that_files(files):
    """Every class of file that a bundle has, at its first, middle and last byte: the one that was changed is named, and no other."""
    data = pack(files)
    at = {entry.filename: entry.header_offset + 30 + len(entry.filename) for entry in zipfile.ZipFile(io.BytesIO(data)).infolist()}  # fmt: skip
    assert {"manifest.json", "certificate.pdf", "results.json", "pixit.json", "README.txt"} < set(at)
    for path, start in at.items():
        for place in (0, len(files[path]) // 2, len(files[path]) - 1):
            changed = bytearray(data)
            changed[start + place] ^= 0x80
            assert [one.partition(":")[0] for one in unpack(bytes(changed), "it").damage] == [path]
