"""Machines by testinfra's connections."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from conformance.lab.hosts import Access, command, control_path, examined, route, shell, streaming
from conformance.lab.shell import HostError


def access(connection, **changes):
    return Access(name="a", connection=connection, **changes)


@pytest.mark.parametrize(
    ("connection", "host", "user", "port"),
    [
        ("ssh://root@192.0.2.1:22", "192.0.2.1", "root", 22),
        ("ssh://fw1", "fw1", None, None),
        ("ssh://admin@[2001:db8::1]:2222", "2001:db8::1", "admin", 2222),
    ],
)
def test_address_of_a_machine(connection, host, user, port):
    found = route(access(connection))
    assert (found.kind, found.host, found.user, found.port) == ("ssh", host, user, port)


@pytest.mark.parametrize(
    "connection", ["", "fw1", "telnet://fw1", "ssh://", "ssh://a:port", "exec://relative", "vagrant://"]
)
def test_address_that_is_none_is_refused_with_examples(connection):
    with pytest.raises(HostError, match=r"machine a: .* is no address.*ssh://root@192\.0\.2\.1"):
        route(access(connection))


def test_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(HostError, match="log in with a key") as caught:
        route(access("ssh://root:s3cret@fw1"))
    assert "s3cret" not in str(caught.value)


def test_ssh_asks_nobody_and_shares_one_connection():
    words = command(access("ssh://root@fw1:2022", identity=Path("/k"), ssh_config=Path("/c")), "uname")
    line = " ".join(words)
    for part in (
        "BatchMode=yes",
        "ControlMaster=auto",
        "ControlPersist=60s",
        f"ControlPath={control_path()}",
        "-F /c",
        "-l root",
        "-p 2022",
        "-i /k",
    ):
        assert part in line
    assert words[-2:] == ["fw1", "uname"]


def test_path_of_the_shared_connection_is_short_and_the_users_own():
    folder = Path(control_path()).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(str(folder)) + 1 + 40 + 20 < 107


def test_sudo_asks_for_no_password():
    assert command(access("local://", sudo=True), "id")[-1] == "sudo -n /bin/sh -c id"


def test_shell_of_this_machine():
    sh = shell(access("local://"))
    assert sh.do("echo $LC_ALL") == "C\n"
    sh.close()


def test_program_as_a_way_to_a_machine(tmp_path):
    program = tmp_path / "wrapper"
    program.write_text('#!/bin/sh\nREACHED=yes exec /bin/sh "$@"\n')
    program.chmod(0o755)
    sh = shell(access(f"exec://{program}"))
    assert sh.do("echo $REACHED") == "yes\n"
    sh.close()


FAKE_SSH = """#!/bin/sh
echo "$@" >>{log}
while [ $# -gt 2 ]; do shift; done
[ "$1" = down ] && {{ echo "ssh: connect to host down port 22: Connection refused" >&2; exit 255; }}
exec /bin/sh -c "$2"
"""


@pytest.fixture
def ssh(tmp_path, monkeypatch):
    """An ssh that runs its commands here; the file lists how it was called."""
    log = tmp_path / "calls"
    program = tmp_path / "ssh"
    program.write_text(FAKE_SSH.format(log=log))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return log


def test_shell_and_testinfra_go_through_the_same_ssh_options(ssh):
    sh = shell(access("ssh://root@fw1"))
    assert sh.do("echo hello") == "hello\n"
    sh.close()
    assert examined(access("ssh://root@fw1")).run("echo hello").stdout == "hello\n"
    calls = ssh.read_text().splitlines()
    assert len(calls) == 2
    assert all(f"ControlPath={control_path()}" in one and "BatchMode=yes" in one for one in calls)


def test_scripts_are_not_in_the_arguments_of_ssh(ssh):
    sh = shell(access("ssh://root@fw1"))
    sh.do("true # pass s3cret-two")
    sh.close()
    assert "s3cret-two" not in ssh.read_text()


def test_machine_that_is_down_is_one_sentence(ssh):
    sh = shell(access("ssh://root@down"))
    with pytest.raises(
        HostError,
        match="machine a: the connection ended: ssh: connect to host down port 22: Connection refused; look",
    ):
        sh.run("true")
    sh.close()


def test_stream_ends_with_its_connection(ssh, tmp_path):
    import subprocess

    ended = tmp_path / "ended"
    line = streaming(
        access("ssh://root@fw1"),
        f"{{ trap 'echo >{ended}; exit' TERM; echo ready; while sleep 0.05; do :; done; }}",
    )
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
    assert process.stdout.readline() == b"ready\n"
    process.stdin.close()
    assert process.stdout.read() == b""  # until the last that has it open is gone
    process.stdout.close()
    process.wait(timeout=10)
    assert ended.exists()


def test_vagrant_that_is_missing_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(HostError, match="the command 'vagrant' is missing; apt-get install vagrant"):
        route(access("vagrant://never-asked-before"))


def test_vagrant_is_asked_once(tmp_path, monkeypatch):
    program = tmp_path / "vagrant"
    program.write_text(f"#!/bin/sh\necho x >>{tmp_path}/asked\necho 'Host box'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for _ in range(2):
        found = route(access("vagrant://box"))
    assert (found.host, found.ssh_config.read_text()) == ("box", "Host box\n")
    assert (tmp_path / "asked").read_text() == "x\n"
