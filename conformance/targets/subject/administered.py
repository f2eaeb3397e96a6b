"""What an administrator does to an IUT and to its host: each needs a capability, whose protocol the driver implements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from conformance.lab.shell import Said
from conformance.targets.platform import Booting, Clocked, Commanding, Notifying
from conformance.targets.protocol import (
    Changeable,
    Closable,
    Counting,
    Demotable,
    Detachable,
    Groupable,
    Listing,
    Orderable,
    Switchable,
    Tunable,
    Unsending,
)
from conformance.targets.subject.recognised import Recognised
from conformance.wire.digest import Address


@dataclass(slots=True)
class Administered(Recognised):
    """One IUT with what can be done to it, and read of it, on its host."""

    def remove_interface(self) -> None:
        """Its host loses the interface that it runs on (needs interface_removal)."""
        cast("Detachable", self.host).remove_interface()

    def counters(self) -> Mapping[str, int]:
        """The counters of its host as they are now (needs counters)."""
        return dict(cast("Counting", self.host).counters())

    def sysctls(self) -> Tunable:
        """The ``net.inet.carp`` switches of its host (needs sysctl)."""
        return cast("Tunable", self.host)

    def reconfigure(self, **changes: Any) -> None:
        """Changes its parameters while it runs (needs reconfigure)."""
        cast("Changeable", self.iut).reconfigure(**changes)
        self._is_told()

    def add_address(self, address: Address) -> None:
        """Gives it one more shared address (needs reconfigure)."""
        cast("Changeable", self.iut).add_address(address)
        self._is_told()

    def remove_address(self, address: Address) -> None:
        """Takes a shared address from it (needs reconfigure)."""
        cast("Changeable", self.iut).remove_address(address)
        self._is_told()

    def _is_told(self) -> None:
        self.settings = self.iut.settings
        self.told.append(self.settings)

    def request_state(self, state: str) -> None:
        """Orders it to become ``MASTER`` or ``BACKUP`` (needs state_request)."""
        cast("Orderable", self.iut).request_state(state)

    def carp_interface(self, *, up: bool) -> None:
        """Takes its carp interface down or up (needs carp_interface)."""
        cast("Closable", self.iut).interface(up=up)

    def join_group(self, group: str) -> None:
        """Puts its carp interface into one more group (needs interface_groups)."""
        cast("Groupable", self.iut).join_group(group)

    def host_interface(self, *, up: bool) -> None:
        """Takes the interface of its host down or up (needs interface_switch)."""
        cast("Switchable", self.host).interface(up=up)

    def demote(self, amount: int, group: str = "carp") -> None:
        """Demotes its host (needs demotion_order)."""
        cast("Demotable", self.host).demote(amount, group)

    def demotion(self, group: str = "carp") -> int:
        """The demotion that its host tells (needs demotion_order)."""
        return cast("Demotable", self.host).demotion(group)

    def refuse_sending(self, *, refused: bool) -> None:
        """Lets its host fail to send advertisements (needs send_errors)."""
        cast("Unsending", self.host).refuse_sending(refused=refused)

    def vhids(self) -> tuple[int, ...]:
        """The vhids configured on the interface of its host (needs vhid_list)."""
        return cast("Listing", self.host).vhids()

    # --- its host as a machine (conformance.targets.platform)

    @property
    def interface_name(self) -> str:
        """The interface of its host, as the host's tools name it (needs commands)."""
        return cast("Commanding", self.host).interface_name

    @property
    def shown_by(self) -> str:
        """The interface at which ifconfig shows it (needs commands): its carp interface where it has one."""
        return f"carp{self.settings.vhid}" if self.dialect.own_interface else self.interface_name

    def command(self, line: str, *, undo: str = "", user: str = "root") -> Said:
        """Runs a command on its host (needs commands)."""
        return cast("Commanding", self.host).command(line, undo=undo, user=user)

    def shown(self) -> str:
        """What ifconfig shows root of it, without its key (needs commands)."""
        return self.command(f"ifconfig {self.shown_by}").out

    def step_clock(self, seconds: int) -> None:
        """Sets the wall clock of its host (needs clock)."""
        cast("Clocked", self.host).step_clock(seconds)

    def device_notices(self) -> tuple[str, ...]:
        """What the kernel of its host has told devd (needs device_events)."""
        return cast("Notifying", self.host).device_notices()

    def reboot(self) -> None:
        """Boots its host anew; its start-up files start the IUT again (needs reboot)."""
        iut = cast("Booting", self.host).reboot(virtual=self.settings)
        assert iut is not None, "the driver gives back what the start-up files start"
        self.iut = iut
