"""A model host as a machine: boot, clock, links without a state, forwarding, stacks, netlink."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import cast

import pytest

from conformance.model.dialects import dialect
from conformance.segment.trace import FrameSeen, Trace
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.host import ModelHost
from conformance.targets.model.target import SEED
from conformance.targets.protocol import Settings

SECOND = 1_000_000_000


class World:
    def __init__(self, key: str) -> None:
        self.bench = ModelBench((dialect(key),), SEED)
        self.trace = Trace()
        self.bench.port(self.trace)
        self.host = cast("ModelHost", self.bench.hosts["a"])
        self.settings = Settings(password="x", addresses=self.bench.shared_addresses[:1])

    def run(self, seconds: float) -> None:
        self.bench.loop.run_for(int(seconds * SECOND))

    def advertisements(self) -> list[FrameSeen]:
        return [seen for seen in self.trace.frames if seen.frame.carp is not None]


def test_a_boot_leaves_nothing_and_takes_tunables() -> None:
    world = World("freebsd-13")
    world.host.start(world.settings)
    world.host.set_sysctl("preempt", 1)
    world.host.reboot(tunables={"net.inet.carp.allow": 0})
    assert world.host.vhids() == ()
    assert (world.host.sysctl("preempt"), world.host.sysctl("allow")) == (0, 0)


def test_freebsd_10_has_no_such_tunable() -> None:
    world = World("freebsd-10")
    world.host.reboot(tunables={"net.inet.carp.allow": 0})
    assert world.host.sysctl("allow") == 1


def test_openbsd_is_demoted_until_it_has_booted() -> None:
    world = World("openbsd")
    world.host.reboot(virtual=world.settings)
    world.run(30)
    demoted = [seen.frame.carp.demote for seen in world.advertisements() if seen.frame.carp is not None]
    assert demoted[0] == 128
    assert demoted[-1] == 0


@pytest.mark.parametrize(("key", "extra"), [("freebsd-13", 0), ("openbsd", 0), ("ucarp", 60)])
def test_a_step_back_holds_up_what_follows_the_wall_clock(key: str, extra: int) -> None:
    world = World(key)
    world.host.start(world.settings)
    world.run(6.5)
    before = len(world.advertisements())
    world.host.step_clock(-60)
    world.run(10)
    assert (len(world.advertisements()) == before) == bool(extra)
    world.run(extra + 5)
    assert len(world.advertisements()) > before


@pytest.mark.parametrize(
    ("key", "runs"), [("freebsd-legacy", False), ("freebsd-15", False), ("openbsd", True)]
)
def test_a_link_without_a_state(key: str, runs: bool) -> None:
    world = World(key)
    world.host.report_link(reported=False)
    world.host.start(world.settings)
    world.run(6)
    assert bool(world.advertisements()) == runs
    world.host.report_link(reported=True)
    world.run(6)
    assert world.advertisements()


def test_two_stacks_of_freebsd_share_nothing() -> None:
    world = World("freebsd-13")
    world.host.jail().command("sysctl net.inet.carp.preempt=1")
    assert world.host.sysctl("preempt") == 0


def test_router_advertisements_leave_from_a_master_alone() -> None:
    world = World("openbsd")
    shared = IPv6Address("fe80::100")
    world.host.start(Settings(password="x", addresses=(world.bench.shared_addresses[10], shared)))
    world.host.advertise_routes(shared)
    world.run(2)
    assert not routers(world, shared)
    world.run(8)
    assert routers(world, shared)


def routers(world: World, source: IPv6Address) -> list[FrameSeen]:
    return [
        seen
        for seen in world.trace.frames
        if seen.frame.ip is not None and seen.frame.ip.source == source and seen.frame.payload[:1] == b"\x86"
    ]


def test_netlink_refuses_what_ioctl_refuses() -> None:
    world = World("freebsd-15")
    world.host.start(world.settings)
    assert world.host.netlink_set(vhid=1, advskew=255) == 22
    assert world.host.netlink_set(vhid=1, advskew=254) == 0
    assert world.host.netlink_get(1)["advskew"] == 254
