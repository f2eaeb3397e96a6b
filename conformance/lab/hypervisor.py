"""libvirt for one run: the machine's own where it runs, or one in namespaces of its own (network, mounts, processes).

Whatever such a libvirtd starts (virtual machines, DHCP servers, bridges) lives in its namespaces. The first process there dies with the process that made it, and the kernel then
ends the others and takes the network away: after a failure, Ctrl-C or SIGKILL nothing is left but files in one folder.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from conformance.lab.netns import Namespace

SYSTEM = "qemu:///system"
START_NS = 30_000_000_000
_ANSWER_S = 20
_LOOK_S = 0.05
_FOLDERS = {"etc": "/etc/libvirt", "lib": "/var/lib/libvirt", "cache": "/var/cache/libvirt", "log": "/var/log/libvirt", "run": "/run/libvirt"}  # fmt: skip
_RECORD = "hypervisor.json"

_QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
stdio_handler = "file"
"""
"""The namespaces around it isolate it already; cgroups and log daemons belong to the machine's own libvirt."""
_LIBVIRTD_CONF = """\
auth_unix_ro = "none"
auth_unix_rw = "none"
"""
"""Nobody else is in its namespaces, and no bus that a policy could be asked on."""

_INIT = """\
set -e
mount -t sysfs sysfs /sys
for pair in {pairs}; do
    mkdir -p "${{pair#*=}}"
    mount --bind "${{pair%%=*}}" "${{pair#*=}}"
done
ip link set lo up
for switch in iptables ip6tables arptables; do
    [ ! -e /proc/sys/net/bridge/bridge-nf-call-$switch ] || echo 0 > /proc/sys/net/bridge/bridge-nf-call-$switch
done
libvirtd --pid-file /run/libvirt/libvirtd.pid &
wait $!
"""
"""The shell stays as the first process: it buries what nobody waits for, which libvirtd takes for alive otherwise."""


class HypervisorError(Exception):
    """libvirt is not to be had: what went wrong, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}; {remedy}")


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """A libvirt that answers. ``pid`` is the first process of its namespaces as this machine numbers it; None is the machine's own libvirt. ``accelerator`` is ``kvm`` or ``qemu``."""

    pid: int | None
    accelerator: str

    def command(self, command: Sequence[str]) -> list[str]:
        """A command line that runs where the libvirt is."""
        if self.pid is None:
            return list(command)
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", "--pid", "--", *command]

    @contextmanager
    def network(self) -> Iterator[None]:
        """The calling thread, and what it starts, is on the network of the virtual machines meanwhile."""
        if self.pid is None:
            yield
            return
        there = Namespace(os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        try:
            with there.entered():
                yield
        finally:
            there.close()


def lacks() -> tuple[tuple[str, str], ...]:
    """What this machine lacks for either, each with the command that mends it."""
    missing = [
        (f"the command {tool!r} is missing", f"apt-get install --no-install-recommends {package}")
        for tool, package in (
            ("virsh", "libvirt-clients"),
            ("qemu-system-x86_64", "qemu-system-x86"),
            ("nsenter", "util-linux"),
        )
        if _which(tool) is None
    ]
    if not answers():
        missing += [
            (f"the command {tool!r} is missing", f"apt-get install --no-install-recommends {package}")
            for tool, package in (
                ("libvirtd", "libvirt-daemon-system"),
                ("dnsmasq", "dnsmasq-base"),
                ("iptables", "iptables"),
            )
            if _which(tool) is None
        ]
        if os.geteuid() != 0:
            missing.append(
                (
                    "no libvirt runs here, or this user may not use it",
                    "run as root, which starts one for the run, or join the group libvirt of one that runs",
                )
            )
    return tuple(missing)


def answers() -> bool:
    """Whether a libvirt of this machine answers this user."""
    if _which("virsh") is None:
        return False
    try:
        said = subprocess.run(
            ["virsh", "--connect", SYSTEM, "--readonly", "version"], capture_output=True, check=False, timeout=_ANSWER_S
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return said.returncode == 0


@contextmanager
def hypervisor(folder: Path, accelerator: str, *, keep: bool) -> Iterator[Hypervisor]:
    """A libvirt as long as the context lasts: the machine's, one that was kept before, or one of its own whose files are in ``folder``.

    ``keep`` leaves the last two running. Raises :class:`HypervisorError`.
    """
    if answers():
        yield Hypervisor(None, accelerator)
        return
    found, outer = kept(folder), None
    if found is None:
        found, outer = _start(folder, accelerator, keep=keep)
    try:
        yield found
    finally:
        if not keep:
            end(folder, found)
            if outer is not None:
                outer.wait(_ANSWER_S)


def kept(folder: Path) -> Hypervisor | None:
    """The libvirt that an earlier run left running for this one."""
    try:
        known = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        running = _started(known["pid"]) == known["started"]
    except (OSError, ValueError, KeyError):
        return None
    return Hypervisor(known["pid"], known["accelerator"]) if running else None


def end(folder: Path, made: Hypervisor) -> None:
    """Ends a libvirt of its own with everything that runs in its namespaces."""
    (folder / _RECORD).unlink(missing_ok=True)
    if made.pid is None:
        return
    with suppress(ProcessLookupError):
        watched = os.pidfd_open(made.pid)
        try:
            os.kill(made.pid, signal.SIGKILL)
            # The kernel ends the first process of a namespace only when all others in it have ended.
            select.select([watched], [], [], _ANSWER_S)
        finally:
            os.close(watched)


def _start(folder: Path, accelerator: str, *, keep: bool) -> tuple[Hypervisor, subprocess.Popen[bytes]]:
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    etc = folder / "etc"
    shutil.copytree("/etc/libvirt", etc, dirs_exist_ok=True, ignore=shutil.ignore_patterns("qemu", "storage", "*.conf"))  # fmt: skip
    (etc / "qemu.conf").write_text(_QEMU_CONF, encoding="utf-8")
    (etc / "libvirtd.conf").write_text(_LIBVIRTD_CONF, encoding="utf-8")
    shutil.rmtree(folder / "run", ignore_errors=True)
    (folder / "run").mkdir()
    pairs = " ".join(f"{folder / name}={place}" for name, place in _FOLDERS.items())
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "sh", "-c", _INIT.format(pairs=pairs)]  # fmt: skip
    dying = [] if keep else ["setpriv", "--pdeathsig", "KILL", "--"]
    log = folder / "libvirtd.log"
    with log.open("wb") as out:
        outer = subprocess.Popen(
            [*dying, *unshare],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env=os.environ | {"PATH": _path()},
        )
    try:
        made = _awaited(outer, log, accelerator)
    except BaseException:
        outer.kill()
        outer.wait()
        raise
    assert made.pid is not None
    record = {"pid": made.pid, "started": _started(made.pid), "accelerator": accelerator}
    (folder / _RECORD).write_text(json.dumps(record), encoding="utf-8")
    return made, outer


def _awaited(outer: subprocess.Popen[bytes], log: Path, accelerator: str) -> Hypervisor:
    """The libvirt in the namespaces that ``outer`` makes, as soon as it answers."""
    deadline_ns = time.monotonic_ns() + START_NS
    while outer.poll() is None and time.monotonic_ns() < deadline_ns:
        made = _child(outer.pid, accelerator)
        if made is not None and _ready(made):
            return made
        select.select([], [], [], _LOOK_S)
    said = " / ".join(log.read_text(errors="replace").strip().splitlines()[-2:])
    raise HypervisorError(
        f"libvirtd did not start in namespaces of its own ({said or 'it said nothing'})",
        "run as root on a kernel with namespaces, or start the machine's own libvirtd",
    )


def _ready(made: Hypervisor) -> bool:
    said = subprocess.run(
        made.command(["virsh", "--connect", SYSTEM, "version"]), capture_output=True, check=False, timeout=_ANSWER_S
    )  # fmt: skip
    return said.returncode == 0


def _child(pid: int, accelerator: str) -> Hypervisor | None:
    """The first process in the namespaces that ``unshare`` made."""
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        if children:
            return Hypervisor(int(children[0]), accelerator)
    return None


def _started(pid: int) -> str:
    """When a process started, in ticks: with its number it names one process for good."""
    return (
        Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    )


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _which(tool: str) -> str | None:
    return shutil.which(tool, path=_path())
