"""Nothing is left behind, however a run ends: no process, namespace, interface or password file."""

import os
import select
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

CHILD = """
import os, signal, sys
from ipaddress import ip_address
from conformance.segment.trace import Trace
from conformance.targets.protocol import Settings
from conformance.targets.ucarp.target import UcarpTarget

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts in the background ignore it
with UcarpTarget().bench(2) as bench:
    bench.port(Trace())
    for host in bench.hosts.values():
        host.start(Settings(vhid=1, password="hunter2", addresses=(ip_address("192.0.2.100"),), advskew=100))
    print("ready", flush=True)
    if sys.argv[1] == "exception":
        raise ZeroDivisionError
    if sys.argv[1] != "success":
        bench.loop.run_for(60_000_000_000)
"""
HOW = {
    "success": 0,
    "exception": 1,
    "SIGINT": -signal.SIGINT,
    "SIGTERM": -signal.SIGTERM,
    "SIGKILL": -signal.SIGKILL,
}


def marked(mark):
    """The processes, other than zombies, whose environment holds ``mark``."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                found.add(int(pid))
        except OSError:
            continue
    return found


def namespaces_of(pids):
    """The network namespaces that processes are in or hold open."""
    found = set()
    for pid in pids:
        for place in (f"/proc/{pid}/ns/net", *(f"/proc/{pid}/fd/{fd}" for fd in listed(f"/proc/{pid}/fd"))):
            try:
                link = os.readlink(place)
            except OSError:
                continue
            if link.startswith("net:"):
                found.add(link)
    return found


def listed(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def wait_for_the_end_of(pidfds, limit_s=10):
    poll = select.poll()
    for fd in pidfds:
        poll.register(fd, select.POLLIN)
    waiting = set(pidfds)
    while waiting and (ready := poll.poll(limit_s * 1000)):
        for fd, _ in ready:
            poll.unregister(fd)
            waiting.discard(fd)
    return not waiting


@contextmanager
def ended_at_last(child):
    try:
        yield
    finally:
        child.kill()


@pytest.mark.parametrize("how", HOW)
def test_after(how, ucarp, tmp_path):
    mark = f"carp-test-{uuid.uuid4()}"
    interfaces = set(os.listdir("/sys/class/net"))
    ours = namespaces_of([os.getpid()])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"CARP_TEST_MARK": mark, "TMPDIR": str(tmp_path)},
    )
    with child, ended_at_last(child):
        assert child.stdout.readline() == "ready\n", child.stderr.read()
        pids = marked(mark)
        pidfds = [os.pidfd_open(pid) for pid in pids] if how not in ("success", "exception") else []
        if how.startswith("SIG"):
            assert len(pids) >= 3, "the child and two ucarps (and their scripts)"
            assert len(namespaces_of(pids) - ours) == 4, "the switch, the tester and two hosts"
            made = namespaces_of(pids) - ours
            child.send_signal(getattr(signal, how))
        child.wait(timeout=20)
        assert wait_for_the_end_of(pidfds)
        for fd in pidfds:
            os.close(fd)
        child.stdout.read(), child.stderr.read()
    assert child.returncode == HOW[how]
    assert marked(mark) == set()
    if how.startswith("SIG"):
        everybody = [int(pid) for pid in os.listdir("/proc") if pid.isdigit()]
        assert not made & namespaces_of(everybody)
    assert set(os.listdir("/sys/class/net")) == interfaces
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_still_runs_dies_with_its_daemon(ucarp):
    """``reset`` ends what ucarp has started, not ucarp alone."""
    mark = f"carp-test-{uuid.uuid4()}"
    child_code = CHILD.replace("advskew=100)", "advskew=0, options={'script_takes': 30, 'neutral': True})").replace('print("ready"', """
    bench.loop.run_until(lambda: any('Switching to state: MASTER' in line for iut in host.iuts for line in iut._process.lines), bench.loop.now_ns() + 6_000_000_000)
    bench.loop.run_for(200_000_000)
    print("ready\"""")  # fmt: skip
    child = subprocess.run(
        [sys.executable, "-c", child_code, "success"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"CARP_TEST_MARK": mark},
        timeout=60,
    )
    left = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in marked(mark)}
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert (child.returncode, child.stderr) == (0, "")
    assert left == {}
