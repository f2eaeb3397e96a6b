"""Which system a machine runs, as it says itself, and which dialect that is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from conformance.lab.shell import HostError, Shell
from conformance.model.dialects import Dialect, dialect
from conformance.model.rows import FREEBSD_10, FREEBSD_13, FREEBSD_15, LEGACY, LEGACY_6, OPENBSD

ASK = "uname -s; uname -r; uname -v; uname -m"
STANDIN = "carp-conformance stand-in"
"""What a stand-in (:mod:`conformance.targets.remote.standin`) says in ``uname -v``, so that nobody takes it for the system."""
_RELEASE = re.compile(r"(?P<major>\d+)\.(?P<minor>\d+)")


@dataclass(frozen=True, slots=True)
class Identity:
    """``uname`` of a machine."""

    system: str
    release: str
    kernel: str
    architecture: str

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor version; (0, 0) where the release has none."""
        found = _RELEASE.match(self.release)
        return (int(found["major"]), int(found["minor"])) if found else (0, 0)

    @property
    def is_standin(self) -> bool:
        return STANDIN in self.kernel

    def __str__(self) -> str:
        return f"{self.system} {self.release} {self.architecture}"


def identify(shell: Shell) -> Identity:
    """Asks a machine what it is. Raises :class:`HostError`."""
    lines = [line.strip() for line in shell.do(ASK).splitlines() if line.strip()]
    if len(lines) != 4:
        raise HostError(
            shell.host, f"uname told {len(lines)} lines in place of four", "give a machine with a POSIX shell"
        )
    return Identity(*lines)


_FREEBSD = ((15, FREEBSD_15), (13, FREEBSD_13), (10, FREEBSD_10), (7, LEGACY), (5, LEGACY_6))
"""From which major version on which rules hold. Between two that were measured or read (9, 10, 13, 15) the older one's are taken."""


def dialect_of(identity: Identity) -> Dialect | None:
    """The dialect of a system; None for one without CARP rules here."""
    major, _ = identity.number
    if identity.system == "FreeBSD":
        key = next((key for least, key in _FREEBSD if major >= least), None)
        return None if key is None else dialect(key)
    return dialect(OPENBSD) if identity.system == "OpenBSD" else None


def facts(identity: Identity, sysctls: Mapping[str, int]) -> dict[str, object]:
    """What ``environment.json`` tells of a machine."""
    return {
        "system": identity.system,
        "release": identity.release,
        "kernel": identity.kernel,
        "architecture": identity.architecture,
        "sysctl": dict(sysctls),
    }
