"""From a root file system to a Vagrant box: a disk that boots, and what Vagrant wants around it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from conformance.lab.box.command import DATE, BoxError, run

BOOT = Path("/usr/lib/grub/i386-pc")
_BLOCK, _FIRST_SECTOR, _SECTOR = 4096, 2048, 512
_SPARE_BLOCKS, _INODES = 40_000, 40_000
"""160 MiB are left for logs and whatever a case writes."""


def make_disk(work: Path) -> None:
    """The disk: GRUB's first sector, its core where partitions do not begin yet, one partition with the root file system."""
    blocks = (work / "root.tar").stat().st_size * 5 // 4 // _BLOCK + _SPARE_BLOCKS
    system = work / "system.ext2"
    run(
        ["genext2fs", "--block-size", str(_BLOCK), "--size-in-blocks", str(blocks), "--number-of-inodes", str(_INODES), "--allow-holes",
         "--volume-label", "carp-box", "--faketime", "--tarball", str(work / "root.tar"), str(system)],
        "genext2fs",
    )  # fmt: skip
    run(
        ["tune2fs", "-U", "63617270-0000-4000-8000-000000000001", "-c", "0", "-i", "0", str(system)],
        "tune2fs",
    )
    core = work / "core.img"
    run(
        ["grub-mkimage", "--format=i386-pc", f"--output={core}", "--prefix=/", f"--config={work / 'grub.cfg'}",
         "biosdisk", "part_msdos", "ext2", "linux"],
        "grub-mkimage",
    )  # fmt: skip
    disk = work / "disk.raw"
    with disk.open("wb") as out:
        out.truncate(_FIRST_SECTOR * _SECTOR + system.stat().st_size)
    run(
        ["sfdisk", "--quiet", str(disk)],
        "sfdisk",
        input=f"label: dos\nlabel-id: 0x63617270\nstart={_FIRST_SECTOR}, type=83, bootable\n",
    )
    if core.stat().st_size > (_FIRST_SECTOR - 1) * _SECTOR:
        raise BoxError("GRUB's core does not fit before the partition", "report it as a defect of the suite")
    with disk.open("r+b") as out:
        out.write((BOOT / "boot.img").read_bytes()[:440])
        out.seek(_SECTOR)
        out.write(core.read_bytes())
    _copy_sparse(system, disk, _FIRST_SECTOR * _SECTOR)
    run(
        [
            "qemu-img",
            "convert",
            "-c",
            "-m",
            "1",
            "-f",
            "raw",
            "-O",
            "qcow2",
            str(disk),
            str(work / "box.img"),
        ],
        "qemu-img",
    )


def pack(work: Path) -> Path:
    """A Vagrant box of the provider libvirt: the image, what it is, and how to log in."""
    size = -(-(work / "disk.raw").stat().st_size // 2**30)
    parts = {
        "metadata.json": json.dumps({"provider": "libvirt", "format": "qcow2", "virtual_size": size}).encode()
        + b"\n",
        "Vagrantfile": b'Vagrant.configure("2") { |config| config.ssh.username = "root" }\n',
    }
    path = work / "made.box"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as box:
        for name, content in parts.items():
            (work / name).write_bytes(content)
        for name in (*parts, "box.img"):
            box.add(work / name, name, filter=_dated)
    return path


def _dated(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.mode, member.uid, member.gid, member.uname, member.gname = (
        DATE,
        0o644,
        0,
        0,
        "root",
        "root",
    )
    return member


def _copy_sparse(source: Path, target: Path, offset: int) -> None:
    with source.open("rb") as read, target.open("r+b") as write:
        while chunk := read.read(2**20):
            if chunk.count(0) != len(chunk):
                write.seek(offset + read.tell() - len(chunk))
                write.write(chunk)
