"""What each effect of a transition does. A dialect's transition table names them; nothing else changes a
virtual host's state or timers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.model import adverts
from conformance.model.actions import Script, State, StateChange
from conformance.model.transitions import Effect, Input, InvalidTransition, Transition
from conformance.wire.vrrp3 import CENTISECOND_NS

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Vhost


@dataclass(slots=True)
class Happening:
    """An input that happens to a virtual host: the transition it causes, when, and the family (4 or 6) of the
    advertisement that caused it (0 if none did).
    """

    host: Host
    vhost: Vhost
    what: Input
    transition: Transition
    now_ns: int
    family: int


Carrier = Callable[[Happening], None]


def enter(it: Happening) -> None:
    """Enters the new state; timers of the old one that cannot matter any more are dropped."""
    vhost, transition = it.vhost, it.transition
    old, vhost.state = vhost.state, transition.to
    assert transition.reason is not None, "a row of the table that enters a state gives its reason"
    if transition.to is State.MASTER:
        vhost.down_ns = vhost.down6_ns = None
    it.host.act(StateChange(vhost.port.name, vhost.vhid, old, transition.to, transition.reason.value))
    line = it.host.dialect.log_states.get(transition.reason)
    it.host.say(
        line,
        device=vhost.device,
        which="" if vhost.nodes is None else f" (vhid {vhost.vhid})",
        vhid=vhost.vhid,
        interface=vhost.port.name,
        old=old.value,
        new=transition.to.value,
    )
    it.host.say(
        it.host.dialect.log_link, device=vhost.device, link="UP" if transition.to is State.MASTER else "DOWN"
    )


def advertise(it: Happening) -> None:
    adverts.advertise(it.host, it.vhost, it.now_ns)


def farewell(it: Happening) -> None:
    adverts.advertise(it.host, it.vhost, it.now_ns, farewell=True)


def announce(it: Happening) -> None:
    adverts.gratuitous_arp(it.host, it.vhost)
    adverts.neighbour_advertisements(it.host, it.vhost)


def announce_later(it: Happening) -> None:
    it.vhost.announce_in = 2


def announce_no_more(it: Happening) -> None:
    it.vhost.announce_in = -1


def arm_advertising(it: Happening) -> None:
    skew = it.vhost.config.advskew
    it.vhost.advertise_ns = (
        it.now_ns + adverts.interval_ns(it.host, it.vhost, skew) + it.host.dialect.timer_late_ns
    )


def stop_advertising(it: Happening) -> None:
    it.vhost.advertise_ns = None


def arm_down(it: Happening) -> None:
    """Restarts the timer of each family that the virtual host has an address of."""
    for family in (4, 6):
        if family in it.vhost.families:
            _arm(it, family)


def arm_family(it: Happening) -> None:
    _arm(it, it.family)


def _arm(it: Happening, family: int) -> None:
    dialect, config = it.host.dialect, it.vhost.config
    if it.vhost.routes is not None:
        down_ns = it.vhost.routes.down_cs(it.vhost.master_cs, config.priority) * CENTISECOND_NS
    else:
        down_ns = dialect.master_down_ns(config.advbase, config.advskew, config.dead_ratio)
    due_ns = it.now_ns + down_ns + dialect.timer_late_ns
    if family == 4:
        it.vhost.down_ns = due_ns
    else:
        it.vhost.down6_ns = due_ns


def stop_down(it: Happening) -> None:
    it.vhost.down_ns = it.vhost.down6_ns = None


def script_up(it: Happening) -> None:
    it.host.act(Script(it.vhost.port.name, it.vhost.vhid, "up"))


def script_down(it: Happening) -> None:
    """Runs the down script; not at the start if the virtual host is neutral (-n)."""
    if it.what is not Input.USABLE or not it.vhost.config.neutral:
        it.host.act(Script(it.vhost.port.name, it.vhost.vhid, "down"))


def count(it: Happening) -> None:
    it.host.count("preempt")


def say_why(it: Happening) -> None:
    it.host.say(it.host.dialect.log_causes.get(it.what))


CARRIERS: dict[Effect, Carrier] = {
    Effect.ENTER: enter,
    Effect.ADVERTISE: advertise,
    Effect.FAREWELL: farewell,
    Effect.ANNOUNCE: announce,
    Effect.ANNOUNCE_LATER: announce_later,
    Effect.ANNOUNCE_NO_MORE: announce_no_more,
    Effect.ARM_ADVERTISING: arm_advertising,
    Effect.STOP_ADVERTISING: stop_advertising,
    Effect.ARM_DOWN: arm_down,
    Effect.ARM_FAMILY: arm_family,
    Effect.STOP_DOWN: stop_down,
    Effect.SCRIPT_UP: script_up,
    Effect.SCRIPT_DOWN: script_down,
    Effect.COUNT: count,
    Effect.SAY_WHY: say_why,
}


def happen(host: Host, vhost: Vhost, what: Input, now_ns: int, family: int = 0) -> None:
    """Lets ``what`` happen to a virtual host: looks the transition up and carries its effects out in their
    order.

    Raises :class:`~conformance.model.transitions.InvalidTransition` if the dialect's table does not know it.
    """
    transition = host.dialect.transitions.get((vhost.state, what))
    if transition is None:
        raise InvalidTransition(host.dialect.key, vhost.state, what)
    it = Happening(host, vhost, what, transition, now_ns, family)
    for effect in transition.effects:
        host.dialect.carriers[effect](it)
