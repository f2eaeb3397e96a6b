"""The targets ``model:…@netns``: each host is a model process on real interfaces, in real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from ipaddress import ip_interface
from typing import Any

import conformance
from conformance.lab import netns
from conformance.lab.netns import Station, Switch
from conformance.model.dialects import Dialect, dialect
from conformance.targets.beside.keepalived import beside
from conformance.targets.model.driven import ModelMachineProcess, Plugged
from conformance.targets.model.iut import refusing
from conformance.targets.model.process import document_of
from conformance.targets.model.target import MAX_HOSTS, administered, deviations_of, pics
from conformance.targets.netns_bench import BenchHost, NetnsBench, Starter, netns_bench
from conformance.targets.protocol import Profile, Settings
from conformance.wire.digest import Address

RUNG = "netns"
_ADMINISTERED = frozenset(
    {"reconfigure", "second_interface", "group_failover", "demotion_order", "demotion_sum", "demotion_groups"}
)
"""What of :func:`conformance.targets.model.target.administered` this driver can do in real time."""


class ModelProcessIut:
    """One virtual host of a model process (an :class:`conformance.targets.protocol.Iut`)."""

    def __init__(self, host: ModelProcessHost, settings: Settings, started_ns: int) -> None:
        self.settings, self._host, self.started_ns = settings, host, started_ns
        self._there = True

    def running(self) -> bool:
        return self._there and self._host.runs(self.settings.vhid)

    def stop(self) -> None:
        """As :meth:`conformance.targets.model.administrator.Administrator.take_down`."""
        self._note("stops")
        self._do("stop")
        self._there = self._host.rules.own_interface

    def kill(self) -> None:
        if self.running():
            self._there = False
            self._do("destroy")

    def signal(self, name: str) -> None:
        self._note(f"sends SIG{name} to")
        self._do("signal", name=name)

    def reconfigure(self, **changes: Any) -> None:
        """Sets parameters of the running virtual host (:class:`conformance.targets.protocol.Changeable`)."""
        told = (name if name == "password" else f"{name} {value}" for name, value in changes.items())
        self._note(f"sets {', '.join(told)} of")
        with refusing():
            self._do("reconfigure", changes=changes)
        if "options" in changes:
            changes["options"] = {**self.settings.options, **changes["options"]}
        self.settings = replace(self.settings, **changes)

    def add_address(self, address: Address) -> None:
        self._note(f"adds {address} to")
        with refusing():
            self._do("add_address", address=str(address))
        if address not in self.settings.addresses:
            self.settings = replace(self.settings, addresses=(*self.settings.addresses, address))

    def remove_address(self, address: Address) -> None:
        self._note(f"removes {address} from")
        with refusing():
            self._do("remove_address", address=str(address))
        left = tuple(one for one in self.settings.addresses if one != address)
        self.settings = replace(self.settings, addresses=left)

    def describe(self) -> str:
        tail = "\n".join(f"    {line}" for line in self._host.last_words()) or "    (it said nothing)"
        alive = "runs" if self.running() else "has ended"
        return f"the model of {self._host.rules.key} on {self._host.name} {alive}; its last words:\n{tail}"

    def _do(self, what: str, **fields: Any) -> None:
        self._host.ask(what, vhid=self.settings.vhid, device=self._host.station.interface, **fields)

    def _note(self, does: str) -> None:
        self._host.bench.note(f"{does} vhid {self.settings.vhid} on {self._host.name}")


class ModelProcessHost:
    """An interface of a host whose IP stack is a model process (a :class:`conformance.targets.protocol.SutHost`).

    ``beside`` is the machine's first interface for its second one, ``switch`` what it is plugged into.
    """

    def __init__(
        self,
        bench: NetnsBench,
        station: Station,
        rules: Dialect,
        switch: Switch | None = None,
        beside: ModelProcessHost | None = None,
    ) -> None:
        self.bench, self.station, self.rules = bench, station, rules
        self.name, self.mac = station.name, station.mac
        self._switch = switch or bench.switch
        number, link = int(station.address.ip) & 0xFF, "fe80::1:" if beside else "fe80::"
        subnet6 = "2001:db8:1::" if beside else "2001:db8::"
        self.interfaces = (
            station.address,
            ip_interface(f"{subnet6}{number:x}/64"),
            ip_interface(f"{link}{number:x}/64"),
        )
        self.addresses: tuple[Address, ...] = tuple(one.ip for one in self.interfaces)
        self.process: ModelMachineProcess = beside.process if beside else ModelMachineProcess(bench, rules)
        order = {
            "interface": station.interface,
            "mac": self.mac.hex(":"),
            "addresses": [str(one) for one in self.interfaces],
        }
        self.process.plugged.append(Plugged(self, order))
        self._removed = False

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process.alive

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def runs(self, vhid: int) -> bool:
        """Whether a virtual host of this interface that was started has not ended by itself."""
        return self.alive and (self.station.interface, vhid) not in self.process.exited

    def start(self, settings: Settings) -> ModelProcessIut:
        preempt = ", preempt" if settings.preempt else ""
        self.bench.note(
            f"starts vhid {settings.vhid} on {self.name}: "
            f"advbase {settings.advbase}, advskew {settings.advskew}{preempt}"
        )
        self.process.exited.discard((self.station.interface, settings.vhid))
        with refusing():
            answer = self.process.ask("start", vhost=document_of(settings), device=self.station.interface)
        ago_ns = time.monotonic_ns() - answer["at_ns"]
        return ModelProcessIut(self, settings, self.bench.loop.now_ns() - ago_ns)

    def cable(self, *, plugged: bool) -> None:
        self.bench.note(f"{'plugs in' if plugged else 'pulls'} the cable of {self.name}")
        self._switch.cable(self.name, plugged=plugged)

    def remove_interface(self) -> None:
        self.bench.note(f"removes the interface of {self.name}")
        self._switch.unplug(self.name)
        self._removed = True

    def serve(self, address: Address, port: int) -> None:
        self.ask("serve", address=str(address), port=port, device=self.station.interface)

    def counters(self) -> Mapping[str, int]:
        counters: dict[str, int] = self.ask("counters")
        return counters

    def sysctl(self, name: str) -> int:
        return int(self.ask("sysctl", name=name))

    def set_sysctl(self, name: str, value: int) -> None:
        self.bench.note(f"writes net.inet.carp.{name}={value} on {self.name}")
        self.ask("set_sysctl", name=name, value=value)

    def demote(self, amount: int, group: str = "carp") -> None:
        self.bench.note(f"demotes {self.name} by {amount} (group {group})")
        with refusing():
            self.ask("demote", amount=amount, group=group)

    def demotion(self, group: str = "carp") -> int:
        return int(self.ask("demotion", group=group))

    def ask(self, do: str, **fields: Any) -> Any:
        """The value of the answer to a request (:meth:`ModelMachineProcess.ask`)."""
        return self.process.ask(do, **fields)["value"]

    def last_words(self) -> list[str]:
        """The last lines that the process said in this case."""
        return self.process.last_words()

    def reset(self) -> None:
        self.process.end_case()
        if self._removed:
            self._switch.replug(self.name)
            self._removed = False
        self._switch.cable(self.name, plugged=True)

    def hang_up(self) -> None:
        """As :meth:`ModelMachineProcess.hang_up`."""
        self.process.hang_up()

    def close(self) -> None:
        self.process.close()


@dataclass(frozen=True, slots=True)
class ModelProcesses:
    """The :class:`conformance.targets.netns_bench.Starter` of model processes of one dialect."""

    rules: Dialect
    own_stack: bool = True

    def host(self, bench: NetnsBench, station: Station) -> BenchHost:
        return ModelProcessHost(bench, station, self.rules)

    def second(self, bench: NetnsBench, station: Station, switch: Switch, first: BenchHost) -> BenchHost:
        assert isinstance(first, ModelProcessHost)
        return ModelProcessHost(bench, station, self.rules, switch, first)


class ModelNetnsTarget:
    """A :class:`conformance.targets.protocol.Target`."""

    def __init__(self, name: str, rules: Dialect) -> None:
        self._rules = rules
        self.profile = Profile(
            name=f"{name}@{RUNG}",
            dialect=rules,
            rung=RUNG,
            origin=f"this suite's model of {rules.key}",
            pics=beside(
                pics(rules)
                | {name: has for name, has in administered(rules).items() if name in _ADMINISTERED}
                | {"interface_removal": True}
            ),
            deviations=deviations_of(rules.key),
            max_hosts=MAX_HOSTS,
        )

    def version(self) -> str:
        return conformance.__version__

    def lacks(self) -> tuple[tuple[str, str], ...]:
        return netns.lacks()

    def bench(self, hosts: int) -> AbstractContextManager[NetnsBench]:
        return netns_bench([self.starter()] * hosts)

    def starter(self) -> Starter:
        """One host of it, for a bench on which several implementations meet."""
        return ModelProcesses(self._rules)


def _target(name: str, key: str) -> Callable[[], ModelNetnsTarget]:
    return lambda: ModelNetnsTarget(f"model:{name}", dialect(key))


freebsd = _target("freebsd", "freebsd-13")
freebsd_10 = _target("freebsd-10", "freebsd-10")
freebsd_15 = _target("freebsd-15", "freebsd-15")
freebsd_legacy = _target("freebsd-legacy", "freebsd-legacy")
freebsd_legacy_6 = _target("freebsd-legacy-6", "freebsd-legacy-6")
openbsd = _target("openbsd", "openbsd")
ucarp = _target("ucarp", "ucarp")
