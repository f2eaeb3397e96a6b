"""One machine of a bench: its shell, the journal of what was changed on it, and what it says of itself."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from conformance.lab import journal as journals
from conformance.lab.hosts import Access, shell, streaming
from conformance.lab.shell import HostError, Said
from conformance.segment.trace import HostKind
from conformance.targets.pixit import PixitHost
from conformance.targets.remote import tables
from conformance.targets.remote.bench import Lane, RemoteBench
from conformance.targets.remote.commands import Change
from conformance.targets.remote.identity import Identity
from conformance.targets.remote.ifconfig import Shown, read
from conformance.targets.remote.stream import Stream
from conformance.targets.remote.words import POLL_NS, Word, hear

FOLLOW_NS = 10_000_000_000
_AT_ONCE = 20
"""How many changes are undone in one request, so that each is answered in time."""
_MARK_NS = 2_000_000_000
_MARK = re.compile(r" conformance(?:\[\d+\])?: ([0-9a-f]{16})$")
PREFIX = "net.inet.carp."


def access_of(host: PixitHost) -> Access:
    """How a machine of the PIXIT is reached."""
    return Access(
        name=host.name,
        connection=host.connection,
        ssh_config=host.ssh_config,
        identity=host.identity,
        sudo=host.sudo,
    )


@dataclass(frozen=True, slots=True)
class Setup:
    """What makes the place of a lane on a machine. ``program`` is the shell inside it (``jexec NAME /bin/sh``), ``interface`` its interface on the segment there;
    ``changes`` make it, outside of it.
    """

    interface: str
    program: str = "/bin/sh"
    changes: tuple[Change, ...] = ()

    def inside(self, script: str) -> str:
        """A script of the place as one for the machine."""
        if self.program == "/bin/sh":
            return script
        return f"{self.program} <<'conformance'\n{script}\nconformance"


def whole(*before: Change) -> Callable[[Identity, PixitHost, Lane], Setup]:
    """Places of a system that has one lane only, because the switches of CARP are the machine's: the interface itself, after some changes."""
    return lambda _, host, __: Setup(host.interface, changes=before)


class Machine:
    """The place of this lane on a machine. Restores first what an earlier run left changed; raises :class:`HostError`."""

    def __init__(self, bench: RemoteBench, host: PixitHost, setup: Setup) -> None:
        self.bench, self.name, self.setup = bench, host.name, setup
        self.access = access_of(host)
        self._listeners: list[Callable[[Word], None]] = []
        self._source = ""
        self._marks: set[str] = set()
        self._hearing = False
        self._delay_ns = 0
        """How long a mark took to come back: as late may be whatever the machine says."""
        self._last = Word(HostKind.LOG, "")
        self._stream: Stream | None = None
        self._gone: HostError | None = None
        self.outside = self.shell = shell(self.access)
        try:
            path = bench.journals / journals.name_of(host.connection, f"lane{bench.lane.number}")
            self._journal = journals.Journal(path)
        except journals.InUse as error:
            self.outside.close()
            raise HostError(host.name, str(error), "or give it another VLAN") from error
        try:
            self.undo_all()
            for change in setup.changes:
                self._change_outside(change)
            if setup.program != "/bin/sh":
                self.shell = shell(self.access, setup.program)
            self._lives_on = len(self._journal.pending)
            self.found = self.sysctls()
            """The switches of CARP as they were found."""
        except BaseException:
            self.close()
            raise

    # --- asking and changing

    def ask(self, script: str) -> Said:
        """The answer to a script in the place."""
        return self.bench.ask(self.shell, script)

    def do(self, script: str) -> str:
        """What a script printed that must not fail. Raises :class:`HostError`."""
        said = self.ask(script)
        if not said.ok:
            raise self.shell.refused(script, said)
        return said.out

    def change(self, changes: Iterable[Change]) -> Said:
        """Makes changes, one after the other as long as none fails, in one request; each is in the journal before. A relative one comes alone."""
        wanted = tuple(changes)
        for one in wanted:
            if one.undo:
                self._journal.will_change(self.setup.inside(one.undo))
        said = self.ask(" && \\\n".join(one.do for one in wanted))
        if not said.ok and any(one.relative for one in wanted):
            self._journal.forget(len(wanted))
        return said

    def must_change(self, *changes: Change) -> None:
        """As :meth:`change`; raises :class:`HostError` if one fails."""
        said = self.change(changes)
        if not said.ok:
            raise self.shell.refused("; ".join(one.do for one in changes), said)

    def shown(self, interface: str) -> Shown | None:
        """An interface as ifconfig shows it; None if it is not there."""
        said = self.ask(f"ifconfig {interface}")
        return read(said.out).get(interface) if said.ok else None

    def all_shown(self) -> dict[str, Shown]:
        """All interfaces."""
        return read(self.do("ifconfig -a"))

    def sysctl(self, name: str) -> int:
        """The value of ``net.inet.carp.NAME``."""
        return int(self.do(f"sysctl -n {PREFIX}{name}").strip())

    def sysctls(self) -> dict[str, int]:
        """All values of ``net.inet.carp``, by full name."""
        return tables.settings(self.do("sysctl net.inet.carp"))

    # --- restoring

    def reset(self) -> None:
        """Undoes what was changed since the place was made, the last change first, in one request."""
        self._hearing = False
        self._marks.clear()
        if not (self.outside.alive and self.shell.alive):
            self._reconnect()
        self._undo(len(self._journal.pending) - self._lives_on)

    def keep(self) -> None:
        """What was changed until now stays until the place is given up."""
        self._lives_on = len(self._journal.pending)

    def undo_all(self) -> None:
        """Undoes all that the journal holds, of an earlier run too."""
        self._undo(len(self._journal.pending))

    def _undo(self, count: int) -> None:
        while count > 0:
            some = self._journal.pending[: min(count, _AT_ONCE)]
            self.bench.ask(self.outside, "\n".join(f"{{\n{one}\n}}" for one in some))
            self._journal.forget(len(some))
            count -= len(some)

    def _reconnect(self) -> None:
        """A connection that was lost in one case must not spoil the next ones; one that does not come back fails them at once."""
        if self._gone is not None:
            raise self._gone
        for one in {self.outside, self.shell}:
            one.close()
        self.outside = shell(self.access)
        inside = self.setup.program != "/bin/sh"
        self.shell = shell(self.access, self.setup.program) if inside else self.outside
        try:
            self.bench.ask(self.shell, "true")
        except HostError as error:
            self._gone = error
            for one in {self.outside, self.shell}:
                one.close()
            raise

    def _change_outside(self, change: Change) -> None:
        if change.undo:
            self._journal.will_change(change.undo)
        said = self.bench.ask(self.outside, change.do)
        if not said.ok:
            raise self.outside.refused(change.do, said)

    # --- listening

    def listen(self, listener: Callable[[Word], None]) -> None:
        """``listener`` gets each word that the machine says from now on."""
        self._listeners.append(listener)

    def catch_up(self) -> None:
        """Returns when all has come that the machine said before."""
        if not self._marked():
            raise HostError(self.name, "its log has stopped", "look whether syslogd runs")

    def _marked(self) -> bool:
        """Writes a mark into the machine's log; whether it came back."""
        loop, stream = self.bench.loop, self._stream
        assert stream is not None
        mark = secrets.token_hex(8)
        self.do(f"logger -p user.notice -t conformance {mark}")
        loop.run_until(lambda: mark in self._marks or stream.ended, loop.now_ns() + _MARK_NS)
        return mark in self._marks

    def follow(self, command: str) -> None:
        """Listens from now on until the next reset. A mark in the machine's log shows that all that was said before has come, and that the log can be followed.

        Raises :class:`HostError` if it cannot.
        """
        if self._hearing:
            return
        loop = self.bench.loop
        if self._stream is None or self._stream.ended:
            self._source = ""
            line = streaming(self.access, command, self.setup.program)
            self._stream = Stream(self.bench, line, self._hear)
        else:
            self._stream.watch()
        stream, deadline_ns = self._stream, loop.now_ns() + FOLLOW_NS
        loop.run_until(lambda: bool(self._source) or stream.ended, deadline_ns)
        while not self._hearing and not stream.ended and loop.now_ns() < deadline_ns:
            asked_ns = loop.now_ns()
            self._hearing = self._marked()
            self._delay_ns = loop.now_ns() - asked_ns
        if not self._hearing:
            said = "; ".join(stream.lines[-3:]) or "it says nothing"
            raise HostError(
                self.name,
                f"its log cannot be followed: {said}",
                "let syslogd write kern.* and user.notice to /var/log/messages",
            )

    def last_lines(self) -> list[str]:
        return [] if self._stream is None else self._stream.lines[-6:]

    def close(self) -> None:
        """Undoes everything, and hangs up."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        try:
            if self.outside.alive:
                self.undo_all()
        finally:
            self._journal.close()
            for one in {self.shell, self.outside}:
                one.close()

    def _hear(self, line: str) -> None:
        if line.startswith("states from "):
            self._source = line.removeprefix("states from ")
            return
        if (mark := _MARK.search(line)) is not None:
            self._marks.add(mark[1])
            return
        if not self._hearing:
            return
        for word in hear(line, self._source):
            if word.times > 1 or not word.text:
                for _ in range(word.times):
                    self._tell(self._last)
                continue
            if word.kind is HostKind.LOG:
                self._last = word
            looked_ns = 2 * POLL_NS if self._source == "ifconfig" else 0
            self.bench.blame_the_rig(self.bench.took_ns + self._delay_ns + looked_ns)
            self._tell(word)

    def _tell(self, word: Word) -> None:
        for listener in self._listeners:
            listener(word)
