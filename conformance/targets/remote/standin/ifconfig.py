"""ifconfig(8) of a stand-in: what it takes, and what it does to the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from typing import Any

from conformance.model.actions import Action, State
from conformance.model.config import ConfigurationError, VhostConfig
from conformance.model.machine import Host
from conformance.model.vhost import Vhost
from conformance.targets.remote.ifconfig import Interface
from conformance.targets.remote.standin import show
from conformance.targets.remote.standin.show import Carp, Flavour
from conformance.wire.digest import Address


class Refused(Exception):
    """A complaint, with the exit status of the command."""

    def __init__(self, text: str, status: int = 1) -> None:
        self.status = status
        super().__init__(text)


class Unknown(Refused):
    """Something that the stand-in cannot do: said loudly, so that nobody takes it for the system's own answer."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(f"STAND-IN: it does not know how to do `{' '.join(words)}`", 70)


_NUMBERS = {"vhid": "vhid", "advbase": "advbase", "advskew": "advskew", "vrrpprio": "priority", "vrrpinterval": "interval_cs", "carpver": "version"}  # fmt: skip
_TEXTS = {
    "pass": "password",
    "peer": "peer",
    "peer6": "peer6",
    "carppeer": "peer",
    "lladdr": "lladdr",
    "state": "state",
    "carpdev": "carpdev",
    "balancing": "balancing",
}


@dataclass(slots=True)
class Ifconfig:
    """The tool on one machine: ``carry_out`` does what the model wants, ``now_ns`` is its time."""

    machine: Host
    flavour: Flavour
    interface: str
    now_ns: Callable[[], int]
    carry_out: Callable[[list[Action]], None]
    ipv6: bool = True
    prefixes: dict[Address, int] = field(default_factory=dict)
    carps: dict[str, Carp] = field(default_factory=dict)

    def run(self, words: list[str]) -> str:
        """What ``ifconfig WORDS`` prints. Raises :class:`Refused`, and ConfigurationError for what the model refuses."""
        match words:
            case [] | ["-a"]:
                return "".join(self._shown(name) for name in (self.interface, *self.carps))
            case ["carp"] if self.flavour is Flavour.OPENBSD:
                return "".join(self._shown(name) for name in self.carps)
            case ["-g", group, *rest] if self.flavour is Flavour.OPENBSD:
                return self._group(group, rest)
            case [name]:
                return self._shown(name)
        self._change(*words)
        return ""

    def _change(self, name: str, *words: str) -> None:
        if words == ("create",) and self.flavour is not Flavour.FREEBSD and name.startswith("carp"):
            if name in self.carps:
                raise Refused("SIOCIFCREATE: File exists")
            self.carps[name] = Carp(name)
        elif name in self.carps:
            self._carp(self.carps[name], list(words))
        elif name == self.interface:
            self._own(list(words))
        else:
            raise Refused(f"interface {name} does not exist")

    def _group(self, group: str, words: list[str]) -> str:
        match words:
            case []:
                return f"{group}: carp demote count {self.machine.groups.get(group, 0)}\n"
            case ["carpdemote" | "-carpdemote" as word, number]:
                if int(number) > 128:
                    raise Refused(f"{group}: invalid carp demotion: too large")
                by = int(number) if word == "carpdemote" else -int(number)
                try:
                    self._do(self.machine.demote(self.now_ns(), by, group))
                except ConfigurationError as error:
                    raise Refused("SIOCSIFGATTR: Invalid argument") from error
                return ""
        raise Unknown(["ifconfig", "-g", group, *words])

    # --- the interface on the segment

    def _own(self, words: list[str]) -> None:
        match words:
            case ["up" | "down" as word]:
                self._do(self.machine.interface_up(self.now_ns(), self.interface, word == "up"))
            case ["inet6", "-ifdisabled" | "ifdisabled" as word]:
                self.ipv6 = word == "-ifdisabled"
            case ["inet" | "inet6", address, "-alias" | "delete"]:
                self._take(ip_address(address))
            case ["inet" | "inet6", address, "alias"]:
                self.machine.port(self.interface).addresses.append(ip_interface(address))
            case _ if self.flavour is Flavour.FREEBSD:
                self._virtual(words)
            case _:
                raise Unknown(["ifconfig", self.interface, *words])

    def _virtual(self, words: list[str]) -> None:
        """FreeBSD 10 and later: parameters behind ``vhid``, then perhaps an address."""
        chosen, address = self._parsed(words)
        vhid = chosen.pop("vhid", None)
        if vhid is None:
            raise Refused(f"{words[0]} requires vhid")
        if not 0 < vhid < 256:
            raise Refused("vhid must be greater than 0 and less than 255")
        state = chosen.pop("state", None)
        known = vhid in self.machine.port(self.interface).vhosts
        with_address = () if address is None else (address.ip,)
        if address is not None:
            self.prefixes[address.ip] = address.network.prefixlen
        if not known:
            config = VhostConfig(vhid, with_address, **chosen)
            self._do(self.machine.configure(self.now_ns(), self.interface, config))
        else:
            if chosen:
                self._do(self.machine.reconfigure(self.now_ns(), self.interface, vhid, **chosen))
            for one in with_address:
                self._do(self.machine.add_address(self.now_ns(), self.interface, vhid, one))
        if state is not None:
            self._order(vhid, state)

    def _take(self, address: Address) -> None:
        port = self.machine.port(self.interface)
        for vhost in tuple(port.vhosts.values()):
            if address in vhost.config.parsed():
                self._do(self.machine.remove_address(self.now_ns(), self.interface, vhost.vhid, address))
                return
        left = [one for one in port.addresses if one.ip != address]
        if len(left) == len(port.addresses):
            raise Refused("ioctl (SIOCDIFADDR): Can't assign requested address")
        port.addresses[:] = left

    # --- carp interfaces

    def _carp(self, carp: Carp, words: list[str]) -> None:
        vhost = self._behind(carp)
        match words:
            case ["destroy"]:
                del self.carps[carp.name]
                if vhost is not None:
                    self._do(self.machine.destroy(self.now_ns(), self.interface, vhost.vhid))
            case ["up"] if vhost is None and self.flavour is Flavour.OPENBSD:
                self._begin(carp)
            case ["up" | "down" as word]:
                self._do(self.machine.interface_up(self.now_ns(), carp.name, word == "up"))
            case ["group" | "-group" as word, group]:
                self._regroup(vhost, group, join=word == "group")
            case ["inet" | "inet6", address, "-alias" | "delete"]:
                self._drop(carp, vhost, ip_address(address))
            case _:
                self._parameters(carp, vhost, words)

    def _regroup(self, vhost: Vhost | None, group: str, *, join: bool) -> None:
        if vhost is None:
            return
        if join:
            self._do(self.machine.join_group(self.now_ns(), self.interface, vhost.vhid, group))
        elif group in vhost.groups:
            vhost.groups.remove(group)

    def _drop(self, carp: Carp, vhost: Vhost | None, address: Address) -> None:
        if carp.addresses.pop(address, None) is None:
            raise Refused("ioctl (SIOCDIFADDR): Can't assign requested address")
        if vhost is not None:
            self._do(self.machine.remove_address(self.now_ns(), self.interface, vhost.vhid, address))

    def _parameters(self, carp: Carp, vhost: Vhost | None, words: list[str]) -> None:
        chosen, address = self._parsed(words)
        carp.carpdev = chosen.pop("carpdev", carp.carpdev)
        state = chosen.pop("state", None)
        if address is not None:
            carp.addresses[address.ip] = address
        if vhost is None:
            carp.parameters |= chosen
            if self.flavour is Flavour.LEGACY and address is not None:
                self._begin(carp)
            return
        if chosen:
            self._do(self.machine.reconfigure(self.now_ns(), self.interface, vhost.vhid, **chosen))
        if address is not None:
            self._do(self.machine.add_address(self.now_ns(), self.interface, vhost.vhid, address.ip))
        if state is not None:
            self._order(vhost.vhid, state)

    def _begin(self, carp: Carp) -> None:
        """Enough is known: the virtual host runs."""
        parameters: dict[str, Any] = dict(carp.parameters)
        if "vhid" in parameters:
            vhid = parameters.pop("vhid")
        elif "nodes" in parameters:
            vhid = parameters["nodes"][0][0]
        else:
            raise Refused("SIOCSVH: Invalid argument")
        config = VhostConfig(vhid, tuple(carp.addresses), device=carp.name, **parameters)
        self._do(self.machine.configure(self.now_ns(), self.interface, config))

    def _behind(self, carp: Carp) -> Vhost | None:
        return next(iter(self._all_behind(carp)), None)

    def _all_behind(self, carp: Carp) -> list[Vhost]:
        return [one for one in self.machine.vhosts() if one.device == carp.name]

    # --- both

    def _parsed(self, words: list[str]) -> tuple[dict[str, Any], Interface | None]:
        """Parameters by the model's names, and the address."""
        chosen: dict[str, Any] = {}
        address: Interface | None = None
        queue = iter(words)
        for word in queue:
            if word in ("inet", "inet6", "alias"):
                continue
            if word in _NUMBERS:
                chosen[_NUMBERS[word]] = int(self._value(queue, words))
            elif word == "carpnodes" and self.flavour is Flavour.OPENBSD:
                chosen["nodes"] = _nodes(self._value(queue, words))
            elif word in _TEXTS:
                chosen[_TEXTS[word]] = self._value(queue, words)
            else:
                try:
                    address = ip_interface(word)
                except ValueError as error:
                    raise Unknown(["ifconfig", *words]) from error
        return chosen, address

    @staticmethod
    def _value(queue: Iterator[str], words: list[str]) -> str:
        value = next(queue, None)
        if value is None:
            raise Unknown(["ifconfig", *words])
        return value

    def _order(self, vhid: int, state: str) -> None:
        if state.upper() not in State.__members__:
            raise Refused("unknown state")
        self._do(self.machine.request_state(self.now_ns(), self.interface, vhid, State[state.upper()]))

    def _shown(self, name: str) -> str:
        if name in self.carps:
            vhosts = self._all_behind(self.carps[name])
            groups = vhosts[0].groups if vhosts else ["carp"]
            return show.carp_interface(self.flavour, self.carps[name], vhosts, groups)
        if name == self.interface:
            return show.interface(
                self.machine, self.flavour, self.machine.port(name), self.prefixes, ipv6=self.ipv6
            )
        raise Refused(f"interface {name} does not exist")

    def _do(self, actions: list[Action]) -> None:
        self.carry_out(actions)


def _nodes(text: str) -> tuple[tuple[int, int], ...]:
    """``1:0,2:100`` as pairs of vhid and advskew."""
    pairs = [one.partition(":") for one in text.split(",")]
    return tuple((int(vhid), int(advskew)) for vhid, _, advskew in pairs)
