"""A mix: the hosts that share a virtual host, each with its dialect and configuration, and the segment between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import permutations

from conformance.model.config import VhostConfig, link_local_of
from conformance.model.dialects import Dialect
from conformance.wire.digest import Address
from conformance.wire.header import interval_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One host of a mix: its dialect and the configuration of its virtual host.

    ``source`` is the address that its advertisements come from, ``demotion`` the host's demotion (the demote
    count of OpenBSD), ``allow`` the sysctl ``net.inet.carp.allow``.
    """

    dialect: Dialect
    config: VhostConfig
    source: IPv4Address
    demotion: int = 0
    allow: bool = True

    @property
    def advskew(self) -> int:
        """The advskew that it compares with, demoted."""
        return self.dialect.effective_skew(self.config.advskew, self.demotion)

    @property
    def interval_ns(self) -> int:
        """The interval that it compares with, in nanoseconds."""
        return interval_ns(self.config.advbase, self.advskew)

    @property
    def master_down_ns(self) -> int:
        """Its nominal master-down time in nanoseconds, from its undemoted advskew."""
        config = self.config
        return self.dialect.master_down_ns(config.advbase, config.advskew, config.dead_ratio)

    def served(self) -> tuple[Address, ...]:
        """The addresses that its digest may cover: as configured, and OpenBSD's own link-local one."""
        configured = self.config.parsed()
        if self.dialect.own_link_local and any(one.version == 6 for one in configured):
            return (*configured, link_local_of(self.dialect.virtual_mac(self.config.vhid)))
        return configured


@dataclass(frozen=True, slots=True)
class Mix:
    """Hosts that share a virtual host. ``unheard`` are the address families (4, 6) that the segment does not
    carry; ``reflects`` says that it returns frames to their sender.
    """

    members: tuple[Member, ...]
    unheard: frozenset[int] = frozenset()
    reflects: bool = False

    def having(self, *keys: str) -> list[Member]:
        """The members of these dialects."""
        return [one for one in self.members if one.dialect.key in keys]

    def pairs(self) -> Iterator[tuple[Member, Member]]:
        """Every two members, in both orders."""
        return permutations(self.members, 2)
