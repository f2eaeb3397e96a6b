"""The rung ``vm``: brings Vagrant's machines of a system up and writes the PIXIT that they are tested with, like anybody's own."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from conformance.lab import hypervisor as libvirt
from conformance.lab import kvm, vagrant
from conformance.lab.box import build as box
from conformance.lab.journal import folder as state_folder
from conformance.targets.protocol import MachinesError

NEEDED_BYTES = 3 * 2**30
_HOSTS = "ab"
_PORT, _TESTER = "carp-port", "carp-tester"
_TESTER_MAC = "02:00:00:00:02:fe"
_ASK_S = 30


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
    except (vagrant.VagrantError, libvirt.HypervisorError, box.BoxError) as error:
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
        unclean = state / "unclean"
        if unclean.exists() and libvirt.kept(state / "libvirt") is None:
            _tell("the last run was cut off: its machines are made anew")
            _wipe(state)
        accelerator = kvm.accelerator()
        there = stack.enter_context(libvirt.hypervisor(state / "libvirt", accelerator, keep=keep))
        unclean.touch()
        own = _own_box(system, state)
        settings = {"CARP_CONFORMANCE_ACCELERATOR": there.accelerator} | own
        made = vagrant.Machines(state / "vagrant", state / "vagrant.log", there.command, settings)
        if system.name == "ucarp" and not own:
            settings |= _take_box(made, state)
            made = vagrant.Machines(state / "vagrant", state / "vagrant.log", there.command, settings)
        stack.callback(_put_away, made, names, state, keep=keep, destroy=destroy, own=there.pid is not None)
        running = made.status(names)
        word = "take" if all(one == "running" for one in running.values()) else "bring up"
        slow = "" if there.accelerator == "kvm" else " without KVM, which takes minutes"
        _tell(f"{word} {' and '.join(names)}{slow if word == 'bring up' else ''}")
        made.up([name for name in names if running.get(name) != "running"])
        logins = {name: made.login(name) for name in names}
        with there.network():
            interface = stack.enter_context(_plugged(there))
            path = state / "pixit.toml"
            path.write_text(_pixit(system, logins, interface, state, there.accelerator), encoding="utf-8")
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


@contextmanager
def _plugged(there: libvirt.Hypervisor) -> Iterator[str]:
    """The tester's cable into the bridge of the CARP segment: the name of the interface at its end."""
    said = subprocess.run(
        there.command(["virsh", "--connect", libvirt.SYSTEM, "net-dumpxml", "conformance-carp"]),
        capture_output=True, text=True, check=True, timeout=_ASK_S,
    ).stdout  # fmt: skip
    bridge = re.search(r"<bridge name='([^']+)'", said)
    if bridge is None:
        raise libvirt.HypervisorError(
            "libvirt's network conformance-carp has no bridge",
            "remove it: virsh net-destroy conformance-carp",
        )
    with IPRoute() as ip:
        _unplug(ip)
        ip.link("add", ifname=_PORT, kind="veth", peer={"ifname": _TESTER, "address": _TESTER_MAC})
        try:
            for name in (_PORT, _TESTER, bridge[1]):
                with suppress(OSError):
                    Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1", encoding="ascii")
            master = ip.link_lookup(ifname=bridge[1])[0]
            ip.link("set", index=master, kind="bridge", br_mcast_snooping=0)
            ip.link("set", index=ip.link_lookup(ifname=_PORT)[0], master=master, state="up")
            ip.link("set", index=ip.link_lookup(ifname=_TESTER)[0], state="up")
            yield _TESTER
        finally:
            _unplug(ip)


def _unplug(ip: IPRoute) -> None:
    for index in ip.link_lookup(ifname=_PORT):
        ip.link("del", index=index)


def _pixit(
    system: System, logins: Mapping[str, vagrant.Login], interface: str, state: Path, accelerator: str
) -> str:
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
    vlans = f"vlans = {{ first = 101, last = {100 + lanes} }}\n" if lanes > 1 else ""
    return (
        f'schema = 1\nsystem = "{system.target}"\nvhids = {{ first = 1, last = 255 }}\npassword = "conformance"\n{vlans}'
        f"may_change = {json.dumps(list(system.may_change))}\nshared_addresses = {json.dumps(shared)}\n"
        f'product = "virtual machines by Vagrant and libvirt on {"KVM" if accelerator == "kvm" else "QEMU, emulated"}"\n'
        f'\n[tester]\ninterface = "{interface}"\naddresses = ["192.0.2.254", "fe80::fe"]\n{hosts}'
    )


def free_bytes(folder: Path) -> int:
    """The bytes that are free where ``folder`` is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _tell(text: str) -> None:
    print(f"carp-conformance: {text}", file=sys.stderr, flush=True)
