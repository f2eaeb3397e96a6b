"""What a driver promises of an IUT, and what one can do besides, by its capability."""

from __future__ import annotations

from typing import Any, Protocol

from conformance.targets.protocol.settings import Settings
from conformance.wire.digest import Address


class Iut(Protocol):
    """One running CARP instance. What a driver cannot do its PICS denies; a case that needs it is not run."""

    settings: Settings
    started_ns: int
    """When its master-down timer began to run (since the epoch)."""

    def running(self) -> bool:
        """Whether it is still there (a process that has not ended, a vhid that is configured)."""

    def stop(self) -> None:
        """Ends it as an administrator would."""

    def kill(self) -> None:
        """Ends it without giving it a chance to say anything."""

    def signal(self, name: str) -> None:
        """Sends a signal by its name (``USR1``)."""

    def describe(self) -> str:
        """A few lines for a developer who reads a failure: state, last log lines."""


class Changeable(Protocol):
    """What an IUT with the capability ``reconfigure`` can do besides. Each raises :class:`ConfigurationRefused` and then has changed nothing more than the implementation did."""

    def reconfigure(self, **changes: Any) -> None:
        """Sets fields of :class:`Settings` (but vhid, addresses and preempt) on the running IUT, all in one request; of ``options`` those that are given."""

    def add_address(self, address: Address) -> None:
        """Gives it one more shared address, or one that it has already."""

    def remove_address(self, address: Address) -> None:
        """Takes a shared address from it."""


class Orderable(Protocol):
    """What an IUT with the capability ``state_request`` can do besides."""

    def request_state(self, state: str) -> None:
        """Orders it to become ``MASTER`` or ``BACKUP``."""


class Closable(Protocol):
    """What an IUT with the capability ``carp_interface`` can do besides."""

    def interface(self, *, up: bool) -> None:
        """Takes its carp interface down or up."""


class Groupable(Protocol):
    """What an IUT with the capability ``interface_groups`` can do besides."""

    def join_group(self, group: str) -> None:
        """Puts its carp interface into one more interface group."""
