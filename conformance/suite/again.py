"""Runs a case of a session that is already collected, as often as wanted, without pytest hearing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from conformance.suite.cases import CASE


def run_again(item: pytest.Item, session: pytest.Session) -> dict[str, Any]:
    """The record (:func:`conformance.suite.record.record`) of one more run of ``item`` on the target that is in the session's stash.

    Session fixtures are kept; whoever changes the target tears them down.
    """
    make_fresh(item)
    reports = runtestprotocol(item, log=False, nextitem=session)  # type: ignore[arg-type]  # any node: what it does not hold is torn down
    record: dict[str, Any] = vars(reports[-1])["carp"]  # the teardown's, see conformance.plugin
    return record


def make_fresh(item: pytest.Item) -> None:
    """``item`` has a case of which nothing has come yet."""
    item.stash[CASE] = replace(
        item.stash[CASE], segment=None, bench=None, subjects=[], raised=None, traceback="", duration_s=0.0
    )
    assert isinstance(item, pytest.Function)
    item._initrequest()  # noqa: SLF001  # pytest has no public way to run an item twice
