"""Finds targets by name, through the entry-point group ``carp_conformance.targets``."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.targets.pixit import Pixit, PixitError, load

if TYPE_CHECKING:
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


def find(name: str, pixit: Pixit | None = None) -> Target:
    """The target ``name``, for the machines of ``pixit`` if there is one.

    Raises :class:`UnknownTarget`, and :class:`PixitError` where the file is for another target or the target takes none.
    """
    # The command line knows UnknownTarget from here, and must not load the models for it.
    from conformance.targets.protocol import Configurable

    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        raise UnknownTarget(name, names())
    target: Target = found[0].load()()
    if pixit is None:
        return target
    if pixit.system != name:
        raise PixitError(
            pixit.path,
            "system",
            f"it is for the target {pixit.system!r}, not for {name!r}",
            f"give --target {pixit.system}, or the file of {name}",
        )
    if not isinstance(target, Configurable):
        raise PixitError(
            pixit.path,
            "system",
            f"the target {name!r} takes no PIXIT: it makes its own machines",
            "leave --pixit out",
        )
    return target.configured(pixit)


def chosen(name: str, pixit: Path | None, interface: str | None) -> Target:
    """The target ``name`` as the options of a command line choose it: for the machines of the file ``pixit``, the tester on ``interface``.

    Raises as :func:`find`, and :class:`PixitError` for a file that cannot be used.
    """
    if pixit is None:
        return find(name)
    read = load(pixit)
    return find(name, replace(read, tester_interface=interface) if interface else read)
