"""How soon a process gets a CPU."""

import os
import platform
import re
import subprocess
from pathlib import Path

import pytest

from conformance.lab.process import wakes_soon

KERNEL = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))


@pytest.fixture
def process():
    with subprocess.Popen(["sleep", "60"]) as made:
        yield made
        made.kill()


def slice_ns(pid):
    """What ``/proc/PID/sched`` says of its slice, or None where it says nothing."""
    found = re.search(r"se\.slice\s*:\s*(\d+)", Path(f"/proc/{pid}/sched").read_text())
    return found and int(found[1])


def test_it_asks_for_a_tenth_of_a_millisecond(process):
    before_ns = slice_ns(process.pid)
    wakes_soon(process.pid)
    assert slice_ns(process.pid) == (before_ns if KERNEL < (6, 12) else 100_000)


def test_nothing_else_of_it_changes(process):
    wakes_soon(process.pid)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, 0)
    assert os.sched_getscheduler(process.pid) == os.SCHED_OTHER


def test_one_that_has_ended_and_a_processor_without_the_call_are_left_alone(process, monkeypatch):
    process.kill()
    process.wait()
    wakes_soon(process.pid)
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    wakes_soon(os.getpid())
