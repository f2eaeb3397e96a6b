"""The machine behind a stand-in's commands, as a process: a model on a packet socket, its log, its devd, its counters.

``python -m conformance.targets.remote.standin.process FOLDER`` with the order (:mod:`conformance.targets.model.process`, request ``begin``) as JSON on standard input;
it listens on ``FOLDER/socket`` and ends with its parent.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from contextlib import suppress
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from conformance.catalogue import COUNTERS
from conformance.lab.process import die_with_parent
from conformance.model.actions import Action, Log, State, StateChange
from conformance.model.config import ConfigurationError
from conformance.model.rows import FREEBSD_10, FREEBSDS, LEGACIES
from conformance.targets.model.runner import Runner, reading
from conformance.targets.remote.identity import STANDIN
from conformance.targets.remote.standin import show
from conformance.targets.remote.standin.ifconfig import Ifconfig, Refused, Unknown
from conformance.targets.remote.standin.show import Flavour

_HOUR_NS = 3_600_000_000_000
_RELEASES = {
    "freebsd-legacy-6": "6.4-RELEASE", "freebsd-legacy": "9.3-RELEASE", "freebsd-10": "10.4-RELEASE", "freebsd-13": "13.2-RELEASE",
    "freebsd-15": "15.1-RELEASE", "openbsd": "8.0",
}  # fmt: skip
LOG, DEVD = "/var/log/messages", "/var/run/devd.pipe"


class StandIn:
    """The machine, and its side of the commands' socket."""

    def __init__(self, folder: Path, order: dict[str, Any]) -> None:
        self._order = order
        self.runner = Runner(order, self._observe)
        machine = self.runner.machine
        key = machine.dialect.key
        self.flavour = Flavour.FREEBSD if key in FREEBSDS else Flavour.LEGACY if key in LEGACIES else Flavour.OPENBSD  # fmt: skip
        self.ifconfig = Ifconfig(
            machine, self.flavour, self.runner.device, self.runner.now_ns, self.runner.carry_out
        )
        self.ifconfig.ipv6 = self.flavour is not Flavour.FREEBSD
        self.messages: list[str] = []
        self.kernel: list[str] = []
        self._followers: dict[str, list[socket.socket]] = {"log": [], "devd": [], "route": []}
        self._daemons: dict[socket.socket, set[tuple[Any, int]]] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / "socket"))
        self._listener.listen(64)
        self._listener.setblocking(False)
        self.runner.clock.watch(self._listener, self._accept)

    def run(self) -> None:
        """Until its parent ends."""
        loop = self.runner.loop
        while True:
            loop.run_until(lambda: False, loop.now_ns() + _HOUR_NS)

    # --- the commands

    def answer(self, words: list[str]) -> str:
        """What a command prints. Raises :class:`Refused`."""
        match words:
            case ["uname", flag]:
                return f"{self._uname(flag)}\n"
            case ["ifconfig", *rest]:
                return self._configure(rest)
            case ["sysctl", *rest]:
                return self._sysctl(rest)
            case ["netstat", "-s", "-p", "carp"]:
                return show.counters(self.runner.machine, self.flavour)
            case ["netstat", "--libxo", "json", "-s", "-p", "carp"] if (
                self.flavour is Flavour.FREEBSD and self.runner.machine.dialect.key != FREEBSD_10
            ):
                return show.counters_json(self.runner.machine)
        return self._minor(words)

    def _minor(self, words: list[str]) -> str:
        match words:
            case ["arp", "-an"]:
                return self._arp()
            case ["ndp", "-an"]:
                return "Neighbor                             Linklayer Address  Netif Expire    1s 5s\n"
            case ["dmesg"]:
                return "".join(f"{line}\n" for line in self.kernel)
            case ["logger", "-p", _, "-t", tag, text]:
                self._log(f"{tag}: {text}")
                return ""
            case ["ls", path]:
                if path != DEVD or self.flavour is not Flavour.FREEBSD:
                    raise Refused(f"{path}: No such file or directory")
                return f"{DEVD}\n"
            case ["kldstat", "-q", "-m", "carp"] if self.flavour is not Flavour.OPENBSD:
                return ""
        raise Unknown(words)

    def _uname(self, flag: str) -> str:
        key = self.runner.machine.dialect.key
        told = {
            "-s": "OpenBSD" if self.flavour is Flavour.OPENBSD else "FreeBSD",
            "-r": _RELEASES[key],
            "-v": f"{STANDIN}: model:{key}",
            "-m": "amd64",
        }
        if flag not in told:
            raise Unknown(["uname", flag])
        return told[flag]

    def _configure(self, words: list[str]) -> str:
        try:
            return self.ifconfig.run(words)
        except ConfigurationError as error:
            late = self.runner.machine.dialect.key == "freebsd-15"
            subnet = "EADDRNOTAVAIL" in error.what
            said = "SIOCAIFADDR: Can't assign requested address" if subnet else "SIOCSVH: No error: 0" if late else "SIOCSVH: Invalid argument"  # fmt: skip
            raise Refused(said) from error

    def _sysctl(self, words: list[str]) -> str:
        machine = self.runner.machine
        match words:
            case ["-n", name]:
                return f"{self._read(name)}\n"
            case ["net.inet.carp"]:
                sign = "=" if self.flavour is Flavour.OPENBSD else ": "
                names = [one for one in machine.dialect.sysctls if one.startswith("net.inet.carp.")]
                return "".join(f"{one}{sign}{self._read(one)}\n" for one in names)
            case [setting] if "=" in setting:
                name, value = setting.split("=", 1)
                before = self._read(name)
                try:
                    self.runner.carry_out(machine.sysctl(self.runner.now_ns(), name, int(value)))
                except ConfigurationError as error:
                    raise Refused(f"{setting}: Invalid argument") from error
                return f"{name}: {before} -> {self._read(name)}\n"
        raise Unknown(["sysctl", *words])

    def _read(self, name: str) -> int:
        try:
            return self.runner.machine.read_sysctl(name)
        except ConfigurationError as error:
            raise Refused(f"unknown oid '{name}'") from error

    def _arp(self) -> str:
        port = self.runner.machine.port(self.runner.device)
        lines = [
            f"? ({one.ip}) at {port.mac.hex(':')} on {port.name} permanent [ethernet]"
            for one in port.addresses
            if one.version == 4
        ]
        return "\n".join(lines) + "\n"

    # --- what it says

    def _observe(self, action: Action) -> None:
        match action:
            case Log(text=text):
                self.kernel.append(text)
                self._log(f"{'/bsd' if self.flavour is Flavour.OPENBSD else 'kernel'}: {text}")
            case StateChange(interface=interface, vhid=vhid, new=new):
                if self.flavour is Flavour.FREEBSD:
                    self._publish("devd", f"!system=CARP subsystem={vhid}@{interface} type={new.value}")
                elif self.flavour is Flavour.OPENBSD:
                    self._publish("route", self._link_message(interface, vhid, new))

    def _link_message(self, interface: str, vhid: int, new: State) -> str:
        vhost = self.runner.machine.vhost(interface, vhid)
        device = vhost.device
        link = show.link_state([new if one is vhost else one.state for one in vhost.of_interface()])
        return f"RTM_IFINFO: Interface up/down: len 200, if# {vhid + 2}, name: {device}, link: {link}, flags:<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>"

    def _log(self, text: str) -> None:
        stamp = time.strftime("%b %e %H:%M:%S", time.gmtime())
        line = f"{stamp} {self._order['name']} {text}"
        self.messages.append(line)
        self._publish("log", line)

    def _publish(self, what: str, line: str) -> None:
        for follower in tuple(self._followers[what]):
            try:
                follower.sendall(line.encode() + b"\n")
            except OSError:
                self._followers[what].remove(follower)
                follower.close()

    # --- the socket

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                client, _ = self._listener.accept()
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        words = client.makefile("rb").readline().decode().removesuffix("\n").split("\0")
        followed = self._followed(words)
        if followed is not None:
            self._say(client, "stream")
            self._followers[followed].append(client)
            return
        if words[0] == "inetd":
            self._stay(client, words)
            return
        said, err, status = "", "", 0
        try:
            said = self.answer(words)
        except Refused as refusal:
            err, status = f"{words[0]}: {refusal}\n", refusal.status
        self._say(client, "answer", status, err, self._bytes(words) or said.encode())
        client.close()

    def _followed(self, words: list[str]) -> str | None:
        match words:
            case ["tail", "-n", "0", "-F" | "-f", "/var/log/messages"]:
                return "log"
            case ["nc", "-U", "/var/run/devd.pipe"] if self.flavour is Flavour.FREEBSD:
                return "devd"
            case ["route", "-n", "monitor"] if self.flavour is Flavour.OPENBSD:
                return "route"
        return None

    def _bytes(self, words: list[str]) -> bytes:
        """``sysctl -b net.inet.carp.stats``: struct carpstats."""
        if words != ["sysctl", "-b", "net.inet.carp.stats"] or self.flavour is Flavour.OPENBSD:
            return b""
        return struct.pack("<16Q", *(self.runner.machine.counters[name] for name in COUNTERS))

    def _stay(self, client: socket.socket, words: list[str]) -> None:
        """``inetd -R N -p PIDFILE FILE``: serves until the client goes away."""
        pidfile, file = words[-2], words[-1]
        port = int(Path(file).read_text(encoding="ascii").split()[0])
        network = ip_interface(self._order["addresses"][0]).network
        service = self.runner.service
        if not service.opened:
            service.open()
            self.runner.clock.watch(service, lambda: reading(service.read))
        self._daemons[client] = {(one, port) for one in network.hosts()}
        service.listens |= self._daemons[client]
        self._say(client, "daemon", 0, pidfile)
        self.runner.clock.watch(client, lambda: self._ended(client))

    def _ended(self, client: socket.socket) -> None:
        self.runner.clock.unwatch(client)
        self.runner.service.listens -= self._daemons.pop(client)
        client.close()

    @staticmethod
    def _say(client: socket.socket, kind: str, status: int = 0, told: str = "", body: bytes = b"") -> None:
        with suppress(OSError):
            client.sendall(f"{kind} {status} {len(told.encode())}\n{told}".encode() + body)


def main() -> None:
    """Runs a stand-in."""
    die_with_parent()
    StandIn(Path(sys.argv[1]), json.load(sys.stdin)).run()


if __name__ == "__main__":
    main()
