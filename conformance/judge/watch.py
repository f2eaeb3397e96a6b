"""``watch``: the live view of a segment. Strictly passive: the socket is only ever read from.

Waiting is a selector's business: the packet socket, and a pipe by which an interrupt wakes it. Nothing
sleeps.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from itertools import islice
from typing import IO, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from conformance.judge import document, inspection, surroundings
from conformance.judge.interest import Interest, interest, program
from conformance.judge.lane import Options
from conformance.judge.listener import InterfaceDown, dropped, packet_socket, receive
from conformance.judge.reporter import Reporter
from conformance.judge.session import Session
from conformance.judge.summary import plain, summary_text
from conformance.segment.filter import attach
from conformance.wire.digest import Address

_REFRESH_S = 0.5
_BATCH = 512


def _take(wire: socket.socket, session: Session, number: int) -> tuple[int, bool]:
    """Feeds the frames that wait to ``session``, numbered from ``number`` on, at most a batch; returns how many there were, and whether the interface is still up.

    Where none is left the session has heard all until now, be it silence.
    """
    taken, now_ns = 0, time.time_ns()
    try:
        for taken, received in enumerate(islice(receive(wire), _BATCH), 1):
            session.frames += 1
            session.packet(received.time_ns, 0, number + taken, received.data, False)
    except InterfaceDown:
        return taken, False
    if taken < _BATCH:
        session.end_ns = max(session.end_ns, now_ns)
    return taken, True


def _tell(wire: socket.socket, session: Session, told: Interest) -> Interest:
    """Has the kernel pass what ``session`` can make anything of now, where that is not what it was ``told``; returns what it passes."""
    wanted = interest(session)
    if wanted != told:
        attach(wire, program(wanted))
    return wanted


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
    gone, wanted = False, Interest()
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
            lost += dropped(wire)
            wanted = _tell(wire, session, wanted)
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
