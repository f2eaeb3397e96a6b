"""The rung ``vm``: brings Vagrant's machines of a system up and writes the PIXIT that they are tested with, like anybody's own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.lab import hypervisor as libvirt
from conformance.lab import kvm, vagrant
from conformance.lab.box import build as box
from conformance.lab.box.command import BoxError
from conformance.lab.cabling import Cable, plugged
from conformance.lab.journal import folder as state_folder
from conformance.targets.protocol import MachinesError

NEEDED_BYTES = 3 * 2**30
_HOSTS = "ab"
_EMULATED_MS = 60
"""How coarse timers are on a machine without KVM: its daemon stands still for 15 to 50 ms while a script of three commands runs, where 3 ms pass on a real one."""
_OUTER = Cable("conformance-carp", "carp-port", "carp-tester", "02:00:00:00:02:fe")
_INNER = Cable("conformance-carp-inner", "carp-in-port", "carp-in-tester", "02:00:00:00:03:fe")


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What two machines of a system are. ``target`` is the name it is tested by, ``name`` the one in the Vagrantfile; ``interface`` its second one, on the CARP segment;
    ``lanes`` how many VLANs there are for cases side by side, with KVM and without; ``sudo`` whether the user of its boxes needs it.
    """

    target: str
    name: str
    title: str
    interface: str
    inner_interface: str
    lanes: Mapping[str, int]
    may_change: tuple[str, ...]
    sudo: bool = False


def lacks(system: System) -> tuple[tuple[str, str], ...]:
    """What this machine lacks to bring machines of the system up, each with what mends it."""
    missing = [*_box_lacks(system), *vagrant.lacks(), *libvirt.lacks()]
    free = free_bytes(state_folder())
    if free < NEEDED_BYTES:
        missing.append(
            (
                f"there are {free // 2**20} MiB free for the disks of two machines, of {NEEDED_BYTES // 2**20} that they need",
                f"free some, or name another folder in CARP_CONFORMANCE_STATE (now {state_folder()})",
            )
        )
    return tuple(dict.fromkeys(missing))


@contextmanager
def machines(system: System, *, keep: bool, destroy: bool) -> Iterator[Path]:
    """Two machines of the system, and a PIXIT file for them; the calling thread is on their network meanwhile.

    Afterwards they are halted, left running (``keep``) or removed (``destroy``). Raises :class:`MachinesError`.
    """
    state = state_folder() / "vm" / system.name
    try:
        with ExitStack() as stack:
            yield stack.enter_context(_up(system, state, keep=keep, destroy=destroy))
    except (vagrant.VagrantError, libvirt.HypervisorError, BoxError) as error:
        raise MachinesError(str(error)) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise MachinesError(
            f"the machines of {system.target} cannot be had ({error}); see: carp-conformance doctor --target {system.target}"
        ) from error


@contextmanager
def _up(system: System, state: Path, *, keep: bool, destroy: bool) -> Iterator[Path]:
    names = [f"{system.name}-{one}" for one in _HOSTS]
    state.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_locked(state, system))
        half_made = _cut_off(state)
        unclean, ready = state / "unclean", state / "ready"
        accelerator = kvm.accelerator()
        there = stack.enter_context(libvirt.hypervisor(state / "libvirt", accelerator, keep=keep))
        unclean.touch()
        own = _own_box(system, state)
        settings = {"CARP_CONFORMANCE_ACCELERATOR": there.accelerator} | own
        made = vagrant.Machines(state / "vagrant", state / "vagrant.log", there.command, settings)
        if system.name == "ucarp" and not own:
            settings |= _take_box(made, state)
            made = vagrant.Machines(state / "vagrant", state / "vagrant.log", there.command, settings)
        if half_made and there.pid is None:
            made.destroy(names)
        stack.callback(_put_away, made, names, state, keep=keep, destroy=destroy, own=there.pid is not None)
        running = made.status(names)
        word = "take" if all(one == "running" for one in running.values()) else "bring up"
        slow = "" if there.accelerator == "kvm" else " without KVM, which takes minutes"
        _tell(f"{word} {' and '.join(names)}{slow if word == 'bring up' else ''}")
        if word != "take":
            ready.unlink(missing_ok=True)
        made.up([name for name in names if running.get(name) != "running"])
        ready.touch()
        logins = {name: made.login(name) for name in names}
        with there.network():
            for cable in (_OUTER, _INNER):
                stack.enter_context(plugged(there, cable))
            path = state / "pixit.toml"
            path.write_text(_pixit(system, logins, state, there.accelerator), encoding="utf-8")
            yield path


def _put_away(
    made: vagrant.Machines, names: list[str], state: Path, *, keep: bool, destroy: bool, own: bool
) -> None:
    """A machine that does not go down in order goes down with its hypervisor."""
    if keep:
        return
    if destroy:
        if not own:
            made.destroy(names)
        else:
            with suppress(vagrant.VagrantError):
                made.destroy(names)
            (state / "destroyed").touch()
    else:
        made.halt(names)
    (state / "unclean").unlink(missing_ok=True)


def _cut_off(state: Path) -> bool:
    """Whether the last run ended before its machines were ready, or was killed together with its hypervisor: they are to be made anew. What is left of such a hypervisor is ended."""
    if not (state / "unclean").exists():
        return False
    left, shared = libvirt.kept(state / "libvirt"), libvirt.answers()
    if (state / "ready").exists() and (left is not None or shared):
        return False
    _tell("the last run was cut off: its machines are made anew")
    if left is not None:
        libvirt.end(state / "libvirt", left)
    if not shared:
        _wipe(state)
    return True


def _wipe(state: Path) -> None:
    """Forgets machines whose hypervisor is gone; boxes stay."""
    for path in (state / "libvirt", state / "vagrant" / "machines"):
        shutil.rmtree(path, ignore_errors=True)
    (state / "unclean").unlink(missing_ok=True)


@contextmanager
def _locked(state: Path, system: System) -> Iterator[None]:
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MachinesError(
                f"another run uses the machines of {system.target}; wait for it, or give this one a folder of its own in CARP_CONFORMANCE_STATE"
            ) from error
        yield
    if (state / "destroyed").exists():
        shutil.rmtree(state, ignore_errors=True)


def _take_box(made: vagrant.Machines, state: Path) -> dict[str, str]:
    """Gives Vagrant the box of ucarp, built if it must be, and says which version the machines are made of."""
    found = box.ready(_tell)
    if not made.has_box(box.NAME, found.version):
        provider = {
            "name": "libvirt",
            "url": found.path.resolve().as_uri(),
            "checksum_type": "sha256",
            "checksum": found.content,
        }
        catalogue = {"name": box.NAME, "versions": [{"version": found.version, "providers": [provider]}]}
        path = state / "box.json"
        path.write_text(json.dumps(catalogue), encoding="utf-8")
        made.add_box(path, box.NAME)
    return {"CARP_CONFORMANCE_BOX_VERSION_UCARP": found.version}


def _own_box(system: System, state: Path) -> dict[str, str]:
    """The user's own box, if a setting names one."""
    del state
    variable = _variable(system)
    return {variable: os.environ[variable]} if os.environ.get(variable) else {}


def _variable(system: System) -> str:
    return f"CARP_CONFORMANCE_BOX_{system.name.upper().replace('-', '_')}"


def _box_lacks(system: System) -> list[tuple[str, str]]:
    if os.environ.get(_variable(system)):
        return []
    if system.name == "ucarp":
        return [] if box.newest(box.cache_folder()) is not None else list(box.lacks())
    pinned = boxes().get(system.name, {}).get("libvirt", {})
    folder = (
        state_folder()
        / "vm"
        / system.name
        / "vagrant"
        / "home"
        / "boxes"
        / str(pinned.get("box", "")).replace("/", "-VAGRANTSLASH-")
    )
    if pinned and folder.is_dir():
        return []
    return [
        (
            f"no box of {system.title} is here",
            (
                f"build one from the vendor's image (docs/how-to/test-machines.md) and name it: export {_variable(system)}=NAME; "
                f"or name machines of yours in a PIXIT file: --pixit FILE (fixtures/pixit/{system.target}.toml is an example)"
            ),
        )
    ]


def boxes() -> Mapping[str, Any]:
    """The boxes that are pinned: by system and provider."""
    return tomllib.loads((vagrant.vagrant_folder() / "boxes.toml").read_text(encoding="utf-8"))


def _pixit(system: System, logins: Mapping[str, vagrant.Login], state: Path, accelerator: str) -> str:
    """The PIXIT as TOML. The ssh-config that goes with it trusts host keys that it has not seen: the machines are minutes old, on a network of their own."""
    config = state / "ssh-config"
    config.write_text(
        "".join(
            f"Host {name}\n  HostName {login.host}\n  Port {login.port}\n  User {login.user}\n  IdentityFile {login.identity}\n"
            "  IdentitiesOnly yes\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
            for name, login in logins.items()
        ),
        encoding="utf-8",
    )
    lanes = system.lanes[accelerator]
    hosts = "".join(
        f'\n[[host]]\nname = "{letter}"\nconnection = "vagrant://{name}"\nssh_config = "{config}"\nsudo = {str(system.sudo).lower()}\n'
        f'interface = "{system.interface}"\ninner_interface = "{system.inner_interface}"\n'
        f'addresses = ["192.0.2.{number}"]\ninner_addresses = ["198.51.100.{number}"]\n'
        for number, (letter, name) in enumerate(zip(_HOSTS, logins, strict=True), 1)
    )
    shared = [
        *(f"192.0.2.{last}" for last in range(100, 110)),
        *(f"2001:db8::{last:x}" for last in range(0x100, 0x10A)),
    ]
    inner = [f"198.51.100.{last}" for last in range(100, 110)]
    coarse = "" if accelerator == "kvm" else f"granularity_ms = {_EMULATED_MS}\n"
    vlans = f"vlans = {{ first = 101, last = {100 + lanes} }}\n" if lanes > 1 else ""
    return (
        f'schema = 1\nsystem = "{system.target}"\nvhids = {{ first = 1, last = 255 }}\npassword = "conformance"\n{coarse}{vlans}'
        f"may_change = {json.dumps(list(system.may_change))}\nshared_addresses = {json.dumps(shared)}\n"
        f"shared_inner_addresses = {json.dumps(inner)}\n"
        f'product = "virtual machines by Vagrant and libvirt on {"KVM" if accelerator == "kvm" else "QEMU, emulated"}"\n'
        f'\n[tester]\ninterface = "{_OUTER.tester}"\naddresses = ["192.0.2.254", "fe80::fe"]\n'
        f'inner_interface = "{_INNER.tester}"\ninner_addresses = ["198.51.100.254"]\n{hosts}'
    )


def free_bytes(folder: Path) -> int:
    """The bytes that are free where ``folder`` is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _tell(text: str) -> None:
    print(f"carp-conformance: {text}", file=sys.stderr, flush=True)
