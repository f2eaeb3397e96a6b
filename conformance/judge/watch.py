"""``watch``: the live view of a segment. Strictly passive: the socket is only ever read from.

Waiting is a selector's business: the packet socket, and a pipe by which an interrupt wakes it. Nothing
sleeps.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import IO, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from conformance.judge import document, inspection, surroundings
from conformance.judge.lane import Options
from conformance.judge.reporter import Reporter
from conformance.judge.session import Session
from conformance.judge.summary import plain, summary_text
from conformance.wire.digest import Address

_ETH_P_ALL = 0x0003
_SO_TIMESTAMPNS = 35
_TPACKET_AUXDATA, _SOL_PACKET, _PACKET_AUXDATA = "=IIIHHHH", 263, 8
_VLAN_VALID = 1 << 4
_PACKET_STATISTICS = 6
_SNAPLEN = 65_535
_REFRESH_S = 0.5
_RECEIVE_BUFFER = 4 << 20


class WatchError(Exception):
    """The interface cannot be watched: ``interface``, ``problem`` and ``remedy``."""

    def __init__(self, interface: str, problem: str, remedy: str) -> None:
        self.interface = interface
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{interface}: {problem}; {remedy}.")


class InterfaceDown(WatchError):
    """The interface went down while it was listened on; told once each time."""


@dataclass(frozen=True, slots=True)
class Received:
    """A frame as the kernel handed it over, with its receive time stamp (nanoseconds since the epoch)."""

    time_ns: int
    data: bytes


def packet_socket(interface: str) -> socket.socket:
    """A socket that only listens on ``interface``, for :func:`receive`. Raises :class:`WatchError`."""
    if not hasattr(socket, "AF_PACKET"):
        raise WatchError(
            interface,
            "only Linux can be listened on",
            f"elsewhere let tcpdump listen: tcpdump -i {interface} -U -s 0 -w - 'proto 112 or arp or icmp6' | carp-conformance judge -",
        )
    try:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise WatchError(
            interface, "listening needs the capability CAP_NET_RAW", "run this as root or give the capability"
        ) from error
    try:
        wire.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        wire.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        wire.bind((interface, _ETH_P_ALL))
        wire.setblocking(False)
        with contextlib.suppress(
            OSError
        ):  # without promiscuous mode multicast still arrives on most interfaces
            index = socket.if_nametoindex(interface)
            wire.setsockopt(_SOL_PACKET, 1, struct.pack("iHH8s", index, 1, 0, b""))
    except OSError as error:
        wire.close()
        raise WatchError(
            interface,
            f"cannot be listened on ({error.strerror})",
            "give the name of an interface that is up (ip link)",
        ) from error
    return wire


def receive(wire: socket.socket) -> Iterator[Received]:
    """The frames that wait in a packet socket; puts back the VLAN tag that the kernel took off. Raises :class:`InterfaceDown`."""
    while True:
        try:
            data, ancillary, _flags, _address = wire.recvmsg(_SNAPLEN, 256)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENETDOWN:
                raise
            raise InterfaceDown(
                wire.getsockname()[0], "went down while it was listened on", "bring it up again"
            ) from error
        time_ns, tag = time.time_ns(), b""
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", value[:16])
                time_ns = seconds * 1_000_000_000 + nanoseconds
            elif level == _SOL_PACKET and kind == _PACKET_AUXDATA:
                status, _length, _snaplen, _mac, _net, tci, protocol = struct.unpack(
                    _TPACKET_AUXDATA, value[:20]
                )
                if status & _VLAN_VALID:
                    tag = struct.pack("!HH", protocol or 0x8100, tci)
        yield Received(time_ns, data[:12] + tag + data[12:])


def _take(wire: socket.socket, session: Session, number: int) -> tuple[int, bool]:
    """Feeds the frames that wait to ``session``, numbered from ``number`` on; returns how many there were, and whether the interface is still up."""
    taken = 0
    try:
        for taken, received in enumerate(receive(wire), 1):
            session.frames += 1
            session.packet(received.time_ns, 0, number + taken, received.data, False)
    except InterfaceDown:
        return taken, False
    return taken, True


def _there(interface: str) -> bool:
    return any(name == interface for _, name in socket.if_nameindex())


def table(session: Session, interface: str) -> Table:
    """The terminal view: one row a virtual host and family."""
    view = Table(title=f"CARP on {plain(interface)}, {session.frames} frames", expand=False)
    for column in (
        "vhid",
        "IP",
        "master",
        "advbase/advskew",
        "interval",
        "advertisements",
        "last hand-over",
        "faults",
    ):
        view.add_column(column)
    for host in sorted(session.hosts.values(), key=lambda one: (one.vlans, one.vhid)):
        for family in host.families.values():
            masters = list(family.history.standing)
            forms = [speaker.last_form for speaker in masters if speaker.last_form is not None]
            spacing = [one for speaker in masters[:1] for one in speaker.spacings.values() if one.count]
            last = family.history.latest
            faults = [
                one.text
                for one in inspection.of_family(session, host, family)
                if one.severity.word != "notice"
            ]
            view.add_row(
                f"{host.vhid}" + "".join(f" (VLAN {vlan})" for vlan in host.vlans),
                f"v{family.version}",
                " and ".join(str(speaker.source) for speaker in masters) or "none",
                ", ".join(f"{form.advbase}/{form.advskew}" for form in forms),
                f"{spacing[-1].total_ns / spacing[-1].count / 1e9:.3f} s" if spacing else "",
                str(sum(speaker.count for speaker in family.speakers.values())),
                f"{document.iso(last.time_ns)[11:19]} {last.cause.value}" if last is not None else "",
                faults[0] if faults else "",
            )
    graves = [one.text for one in surroundings.of_segment(session) if one.severity.word != "notice"]
    view.caption = "\n".join(plain(text) for text in graves) or None
    return view


def _lost(wire: socket.socket) -> int:
    """Frames that the kernel dropped since the last call, because nobody took them in time."""
    with contextlib.suppress(OSError):
        return int(struct.unpack("@II", wire.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1])
    return 0


def _notes(interface: str, lost: int, downs: int, *, gone: bool) -> list[str]:
    """What the listener could not hear, in sentences."""
    notes = []
    if lost:
        notes.append(f"{interface}: {lost} frames were lost, because this machine could not keep up.")
    if downs:
        notes.append(f"{interface} went down {downs} times; nothing could be heard until it was up again.")
    if gone:
        notes.append(f"{interface} is gone; nothing could be heard any more.")
    return notes


@contextlib.contextmanager
def _interrupts(selector: selectors.BaseSelector) -> Iterator[Callable[[], bool]]:
    """While active, an interrupt or termination signal wakes ``selector``; yields a function that tells
    whether one came.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    came: list[int] = []
    old = {
        number: signal.signal(number, lambda got, _frame: came.append(got))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    before = signal.set_wakeup_fd(writer)
    selector.register(reader, selectors.EVENT_READ)
    try:
        yield lambda: bool(came)
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in old.items():
            signal.signal(number, handler)
        selector.unregister(reader)
        os.close(reader)
        os.close(writer)


def watch(
    interface: str,
    *,
    vhid: int | None = None,
    passwords: Iterable[str] = (),
    addresses: Iterable[Address | str] = (),
    dialect: str | None = None,
    json_lines: bool = False,
    output: IO[str] | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Watches ``interface`` until Ctrl-C (or for ``seconds``) and returns the same document as ``judge``;
    it sends nothing.

    Prints a live table, or with ``json_lines`` one JSON object a line for each event, and the summary at
    the end. Raises :class:`WatchError`,
    and what :func:`conformance.judge.judge.judge` raises for its arguments.
    """
    given = tuple(ip_address(one) if isinstance(one, str) else one for one in addresses)
    session, out = Session(Options(tuple(passwords), given, vhid, dialect)), output or sys.stdout
    deadline = None if seconds is None else time.monotonic() + seconds

    def emit(event: dict[str, Any]) -> None:
        print(json.dumps(event), file=out, flush=True)

    reporter = Reporter(emit)
    number = lost = downs = 0
    gone = False
    with contextlib.ExitStack() as stack:
        wire = stack.enter_context(contextlib.closing(packet_socket(interface)))
        selector = stack.enter_context(selectors.DefaultSelector())
        selector.register(wire, selectors.EVENT_READ)
        stopped = stack.enter_context(_interrupts(selector))
        live = (
            None
            if json_lines
            else stack.enter_context(Live(console=Console(file=out), auto_refresh=False, transient=True))
        )
        refreshed = 0.0
        while not stopped() and (deadline is None or time.monotonic() < deadline):
            selector.select(
                _REFRESH_S if deadline is None else max(min(_REFRESH_S, deadline - time.monotonic()), 0)
            )
            taken, up = _take(wire, session, number)
            number += taken
            downs += not up
            gone = not up and not _there(interface)
            if gone:
                break
            now = time.monotonic()
            if now - refreshed < _REFRESH_S:
                continue
            refreshed = now
            lost += _lost(wire)
            for host in session.hosts.values():
                for family in host.families.values():
                    family.history.expire(time.time_ns())
                    family.sole = family.history.sole
            if live is None:
                reporter.look(session)
            else:
                live.update(table(session, interface), refresh=True)
    session.finish()
    result = document.build(session, [interface], _notes(interface, lost, downs, gone=gone))
    if json_lines:
        reporter.look(session)
        emit({"event": "summary", **result})
    else:
        out.write(summary_text(result))
    return result
