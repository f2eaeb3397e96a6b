"""The pytest plugin: selects and orders the cases of a target, turns outcomes into verdicts, writes the record of each case as it ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import load
from conformance.lab.process import die_with_parent
from conformance.report.private import cleaner_of, without_password
from conformance.segment.decision import NotApplicable
from conformance.suite.cases import CASE, TARGET, Case, applicability, arrange, identify, is_selected
from conformance.suite.record import record
from conformance.suite.rehearsal import REHEARSING, UNDECIDABLE, rehearse
from conformance.targets.admission import ADMITTED, LISTEN_S, NotAdmitted, admit, on_interface
from conformance.targets.pixit import PixitError
from conformance.targets.pixit import load as load_pixit
from conformance.targets.protocol import PUBLIC_PASSWORD, Rehearsable, Target
from conformance.targets.registry import UnknownTarget, chosen

_SUITE, _SELFCHECK = "conformance/suite", "conformance/targets/selfcheck"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("carp", "CARP conformance")
    group.addoption("--target", help="the implementation under test (carp-conformance targets lists them)")
    group.addoption("--out", help="the folder of this run: evidence goes to OUT/evidence")
    group.addoption(
        "--select",
        action="append",
        default=[],
        help="an ID prefix (AUTH, AUTH-011); may be given several times",
    )
    group.addoption(
        "--decided",
        action="append",
        default=[],
        help="the id of a case that is not run again (used by --resume)",
    )
    group.addoption("--pixit", help="the PIXIT file of machines that are already there")
    group.addoption("--interface", help="the tester's interface on their segment")
    group.addoption(
        "--this-segment-is-mine", action="store_true", help="nobody else depends on what is on that segment"
    )
    group.addoption(
        "--listen", type=float, default=LISTEN_S, help="how many seconds to listen before anything is sent"
    )


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "covers(*requirements): the requirements that a case decides",
        "needs(*capabilities): capabilities without which it is not applicable",
        "hosts(count): how many hosts it runs on",
        "takes(seconds): about how long it lasts on a live rung",
    ):
        config.addinivalue_line("markers", line)
    name = config.getoption("--target")
    if name:
        config.stash[TARGET] = _target(config, name)
    if hasattr(config, "workerinput"):
        die_with_parent()


def _target(config: pytest.Config, name: str) -> Target:
    path = config.getoption("--pixit")
    try:
        return chosen(name, Path(path) if path else None, config.getoption("--interface"))
    except (PixitError, UnknownTarget) as error:
        raise pytest.UsageError(str(error)) from error


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    path = config.getoption("--pixit")
    if path and not hasattr(config, "workerinput") and not config.pluginmanager.hasplugin(ADMITTED):
        mine = config.getoption("--this-segment-is-mine")
        try:
            pixit = on_interface(load_pixit(Path(path)), config.getoption("--interface"), mine=mine)
            admit(pixit, config.getoption("--listen"), partial(print, file=sys.stderr))
        except NotAdmitted as error:
            raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    target = session.config.stash.get(TARGET, None)
    if isinstance(target, Rehearsable) and not session.config.option.collectonly:
        rehearse(session, target)


def _out(config: pytest.Config) -> Path | None:
    out = config.getoption("--out")
    return Path(out) if out and not config.stash.get(REHEARSING, False) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    target = config.stash.get(TARGET, None)
    if target is None:
        return
    catalogue = load()
    select, decided = config.getoption("--select"), frozenset(config.getoption("--decided"))
    chosen: list[pytest.Item] = []
    others: list[pytest.Item] = []
    checks = [item for item in items if _SELFCHECK in item.path.as_posix()]
    for item in items:
        if _SUITE not in item.path.as_posix():
            continue
        case = identify(item, catalogue)
        item.stash[CASE] = case
        wanted = case.id not in decided and is_selected(case, select)
        (chosen if wanted else others).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = checks + arrange(chosen, [item.stash[CASE].seconds for item in chosen], workers)


class _Skipped(pytest.skip.Exception, NotApplicable):  # type: ignore[name-defined,misc]  # pytest types its exceptions loosely
    """What makes a case not applicable before it begins; pytest knows it and writes no traceback of it."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    if CASE in item.stash:
        reason = applicability(item.stash[CASE], item.config.stash[TARGET].profile, load())
        reason = reason or item.stash.get(UNDECIDABLE, None)
        if reason is not None:
            raise _Skipped(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield
    if CASE in item.stash:
        segment = item.stash[CASE].segment
        assert segment is not None, "a case must use the fixture 'wire'"
        segment.finish()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if CASE not in item.stash:
        return report
    case = item.stash[CASE]
    case.duration_s += call.duration
    if call.excinfo is not None and case.raised is None:
        case.raised, case.traceback = call.excinfo.value, str(report.longrepr)
    if call.when == "teardown":
        row = _recorded(case, item.config)
        # From a worker as text: execnet carries no integer below -2**31, and times are nanoseconds.
        vars(report)["carp"] = json.dumps(row) if hasattr(item.config, "workerinput") else row
        case.segment = case.bench = None  # its trace would stay in memory until the last case has ended
    if call.excinfo is not None:
        report.outcome = "skipped" if isinstance(call.excinfo.value, NotApplicable) else "failed"
        if report.outcome == "skipped":
            report.longrepr = (str(item.path), 0, f"not applicable: {call.excinfo.value}")
    return report


def _recorded(case: Case, config: pytest.Config) -> dict[str, Any]:
    profile, out = config.stash[TARGET].profile, _out(config)
    row = record(case, profile, out)
    clean = cleaner_of(profile.password, PUBLIC_PASSWORD)
    return row if clean is None else without_password(row, clean, out)
