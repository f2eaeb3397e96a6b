"""Cells as items of pytest, for workers of pytest-xdist on other hosts (``pytest -p conformance.interop.items --matrix ORDER``).

The controller collects nothing and needs no implementation: it gets each cell's row, and what was captured, with the report of its item.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from conformance.interop.cell import Task, cell
from conformance.interop.order import MatrixOrder, tasks
from conformance.lab.process import die_with_parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("carp", "CARP conformance").addoption("--matrix", help="an order, as MatrixOrder.dumps")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        die_with_parent()
        folder = tempfile.TemporaryDirectory(prefix="carp-conformance-cells-")
        config.add_cleanup(folder.cleanup)
        config.pluginmanager.register(
            Cells(MatrixOrder.loads(config.getoption("--matrix")), Path(folder.name))
        )


class CellItem(pytest.Item):
    """One cell. ``row`` and ``evidence`` (captures by their names in the document) are what became of it."""

    def __init__(self, *, task: Task, **more: Any) -> None:
        super().__init__(**more)
        self.task = task
        self.row: dict[str, Any] | None = None
        self.evidence: dict[str, bytes] = {}

    def runtest(self) -> None:
        """Runs the cell; what the implementations do is in its row, and no failure of the item."""
        self.row = cell(self.task)
        assert self.task.out is not None
        for path in (self.task.out / "evidence").glob(f"{self.task.id}.*.pcapng"):
            self.evidence[f"evidence/{path.name}"] = path.read_bytes()
            path.unlink()


class Cells:
    """The worker's side."""

    def __init__(self, order: MatrixOrder, folder: Path) -> None:
        self._order, self._folder = order, folder

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """The cells of the order in place of files: their ids are the same on every host, wherever the suite is installed there."""
        todo = tasks(self._order, self._order.cast(), self._folder)
        items: list[pytest.Item] = [CellItem.from_parent(session, name=task.id, task=task) for task in todo]
        session.items, session.testscollected = items, len(items)
        session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)
        session.config.hook.pytest_collection_finish(session=session)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if isinstance(item, CellItem) and call.when == "call" and item.row is not None:
            # JSON as text: what execnet carries is narrower than what a row may hold.
            vars(report)["carp_cell"] = {
                "id": item.task.id,
                "row": json.dumps(item.row),
                "evidence": item.evidence,
            }
        return report
