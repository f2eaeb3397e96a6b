"""One virtual host of a model in virtual time, and what its administrator does to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.model.actions import State
from conformance.model.config import ConfigurationError
from conformance.model.poll import Signal
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.wire.digest import Address

if TYPE_CHECKING:
    from conformance.targets.model.host import ModelHost


@contextmanager
def refusing() -> Iterator[None]:
    """What the machine calls impossible is a refusal of the implementation."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationRefused(1, str(error)) from error


class ModelIut:
    """One virtual host of a model (an :class:`conformance.targets.protocol.Iut`)."""

    def __init__(self, host: ModelHost, settings: Settings) -> None:
        self.settings, self._host = settings, host
        self.started_ns = host.bench.loop.now_ns()
        self._there = True

    def running(self) -> bool:
        return self._there and self.settings.vhid in self._host.configured()

    def stop(self) -> None:
        """As an administrator would: the carp interface down where there is one, SIGTERM to a ucarp, the virtual host removed elsewhere."""
        host, vhid = self._host, self.settings.vhid
        if host.machine.dialect.poll_loop is not None:
            self.signal("TERM")
        else:
            host.box.carry_out(host.administrator.take_down(self._now_ns, vhid))

    def kill(self) -> None:
        if self.running():
            self._there = False
            self._note("removes")
            self._host.box.carry_out(self._host.machine.destroy(self._now_ns, *self._where))

    def signal(self, name: str) -> None:
        self._host.bench.note(f"sends SIG{name} to the process on {self._host.name}")
        self._host.box.carry_out(self._host.machine.signal(self._now_ns, *self._where, Signal[name]))

    def reconfigure(self, **changes: Any) -> None:
        """Sets parameters of the running virtual host (:class:`conformance.targets.protocol.Changeable`)."""
        self._note(
            f"sets {', '.join(name if name == 'password' else f'{name} {value}' for name, value in changes.items())} of"
        )
        with refusing():
            wanted = self._host.administrator.changes(**changes)
            self._host.box.carry_out(self._host.machine.reconfigure(self._now_ns, *self._where, **wanted))
        if "options" in changes:
            changes["options"] = {**self.settings.options, **changes["options"]}
        self.settings = replace(self.settings, **changes)

    def add_address(self, address: Address) -> None:
        self._note(f"adds {address} to")
        with refusing():
            self._host.box.carry_out(self._host.machine.add_address(self._now_ns, *self._where, address))
        if address not in self.settings.addresses:
            self.settings = replace(self.settings, addresses=(*self.settings.addresses, address))

    def remove_address(self, address: Address) -> None:
        self._note(f"removes {address} from")
        with refusing():
            self._host.box.carry_out(self._host.machine.remove_address(self._now_ns, *self._where, address))
        self.settings = replace(
            self.settings, addresses=tuple(one for one in self.settings.addresses if one != address)
        )

    def request_state(self, state: str) -> None:
        self._note(f"orders {state} for")
        self._host.box.carry_out(self._host.machine.request_state(self._now_ns, *self._where, State[state]))

    def interface(self, *, up: bool) -> None:
        """Takes the carp interface down or up (:class:`conformance.targets.protocol.Closable`)."""
        device = self._host.machine.vhost(*self._where).device
        self._note(f"takes {device} {'up' if up else 'down'}, the interface of")
        self._host.box.carry_out(self._host.machine.interface_up(self._now_ns, device, up))

    def join_group(self, group: str) -> None:
        self._note(f"joins group {group} with")
        self._host.box.carry_out(self._host.machine.join_group(self._now_ns, *self._where, group))

    def describe(self) -> str:
        machine = self._host.machine
        state = machine.state(*self._where).value if self.running() else "gone"
        return f"the model of {machine.dialect.key} on {self._host.name} is {state}; counters: " + (
            ", ".join(f"{name} {value}" for name, value in machine.counters.items() if value) or "all zero"
        )

    def _note(self, does: str) -> None:
        self._host.bench.note(f"{does} vhid {self.settings.vhid} on {self._host.name}")

    @property
    def _now_ns(self) -> int:
        return self._host.box.now_ns()

    @property
    def _where(self) -> tuple[str, int]:
        return self._host.interface_name, self.settings.vhid
