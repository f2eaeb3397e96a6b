"""ifconfig(8) of a model host: how it shows a virtual host, and which words it takes for one."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING, Any

from conformance.lab.shell import Said
from conformance.model.config import ConfigurationError, VhostConfig
from conformance.model.vhost import Vhost

if TYPE_CHECKING:
    from conformance.targets.model.host import ModelHost

_NUMBERS = ("advskew", "advbase")
_PARAMETERS = {
    "advskew": "advskew",
    "advbase": "advbase",
    "pass": "passwd",
    "state": "state",
    "peer": "peer",
    "peer6": "peer6",
}
"""Words that belong to a virtual host, as the complaint names them."""
_KINDS = {"lo0": "loopback", "tun0": "tunnel", "bridge0": "bridge"}
_GROUP4, _GROUP6 = "224.0.0.18", "ff02::12"


class Refused(Exception):
    """A complaint of ifconfig."""


class Ifconfig:
    """ifconfig on one machine."""

    def __init__(self, host: ModelHost) -> None:
        self.host, self.rules = host, host.machine.dialect

    def run(self, words: list[str], user: str) -> Said:
        """What ``ifconfig WORDS`` says."""
        keys = words[0] == "-k"
        interface, *rest = words[1:] if keys else words
        try:
            if rest:
                self._set(interface, rest, user)
                return Said(0, "", "")
            shown = self._show(
                interface, keys=keys and (user == "root" or not self.rules.common.key_for_root_only)
            )
        except Refused as complaint:
            return Said(1, "", f"ifconfig: {complaint}")
        except ConfigurationError as error:
            return Said(1, "", f"ifconfig: SIOCSVH: Invalid argument ({error.what})")
        return Said(0, shown, "")

    def _show(self, interface: str, *, keys: bool) -> str:
        machine = self.host.machine
        vhosts = list(machine.port(self.host.interface_name).vhosts.values())
        mine = [one for one in vhosts if one.device == interface] if self.rules.own_interface else vhosts
        if interface != self.host.interface_name and not (self.rules.own_interface and mine):
            raise Refused(f"interface {interface} does not exist")
        lines = [f"{interface}: flags=8943<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500"]
        shared = {address: one.vhid for one in mine for address in one.config.parsed()}
        own = (
            []
            if self.rules.own_interface and mine
            else list(machine.port(self.host.interface_name).addresses)
        )
        for address in [*own, *(ip_interface(f"{one}/{24 if one.version == 4 else 64}") for one in shared)]:
            line = (
                f"inet {address.ip} netmask 0x{int(address.netmask):08x}"
                if address.version == 4
                else f"inet6 {address.ip} prefixlen {address.network.prefixlen}"
            )
            of = (
                f" vhid {shared[address.ip]}" if address.ip in shared and not self.rules.own_interface else ""
            )
            lines.append(f"\t{line}{of}")
        for one in mine:
            lines += self._carp(one, keys=keys)
        return "\n".join(lines) + "\n"

    def _carp(self, vhost: Vhost, *, keys: bool) -> list[str]:
        config = vhost.config
        if vhost.routes is not None:
            shown = (vhost.state.value, vhost.vhid, config.priority, config.interval_cs)
            return ["\t" + vhost.routes.shown.format(*shown)]
        device = f" carpdev {vhost.port.name}" if self.rules.own_link_local else ""
        key = vhost.key.rstrip(b"\0").decode()
        told = f' key "{key}"' if keys and key else ""
        peer = f" carppeer {config.peer}" if config.peer and device else ""
        lines = [
            f"\tcarp: {vhost.state.value}{device} vhid {vhost.vhid} advbase {config.advbase} advskew {config.advskew}{peer}{told}"
        ]
        if self.rules.shows_peers:
            lines.append(f"\t      peer {config.peer or _GROUP4} peer6 {config.peer6 or _GROUP6}")
        return lines

    def _set(self, interface: str, words: list[str], user: str) -> None:
        if words == ["create"]:
            return
        if words[0] == "-vhid":
            if not self.rules.common.takes_minus_vhid:
                raise Refused("-vhid: bad value")
            vhid = int(words[1])
            self.host.carry_out(
                self.host.machine.destroy(self.host.box.now_ns(), self.host.interface_name, vhid)
            )
            return
        chosen = self._parse(words)
        if (
            interface != self.host.interface_name
            and _KINDS.get(interface, "ethernet") not in self.rules.carried_by
        ):
            raise Refused("SIOCGVH: Operation not supported")
        if user != "root" and self.rules.common.needs_privilege:
            raise Refused("SIOCSVH: Operation not permitted")
        self._apply(chosen)

    def _parse(self, words: list[str]) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        queue = list(words)
        while queue:
            word = queue.pop(0)
            if word in ("vhid", *_PARAMETERS):
                if word != "vhid" and "vhid" not in chosen and self.rules.words_need_vhid:
                    raise Refused(f"{_PARAMETERS[word]} requires vhid")
                value = queue.pop(0)
                chosen[word] = int(value) if word in ("vhid", *_NUMBERS) else value
            elif word in ("alias", "-alias", "inet", "inet6"):
                chosen[word] = True
            else:
                chosen["address"] = ip_interface(word).ip
        return chosen

    def _apply(self, chosen: dict[str, Any]) -> None:
        host, where = self.host, self.host.interface_name
        vhosts, now_ns = host.machine.port(where).vhosts, host.box.now_ns()
        address = chosen.get("address")
        if "-alias" in chosen and address is not None:
            vhid = next(vhid for vhid, one in vhosts.items() if address in one.config.parsed())
            host.carry_out(host.machine.remove_address(now_ns, where, vhid, address))
            return
        vhid = chosen["vhid"] if "vhid" in chosen else next(iter(vhosts))
        changes: dict[str, Any] = {name: chosen[name] for name in _NUMBERS if name in chosen}
        if "pass" in chosen:
            changes["password"] = chosen["pass"]
        if "peer" in chosen:
            changes["peer"] = self._peer(chosen["peer"])
        if vhid not in vhosts:
            shared = () if address is None else (address,)
            host.carry_out(host.machine.configure(now_ns, where, VhostConfig(vhid, shared, **changes)))
            return
        if changes:
            host.carry_out(host.machine.reconfigure(now_ns, where, vhid, **changes))
        if address is not None and address not in vhosts[vhid].config.parsed():
            host.carry_out(host.machine.add_address(now_ns, where, vhid, address))

    def _peer(self, word: str) -> str:
        try:
            return str(ip_address(word))
        except ValueError:
            if self.rules.wrong_peer_becomes is None:
                raise Refused(f"{word}: bad value") from None
            return self.rules.wrong_peer_becomes
