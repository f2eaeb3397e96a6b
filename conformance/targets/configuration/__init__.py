"""Configuration files of each dialect from one description of a host, and back: what an administrator would write."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from conformance.model.rows import FREEBSDS, LEGACIES, OPENBSD, UCARP
from conformance.targets.configuration import freebsd, openbsd, ucarp
from conformance.targets.configuration.machine import Files, Machine, NotReadable, NotRenderable, where

__all__ = ["Files", "Machine", "NotReadable", "NotRenderable", "parse", "render"]

_PLAIN = re.compile(r"[\w+,./:=@^%-]*", re.ASCII)
"""What neither a shell nor netstart(8) nor ifconfig(8) takes for anything else."""


def render(machine: Machine, key: str) -> Files:
    """The files of the dialect ``key`` (:data:`conformance.model.rows.KEYS`) that configure ``machine``.

    Raises :class:`NotRenderable` for a password that a shell or ifconfig would split, an address without a
    subnet, or more addresses than the dialect serves.
    """
    for interface, settings in machine.virtual:
        if not _PLAIN.fullmatch(settings.password):
            raise NotRenderable(
                where(interface, settings), "the password has a character of the shell's", "leave it out"
            )
    return _RENDERERS[key](machine)


def parse(files: Files, key: str) -> Machine:
    """The machine that ``files`` of the dialect ``key`` configure. Raises :class:`NotReadable`."""
    return _PARSERS[key](files)


_RENDERERS: Mapping[str, Callable[[Machine], Files]] = {
    **dict.fromkeys(LEGACIES, freebsd.legacy),
    **dict.fromkeys(FREEBSDS, freebsd.modern),
    OPENBSD: openbsd.openbsd,
    UCARP: ucarp.ucarp,
}
_PARSERS: Mapping[str, Callable[[Files], Machine]] = {
    **dict.fromkeys(LEGACIES, freebsd.read_legacy),
    **dict.fromkeys(FREEBSDS, freebsd.read_modern),
    OPENBSD: openbsd.read_openbsd,
    UCARP: ucarp.read_ucarp,
}
