"""The workflows are sound (actionlint), and the nightly one has all that a night needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))


def linted(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What actionlint, which comes with the tests and takes shellcheck for the scripts, says of these files."""
    beside = Path(sys.executable).parent
    environment = dict(os.environ) | {"PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    command = ["actionlint", "-no-color", *map(str, paths)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=ROOT,
        executable=beside / "actionlint",
    )


def test_actionlint_finds_nothing() -> None:
    done = linted(*WORKFLOWS)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("steps.legs.outputs.legs", "steps.lags.outputs.legs", 'property "lags" is not defined'),
        ("actions/checkout@v5", "actions/checkout@v4", "is deprecated"),
        ('"night/$LEG/results.json"', "night/$LEG/results.json", "shellcheck"),
    ],
)
def test_it_would_find_a_fault(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    text = (FOLDER / "nightly.yml").read_text()
    assert right in text
    (tmp_path / "bad.yml").write_text(text.replace(right, wrong))
    done = linted(tmp_path / "bad.yml")
    assert done.returncode == 1 and said in done.stdout, done.stdout + done.stderr


class TestChecks:
    """The workflow that looks at each change."""

    @pytest.fixture
    def workflow(self) -> dict[Any, Any]:
        read: dict[Any, Any] = yaml.safe_load((FOLDER / "checks.yml").read_text())
        return read

    def test_it_runs_on_each_change_and_a_newer_one_takes_its_place(self, workflow: dict[Any, Any]) -> None:
        assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads "on" as a truth value
        assert workflow["concurrency"]["cancel-in-progress"] is True
        assert "${{ github.ref }}" in workflow["concurrency"]["group"]

    def test_it_may_only_read(self, workflow: dict[Any, Any]) -> None:
        assert workflow["permissions"] == {"contents": "read"}
        assert [job for job in workflow["jobs"].values() if "permissions" in job] == []

    def test_it_runs_make_test_on_each_python_that_the_package_names(self, workflow: dict[Any, Any]) -> None:
        (job,) = workflow["jobs"].values()
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        named = [row.rpartition(" ")[2] for row in project["classifiers"] if ":: Python :: 3." in row]
        assert job["strategy"] == {"fail-fast": False, "matrix": {"python": named}}
        assert job["runs-on"] == "ubuntu-24.04"
        assert job["steps"][-1]["run"].strip().endswith("make test")

    def test_it_installs_what_make_test_asks_for(self, workflow: dict[Any, Any]) -> None:
        """The Makefile would do it, too; what it asks for and this system calls otherwise is put in place before."""
        rule = (ROOT / "Makefile").read_text().partition("\ntest: ")[2].partition("\n\n")[0]
        wanted = dict(pair.split(":") for pair in rule.split("need.sh ")[1].split("\n")[0].split())
        said = "\n".join(step.get("run", "") for step in next(iter(workflow["jobs"].values()))["steps"])
        assert wanted.pop("chromium") == "chromium"
        assert "/usr/local/bin/chromium" in said
        (line,) = (line for line in said.splitlines() if "apt-get install" in line)
        assert set(line.partition("--no-install-recommends ")[2].split()) == set(wanted.values())

    def test_its_actions_are_those_of_the_nightly_one(self, workflow: dict[Any, Any]) -> None:
        used = {step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step}
        assert used
        assert {one for one in used if f"uses: {one}\n" not in (FOLDER / "nightly.yml").read_text()} == set()


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
