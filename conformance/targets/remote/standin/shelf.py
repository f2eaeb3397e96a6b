"""The commands of a stand-in: a folder that is its whole PATH, so that the shell itself refuses every other command."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

from conformance.targets.remote.standin import client

COMMANDS = (
    "arp", "dmesg", "ifconfig", "inetd", "jail", "jexec", "kldload", "kldstat", "logger", "ls", "nc", "ndp", "netstat",
    "route", "sysctl", "tail", "uname",
)  # fmt: skip
"""What the stand-in answers; what of it a system does not have it refuses itself."""
TOOLS = ("cat", "grep", "od", "rm", "sh", "sleep")
"""What is the same everywhere and is this machine's own."""


class NoTool(RuntimeError):
    """A tool of this machine that the stand-in needs is missing."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the command {name!r} is missing: apt-get install coreutils grep")


def fill(folder: Path) -> Path:
    """Makes the commands of the stand-in whose socket is ``folder/socket``; returns the program that is its shell. Raises :class:`NoTool`."""
    commands = folder / "bin"
    commands.mkdir()
    source = Path(client.__file__).read_text(encoding="utf-8")
    body = f"#!{sys.executable} -ISE\n{source}"
    for name in COMMANDS:
        _executable(commands / name, body)
    for name in TOOLS:
        found = shutil.which(name)
        if found is None:
            raise NoTool(name)
        (commands / name).symlink_to(os.path.realpath(found) if name != "sh" else found)
    shell = folder / "shell"
    _executable(shell, f'#!/bin/sh\nexec env -i PATH={commands} HOME=/ {commands}/sh "$@"\n')
    return shell


def _executable(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
