"""A command, here or on a machine, whose output lines are handed over as they come."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.targets.remote.bench import RemoteBench


class Stream:
    """A command whose output lines are handed over as they come; it dies with this process. ``lines`` keeps the last of them."""

    def __init__(
        self, bench: RemoteBench, command: Sequence[str], take: Callable[[str], None], keep: int = 50
    ) -> None:
        self._bench, self._take, self._keep = bench, take, keep
        self.lines: list[str] = []
        self._rest = b""
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        assert self._process.stdout is not None
        self._out = self._process.stdout
        os.set_blocking(self._out.fileno(), False)
        bench.streams.append(self)
        self.watch()

    @property
    def pid(self) -> int:
        """The process at this end."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def watch(self) -> None:
        """Reads while the bench's loop runs: to be called in each case that it lives to see."""
        self._bench.watch(self._out, self.read)

    def write(self, data: bytes) -> None:
        """Gives the command something to read; what has ended reads nothing."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def read(self) -> None:
        """Hands over what has come until now."""
        data = None if self._out.closed else self._out.read(65_536)
        if data is None:
            return
        if not data:
            self._bench.unwatch(self._out)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            self.lines = [*self.lines[1 - self._keep :], text]
            self._take(text)

    def close(self) -> None:
        if self in self._bench.streams:
            self._bench.streams.remove(self)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._bench.unwatch(self._out)
        self._out.close()
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()


def descent(pid: int) -> Iterator[int]:
    """A process of this machine and those that it has started."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from descent(int(child))
