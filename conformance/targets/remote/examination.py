"""What testinfra finds on a machine: the preconditions of a run, and the facts for ``environment.json``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.lab.hosts import Access, examined
from conformance.lab.shell import HostError

LOG = "/var/log/messages"
MODULES = ("/boot/kernel/carp.ko", "/boot/kernel/if_carp.ko")
"""What FreeBSD's drivers load where it is not loaded; the second is that of FreeBSD 9 and earlier."""
SWITCHES = ("allow", "preempt", "log")


def examine(access: Access) -> dict[str, Any]:
    """System, kernel module, CARP switches, the log file and syslogd of a machine, by testinfra's own modules.

    Raises :class:`HostError` for a machine that cannot be examined.
    """
    try:
        return _facts(examined(access))
    except (RuntimeError, OSError, ValueError, AssertionError) as error:
        why = str(getattr(error, "args", [""])[0])[:200] or type(error).__name__
        raise HostError(
            access.name, f"testinfra cannot examine it ({why})", "log in there by hand"
        ) from error


def faults(access: Access) -> Iterator[tuple[str, str]]:
    """What on a machine would spoil a run, each with the sentence that mends it."""
    found = examine(access)
    if not found["log"]["exists"]:
        yield (
            f"machine {access.name} has no {LOG}",
            "let syslogd write kern.* and user.notice there",
        )
    if found["sysctl"].get("net.inet.carp.allow") is None and not found["module"]:
        yield (
            f"machine {access.name} has no CARP",
            "kldload carp (FreeBSD; if_carp before 10), or a kernel with carp(4)",
        )


def _facts(host: Any) -> dict[str, Any]:
    switches: dict[str, Any] = {}
    for name in SWITCHES:
        full = f"net.inet.carp.{name}"
        said = host.run("sysctl -n %s", full)
        switches[full] = int(said.stdout.strip()) if said.rc == 0 else None
    log = host.file(LOG)
    return {
        "testinfra": {"type": host.system_info.type, "distribution": host.system_info.distribution},
        "sysctl": switches,
        "module": any(host.file(one).exists for one in MODULES),
        "log": {"path": LOG, "exists": bool(log.exists)},
        "syslogd": bool(host.process.filter(comm="syslogd")),
    }
