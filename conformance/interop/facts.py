"""What a host says of itself before cells are sent to it: suite, implementations, machine, and what it lacks."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from conformance.interop.order import MatrixOrder


def facts(order: str) -> dict[str, Any]:
    """The facts that count for an order (:meth:`MatrixOrder.dumps`), in types that execnet carries.

    ``suite`` is a digest of the installed package, ``versions`` what is installed of each implementation, ``lacks`` what is missing and how to mend that.
    """
    cast = MatrixOrder.loads(order).cast()
    return {
        "suite": suite_digest(),
        "versions": {one.name: one.version for one in cast},
        "lacks": [
            f"{one.name}: {what}: {remedy}"
            for one in cast
            if not one.absent
            for what, remedy in one.target.lacks()
        ],
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """What cells run on, as far as it could explain a change."""
    return {
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def suite_digest() -> str:
    """SHA-256 over the package's own files: two hosts with the same digest run the same suite."""
    digest = hashlib.sha256()
    for path, file in sorted(_files(resources.files("conformance"), "")):
        digest.update(f"{path}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for one in folder.iterdir():
        if one.is_dir() and one.name != "__pycache__":
            found += _files(one, f"{prefix}{one.name}/")
        elif one.name.endswith((".py", ".toml", ".json")):
            found.append((prefix + one.name, one))
    return found
