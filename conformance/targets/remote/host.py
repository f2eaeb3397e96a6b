"""A host of a bench on machines: one interface of a machine, as the cases see it (a :class:`conformance.targets.protocol.SutHost` and more)."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from conformance.lab.shell import HostError, Said
from conformance.segment.trace import HostKind
from conformance.targets.blackbox.medium import ActionFailed
from conformance.targets.blackbox.operator import Operator
from conformance.targets.pixit import PixitHost
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.targets.remote import tables
from conformance.targets.remote.beginning import Rights, expect_none, mac_of, prepare
from conformance.targets.remote.bench import RemoteBench
from conformance.targets.remote.commands import Change, Commands, family, set_interface, set_sysctl
from conformance.targets.remote.ifconfig import Shown
from conformance.targets.remote.iut import RemoteIut
from conformance.targets.remote.machine import PREFIX, Machine
from conformance.targets.remote.words import Word
from conformance.wire.digest import Address

_LINK = {"link_down", "link_up"}
SERVICE_FILE = "/tmp/carp-conformance-inetd"  # noqa: S108  # on the machine, and it holds no secret


class RemoteHost:
    """One interface of ``machine``. Raises :class:`HostError` if it is not what the PIXIT says."""

    def __init__(
        self,
        bench: RemoteBench,
        machine: Machine,
        host: PixitHost,
        commands: Commands,
        rights: Rights,
        *,
        inner: bool = False,
    ) -> None:
        self.bench, self.machine, self.commands = bench, machine, commands
        self.name = f"{host.name}-inner" if inner else host.name
        self.interface_name = host.inner_interface if inner else machine.setup.interface
        self._states: dict[int, str] = {}
        self._devices: dict[str, int] = {}
        """The vhids of this case by the carp interface, where a virtual host is one."""
        self._listening = self._pulled = False
        wanted = host.inner_addresses if inner else host.addresses
        prepare(machine, self.shown(), wanted, rights)
        shown = self.shown()
        self.mac = mac_of(machine, shown)
        self.addresses = _real(shown)
        self._found = self.known = shown
        """Its interface as it was seen last: what it takes to know the subnet of an address."""
        expect_none(machine, shown)
        machine.listen(self._heard)

    def shown(self) -> Shown:
        """Its interface, as ifconfig shows it now."""
        shown = self.machine.shown(self.interface_name)
        if shown is None:
            raise HostError(
                self.machine.name,
                f"it has no interface {self.interface_name!r}",
                "give the name that ifconfig shows",
            )
        return shown

    # --- SutHost

    def start(self, settings: Settings) -> RemoteIut:
        preempt = ", preempt" if settings.preempt else ""
        self.bench.note(
            f"starts vhid {settings.vhid} on {self.name}: advbase {settings.advbase}, advskew {settings.advskew}{preempt}"
        )
        if self.commands.own_interface:
            self._devices[self.commands.device(self.interface_name, settings.vhid)] = settings.vhid
        self.listen()
        self.machine.shell.hide(settings.password)
        if settings.preempt:
            self.machine.must_change(self._switching("preempt", 1))
        *before, last = self.commands.create(self.known, settings)
        self.refusing(before)
        began_ns = self.bench.loop.now_ns()
        with self.acting():
            self.refusing([last])
        iut = RemoteIut(self, settings, began_ns)
        if any(one.version == 6 for one in settings.addresses):
            self.known = self.shown()
            self.addresses = _real(self.known)  # its link-local address may have come only now
        self._became(settings.vhid, self.state(settings.vhid))
        return iut

    def cable(self, *, plugged: bool) -> None:
        """By the actions ``link_down`` and ``link_up`` of the PIXIT; without them the interface goes down, which CARP takes for the same ("hardware interface down")."""
        actions = self.bench.pixit.actions
        how = "" if set(actions) >= _LINK else " (its interface)"
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}{how}")
        if how:
            self._switch(up=plugged)
            return
        self.listen()
        self._pulled = not plugged
        with self.acting():
            self._act("link_up" if plugged else "link_down")

    def serve(self, address: Address, port: int) -> None:
        """By inetd(8), on all addresses: one that is not there yet cannot be bound."""
        self.bench.note(f"serves {address} port {port} on {self.name}")
        line = f"{port} stream tcp nowait root /bin/echo echo {self.name}"
        file = f"{SERVICE_FILE}-{secrets.token_hex(8)}"
        stop = f"kill $(cat {file}.pid) 2>/dev/null; rm -f {file} {file}.pid"
        start = f"echo '{line}' >{file} && inetd -R 100000 -p {file}.pid {file}"
        self.machine.must_change(Change(start, stop))

    # --- the capabilities

    def counters(self) -> Mapping[str, int]:
        return self.commands.counters_in(self.machine.do(self.commands.read_counters()))

    def sysctl(self, name: str) -> int:
        return self.machine.sysctl(name)

    def set_sysctl(self, name: str, value: int) -> None:
        self.bench.note(f"writes {PREFIX}{name}={value} on {self.name}")
        self.listen()
        with self.acting():
            if name == "demotion":
                self.refusing([self.commands.demote(value, "carp")])
            else:
                self.refusing([self._switching(name, value)])

    def demote(self, amount: int, group: str = "carp") -> None:
        self.bench.note(f"demotes {self.name} by {amount} (group {group})")
        with self.acting():
            self.refusing([self.commands.demote(amount, group)])

    def demotion(self, group: str = "carp") -> int:
        return self.commands.demotion_in(self.machine.do(self.commands.read_demotion(group)))

    def interface(self, *, up: bool) -> None:
        """Takes its interface down or up (:class:`conformance.targets.protocol.Switchable`)."""
        self.bench.note(f"takes the interface of {self.name} {'up' if up else 'down'}")
        self._switch(up=up)

    def remove_own_addresses(self, version: int) -> None:
        self.bench.note(f"removes the real IPv{version} addresses of {self.name}")
        for one in self.shown().own:
            if one.version == version:
                words = f"ifconfig {self.interface_name} {family(one.ip)}"
                self.machine.must_change(Change(f"{words} {one.ip} -alias", f"{words} {one} alias"))

    def vhids(self) -> tuple[int, ...]:
        if not self.commands.own_interface:
            return tuple(sorted(one.vhid for one in self.shown().virtual))
        return tuple(
            sorted(
                one.vhid
                for shown in self.machine.all_shown().values()
                for one in shown.virtual
                if shown.name == self.commands.device(self.interface_name, shown.virtual[0].vhid)
            )
        )

    def neighbours(self) -> Mapping[Address, bytes]:
        """The machine's ARP and neighbour tables: hardware addresses by address."""
        return tables.neighbours(self.machine.do("arp -an; ndp -an"))

    # --- as a machine (conformance.targets.platform)

    def command(self, line: str, *, undo: str = "", user: str = "root") -> Said:
        """Runs a line in the machine's shell (:class:`conformance.targets.platform.Commanding`); an ordinary user is ``nobody``."""
        as_whom = "" if user == "root" else f" as {user}"
        self.bench.note(f"runs on {self.name}{as_whom}: {self.machine.shell.redact(line)}")
        if user != "root":
            line = f"su -m nobody -c {shlex.quote(line)}"
        said = self.machine.change([Change(line, undo and f"{undo} >/dev/null 2>&1 || :")])
        return Said(said.status, self.machine.shell.redact(said.out), self.machine.shell.redact(said.err))

    # --- for its IUTs and the bench

    def listen(self) -> None:
        """Hears from now on what the machine says; at the first need in a case."""
        if not self._listening:
            self._listening = True
            self.machine.follow(self.commands.follow(self.interface_name))

    def refusing(self, changes: Sequence[Change]) -> None:
        """Makes changes; what the system refuses raises :class:`ConfigurationRefused`."""
        if not changes:
            return
        said = self.machine.change(changes)
        if not said.ok:
            raise ConfigurationRefused(said.status, self.machine.shell.redact(said.text))

    @contextmanager
    def acting(self) -> Iterator[None]:
        """What is done meanwhile takes its time; afterwards all is heard that the machine said about it."""
        with self.bench.taking_time():
            yield
        self.hear_out()

    def state(self, vhid: int) -> str | None:
        """The state of a virtual host, asked for now; None if it is not there."""
        shown = self.machine.shown(self.commands.device(self.interface_name, vhid))
        found = None if shown is None else shown.virtual_host(vhid)
        return None if found is None else found.state

    def hear_out(self) -> None:
        """Returns when all is heard that the machine has said; nothing where nobody listens to it."""
        if self._listening:
            self.machine.catch_up()

    def reset(self) -> None:
        if self._pulled:
            self._act("link_up")
        self._listening = self._pulled = False
        self._states.clear()
        self._devices.clear()
        self.known = self._found
        self.addresses = _real(self._found)
        self.machine.reset()

    def close(self) -> None:
        self.machine.close()

    def _act(self, action: str) -> None:
        """What the operator does; the settings of a virtual host have no part in it."""
        pixit = self.bench.pixit
        operator = Operator(pixit.actions, pixit.path.parent if pixit.path else Path())
        try:
            operator.act(action, self.machine.name, Settings(password="", addresses=()), self.bench.loop)
        except ActionFailed as error:
            raise HostError(self.machine.name, str(error), "mend the action in the PIXIT") from error

    def _switching(self, name: str, value: int) -> Change:
        """The write of a switch; what undoes it is the value that it had when the machine was found."""
        return set_sysctl(name, value, self.machine.found.get(PREFIX + name, value))

    def _switch(self, *, up: bool) -> None:
        self.listen()
        with self.acting():
            self.machine.must_change(set_interface(self.interface_name, up=up))

    def _heard(self, word: Word) -> None:
        """A word without an interface is everybody's on the machine; with one, only whose it is."""
        if word.device is not None and word.device not in (self.interface_name, *self._devices):
            return
        if word.kind is not HostKind.STATE:
            self.bench.tell(self.name, word.kind, word.text, word.vhid)
            return
        vhid = self._devices.get(word.device or "", word.vhid)
        if vhid is not None:
            if vhid in self._states:
                self._became(vhid, word.before)
            self._became(vhid, word.text)

    def _became(self, vhid: int, state: str | None) -> None:
        """Tells a change of state, once."""
        if state is not None and self._states.get(vhid) != state:
            self._states[vhid] = state
            self.bench.tell(self.name, HostKind.STATE, state, vhid)


def _real(shown: Shown) -> tuple[Address, ...]:
    """The real addresses, IPv4 first."""
    return tuple(sorted((one.ip for one in shown.own), key=lambda one: one.version))
