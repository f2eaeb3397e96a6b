"""``mutants``: runs the suite against every mutant and says which case kills which."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from conformance.commands.collect import CONFIGURATION, SUITE, plain_pytest
from conformance.commands.errors import CommandError
from conformance.model.mutants import MUTANTS
from conformance.suite.mutation import Fate, campaign

_ARGUMENTS = (
    "-c",
    str(CONFIGURATION),
    "-p",
    "conformance.plugin",
    "--target",
    "model:freebsd",
    "-q",
    str(SUITE),
)


def mutants(select: Sequence[str], *, exhaustive: bool) -> dict[str, Any]:
    """The document of ``mutants --json``, for the mutants whose id or group begins with one of ``select`` (all, if empty).

    ``exhaustive`` lists every related case that kills, not one for each requirement.
    A mutant counts as killed only by a case that covers a requirement that it violates; ``unrelated`` are others that noticed it. ``unproven`` are violated
    requirements whose cases all passed: the claim is wrong, or a case is missing. Raises :class:`CommandError`.
    """
    chosen = [
        m
        for m in MUTANTS
        if not select or any(m.id.startswith(s.lower()) or m.group.startswith(s.upper()) for s in select)
    ]
    if not chosen:
        raise CommandError(
            f"no mutant's id or group begins with {' or '.join(select)}: 'carp-conformance mutants' runs all"
        )
    workers = min(os.cpu_count() or 1, len(chosen))
    shares = [range(start, len(chosen), workers) for start in range(workers)]
    wanted = [[chosen[i].id for i in share] for share in shares]
    if workers == 1:
        done = [_share(wanted[0], exhaustive)]
    else:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            done = list(pool.map(_share, wanted, [exhaustive] * workers))
    fates = {fate.mutant: fate for share in done for fate in share}
    rows = [
        {
            "id": m.id,
            "group": m.group,
            "about": m.about,
            "dialect": m.dialect,
            "violates": list(m.violates),
            "killed": bool(fates[m.id].killed_by),
            "killed_by": fates[m.id].killed_by,
            "proven": sorted(fates[m.id].proven),
            "unproven": sorted(fates[m.id].unproven),
            "unrelated": fates[m.id].unrelated,
            "erred": fates[m.id].erred,
            "said": fates[m.id].said,
        }
        for m in chosen
    ]
    killed = sum(bool(row["killed"]) for row in rows)
    unproven = sum(bool(row["killed"] and row["unproven"]) for row in rows)
    return {
        "mutants": rows,
        "summary": {
            "total": len(rows),
            "killed": killed,
            "survived": len(rows) - killed,
            "unproven": unproven,
        },
    }


def _share(ids: Sequence[str], exhaustive: bool) -> list[Fate]:
    known = {m.id: m for m in MUTANTS}
    with plain_pytest():
        return campaign([known[id] for id in ids], _ARGUMENTS, exhaustive=exhaustive)
