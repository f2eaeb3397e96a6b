"""What testinfra finds on a machine."""

from __future__ import annotations

import os

import pytest

from conformance.lab.hosts import Access
from conformance.lab.shell import HostError
from conformance.targets.remote.examination import examine, faults

SSH = """#!/bin/sh
while [ $# -gt 2 ]; do shift; done
[ "$1" = down ] && {{ echo "Connection refused" >&2; exit 255; }}
PATH={folder}/bin:$PATH exec /bin/sh -c "$2"
"""
SYSCTL = """#!/bin/sh
[ "$1 $2" = "-n net.inet.carp.allow" ] && echo 1 && exit
[ "$1 $2" = "-n net.inet.carp.log" ] && echo 2 && exit
echo "sysctl: unknown oid" >&2
exit 1
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """This machine behind an ssh, with a sysctl that knows CARP."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for path, text in ((tmp_path / "ssh", SSH.format(folder=tmp_path)), (commands / "sysctl", SYSCTL)):
        path.write_text(text)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Access(name="a", connection="ssh://root@fw1")


def test_facts_are_of_the_machine(machine):
    found = examine(machine)
    assert found["sysctl"] == {
        "net.inet.carp.allow": 1,
        "net.inet.carp.preempt": None,
        "net.inet.carp.log": 2,
    }
    assert found["testinfra"]["type"] == "linux"
    assert isinstance(found["log"]["exists"], bool)


def test_missing_log_is_a_fault_with_its_remedy(machine, monkeypatch):
    monkeypatch.setattr("conformance.targets.remote.examination.LOG", "/nonexistent/messages")
    assert list(faults(machine)) == [
        ("machine a has no /nonexistent/messages", "let syslogd write kern.* and user.notice there")
    ]


def test_machine_without_carp_is_a_fault_with_its_remedy(machine, tmp_path):
    (tmp_path / "bin" / "sysctl").write_text("#!/bin/sh\nexit 1\n")
    assert (
        "machine a has no CARP",
        "kldload carp (FreeBSD; if_carp before 10), or a kernel with carp(4)",
    ) in faults(machine)


def test_machine_that_is_down_is_one_sentence(machine):
    with pytest.raises(HostError, match="machine a: testinfra cannot examine it"):
        examine(Access(name="a", connection="ssh://root@down"))


def test_program_is_no_way_for_testinfra():
    with pytest.raises(HostError, match="reach it by ssh"):
        examine(Access(name="a", connection="exec:///bin/true"))
