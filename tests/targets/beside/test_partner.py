"""The partner that the tester plays: it takes part through the tester's port, hears what a host there would, and says what it is."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from conformance.model.actions import State
from conformance.model.dialects import dialect
from conformance.segment.decision import Mismatch
from conformance.segment.segment import Segment
from conformance.segment.trace import FrameSeen, HostEvent, Trace
from conformance.targets.beside.partner import Partner
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.target import SEED
from conformance.targets.protocol import Settings

SECOND = 1_000_000_000


class World:
    """A bench with one host and a partner beside it."""

    def __init__(self, key: str = "openbsd", beside: str = "freebsd-13") -> None:
        self.bench = ModelBench((dialect(beside),), SEED)
        self.trace = Trace()
        port = self.bench.port(self.trace)
        self.wire = Segment(self.bench.loop, self.trace, port)
        settings = Settings(password="x", addresses=self.bench.shared_addresses[:1])
        self.partner = Partner(
            self.wire, dialect(key), self.bench.tester_mac, self.bench.tester_addresses, settings
        )

    def start(self, **changes: object) -> None:
        chosen = {"vhid": 1, "password": "x", "addresses": self.bench.shared_addresses[:1]} | changes
        self.bench.hosts["a"].start(Settings(**chosen))  # type: ignore[arg-type]  # fields by name

    def run(self, seconds: float) -> None:
        self.wire.loop.run_for(int(seconds * SECOND))


def test_it_becomes_master_and_its_frames_are_the_testers() -> None:
    world = World()
    world.partner.join(advskew=0)
    seen = world.partner.next_own()
    assert seen.sent
    assert seen.frame.ip is not None
    assert seen.frame.ip.source == world.bench.tester_addresses[0]
    assert world.partner.state is State.MASTER


def test_it_says_of_itself_what_it_is() -> None:
    world = World()
    world.partner.join()
    world.partner.next_own()
    told = [event.text for event in world.trace.events if isinstance(event, HostEvent)]
    assert {event.host for event in world.trace.events if isinstance(event, HostEvent)} == {"model:openbsd"}
    assert "MASTER" in told
    assert "model:openbsd" in world.partner.describe()


def test_it_hears_a_host_and_yields_to_it() -> None:
    world = World()
    world.partner.join(advskew=100)
    world.partner.next_own()
    world.start(advskew=0, preempt=True)
    world.run(3)
    assert world.partner.state is State.BACKUP


def test_apart_it_neither_hears_nor_is_heard() -> None:
    world = World()
    world.start(advskew=0)
    world.partner.apart = True
    world.partner.join(advskew=100)
    world.run(8)
    assert world.partner.state is State.MASTER
    assert not [event for event in world.trace.events if isinstance(event, FrameSeen) and event.sent]


def test_gone_it_is_silent_and_may_come_back() -> None:
    world = World()
    world.partner.join()
    world.partner.next_own()
    world.partner.die()
    assert world.partner.state is None
    before = len(world.trace.frames)
    world.run(5)
    assert len(world.trace.frames) == before
    world.partner.join(advskew=50)
    assert world.partner.next_own().frame.carp.advskew == 50  # type: ignore[union-attr]  # an advertisement


def test_one_that_is_held_never_advertises() -> None:
    world = World()
    world.start(advskew=0)
    world.run(4)
    world.partner.join(advskew=100)
    with pytest.raises(Mismatch, match="model:openbsd beside it advertises"):
        world.partner.next_own()


def test_it_stands_at_another_address_where_told() -> None:
    world = World("ucarp")
    settings = Settings(password="x", addresses=world.bench.shared_addresses[:1])
    source = ip_address("192.0.1.1")
    partner = Partner(world.wire, dialect("ucarp"), world.bench.tester_mac, (source,), settings)
    partner.join()
    seen = partner.next_own()
    assert seen.frame.ip is not None
    assert seen.frame.ip.source == source


def test_last_advertisement_before_a_moment_is_found() -> None:
    world = World()
    world.partner.join(advskew=0)
    first, second = world.partner.next_own(), world.partner.next_own()
    assert world.partner.own_before(second.time_ns) is first
    assert world.partner.own_before(second.time_ns + 1) is second
