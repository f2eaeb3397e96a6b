"""The command line of a model host: as much of the tools of its system as the cases ask for."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING

from conformance.catalogue import COUNTERS
from conformance.lab.shell import Said
from conformance.model.config import ConfigurationError
from conformance.model.machine import PREFIX
from conformance.model.platform import LIBXO, NETSTAT
from conformance.targets.model.ifconfig import Ifconfig

if TYPE_CHECKING:
    from conformance.targets.model.host import ModelHost

ROOT = "root"
BULK_UPDATE_NS = 65_000_000_000
"""How long pfsync asks a peer that does not answer for its states."""
_NOT_FOUND = 127


class ModelShell:
    """The shell of ``host``, seen from one of its interfaces."""

    def __init__(self, host: ModelHost) -> None:
        self.host = host
        self._tools: Mapping[str, Callable[[list[str], str], Said]] = {
            "sysctl": self._sysctl,
            "netstat": self._netstat,
            "ifconfig": self._ifconfig,
            "ping": self._ping,
            "ping6": self._ping,
        }

    def run(self, line: str, user: str) -> Said:
        """What a command says (:meth:`conformance.targets.platform.Commanding.command`)."""
        words = shlex.split(line)
        tool = self._tools.get(words[0])
        return Said(_NOT_FOUND, "", f"sh: {words[0]}: not found") if tool is None else tool(words[1:], user)

    def _sysctl(self, words: list[str], user: str) -> Said:
        name, _, value = words[-1].partition("=")
        rules, machine = self.host.machine.dialect, self.host.machine
        if value and user != ROOT and rules.common.needs_privilege:
            return Said(1, "", f"sysctl: {name}={value}: Operation not permitted")
        if name == "net.link.ether.inet.garp_rexmit_count":
            machine.repeats = int(value or machine.repeats)
            return Said(0, str(machine.repeats), "")
        if name == "net.pfsync.carp_demotion_factor" and rules.bulk_update_demotion:
            return Said(0, str(rules.bulk_update_demotion), "")
        if name == PREFIX + "stats" and rules.stats_words:
            numbers = (machine.counters[counter] for counter in COUNTERS[: rules.stats_words])
            return Said(0, "Dump:0x" + b"".join(one.to_bytes(8, "little") for one in numbers).hex(), "")
        try:
            if value:
                self.host.set_sysctl(name.removeprefix(PREFIX), int(value))
            return Said(0, str(machine.read_sysctl(name)), "")
        except ConfigurationError:
            return Said(1, "", f"sysctl: unknown oid '{name}'")

    def _netstat(self, words: list[str], _: str) -> Said:
        rules, counters = self.host.machine.dialect, self.host.machine.counters
        if not rules.netstat_shows:
            return Said(1, "", "netstat: carp: unknown or uninstrumented protocol")
        if "--libxo" in words:
            if not rules.libxo_names:
                return Said(1, "", "netstat: unknown option -- libxo")
            told = {LIBXO[name]: counters[name] for name in rules.netstat_shows}
            return Said(0, json.dumps({"statistics": {"carp": told}}), "")
        lines = [f"\t{NETSTAT[name].format(counters[name])}" for name in rules.netstat_shows]
        return Said(0, "\n".join(["carp:", *lines]) + "\n", "")

    def _ifconfig(self, words: list[str], user: str) -> Said:
        if words[0].startswith("pfsync"):
            return self._pfsync(words)
        return Ifconfig(self.host).run(words, user)

    def _pfsync(self, words: list[str]) -> Said:
        by = self.host.machine.dialect.bulk_update_demotion
        if by and words[-1] == "up":
            self.host.demote(by)
            loop = self.host.bench.loop
            loop.at(loop.now_ns() + BULK_UPDATE_NS, lambda: self.host.demote(-by))
        return Said(0, "", "")

    def _ping(self, words: list[str], _: str) -> Said:
        """Sends what looks for a neighbour; nobody is there to answer."""
        target = ip_address(words[-1])
        source = ip_address(words[words.index("-S") + 1]) if "-S" in words else None
        assert source is None or isinstance(source, IPv4Address), "with a source it is IPv4 here"
        self.host.platform.look_for(target, source)
        return Said(2, "1 packets transmitted, 0 packets received, 100.0% packet loss\n", "")
