"""Opens captures of any supported kind and merges several by time.

pcap and pcapng, plain or compressed (gzip, bzip2, xz, and zstd where the Python has it), from files or
standard input.
"""

from __future__ import annotations

import bz2
import gzip
import heapq
import importlib
import io
import lzma
import sys
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from conformance.judge.packets import CaptureError, Complain, Packets, Stream, Unreadable
from conformance.judge.pcap import is_pcap, read_pcap
from conformance.judge.pcapng import SECTION, read_pcapng

STANDARD_INPUT = "-"
_DAMAGE = (OSError, zlib.error, lzma.LZMAError)
_PIECE = 1 << 10  # an unpacker that meets damage takes the piece with it that it was asked for
_WRAPPINGS = 3  # a capture that is compressed more often than this is an attack, not a capture


def read(captures: Sequence[str | Path], unreadable: Unreadable, stack: ExitStack) -> Packets:
    """Yields the packets of all captures in the order of time; ``-`` is standard input.

    Files are opened at once and closed by ``stack``. Each capture must be in the order of time itself, as
    tools write them. Raises
    :class:`CaptureError` for a file that cannot be opened; what is unreadable in a file goes to
    ``unreadable``.
    """
    if [str(capture) for capture in captures].count(STANDARD_INPUT) > 1:
        raise CaptureError(
            STANDARD_INPUT, "standard input is there only once", "give it once, and the others as files"
        )
    streams = [(str(capture), _open(str(capture), stack)) for capture in captures]
    each = [packets(stream, index, unreadable.about(name)) for index, (name, stream) in enumerate(streams)]
    return each[0] if len(each) == 1 else heapq.merge(*each)


def _open(name: str, stack: ExitStack) -> Stream:
    if name == STANDARD_INPUT:
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(name).open("rb"))
    except OSError as error:
        raise CaptureError(
            name, f"cannot be opened ({error.strerror})", "give the path of a readable capture file"
        ) from error


def packets(stream: Stream, index: int, complain: Complain) -> Packets:
    """Yields the packets of one capture, whatever its format; tells ``complain`` what cannot be read and
    never raises for its content.
    """
    try:
        yield from _packets(stream, index, complain, _WRAPPINGS)
    except _Cut as cut:
        complain(
            f"the file is cut: its compressed data end too early, and what came before the cut was read{cut.loss}"
        )
    except _DAMAGE as error:
        complain(f"the file is damaged and its rest is not read ({_words(error)})")


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _packets(stream: Stream, index: int, complain: Complain, wrappings: int) -> Packets:
    start = _at_least(stream, 6)
    if not start:
        complain("the file is empty")
    elif is_pcap(start[:4]):
        yield from read_pcap(stream, start, index, complain)
    elif start[:4] == SECTION:
        yield from read_pcapng(stream, start, index, complain)
    else:
        inner = _unwrap(stream, start) if wrappings else None
        if inner is None:
            complain(
                "this is neither pcap nor pcapng, plain or "
                "compressed; save the capture in one of these formats"
            )
        else:
            yield from _packets(inner, index, complain, wrappings - 1)


def _at_least(stream: Stream, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := stream.read(count - len(data))):
        data += more
    return data


class _Rest(io.RawIOBase):
    """A stream with the bytes put back that were read to look at it."""

    def __init__(self, start: bytes, stream: Stream) -> None:
        self._start = start
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._start[: len(view)] if self._start else self._stream.read(len(view))
        self._start = self._start[len(data) :]
        view[: len(data)] = data
        return len(data)


class _Compressed(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...


class _Cut(Exception):
    """Compressed data end too early; ``loss`` goes on with the sentence about it: what more than the missing bytes is lost."""

    def __init__(self, loss: str) -> None:
        self.loss = loss
        super().__init__(loss)


class _Pieces:
    """A compressed stream, read in small pieces: what precedes the place where it is damaged or cut is not lost, but for the last piece."""

    def __init__(self, inner: _Compressed, loss: str = "") -> None:
        self._inner = inner
        self._loss = loss

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._inner.read1(size if 0 <= size < _PIECE else _PIECE)
        except EOFError as error:
            raise _Cut(self._loss) from error


def _unwrap(stream: Stream, start: bytes) -> Stream | None:
    rest = io.BufferedReader(_Rest(start, stream), 1 << 16)
    if start[:2] == b"\x1f\x8b":
        return _Pieces(gzip.GzipFile(fileobj=rest))
    if start[:3] == b"BZh":
        return _Pieces(
            bz2.BZ2File(rest), "; bzip2 packs blocks of up to 900 kB, of which a cut one cannot be unpacked"
        )
    if start[:6] == b"\xfd7zXZ\x00":
        return _Pieces(lzma.LZMAFile(rest))
    if start[:4] == b"\x28\xb5\x2f\xfd":
        try:
            zstd = importlib.import_module("compression.zstd")
        except ImportError:
            return None
        return _Pieces(zstd.ZstdFile(rest))
    return None
