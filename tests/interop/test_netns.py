"""Real ucarp beside a model process, on a real segment."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.interop.cell import Task, cell
from conformance.interop.participant import participants
from conformance.interop.scenarios import chosen
from conformance.targets.ucarp.target import UcarpTarget


@pytest.mark.skipif(
    bool(UcarpTarget().lacks()), reason="ucarp cannot run here: see carp-conformance doctor --target ucarp"
)
def test_a_model_of_openbsd_takes_over_from_ucarp(tmp_path: Path) -> None:
    ucarp, model = participants(["ucarp", "model:openbsd"])
    row = cell(Task(chosen(("kill",))[0], ucarp, model, "netns", 1, tmp_path, tmp_path / "locks"))
    assert row["verdict"] in ("pass", "inconclusive"), row["reason"]
    assert row["no_master_ms"] == pytest.approx(4184, abs=200)
    assert (tmp_path / row["evidence"]).is_file()
