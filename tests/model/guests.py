"""Gives the commands of a recording to a model host: the console program of the legacy and OpenBSD guests,
and ifconfig and sysctl of the later ones.
"""

from __future__ import annotations

import re
from ipaddress import ip_interface
from random import Random

from conformance.model.actions import Action, State
from conformance.model.config import ConfigurationError, Interface, VhostConfig, link_local_of
from conformance.model.dialects import Dialect
from conformance.model.machine import Host

_FIELDS = {"carpver": "version", "vrrpprio": "priority", "vrrpinterval": "interval_cs"}
_NUMBERS = ("adv", "vrrp", "carpver")


class Guest:
    """A recorded machine and the host that models it. ``ports`` are its interfaces with their segments."""

    def __init__(self, name: str, dialect: Dialect, ports: dict[str, tuple[str, bytes]], rng: Random) -> None:
        self.name, self.dialect = name, dialect
        self.segments = {segment: port for port, (segment, _) in ports.items()}
        self.macs = {mac for _, mac in ports.values()}
        self.host = Host(name, dialect, [Interface(port, mac) for port, (_, mac) in ports.items()], rng)
        self.devices: dict[str, dict[str, object]] = {}
        self.shared: set[str] = set()
        self.refused: list[str] = []

    def owns(self, address: object) -> bool:
        return any(port.owns(address) for port in self.host.ports.values())  # type: ignore[arg-type]

    def run(self, now_ns: int, command: str) -> list[Action]:
        """The actions that a command causes; commands that the model has no part in cause none."""
        try:
            return self._run(now_ns, command)
        except ConfigurationError as error:
            self.refused.append(str(error))
            return []

    def _run(self, now_ns: int, command: str) -> list[Action]:  # one case for each command
        words = re.sub(r"^sleep \d+; ", "", command).split()
        match words:
            case ["set_link", nic, state]:
                return self.host.link(now_ns, list(self.host.ports)[int(nic[3:])], state == "on")
            case ["sysctl", name, value] if (
                name.startswith("net.inet.carp.") and name.removeprefix("net.inet.carp.") != "arpbalance"
            ):
                return self.host.sysctl(now_ns, name, int(value))
            case ["up" | "down", device]:
                return (
                    self.host.interface_up(now_ns, device, words[0] == "up")
                    if "port" in self.devices.get(device, {}) or device in self.host.ports
                    else []
                )
            case ["carp", device, *rest]:
                return self._carp(now_ns, device, dict(zip(rest[::2], rest[1::2], strict=False)))
            case ["inet" | "inet6", device, address]:
                return self._inet(now_ns, device, address)
            case ["-inet" | "-inet6", device, address]:
                return self.host.remove_address(now_ns, *self._where(device), address.split("/")[0])
            case ["get", device] if (
                "port" in self.devices.get(device, {}) and not self.dialect.notices_removal
            ):
                return self.host.reconfigure(now_ns, *self._where(device))
            case ["demote", group, amount]:
                return self.host.demote(now_ns, int(amount), group)
            case ["group", device, group]:
                return self.host.join_group(now_ns, *self._where(device), group)
            case ["destroy", device]:
                return self.host.destroy(now_ns, *self._where(device))
            case ["ifconfig", port, *rest] if port in self.host.ports:
                return self._ifconfig(now_ns, port, rest)
            case ["sysctl", setting, *_] if setting.startswith("net.inet.carp.") and "=" in setting:
                name, value = setting.split("=")
                return self.host.sysctl(now_ns, name, int(value))
            case _:
                return []

    def _where(self, device: str) -> tuple[str, int]:
        parameters = self.devices[device]
        return str(parameters["port"]), int(str(parameters["vhid"]))

    def _parent(self, address: str) -> str:
        network = ip_interface(address).network
        return next(
            (
                name
                for name, port in self.host.ports.items()
                if any(one.ip in network for one in port.addresses)
            ),
            next(iter(self.host.ports)),
        )

    def _carp(self, now_ns: int, device: str, words: dict[str, str]) -> list[Action]:
        changes: dict[str, object] = {
            name: int(words[name]) for name in ("advbase", "advskew") if name in words
        }
        if "pass" in words:
            changes["password"] = words["pass"]
        if device in self.devices and "port" in self.devices[device]:
            port, vhid = self._where(device)
            if "state" in words:
                return self.host.request_state(now_ns, port, vhid, State(words["state"].upper()))
            return self.host.reconfigure(now_ns, port, vhid, **changes)
        self.devices[device] = {"vhid": words["vhid"], "changes": changes}
        if "dev" in words:
            return self._create(now_ns, device, words["dev"])
        return []

    def _create(self, now_ns: int, device: str, port: str) -> list[Action]:
        parameters = self.devices[device]
        parameters["port"] = port
        return self.host.configure(
            now_ns, port, VhostConfig(int(str(parameters["vhid"])), device=device, **parameters["changes"])
        )  # type: ignore[arg-type]

    def _inet(self, now_ns: int, device: str, address: str) -> list[Action]:
        if device in self.host.ports:
            self.host.ports[device].addresses.append(ip_interface(address))
            return []
        if device not in self.devices:
            return []
        created = (
            self._create(now_ns, device, self._parent(address)) if "port" not in self.devices[device] else []
        )
        plain = address.split("/", maxsplit=1)[0]
        self.shared.add(plain)
        port, vhid = self._where(device)
        added = self.host.add_address(now_ns, port, vhid, plain)
        if self.dialect.own_link_local:
            self.shared.add(str(link_local_of(self.host.vhost(port, vhid).mac)))
        return created + added

    def _ifconfig(self, now_ns: int, port: str, words: list[str]) -> list[Action]:
        line = " ".join(words)
        if line in ("up", "down"):
            return self.host.interface_up(now_ns, port, line == "up")
        options = dict(
            re.findall(
                r"(vhid|advskew|advbase|pass|state|peer|peer6|carpver|vrrpprio|vrrpinterval) (\S+)", line
            )
        )
        alias = re.search(r"(?:alias )?(\S+/\d+)", line.partition(";")[0])
        if "vhid" not in options:
            if alias and line.startswith(("inet6", "inet ")) and "-alias" not in line:
                self.host.ports[port].addresses.append(ip_interface(alias[1]))
            elif "-alias" in line or "delete" in line:
                plain = next(word for word in words if re.match(r"[0-9a-f:.]+$", word) and word != "-alias")
                vhost = next((one for one in self.host.vhosts() if plain in map(str, one.addresses)), None)
                return self.host.remove_address(now_ns, port, vhost.vhid, plain) if vhost is not None else []
            return []
        vhid = int(options.pop("vhid"))
        line = line.partition(";")[0]
        state = options.pop("state", None)
        known = vhid in self.host.ports[port].vhosts
        if state is not None:
            if state.upper() not in State.__members__:
                return []  # ifconfig refuses it
            return self.host.request_state(now_ns, port, vhid, State(state.upper()))
        changes: dict[str, object] = {
            _FIELDS.get(name, name): int(value) if name.startswith(_NUMBERS) else value.strip('"')
            for name, value in options.items()
        }
        if "pass" in changes:
            changes["password"] = changes.pop("pass")
        if "mcast" in words:
            changes["peer"] = None
        actions = (
            self.host.reconfigure(now_ns, port, vhid, **changes)
            if known
            else self.host.configure(now_ns, port, VhostConfig(vhid, **changes))
        )  # type: ignore[arg-type]
        if alias:
            plain = alias[1].split("/")[0]
            self.shared.add(plain)
            actions += self.host.add_address(now_ns, port, vhid, plain)
        return actions
