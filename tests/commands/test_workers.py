"""Workers of pytest-xdist that are forked from a session which has collected already."""

import os
import subprocess
import sys

import pytest

CASES = """
import os
import pytest

@pytest.mark.parametrize("number", range(6))
def test_number(number, request, tmp_path):
    (request.config.rootpath / f"ran-{number}").write_text(f"{os.getpid()} {os.environ['PYTEST_XDIST_WORKER']}")
    assert number != 4

def test_dies():
    os._exit(9)
"""
CONFTEST = """
import os

def pytest_collection_modifyitems(config, items):
    with (config.rootpath / "collected").open("a") as file:
        file.write(f"{os.getpid()}\\n")
"""
RUN = """
import sys
import pytest
from conformance.commands.workers import nursery

arguments = ["-c", "pytest.ini", "-p", "no:cacheprovider", *sys.argv[1:]]
with nursery([*arguments, "."], 3) as options:
    sys.exit(pytest.main(["-c", "pytest.ini", *options, "--max-worker-restart", "1"]))
"""


@pytest.fixture
def run(tmp_path):
    """Runs the cases with three workers in a folder of their own."""
    for name, text in (("test_it.py", CASES), ("conftest.py", CONFTEST), ("pytest.ini", "[pytest]\n")):
        (tmp_path / name).write_text(text)

    def command(*arguments):
        return subprocess.run(
            [sys.executable, "-c", RUN, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTEST_DEBUG_TEMPROOT": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return command


def test_cases_are_collected_once_and_run_in_workers(run, tmp_path):
    ended = run("--deselect", "test_it.py::test_dies")
    assert (ended.returncode, "1 failed, 5 passed" in ended.stdout) == (1, True), ended.stdout + ended.stderr
    (nursery,) = (tmp_path / "collected").read_text().split()
    ran = [(tmp_path / f"ran-{number}").read_text().split() for number in range(6)]
    assert nursery not in {pid for pid, _ in ran}
    assert {worker for _, worker in ran} <= {"gw0", "gw1", "gw2"}


def test_a_worker_that_dies_is_replaced(run, tmp_path):
    ended = run()
    assert "2 failed, 5 passed" in ended.stdout, ended.stdout + ended.stderr
    assert "crashed while running 'test_it.py::test_dies'" in ended.stdout
    assert len((tmp_path / "collected").read_text().split()) == 1


def test_a_nursery_that_cannot_collect_ends_the_run(run, tmp_path):
    (tmp_path / "test_it.py").write_text("import nothing_of_that_name\n")
    ended = run()
    assert ended.returncode not in (0, 1)
