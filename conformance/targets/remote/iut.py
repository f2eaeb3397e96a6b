"""One virtual host on a machine (a :class:`conformance.targets.protocol.Iut` and more)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.lab.shell import HostError
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.targets.remote.commands import Change
from conformance.wire.digest import Address

if TYPE_CHECKING:
    from conformance.targets.remote.host import RemoteHost


class RemoteIut:
    """A virtual host that was configured at ``started_ns`` (since the epoch, at the earliest)."""

    def __init__(self, host: RemoteHost, settings: Settings, started_ns: int) -> None:
        self.settings, self.started_ns, self._host = settings, started_ns, host

    def running(self) -> bool:
        return self._host.state(self.settings.vhid) is not None

    def stop(self) -> None:
        self._note("stops")
        self._do(self._host.commands.stop(self._host.interface_name, self.settings))

    def kill(self) -> None:
        self._note("removes")
        self._do(self._host.commands.remove(self._host.interface_name, self.settings))

    def signal(self, name: str) -> None:
        """It is no process: the PICS deny ``signals``."""
        raise NotImplementedError(f"a virtual host in a kernel takes no SIG{name}")

    def reconfigure(self, **changes: Any) -> None:
        """Sets parameters of the running virtual host (:class:`conformance.targets.protocol.Changeable`)."""
        if "password" in changes:
            self._host.machine.shell.hide(changes["password"])
        shown = ", ".join(
            name if name == "password" else f"{name} {value}" for name, value in changes.items()
        )
        self._note(f"sets {shown} of")
        host = self._host
        self._refusing(
            Change(host.commands.change(host.interface_name, self.settings.vhid, changes)),
        )
        if "options" in changes:
            changes["options"] = {**self.settings.options, **changes["options"]}
        self.settings = replace(self.settings, **changes)

    def add_address(self, address: Address) -> None:
        self._note(f"adds {address} to")
        with self._host.acting():
            host = self._host
            host.refusing([host.commands.add_address(host.known, self.settings.vhid, address)])
        if address not in self.settings.addresses:
            self.settings = replace(self.settings, addresses=(*self.settings.addresses, address))

    def remove_address(self, address: Address) -> None:
        self._note(f"removes {address} from")
        host = self._host
        self._refusing(Change(host.commands.remove_address(host.interface_name, self.settings.vhid, address)))
        self.settings = replace(
            self.settings, addresses=tuple(one for one in self.settings.addresses if one != address)
        )

    def request_state(self, state: str) -> None:
        self._note(f"orders {state} for")
        host = self._host
        self._refusing(Change(host.commands.order(host.interface_name, self.settings.vhid, state)))

    def interface(self, *, up: bool) -> None:
        """Takes the carp interface down or up (:class:`conformance.targets.protocol.Closable`)."""
        self._note(f"takes the carp interface {'up' if up else 'down'} of")
        device = self._host.commands.device(self._host.interface_name, self.settings.vhid)
        self._refusing(Change(f"ifconfig {device} {'up' if up else 'down'}"))

    def join_group(self, group: str) -> None:
        self._note(f"joins group {group} with")
        host = self._host
        self._refusing(host.commands.join_group(host.interface_name, self.settings.vhid, group))

    def describe(self) -> str:
        try:
            state = self._host.state(self.settings.vhid) or "gone"
            known = {ip: mac for ip, mac in self._host.neighbours().items() if ip in self.settings.addresses}
        except HostError as error:
            state, known = f"unknown ({error})", {}
        state += "".join(f", its neighbour table has {ip} at {mac.hex(':')}" for ip, mac in known.items())
        lines = "\n".join(f"    {line}" for line in self._host.machine.last_lines()) or "    (nothing)"
        return (
            f"vhid {self.settings.vhid} on {self._host.name} is {state}; the machine's last words:\n{lines}"
        )

    def _refusing(self, change: Change) -> None:
        """What the system refuses raises :class:`ConfigurationRefused`."""
        with self._host.acting():
            self._host.refusing([change])

    def _do(self, script: str) -> None:
        with self._host.acting():
            said = self._host.machine.ask(script)
        if not said.ok:
            raise ConfigurationRefused(said.status, self._host.machine.shell.redact(said.text))

    def _note(self, does: str) -> None:
        self._host.bench.note(f"{does} vhid {self.settings.vhid} on {self._host.name}")
