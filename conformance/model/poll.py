"""ucarp's main loop: it sees frames, timers, signals and its link only when poll(2) returns (``docarp`` in
ucarp's ``carp.c``).

libpcap hands a frame over when its read timeout (a free-running timer) ends, one frame each time the loop
comes round.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from conformance.model import adverts, receive
from conformance.model.actions import Exit, Log, Script, State
from conformance.model.effects import happen
from conformance.model.loglines import ERROR, INFO
from conformance.model.packet import Packet
from conformance.model.timing import MS, PollLoop
from conformance.model.transitions import Input

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Vhost


class Signal(Enum):
    """The signals that ucarp knows."""

    USR1 = "log the state"
    USR2 = "step down"
    TERM = "end (also INT, HUP, QUIT)"


class Pause(Enum):
    """Why the loop sleeps."""

    NONE = "it does not"
    LINK = "link is down"
    ORDER = "SIGUSR2"


@dataclass(slots=True)
class Poller:
    """The loop of one ucarp process."""

    loop: PollLoop
    opened_ns: int
    wake_ns: int
    frames: list[tuple[int, Packet]] = field(default_factory=list)
    """Frames with the time at which libpcap hands them over."""
    running: bool = True
    pause: Pause = Pause.NONE

    def deadline_ns(self) -> int:
        """When the loop does something next."""
        if self.pause is Pause.NONE and self.frames:
            return min(self.wake_ns, self.frames[0][0])
        return self.wake_ns

    def hear(self, packet: Packet, now_ns: int) -> None:
        """A frame reached libpcap's ring."""
        timeout_ns = self.loop.read_timeout_ns
        self.frames.append(
            (self.opened_ns + ((now_ns - self.opened_ns) // timeout_ns + 1) * timeout_ns, packet)
        )

    def step_clock(self, by_ns: int) -> None:
        """What the kernel measures is not moved: the end of the sleep, and of libpcap's read."""
        self.opened_ns += by_ns
        self.wake_ns += by_ns
        self.frames = [(due_ns + by_ns, packet) for due_ns, packet in self.frames]


def begin(host: Host, vhost: Vhost, now_ns: int, loop: PollLoop) -> None:
    """The process starts."""
    vhost.poller = Poller(loop, now_ns, now_ns)
    happen(host, vhost, Input.USABLE, now_ns)
    _top(host, vhost, vhost.poller, now_ns)


def wake(host: Host, vhost: Vhost, poller: Poller, now_ns: int) -> None:
    """poll(2) or sleep(3) returns at ``now_ns``."""
    if poller.pause is not Pause.NONE:
        _end_pause(host, vhost, poller, now_ns)
        return
    if poller.frames and poller.frames[0][0] <= now_ns:
        packet = poller.frames.pop(0)[1]
        receive.accept(host, vhost.port, packet, now_ns, vhost.port.name, vhost=vhost)
    if vhost.down_ns is not None and now_ns >= vhost.down_ns:
        happen(host, vhost, Input.MASTER_DOWN, now_ns)
    if vhost.advertise_ns is not None and vhost.advertise_ns - now_ns < 2 * MS:
        adverts.advertise(host, vhost, now_ns)
    _top(host, vhost, poller, now_ns)


def _end_pause(host: Host, vhost: Vhost, poller: Poller, now_ns: int) -> None:
    if poller.pause is Pause.ORDER:
        vhost.advertise_ns = None
        happen(host, vhost, Input.USABLE, now_ns)
    poller.pause = Pause.NONE
    _top(host, vhost, poller, now_ns)


def _top(host: Host, vhost: Vhost, poller: Poller, now_ns: int) -> None:
    """The top of the loop: looks at the link, then sets the time of the next wake."""
    if not vhost.port.running:
        happen(host, vhost, Input.UNUSABLE, now_ns)
        poller.running, poller.pause, poller.wake_ns = False, Pause.LINK, now_ns + poller.loop.link_sleep_ns
        return
    if not poller.running:
        poller.running = True
        happen(host, vhost, Input.USABLE, now_ns)
    if vhost.advertise_ns is None:
        poller.wake_ns = now_ns + poller.loop.period_ns(vhost.config.advbase, vhost.config.advskew)
    else:
        poller.wake_ns = now_ns + max((vhost.advertise_ns - now_ns) // MS, 1) * MS


def signalled(host: Host, vhost: Vhost, poller: Poller, signal: Signal, now_ns: int) -> bool:
    """A signal interrupts the loop wherever it waits. Returns whether the process lives on."""
    if poller.pause is not Pause.NONE:
        _end_pause(host, vhost, poller, now_ns)
    if signal is Signal.TERM:
        if vhost.config.shutdown_script and vhost.state is not State.BACKUP:
            host.act(Script(vhost.port.name, vhost.vhid, "down"))
        host.act(Exit(vhost.port.name, vhost.vhid, 0 if vhost.config.shutdown_script else -15))
        return False
    if signal is Signal.USR1 and host.dialect.common.tells_state:
        state = "BACKUP" if vhost.state is State.BACKUP else "MASTER"
        host.act(Log(INFO, f"{state} on {vhost.port.name} id {vhost.vhid}"))
    elif signal is Signal.USR2 and vhost.state is not State.BACKUP:
        happen(host, vhost, Input.ORDERED_BACKUP, now_ns)
        poller.pause, poller.wake_ns = Pause.ORDER, now_ns + poller.loop.order_sleep_ns
        return True
    if poller.pause is Pause.NONE:
        _top(host, vhost, poller, now_ns)
    return True


def interface_gone(host: Host, vhost: Vhost) -> None:
    """The interface was removed from the host: poll(2) fails and the process ends."""
    host.act(Log(ERROR, "exiting: pfds[0].revents = 8"))
    if vhost.config.shutdown_script and vhost.state is not State.BACKUP:
        host.act(Script(vhost.port.name, vhost.vhid, "down"))
    host.act(Exit(vhost.port.name, vhost.vhid, 0))
