"""The target ``ucarp``: the system's ucarp in network namespaces."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import AbstractContextManager
from dataclasses import replace

from conformance.lab import netns
from conformance.targets.beside.keepalived import beside
from conformance.targets.netns_bench import Daemons, NetnsBench, NetnsHost, Starter, netns_bench
from conformance.targets.protocol import Iut, Settings
from conformance.targets.ucarp.driver import Ucarp
from conformance.targets.ucarp.profile import PROFILE

PROGRAM_VARIABLE = "CARP_CONFORMANCE_UCARP"
"""Environment variable that names another ucarp binary (a patched build, a wrapper)."""


class UcarpTarget:
    """A :class:`conformance.targets.protocol.Target`."""

    profile = replace(PROFILE, pics=beside({**PROFILE.pics, "second_interface": True}))

    def __init__(self) -> None:
        self.program = os.environ.get(PROGRAM_VARIABLE) or shutil.which(
            "ucarp", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        )

    def version(self) -> str:
        if self.program is None:
            return "unknown"
        said = subprocess.run([self.program, "--help"], capture_output=True, text=True, check=False)
        found = re.search(r"ucarp (\S+) - (.+)", said.stdout + said.stderr)
        return f"{found[1]} ({found[2].strip()})" if found else "unknown"

    def lacks(self) -> tuple[tuple[str, str], ...]:
        missing = []
        if self.program is None:
            missing.append(("ucarp is not installed", "apt-get install ucarp"))
        for tool, package in (("stdbuf", "coreutils"), ("ip", "iproute2")):
            if shutil.which(tool) is None:
                missing.append((f"the command {tool!r} is missing", f"apt-get install {package}"))
        return (*missing, *netns.lacks())

    def bench(self, hosts: int) -> AbstractContextManager[NetnsBench]:
        return netns_bench([self.starter()] * hosts)

    def starter(self) -> Starter:
        """One host of it, for a bench on which several implementations meet."""
        return Daemons(self._start)

    def _start(self, host: NetnsHost, settings: Settings) -> Iut:
        assert self.program is not None, "lacks() is asked before a bench is made"
        return Ucarp(host, settings, self.program)
