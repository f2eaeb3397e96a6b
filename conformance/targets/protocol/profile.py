"""What is known of an implementation before anything is run: its profile, and the words of its PICS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.model.dialects import Dialect


@dataclass(frozen=True, slots=True)
class Deviation:
    """A fail that the profile expects. ``cases`` is a prefix of case identifiers, ``says`` a regular expression that the failure's text must match."""

    cases: str
    says: str
    reason: str
    reference: str
    strict: bool = True
    """Whether a pass is a failure. Not where the implementation is another one, which may have mended what it inherited."""


PUBLIC_PASSWORD = "conformance"  # noqa: S105  # it protects nothing, and with it anybody can check the digests in most captures
"""The password of every profile that does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of an implementation before anything is run.

    ``pics`` maps the capabilities of :data:`CAPABILITIES` to True or False (missing: False); ``deviations`` are strict: an expected fail that passes is a failure.
    """

    name: str
    dialect: Dialect
    rung: str
    origin: str
    pics: Mapping[str, bool]
    deviations: tuple[Deviation, ...] = ()
    password: str = field(default=PUBLIC_PASSWORD, repr=False)
    max_hosts: int = 2
    max_lanes: int | None = None
    """How many cases can run side by side, if that is limited by something else than the tester's machine."""


CAPABILITIES: Mapping[str, str] = {
    "ipv6": "advertises over IPv6 and takes IPv6 addresses",
    "multiple_addresses": "a virtual host can have more than one address",
    "multiple_vhids": "one host can run several virtual hosts",
    "no_password": "runs without a password",
    "preempt": "preemption can be switched on at start",
    "demotion": "can be demoted",
    "reconfigure": "parameters can be changed while it runs",
    "state_request": "a state can be requested while it runs",
    "sysctl": "net.inet.carp.* can be read and written",
    "counters": "receive and error counters can be read",
    "log": "log lines can be read",
    "state_read": "the state can be read from the host",
    "signals": "takes signals",
    "scripts": "runs a script at each change of state",
    "script_time": "how long its scripts take can be set",
    "memberships": "its host reports its multicast groups when queried",
    "exit_status": "ends with an exit status of its own",
    "kill": "can be ended without a word",
    "interface_removal": "the interface of its host can be removed",
    "link": "the link of its host can be taken down and up",
    "partition": "its hosts can be parted from one another",
    "one_way": "a host can be made deaf to the others, which still hear it",
    "service": "a TCP service can be run on its host",
    "process": "is a process that can be stopped and continued",
    "dead_ratio": "the number of missed advertisements can be set",
    "unicast": "can advertise to a unicast peer",
    "vrrp3": "speaks VRRPv3 on request",
    "balancing": "one interface of it can have several virtual hosts, among which it balances load",
    "vrrp_neighbour": "a VRRP router can be run beside it (on namespaces keepalived: apt-get install keepalived)",
    "demotion_order": "can be demoted by order, and tells its demotion",
    "demotion_sum": "adds a signed demotion to its advskew",
    "demotion_suppress": "advertises 240 while anything has failed",
    "demotion_groups": "advertises the demote counts of its interface groups",
    "interface_groups": "puts an interface into groups",
    "carp_interface": "has an interface of its own for each virtual host, which can be taken down and up",
    "interface_switch": "the interface of its host can be taken down and up by its administrator",
    "second_interface": "its hosts have a second interface on a segment of its own",
    "group_failover": "a lost link demotes the virtual hosts on other interfaces too",
    "send_errors": "its attempts to send can be made to fail",
    "own_addresses": "the real addresses of its interface can be removed",
    "vhid_list": "the configured vhids can be read",
    "configured_order": "hashes its addresses in the order of configuration",
    "packets_before_states": "logs rejected packets at a lower level than changes of state",
    "custom_lladdr": "its carp interface can be given a MAC address of its own",
    "bow_out": "says good-bye with 255/255 when it is taken down",
    "commands": "its host's command line can be used, by root and by an ordinary user",
    "reboot": "its host can be booted anew, with boot tunables and start-up files",
    "clock": "the wall clock of its host can be set without the tester's",
    "unreported_link": "its host has an interface that reports no link state",
    "device_events": "what its kernel tells devd can be read",
    "forwarding": "its hosts forward packets",
    "hub": "its segment can flood every frame, as a hub does",
    "stacked_interfaces": "it can run on a bridge, and on a VLAN on an aggregation",
    "network_stacks": "its host has several network stacks",
    "netlink": "its netlink family can be asked",
    "pfsync": "pfsync can be started on its host",
    "router_advertisements": "a router advertisement daemon can be run on its host",
}
"""The vocabulary of PICS: what an implementation, or the access to it, can do."""
