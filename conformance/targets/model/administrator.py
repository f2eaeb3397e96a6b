"""What an administrator does to a model host, and how what the host tells reads: the same on every rung."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.model.actions import Action, Exit, Log, Script, StateChange
from conformance.model.config import ConfigurationError, VhostConfig
from conformance.model.machine import PREFIX, Host
from conformance.model.poll import Signal
from conformance.segment.trace import HostKind
from conformance.targets.protocol import Settings

_OPTIONS: Mapping[str, str] = {
    "dead_ratio": "dead_ratio",
    "neutral": "neutral",
    "shutdown": "shutdown_script",
    "nomcast": "broadcast",
    "source": "source",
    "lladdr": "lladdr",
    "peer": "peer",
    "peer6": "peer6",
    "carpnodes": "nodes",
    "balancing": "balancing",
    "carpver": "version",
    "vrrpprio": "priority",
    "vrrpinterval": "interval_cs",
}
_LEVELS = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")
"""The names of syslog's levels."""
_SWITCHING = "Switching to state: "
"""How a ucarp tells a change of its state."""


@dataclass(slots=True)
class Administrator:
    """The administrator of ``machine``, who runs virtual hosts on ``interface``. Times are nanoseconds."""

    machine: Host
    interface: str
    _arguments: dict[int, str] = field(default_factory=dict)
    """By vhid: with what, after the interface, a script is called."""

    def configure(self, now_ns: int, settings: Settings) -> list[Action]:
        """Creates a virtual host (starts a ucarp), with preemption if wanted.

        Raises :class:`ConfigurationError`.
        """
        rules = self.machine.dialect
        actions: list[Action] = []
        if settings.preempt and PREFIX + "preempt" in rules.sysctls and rules.poll_loop is None:
            actions += self.machine.sysctl(now_ns, "preempt", 1)
        config = self._config(settings)
        first = str(settings.addresses[0]) if settings.addresses else ""
        self._arguments[settings.vhid] = f"{first} {settings.options.get('xparam', '')}".strip()
        return actions + self.machine.configure(now_ns, self.interface, config)

    def take_down(self, now_ns: int, vhid: int) -> list[Action]:
        """Ends a virtual host as one does: the carp interface down where there is one, SIGTERM to a ucarp.

        Elsewhere it is removed. Raises :class:`ConfigurationError`.
        """
        rules = self.machine.dialect
        if rules.own_interface:
            device = self.machine.vhost(self.interface, vhid).device
            return self.machine.interface_up(now_ns, device, False)
        if rules.poll_loop is not None:
            return self.machine.signal(now_ns, self.interface, vhid, Signal.TERM)
        return self.machine.destroy(now_ns, self.interface, vhid)

    def told(self, action: Action) -> tuple[HostKind, str] | None:
        """The host event that an action of the machine is for an observer of the host; None if it is none."""
        daemon = self.machine.dialect.poll_loop is not None
        match action:
            case StateChange(new=new):  # of a daemon nothing but its log is known
                return None if daemon else (HostKind.STATE, new.value)
            case Log(text=text) if daemon and text.startswith(_SWITCHING):
                return HostKind.STATE, text.removeprefix(_SWITCHING)
            case Log(level=level, text=text):
                # a daemon of its own writes the level itself
                return HostKind.LOG, f"[{_LEVELS[level]}] {text}" if daemon else text
            case Script(interface=interface, vhid=vhid, script=script):
                return HostKind.SCRIPT, f"{script} {interface} {self._arguments[vhid]}"
            case Exit(status=status):
                return HostKind.PROCESS, f"the process ended with status {status}"
        return None

    def changes(self, **changes: Any) -> dict[str, Any]:
        """What the machine is to change for these fields of :class:`Settings`; of ``options`` those given."""
        options = changes.pop("options", {})
        for name, value in options.items():
            if name not in _OPTIONS:
                raise ConfigurationError(
                    self.machine.name,
                    f"the option {name!r} cannot be changed",
                    f"it has {', '.join(sorted(_OPTIONS))}",
                )
            changes[_OPTIONS[name]] = value
        return changes

    def _config(self, settings: Settings) -> VhostConfig:
        chosen: dict[str, Any] = {"advbase": settings.advbase, "advskew": settings.advskew}
        for name, value in settings.options.items():
            if name == "omit":
                for omitted in value:
                    chosen.pop(omitted, None)
            elif name in _OPTIONS:
                chosen[_OPTIONS[name]] = value
            elif name != "xparam":
                known = f"it has omit, xparam, {', '.join(sorted(_OPTIONS))}"
                raise ConfigurationError(self.machine.name, f"the model has no option {name!r}", known)
        if self.machine.dialect.poll_loop is not None:  # a command line whose numbers are cut to eight bits
            for name in {"advbase", "advskew"} & set(chosen):
                chosen[name] &= 0xFF
        return VhostConfig(
            settings.vhid, settings.addresses, settings.password, preempt=settings.preempt, **chosen
        )
