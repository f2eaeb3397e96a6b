"""A target whose machines are reached by connections: those of a PIXIT, or those that somebody brings up and writes a PIXIT for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from conformance.lab.hosts import shell
from conformance.lab.shell import HostError
from conformance.model.dialects import Dialect, dialect
from conformance.model.election import Demotion
from conformance.model.rows import LEGACY_6
from conformance.targets import vm
from conformance.targets.pixit import Pixit, PixitError, PixitHost
from conformance.targets.protocol import Deviation, Profile
from conformance.targets.remote.beginning import Rights
from conformance.targets.remote.bench import (
    Lane,
    Maker,
    RemoteBench,
    RemoteSut,
    SharedBench,
    remote_bench,
    this_lane,
)
from conformance.targets.remote.commands import Commands
from conformance.targets.remote.examination import examine, faults
from conformance.targets.remote.host import RemoteHost
from conformance.targets.remote.identity import Identity, dialect_of, facts, identify
from conformance.targets.remote.machine import Machine, Setup, access_of
from conformance.targets.remote.side import RemoteSide
from conformance.wire.digest import AddressRule

INNER_BASE = 1000
"""The carp interfaces of the inner side are numbered from here on, where a virtual host is an interface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What the systems of one target have in common. ``title`` names them in a sentence, ``system`` is what ``uname -s`` says."""

    name: str
    title: str
    system: str
    default: str
    """The dialect, as long as no machine has been asked."""
    majors: range
    commands: Callable[[Identity, int], Commands]
    """By identity and the number from which its carp interfaces are counted."""
    place: Callable[[Identity, PixitHost, Lane], Setup]
    """Where a lane runs on a machine."""
    can_lane: Callable[[Identity], bool]
    """Whether lanes run side by side on one machine."""
    deviations: Mapping[str, tuple[Deviation, ...]]
    vm: vm.System
    """The machines that are brought up where nobody names others."""
    denied: frozenset[str] = frozenset()
    """Capabilities of the dialect that the system's commands do not give."""


class RemoteTarget:
    """A :class:`conformance.targets.protocol.Target` and :class:`conformance.targets.protocol.Configurable`."""

    def __init__(self, family: Family, pixit: Pixit | None = None, *, standins: bool = False) -> None:
        """``standins``: the machines must be stand-ins, and no others."""
        self.family, self.pixit, self._standins = family, pixit, standins
        self._shared = SharedBench()

    def configured(self, pixit: Pixit) -> RemoteTarget:
        for host in pixit.hosts:
            if not host.connection:
                raise PixitError(
                    pixit.path,
                    f"host {host.name}",
                    "it has no connection",
                    f"give one (ssh://root@192.0.2.1), or take the target blackbox: {self.family.name} configures its machines",
                )
            if not host.interface:
                raise PixitError(
                    pixit.path, f"host {host.name}", "it has no interface", "name the one on the CARP segment"
                )
        return RemoteTarget(self.family, pixit)

    # --- what the machines are

    @cached_property
    def _asked(self) -> tuple[tuple[Identity, ...], HostError | None]:
        """All machines' identities, or why they could not be asked."""
        found = []
        assert self.pixit is not None
        for host in self.pixit.hosts:
            try:
                there = shell(access_of(host))
                try:
                    found.append(identify(there))
                finally:
                    there.close()
            except HostError as error:
                return tuple(found), error
        return tuple(found), None

    @property
    def identities(self) -> tuple[Identity, ...]:
        """What the machines say that they are, as far as they answered."""
        return self._asked[0] if self.pixit is not None else ()

    @cached_property
    def profile(self) -> Profile:
        rules = self._rules()
        pixit = self.pixit
        password = {"password": pixit.password} if pixit is not None and pixit.password else {}
        return Profile(
            name=self.family.name,
            dialect=rules,
            rung=self._rung(),
            origin=self.family.title,
            pics=self.capabilities(rules),
            deviations=self.family.deviations[rules.key],
            max_hosts=len(pixit.hosts) if pixit is not None else 2,
            max_lanes=self._lanes(),
            **password,
        )

    def version(self) -> str:
        """What the first machine runs."""
        return str(self.identities[0]) if self.identities else "unknown"

    def lacks(self) -> tuple[tuple[str, str], ...]:
        if self.pixit is None:
            return vm.lacks(self.family.vm)
        error = self._asked[1]
        if error is not None:
            return ((f"machine {error.host}: {error.what}", error.remedy),)
        return tuple(self._misfits()) or self._spoilt

    def machines(self, *, keep: bool, destroy: bool) -> AbstractContextManager[Path]:
        """Brings two virtual machines up (:class:`conformance.targets.protocol.Machined`)."""
        return vm.machines(self.family.vm, keep=keep, destroy=destroy)

    def environment(self) -> dict[str, Any]:
        """What ``environment.json`` tells of each machine: system, kernel, switches. Raises :class:`HostError`."""
        assert self.pixit is not None
        return {
            host.name: facts(identity, {}) | examine(access_of(host))
            for host, identity in zip(self.pixit.hosts, self.identities, strict=True)
        }

    def bench(self, hosts: int) -> AbstractContextManager[RemoteBench]:
        """All machines of the PIXIT, for any number of hosts that they are enough for."""
        self._check(hosts)
        return self._shared.have(self._bench)

    @contextmanager
    def _bench(self) -> Iterator[RemoteBench]:
        pixit = self.pixit
        assert pixit is not None, "lacks() is asked before a bench is made"
        lane = this_lane(pixit.vlans if self._laned() else None)
        with remote_bench(pixit, self.makers(len(pixit.hosts)), lane) as bench:
            if self.profile.pics.get("second_interface"):
                inner = self._inner(bench)
                bench.inner = list(inner.values())
                with RemoteSide.attached(bench, inner) as side:
                    bench.second = side
                    yield bench
            else:
                yield bench

    def makers(self, hosts: int) -> list[Maker]:
        """What the hosts of a bench are made of. Raises :class:`HostError` for a machine that is not what it should be."""
        self._check(hosts)
        return [self._maker(one) for one in self.identities[:hosts]]

    # --- parts of it

    def _check(self, hosts: int) -> None:
        """Raises :class:`HostError` for a machine that is not what it should be, or is missing."""
        faults = self.lacks()
        if faults or len(self.identities) < hosts:
            what, remedy = faults[0] if faults else ("it is not there", "name it in the PIXIT")
            raise HostError("of the bench", what, remedy)

    def _maker(self, identity: Identity) -> Maker:
        def make(bench: RemoteBench, host: PixitHost) -> RemoteSut:
            machine = Machine(bench, host, self.family.place(identity, host, bench.lane))
            try:
                return RemoteHost(bench, machine, host, self.family.commands(identity, 0), self._rights())
            except BaseException:
                machine.close()
                raise

        return make

    def _inner(self, bench: RemoteBench) -> dict[str, RemoteHost]:
        assert self.pixit is not None
        made = {}
        for host, identity in zip(self.pixit.hosts, self.identities, strict=True):
            outer = bench.hosts.get(host.name)
            if isinstance(outer, RemoteHost):
                commands = self.family.commands(identity, INNER_BASE)
                made[host.name] = RemoteHost(bench, outer.machine, host, commands, self._rights(), inner=True)
        return made

    def _rights(self) -> Rights:
        may = self.pixit.may_change if self.pixit is not None else frozenset()
        return Rights(addresses="addresses" in may)

    def _rung(self) -> str:
        hosts = self.pixit.hosts if self.pixit is not None else ()
        return "lab" if any(not one.connection.startswith("vagrant://") for one in hosts) else "vm"

    def _rules(self) -> Dialect:
        told = [found for one in self.identities if (found := dialect_of(one)) is not None]
        known = [one for one in told if one.key in self.family.deviations]
        rules = known[0] if known else dialect(self.family.default)
        return rules if self.pixit is None else self.pixit.coarsened(rules)

    def _misfits(self) -> Iterator[tuple[str, str]]:
        assert self.pixit is not None
        for host, identity in zip(self.pixit.hosts, self.identities, strict=True):
            if identity.system != self.family.system or identity.number[0] not in self.family.majors:
                yield (
                    f"machine {host.name} runs {identity}, not {self.family.title}",
                    "give the target that fits, or another machine",
                )
            elif identity.is_standin != self._standins:
                yield (
                    f"machine {host.name} is a stand-in ({identity.kernel})",
                    f"take the target model:{self.family.name}@standin: it is no {self.family.title}",
                )
        if len({dialect_of(one) for one in self.identities}) > 1:
            versions = ", ".join(map(str, self.identities))
            yield f"the machines follow different rules ({versions})", "give machines of one version"

    @cached_property
    def _spoilt(self) -> tuple[tuple[str, str], ...]:
        """What testinfra finds on the machines that would spoil a run; a stand-in has nothing to be examined."""
        if self.pixit is None or self._standins:
            return ()
        found: list[tuple[str, str]] = []
        for host in self.pixit.hosts:
            try:
                found += faults(access_of(host))
            except HostError as error:
                found.append((f"machine {error.host}: {error.what}", error.remedy))
        return tuple(found)

    def _laned(self) -> bool:
        return (
            self.pixit is not None
            and self.pixit.vlans is not None
            and bool(self.identities)
            and all(self.family.can_lane(one) for one in self.identities)
        )

    def _lanes(self) -> int:
        vlans = self.pixit.vlans if self.pixit is not None and self._laned() else None
        return 1 if vlans is None else len(vlans)

    def capabilities(self, rules: Dialect) -> dict[str, bool]:
        """The PICS: what the dialect has, as far as the system's commands give it and the PIXIT allows it.

        The mode ``ip`` of balancing sends from a multicast MAC, which a Linux bridge, as between virtual machines, drops.
        """
        pixit, by = self.pixit, rules.demotion_by
        may = pixit.may_change if pixit is not None else frozenset()
        actions = set(pixit.actions) if pixit is not None else set()
        two_sided = (
            pixit is not None
            and not self._laned()
            and bool(pixit.tester_inner_interface)
            and all(one.inner_interface for one in pixit.hosts)
        )
        link = "interface" in may or {"link_down", "link_up"} <= actions
        orders = by is Demotion.GROUPS or (by is Demotion.SUM and "sysctl" in may)
        found = {
            "ipv6": rules.ipv6, "multiple_addresses": rules.multiple_addresses, "multiple_vhids": True,
            "no_password": not rules.password_needed, "preempt": "sysctl" in may, "demotion": rules.demotion,
            "reconfigure": rules.changes_while_running, "state_request": rules.state_requests, "sysctl": "sysctl" in may,
            "counters": rules.counters, "log": True, "state_read": True, "memberships": True, "kill": True, "link": link,
            "service": "service" in may, "unicast": rules.unicast, "vrrp3": rules.vrrp3 is not None, "demotion_order": orders,
            "demotion_sum": by is Demotion.SUM, "demotion_suppress": by is Demotion.SUPPRESS, "demotion_groups": by is Demotion.GROUPS,
            "interface_groups": by is Demotion.GROUPS, "carp_interface": rules.own_interface, "interface_switch": "interface" in may,
            "second_interface": two_sided, "group_failover": two_sided and link, "own_addresses": "addresses" in may, "vhid_list": True,
            "configured_order": rules.address_rule is AddressRule.CONFIGURED, "packets_before_states": rules.key == LEGACY_6,
            "custom_lladdr": rules.hashes_lladdr, "balancing": rules.carpnodes is not None and self._rung() == "lab", "bow_out": rules.bow_out, "commands": True,
        }  # fmt: skip
        return {name: has and name not in self.family.denied for name, has in found.items()}
