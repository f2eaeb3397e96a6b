"""What a driver of a whole machine promises besides :mod:`conformance.targets.protocol`: its command line, its boot, its clock, its drivers.

A driver gives a host those that it can, and names them in its PICS. Whatever a case changes the bench's ``reset`` undoes.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Any, Protocol

from conformance.lab.shell import Said
from conformance.targets.protocol import Iut, Settings


class Commanding(Protocol):
    """What a host with the capability ``commands`` can do besides."""

    interface_name: str
    """The interface on the CARP segment, as the machine's own tools name it."""

    def command(self, line: str, *, undo: str = "", user: str = "root") -> Said:
        """Runs a line for the machine's shell as ``root`` or, for any other ``user``, as an ordinary user without rights; says how it ended and what it printed.

        A refusal is an answer (its status), not an exception. ``undo`` takes the change back when the case is over, whether it was made or not.
        """


class Booting(Protocol):
    """What a host with the capability ``reboot`` can do besides."""

    def reboot(
        self, *, tunables: Mapping[str, int] | None = None, virtual: Settings | None = None
    ) -> Iut | None:
        """Boots the machine anew and returns as soon as its network is up, perhaps before all its services are.

        ``tunables`` are set by the boot loader (``net.inet.carp.allow``), a ``virtual`` host by its start-up files: that one is returned.
        """


class Clocked(Protocol):
    """What a host with the capability ``clock`` can do besides."""

    def step_clock(self, seconds: int) -> None:
        """Sets its wall clock forward, or back if negative; the tester's stays."""


class Unreported(Protocol):
    """What a host with the capability ``unreported_link`` can do besides."""

    def report_link(self, *, reported: bool) -> None:
        """Puts the virtual hosts to come on an interface of a kind that reports no link state, as a tunnel or an emulated card, or on the usual one again."""


class Notifying(Protocol):
    """What a host with the capability ``device_events`` can do besides."""

    def device_notices(self) -> tuple[str, ...]:
        """What the kernel has told devd since the case began, line by line: ``!system=CARP subsystem=1@em0 type=MASTER``."""


class Forwarding(Protocol):
    """What a host with the capability ``forwarding`` can do besides; it has the capability ``second_interface`` too."""

    def forward(self) -> None:
        """From now on it forwards IP packets between its interfaces."""


class Hub(Protocol):
    """What a bench with the capability ``hub`` can do besides."""

    def flood(self, *, on: bool) -> None:
        """Lets the segment deliver each frame to everybody, as a hub does, or learn addresses again."""


class Stackable(Protocol):
    """What a host with the capability ``stacked_interfaces`` can do besides."""

    def stack(self, *kinds: str) -> None:
        """Puts virtual hosts to come on an interface on top of the usual one: ``bridge``; or ``lagg``, of which that is one of two members, and ``vlan`` on it."""

    def member(self, *, up: bool) -> None:
        """Takes a member of what is below down or up; the other one stays."""


class Routing(Protocol):
    """What a host with the capability ``router_advertisements`` can do besides."""

    def advertise_routes(self, source: IPv6Address) -> None:
        """Runs a router advertisement daemon on its interface that sends every four seconds from the link-local address ``source``, shared or not (radvd: AdvRASrcAddress)."""


class Jailing(Protocol):
    """What a host with the capability ``network_stacks`` can do besides."""

    def jail(self) -> Commanding:
        """One more network stack on the same machine, to be given commands."""


class Netlinked(Protocol):
    """What a host with the capability ``netlink`` can do besides."""

    def netlink_set(self, **attributes: Any) -> int:
        """A request SET of the family ``carp`` on its interface (``vhid``, ``advbase``, ``advskew``, ``state``, ``key``); the errno of the answer, 0 if it was taken."""

    def netlink_get(self, vhid: int) -> Mapping[str, Any]:
        """The answer to a request GET: ``vhid``, ``state``, ``advbase``, ``advskew``."""
