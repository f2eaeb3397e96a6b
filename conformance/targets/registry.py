"""Finds targets by name, through the entry-point group ``carp_conformance.targets``."""

from __future__ import annotations

from importlib.metadata import entry_points

from conformance.targets.protocol import Target

GROUP = "carp_conformance.targets"


class UnknownTarget(LookupError):
    """No installed distribution offers a target of that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        self.name, self.known = name, known
        super().__init__(
            f"there is no target {name!r}; known targets: {', '.join(known) or 'none'}. A third party's target appears when its distribution is installed"
        )


def names() -> list[str]:
    """The names of all installed targets."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def find(name: str) -> Target:
    """The target ``name``; raises :class:`UnknownTarget`."""
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        raise UnknownTarget(name, names())
    target: Target = found[0].load()()
    return target
