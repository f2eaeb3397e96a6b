"""Whether KVM runs a guest here: tried with a boot sector of a dozen bytes, because a device that opens is no proof."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

DEVICE = Path("/dev/kvm")
_QEMU = "qemu-system-x86_64"
_LIMIT_S = 8
_PROCESSOR = {"kvm": "host", "tcg": "qemu64"}
"""As the Vagrantfile has them: a KVM inside another hypervisor may open, and still not be able to give a guest this machine's processor."""
_PORT, _WORD = 0xF4, 0x2A
_EXIT_STATUS = (_WORD << 1) | 1
"""QEMU's device isa-debug-exit ends it with twice the byte written to its port, and one."""
_PROGRAM = bytes([0xB0, _WORD, 0xE6, _PORT, 0xF4])
"""mov al, WORD; out PORT, al; hlt."""


def boot_sector() -> bytes:
    """512 bytes that a PC boots: they tell QEMU to end."""
    return _PROGRAM + bytes(510 - len(_PROGRAM)) + b"\x55\xaa"


def boots(accelerator: str) -> bool:
    """Whether QEMU with ``accelerator`` (``kvm``, ``tcg``) carries out a boot sector within 8 s, thirty times what plain emulation needs."""
    with tempfile.TemporaryDirectory(prefix="carp-kvm-") as folder:
        floppy = Path(folder, "floppy")
        floppy.write_bytes(boot_sector() + bytes(1_474_560 - 512))
        command = [
            _QEMU, "-accel", accelerator, "-cpu", _PROCESSOR[accelerator], "-machine", "pc", "-m", "16", "-nodefaults", "-display", "none", "-no-reboot",
            "-device", f"isa-debug-exit,iobase={_PORT:#x},iosize=1", "-drive", f"file={floppy},format=raw,if=floppy", "-boot", "a",
        ]  # fmt: skip
        try:
            said = subprocess.run(command, capture_output=True, check=False, timeout=_LIMIT_S)
        except (FileNotFoundError, subprocess.TimeoutExpired):
            return False
    return said.returncode == _EXIT_STATUS


@cache
def works() -> bool:
    """Whether virtual machines can use KVM: the device can be opened, and a guest runs."""
    return os.access(DEVICE, os.R_OK | os.W_OK) and boots("kvm")


def lack() -> tuple[str, str] | None:
    """Why virtual machines are emulated here, with what mends it; None where KVM works."""
    if not DEVICE.exists():
        return (
            f"there is no {DEVICE}",
            "switch virtualisation on in the firmware, then: modprobe kvm_intel || modprobe kvm_amd",
        )
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        user = getpass.getuser()
        return f"{user} may not open {DEVICE}", f"sudo usermod -aG kvm {user}, and log in anew"
    if shutil.which(_QEMU) is None:
        return (
            f"nothing can be tried on {DEVICE} without QEMU",
            "apt-get install --no-install-recommends qemu-system-x86",
        )
    if not works():
        return (
            f"{DEVICE} opens, but no guest runs on it",
            "where this machine is a virtual one itself, switch nested virtualisation on at its host; until then machines take minutes to boot",
        )
    return None


def accelerator() -> str:
    """What libvirt calls what virtual machines run on here: ``kvm``, or ``qemu`` for plain emulation; ``CARP_CONFORMANCE_ACCELERATOR`` wins."""
    return os.environ.get("CARP_CONFORMANCE_ACCELERATOR") or ("kvm" if works() else "qemu")
