"""``doctor``: what this machine has and lacks for each target, with the command that mends each lack."""

from __future__ import annotations

import platform
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

from conformance.commands.errors import CommandError
from conformance.lab import hypervisor, kvm, vagrant
from conformance.lab.journal import folder as state_folder
from conformance.lab.netns import may_create, may_unshare
from conformance.targets.beside import keepalived
from conformance.targets.pixit import PixitError
from conformance.targets.protocol import Machined
from conformance.targets.registry import chosen, find, names
from conformance.targets.vm import NEEDED_BYTES, free_bytes


def doctor(target: str | None, pixit: Path | None = None, interface: str | None = None) -> dict[str, Any]:
    """The document of ``doctor --json``: general checks, then one for each lack of each target (or of ``target`` alone, on the machines of the file ``pixit``).

    Raises :class:`CommandError`.
    """
    if pixit is not None and target is None:
        raise CommandError("--pixit describes the machines of one target: give --target, too")
    checks = [
        _check(
            "python",
            sys.version_info >= (3, 11),
            f"Python {platform.python_version()}",
            "install Python 3.11 or later",
        ),
        _check(
            "linux",
            sys.platform == "linux",
            f"{platform.system()} {platform.release()}",
            "run the tester on Linux: it needs packet sockets",
        ),
        _check(
            "tshark",
            shutil.which("tshark") is not None,
            "tshark, to look into evidence (optional)",
            "apt-get install tshark",
            optional=True,
        ),
        _check(
            "keepalived",
            keepalived.program() is not None,
            "keepalived, as a real VRRP router beside the implementation (optional)",
            "apt-get install keepalived",
            optional=True,
        ),
    ]
    if target is None:
        checks += _machine()
    ready = []
    for name in [target] if target else names():
        try:
            found = find(name) if pixit is None else chosen(name, pixit, interface)
        except PixitError as error:
            raise CommandError(str(error)) from error
        if name == target and pixit is None and isinstance(found, Machined):
            checks.append(_kvm())
        lacks = found.lacks()
        checks += [_check(f"{name}: {what}", False, what, remedy) for what, remedy in lacks] or [
            _check(name, True, f"{name} can be tested here", None)
        ]
        ready.append({"name": name, "ready": not lacks})
    return {"checks": checks, "targets": ready}


def _machine() -> list[dict[str, Any]]:
    """What the rungs need of this machine. All of it is optional: each target says what it cannot do without."""
    checks = [
        _check(
            "namespaces",
            may_create() or may_unshare(),
            "network namespaces, for the rung netns",
            "run as root, or sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000",
            optional=True,
        ),
        _check(
            "packet-sockets",
            _may_capture(),
            "packet sockets on this machine's interfaces, for the rung lab",
            "run as root: sudo carp-conformance run …",
            optional=True,
        ),
        _check(
            "ssh",
            shutil.which("ssh") is not None,
            "ssh, for machines of a PIXIT",
            "apt-get install openssh-client",
            optional=True,
        ),
    ]
    lacking = {"vagrant": vagrant.lacks(), "provider": hypervisor.lacks()}
    names = {
        "vagrant": "Vagrant and its plugin, for the rung vm",
        "provider": "libvirt and QEMU, for the rung vm",
    }
    for id, lacks in lacking.items():
        checks += [
            _check(id, ok=False, what=what, remedy=remedy, optional=True) for what, remedy in lacks
        ] or [_check(id, ok=True, what=names[id], remedy=None, optional=True)]
    free, folder = free_bytes(state_folder()), state_folder()
    return [
        *checks,
        *_other_providers(),
        _kvm(),
        _check(
            "disk",
            free >= NEEDED_BYTES,
            f"{free // 2**20} MiB of disk in {folder}, for the machines of the rung vm",
            f"free {NEEDED_BYTES // 2**20} MiB there, or name another folder in CARP_CONFORMANCE_STATE",
            optional=True,
        ),
    ]


def _kvm() -> dict[str, Any]:
    """Whether virtual machines are emulated here: how they run, not whether."""
    what, remedy = kvm.lack() or ("", None)
    told = f"KVM, so that virtual machines need not be emulated{f' ({what})' if what else ''}"
    return _check("kvm", not what, told, remedy, optional=True)


def _other_providers() -> list[dict[str, Any]]:
    """The two with which the Vagrantfile can be used by hand."""
    return [
        _check(
            "virtualbox",
            shutil.which("VBoxManage") is not None,
            "VirtualBox, for machines brought up by hand: vagrant up --provider virtualbox",
            "install VirtualBox from its makers (Debian has no package), or stay with libvirt",
            optional=True,
        ),
        _check(
            "vagrant-qemu",
            "vagrant-qemu" in vagrant.plugins(),
            "Vagrant's plugin for QEMU, for machines brought up by hand: vagrant up --provider qemu",
            "vagrant plugin install vagrant-qemu, or stay with libvirt",
            optional=True,
        ),
    ]


def _may_capture() -> bool:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True


def _check(id: str, ok: bool, what: str, remedy: str | None, *, optional: bool = False) -> dict[str, Any]:
    return {"id": id, "ok": ok, "what": what, "remedy": None if ok else remedy, "optional": optional}
