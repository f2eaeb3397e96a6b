"""How an IUT is configured, and how an implementation says that it will not have that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.wire.digest import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one IUT is configured. ``options`` are the implementation's own (``dead_ratio`` of ucarp …); unknown ones are refused by the driver."""

    vhid: int = 1
    password: str = field(repr=False)
    addresses: tuple[Address, ...]
    advbase: int = 1
    advskew: int = 0
    preempt: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


class ConfigurationRefused(Exception):
    """The implementation did not accept its settings: its exit status, if it has one, and what it said."""

    def __init__(self, status: int | None, said: str) -> None:
        self.status, self.said = status, said
        super().__init__(
            f"the implementation refused its configuration (exit status {status}): {said.strip() or 'it said nothing'}"
        )
