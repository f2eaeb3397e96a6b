"""A process of the bench whose words go into the trace with the kernel's time of each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from conformance.segment.live import SO_TIMESTAMPNS, enlarge, stamp_ns
from conformance.segment.stalls import Family
from conformance.segment.trace import HostEvent, HostKind

if TYPE_CHECKING:
    from conformance.lab.netns import Station
    from conformance.targets.netns_bench import NetnsBench

SO_SNDBUFFORCE = 32
_UNREAD = 4 << 20
_AT_ONCE = 1 << 16


class Home(Protocol):
    """Where a process lives: a host of a bench."""

    bench: NetnsBench
    station: Station

    @property
    def name(self) -> str: ...


class Mouth:
    """What a process writes to, in place of a pipe: a pair of sockets that keeps each write apart, with the kernel's time of it (unix(7), socket(7): SO_TIMESTAMPNS).

    However late it is read, what was said keeps its time. The process must write whole lines, or the last part of a line gives it its time.
    """

    def __init__(self) -> None:
        self._ear, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._ear.setblocking(False)
        enlarge(self.theirs, _UNREAD, forced=SO_SNDBUFFORCE, plain=socket.SO_SNDBUF)
        self._rest, self._time_ns = b"", 0
        self.closed = self.ended = False

    def fileno(self) -> int:
        return self._ear.fileno()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """What was said since the last time: lines without their end, each with its time in nanoseconds since the epoch; a last line without an end when nobody is left to end it."""
        while not self.closed:
            try:
                data, ancillary, _, _ = self._ear.recvmsg(_AT_ONCE, 64)
            except BlockingIOError:
                return
            if not data:
                self.ended = True
                break
            self._time_ns = stamp_ns(ancillary)
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                yield self._time_ns, line
        if self._rest:
            rest, self._rest = self._rest, b""
            yield self._time_ns, rest

    def close(self) -> None:
        self._ear.close()
        self.closed = True


class Process:
    """A process in a host's namespace whose output lines go into the trace, each with the time at which it was written.

    ``interpret(line, time_ns)`` gives the kind and the text of the host event, or None if the line is none.
    """

    def __init__(
        self,
        host: Home,
        command: Sequence[str],
        interpret: Callable[[str, int], tuple[HostKind, str] | None],
        **popen: object,
    ) -> None:
        self.host, self.lines = host, list[str]()
        self._times_ns: list[int] = []
        self._interpret = interpret
        self._mouth = Mouth()
        with self._mouth.theirs as theirs:
            self._popen = host.station.namespace.spawn(
                command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.STDOUT, **popen
            )
        self._family = Family(self._popen.pid)
        host.bench.processes.append(self)
        self.watch()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal, None while it runs."""
        return self._popen.poll()

    def said_ns(self, text: str) -> int | None:
        """When it wrote the first line that holds ``text``, in nanoseconds since the epoch; None if it has not."""
        return next(
            (time_ns for time_ns, line in zip(self._times_ns, self.lines, strict=True) if text in line), None
        )

    def stalled_ns(self) -> int:
        """How long it and what it has started have waited for a CPU."""
        return self._family.stalled_ns()

    def watch(self) -> None:
        """Reads its lines while the bench's loop runs: to be called in each case that it lives to see."""
        self.host.bench.watch(self._mouth, self.read)

    def signal(self, name: str) -> None:
        self.host.bench.note(f"sends SIG{name} to the process on {self.host.name}")
        self._popen.send_signal(getattr(signal, f"SIG{name}"))

    def end(self) -> None:
        """Kills it and all that it has started, as far as they still run, waits for the kernel to say so, and hears what it said before."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        if not self._mouth.closed:
            self._take()
            self._hear_no_more()

    def read(self) -> None:
        """Puts into the trace what it has said until now."""
        self._take()
        if self._mouth.ended and not self._mouth.closed:
            self._hear_no_more()
            self._popen.wait()
            self._tell(
                self.host.bench.loop.now_ns(),
                HostKind.PROCESS,
                f"the process ended with status {self._popen.returncode}",
            )

    def _hear_no_more(self) -> None:
        self.host.bench.unwatch(self._mouth)
        self._mouth.close()

    def _take(self) -> None:
        for time_ns, line in self._mouth.lines():
            text = line.decode(errors="replace")
            self.lines.append(text)
            self._times_ns.append(time_ns)
            event = self._interpret(text, time_ns)
            if event is not None:
                self._tell(time_ns, *event)

    def _tell(self, time_ns: int, kind: HostKind, text: str) -> None:
        self.host.bench.trace.add(HostEvent(time_ns, self.host.name, kind, text))
