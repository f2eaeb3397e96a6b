"""A run is completed by the suite that began it, or by none: no document is half of one version and half of another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.report.resuming import OlderRun, may_resume


def write_lines(folder: Path, document: dict[str, Any]) -> None:
    """The header of a run that was interrupted before its first case."""
    head = {"record": "run"} | {
        key: value for key, value in document.items() if key not in ("cases", "requirements")
    }
    (folder / "results.jsonl").write_text(json.dumps(head) + "\n")


class TestMayResume:
    @pytest.mark.parametrize("version", [0, 2, None])
    def test_lines_of_another_version_are_refused_in_one_sentence(
        self, tmp_path: Path, document: dict[str, Any], version: int | None
    ) -> None:
        document["schema"] = version
        if version is None:
            del document["schema"]
        write_lines(tmp_path, document)
        with pytest.raises(
            OlderRun, match=f"begun with schema version {version or 0}, this suite writes 1, and half a run"
        ):
            may_resume(tmp_path)

    def test_whole_document_of_another_version_is_refused(
        self, tmp_path: Path, document: dict[str, Any]
    ) -> None:
        (tmp_path / "results.json").write_text(json.dumps(document | {"schema": 0}))
        with pytest.raises(OlderRun, match="begun with schema version 0"):
            may_resume(tmp_path)

    def test_run_of_today_and_a_folder_without_any_are_left_to_load(
        self, tmp_path: Path, document: dict[str, Any]
    ) -> None:
        may_resume(tmp_path)
        write_lines(tmp_path, document)
        may_resume(tmp_path)
        (tmp_path / "results.json").write_text(json.dumps(document))
        may_resume(tmp_path)
