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
    needs_privilege: bool = True
    """Parameters and sysctls are written by root alone."""
    key_for_root_only: bool = True
    """Only root is shown the password."""
    forwards_in: tuple[State, ...] = (State.MASTER,)
    """States in which a packet to the virtual MAC is taken in, and so forwarded."""
    sends_from_shared_in: tuple[State, ...] = (State.MASTER,)
    """States in which a program on the host can send from a shared address, and so from the virtual MAC."""
    asks_from_shared_in: tuple[State, ...] = (State.MASTER,)
    """States in which a shared address may be the source of a neighbour solicitation."""
    repeats_announcements: bool = False
    """The host's setting for repeated gratuitous ARP counts for shared addresses."""
    locks_on_a_bridge: bool = False
    """A change of state on a bridge stops the host for good."""
    forgets_with_a_member: bool = False
    """A virtual host on top of an aggregation is lost with a member of it."""
    leaves_silently: bool = True
    """A virtual host that is removed, and a daemon that ends, say nothing."""
    needs_address: bool = True
    """A virtual host without an address stays in INIT."""
    takes_address_again: bool = True
    """An address that a virtual host has can be set again."""
    marks_duplicates: bool = False
    """An address that somebody else is heard to have is not used any more."""
    forgets_mac: bool = True
    """Nothing is taken in at the MAC of a virtual host that was removed."""
    survives_removal: bool = True
    """Virtual hosts can be made after one was removed."""
    suppress_is_read_only: bool = True
    """What counts failures (suppress_preempt) is read and not written."""
    tells_state: bool = True
    """A daemon logs its state when it is asked to."""
    takes_minus_vhid: bool = False
    """ifconfig removes a virtual host by the word -vhid."""
    checks_netlink: bool = True
    """What comes by netlink is checked as what comes by ioctl."""
    unloads_demotion: bool = True
    """A virtual host that is removed takes its share of the demotion with it."""


COMMON = Common()
