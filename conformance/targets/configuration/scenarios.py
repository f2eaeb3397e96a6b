"""The machines of the scenarios that real hosts are configured for: one description, rendered for each dialect."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_interface

from conformance.targets.configuration.machine import Machine
from conformance.targets.protocol import Settings


def _virtual(vhid: int, advskew: int, password: str, *addresses: str) -> Settings:
    shared = tuple(ip_address(one) for one in addresses)
    return Settings(vhid=vhid, password=password, addresses=shared, advskew=advskew)


def _single(last: int, advskew: int) -> Machine:
    virtual = (("em0", _virtual(1, advskew, "conformance", "192.0.2.100")),)
    return Machine({"em0": (ip_interface(f"192.0.2.{last}/24"),)}, virtual)


def _both_families(last: int, advskew: int) -> Machine:
    own = (ip_interface(f"192.0.2.{last}/24"), ip_interface(f"2001:db8::{last}/64"))
    shared = _virtual(1, advskew, "conformance", "192.0.2.101", "192.0.2.100", "2001:db8::100")
    return Machine({"em0": own}, (("em0", shared),), preempt=True)


def _firewall(last: int, advskew: int, *, preempt: bool) -> Machine:
    interfaces = {
        "em0": (ip_interface(f"192.0.2.{last}/24"),),
        "em1": (ip_interface(f"198.51.100.{last}/24"),),
    }
    outer = ("em0", _virtual(10, advskew, "outer-key", "192.0.2.100"))
    inner = ("em1", _virtual(20, advskew, "inner-key", "198.51.100.100"))
    return Machine(interfaces, (outer, inner), preempt=preempt)


SCENARIOS: Mapping[str, Mapping[str, Machine]] = {
    "pair": {"a": _single(1, 0), "b": _single(2, 100)},
    "both-families": {"a": _both_families(1, 0), "b": _both_families(2, 100)},
    "two-firewalls": {"a": _firewall(1, 50, preempt=True), "b": _firewall(2, 80, preempt=True)},
    "two-firewalls-without-preemption": {
        "a": _firewall(1, 50, preempt=False),
        "b": _firewall(2, 80, preempt=False),
    },
}
"""By scenario and host."""
