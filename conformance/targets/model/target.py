"""The targets ``model:…``: one for each dialect and version, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import conformance
from conformance.model.dialects import Dialect, dialect
from conformance.model.election import Demotion
from conformance.model.rows import LEGACY_6
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.deviations import KNOWN
from conformance.targets.protocol import Bench, Deviation, Profile
from conformance.targets.ucarp.profile import PROFILE as UCARP
from conformance.wire.digest import AddressRule

SEED = 20_260_101
MAX_HOSTS = 8


def pics(rules: Dialect) -> dict[str, bool]:
    """What a model of a dialect can do, and what can be read from it."""
    process = rules.poll_loop is not None
    return {
        "ipv6": rules.ipv6, "multiple_addresses": rules.multiple_addresses, "multiple_vhids": True, "no_password": not rules.password_needed,
        "preempt": True, "demotion": rules.demotion, "sysctl": bool(rules.sysctls) and not process, "counters": rules.counters, "log": True,
        "state_read": True, "signals": process, "scripts": process, "kill": True, "link": True, "partition": True, "one_way": True, "service": True,
        "dead_ratio": process, "unicast": rules.unicast, "vrrp3": rules.vrrp3 is not None, "bow_out": rules.bow_out,
    }  # fmt: skip


def administered(rules: Dialect) -> dict[str, bool]:
    """What an administrator can do to a model in virtual time besides, and what that shows."""
    kernel = rules.poll_loop is None
    return {
        "state_request": rules.state_requests,
        "reconfigure": rules.changes_while_running, "carp_interface": rules.own_interface, "interface_switch": kernel, "vhid_list": kernel,
        "second_interface": True, "send_errors": True, "own_addresses": kernel, "group_failover": kernel, "demotion_order": kernel,
        "demotion_sum": rules.demotion_by is Demotion.SUM, "demotion_groups": rules.demotion_by is Demotion.GROUPS,
        "demotion_suppress": rules.demotion_by is Demotion.SUPPRESS,
        "custom_lladdr": rules.hashes_lladdr, "balancing": rules.carpnodes is not None,
        "interface_groups": rules.demotion_by is Demotion.GROUPS, "configured_order": rules.address_rule is AddressRule.CONFIGURED,
        "packets_before_states": rules.key == LEGACY_6,
        "commands": kernel, "reboot": kernel, "clock": True, "unreported_link": True, "device_events": rules.device_events,
        "forwarding": kernel, "hub": True, "stacked_interfaces": kernel, "network_stacks": rules.stacks_apart, "netlink": rules.netlink,
        "pfsync": rules.bulk_update_demotion > 0, "router_advertisements": kernel and rules.ipv6,
    }  # fmt: skip


class ModelTarget:
    """A :class:`conformance.targets.protocol.Target`. A bench of it is a world of its own.

    Its hosts follow ``runs`` (a mutant), or ``rules``, if that is not given; what is expected of them follows from ``rules``.
    """

    def __init__(
        self, name: str, rules: Dialect, deviations: tuple[Deviation, ...], runs: Dialect | None = None
    ) -> None:
        self._dialect = runs or rules
        self.profile = Profile(
            name=name,
            dialect=rules,
            rung="sim",
            origin=f"this suite's model of {rules.key}",
            pics=pics(rules) | administered(rules),
            deviations=deviations,
            max_hosts=MAX_HOSTS,
        )

    def version(self) -> str:
        return conformance.__version__

    def lacks(self) -> tuple[tuple[str, str], ...]:
        return ()

    def bench(self, hosts: int) -> AbstractContextManager[Bench]:
        return self._bench(hosts)

    @contextmanager
    def _bench(self, hosts: int) -> Iterator[Bench]:
        yield ModelBench((self._dialect,) * hosts, SEED)


_DEVIATIONS: Mapping[str, tuple[Deviation, ...]] = {**KNOWN, "ucarp": UCARP.deviations}


def deviations_of(key: str) -> tuple[Deviation, ...]:
    """The known deviations of a dialect, which its model has too."""
    return _DEVIATIONS.get(key, ())


def _target(name: str, key: str) -> Callable[[], ModelTarget]:
    return lambda: ModelTarget(f"model:{name}", dialect(key), deviations_of(key))


freebsd = _target("freebsd", "freebsd-13")
freebsd_10 = _target("freebsd-10", "freebsd-10")
freebsd_15 = _target("freebsd-15", "freebsd-15")
freebsd_legacy = _target("freebsd-legacy", "freebsd-legacy")
freebsd_legacy_6 = _target("freebsd-legacy-6", "freebsd-legacy-6")
openbsd = _target("openbsd", "openbsd")
ucarp = _target("ucarp", "ucarp")
