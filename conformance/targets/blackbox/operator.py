"""What the operator does for the tester: commands of this machine, and a person at the terminal who is asked."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from conformance.segment.decision import seconds
from conformance.segment.loop import Loop
from conformance.targets.blackbox.medium import ActionFailed
from conformance.targets.pixit import Action
from conformance.targets.protocol import Settings

TERMINAL = Path("/dev/tty")
"""The terminal of the person, whatever pytest has done to standard input and output."""
_SAID = 160


def has_terminal() -> bool:
    """Whether there is a person to ask."""
    try:
        TERMINAL.open("rb").close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Operator:
    """Does the ``actions`` of a PIXIT; commands run in ``folder``, where the PIXIT is."""

    actions: Mapping[str, Action]
    folder: Path

    def act(self, name: str, host: str, settings: Settings, loop: Loop) -> None:
        """Does action ``name`` to machine ``host``, while ``loop`` goes on reading. Raises :class:`ActionFailed`."""
        action = self.actions[name]
        values = {
            "host": host,
            "vhid": str(settings.vhid),
            "advbase": str(settings.advbase),
            "advskew": str(settings.advskew),
            "preempt": "on" if settings.preempt else "off",
            "addresses": ",".join(str(one) for one in settings.addresses),
        }
        if action.prompt:
            _ask(name, host, action.prompt.format(**values), action.limit_ns, loop)
            return
        with _password_file(
            settings.password, wanted=any("{password_file}" in one for one in action.command)
        ) as path:
            command = [one.format(**values, password_file=path) for one in action.command]
            self._run(name, host, command, action.limit_ns, loop)

    def _run(self, name: str, host: str, command: list[str], limit_ns: int, loop: Loop) -> None:
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    process_group=0,
                )
            except OSError as error:
                raise ActionFailed(name, host, f"{command[0]} cannot be run ({error.strerror})") from error
            try:
                ended = _ends(process, limit_ns, loop)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if not ended:
                raise ActionFailed(name, host, f"{command[0]} did not end in {seconds(limit_ns)}")
            if process.returncode != 0:
                said.seek(0)
                lines = said.read().decode(errors="replace").split("\n")
                last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
                raise ActionFailed(
                    name, host, f"{command[0]} ended with status {process.returncode} ({last[:_SAID]})"
                )


def _ends(process: subprocess.Popen[bytes], limit_ns: int, loop: Loop) -> bool:
    handle = os.pidfd_open(process.pid)
    ended: list[bool] = []
    with os.fdopen(handle, "rb", buffering=0) as watched:

        def end() -> None:
            loop.clock.unwatch(watched)
            ended.append(True)

        loop.clock.watch(watched, end)
        if not loop.run_until(lambda: bool(ended), loop.now_ns() + limit_ns):
            loop.clock.unwatch(watched)
            return False
    process.wait()
    return True


def _ask(name: str, host: str, text: str, limit_ns: int, loop: Loop) -> None:
    """Asks the person at the terminal to do ``text``, and waits for Enter."""
    try:
        terminal = TERMINAL.open("r+b", buffering=0)
    except OSError as error:
        raise ActionFailed(name, host, "a person has to do it, and there is no terminal to ask at") from error
    with terminal:
        # What was typed before the question is no answer to it.
        termios.tcflush(terminal, termios.TCIFLUSH)
        terminal.write(
            f"\a\n>>> {text}\n>>> then press Enter ({seconds(limit_ns)} left; n and Enter: it cannot be done) ".encode()
        )
        answers: list[bytes] = []
        loop.clock.watch(terminal, lambda: answers.append(terminal.readline()))
        try:
            answered = loop.run_until(lambda: bool(answers), loop.now_ns() + limit_ns)
        finally:
            loop.clock.unwatch(terminal)
        if not answered:
            terminal.write(b"\n>>> no answer: going on without it\n")
            raise ActionFailed(name, host, f"nobody pressed Enter in {seconds(limit_ns)}")
        if answers[0].strip().lower() in (b"n", b"no"):
            raise ActionFailed(name, host, "the person at the terminal said that it cannot be done")


@contextmanager
def _password_file(password: str, *, wanted: bool) -> Iterator[str]:
    """The path of a file with ``password`` that nobody else can read, for as long as the context lasts; empty if it is not ``wanted``."""
    if not wanted:
        yield ""
        return
    with tempfile.NamedTemporaryFile("w", prefix="carp-pass-") as file:
        file.write(password + "\n")
        file.flush()
        yield file.name
