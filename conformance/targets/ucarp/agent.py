"""Runs on a machine under test, sent there through ssh: starts ucarp in the place of one lane and tells what it says, with times of that machine's clock.

It needs Python's own modules only, and of those no more than Debian's python3-minimal has. It is the first process of its process and network namespaces: when the connection
ends, in whatever way, it ends, and the kernel ends and removes all that is in them.

Each request is a line, the text of a Python tuple: a number, the name of a method of :class:`Agent`, its arguments. Each thing told is one, too: ``("answer", number, value)``,
``("refused", number, why)``, ``("lines", time_ns, run, texts)``, ``("ended", time_ns, run, status)``, ``("late", time_ns, ns)``.
"""

from __future__ import annotations

import ast
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time

TYPE_CHECKING = False  # typing itself takes a tenth of a second to import on an emulated machine
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

IP_FREEBIND = 15
BEAT_NS = 100_000_000
"""Between two looks at how late this machine runs things."""
WORTH_TELLING_NS = 10_000_000
OUTSIDE = 9
"""The open file that names the network namespace of the machine itself."""
PRESSURE = "/proc/pressure/cpu"
BUSYBOX = os.path.exists("/bin/busybox")
SHELL = "/bin/busybox sh" if BUSYBOX else "/bin/sh"
"""Of the shells here the one that starts quickest: ucarp waits for its scripts."""
IP = "busybox ip" if BUSYBOX else "ip"


def stalled_ns() -> int:
    """Nanoseconds since boot in which something on this machine waited for its CPU."""
    try:
        with open(PRESSURE) as file:
            return int(file.read().split("total=", 1)[1].split()[0]) * 1000
    except (OSError, IndexError):
        return 0


class Refused(Exception):
    """A command of this machine failed."""


class Agent:
    """The methods without an underscore are what can be asked."""

    def __init__(self, say: Callable[[tuple[Any, ...]], None]) -> None:
        self._say = say
        self._selector = selectors.DefaultSelector()
        self._runs: dict[int, list[Any]] = {}
        self._listeners: list[socket.socket] = []
        self._place: tuple[str, int, str, str, int] = ("", 0, "", "", 0)
        self._due_ns = time.monotonic_ns() + BEAT_NS
        self._stalled_ns = stalled_ns()

    # --- the place of the lane

    def place(self, wire: str, vlan: int, mac: str, address: str, prefix: int) -> None:
        """Makes the lane's interface eth0, with a bridge to VLAN ``vlan`` of the machine's interface ``wire`` behind it."""
        self._place = (wire, vlan, mac, address, prefix)
        with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as switch:
            switch.write("1")
        self.remove_place()
        names = self._names()
        self._outside(
            f"link set {wire} up promisc on",
            f"link add link {wire} name {names[0]} type vlan id {vlan}",
            f"link add {names[1]} type bridge mcast_snooping 0 stp_state 0 forward_delay 0",
            f"link set {names[0]} addrgenmode none master {names[1]} up",
            f"link set {names[1]} addrgenmode none up",
        )
        self._ip("link set lo up")
        self.plug()

    def plug(self) -> None:
        """Gives the place its interface, its MAC and its own address."""
        mac, address, prefix = self._place[2:]
        _, bridge, port = self._names()
        self._outside(
            f"link add {port} type veth peer name eth0 address {mac} netns {os.getpid()}",
            f"link set {port} addrgenmode none master {bridge} up",
        )
        self._ip("link set eth0 up", f"addr add {address}/{prefix} dev eth0")

    def unplug(self) -> None:
        """Removes the interface, and the cable with it."""
        self._ip("link del eth0")

    def cable(self, plugged: bool) -> None:
        """Takes the carrier from the interface at the far end of its cable, or gives it back."""
        self._outside(f"link set {self._names()[2]} {'up' if plugged else 'down'}")

    def clear(self, removed: bool, pulled: bool) -> None:
        """Ends what a case started and gives the place back what it lost."""
        for run in tuple(self._runs):
            self.end(run)
        for listener in self._listeners:
            self._selector.unregister(listener)
            listener.close()
        self._listeners.clear()
        if removed:
            self.plug()
            return
        if pulled:
            self.cable(True)
        own = self._place[3]
        there = subprocess.run(
            ["ip", "-4", "-o", "addr", "show", "dev", "eth0"], capture_output=True, text=True
        ).stdout
        strange = [words[3] for words in map(str.split, there.splitlines()) if words[3].split("/")[0] != own]
        if strange:
            self._ip(*(f"addr del {one} dev eth0" for one in strange))

    def remove_place(self) -> None:
        """Removes what is outside of the namespaces; what is inside goes with them."""
        for name in self._names():
            subprocess.run(self._nsenter("link", "del", name), capture_output=True, pass_fds=(OUTSIDE,))

    # --- what runs in it

    def start(
        self,
        run: int,
        arguments: Sequence[str],
        environment: dict[str, str],
        secret: str,
        scripts: dict[str, str],
    ) -> None:
        """Starts a program; ``{passfile}`` in an argument is a file with ``secret`` that is gone when the program has said something."""
        folder = tempfile.mkdtemp(prefix=f"conformance-{run}-")
        with open(os.open(f"{folder}/pass", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret + "\n")
        for name, text in scripts.items():
            with open(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT, 0o700), "w") as file:
                file.write(text.replace("{shell}", SHELL).replace("{ip}", IP))
        filled = [one.replace("{passfile}", "{folder}/pass").replace("{folder}", folder) for one in arguments]
        popen = subprocess.Popen(
            filled, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, **environment), start_new_session=True,
        )  # fmt: skip
        assert popen.stdout is not None
        os.set_blocking(popen.stdout.fileno(), False)
        self._runs[run] = [popen, b"", folder]
        self._selector.register(popen.stdout, selectors.EVENT_READ, lambda: self._read(run))

    def signal(self, run: int, name: str) -> None:
        self._runs[run][0].send_signal(getattr(signal, f"SIG{name}"))

    def end(self, run: int) -> None:
        """Kills it and all that it has started; nothing is told of it any more."""
        popen, _, folder = self._runs.pop(run)
        try:
            os.killpg(popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        popen.wait()
        if not popen.stdout.closed:
            self._selector.unregister(popen.stdout)
            popen.stdout.close()
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)

    def serve(self, address: str, port: int, name: str) -> None:
        """From now on a TCP service answers with ``name``."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        listener.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(name.encode())

        self._selector.register(listener, selectors.EVENT_READ, answer)
        self._listeners.append(listener)

    # --- time

    def clock(self) -> int:
        """The wall clock of this machine, in nanoseconds."""
        return time.time_ns()

    def catch_up(self) -> None:
        """Tells what the programs have written by now, and how late this machine was."""
        for run in tuple(self._runs):
            if not self._runs[run][0].stdout.closed:
                self._read(run)
        self._beat()

    # --- inner works

    def _names(self) -> tuple[str, str, str]:
        wire, vlan = self._place[:2]
        return f"{wire}.{vlan}", f"br{vlan}", f"p{vlan}"

    def _nsenter(self, *words: str) -> list[str]:
        return ["nsenter", f"--net=/proc/self/fd/{OUTSIDE}", "ip", *words]

    def _outside(self, *lines: str) -> None:
        self._batch(self._nsenter("-batch", "-"), lines, (OUTSIDE,))

    def _ip(self, *lines: str) -> None:
        self._batch(["ip", "-batch", "-"], lines, ())

    def _batch(self, command: Sequence[str], lines: Sequence[str], fds: Sequence[int]) -> None:
        said = subprocess.run(
            command, input="\n".join(lines) + "\n", capture_output=True, text=True, pass_fds=fds
        )
        if said.returncode != 0:
            raise Refused(f"ip {'; '.join(lines)}: {said.stderr.strip()}")

    def _read(self, run: int) -> None:
        now_ns = time.time_ns()
        popen, rest, folder = self._runs[run]
        data = popen.stdout.read(65_536)
        if data is None:
            return
        if not data:
            self._selector.unregister(popen.stdout)
            popen.stdout.close()
            lines, status = ([rest] if rest else []), popen.wait()
        else:
            *lines, rest = (rest + data).split(b"\n")
            status = None
        self._runs[run][1] = rest
        if os.path.exists(f"{folder}/pass"):
            os.unlink(f"{folder}/pass")
        if lines:
            self._say(("lines", now_ns, run, [line.decode(errors="replace") for line in lines]))
        if status is not None:
            self._say(("ended", now_ns, run, status))

    def _look_anew(self) -> None:
        """While this agent was busy itself, nothing else was late for it."""
        self._due_ns, self._stalled_ns = time.monotonic_ns() + BEAT_NS, stalled_ns()

    def _beat(self) -> None:
        """How late this machine runs a timer, or how long something waited for its CPU since the last look: the greater of the two is told if it is worth it."""
        now_ns, waited_ns = time.monotonic_ns(), stalled_ns()
        late_ns = max(now_ns - self._due_ns, waited_ns - self._stalled_ns)
        self._stalled_ns, self._due_ns = waited_ns, now_ns + BEAT_NS
        if late_ns >= WORTH_TELLING_NS:
            self._say(("late", time.time_ns(), late_ns))

    def serve_requests(self, source: int) -> None:
        rest = b""

        def take() -> None:
            nonlocal rest
            data = os.read(source, 65_536)
            if not data:
                raise EOFError
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                number, method, arguments = ast.literal_eval(line.decode())
                try:
                    value = getattr(self, method)(*arguments)
                except (Refused, OSError, KeyError) as error:
                    self._say(("refused", number, f"{method}: {error}"))
                else:
                    self._say(("answer", number, value))
            self._look_anew()

        self._selector.register(source, selectors.EVENT_READ, take)
        try:
            while True:
                for key, _ in self._selector.select(max(0, self._due_ns - time.monotonic_ns()) / 1e9):
                    if key.fd in self._selector.get_map():
                        key.data()
                if time.monotonic_ns() >= self._due_ns:
                    self._beat()
        except EOFError:
            for run in tuple(self._runs):
                self.end(run)
            if self._place[0]:
                self.remove_place()


def main() -> None:
    def say(what: tuple[Any, ...]) -> None:
        sys.stdout.write(repr(what) + "\n")
        sys.stdout.flush()

    Agent(say).serve_requests(0)


if __name__ == "__main__":
    main()
