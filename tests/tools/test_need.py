"""The bootstrap's helper: installs what is missing, or says in one sentence what to do."""

import os
import subprocess
from pathlib import Path

import pytest

NEED = Path(__file__).parents[2] / "tools" / "need.sh"


@pytest.fixture
def run(tmp_path):
    """Runs the script with commands of our own making and nothing else on the path."""
    for tool in ("sh", "dirname", "cat"):
        (tmp_path / tool).symlink_to(
            next(p / tool for p in (Path("/bin"), Path("/usr/bin")) if (p / tool).exists())
        )

    def fake(name, body):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)

    def run(*pairs):
        return subprocess.run(
            ["/bin/sh", str(NEED), *pairs],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": str(tmp_path), "LOG": str(tmp_path / "log")},
        )

    run.fake, run.log = fake, tmp_path / "log"
    return run


def test_nothing_is_missing(run):
    run.fake("tool", "")
    done = run("tool:package", "sh:dash")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_not_a_debian_system(run):
    done = run("no-such-tool:package-a", "no-such-tool-either:package-b")
    assert done.returncode == 3
    assert (
        done.stderr
        == "Missing on this machine: package-a package-b. This is not a Debian system: install them with its own package manager, then try again.\n"
    )


def test_root_installs_what_is_missing_and_only_that(run):
    run.fake("apt-get", 'echo "$@" >> "$LOG"')
    run.fake("id", "echo 0")
    run.fake("tool", "")
    done = run("no-such-tool:package-a", "tool:package-b")
    assert done.returncode == 0
    assert run.log.read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends package-a",
    ]
    assert done.stderr == "Installing with apt-get: package-a\n"


def test_a_user_with_sudo(run):
    run.fake("apt-get", 'echo "$@" >> "$LOG"')
    run.fake("id", "echo 1000")
    run.fake("sudo", 'echo "sudo" >> "$LOG"; "$@"')
    assert run("no-such-tool:package-a").returncode == 0
    assert run.log.read_text().splitlines()[0] == "sudo"


def test_a_user_without_sudo(run):
    run.fake("apt-get", "exit 1")
    run.fake("id", "echo 1000")
    done = run("no-such-tool:package-a")
    assert done.returncode == 3
    assert done.stderr.endswith("Ask its administrator to run: apt-get install package-a\n")


def test_an_installation_that_fails(run):
    run.fake("apt-get", "echo 'E: no network' >&2; exit 100")
    run.fake("id", "echo 0")
    done = run("no-such-tool:package-a")
    assert done.returncode == 3
    assert "E: no network" in done.stderr
    assert "apt-get could not install: package-a" in done.stderr


def test_commands_in_sbin_are_found_without_it_on_the_path(run):
    if not os.path.exists("/usr/sbin/ucarp"):
        pytest.skip("ucarp is not installed")
    assert run("ucarp:ucarp").returncode == 0
