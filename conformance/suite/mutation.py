"""Runs cases against mutants: which case kills which mutant, in one pytest session for many mutants."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from conformance.catalogue import load
from conformance.model.dialects import dialect
from conformance.model.mutant import Mutant
from conformance.plugin import CASE, TARGET
from conformance.suite.cases import Case, applicability
from conformance.targets.model.target import ModelTarget, deviations_of


@dataclass(slots=True)
class Fate:
    """What became of a mutant: the cases that killed it, each with the text that a developer would read, and whether one of them covers a requirement that it violates."""

    mutant: str
    killed_by: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    related: bool = False


class Campaign:
    """A pytest plugin that replaces the session's loop: for each mutant first the cases of the requirements that it violates, and only if none kills it all others.

    ``exhaustive`` goes on after the first kill, through all related cases.
    """

    def __init__(self, mutants: Sequence[Mutant], *, exhaustive: bool = False) -> None:
        self.mutants, self.exhaustive = mutants, exhaustive
        self.fates: list[Fate] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for mutant in self.mutants:
            self.fates.append(self._try(mutant, session))
        return True

    def _try(self, mutant: Mutant, session: pytest.Session) -> Fate:
        rules = mutant.fault(dialect(mutant.dialect))
        target = ModelTarget(f"mutant:{mutant.id}", rules, deviations_of(mutant.dialect))
        session.config.stash[TARGET] = target
        fate = Fate(mutant.id)
        for item in self._in_order(mutant, session.items, target):
            row = self._run(item, session)
            if row["verdict"] == "fail":
                fate.killed_by.append(row["id"])
                fate.said.append(f"expected: {'; '.join(row['expected'])}\n  actual: {row['actual']}")
                fate.related |= bool(set(row["requirements"]) & set(mutant.violates))
                if not self.exhaustive:
                    break
        session._setupstate.teardown_exact(None)
        return fate

    def _in_order(self, mutant: Mutant, items: Sequence[pytest.Item], target: ModelTarget) -> Iterator[pytest.Item]:
        catalogue = load()
        applicable = [item for item in items if applicability(item.stash[CASE], target.profile, catalogue) is None]
        related = [item for item in applicable if set(item.stash[CASE].requirements) & set(mutant.violates)]
        yield from related
        if not self.exhaustive:
            yield from (item for item in applicable if item not in related)

    def _run(self, item: pytest.Item, session: pytest.Session) -> dict[str, Any]:
        case = item.stash[CASE]
        item.stash[CASE] = Case(case.id, case.group, case.title, case.requirements, case.needs, case.hosts, case.seconds, case.nodeid, case.source)
        item._initrequest()
        reports = runtestprotocol(item, log=False, nextitem=session.items[0])
        record: dict[str, Any] = reports[-1].carp  # type: ignore[attr-defined]  # the teardown report carries it, see conformance.plugin
        return record


def campaign(mutants: Sequence[Mutant], arguments: Sequence[str], *, exhaustive: bool = False) -> list[Fate]:
    """Runs a campaign in this process and returns the fate of each mutant, in order. ``arguments`` are pytest's."""
    plugin = Campaign(mutants, exhaustive=exhaustive)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = pytest.main([*arguments], plugins=[plugin])
    if len(plugin.fates) != len(mutants):
        raise RuntimeError(f"the mutation campaign broke off (pytest exit status {status}):\n{said.getvalue()[-4000:]}")
    return plugin.fates
