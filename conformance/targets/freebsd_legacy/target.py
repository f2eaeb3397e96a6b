"""The target ``freebsd-legacy``: FreeBSD 5.4 to 9 on machines."""

from __future__ import annotations

from conformance.targets.freebsd_legacy.profile import FAMILY
from conformance.targets.remote.target import RemoteTarget


def freebsd_legacy() -> RemoteTarget:
    """The target without machines; ``configured`` gives it some."""
    return RemoteTarget(FAMILY)
