"""The target ``openbsd``: OpenBSD on machines."""

from __future__ import annotations

from conformance.targets.openbsd.profile import FAMILY
from conformance.targets.remote.target import RemoteTarget


def openbsd() -> RemoteTarget:
    """The target without machines; ``configured`` gives it some."""
    return RemoteTarget(FAMILY)
