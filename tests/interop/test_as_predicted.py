"""Every scenario of mixed pairs comes out as predicted: no failure without a hazard, no certain hazard that does not show."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.interop.cell import Task, cell
from conformance.interop.participant import participants
from conformance.interop.scenario import Scenario
from conformance.interop.scenarios import SCENARIOS
from tests.interop.conftest import Pair


@pytest.mark.parametrize("names", [("openbsd", "ucarp"), ("freebsd", "openbsd")], ids="-".join)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_it_comes_out_as_predicted(
    pair: Pair, tmp_path: Path, names: tuple[str, str], scenario: Scenario
) -> None:
    cast = pair(*names)
    third = participants(["model:freebsd-legacy"]) if "C" in scenario.roles else ()
    row = cell(Task(scenario, cast["A"], cast["B"], "sim", 1, None, tmp_path, *third))
    assert row["verdict"] in ("pass", "hazard", "not_applicable"), row["reason"]
