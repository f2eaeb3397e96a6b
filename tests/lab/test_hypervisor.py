"""A libvirt of its own: it answers, and nothing of it outlives the process that made it, in whatever way that ends."""

import os
import select
import signal
import subprocess
import sys

import pytest

from conformance.lab import hypervisor
from conformance.lab.hypervisor import HypervisorError

pytestmark = pytest.mark.skipif(
    bool(hypervisor.lacks()) or hypervisor.answers() or os.geteuid() != 0,
    reason="needs root, libvirtd and virsh, and no libvirtd of the machine itself",
)
HOLD = """
import sys
from pathlib import Path
from conformance.lab.hypervisor import hypervisor
with hypervisor(Path(sys.argv[1]), "qemu", keep=sys.argv[2] == "keep") as made:
    print(made.pid, flush=True)
    if sys.argv[2] == "fail":
        raise RuntimeError
    sys.stdin.read()
"""


def hold(folder, how=""):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return process, int(process.stdout.readline())


def inside(pid):
    """The processes in the namespaces whose first one is ``pid``."""
    there = os.stat(f"/proc/{pid}/ns/pid").st_ino
    found = []
    for one in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{one}/ns/pid").st_ino == there:
                found.append(os.pidfd_open(int(one)))
        except OSError:
            continue
    return found


def ended(watched):
    """Whether all of them end within 10 s."""
    return all(select.select([one], [], [], 10)[0] for one in watched)


class TestOwnLibvirt:
    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=str)
    def test_dies_with_the_process_that_made_it(self, tmp_path, how):
        process, pid = hold(tmp_path)
        watched = inside(pid)
        assert len(watched) >= 2
        process.send_signal(how)
        process.communicate()
        assert ended(watched)

    def test_dies_with_a_failure(self, tmp_path):
        process, pid = hold(tmp_path, "fail")
        process.communicate()
        assert not os.path.exists(f"/proc/{pid}/ns/net") or ended(inside(pid))
        assert hypervisor.kept(tmp_path) is None

    def test_is_kept_and_found_again_and_ended(self, tmp_path):
        process, pid = hold(tmp_path, "keep")
        watched = inside(pid)
        process.communicate()
        made = hypervisor.kept(tmp_path)
        assert made is not None
        assert made.pid == pid
        said = subprocess.run(
            made.command(["virsh", "--connect", hypervisor.SYSTEM, "version"]),
            capture_output=True,
            check=False,
        )
        assert said.returncode == 0
        hypervisor.end(tmp_path, made)
        assert ended(watched)
        assert hypervisor.kept(tmp_path) is None

    def test_is_on_a_network_of_its_own(self, tmp_path):
        home = os.readlink("/proc/self/ns/net")
        with hypervisor.hypervisor(tmp_path, "qemu", keep=False) as made:
            with made.network():
                assert os.readlink("/proc/thread-self/ns/net") != home
            assert os.readlink("/proc/thread-self/ns/net") == home

    def test_that_does_not_start_is_one_sentence(self, tmp_path, monkeypatch):
        monkeypatch.setattr(hypervisor, "_INIT", "echo no such luck >&2; exit 1 # {pairs}")
        with (
            pytest.raises(
                HypervisorError, match="did not start in namespaces of its own .no such luck.*; run as root"
            ),
            hypervisor.hypervisor(tmp_path, "qemu", keep=False),
        ):
            pass
