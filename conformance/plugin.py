"""The pytest plugin: selects and orders the cases of a target, turns outcomes into verdicts, writes the record of each case as it ends."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import load
from conformance.lab.process import die_with_parent
from conformance.segment.decision import NotApplicable
from conformance.suite.cases import CASE, TARGET, applicability, arrange, identify, is_selected
from conformance.suite.record import record
from conformance.targets.registry import find

_SUITE = "conformance/suite"


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
        config.stash[TARGET] = find(name)
    if hasattr(config, "workerinput"):
        die_with_parent()


def _out(config: pytest.Config) -> Path | None:
    out = config.getoption("--out")
    return Path(out) if out else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    target = config.stash.get(TARGET, None)
    if target is None:
        return
    catalogue = load()
    chosen: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        if _SUITE not in item.path.as_posix():
            continue
        case = identify(item, catalogue)
        item.stash[CASE] = case
        wanted = is_selected(case, config.getoption("--select")) and case.id not in config.getoption(
            "--decided"
        )
        (chosen if wanted else others).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = arrange(chosen, [item.stash[CASE].seconds for item in chosen], workers)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if CASE in item.stash:
        reason = applicability(item.stash[CASE], item.config.stash[TARGET].profile, load())
        if reason is not None:
            raise NotApplicable(reason)


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
        vars(report)["carp"] = record(case, item.config.stash[TARGET].profile, _out(item.config))
    if call.excinfo is not None:
        report.outcome = "skipped" if isinstance(call.excinfo.value, NotApplicable) else "failed"
        if report.outcome == "skipped":
            report.longrepr = (str(item.path), 0, f"not applicable: {call.excinfo.value}")
    return report
