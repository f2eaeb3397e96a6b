"""Processes that do not outlive the one that started them, and processes that do not wait long for a CPU."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct

_PR_SET_PDEATHSIG = 1
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
_SHORT_NS = 100_000
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""struct sched_attr of sched_setattr(2): size, policy, flags, nice, priority, runtime (the slice), deadline, period."""


def die_with_parent(parent: int | None = None) -> None:
    """This process gets SIGKILL when the thread that started it ends, in whatever way; at once if that was process ``parent`` and it has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def wakes_soon(pid: int) -> None:
    """Lets a process, and what it starts, run soon after it has something to do, though others want the CPU: it asks for no more than 0.1 ms of it at a time.

    Linux from 6.12 on prefers the one with the shorter slice (EEVDF); an older one takes no notice. No privilege is needed. A process that has ended is left alone.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None:
        own = os.getpriority(os.PRIO_PROCESS, 0)
        ctypes.CDLL(None).syscall(
            number, pid, _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, own, 0, _SHORT_NS, 0, 0), 0
        )
