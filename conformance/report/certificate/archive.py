"""The bundle's zip: equal files make equal bytes, so that every byte of it can be checked, not only the files' own."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field

_EPOCH = (1980, 1, 1, 0, 0, 0)
_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)*")
_UNIX = 3
_MODE = 0o100644 << 16


@dataclass(eq=False)
class NotABundle(Exception):
    """A file that is no zip at all: its name and what the reader said."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name} is not a bundle: {self.problem}; get it again from where it was published."


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was in a bundle: its files by path, and a sentence for each thing that is wrong with the zip itself."""

    files: Mapping[str, bytes]
    damage: tuple[str, ...] = ()
    damaged: frozenset[str] = field(default_factory=frozenset)


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip of ``files`` (path to content), sorted by path.

    Nothing is compressed: what a compressor makes depends on its version, and then no byte could be checked.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            archive.writestr(entry, files[path])
    return buffer.getvalue()


def unpack(data: bytes, name: str) -> Unpacked:
    """The files in ``data``, read without trust: nothing compressed, no path that leaves the folder, none twice.

    Damage is told by the file it hits; ``name`` is the bundle's. Raises :class:`NotABundle`.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise NotABundle(name, str(error)) from error
    files: dict[str, bytes] = {}
    damage: list[str] = []
    damaged: set[str] = set()
    for entry in archive.infolist():
        problem, content = _read(archive, entry, files)
        if problem is None:
            files[entry.filename] = content
        else:
            shown = entry.filename.encode("unicode_escape").decode("ascii")
            damage.append(f"{shown}: {problem}")
            damaged.add(entry.filename)
    if not damage:
        damage += _structure(data, archive, files)
    return Unpacked(files, tuple(damage), frozenset(damaged))


def _read(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, files: Mapping[str, bytes]
) -> tuple[str | None, bytes]:
    if not _NAME.fullmatch(entry.filename):
        return "its path is not one that this suite writes", b""
    if entry.filename in files:
        return "it is there twice", b""
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        return "it is compressed or encrypted, which this suite never does", b""
    try:
        return None, archive.read(entry)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        return f"its bytes were changed ({' '.join(str(error).split())})", b""


def _structure(data: bytes, archive: zipfile.ZipFile, files: Mapping[str, bytes]) -> list[str]:
    """Names the first byte between the files that is not as this suite writes it."""
    whole = pack(files)
    if whole == data:
        return []
    pairs = enumerate(zip(whole, data, strict=False))
    offset = next((at for at, (ours, theirs) in pairs if ours != theirs), min(len(whole), len(data)))
    before = [entry for entry in archive.infolist() if entry.header_offset <= offset]
    inside = before and offset < archive.start_dir
    where = f"in the zip header of {before[-1].filename}" if inside else "in the zip's table of contents"
    return [f"byte {offset} of the zip, {where}, is not as this suite writes it"]
