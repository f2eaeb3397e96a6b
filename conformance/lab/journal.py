"""What was changed on a machine and not undone yet, kept on the tester's side, so that it is undone after a crash too."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def folder() -> Path:
    """Where journals are kept: ``CARP_CONFORMANCE_STATE``, or the user's folder for the state of programs."""
    own = os.environ.get("CARP_CONFORMANCE_STATE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "carp-conformance"


def name_of(connection: str, place: str) -> str:
    """The file name of the journal of a ``place`` (a lane) on the machine that ``connection`` names."""
    digest = hashlib.sha256(connection.encode()).hexdigest()[:16]
    return f"{digest}-{place}.jsonl"


class InUse(RuntimeError):
    """Another run holds the journal: it works on the same place of the same machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"another run uses the same machine ({path} is locked): wait for it, or end it")


class Journal:
    """One file: a line for each change before it is made, with the command that undoes it, and a line when that was done.

    No command in it may hold a password. It is locked as long as it is open. Raises :class:`InUse` if somebody else has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: IO[str] = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise InUse(path) from error
        text = path.read_text(encoding="utf-8")
        self._open = dict(_unfinished(text.splitlines()))
        self._next = max(self._open, default=0) + 1
        if text and not text.endswith("\n"):
            self._file.write("\n")

    @property
    def pending(self) -> tuple[str, ...]:
        """The commands that undo what is not undone yet, the last change first."""
        return tuple(self._open[number] for number in sorted(self._open, reverse=True))

    def will_change(self, undo: str) -> None:
        """Notes that a change is about to be made which ``undo`` undoes; it is on the disk when this returns."""
        number = self._next
        self._next += 1
        self._open[number] = undo
        self._write({"change": number, "undo": undo})

    def forget(self, count: int) -> None:
        """The last ``count`` of the changes are undone (or were never made)."""
        for number in sorted(self._open, reverse=True)[:count]:
            del self._open[number]
            self._write({"undone": number})

    def close(self) -> None:
        """Gives it up; where nothing is left to be undone, nothing is left in the file."""
        if not self._open:
            self._file.truncate(0)
        self._file.close()

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _unfinished(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The changes without their undoing. A last line that the crash cut short was a change not made yet."""
    changes: dict[int, str] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        if "change" in entry:
            changes[entry["change"]] = entry["undo"]
        else:
            changes.pop(entry["undone"], None)
    yield from changes.items()
