"""The legs of a night on hosted runners: one job for each cell of the matrix page, from the list of targets."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

from conformance.interop.nightly import MODELS
from conformance.targets.protocol import Machined, Target

GUESTS = ("model:freebsd", "model:openbsd")
"""The models that meet every real implementation, where no machines of the real ones are."""


def legs(targets: Iterable[tuple[str, Target]]) -> list[dict[str, Any]]:
    """One leg in virtual time, one for each ordered pair in network namespaces, and one for each ordered pair of machines.

    ``targets`` are names with targets. A leg has ``name`` (fit for an artifact), ``rung``, ``runs``, ``targets`` and ``pair`` (empty: all pairs).
    """
    listed = dict(targets)
    real = [
        name for name, one in listed.items() if one.profile.rung == "netns" and not name.startswith("model:")
    ]
    machines = [name for name, one in listed.items() if isinstance(one, Machined)]
    found = [_leg("sim", 3, MODELS)]
    mixed = (*real, *GUESTS) if real else ()
    found += [_leg("netns", 1, mixed, pair) for pair in product(mixed, repeat=2)]
    found += [_leg("vm", 1, tuple(dict.fromkeys(pair)), pair) for pair in product(machines, repeat=2)]
    return found


def _leg(rung: str, runs: int, targets: tuple[str, ...], pair: tuple[str, ...] = ()) -> dict[str, Any]:
    name = "-".join((rung, *pair)).replace(":", "-").replace("@", "-")
    return {"name": name, "rung": rung, "runs": runs, "targets": ",".join(targets), "pair": ",".join(pair)}
