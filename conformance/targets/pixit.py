"""The PIXIT: what the tester must know to test machines that are already there, read from a TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.wire.digest import Address

if TYPE_CHECKING:
    from conformance.model.dialects import Dialect

_MS = 1_000_000


class PixitError(Exception):
    """A PIXIT that cannot be used: the file, where in it, what is wrong there, and how to mend it."""

    def __init__(self, path: Path | None, where: str, what: str, remedy: str) -> None:
        self.path, self.where, self.what, self.remedy = path, where, what, remedy
        place = f"{path or 'the PIXIT'}, {where}" if where else f"{path or 'the PIXIT'}"
        super().__init__(f"{place}: {what}; {remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PixitHost:
    """One machine. ``connection`` is an address as testinfra writes it (``ssh://root@192.0.2.1:22``,
    ``local://``, ``vagrant://NAME``), or empty for a box that shows only its wire.
    """

    name: str
    connection: str = ""
    ssh_config: Path | None = None
    identity: Path | None = None
    sudo: bool = False
    interface: str = ""
    inner_interface: str = ""
    addresses: tuple[Address, ...] = ()
    inner_addresses: tuple[Address, ...] = ()
    mac: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """How a thing is done that the tester cannot do itself: a command of its machine (program and arguments), or a
    sentence to the person at the terminal. Either holds placeholders (``{host}`` …) and has ``limit_ns`` to be done.
    """

    command: tuple[str, ...] = ()
    prompt: str = ""
    limit_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSpeaker:
    """A speaker of ``carp`` or ``vrrp`` that may be heard on the segment; ``source`` None is any address."""

    protocol: str
    id: int
    source: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """How one virtual host of a box is configured that the tester cannot configure."""

    host: str
    vhid: int
    addresses: tuple[Address, ...]
    advbase: int = 1
    advskew: int = 0
    preempt: bool = False
    dead_ratio: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixit:
    """All of it. ``path`` is the file it was read from, if it was read from one; ``vhids`` and ``vlans`` are what the tester may use."""

    path: Path | None = None
    system: str
    hosts: tuple[PixitHost, ...]
    tester_interface: str = ""
    tester_addresses: tuple[Address, ...] = ()
    tester_inner_interface: str = ""
    tester_inner_addresses: tuple[Address, ...] = ()
    vhids: range = range(1, 256)
    password: str = field(default="", repr=False)
    shared_addresses: tuple[Address, ...] = ()
    shared_inner_addresses: tuple[Address, ...] = ()
    granularity_ms: float | None = None
    may_change: frozenset[str] = frozenset()
    vlans: range | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)
    speakers: tuple[KnownSpeaker, ...] = ()
    declared: tuple[Declared, ...] = ()
    dialect: str = ""
    product: str = ""

    def coarsened(self, rules: Dialect) -> Dialect:
        """``rules`` with timers as coarse as is declared here: early and late by as much more."""
        if self.granularity_ms is None:
            return rules
        slack, coarse_ns = rules.timer_slack, round(self.granularity_ms * _MS)
        wider = replace(slack, early_ns=slack.early_ns + coarse_ns, late_ns=slack.late_ns + coarse_ns)
        return replace(rules, timer_slack=wider)


def load(path: Path) -> Pixit:
    """Reads the PIXIT file ``path``, its password included. Raises :class:`PixitError` for the fault that explains most."""
    from conformance.targets.pixit_file import pixit_of

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PixitError(
            path, "", f"it cannot be read ({error.strerror})", "give the path of a PIXIT file"
        ) from error
    except UnicodeDecodeError as error:
        raise PixitError(path, "", "it is not a text in UTF-8", "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise PixitError(path, "", f"it is not TOML ({error})", "mend the syntax there") from error
    return pixit_of(document, path, os.environ)
