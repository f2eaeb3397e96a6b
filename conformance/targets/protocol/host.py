"""What a driver promises of a machine that IUTs run on, and what one can do besides, by its capability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from conformance.targets.protocol.iut import Iut
from conformance.targets.protocol.settings import Settings
from conformance.wire.digest import Address


class SutHost(Protocol):
    """A machine that an IUT runs on."""

    name: str
    addresses: tuple[Address, ...]
    """The real addresses that its advertisements may come from."""
    mac: bytes

    def start(self, settings: Settings) -> Iut:
        """Configures and starts an IUT; returns when it is in BACKUP. Raises :class:`ConfigurationRefused`."""

    def cable(self, *, plugged: bool) -> None:
        """Takes its link down or brings it up."""

    def serve(self, address: Address, port: int) -> None:
        """From now on a TCP service on ``address``, which need not be there yet, answers with the host's name and closes."""


class Counting(Protocol):
    """What a host with the capability ``counters`` can do besides."""

    def counters(self) -> Mapping[str, int]:
        """All counters of the host, by their names in ``struct carpstats`` (``ipackets``, ``badttl`` …)."""


class Detachable(Protocol):
    """What a host with the capability ``interface_removal`` can do besides."""

    def remove_interface(self) -> None:
        """Removes the interface that its IUT runs on; the bench's ``reset`` makes it again."""


class Tunable(Protocol):
    """What a host with the capability ``sysctl`` can do besides."""

    def sysctl(self, name: str) -> int:
        """The value of ``net.inet.carp.NAME``."""

    def set_sysctl(self, name: str, value: int) -> None:
        """Writes ``net.inet.carp.NAME``; the bench's ``reset`` restores the default."""


class Demotable(Protocol):
    """What a host with the capability ``demotion_order`` can do besides."""

    def demote(self, amount: int, group: str = "carp") -> None:
        """Demotes it by ``amount``, or takes that back if it is negative: a write to ``net.inet.carp.demotion``,
        ``carpdemote`` of ``group``, a failure elsewhere on the legacy line.

        Raises :class:`ConfigurationRefused`.
        """

    def demotion(self, group: str = "carp") -> int:
        """Its demotion as it tells it: the sum, the count of ``group``, ``suppress_preempt``."""


class Switchable(Protocol):
    """What a host with the capability ``interface_switch`` can do besides."""

    def interface(self, *, up: bool) -> None:
        """Takes its interface down or up, as an administrator does; the cable stays in."""


class Unsending(Protocol):
    """What a host with the capability ``send_errors`` can do besides."""

    def refuse_sending(self, *, refused: bool) -> None:
        """Lets every attempt to send an advertisement fail (ENOBUFS), or ends that."""


class Unnumbered(Protocol):
    """What a host with the capability ``own_addresses`` can do besides."""

    def remove_own_addresses(self, version: int) -> None:
        """Takes its real addresses of a family (4 or 6) from its interface; the bench's ``reset`` gives them back."""


class Listing(Protocol):
    """What a host with the capability ``vhid_list`` can do besides."""

    def vhids(self) -> tuple[int, ...]:
        """The vhids that are configured on its interface, in ascending order."""


@runtime_checkable
class Declaring(Protocol):
    """What a host has besides whose IUTs are configured by somebody else. A case takes what it does not ask for itself from here."""

    def declared(self, vhid: int | None) -> Mapping[str, Any]:
        """The fields of :class:`Settings` of its virtual host ``vhid`` (None: of its first); empty if there is none."""
