"""Makes the box, a root file system (mmdebstrap) on a disk of :mod:`conformance.lab.box.disk`, and keeps it in a cache.

Nothing is mounted and no loop device is used, so it works for root and, in mmdebstrap's mode ``unshare``, for any user with subordinate ids. Two builds of the same inputs are
equal, byte by byte: time stamps, identifiers and the order of files are fixed.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from conformance.lab.box.command import BoxError, run, which
from conformance.lab.box.disk import BOOT, make_disk, pack

NAME = "carp-conformance/ucarp"
SUITE = "bookworm"
MIRROR_LISTS = Path("/var/lib/apt/lists")
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
_INPUTS = (
    "build.py",
    "command.py",
    "disk.py",
    "essential.sh",
    "customize.sh",
    "boot.sh",
    "inittab",
    "grub.cfg",
)
_KEY = "keys/vagrant.pub"
SUBORDINATE_IDS = (Path("/etc/subuid"), Path("/etc/subgid"))
_IDS = 65_536
_TOOLS = (
    ("mmdebstrap", "mmdebstrap"), ("genext2fs", "genext2fs"), ("tune2fs", "e2fsprogs"), ("sfdisk", "fdisk"),
    ("grub-mkimage", "grub-common"), ("qemu-img", "qemu-utils"),
)  # fmt: skip
Tell = Callable[[str], None]


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
        if which(tool) is None
    ]
    if not (BOOT / "boot.img").exists():
        missing.append(("GRUB's images for PCs are missing", "apt-get install grub-pc-bin"))
    if _public_key() is None:
        missing.append(("Vagrant's public key is missing", "apt-get install vagrant"))
    return (*missing, *_rootless_lacks())


def _rootless_lacks() -> Iterator[tuple[str, str]]:
    """What a user who is not root needs besides: ids of its own for the users in the box."""
    if os.geteuid() == 0:
        return
    if which("newuidmap") is None:
        yield "the command 'newuidmap' is missing", "apt-get install uidmap, or run as root"
    name = getpass.getuser()
    if not all(_has_ids(file, name) for file in SUBORDINATE_IDS):
        yield (
            f"the user {name} has no subordinate ids",
            f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}, or run as root",
        )


def _has_ids(file: Path, name: str) -> bool:
    """Whether ``NAME:FIRST:COUNT`` (subuid(5)) gives the user as many ids as a system has."""
    with suppress(OSError, ValueError):
        for line in file.read_text(encoding="utf-8").splitlines():
            who, _, ids = line.partition(":")
            if who in (name, str(os.getuid())) and int(ids.rpartition(":")[2]) >= _IDS:
                return True
    return False


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
        make_disk(work)
        made = pack(work)
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
    run(
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
