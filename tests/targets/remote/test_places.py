"""The place of a lane on a machine: made from outside, used inside, undone from its end, after a crash too."""

from __future__ import annotations

import os

import pytest

from conformance.lab.attachment import Attachment
from conformance.lab.shell import HostError
from conformance.targets.freebsd.jails import place
from conformance.targets.pixit import Pixit, PixitHost
from conformance.targets.remote.bench import Lane, RemoteBench
from conformance.targets.remote.commands import Change
from conformance.targets.remote.identity import Identity
from conformance.targets.remote.machine import Machine

IDENTITY = Identity("FreeBSD", "13.2-RELEASE", "GENERIC", "amd64")
TOOL = """#!/bin/sh
echo "${{INSIDE:-}}{name} $*" >>{log}
{more}
"""
MORE = {
    "jexec": 'INSIDE="[$1] "; export INSIDE; shift; exec "$@"',
    "kldstat": "exit 1",
    "sysctl": 'case "$*" in net.inet.carp) echo "net.inet.carp.preempt: 0";; esac',
}


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def program(tmp_path, log):
    """A shell whose tools only write down how they were called."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("ifconfig", "jail", "jexec", "kldload", "kldstat", "sysctl"):
        path = commands / name
        path.write_text(TOOL.format(name=name, log=log, more=MORE.get(name, "")))
        path.chmod(0o755)
    shell = tmp_path / "shell"
    shell.write_text(f'#!/bin/sh\nPATH={commands}:{os.environ["PATH"]} exec /bin/sh "$@"\n')
    shell.chmod(0o755)
    return shell


@pytest.fixture
def make(tmp_path, program):
    """Makes the machine in the lane of VLAN 3001."""
    host = PixitHost(name="a", connection=f"exec://{program}", interface="em1")
    made = []

    def making(setup=None):
        lane = Lane(0, 3001)
        bench = RemoteBench(
            Pixit(system="freebsd", hosts=(host,)),
            Attachment("lo", bytes(6)),
            lane,
            [],
            tmp_path / "journals",
        )
        made.append(Machine(bench, host, setup or place(IDENTITY, host, lane)))
        return made[-1]

    yield making
    for machine in made:
        machine.outside.close()
        machine.shell.close()


def crash(machine):
    """What the end of its process leaves."""
    machine._journal._file.close()


MADE = [
    "kldload carp", "kldload if_bridge", "kldload if_epair", "kldload if_vlan",
    "ifconfig vlan3001 create vlan 3001 vlandev em1 up",
    "ifconfig epair3001 create", "ifconfig epair3001a up", "ifconfig epair3001b ether 02:ca:00:0b:b9:61",
    "ifconfig bridge3001 create", "ifconfig bridge3001 addm vlan3001 addm epair3001a up",
    "jail -c name=carp3001 path=/ host.hostname=a vnet vnet.interface=epair3001b persist",
]  # fmt: skip
UNMADE = [
    "jail -r carp3001", "ifconfig bridge3001 destroy", "ifconfig epair3001a destroy", "ifconfig vlan3001 destroy",
]  # fmt: skip


def calls(log):
    return [
        line
        for line in log.read_text().splitlines()
        if not line.startswith(("kldstat", "jexec", "[carp3001] sysctl net.inet.carp"))
    ]


def test_place_is_made_before_it_is_entered(make, log):
    machine = make()
    assert calls(log) == MADE
    assert machine.do("ifconfig epair3001b; echo done").endswith("done\n")
    assert calls(log)[-1] == "[carp3001] ifconfig epair3001b"
    machine.close()


def test_place_is_undone_from_its_end(make, log):
    machine = make()
    machine.close()
    assert calls(log)[len(MADE) :] == UNMADE


def test_case_is_undone_inside_and_the_place_stays(make, log):
    machine = make()
    machine.must_change(Change("ifconfig epair3001b vhid 1 alias x", "ifconfig epair3001b x -alias"))
    machine.reset()
    assert calls(log)[-1] == "[carp3001] ifconfig epair3001b x -alias"
    assert "jail -r carp3001" not in calls(log)
    machine.close()


def test_next_run_undoes_inside_first_and_then_the_place(make, log):
    machine = make()
    machine.must_change(Change("sysctl net.inet.carp.preempt=1", "sysctl net.inet.carp.preempt=0"))
    crash(machine)
    log.write_text("")
    make().close()
    first = log.read_text().splitlines()
    assert first[0] == "jexec carp3001 /bin/sh"
    assert first[1] == "[carp3001] sysctl net.inet.carp.preempt=0"
    assert calls(log)[: len(UNMADE)] == UNMADE


def test_place_that_cannot_be_made_is_one_sentence_and_leaves_nothing(make, log, program):
    (program.parent / "bin" / "jail").write_text(
        f'#!/bin/sh\necho "jail $*" >>{log}\n[ "$1" = -r ] || {{ echo "jail: vnet not supported" >&2; exit 1; }}\n'
    )
    with pytest.raises(
        HostError,
        match=r"machine a: `jail -c name=carp3001 .*` ended with status 1: jail: vnet not supported; try it by hand",
    ):
        make()
    assert calls(log)[len(MADE) :] == UNMADE


def test_relative_change_that_was_refused_is_not_undone(make, log, program):
    machine = make()
    (program.parent / "bin" / "sysctl").write_text("#!/bin/sh\nexit 1\n")
    assert not machine.change(
        [Change("sysctl net.inet.carp.demotion=5", "sysctl net.inet.carp.demotion=-5", relative=True)]
    ).ok
    machine.reset()
    assert "demotion" not in log.read_text()
    machine.close()
