"""What every implementation of CARP does alike, as one record of named rules beside the rows of the dialects: a mutant replaces them in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.model.actions import State
from conformance.model.administering import Limits
from conformance.wire.digest import KEY_LENGTH

if TYPE_CHECKING:
    from conformance.model.packet import Packet
    from conformance.model.vhost import Port

Emits = Callable[["Port", bytes, int | None], tuple[bytes, ...]]
"""The frames that leave a port for one that the host sends; the vhid is given if it is an advertisement."""
Takes = Callable[["Packet"], bool]
"""Whether the IP layer of a kernel hands a CARP packet on."""
Counts = Callable[[str], tuple[str, ...]]
"""The counters that an event of this name moves."""


def as_made(port: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:  # noqa: ARG001  # the shape of Emits
    """One frame, as it was made."""
    return (frame,)


def sound_and_whole(packet: Packet) -> bool:
    """The IPv4 header sums to zero, the lengths fit, and it is no fragment."""
    return packet.sound and not packet.fragment


def its_own(counter: str) -> tuple[str, ...]:
    """The counter of that name."""
    return (counter,)


_VHIDS = Limits(1, 255)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Common:
    """The rules without a difference. They stand in the sources of all implementations that the rows name."""

    emits: Emits = as_made
    takes: Takes = sound_and_whole
    counts: Counts = its_own
    answers_in: tuple[State, ...] = (State.MASTER,)
    """States in which a virtual host answers ARP, neighbour solicitations and echo requests for its addresses."""
    vhids: Limits = _VHIDS
    password_length: int = KEY_LENGTH - 1
    """Characters of a password that the tools put into the key."""
    refusal_changes_nothing: bool = True
    """Parameters are looked at before the first of them is taken over."""
    link_stops: bool = True
    """A lost link, an interface or a carp interface that is down stops a virtual host."""
    restarts_on_address: bool = True
    """A changed set of addresses puts a running virtual host through INIT."""
    link_recovers: bool = True
    """The demotion for a lost link is taken back when the link returns."""
    tells_demotion: bool = True
    """A demotion is advertised at once."""
    demotion_adds: bool = True
    """An order to demote adds to what is there."""
    unloads_demotion: bool = True
    """A virtual host that is removed takes its share of the demotion with it."""


COMMON = Common()
