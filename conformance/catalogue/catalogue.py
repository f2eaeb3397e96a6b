"""The catalogue as one object: look a requirement up, select by prefix, fingerprint the content."""

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.catalogue.requirement import Group, Requirement

PREFIX: Final = "CARP-"
"""What every requirement id begins with; a selection may leave it out."""


class UnknownSelection(Exception):
    """A selection that is no prefix of any requirement id; `near` are ids that look like it, best first."""

    def __init__(self, selection: str, near: tuple[str, ...]) -> None:
        """Take the selection as the user gave it, and the offers."""
        self.selection = selection
        self.near = near
        hint = (
            f"did you mean {' or '.join(near)}?"
            if near
            else "give a group or an id, such as AUTH or AUTH-003."
        )
        super().__init__(f"No requirement id begins with {selection!r}; {hint}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All groups and all requirements, in the order of the files and of the rows in them."""

    groups: tuple[Group, ...]
    requirements: tuple[Requirement, ...]
    _by_id: dict[str, Requirement] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        """Index the requirements once."""
        object.__setattr__(self, "_by_id", {requirement.id: requirement for requirement in self.requirements})

    def __getitem__(self, requirement_id: str) -> Requirement:
        """Return the requirement with exactly this id; raises `KeyError`."""
        return self._by_id[requirement_id]

    def __contains__(self, requirement_id: object) -> bool:
        """Tell whether a requirement has exactly this id."""
        return requirement_id in self._by_id

    def __iter__(self) -> Iterator[Requirement]:
        """Yield the requirements in catalogue order."""
        return iter(self.requirements)

    def __len__(self) -> int:
        """Return the number of requirements."""
        return len(self.requirements)

    def select(self, prefixes: Iterable[str]) -> tuple[Requirement, ...]:
        """Return the requirements whose id begins with one of `prefixes`, each once, in catalogue order.

        A prefix is taken in any case, with or without leading `CARP-`: `auth`, `AUTH-01`, `CARP-AUTH-003`.
        No prefix at all selects everything. Raises `UnknownSelection` for a prefix that selects nothing.
        """
        wanted = tuple(self._known_prefix(prefix) for prefix in prefixes)
        if not wanted:
            return self.requirements
        return tuple(requirement for requirement in self.requirements if requirement.id.startswith(wanted))

    def digest(self) -> str:
        """Return `sha256:` and the hexadecimal SHA-256 of the content: equal for equal content however the files are laid out."""
        content = {
            "groups": [{"id": group.id, "title": group.title, "about": group.about} for group in self.groups],
            "requirements": [_plain(requirement) for requirement in self.requirements],
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    def _known_prefix(self, prefix: str) -> str:
        full = prefix.strip().upper()
        if full and not full.startswith(PREFIX) and full != PREFIX.rstrip("-"):
            full = PREFIX + full
        if not full or not any(requirement.id.startswith(full) for requirement in self.requirements):
            raise UnknownSelection(prefix, self._near(full))
        return full

    def _near(self, full: str) -> tuple[str, ...]:
        # A group that was misspelt is the likelier slip, so groups are offered before single ids.
        head, _, number = full.removeprefix(PREFIX).partition("-")
        groups = difflib.get_close_matches(head, [group.id for group in self.groups], n=2, cutoff=0.5)
        if not number:
            return tuple(groups)
        ids = [requirement.id.removeprefix(PREFIX) for requirement in self.requirements]
        wanted = [f"{group}-{number}" for group in groups]
        exact = [offer for offer in wanted if offer in ids]
        return tuple(exact or difflib.get_close_matches(f"{head}-{number}", ids, n=3, cutoff=0.6))


def _plain(requirement: Requirement) -> dict[str, Any]:
    """Return a requirement as JSON values; the set becomes a sorted list, so its order can not matter."""
    return {
        "id": requirement.id,
        "level": requirement.level.value,
        "kind": requirement.kind.value,
        "core": requirement.core,
        "text": requirement.text,
        "holds_for": sorted(requirement.holds_for),
        "notes": requirement.notes,
        "sources": list(requirement.sources),
        "test": requirement.test,
        "access": requirement.access.value,
        "counter": requirement.counter,
        "untestable": requirement.untestable,
    }
