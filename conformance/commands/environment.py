"""What a run ran on: ``environment.json``."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import conformance
from conformance.catalogue import Catalogue
from conformance.lab.shell import HostError
from conformance.report.certificate.secrets import cleaned
from conformance.report.private import Clean, cleaner_of
from conformance.targets.protocol import PUBLIC_PASSWORD, Examined, Profile, Target

_TOOLS = ("pytest", "pytest-xdist", "scapy", "pyroute2", "jinja2", "jsonschema")


def commit() -> str | None:
    """The commit of the source tree that the suite runs from, with ``+`` if it was changed since; None if it is not one."""
    root = Path(conformance.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    said = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+"],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or None


def profile_digest(profile: Profile) -> str:
    """SHA-256 over what the profile declares: capabilities and known deviations."""
    declared = {
        "name": profile.name,
        "dialect": profile.dialect.key,
        "pics": dict(profile.pics),
        "deviations": [asdict(d) for d in profile.deviations],
    }
    return "sha256:" + hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()


def environment(
    target: Target, catalogue: Catalogue, target_version: str, rig: dict[str, Any]
) -> dict[str, Any]:
    """The document: suite, catalogue, target, machine, tools and the rig's own jitter."""
    clean = cleaner_of(target.profile.password, PUBLIC_PASSWORD) or str
    return {
        "suite": {"version": conformance.__version__, "commit": commit(), "catalogue": catalogue.digest()},
        "target": {
            "name": target.profile.name,
            "version": target_version,
            "profile": profile_digest(target.profile),
        },
        "machine": {
            "kernel": platform.release(),
            "system": platform.version(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
        },
        "tools": {"python": platform.python_version()} | {name: version(name) for name in _TOOLS},
        "rig": rig,
    } | ({"machines": _machines(target, clean)} if isinstance(target, Examined) else {})


def _machines(target: Examined, clean: Clean) -> Any:
    """What the machines of the run say of themselves, without the password; that they do not answer any more spoils no result."""
    try:
        said = target.environment()
    except HostError as error:
        said = {"error": str(error)}
    return cleaned(said, clean)
