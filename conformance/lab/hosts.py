"""Machines by pytest-testinfra connections: one multiplexed connection each, for a shell, for streams of lines and for testinfra's own assertions."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance.lab.shell import HostError, Shell

CONNECT_S = 10
PERSIST_S = 60
_SSH = (
    "BatchMode=yes", f"ConnectTimeout={CONNECT_S}", "ServerAliveInterval=5", "ServerAliveCountMax=3",
    "ControlMaster=auto", f"ControlPersist={PERSIST_S}s",
)  # fmt: skip
_EXAMPLES = "write ssh://root@192.0.2.1:22, local://, vagrant://NAME or exec:///PATH"
_VAGRANT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a machine is reached: ``connection`` as testinfra writes it (``ssh://``, ``local://``, ``vagrant://NAME``), or
    ``exec:///PATH``: a program here that runs a command there, called as a shell is (``PATH -c COMMAND``).
    """

    name: str
    connection: str
    ssh_config: Path | None = None
    identity: Path | None = None
    sudo: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """An access taken apart. ``kind`` is ``ssh`` or ``exec``, ``host`` the machine or the program."""

    kind: str
    host: str
    user: str | None = None
    port: int | None = None
    ssh_config: Path | None = None


def route(access: Access) -> Route:
    """Takes the connection apart; asks Vagrant where it is one of its machines. Raises :class:`HostError`."""
    try:
        parts = urlsplit(access.connection)
        port = parts.port
    except ValueError as error:
        raise HostError(access.name, f"{access.connection!r} is no address ({error})", _EXAMPLES) from error
    if parts.password is not None:
        raise HostError(
            access.name,
            "its address holds a password, which every user of this machine would see",
            "log in with a key: leave the password out",
        )
    if parts.scheme == "local":
        return Route("exec", "/bin/sh")
    if parts.scheme == "exec" and not parts.netloc and parts.path:
        return Route("exec", parts.path)
    if parts.scheme == "ssh" and parts.hostname:
        return Route("ssh", parts.hostname, parts.username, port, access.ssh_config)
    if parts.scheme == "vagrant" and parts.netloc:
        known = access.ssh_config or _vagrant_config(access.name, parts.netloc)
        return Route("ssh", parts.netloc, ssh_config=known)
    raise HostError(access.name, f"{access.connection!r} is no address of a machine", _EXAMPLES)


def command(access: Access, remote: str) -> list[str]:
    """The command line that runs ``remote``, a command for a shell, on the machine, as root if ``sudo`` says so. It asks nobody for a password."""
    way = route(access)
    if access.sudo:
        remote = f"sudo -n /bin/sh -c {shlex.quote(remote)}"
    if way.kind == "exec":
        return [way.host, "-c", remote]
    return ["ssh", *_options(access, way), way.host, remote]


def shell(access: Access, program: str = "/bin/sh") -> Shell:
    """A shell on the machine: ``program`` there, which reads from its standard input (``jexec lane1 /bin/sh``). Raises :class:`HostError`."""
    return Shell(access.name, command(access, f"LC_ALL=C; export LC_ALL; exec {program}"))


def streaming(access: Access, remote: str, program: str = "/bin/sh") -> list[str]:
    """The command line of a stream: ``remote`` runs until the connection or this end of it goes away, and then ends there too, with all that it has started."""
    script = f"{remote} &\ncat >/dev/null\nkill 0"
    return command(access, f"LC_ALL=C; export LC_ALL; exec {program} -c {shlex.quote(script)}")


def examined(access: Access) -> Any:
    """The machine as a ``testinfra.host.Host``, over the same connection: for assertions on its packages, services, sysctls and files."""
    try:
        import testinfra
    except ImportError as error:
        raise HostError(
            access.name, "testinfra is not installed here", "pip install 'carp-conformance[vm]'"
        ) from error
    way = route(access)
    if way.kind == "exec":
        if way.host != "/bin/sh":
            raise HostError(access.name, "testinfra knows no way through a program", "reach it by ssh")
        return testinfra.get_host("local://", sudo=access.sudo)
    user = f"{way.user}@" if way.user else ""
    host = f"[{way.host}]" if ":" in way.host else way.host
    port = f":{way.port}" if way.port else ""
    chosen = {
        "ssh_config": str(way.ssh_config) if way.ssh_config else None,
        "ssh_identity_file": str(access.identity) if access.identity else None,
    }
    return testinfra.get_host(
        f"ssh://{user}{host}{port}",
        sudo=access.sudo,
        timeout=CONNECT_S,
        controlpath=control_path().replace("%", "%%"),  # testinfra formats its command line
        controlpersist=PERSIST_S,
        ssh_extra_args="-o BatchMode=yes",
        **{name: value for name, value in chosen.items() if value},
    )


def control_path() -> str:
    """Where ssh keeps the sockets of its connections: a folder that only this user can enter."""
    return f"{_runtime_folder()}/%C"


def _options(access: Access, way: Route) -> list[str]:
    options = [word for one in (*_SSH, f"ControlPath={control_path()}") for word in ("-o", one)]
    if way.ssh_config is not None:
        options += ["-F", str(way.ssh_config)]
    if way.user is not None:
        options += ["-l", way.user]
    if way.port is not None:
        options += ["-p", str(way.port)]
    if access.identity is not None:
        options += ["-o", "IdentitiesOnly=yes", "-i", str(access.identity)]
    return options


@cache
def _runtime_folder() -> str:
    """Short, because the path of a socket may have 107 bytes; the user's alone."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    folder = base / f"carp-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        return tempfile.mkdtemp(prefix="carp-")
    folder.chmod(0o700)
    return str(folder)


@cache
def _vagrant_config(name: str, machine: str) -> Path:
    """Vagrant's ssh-config of a machine, asked for once."""
    try:
        said = subprocess.run(
            ["vagrant", "ssh-config", machine],
            capture_output=True,
            text=True,
            check=False,
            timeout=_VAGRANT_S,
        )
    except FileNotFoundError as error:
        raise HostError(name, "the command 'vagrant' is missing", "apt-get install vagrant") from error
    except subprocess.TimeoutExpired as error:
        raise HostError(
            name, f"vagrant did not answer in {_VAGRANT_S} s", "try: vagrant ssh-config"
        ) from error
    if said.returncode != 0:
        why = (said.stderr.strip() or said.stdout.strip()).splitlines()[-1:]
        raise HostError(name, f"vagrant knows no way to it ({' '.join(why)})", f"vagrant up {machine}")
    path = Path(_runtime_folder(), f"{machine}.ssh-config")
    path.write_text(said.stdout, encoding="utf-8")
    return path
