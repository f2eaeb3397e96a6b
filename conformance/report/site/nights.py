"""Reads matrix results: each folder is one night, or one part of it, and parts of one night are put together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.report.schema import InvalidDocument, validate

Cell = Mapping[str, Any]


class NoMatrix(Exception):
    """A folder without readable matrix results: ``folder`` and ``problem``."""

    def __init__(self, folder: Path, problem: str) -> None:
        self.folder, self.problem = folder, problem
        super().__init__(
            f"{folder}: {problem}; give folders that 'carp-conformance matrix --out' has written"
        )


@dataclass(frozen=True, slots=True)
class Night:
    """One run of the matrix and the folder that its evidence is in."""

    document: Mapping[str, Any]
    folder: Path

    @property
    def started(self) -> str:
        """When it began (ISO 8601)."""
        return str(self.document["started"])

    def key(self, cell: Cell) -> Key:
        """What the cell is called in every night."""
        return Key(self.document["rung"], cell["scenario"], cell["a"], cell["b"], cell.get("c") or "")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A cell through all nights; ``c`` is the third implementation of a trio, empty for a pair."""

    rung: str
    scenario: str
    a: str
    b: str
    c: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The implementations in the order of their roles."""
        return (self.a, self.b, self.c) if self.c else (self.a, self.b)

    @property
    def cast(self) -> str:
        """The implementations as a reader sees them."""
        return " × ".join(self.names)

    @property
    def play(self) -> str:
        """What is played by a pair: the scenario, and who takes part besides."""
        return f"{self.scenario} with {self.c}" if self.c else self.scenario


def load(folders: Iterable[Path]) -> tuple[Night, ...]:
    """The nights in these folders, oldest first. Raises :class:`NoMatrix`; a folder below one of them counts as well, one without results does not."""
    nights = []
    for folder in folders:
        found = sorted(folder.rglob("results.json")) if folder.is_dir() else []
        if not found:
            raise NoMatrix(folder, "there is no results.json in it")
        nights += [_night(path) for path in found]
    if not nights:
        raise NoMatrix(Path(), "no folder was given")
    return tuple(
        sorted(
            nights,
            key=lambda night: (
                night.started,
                str(night.document["rung"]),
                json.dumps(night.document, sort_keys=True),
            ),
        )
    )


def _night(path: Path) -> Night:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        validate(document, "matrix")
    except (OSError, ValueError, InvalidDocument) as error:
        raise NoMatrix(path, f"cannot be read as matrix results ({error})") from error
    return Night(document, path.parent)
