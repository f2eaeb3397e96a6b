"""The facts of the catalogue: what a requirement and a group say, and the closed vocabularies they use."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """How binding a requirement is, in the sense of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Kind(StrEnum):
    """What a requirement is good for; the words are explained in `schema/catalogue.schema.json`."""

    REQUIREMENT = "requirement"
    DIALECT = "dialect"
    OBSERVATION = "observation"
    HAZARD = "hazard"


class Access(StrEnum):
    """The strongest access to the SUT, beyond starting the IUT with a configuration, that a case needs."""

    WIRE = "wire"
    START_OPTION = "start-option"
    PROCESS = "process"
    SIGNAL = "signal"
    HOST_READ = "host-read"
    HOST_COMMAND = "host-command"
    SYSCTL_READ = "sysctl-read"
    SYSCTL_WRITE = "sysctl-write"
    IFCONFIG = "ifconfig"
    NETLINK = "netlink"
    NETSTAT = "netstat"
    LOG = "log"
    LINK = "link"
    CLOCK = "clock"
    JAIL = "jail"
    REBOOT = "reboot"
    PLATFORM = "platform"
    TWO_HOSTS = "two-hosts"


IMPLEMENTATIONS: Final = (
    "freebsd-legacy",
    "freebsd-10",
    "freebsd-13",
    "freebsd-15",
    "openbsd",
    "netbsd",
    "dragonfly",
    "ucarp",
)
"""Whose behaviour `holds_for` speaks of."""

COUNTERS: Final = (
    "ipackets",
    "ipackets6",
    "badif",
    "badttl",
    "hdrops",
    "badsum",
    "badver",
    "badlen",
    "badauth",
    "badvhid",
    "badaddrs",
    "opackets",
    "opackets6",
    "onomem",
    "ostates",
    "preempt",
)
"""The members of `struct carpstats`, in its order (ip_carp.h of all BSDs)."""


@dataclass(frozen=True, slots=True)
class Group:
    """One chapter of the catalogue; `id` is the middle part of its requirements' ids."""

    id: str
    title: str
    about: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One clause of the catalogue.

    `id` is `CARP-<GROUP>-<NNN>` and never changes; `holds_for` names members of `IMPLEMENTATIONS` that are
    known to satisfy `text`; `counter` is the `carpstats` member that moves; `untestable` is the reason why no
    rung can show it; `group` is the id of its `Group`.
    """

    id: str
    level: Level
    kind: Kind
    core: bool
    text: str
    holds_for: frozenset[str]
    notes: str
    sources: tuple[str, ...]
    test: str
    access: Access
    counter: str | None
    untestable: str | None
    group: str
