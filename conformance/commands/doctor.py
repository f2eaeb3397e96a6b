"""``doctor``: what this machine has and lacks for each target, with the command that mends each lack."""

from __future__ import annotations

import platform
import shutil
import sys
from typing import Any

from conformance.targets.registry import find, names


def doctor(target: str | None) -> dict[str, Any]:
    """The document of ``doctor --json``: general checks, then one for each lack of each target (or of ``target`` alone)."""
    checks = [
        _check(
            "python",
            sys.version_info >= (3, 11),
            f"Python {platform.python_version()}",
            "install Python 3.11 or later",
        ),
        _check(
            "linux",
            sys.platform == "linux",
            f"{platform.system()} {platform.release()}",
            "run the tester on Linux: it needs packet sockets",
        ),
        _check(
            "tshark",
            shutil.which("tshark") is not None,
            "tshark, to look into evidence (optional)",
            "apt-get install tshark",
            optional=True,
        ),
    ]
    ready = []
    for name in [target] if target else names():
        lacks = find(name).lacks()
        checks += [_check(f"{name}: {what}", False, what, remedy) for what, remedy in lacks] or [
            _check(name, True, f"{name} can be tested here", None)
        ]
        ready.append({"name": name, "ready": not lacks})
    return {"checks": checks, "targets": ready}


def _check(id: str, ok: bool, what: str, remedy: str | None, *, optional: bool = False) -> dict[str, Any]:
    return {"id": id, "ok": ok, "what": what, "remedy": None if ok else remedy, "optional": optional}
