"""Locks of machines: a machine takes part in one cell at a time, on this host, whoever runs the matrix."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def held(machines: Iterable[str], folder: Path) -> Iterator[None]:
    """Waits until nobody else uses any of ``machines``, and keeps them until the end; the kernel lets go of them if this process dies.

    Always in the order of their names, so that two pairs with a machine in common cannot wait for each other.
    """
    with ExitStack() as stack:
        for name in sorted(set(machines)):
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / f"{re.sub(r'[^A-Za-z0-9._-]', '-', name)}.lock").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
