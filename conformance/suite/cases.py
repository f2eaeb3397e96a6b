"""From a pytest item to a case: its identifier, whether it is selected, whether it applies, in which order cases run."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from conformance.catalogue import Catalogue, Level
from conformance.segment.segment import Segment
from conformance.targets.protocol import CAPABILITIES, Bench, Profile, Target
from conformance.targets.subject import Subject

DEFAULT_SECONDS = 6.0
TARGET = pytest.StashKey[Target]()
"""Where a session keeps the implementation under test."""
T = TypeVar("T")


class BadCase(Exception):
    """A case that does not say what it covers, or says it wrongly: a defect of the suite."""


@dataclass(slots=True)
class Case:
    """One case: what it is, and what has come of it so far."""

    id: str
    group: str
    title: str
    requirements: tuple[str, ...]
    needs: tuple[str, ...]
    hosts: int
    seconds: float
    nodeid: str
    source: str
    segment: Segment | None = None
    bench: Bench | None = None
    subjects: list[Subject] = field(default_factory=list)
    raised: BaseException | None = None
    traceback: str = ""
    duration_s: float = 0.0


CASE = pytest.StashKey[Case]()
"""Where an item keeps its case."""


def identify(item: pytest.Item, catalogue: Catalogue) -> Case:
    """The case of an item. Its id is ``<first requirement without CARP->.<function without test_>[<parameters>]``."""
    covered = [id for mark in item.iter_markers("covers") for id in mark.args]
    where = f"{item.path.name}::{item.name}"
    if not covered:
        raise BadCase(f"{where} covers no requirement: give it @covers('CARP-…')")
    unknown = [id for id in covered if id not in catalogue]
    if unknown:
        raise BadCase(f"{where} covers {', '.join(unknown)}, which the catalogue does not have")
    wanted = [name for mark in item.iter_markers("needs") for name in mark.args]
    strange = [name for name in wanted if name not in CAPABILITIES]
    if strange:
        raise BadCase(f"{where} needs {', '.join(strange)}, which is not in CAPABILITIES")
    function = getattr(item, "function", None)
    title = inspect.getdoc(function) or ""
    if function is None or not title:
        raise BadCase(f"{where} has no docstring: its first line is the title of the case")
    takes, hosts = item.get_closest_marker("takes"), item.get_closest_marker("hosts")
    short = covered[0].removeprefix("CARP-")
    return Case(
        id=f"{short}.{item.name.removeprefix('test_')}",
        group=short.split("-")[0],
        title=" ".join(title.split("\n\n")[0].split()),
        requirements=tuple(dict.fromkeys(covered)),
        needs=tuple(dict.fromkeys(wanted)),
        hosts=hosts.args[0] if hosts else 1,
        seconds=takes.args[0] if takes else DEFAULT_SECONDS,
        nodeid=item.nodeid,
        source=f"conformance/suite/{item.path.name}:{function.__code__.co_firstlineno}",
    )


def is_selected(case: Case, prefixes: Iterable[str]) -> bool:
    """Whether a case is chosen by ID prefixes: by its own id or by a requirement that it covers, with or without ``CARP-``, in any case. No prefix chooses all."""
    names = [case.id.upper(), *(id.removeprefix("CARP-") for id in case.requirements)]
    wanted = [prefix.upper().removeprefix("CARP-") for prefix in prefixes]
    return not wanted or any(name.startswith(prefix) for name in names for prefix in wanted)


def applicability(case: Case, profile: Profile, catalogue: Catalogue) -> str | None:
    """Why the case does not apply to the implementation, or None if it does.

    It needs its capabilities (PICS) and enough hosts; and one of its requirements must bind the dialect: a MUST or SHOULD binds all, a MAY only those it holds for.
    """
    lacking = [name for name in case.needs if not profile.pics.get(name, False)]
    if lacking:
        return f"{profile.name} does not have: {'; '.join(CAPABILITIES[name] for name in lacking)}"
    if case.hosts > profile.max_hosts:
        return f"needs {case.hosts} hosts, {profile.name} has {profile.max_hosts}"
    names = {
        profile.dialect.key,
        profile.dialect.name,
    }  # an era of the legacy line keeps its rules, unless a capability says otherwise
    binding = (catalogue[id] for id in case.requirements)
    if not any(
        requirement.level is not Level.MAY or names & requirement.holds_for for requirement in binding
    ):
        return f"{', '.join(case.requirements)} is a rule of other dialects than {profile.dialect.key}"
    return None


def arrange(items: Sequence[T], seconds: Sequence[float], workers: int) -> list[T]:
    """Longest first, dealt out to the workers back and forth; xdist gives each worker one contiguous share and lets idle ones steal from its end."""
    ranked = [
        item
        for _, _, item in sorted(
            zip(seconds, range(len(items)), items, strict=True), key=lambda row: (-row[0], row[1])
        )
    ]
    shares: list[list[T]] = [[] for _ in range(max(workers, 1))]
    for turn in range(0, len(ranked), len(shares)):
        row = ranked[turn : turn + len(shares)]
        for share, item in zip(
            shares if turn // len(shares) % 2 == 0 else reversed(shares), row, strict=False
        ):
            share.append(item)
    return [item for share in shares for item in share]
