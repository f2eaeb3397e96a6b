"""Vagrant's machines, through python-vagrant, with what that lacks: time-outs, the reason of a failure in one sentence, an ssh-config that is read once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import conformance

UP_S, HALT_S, ASK_S, BOX_S = 1500, 180, 120, 300
_NOISE = ("[fog]", "[vagrant]", "==>")


class VagrantError(Exception):
    """Vagrant could not do something: what, why, and what to do."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        self.what, self.why, self.remedy = what, why, remedy
        super().__init__(f"{what}: {why}; {remedy}")


@dataclass(frozen=True, slots=True)
class Login:
    """How to log into a machine, from its ssh-config."""

    host: str
    port: int
    user: str
    identity: Path


def vagrant_folder() -> Path:
    """Where the Vagrantfile is: beside the package in a source tree, inside it where it was installed. Raises :class:`VagrantError`."""
    package = Path(conformance.__file__).parent
    for folder in (package.parent / "vagrant", package / "vagrant"):
        if (folder / "Vagrantfile").is_file():
            return folder
    raise VagrantError("the Vagrantfile", "is not in this installation", "install carp-conformance again")


def lacks() -> tuple[tuple[str, str], ...]:
    """What this machine lacks to use Vagrant with libvirt, each with the command that mends it."""
    missing = []
    if shutil.which("vagrant") is None:
        missing.append(
            ("the command 'vagrant' is missing", "apt-get install --no-install-recommends vagrant")
        )
    elif "vagrant-libvirt" not in plugins():
        missing.append(
            (
                "Vagrant's plugin for libvirt is missing",
                "apt-get install --no-install-recommends vagrant-libvirt",
            )
        )
    try:
        import vagrant  # noqa: F401  # only whether it is there
    except ImportError:
        missing.append(("python-vagrant is not installed", "pip install 'carp-conformance[vm]'"))
    return tuple(missing)


class Machines:
    """The machines of one Vagrantfile. ``place`` puts a command line where the hypervisor is; ``state`` is a folder for what Vagrant remembers; ``log`` takes all it says."""

    def __init__(
        self,
        state: Path,
        log: Path,
        place: Callable[[Sequence[str]], list[str]] = list,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._place, self._log = place, log
        self._logins: dict[str, Login] = {}
        settings = {
            "VAGRANT_CWD": str(
                vagrant_folder()
            ),  # a command that changes namespaces loses its working folder
            "VAGRANT_HOME": str(state / "home"),
            "VAGRANT_DOTFILE_PATH": str(state / "machines"),
            "VAGRANT_DEFAULT_PROVIDER": "libvirt",
            "VAGRANT_CHECKPOINT_DISABLE": "1",
            "VAGRANT_NO_COLOR": "1",
        }
        self._environment = os.environ | settings | dict(environment or {})
        self._library = _bounded(self)

    def status(self, names: Sequence[str]) -> dict[str, str]:
        """The state of machines (``running``, ``poweroff``, ``not_created`` …), by name."""
        wanted = set(names)
        return {one.name: one.state for one in self._library.status() if one.name in wanted}

    def up(self, names: Sequence[str]) -> None:
        """Brings machines up, one after the other. Raises :class:`VagrantError` for the first that does not come."""
        self._logins.clear()
        for name in (
            names
        ):  # not in parallel: Vagrant loads its own parts lazily, and two threads trip over each other there
            self.run(["up", name], UP_S, f"the machine {name} did not come up")

    def halt(self, names: Sequence[str]) -> None:
        self._logins.clear()
        self.run(["halt", *names], HALT_S, f"{', '.join(names)} could not be halted")

    def destroy(self, names: Sequence[str]) -> None:
        """Removes machines and their disks."""
        self._logins.clear()
        self.run(["destroy", "--force", *names], HALT_S, f"{', '.join(names)} could not be removed")

    def has_box(self, name: str, version: str) -> bool:
        return any(one.name == name and str(one.version) == version for one in self._library.box_list())

    def add_box(self, metadata: Path, name: str) -> None:
        """Takes over a box that ``metadata`` (JSON of a catalogue of one) describes."""
        self.run(
            ["box", "add", "--force", "--name", name, str(metadata)], BOX_S, f"the box {name} was not taken"
        )

    def login(self, name: str) -> Login:
        """How to log into a running machine; asked for once. Raises :class:`VagrantError`."""
        if name not in self._logins:
            said = self._library.conf(vm_name=name)
            self._logins[name] = Login(
                said["HostName"], int(said["Port"]), said["User"], Path(said["IdentityFile"])
            )
        return self._logins[name]

    def run(self, arguments: Sequence[str], limit_s: float, what: str) -> str:
        """What a Vagrant command wrote to its standard output. Raises :class:`VagrantError` saying ``what`` failed, and why."""
        command = self._place(["vagrant", *arguments])
        with self._log.open("ab") as log, tempfile.TemporaryFile() as out:
            log.write(f"\n$ vagrant {' '.join(arguments)}\n".encode())
            log.flush()
            begin = log.tell()
            try:
                process = subprocess.Popen(
                    command,
                    cwd=vagrant_folder(),
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=log,
                    start_new_session=True,
                )
            except FileNotFoundError as error:
                raise VagrantError(
                    what, f"the command {error.filename!r} is missing", "see: carp-conformance doctor"
                ) from error
            try:
                status = process.wait(limit_s)
            except BaseException as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise VagrantError(
                        what, f"`vagrant {arguments[0]}` did not end in {limit_s:g} s", f"see {self._log}"
                    ) from error
                raise
            out.seek(0)
            said = out.read().decode(errors="replace")
            log.write(said.encode())
        if status != 0:
            complaints = self._log.read_bytes()[begin:].decode(errors="replace")
            raise VagrantError(what, reason(complaints) or f"`vagrant {arguments[0]}` ended with {status}", f"see {self._log}")  # fmt: skip
        return said


def reason(complaints: str) -> str:
    """One sentence from the paragraphs that Vagrant writes about a failure: its first that is no progress."""
    for paragraph in complaints.replace("\r", "\n").split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines()]
        told = [line for line in lines if line and not line.startswith((*_NOISE, "$ vagrant"))]
        if told:
            return " ".join(told)[:300].rstrip(".:")
    return ""


def _bounded(machines: Machines) -> Any:
    """python-vagrant's reader of what Vagrant says, with our way to run it."""
    import vagrant

    class Bounded(vagrant.Vagrant):
        def _run_vagrant_command(self, args: Sequence[str | None]) -> str:
            given = [one for one in args if one is not None]
            return machines.run(given, ASK_S, f"Vagrant did not answer `vagrant {' '.join(given)}`")

    make: Any = Bounded
    return make(root=str(vagrant_folder()))


@cache
def plugins() -> str:
    """What Vagrant lists as its plugins; empty where it does not answer, or is not there."""
    if shutil.which("vagrant") is None:
        return ""
    try:
        said = subprocess.run(
            ["vagrant", "plugin", "list"], capture_output=True, text=True, check=False, timeout=ASK_S
        )
    except subprocess.TimeoutExpired:
        return ""
    return said.stdout
