"""The state machine as data: ``{(state, input): transition}``. What is not in a table cannot happen, and
trying it is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from conformance.model.actions import State

INIT, BACKUP, MASTER = State.INIT, State.BACKUP, State.MASTER


class Input(Enum):
    """What can happen to a virtual host."""

    USABLE = "link up and an address to serve"
    UNUSABLE = "link, interface or allow switched off"
    CLOSED = "carp interface taken down"
    RESET = "address set changed"
    MASTER_DOWN = "master-down timer ran out"
    SLOWER = "slower advertisement while preempting"
    WILL_TIME_OUT = "advertisement slower than three own intervals"
    DEMOTED = "advertisement with a higher demote count"
    BETTER = "advertisement of a better or equal master"
    WORSE = "any other valid advertisement"
    ORDERED_MASTER = "administrator orders MASTER"
    ORDERED_BACKUP = "administrator orders BACKUP"


class Reason(Enum):
    """Why a state changed; FreeBSD 13's words."""

    INITIALIZED = "initialization complete"
    DOWN = "hardware interface down"
    UP = "hardware interface up"
    CLOSED = "interface taken down"
    BETTER = "more frequent advertisement received"
    SLOWER = "preempting a slower master"
    WILL_TIME_OUT = "master will time out"
    DEMOTED = "master is demoted"
    MASTER_DOWN = "master timed out"
    ORDERED = "user requested via ifconfig"


class Effect(Enum):
    """What a transition does, in the order in which it stands in the row."""

    ENTER = "enter the new state and log it"
    ADVERTISE = "send an advertisement"
    FAREWELL = "send an advertisement 255/255"
    ANNOUNCE = "gratuitous ARP and neighbour advertisement for each address"
    ANNOUNCE_LATER = "announce again with the second next advertisement"
    ANNOUNCE_NO_MORE = "drop an announcement that is still to come"
    ARM_ADVERTISING = "next advertisement after advbase + advskew/256 s"
    STOP_ADVERTISING = "no more advertisements"
    ARM_DOWN = "restart the master-down timer"
    ARM_FAMILY = "restart the master-down timer of the family that was heard"
    STOP_DOWN = "stop the master-down timers"
    SCRIPT_UP = "run the up script and wait for it"
    SCRIPT_DOWN = "run the down script and wait for it"
    COUNT = "count the take-over (preempt)"
    SAY_WHY = "log the cause"


@dataclass(frozen=True, slots=True)
class Transition:
    """The state after an input and what is done on the way."""

    to: State
    reason: Reason | None
    effects: tuple[Effect, ...]


Table = Mapping[tuple[State, Input], Transition]

E = Effect
_BSD_TAKE_OVER = (E.ENTER, E.ADVERTISE, E.ANNOUNCE, E.ARM_ADVERTISING)
_OPENBSD_TAKE_OVER = (
    E.ANNOUNCE_NO_MORE,
    E.ENTER,
    E.ADVERTISE,
    E.ANNOUNCE,
    E.ANNOUNCE_LATER,
    E.ARM_ADVERTISING,
    E.COUNT,
)
_UCARP_TAKE_OVER = (E.ENTER, E.SCRIPT_UP, E.ANNOUNCE, E.ADVERTISE, E.ANNOUNCE_LATER, E.SAY_WHY)
_STOP = (E.STOP_ADVERTISING, E.STOP_DOWN, E.ENTER)
_STEP_DOWN = (E.STOP_ADVERTISING, E.ENTER, E.ARM_DOWN)


def _taking_over(
    effects: tuple[Effect, ...], *inputs: tuple[Input, Reason]
) -> dict[tuple[State, Input], Transition]:
    return {(BACKUP, what): Transition(MASTER, why, effects) for what, why in inputs}


_ELECTION = (
    (Input.MASTER_DOWN, Reason.MASTER_DOWN),
    (Input.SLOWER, Reason.SLOWER),
    (Input.WILL_TIME_OUT, Reason.WILL_TIME_OUT),
)
_DEMOTED = ((Input.DEMOTED, Reason.DEMOTED),)
_ORDERED = ((Input.ORDERED_MASTER, Reason.ORDERED),)

_COMMON: dict[tuple[State, Input], Transition] = {
    (INIT, Input.USABLE): Transition(BACKUP, Reason.INITIALIZED, (E.ENTER, E.ARM_DOWN)),
    (INIT, Input.UNUSABLE): Transition(INIT, None, (E.STOP_ADVERTISING, E.STOP_DOWN)),
    (BACKUP, Input.UNUSABLE): Transition(INIT, Reason.DOWN, _STOP),
    (MASTER, Input.UNUSABLE): Transition(INIT, Reason.DOWN, _STOP),
    (INIT, Input.RESET): Transition(INIT, None, (E.STOP_ADVERTISING, E.STOP_DOWN)),
    (BACKUP, Input.RESET): Transition(INIT, Reason.UP, _STOP),
    (MASTER, Input.RESET): Transition(INIT, Reason.UP, _STOP),
    (INIT, Input.BETTER): Transition(INIT, None, ()),
    (INIT, Input.WORSE): Transition(INIT, None, ()),
    (BACKUP, Input.BETTER): Transition(BACKUP, None, (E.ARM_FAMILY,)),
    (BACKUP, Input.WORSE): Transition(BACKUP, None, (E.ARM_FAMILY,)),
    (MASTER, Input.BETTER): Transition(BACKUP, Reason.BETTER, _STEP_DOWN),
    (MASTER, Input.WORSE): Transition(MASTER, None, ()),
    (MASTER, Input.ORDERED_BACKUP): Transition(BACKUP, Reason.ORDERED, _STEP_DOWN),
    (BACKUP, Input.ORDERED_BACKUP): Transition(BACKUP, None, ()),
    (MASTER, Input.ORDERED_MASTER): Transition(MASTER, None, ()),
    (INIT, Input.ORDERED_BACKUP): Transition(INIT, None, ()),
    (INIT, Input.ORDERED_MASTER): Transition(INIT, None, ()),
}
_CLOSING: dict[tuple[State, Input], Transition] = {
    (INIT, Input.CLOSED): Transition(INIT, None, ()),
    (BACKUP, Input.CLOSED): Transition(INIT, Reason.CLOSED, _STOP),
    (MASTER, Input.CLOSED): Transition(
        INIT, Reason.CLOSED, (E.STOP_ADVERTISING, E.STOP_DOWN, E.FAREWELL, E.ENTER)
    ),
}

_FREEBSD = _COMMON | _taking_over(_BSD_TAKE_OVER, *_ELECTION, *_ORDERED)
FREEBSD: Table = _FREEBSD
LEGACY: Table = _FREEBSD | _CLOSING
OPENBSD: Table = _COMMON | _CLOSING | _taking_over(_OPENBSD_TAKE_OVER, *_ELECTION, *_DEMOTED, *_ORDERED)
UCARP: Table = {
    (INIT, Input.USABLE): Transition(BACKUP, Reason.INITIALIZED, (E.ENTER, E.SCRIPT_DOWN, E.ARM_DOWN)),
    (BACKUP, Input.USABLE): Transition(BACKUP, None, (E.ARM_DOWN,)),
    (BACKUP, Input.UNUSABLE): Transition(BACKUP, None, (E.STOP_ADVERTISING, E.STOP_DOWN)),
    (MASTER, Input.UNUSABLE): Transition(
        BACKUP, Reason.DOWN, (E.ENTER, E.SCRIPT_DOWN, E.STOP_ADVERTISING, E.STOP_DOWN)
    ),
    (BACKUP, Input.BETTER): Transition(BACKUP, None, (E.ARM_FAMILY,)),
    (BACKUP, Input.WORSE): Transition(BACKUP, None, (E.ARM_FAMILY,)),
    (MASTER, Input.BETTER): Transition(
        BACKUP,
        Reason.BETTER,
        (E.ADVERTISE, E.ENTER, E.SCRIPT_DOWN, E.STOP_ADVERTISING, E.ARM_DOWN, E.SAY_WHY),
    ),
    (MASTER, Input.WORSE): Transition(MASTER, None, (E.ANNOUNCE, E.ANNOUNCE_LATER, E.SAY_WHY)),
    (BACKUP, Input.ORDERED_BACKUP): Transition(BACKUP, None, ()),
    (MASTER, Input.ORDERED_BACKUP): Transition(BACKUP, Reason.ORDERED, (E.ENTER, E.SCRIPT_DOWN)),
    **_taking_over(_UCARP_TAKE_OVER, *_ELECTION),
}


class InvalidTransition(RuntimeError):
    """An input that the dialect's table does not know in this state: machine or table is at fault."""

    def __init__(self, dialect: str, state: State, what: Input) -> None:
        self.dialect, self.state, self.input = dialect, state, what
        super().__init__(
            f"{dialect}: nothing is defined for {what.name} ({what.value}) in state {state.value}; "
            "add the row to its transition table"
        )
