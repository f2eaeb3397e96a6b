"""Reads the catalogue's TOML files and checks them; the only place that knows how they are laid out."""

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib import resources
from typing import Any, Final, TypeVar

from conformance.catalogue.catalogue import Catalogue
from conformance.catalogue.requirement import (
    COUNTERS,
    IMPLEMENTATIONS,
    Access,
    Group,
    Kind,
    Level,
    Requirement,
)

FILES: Final = (
    "wire.toml",
    "auth.toml",
    "rx.toml",
    "elect.toml",
    "timer.toml",
    "preempt.toml",
    "demote.toml",
    "arp.toml",
    "nd.toml",
    "sysctl.toml",
    "log.toml",
    "stats.toml",
    "conf.toml",
    "v6.toml",
    "multi.toml",
    "unicast.toml",
    "vrrp3.toml",
    "robust.toml",
    "interop.toml",
    "scenario.toml",
)
"""The files of the catalogue in reading order, which is the order of all iteration."""

_ID: Final = re.compile(r"CARP-([A-Z][A-Z0-9]*)-(\d{3})")
_GROUP_KEYS: Final = ("id", "title", "about")
_REQUIRED: Final = {
    "id": str,
    "level": str,
    "kind": str,
    "core": bool,
    "text": str,
    "holds_for": list,
    "sources": list,
    "test": str,
    "access": str,
}
_OPTIONAL: Final = {"notes": str, "counter": str, "untestable": str}
_TYPES: Final = {**_REQUIRED, **_OPTIONAL}
_NAMES: Final = {str: "a text", bool: "true or false", list: "a list of texts"}
_KNOWN_IMPLEMENTATIONS: Final = frozenset(IMPLEMENTATIONS)

_Word = TypeVar("_Word", bound=StrEnum)


class CatalogueError(Exception):
    """A catalogue file that can not be used: `file`, `where` in it, and what to mend (`problem`)."""

    def __init__(self, file: str, where: str, problem: str) -> None:
        """Take the file's name, the place in it and a sentence that says how to mend it."""
        self.file = file
        self.where = where
        self.problem = problem
        super().__init__(f"{file}, {where}: {problem}")


@functools.cache
def load() -> Catalogue:
    """Return the catalogue of this package, read once per process. Raises `CatalogueError`."""
    folder = resources.files("conformance.catalogue")
    return read((name, folder.joinpath(name).read_text("utf-8")) for name in FILES)


def read(files: Iterable[tuple[str, str]]) -> Catalogue:
    """Return the catalogue that these (file name, TOML text) pairs hold. Raises `CatalogueError`."""
    groups: list[Group] = []
    requirements: list[Requirement] = []
    home: dict[str, str] = {}
    for file, text in files:
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(file, "the file", f"this is not TOML ({error}); mend the syntax.") from error
        group, rows = _document(file, document)
        groups.append(group)
        for number, row in enumerate(rows, start=1):
            requirement = _requirement(file, number, row, group)
            if requirement.id in home:
                problem = (
                    f"the id is already taken in {home[requirement.id]}; give the newer row a new number."
                )
                raise CatalogueError(file, requirement.id, problem)
            home[requirement.id] = file
            requirements.append(requirement)
    return Catalogue(tuple(groups), tuple(requirements))


def _document(file: str, document: Mapping[str, Any]) -> tuple[Group, list[Any]]:
    unknown = sorted(document.keys() - {"group", "requirement"})
    if unknown:
        raise CatalogueError(
            file, "the top level", f"{unknown[0]!r} is not known; keep only group and requirement."
        )
    head, rows = document.get("group"), document.get("requirement")
    if not isinstance(head, dict) or not isinstance(rows, list):
        raise CatalogueError(
            file, "the top level", "a [group] table and [[requirement]] tables are needed; add them."
        )
    if set(head) != set(_GROUP_KEYS) or not all(isinstance(value, str) and value for value in head.values()):
        raise CatalogueError(
            file, "[group]", "exactly the texts id, title and about are needed; give these three."
        )
    if head["id"].lower() + ".toml" != file:
        raise CatalogueError(
            file, "[group]", f"the group {head['id']!r} belongs in {head['id'].lower()}.toml; move it."
        )
    return Group(**head), rows


def _requirement(file: str, number: int, row: object, group: Group) -> Requirement:
    where = f"[[requirement]] number {number}"
    if not isinstance(row, dict):
        raise CatalogueError(file, where, "this is not a table; write it as [[requirement]].")
    if isinstance(row.get("id"), str):
        where = row["id"]
    _check_keys(file, where, row)
    match = _ID.fullmatch(row["id"])
    if match is None or match[1] != group.id:
        raise CatalogueError(file, where, f"the id must read CARP-{group.id}- and three digits; rename it.")
    holds_for = frozenset(row["holds_for"])
    strangers = sorted(holds_for - _KNOWN_IMPLEMENTATIONS)
    if strangers:
        problem = f"holds_for names {strangers[0]!r}; use only {', '.join(IMPLEMENTATIONS)}."
        raise CatalogueError(file, where, problem)
    counter = row.get("counter")
    if counter is not None and counter not in COUNTERS:
        raise CatalogueError(
            file, where, f"counter {counter!r} is not in carpstats; use one of {', '.join(COUNTERS)}."
        )
    return Requirement(
        id=row["id"],
        level=_word(file, where, "level", row["level"], Level),
        kind=_word(file, where, "kind", row["kind"], Kind),
        core=row["core"],
        text=row["text"],
        holds_for=holds_for,
        notes=row.get("notes", ""),
        sources=tuple(row["sources"]),
        test=row["test"],
        access=_word(file, where, "access", row["access"], Access),
        counter=counter,
        untestable=row.get("untestable"),
        group=group.id,
    )


def _check_keys(file: str, where: str, row: Mapping[str, Any]) -> None:
    for key in _REQUIRED:
        if key not in row:
            raise CatalogueError(file, where, f"{key} is missing; add it.")
    for key, value in row.items():
        if key not in _TYPES:
            raise CatalogueError(file, where, f"{key!r} is not known; remove it or correct the spelling.")
        kind = _TYPES[key]
        whole = isinstance(value, kind) and value not in ("", [])
        if not whole or (kind is list and not all(isinstance(item, str) and item for item in value)):
            raise CatalogueError(file, where, f"{key} must be {_NAMES[kind]} and not empty; mend its value.")


def _word(file: str, where: str, key: str, value: str, words: type[_Word]) -> _Word:
    try:
        return words(value)
    except ValueError:
        known = ", ".join(words)
        raise CatalogueError(file, where, f"{key} is {value!r}; use one of {known}.") from None
