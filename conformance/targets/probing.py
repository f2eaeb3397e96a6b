"""One connection to a service from the tester's side of a live segment: who answers?"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from conformance.segment.loop import HasFileno, Loop
from conformance.wire.digest import Address

PROBE_NS = 250_000_000


class Place(Protocol):
    """What a bench gives for a probe."""

    loop: Loop
    closing: list[socket.socket]
    """Sockets that the bench's reset closes."""

    def watch(self, source: HasFileno, callback: Callable[[], None]) -> None: ...

    def unwatch(self, source: HasFileno) -> None: ...


def probe(
    place: Place,
    entered: AbstractContextManager[None],
    address: Address,
    port: int,
    reply: Callable[[int, str | None], None],
) -> None:
    """Connects once, in the namespace that ``entered`` enters; ``reply(time_ns, name)`` tells who answered, or None within 250 ms."""
    with entered:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    connection.connect_ex((str(address), port))
    place.closing.append(connection)

    def finish(answer: str | None) -> None:
        timeout.cancel()
        place.unwatch(connection)
        place.closing.remove(connection)
        connection.close()
        reply(place.loop.now_ns(), answer)

    def readable() -> None:
        try:
            answer = connection.recv(64).decode(errors="replace") or None
        except OSError:
            answer = None
        finish(answer)

    timeout = place.loop.at(place.loop.now_ns() + PROBE_NS, lambda: finish(None))
    place.watch(connection, readable)
