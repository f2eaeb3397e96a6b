"""Who speaks CARP or VRRP on a segment, before anything is sent there."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from conformance.judge.listener import packet_socket, receive
from conformance.segment.loop import Loop, RealClock
from conformance.wire.digest import Address
from conformance.wire.frame import Frame, decode, is_vrrp
from conformance.wire.header import PROTOCOL

GATHER_NS = 1_500_000_000
"""How long more speakers are waited for after the first one that ends the listening."""


@dataclass(frozen=True, slots=True, order=True)
class Speaker:
    """Who was heard: ``protocol`` is ``carp``, ``vrrp``, or ``112`` for what is neither; ``vlans`` are the tags around it."""

    protocol: str
    id: int
    source: Address
    vlans: tuple[int, ...] = ()

    def __str__(self) -> str:
        tag = "".join(f" on VLAN {vlan}" for vlan in self.vlans)
        match self.protocol:
            case "carp":
                return f"{self.source} speaks CARP with vhid {self.id}{tag}"
            case "vrrp":
                return f"{self.source} speaks VRRP with id {self.id}{tag}"
        return f"{self.source} speaks IP protocol 112, but neither CARP nor VRRP{tag}"


Heard = dict[Speaker, Frame]
"""Who was heard, each with its last advertisement."""


def speaker(frame: Frame) -> Speaker | None:
    """Who speaks in a frame; None if it is nothing of IP protocol 112."""
    if frame.ip is None or frame.ip.protocol != PROTOCOL or frame.ip.fragment & 0x1FFF:
        return None
    source, vlans = frame.ip.source, frame.vlans
    if frame.carp is not None:
        return Speaker("carp", frame.carp.vhid, source, vlans)
    if is_vrrp(frame.payload):
        return Speaker("vrrp", frame.payload[1], source, vlans)
    return Speaker("112", frame.payload[1] if len(frame.payload) > 1 else 0, source, vlans)


def listen(interfaces: Sequence[str], for_ns: int, enough: Callable[[Speaker], bool]) -> dict[str, Heard]:
    """Listens on ``interfaces`` of the calling thread's network namespace, sends nothing, and tells who was heard on each.

    Ends after ``for_ns``, or :data:`GATHER_NS` after a speaker for whom ``enough`` is true. Raises :class:`conformance.judge.listener.WatchError`.
    """
    heard: dict[str, Heard] = {one: {} for one in interfaces}
    loop = Loop(RealClock())
    deadline_ns = loop.now_ns() + for_ns
    with contextlib.ExitStack() as stack:
        for interface in interfaces:
            wire = stack.enter_context(contextlib.closing(packet_socket(interface)))
            loop.clock.watch(wire, partial(_read, wire, heard[interface]))
        if loop.run_until(lambda: any(enough(who) for here in heard.values() for who in here), deadline_ns):
            loop.run_for(min(GATHER_NS, max(deadline_ns - loop.now_ns(), 0)))
    return heard


def _read(wire: socket.socket, heard: Heard) -> None:
    for received in receive(wire):
        frame = decode(received.data)
        who = speaker(frame)
        if who is not None:
            heard[who] = frame
