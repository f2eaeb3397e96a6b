"""Runs cases against mutants: which case kills which mutant, in one pytest session for many mutants."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance.catalogue import load
from conformance.model.dialects import Dialect, dialect
from conformance.model.mutant import Mutant
from conformance.suite.again import run_again
from conformance.suite.cases import CASE, TARGET, applicability
from conformance.targets.model.target import ModelTarget, deviations_of
from conformance.targets.protocol import Profile

UNKNOWN_S = 0.05
"""What a case is thought to cost in virtual time, for each host, until it has run once."""


@dataclass(slots=True)
class Fate:
    """What became of a mutant.

    ``killed_by`` are cases that cover a requirement that it violates, each with what a developer would read in ``said``; ``proven`` the violated requirements of those
    cases and ``unproven`` the others that an applicable case covers. ``unrelated`` are cases of other requirements that noticed it, ``erred`` those that broke
    instead of failing.
    """

    mutant: str
    killed_by: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    proven: set[str] = field(default_factory=set)
    unproven: set[str] = field(default_factory=set)
    unrelated: list[str] = field(default_factory=list)
    erred: list[str] = field(default_factory=list)


class Campaign:
    """A pytest plugin that replaces the session's loop.

    For each mutant the cases of the requirements that it violates, the quick ones first, until each of these requirements has a case that fails; only if none
    fails all others, until one does. What is expected follows from the healthy dialect; a case that fails against that, too, kills nothing.
    ``exhaustive`` runs all related cases.
    """

    def __init__(self, mutants: Sequence[Mutant], *, exhaustive: bool = False) -> None:
        self.mutants, self.exhaustive = mutants, exhaustive
        self.fates: list[Fate] = []
        self._took_s: dict[str, float] = {}
        self._sound: dict[tuple[str, str], bool] = {}
        self._apply_to: dict[str, list[pytest.Item]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for mutant in self.mutants:
            self.fates.append(self._try(mutant, session))
        return True

    def _try(self, mutant: Mutant, session: pytest.Session) -> Fate:
        healthy = dialect(mutant.dialect)
        faulty = mutant.fault(healthy)
        profile = self._put_on_the_bench(mutant.dialect, faulty, session)
        fate, violated = Fate(mutant.id), set(mutant.violates)
        cases = self._quick_first(self._applicable(mutant.dialect, session.items, profile))
        violating = ((item, violated.intersection(item.stash[CASE].requirements)) for item in cases)
        for item, covered in violating:
            if not covered:
                continue
            fate.unproven |= covered - fate.proven
            if self.exhaustive or covered - fate.proven:
                row = self._run(item, session, fate)
                if row["verdict"] == "fail" and self._is_sound(item, mutant.dialect, faulty, session):
                    fate.killed_by.append(row["id"])
                    fate.said.append(_said(row))
                    fate.proven |= covered
        fate.unproven -= fate.proven
        for item in () if fate.killed_by or self.exhaustive else cases:
            if violated.isdisjoint(item.stash[CASE].requirements):
                row = self._run(item, session, fate)
                if row["verdict"] == "fail" and self._is_sound(item, mutant.dialect, faulty, session):
                    fate.unrelated.append(row["id"])
                    fate.said.append(_said(row))
                    break
        session._setupstate.teardown_exact(None)
        return fate

    def _put_on_the_bench(self, key: str, runs: Dialect, session: pytest.Session) -> Profile:
        """From now on cases meet a model of dialect ``key`` that follows ``runs``."""
        session._setupstate.teardown_exact(None)
        target = ModelTarget(f"mutant:{key}", dialect(key), deviations_of(key), runs)
        session.config.stash[TARGET] = target
        return target.profile

    def _applicable(self, key: str, items: Sequence[pytest.Item], profile: Profile) -> list[pytest.Item]:
        if key not in self._apply_to:
            catalogue = load()
            self._apply_to[key] = [
                item for item in items if applicability(item.stash[CASE], profile, catalogue) is None
            ]
        return self._apply_to[key]

    def _quick_first(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        return sorted(
            items,
            key=lambda item: self._took_s.get(item.stash[CASE].id, UNKNOWN_S * item.stash[CASE].hosts),
        )

    def _is_sound(self, item: pytest.Item, key: str, faulty: Dialect, session: pytest.Session) -> bool:
        """Whether the healthy dialect passes the case."""
        known = (key, item.stash[CASE].id)
        if known not in self._sound:
            self._put_on_the_bench(key, dialect(key), session)
            self._sound[known] = self._run(item, session)["verdict"] in ("pass", "known_deviation")
            self._put_on_the_bench(key, faulty, session)
        return self._sound[known]

    def _run(self, item: pytest.Item, session: pytest.Session, fate: Fate | None = None) -> dict[str, Any]:
        case = item.stash[CASE]
        record = run_again(item, session)
        self._took_s[case.id] = item.stash[CASE].duration_s
        if fate is not None and record["verdict"] == "error":
            fate.erred.append(case.id)
        return record


def _said(row: dict[str, Any]) -> str:
    return f"expected: {'; '.join(row['expected'])}\n  actual: {row['actual']}"


def campaign(mutants: Sequence[Mutant], arguments: Sequence[str], *, exhaustive: bool = False) -> list[Fate]:
    """Runs a campaign in this process and returns the fate of each mutant, in order. ``arguments`` are pytest's."""
    plugin = Campaign(mutants, exhaustive=exhaustive)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = pytest.main([*arguments], plugins=[plugin])
    if len(plugin.fates) != len(mutants):
        raise RuntimeError(
            f"the mutation campaign broke off (pytest exit status {status}):\n{said.getvalue()[-4000:]}",
        )
    return plugin.fates
