"""``list`` and ``targets``: what is required, what covers it, what can be tested."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.catalogue import Catalogue, Requirement, load
from conformance.commands.collect import cases, check_selection
from conformance.commands.errors import CommandError
from conformance.judge.monitors import cover
from conformance.suite.cases import Case, applicability, is_selected
from conformance.targets.pixit import PixitError
from conformance.targets.protocol import Profile
from conformance.targets.registry import chosen, find, names

Document = dict[str, Any]


def listing(select: Sequence[str], target: str | None, pixit: Path | None = None) -> Document:
    """The document of ``list --json``: requirements with the cases that cover them, and the cases. With a target only the cases that apply to it (on the machines of the
    file ``pixit``, of which nothing is asked but, where they are reached by a connection, what they are).

    Raises :class:`CommandError`.
    """
    catalogue = load()
    known = cases(catalogue)
    check_selection(select, catalogue, known)
    profile = _profile(target, pixit)
    chosen = [case for case in known if is_selected(case, select) and _applies(case, profile, catalogue)]
    wanted = {requirement.id for prefix in select for requirement in _requirements(prefix, catalogue)}
    wanted |= {id for case in chosen for id in case.requirements if select}
    monitors = cover()
    return {
        "requirements": [
            {
                "id": r.id,
                "level": r.level.value,
                "text": r.text,
                "cases": [case.id for case in chosen if r.id in case.requirements],
                "monitors": [monitors[r.id]] if r.id in monitors else [],
                "untestable": r.untestable,
            }
            for r in catalogue
            if not select or r.id in wanted
        ],
        "cases": [
            {
                "id": c.id,
                "title": c.title,
                "requirements": list(c.requirements),
                "needs": list(c.needs),
                "seconds": c.seconds,
            }
            for c in chosen
        ],
    }


def _profile(target: str | None, pixit: Path | None) -> Profile | None:
    if target is None:
        if pixit is not None:
            raise CommandError("--pixit describes the machines of one target: give --target, too")
        return None
    try:
        return chosen(target, pixit, None).profile
    except PixitError as error:
        raise CommandError(str(error)) from error


def _applies(case: Case, profile: Profile | None, catalogue: Catalogue) -> bool:
    return profile is None or applicability(case, profile, catalogue) is None


def _requirements(prefix: str, catalogue: Catalogue) -> tuple[Requirement, ...]:
    head = prefix.split(".", maxsplit=1)[0]
    return catalogue.select([head]) if "." not in prefix else ()


def targets() -> Document:
    """The document of ``targets --json``."""
    profiles = [find(name).profile for name in names()]
    return {
        "targets": [
            {
                "name": p.name,
                "rung": p.rung,
                "dialect": p.dialect.key,
                "pics": dict(p.pics),
                "origin": p.origin,
            }
            for p in profiles
        ]
    }
