"""Mutants of SYSCTL: the switches of a host."""

from __future__ import annotations

from dataclasses import replace

from conformance.model import checks
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    Fault,
    instead,
    mutant,
    rules,
)


def switch(**values: int) -> Fault:
    """Other defaults of net.inet.carp."""
    return lambda dialect: replace(
        dialect,
        sysctls={**dialect.sysctls, **{f"net.inet.carp.{name}": value for name, value in values.items()}},
    )


MUTANTS: tuple[Mutant, ...] = (
    mutant("allow-off-by-default", "net.inet.carp.allow is 0 by default",
           "SYSCTL-001", "freebsd-legacy", switch(allow=0)),
    mutant("allow-off-by-default-on-13", "net.inet.carp.allow is 0 by default",
           "SYSCTL-001", "freebsd-13", switch(allow=0)),
    mutant("preempt-on-by-default", "net.inet.carp.preempt is 1 by default",
           "SYSCTL-002 PREEMPT-001", "openbsd", switch(preempt=1)),
    mutant("log-level-0-by-default", "net.inet.carp.log is 0 by default",
           "SYSCTL-003", "freebsd-13", switch(log=0)),
    mutant("log-level-1-on-openbsd", "net.inet.carp.log is 1 by default",
           "SYSCTL-003", "openbsd", switch(log=1)),
    mutant("dscp-of-0", "net.inet.carp.dscp is 0 by default", "SYSCTL-004", "freebsd-15", switch(dscp=0)),
    mutant("factors-of-0", "the demotion factors are 0 by default",
           "SYSCTL-005 DEMOTE-008 DEMOTE-006", "freebsd-13",
           switch(senderr_demotion_factor=0, ifdown_demotion_factor=0)),
    mutant("arpbalance-by-default", "net.inet.carp.arpbalance is 1 by default",
           "SYSCTL-006", "freebsd-legacy", switch(arpbalance=1)),
    mutant("allow0-still-listens", "allow=0 has no effect on what is heard",
           "SYSCTL-008", "freebsd-legacy", instead(checks.allowed, lambda _: True)),
    mutant("allow0-still-listens-on-openbsd", "allow=0 has no effect on what is heard",
           "SYSCTL-008", "openbsd", instead(checks.allowed, lambda _: True)),
    mutant("allow0-stops", "allow=0 puts every vhid of FreeBSD 10 into INIT",
           "SYSCTL-008", "freebsd-10", rules(allow_stops=True)),
    mutant("allow0-goes-on", "allow=0 leaves the vhids of FreeBSD 13 running (truenas/os#93)",
           "SYSCTL-009", "freebsd-13", rules(allow_stops=False)),
    mutant("allow0-goes-on-15", "allow=0 leaves the vhids of FreeBSD 15 running",
           "SYSCTL-009", "freebsd-15", rules(allow_stops=False)),
)  # fmt: skip
