"""What became of each cell over the nights: since when it is red, the first bad run, what had changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.report.site.nights import Cell, Key, Night

RED = frozenset({"fail", "surprise"})
DECIDED = frozenset({"pass", "hazard", "fail", "surprise"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell in one night."""

    night: Night
    cell: Cell

    @property
    def verdict(self) -> str:
        """Its verdict."""
        return str(self.cell["verdict"])


@dataclass(frozen=True, slots=True)
class History:
    """A cell through the nights, oldest first. ``first_bad`` began the spell of red that lasts, ``last_good`` came before it;
    ``recovered`` is the first good night after the latest spell that has ended, with the night that began that spell.
    """

    key: Key
    entries: tuple[Entry, ...]
    first_bad: Entry | None
    last_good: Entry | None
    recovered: tuple[Entry, Entry] | None
    changes: tuple[str, ...]

    @property
    def latest(self) -> Entry:
        """The newest entry."""
        return self.entries[-1]

    @property
    def red(self) -> bool:
        """Whether the last decision was red."""
        return self.first_bad is not None


def histories(nights: Sequence[Night]) -> dict[Key, History]:
    """The history of every cell, by its key, in the order of the keys."""
    found: dict[Key, list[Entry]] = {}
    for night in nights:
        for cell in night.document["cells"]:
            found.setdefault(night.key(cell), []).append(Entry(night, cell))
    return {key: _history(key, found[key]) for key in sorted(found)}


def _history(key: Key, entries: Sequence[Entry]) -> History:
    first_bad = last_good = None
    recovered = None
    for entry in entries:
        if entry.verdict not in DECIDED:
            continue  # a rig that could not tell neither begins a spell nor ends one
        if entry.verdict in RED:
            first_bad = first_bad or entry
        else:
            if first_bad is not None:
                recovered = (first_bad, entry)
            first_bad, last_good = None, entry
    changes: tuple[str, ...] = ()
    if first_bad is not None and last_good is not None:
        changes = tuple(changed(last_good.night.document, first_bad.night.document, key.names))
    elif recovered is not None:
        changes = tuple(changed(recovered[0].night.document, recovered[1].night.document, key.names))
    return History(key, tuple(entries), first_bad, last_good, recovered, changes)


def changed(before: Mapping[str, Any], after: Mapping[str, Any], names: Iterable[str]) -> Iterable[str]:
    """What differs between two nights that could explain a change: suite, machine, versions of the pair and what its machines are."""
    for what in ("version", "commit"):
        if before["suite"][what] != after["suite"][what]:
            yield f"suite {what}: {before['suite'][what] or 'unknown'} → {after['suite'][what] or 'unknown'}"
    for what in sorted({*before["machine"], *after["machine"]}):
        if before["machine"].get(what) != after["machine"].get(what):
            yield f"{what}: {before['machine'].get(what, 'unknown')} → {after['machine'].get(what, 'unknown')}"
    versions = [
        {one["name"]: one["version"] for one in document["implementations"]} for document in (before, after)
    ]
    for name in dict.fromkeys(names):
        old, new = (known.get(name, "unknown") for known in versions)
        if old != new:
            yield f"{name}: {old} → {new}"
        yield from _machines_changed(name, before, after)


def _machines_changed(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What differs in the machines of an implementation, where both nights know them: another box, kernel, package."""
    found = [
        _flat(one.get("machines") or {})
        for document in (before, after)
        for one in document["implementations"]
        if one["name"] == name
    ]
    if len(found) == 2 and all(found):
        for fact in sorted({*found[0], *found[1]}):
            old, new = (known.get(fact, "unknown") for known in found)
            if old != new:
                yield f"{name} {fact}: {old} → {new}"


def _flat(facts: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Nested facts by their paths (``a kernel``)."""
    flat: dict[str, str] = {}
    for key, value in facts.items():
        where = f"{path} {key}".strip()
        flat |= _flat(value, where) if isinstance(value, Mapping) else {where: str(value)}
    return flat


def regressions(found: Mapping[Key, History]) -> dict[str, list[dict[str, Any]]]:
    """For a tracker: cells that are ``new`` red since the last night of their rung, still ``open``, or ``recovered`` in it."""
    newest: dict[str, str] = {}
    for key, history in found.items():
        newest[key.rung] = max(newest.get(key.rung, ""), history.latest.night.started)
    listed: dict[str, list[dict[str, Any]]] = {"new": [], "open": [], "recovered": []}
    for key, history in found.items():
        row = {
            "title": f"{key.scenario}: {key.cast} on {key.rung}",
            "reason": history.latest.cell["reason"],
            "changes": list(history.changes),
        }
        tonight = newest[key.rung]
        if history.first_bad is not None:
            kind = "new" if history.first_bad.night.started == tonight else "open"
            listed[kind].append(
                row | {"since": history.first_bad.night.started, "page": f"cells/{page_name(key)}"}
            )
        elif history.recovered is not None and history.recovered[1].night.started == tonight:
            listed["recovered"].append(row | {"since": tonight, "page": f"cells/{page_name(key)}"})
    return listed


def page_name(key: Key) -> str:
    """The file name of a cell's page; anything but letters, digits, dots and hyphens is written as its number."""
    parts = (
        "".join(c if c.isascii() and (c.isalnum() or c in ".-") else f"_{ord(c):x}_" for c in part)
        for part in (key.rung, key.scenario, *key.names)
    )
    return "~".join(parts) + ".html"
