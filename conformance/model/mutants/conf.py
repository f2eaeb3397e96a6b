"""Mutants of CONF: limits, defaults, what a refusal leaves behind."""

from __future__ import annotations

from conformance.model.administering import Limits
from conformance.model.election import summed_skew
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    common,
    mutant,
    rules,
)

MUTANTS: tuple[Mutant, ...] = (
    mutant("vhid-0-taken", "a vhid of 0 is taken", "CONF-001", "freebsd-13", common(vhids=Limits(0, 255))),
    mutant("vhid-255-refused", "> for >=: a vhid of 255 is refused",
           "CONF-001", "freebsd-legacy", common(vhids=Limits(1, 254))),
    mutant("advskew-255-taken", "an advskew of 255 is taken",
           "CONF-002", "freebsd-13", rules(advskew_limits=Limits(0, 255))),
    mutant("advskew-254-refused", "an advskew of 254 is refused",
           "CONF-002", "freebsd-15", rules(advskew_limits=Limits(0, 253))),
    mutant("advbase-255-refused", "an advbase of 255 is refused",
           "CONF-003", "freebsd-13", rules(advbase_limits=Limits(1, 254))),
    mutant("half-applied", "a refused change is applied",
           "CONF-023", "freebsd-15", common(refusal_changes_nothing=False)),
    mutant("half-applied-on-legacy", "a refused change is applied",
           "CONF-023", "freebsd-legacy", common(refusal_changes_nothing=False)),
    mutant("own-address-not-unskewed", "FreeBSD legacy keeps the advskew with an own address",
           "CONF-015", "freebsd-legacy", rules(own_address_unskews=False)),
    mutant("any-subnet-taken", "FreeBSD legacy takes an address of any subnet",
           "CONF-016", "freebsd-legacy", rules(needs_own_subnet=False)),
    mutant("vhid-outlives-its-addresses", "the removal of the last address leaves the vhid",
           "CONF-013", "freebsd-13", rules(forgets_without_address=False)),
    mutant("advskew-10-by-default", "an advskew of 0 means 10",
           "CONF-004 WIRE-010", "freebsd-13",
           rules(effective_skew=lambda advskew, demotion: summed_skew(advskew or 10, demotion))),
    mutant("advskew-10-by-default-on-ucarp", "an advskew of 0 means 10",
           "CONF-004", "ucarp", rules(effective_skew=lambda advskew, _: advskew or 10)),
)  # fmt: skip
