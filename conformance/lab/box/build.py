"""Makes the box: a root file system (mmdebstrap), a bootable disk (genext2fs, GRUB without installing it), and what Vagrant wants around it.

Nothing is mounted and no loop device is used, so it works for root and, in mmdebstrap's mode ``unshare``, for any user with subordinate ids. Two builds of the same inputs are
equal, byte by byte: time stamps, identifiers and the order of files are fixed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

NAME = "carp-conformance/ucarp"
SUITE = "bookworm"
MIRROR_LISTS = Path("/var/lib/apt/lists")
DATE = 1_767_225_600
"""The date of every file that has none of its own: 2026-01-01."""
LIMIT_S = 1800
PACKAGES = (
    "linux-image-cloud-amd64", "initramfs-tools", "sysvinit-core", "kmod", "procps", "busybox-static",
    "isc-dhcp-client", "iproute2", "openssh-server", "sudo", "python3-minimal", "ucarp",
)  # fmt: skip
_LEFT_OUT = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
    "/lib/modules/*/kernel/drivers/gpu/*", "/lib/modules/*/kernel/drivers/infiniband/*", "/lib/modules/*/kernel/drivers/scsi/*",
    "/lib/modules/*/kernel/drivers/net/ethernet/*", "/lib/modules/*/kernel/drivers/md/*", "/lib/modules/*/kernel/sound/*",
    "/lib/modules/*/kernel/fs/*",
)  # fmt: skip
_HERE = Path(__file__).parent
_INPUTS = ("build.py", "essential.sh", "customize.sh", "boot.sh", "inittab", "grub.cfg")
_KEY = "keys/vagrant.pub"
_TOOLS = (
    ("mmdebstrap", "mmdebstrap"), ("genext2fs", "genext2fs"), ("tune2fs", "e2fsprogs"), ("sfdisk", "fdisk"),
    ("grub-mkimage", "grub-common"), ("qemu-img", "qemu-utils"),
)  # fmt: skip
_BOOT = Path("/usr/lib/grub/i386-pc")
_BLOCK, _FIRST_SECTOR, _SECTOR = 4096, 2048, 512
_SPARE_BLOCKS, _INODES = 40_000, 40_000
"""160 MiB are left for logs and whatever a case writes."""
Tell = Callable[[str], None]


class BoxError(Exception):
    """The box cannot be made: what went wrong, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"the ucarp box cannot be built: {what}; {remedy}")


@dataclass(frozen=True, slots=True)
class Box:
    """A box in the cache. ``digest`` is that of its inputs, ``content`` that of the file; ``packages`` are lines of name, version and architecture."""

    path: Path
    digest: str
    content: str
    packages: tuple[str, ...]

    @property
    def version(self) -> str:
        """A version as Vagrant wants it, different for different contents."""
        return f"0.{int(self.content[:8], 16)}.0"


def lacks() -> tuple[tuple[str, str], ...]:
    """What this machine lacks to build it, each with the command that mends it."""
    missing = [
        (f"the command {tool!r} is missing", f"apt-get install {package}")
        for tool, package in _TOOLS
        if _which(tool) is None
    ]
    if not (_BOOT / "boot.img").exists():
        missing.append(("GRUB's images for PCs are missing", "apt-get install grub-pc-bin"))
    if _public_key() is None:
        missing.append(("Vagrant's public key is missing", "apt-get install vagrant"))
    return tuple(missing)


def cache_folder() -> Path:
    """Where boxes are kept: ``CARP_CONFORMANCE_CACHE``, or the user's folder for caches."""
    own = os.environ.get("CARP_CONFORMANCE_CACHE")
    return (
        Path(own)
        if own
        else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "carp-conformance"
    )


def recipe_digest() -> str:
    """SHA-256 over what this package says of the box."""
    state = hashlib.sha256()
    for name in _INPUTS:
        state.update(name.encode() + b"\0" + (_HERE / name).read_bytes() + b"\0")
    return state.hexdigest()


def input_digest() -> str | None:
    """SHA-256 over the recipe and over the package indexes that the machine's apt has: when one of them changes, so may the box. None where apt has no index."""
    indexes = sorted(MIRROR_LISTS.glob(f"*{SUITE}*InRelease"))
    if not indexes:
        return None
    state = hashlib.sha256(recipe_digest().encode())
    for index in indexes:
        state.update(index.read_bytes())
    return state.hexdigest()


def cached(folder: Path, digest: str) -> Box | None:
    """The box of these inputs in the cache, whole and unchanged; None if there is none."""
    record = folder / f"ucarp-{digest[:16]}.json"
    path = record.with_suffix(".box")
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
        size_is = path.stat().st_size
    except (OSError, ValueError):
        return None
    if known["inputs"] != digest or known["size"] != size_is:
        return None
    return Box(path, digest, known["sha256"], tuple(known["packages"]))


def newest(folder: Path) -> Box | None:
    """The box of this recipe that was made last, of whatever package indexes."""
    records = sorted(folder.glob("ucarp-*.json"), key=lambda one: one.stat().st_mtime, reverse=True)
    for record in records:
        with suppress(OSError, ValueError, KeyError):
            known = json.loads(record.read_text(encoding="utf-8"))
            if known["recipe"] == recipe_digest() and (box := cached(folder, known["inputs"])) is not None:
                return box
    return None


def build(folder: Path, digest: str, tell: Tell = lambda _: None) -> Box:
    """Builds the box into the cache ``folder`` and returns it. Raises :class:`BoxError`."""
    missing = lacks()
    if missing:
        raise BoxError("; ".join(what for what, _ in missing), "; ".join(remedy for _, remedy in missing))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="building-", dir=folder) as scratch:
        work = Path(scratch)
        work.chmod(0o755)  # mmdebstrap's user namespace looks into it
        tell("making the root file system of the ucarp box (mmdebstrap)")
        packages = _root_file_system(work)
        tell("making its disk")
        _disk(work)
        made = _pack(work)
        record = folder / f"ucarp-{digest[:16]}.json"
        path = record.with_suffix(".box")
        made.replace(path)
        content = _sha256(path)
        known = {
            "recipe": recipe_digest(),
            "inputs": digest,
            "sha256": content,
            "size": path.stat().st_size,
            "packages": packages,
        }
        record.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return Box(path, digest, content, tuple(packages))


def ready(tell: Tell = lambda _: None, folder: Path | None = None) -> Box:
    """The box of today's inputs, from the cache or built now. Without a package index, or where it cannot be built, the last one of this recipe, said so.

    Raises :class:`BoxError`.
    """
    folder = folder or cache_folder()
    digest = input_digest()
    if digest is None:
        old = newest(folder)
        return old if old is not None else build(folder, recipe_digest(), tell)
    box = cached(folder, digest)
    if box is not None:
        return box
    try:
        return build(folder, digest, tell)
    except BoxError as error:
        old = newest(folder)
        if old is None:
            raise
        tell(f"{error}; a box that was made before is taken")
        return old


def _root_file_system(work: Path) -> list[str]:
    key = _public_key()
    assert key is not None, "lacks() is asked before"
    (work / "key").write_bytes(key.read_bytes())
    for name in _INPUTS:
        shutil.copy(_HERE / name, work / name)
    root = os.geteuid() == 0
    _run(
        [
            "mmdebstrap", f"--mode={'root' if root else 'unshare'}", "--variant=minbase", "--format=tar", "--quiet",
            '--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"',
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
            f"--include={','.join(PACKAGES)}",
            f"--essential-hook={work / 'essential.sh'}", f"--customize-hook={work / 'customize.sh'}",
            f"--customize-hook=download /etc/box-packages {work / 'packages'}",
            SUITE, str(work / "root.tar"),
        ],
        "mmdebstrap",
        "look whether apt-get update works here: the machine's own sources are used",
        BOX_FILES=str(work), BOX_KEY=str(work / "key"),
    )  # fmt: skip
    return (work / "packages").read_text(encoding="utf-8").splitlines()


def _disk(work: Path) -> None:
    """The disk: GRUB's first sector, its core where partitions do not begin yet, one partition with the root file system."""
    blocks = (work / "root.tar").stat().st_size * 5 // 4 // _BLOCK + _SPARE_BLOCKS
    system = work / "system.ext2"
    _run(
        ["genext2fs", "--block-size", str(_BLOCK), "--size-in-blocks", str(blocks), "--number-of-inodes", str(_INODES), "--allow-holes",
         "--volume-label", "carp-box", "--faketime", "--tarball", str(work / "root.tar"), str(system)],
        "genext2fs",
    )  # fmt: skip
    _run(
        ["tune2fs", "-U", "63617270-0000-4000-8000-000000000001", "-c", "0", "-i", "0", str(system)],
        "tune2fs",
    )
    core = work / "core.img"
    _run(
        ["grub-mkimage", "--format=i386-pc", f"--output={core}", "--prefix=/", f"--config={work / 'grub.cfg'}",
         "biosdisk", "part_msdos", "ext2", "linux"],
        "grub-mkimage",
    )  # fmt: skip
    disk = work / "disk.raw"
    with disk.open("wb") as out:
        out.truncate(_FIRST_SECTOR * _SECTOR + system.stat().st_size)
    _run(
        ["sfdisk", "--quiet", str(disk)],
        "sfdisk",
        input=f"label: dos\nlabel-id: 0x63617270\nstart={_FIRST_SECTOR}, type=83, bootable\n",
    )
    if core.stat().st_size > (_FIRST_SECTOR - 1) * _SECTOR:
        raise BoxError("GRUB's core does not fit before the partition", "report it as a defect of the suite")
    with disk.open("r+b") as out:
        out.write((_BOOT / "boot.img").read_bytes()[:440])
        out.seek(_SECTOR)
        out.write(core.read_bytes())
    _copy_sparse(system, disk, _FIRST_SECTOR * _SECTOR)
    _run(
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


def _pack(work: Path) -> Path:
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


def _run(
    command: Sequence[str],
    what: str,
    remedy: str = "see its message",
    input: str | None = None,
    **environment: str,
) -> None:
    fixed = {
        "SOURCE_DATE_EPOCH": str(DATE),
        "E2FSPROGS_FAKE_TIME": str(DATE),
        "LC_ALL": "C.UTF-8",
        "PATH": _path(),
    }
    try:
        said = subprocess.run(
            command, input=input, capture_output=True, text=True, check=False, timeout=LIMIT_S,
            env=os.environ | fixed | environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BoxError(f"{what} did not end in {LIMIT_S} s", remedy) from error
    if said.returncode != 0:
        tail = " / ".join(said.stderr.strip().splitlines()[-4:]) or "it said nothing"
        raise BoxError(f"{what} ended with status {said.returncode} ({tail})", remedy)


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _which(tool: str) -> str | None:
    return shutil.which(tool, path=_path())


def _public_key() -> Path | None:
    """The key that Vagrant logs into a new box with, and replaces at once; it is part of every Vagrant."""
    places = (
        Path("/usr/share/rubygems-integration/all/gems"),
        Path("/opt/vagrant/embedded/gems/gems"),
        Path("/usr/share/vagrant"),
    )
    for place in places:
        for found in sorted(place.glob(f"vagrant-*/{_KEY}")) + sorted(place.glob(_KEY)):
            return found
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
