"""The target ``freebsd``: FreeBSD 10 and later on machines."""

from __future__ import annotations

from conformance.targets.freebsd.profile import FAMILY
from conformance.targets.remote.target import RemoteTarget


def freebsd() -> RemoteTarget:
    """The target without machines; ``configured`` gives it some."""
    return RemoteTarget(FAMILY)
