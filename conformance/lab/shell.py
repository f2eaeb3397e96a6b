"""A shell on a machine: one process that stays, to which scripts go by standard input, so that nothing of them is in an argument list."""

from __future__ import annotations

import os
import re
import secrets
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

ANSWER_NS = 20_000_000_000
"""How long a machine may take to carry out a script."""
_DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
_TAIL = 400


class HostError(Exception):
    """A machine cannot be used: which one, what is wrong with it, and how to mend it."""

    def __init__(self, host: str, what: str, remedy: str) -> None:
        self.host, self.what, self.remedy = host, what, remedy
        super().__init__(f"machine {host}: {what}; {remedy}")


@dataclass(frozen=True, slots=True)
class Said:
    """What a script answered."""

    status: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def text(self) -> str:
        """All that it said, the complaints first."""
        return "\n".join(part for part in (self.err.strip(), self.out.strip()) if part)


class Shell:
    """``command`` (program and arguments) is a POSIX shell that reads scripts from its standard input, here or far away.

    Scripts are carried out one after the other, each in a subshell without standard input. The process dies with this one.
    Raises :class:`HostError` where the machine is not reached, does not answer in time, or ends the shell.
    """

    def __init__(
        self, host: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.host = host
        self._secrets: list[str] = []
        self._token = secrets.token_hex(12)
        self._serial = 0
        self._process = subprocess.Popen(
            [*_DIE_WITH_US, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            env=environment,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._in, self.out, self.err = self._process.stdin, self._process.stdout, self._process.stderr
        self._read = {self.out: b"", self.err: b""}
        for stream in (self.out, self.err):
            os.set_blocking(stream.fileno(), False)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def hide(self, secret: str) -> None:
        """From now on ``secret`` is written as ``***`` in whatever an error or a note quotes."""
        if secret and secret not in self._secrets:
            self._secrets.append(secret)

    def redact(self, text: str) -> str:
        for secret in self._secrets:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
        return text

    def begin(self, script: str) -> Callable[[], Said | None]:
        """Sends a script; the function that it returns gives the answer, or None as long as there is none.

        Call it whenever ``out`` or ``err`` is readable. It raises :class:`HostError` when the shell has ended.
        """
        self._serial += 1
        mark = f"{self._token}-{self._serial}"
        wrapped = f"(\n{script}\n) </dev/null\nprintf '\\n%s %s\\n' {mark} $?\nprintf '\\n%s\\n' {mark} >&2\n"
        try:
            self._in.write(wrapped.encode())
            self._in.flush()
        except (OSError, ValueError) as error:  # ValueError: it has been closed
            raise self._lost() from error
        return lambda: self._answer(mark)

    def run(self, script: str, *, within_ns: int = ANSWER_NS) -> Said:
        """The answer to a script, waited for here; where a segment's loop runs, use :meth:`begin`."""
        answer = self.begin(script)
        deadline_ns = time.monotonic_ns() + within_ns
        with selectors.DefaultSelector() as waiting:
            for stream in (self.out, self.err):
                waiting.register(stream, selectors.EVENT_READ)
            while (said := answer()) is None:
                left_ns = deadline_ns - time.monotonic_ns()
                if left_ns <= 0:
                    raise self.silent(within_ns)
                waiting.select(left_ns / 1e9)
        return said

    def do(self, script: str, *, within_ns: int = ANSWER_NS) -> str:
        """What a script wrote to its standard output. Raises :class:`HostError` if it failed."""
        said = self.run(script, within_ns=within_ns)
        if not said.ok:
            raise self.refused(script, said)
        return said.out

    def refused(self, script: str, said: Said) -> HostError:
        """The error of a script that must not fail."""
        what = f"`{self.redact(script)}` ended with status {said.status}"
        return HostError(
            self.host,
            f"{what}: {self.redact(said.text)[-_TAIL:] or 'it said nothing'}",
            "try it by hand on the machine",
        )

    def silent(self, within_ns: int) -> HostError:
        """The error of a machine that does not answer; it is given up."""
        self.close()
        return HostError(
            self.host, f"it did not answer in {within_ns / 1e9:g} s", "look whether it runs and is reachable"
        )

    def close(self) -> None:
        """Ends the shell and what it started here."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._in, self.out, self.err):
            with suppress(OSError):
                stream.close()

    def _answer(self, mark: str) -> Said | None:
        ended = [self._drain(stream) for stream in (self.out, self.err)]
        out, found, rest = self._read[self.out].partition(f"\n{mark} ".encode())
        err, told, _ = self._read[self.err].partition(f"\n{mark}\n".encode())
        if not found or not told or b"\n" not in rest:
            if all(ended):
                raise self._lost()
            return None
        self._read = {self.out: b"", self.err: b""}
        return Said(int(rest.split()[0]), out.decode(errors="replace"), err.decode(errors="replace"))

    def _drain(self, stream: object) -> bool:
        """Reads what there is; whether the stream has ended."""
        readable = self.out if stream is self.out else self.err
        while True:
            try:
                data = os.read(readable.fileno(), 65_536)
            except BlockingIOError:
                return False
            if not data:
                return True
            self._read[readable] += data

    def _lost(self) -> HostError:
        for stream in (self.out, self.err):
            with suppress(OSError, ValueError):
                self._drain(stream)
        said = self._read[self.err].decode(errors="replace").strip().splitlines()
        self._process.wait()
        why = self.redact(said[-1]) if said else f"its shell ended with status {self._process.returncode}"
        return HostError(
            self.host, f"the connection ended: {why}", "look whether you can log in there without a question"
        )
