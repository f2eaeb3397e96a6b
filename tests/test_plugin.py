"""The plugin from end to end, on a model in virtual time: one case for each way that a case can end."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance import plugin
from conformance.catalogue import load

RX = next(r.id for r in load() if r.id.startswith("CARP-RX-"))
AUTH = next(r.id for r in load() if r.id.startswith("CARP-AUTH-"))

FAKE = """
import json
from dataclasses import replace
import conformance.plugin as plugin
from conformance.targets.protocol import Deviation

real = plugin.chosen

def find(name, *machines):
    target = real(name, *machines)
    known = [Deviation(f"{RX}.{case}", "vhid is 2", "it counts wrongly", "nowhere") for case in ("deviates_as_known", "deviates_otherwise", "deviates_no_more")]
    target.profile = replace(target.profile, deviations=tuple(known))
    return target

plugin.chosen = find

def pytest_runtest_logreport(report):
    if getattr(report, "carp", None):
        with open("rows.jsonl", "a") as rows:
            rows.write(json.dumps({"outcome": report.outcome} | report.carp) + "\\n")
""".replace("{RX}", RX.removeprefix("CARP-"))

CASES = f"""
import pytest
from conformance.segment.decision import Inconclusive
from conformance.suite.marks import covers, needs, hosts, takes

pytestmark = covers("{RX}")

def test_passes(wire):
    "It passes."
    wire.check("vhid", 1, 1)

def test_fails(wire):
    "It fails."
    wire.check("vhid", 1, 2)

def test_deviates_as_known(wire):
    "It fails as its profile says."
    wire.check("vhid", 1, 2)

def test_deviates_otherwise(wire):
    "It fails otherwise."
    wire.check("ttl", 1, 255)

def test_deviates_no_more(wire):
    "It passes now."
    wire.check("vhid", 1, 1)

def test_is_vacuous(wire):
    "It decides nothing."

def test_uses_no_wire():
    "It does not even look."

def test_cannot_tell(wire):
    "The rig is bad."
    raise Inconclusive("the rig is bad")

@needs("unicast")
def test_does_not_apply(wire):
    "It needs what the target does not have."
    raise AssertionError("must not run")

@pytest.fixture
def broken():
    raise OSError("no cable")

def test_of_a_broken_fixture(wire, broken):
    "Its fixture breaks."

@pytest.fixture
def breaks_afterwards():
    yield
    raise OSError("cannot clean up")

def test_that_leaves_dirt(wire, breaks_afterwards):
    "It passes, its teardown does not."
    wire.check("vhid", 1, 1)

@covers("{AUTH}")
def test_real_iut(backup, wire):
    "A whole conversation with the model."
    wire.expect(backup.becomes_master(), within=backup.master_down_window())

@takes(60)
def test_long(wire):
    "It would take long, so it begins first."
    wire.check("vhid", 1, 1)
"""

VERDICTS = {
    "passes": ("pass", "passed"),
    "fails": ("fail", "failed"),
    "deviates_as_known": ("known_deviation", "failed"),
    "deviates_otherwise": ("fail", "failed"),
    "deviates_no_more": ("fail", "passed"),
    "is_vacuous": ("error", "failed"),
    "uses_no_wire": ("error", "failed"),
    "cannot_tell": ("inconclusive", "failed"),
    "does_not_apply": ("not_applicable", "skipped"),
    "of_a_broken_fixture": ("error", "failed"),
    "that_leaves_dirt": ("error", "failed"),
    "real_iut": ("pass", "passed"),
    "long": ("pass", "passed"),
}


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    root = tmp_path_factory.mktemp("plugin")
    folder = root / "made_up" / "conformance" / "suite"  # under its own name for the importer
    folder.mkdir(parents=True)
    (folder / "test_made_up.py").write_text(CASES)
    (folder / "conftest.py").write_text("from conformance.suite.conftest import *\n")
    (root / "test_elsewhere.py").write_text("def test_of_somebody_else():\n    assert True\n")
    (root / "fake_target.py").write_text(FAKE)
    (root / "pytest.ini").write_text(
        "[pytest]\naddopts = --import-mode=importlib --strict-markers -p no:cacheprovider\n"
    )
    return root


def run(root, *arguments):
    (root / "rows.jsonl").unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "conformance.plugin",
        "-p",
        "fake_target",
        "--target",
        "model:ucarp",
        *arguments,
    ]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{root}:{Path(plugin.__file__).parents[1]}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=environment)
    rows = root / "rows.jsonl"
    return done, [json.loads(line) for line in rows.read_text().splitlines()] if rows.exists() else []


@pytest.fixture(scope="module")
def whole(suite):
    done, rows = run(suite, "--out", str(suite / "out"))
    assert len(rows) == len(VERDICTS), done.stdout + done.stderr
    return rows


FAR = """
import os
import conformance.plugin as plugin

real = plugin._recorded
plugin._recorded = lambda case, config: real(case, config) | {"time_ns": -(2**40)}

def pytest_runtest_logreport(report):
    if getattr(report, "carp", None) and "PYTEST_XDIST_WORKER" not in os.environ:
        with open("far.jsonl", "a") as rows:
            rows.write(report.carp + "\\n")
"""


def test_a_worker_hands_over_times_that_execnet_cannot_carry(suite):
    """Nanoseconds go below -2**31, where execnet ends: a worker died with every case that had such a one in its record."""
    (suite / "far_times.py").write_text(FAR)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "xdist", "-p", "conformance.plugin", "-p", "far_times", "--target", "model:ucarp", "-k", "test_passes"]  # fmt: skip
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{suite}:{Path(plugin.__file__).parents[1]}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(command, cwd=suite, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = [json.loads(line) for line in (suite / "far.jsonl").read_text().splitlines()]
    assert row["time_ns"] == -(2**40) and row["verdict"] == "pass"


def short(row):
    return row["id"].split(".", 1)[1]


class TestWholeRun:
    def test_every_way_to_end_has_its_verdict(self, whole):
        assert {short(row): row["verdict"] for row in whole} == {
            name: word for name, (word, _) in VERDICTS.items()
        }

    def test_reasons_say_what_happened(self, whole):
        reasons = {short(row): row["reason"] for row in whole}
        assert reasons["fails"] == "expected vhid is 2; vhid is 1"
        assert "without one decision" in reasons["is_vacuous"]
        assert "fixture 'wire'" in reasons["uses_no_wire"]
        assert "does not have: can advertise to a unicast peer" in reasons["does_not_apply"]
        assert reasons["of_a_broken_fixture"] == "OSError: no cable"
        assert reasons["that_leaves_dirt"] == "OSError: cannot clean up"
        assert "otherwise than the known deviation" in reasons["deviates_otherwise"]

    def test_an_error_shows_where_it_came_from(self, whole):
        details = {short(row): row["detail"] for row in whole}
        assert "no cable" in details["of_a_broken_fixture"]
        assert "cannot clean up" in details["that_leaves_dirt"]

    def test_the_longest_begins(self, whole):
        assert short(whole[0]) == "long"

    def test_a_conversation_leaves_evidence(self, suite, whole):
        row = next(row for row in whole if short(row) == "real_iut")
        assert (suite / "out" / row["evidence"]).exists()
        assert row["frames"]
        assert row["timeline"]["nodes"] == ["tester", "a"]

    def test_cases_of_others_are_not_run(self, whole):
        assert "of_somebody_else" not in str(whole)


class TestSelection:
    def test_selected_and_not_yet_decided(self, suite):
        done, rows = run(
            suite,
            "--select",
            f"{RX}.passes",
            "--select",
            AUTH,
            "--decided",
            f"{AUTH.removeprefix('CARP-')}.real_iut",
        )
        assert [short(row) for row in rows] == ["passes"], done.stdout
        assert "13 deselected" in done.stdout or "12 deselected" in done.stdout

    def test_without_a_target_it_keeps_out_of_the_way(self, suite):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "conformance.plugin", "test_elsewhere.py"]
        done = subprocess.run(
            command,
            cwd=suite,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(Path(plugin.__file__).parents[1]),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
        )
        assert done.returncode == 0, done.stdout


def test_a_worker_dies_with_its_controller(monkeypatch):
    called = []
    monkeypatch.setattr(plugin, "die_with_parent", lambda *a: called.append(a))
    config = SimpleNamespace(addinivalue_line=lambda *_: None, getoption=lambda _: None)
    plugin.pytest_configure(config)
    assert called == []
    config.workerinput = {}
    plugin.pytest_configure(config)
    assert len(called) == 1
