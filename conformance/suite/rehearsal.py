"""Which cases can be decided on a box that somebody else has configured: those that can be decided on its model, driven in the same way.

A case says what it wants by asking for it: settings, a stop, a pulled cable. On a box that cannot be configured the answer may be no, and
that is to be known before the case runs. So each case runs beforehand against the model of the box's dialect, in virtual time, with the declared
settings and with nothing but the means that there are for the box.
"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.catalogue import load
from conformance.suite.again import make_fresh, run_again
from conformance.suite.cases import CASE, TARGET, applicability
from conformance.targets.protocol import Rehearsable

REHEARSING = pytest.StashKey[bool]()
"""Whether a session's cases are being rehearsed: they leave no evidence."""
UNDECIDABLE = pytest.StashKey[str]()
"""Where an item keeps why it cannot be decided on the target."""
_DECIDED = ("pass", "known_deviation")


def rehearse(session: pytest.Session, target: Rehearsable) -> None:
    """Runs every applicable case of ``session`` on the rehearsal of ``target``, which is the session's, and marks those that it cannot decide."""
    stash, catalogue = session.config.stash, load()
    real = stash[TARGET]
    stash[TARGET], stash[REHEARSING] = target.rehearsal(), True
    try:
        for item in session.items:
            if applicability(item.stash[CASE], stash[TARGET].profile, catalogue) is None:
                why = _why_not(run_again(item, session))
                if why is not None:
                    item.stash[UNDECIDABLE] = why
    finally:
        session._setupstate.teardown_exact(None)  # noqa: SLF001  # the fixtures of the rehearsal
        stash[TARGET], stash[REHEARSING] = real, False
    for item in session.items:
        make_fresh(item)


def _why_not(row: dict[str, Any]) -> str | None:
    """Why a case that ended so in its rehearsal cannot be decided; None if it can."""
    if row["verdict"] in _DECIDED:
        return None
    if row["verdict"] == "not_applicable":
        return str(row["reason"])
    return (
        "it starts from a state into which a box that runs already cannot be brought from its wire: "
        f"rehearsed on a conforming model, it ends in {row['verdict']} ({row['reason']})"
    )
