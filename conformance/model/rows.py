"""What a row of the dialect table is: one named rule, its value in each dialect, and what confirms it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

OPENBSD = "openbsd"
LEGACY_6, LEGACY = "freebsd-legacy-6", "freebsd-legacy"
FREEBSD_10, FREEBSD_13, FREEBSD_15 = "freebsd-10", "freebsd-13", "freebsd-15"
UCARP = "ucarp"

LEGACIES = (LEGACY_6, LEGACY)
LATE = (FREEBSD_13, FREEBSD_15)
FREEBSDS = (FREEBSD_10, *LATE)
ALL_FREEBSD = (*LEGACIES, *FREEBSDS)
BSD = (*ALL_FREEBSD, OPENBSD)
KEYS = (*BSD, UCARP)
"""Every dialect, as ``Dialect.key`` names it."""

SYSTEM = {
    LEGACY_6: "FreeBSD 5.4-6",
    LEGACY: "FreeBSD 9.3",
    FREEBSD_10: "FreeBSD 10.4",
    FREEBSD_13: "FreeBSD 13.2",
    FREEBSD_15: "FreeBSD 15.1",
    OPENBSD: "OpenBSD 8.0-beta",
    UCARP: "ucarp 1.5.2",
}
"""The system that a dialect's values were taken from."""
RECORDINGS = {
    LEGACY: "freebsd-9.3",
    FREEBSD_13: "freebsd-13.2",
    FREEBSD_15: "freebsd-15.1",
    OPENBSD: "openbsd-8.0beta",
    UCARP: "ucarp-1.5.2",
}
"""The folder of ``fixtures/captures`` that holds a dialect's recordings."""

# Recordings that confirm more than one row, by dialect.
ALONE = {
    LEGACY: "a-v4-skew0",
    FREEBSD_13: "a_single_v4_skew0",
    FREEBSD_15: "a_single_v4_skew0",
    OPENBSD: "a-v4-skew0",
}
"""A host alone on its segment."""
OVER_IPV6 = {LEGACY: "e-v6", FREEBSD_13: "e_v6_only", FREEBSD_15: "e_v6_only", OPENBSD: "e-v6"}
BAD_PACKETS = {
    LEGACY: "l-bad-packets-v4-master",
    FREEBSD_13: "bad_packets_v4",
    OPENBSD: "l-bad-packets-v4-master",
}
DEMOTED = {
    FREEBSD_13: "j_demotion_preempt0",
    FREEBSD_15: "j_demotion_preempt0",
    OPENBSD: "j1-demote-single",
}


class Confirmed(Enum):
    """How a value is known, the strongest first."""

    RECORDED = "recorded capture"
    """A recording in ``fixtures/captures`` shows it."""
    MEASURED = "measured on a running system"
    """Seen on a running system; the recording is not part of this project."""
    READ = "read in source"
    """Only the source says so."""


@dataclass(frozen=True, slots=True)
class Source:
    """What confirms one value: the kind, and where (a recording, what was run, or file and function)."""

    kind: Confirmed
    reference: str

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.reference}"


@dataclass(frozen=True, slots=True)
class Row:
    """One rule. ``values`` and ``sources`` have an entry for each of :data:`KEYS`; ``name`` is the field of
    ``Dialect`` that holds the value.
    """

    name: str
    meaning: str
    values: Mapping[str, Any]
    sources: Mapping[str, Source]
    text: Mapping[str, str] = field(default_factory=dict)

    def shown(self, key: str) -> str:
        """The value for a reader: the row's own text for this dialect, or the value itself."""
        return self.text[key] if key in self.text else _shown(self.values[key])


class IncompleteRow(ValueError):
    """A row that says nothing, or speaks twice, for a dialect."""

    def __init__(self, row: str, key: str, times: int) -> None:
        self.row, self.key, self.times = row, key, times
        super().__init__(
            f"rule {row!r} has {times} values for dialect {key!r}; give it exactly one in its table of rows"
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """The same value for several dialects; ``text`` replaces the value on the docs page."""

    keys: tuple[str, ...]
    value: Any
    text: str | None = None


def cell(keys: str | Iterable[str], value: Any, text: str | None = None) -> Cell:
    """A :class:`Cell` for one dialect or several."""
    return Cell((keys,) if isinstance(keys, str) else tuple(keys), value, text)


def row(
    name: str,
    meaning: str,
    *cells: Cell,
    read: str,
    seen: Mapping[str, str] | None = None,
    recorded: Mapping[str, str] | None = None,
) -> Row:
    """A row from its cells.

    ``read`` names the function in the source; ``seen`` (dialect to what was run) and ``recorded`` (dialect to
    the recording's name) override it
    where something stronger confirms the value. Raises :class:`IncompleteRow` unless every dialect has one
    value.
    """
    values: dict[str, Any] = {}
    text: dict[str, str] = {}
    for key in KEYS:
        mine = [one for one in cells if key in one.keys]
        if len(mine) != 1:
            raise IncompleteRow(name, key, len(mine))
        values[key] = mine[0].value
        if mine[0].text is not None:
            text[key] = mine[0].text
    sources = {key: Source(Confirmed.READ, read) for key in KEYS}
    sources |= {key: Source(Confirmed.MEASURED, what) for key, what in (seen or {}).items()}
    sources |= {
        key: Source(Confirmed.RECORDED, f"{RECORDINGS[key]}/{what}") for key, what in (recorded or {}).items()
    }
    return Row(name, meaning, values, sources, text)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ", ".join(_shown(one) for one in value) or "none"
    if callable(value):
        said = str(value.__doc__).splitlines()[0].rstrip(".")
        return said[0].lower() + said[1:] if said[1:2].islower() else said
    return "none" if value is None else str(value)
