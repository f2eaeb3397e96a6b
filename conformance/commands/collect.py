"""The cases of the suite as facts, for commands that list, plan or count them."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

import conformance.suite
from conformance.catalogue import Catalogue, UnknownSelection
from conformance.commands.errors import CommandError
from conformance.suite.cases import Case, identify

SUITE = Path(conformance.suite.__file__).parent
CONFIGURATION = SUITE / "pytest.ini"


class _Collector:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.cases: list[Case] = []
        self.broken: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.cases = [identify(item, self.catalogue) for item in items]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(str(report.longrepr))


@cache
def cases(catalogue: Catalogue) -> tuple[Case, ...]:
    """All cases of the suite, in the order of the files; raises :class:`CommandError` if a module of the suite cannot be read."""
    collector = _Collector(catalogue)
    said = io.StringIO()
    with plain_pytest(), contextlib.redirect_stdout(said):
        status = pytest.main(
            ["-c", str(CONFIGURATION), "--collect-only", "-q", "-p", "conformance.plugin", str(SUITE)],
            plugins=[collector],
        )
    if collector.broken or status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        detail = "\n".join(collector.broken) or said.getvalue()
        raise CommandError(f"the suite itself is broken and cannot be collected:\n{detail}", status=3)
    return tuple(collector.cases)


@contextlib.contextmanager
def plain_pytest(**variables: str) -> Iterator[None]:
    """Keeps plugins that happen to be installed out of the run: what they change nobody could reproduce. Sets environment ``variables`` besides."""
    before = dict(os.environ)
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | variables
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def check_selection(prefixes: Iterable[str], catalogue: Catalogue, known: Sequence[Case]) -> None:
    """Raises :class:`CommandError` for a prefix that selects nothing: of no case's id and of no requirement's."""
    for prefix in prefixes:
        wanted = prefix.upper().removeprefix("CARP-")
        if any(case.id.upper().startswith(wanted) for case in known):
            continue
        try:
            catalogue.select([prefix.split(".")[0]])
        except UnknownSelection as error:
            raise CommandError(str(error)) from error
        if "." in prefix:
            raise CommandError(
                f"no case's id begins with {prefix!r}: 'carp-conformance list {prefix.split('.')[0]}' shows those that there are"
            )
