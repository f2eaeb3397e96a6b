"""What is done to a mix so that its hazard shows, and how each misbehaviour looks."""

from __future__ import annotations

from conformance.segment.simulated import Weather
from tests.model.mixing import MS, SECOND, Village, convergence_ns


def together(village: Village) -> None:
    """All are started, the first a little before the others, and left alone."""
    village.start_all(100 * MS)
    village.wait(convergence_ns([one.node for one in village.stations.values()]))


def after_a_partition(village: Village) -> None:
    """Two are parted until both are MASTER, and hear one another again."""
    village.start_all()
    village.part("a", "b", parted=True)
    village.wait(12 * SECOND)
    assert village.masters() == ("a", "b")
    village.part("a", "b", parted=False)


def in_jitter(village: Village) -> None:
    """Frames take up to 19 ms."""
    village.clear = Weather(jitter_ns=19 * MS)
    village.weather(village.clear)
    together(village)


def without_ipv6(village: Village) -> None:
    """The segment carries no IPv6."""
    for station in village.stations.values():
        station.carries = lambda frame: frame[12:14] != b"\x86\xdd"
    together(village)


def reflecting(village: Village) -> None:
    """The segment returns every frame."""
    village.switch.plug("mirror", lambda frame: village.switch.transmit("mirror", frame))
    together(village)


def deaf_later(village: Village) -> None:
    """The second is told net.inet.carp.allow=0 while the first is MASTER."""
    together(village)
    assert village.masters() == ("a",)
    station = village.stations["b"]
    station.carry_out(station.machine.sysctl(village.now_ns(), "allow", 0))
    village.wait(6 * SECOND)


def demoted_later(village: Village) -> None:
    """The MASTER is demoted by 10."""
    together(village)
    assert village.masters() == ("a",)
    village.at("a").demote(10)
    village.wait(6 * SECOND)


def demoted_below_zero(village: Village) -> None:
    """The first is demoted by -10 while it is parted from the second, so that both are MASTER."""
    village.start_all()
    village.part("a", "b", parted=True)
    village.at("a").demote(-10)
    village.wait(5 * SECOND)
    village.part("a", "b", parted=False)
    village.wait(5 * SECOND)


# --- how each misbehaviour shows


def two_masters(village: Village) -> bool:
    since_ns = village.now_ns()
    village.wait(10 * SECOND)
    return village.reigns(since_ns) == [("a", "b")]


def flapping(village: Village) -> bool:
    since_ns = village.now_ns()
    village.wait(60 * SECOND)
    return len(village.reigns(since_ns)) > 6


def nobody(village: Village) -> bool:
    since_ns = village.now_ns()
    village.wait(20 * SECOND)
    return any(not masters for _, _, masters, waits in village.spans(since_ns) if waits)


def not_relieved(village: Village) -> bool:
    return village.masters() == ("a",)


def the_slower_one(village: Village) -> bool:
    """The first is configured to be the slower one."""
    return village.masters() == ("a",)
