"""Keeps the password of a run out of its record: out of every text that a device, a log or a traceback may have brought in, before it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conformance.report.certificate import capture
from conformance.report.certificate.secrets import SHORTEST, cleaner, hidden_word

Clean = Callable[[str], str]

_STRUCTURE: Final = frozenset(
    {"id", "group", "title", "requirements", "verdict", "evidence", "kind", "nodeid", "source", "held"}
)
"""What the suite itself says: a password that is one of its words is none that could be found there."""
_OF_A_CELL: Final = _STRUCTURE | {
    "a",
    "b",
    "c",
    "scenario",
    "predicted",
    "observed",
    "hazards",
    "expected",
    "masters",
}


def cleaner_of(password: str, public: str) -> Clean | None:
    """What takes ``password`` out of a text; None if there is nothing to take out: it is empty, or the ``public`` one."""
    if password in ("", public):
        return None
    # A short one in hexadecimal is found in digests by chance, so it is taken out only as it is.
    return cleaner([password]) if len(password) >= SHORTEST else hidden_word(password)


def without_password(row: Mapping[str, Any], clean: Clean, folder: Path | None) -> dict[str, Any]:
    """The record of a case with ``clean`` applied to its free texts, and to the comments of its capture below ``folder``."""
    if folder is not None and row["evidence"] is not None:
        path = folder / row["evidence"]
        path.write_bytes(capture.rewritten(path.read_bytes(), clean))
    return {key: _free(key, value, clean, _STRUCTURE) for key, value in row.items()}


def cell_without_password(row: Mapping[str, Any], clean: Clean, folder: Path | None) -> dict[str, Any]:
    """The row of a cell of a matrix with ``clean`` applied to its free texts, and to the comments of its captures that are below ``folder``."""
    captures = {one["evidence"] for one in (row, *row["runs"]) if one["evidence"] is not None}
    for path in (folder / name for name in sorted(captures)) if folder is not None else ():
        if path.exists():
            path.write_bytes(capture.rewritten(path.read_bytes(), clean))
    return {key: _free(key, value, clean, _OF_A_CELL) for key, value in row.items()}


def _free(key: str, value: Any, clean: Clean, structure: frozenset[str]) -> Any:
    if key in structure:
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {name: _free(name, one, clean, structure) for name, one in value.items()}
    return [_free(key, one, clean, structure) for one in value] if isinstance(value, list) else value
