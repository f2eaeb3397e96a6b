"""Hosts with two interfaces in real namespaces: one machine on two segments, as a firewall is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from conformance.lab.netns import may_create
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen, HostEvent, Trace
from conformance.targets.model import netns
from conformance.targets.netns_bench import NetnsBench, Starter, netns_bench
from conformance.targets.protocol import ConfigurationRefused, Profile, Settings
from conformance.targets.subject import Subject
from conformance.targets.ucarp.target import UcarpTarget

pytestmark = pytest.mark.skipif(not may_create(), reason="needs network namespaces")

SOON_NS = 6_000_000_000


@dataclass(frozen=True, slots=True)
class Both:
    """The bench with the tester on both segments, on one time line."""

    bench: NetnsBench
    wires: dict[bool, Segment]

    def start(self, profile: Profile, *, inner: bool, **changes: Any) -> Subject:
        side = self.bench.second if inner else self.bench
        chosen = {"password": "a pass", "addresses": side.shared_addresses[:1], "vhid": 1 + inner} | changes
        settings = Settings(**chosen)
        wire, host = self.wires[inner], side.hosts["a"]
        tester = Tester(wire, side.tester_addresses[0], side.tester_mac)
        return Subject(host.start(settings), host, settings, profile, wire, tester)


@contextmanager
def case(bench: NetnsBench) -> Iterator[Both]:
    trace = Trace()
    ports = {False: bench.port(trace), True: bench.second.port(trace)}
    wires = {inner: Segment(bench.loop, trace, port) for inner, port in ports.items()}
    try:
        yield Both(bench, wires)
    finally:
        bench.reset()


@contextmanager
def scene(starter: Starter) -> Iterator[Both]:
    with netns_bench([starter]) as bench, case(bench) as both:
        yield both


@pytest.mark.parametrize("pulled_inner", [False, True], ids=["outer", "inner"])
def test_a_lost_link_demotes_the_other_interface_at_once(pulled_inner: bool) -> None:
    """The two-firewall scenario rests on that: both interfaces are one machine's."""
    target = netns.freebsd()
    with scene(target.starter()) as both:
        lost, other = (both.start(target.profile, inner=one) for one in (pulled_inner, not pulled_inner))
        other.reach_master()
        lost.host.cable(plugged=False)
        event = other.segment.wait(other.advertises(), both.bench.loop.now_ns() + SOON_NS)
        assert isinstance(event, FrameSeen)
        assert Subject.header(event).advskew == 240
        lost.host.cable(plugged=True)
        other.segment.watch(1_500_000_000)
        assert Subject.header(list(other.own_frames())[-1]).advskew == 0


@pytest.mark.parametrize(
    "target", [netns.openbsd(), netns.ucarp(), UcarpTarget()], ids=["openbsd", "model-ucarp", "ucarp"]
)
def test_each_interface_tells_its_own_state_by_its_own_name(target: Any) -> None:
    if target.lacks():
        pytest.skip(str(target.lacks()))
    with scene(target.starter()) as both:
        outer, inner = (both.start(target.profile, inner=one) for one in (False, True))
        outer.reach_master()
        inner.reach_master()
        told = {
            (event.host, event.text)
            for event in both.wires[False].trace.events
            if isinstance(event, HostEvent) and event.text == "MASTER"
        }
        assert told == {("a", "MASTER"), ("a-inner", "MASTER")}
        inner.iut.kill()
        assert outer.iut.running() and not inner.iut.running()
        outer.next_own(2)


def test_what_is_changed_while_it_runs_shows_on_the_wire() -> None:
    target = netns.freebsd()
    with netns_bench([target.starter()]) as bench:
        for _ in range(2):  # the second case finds the machine as new
            with case(bench) as both:
                subject = both.start(target.profile, inner=True)
                subject.reach_master()
                subject.reconfigure(advskew=30)
                assert subject.settings.advskew == 30
                assert Subject.header(subject.next_own(2)[-1]).advskew == 30
                extra = bench.second.shared_addresses[1]
                subject.add_address(extra)
                assert extra in subject.settings.addresses
                subject.remove_address(extra)
                with pytest.raises(ConfigurationRefused, match="advskew"):
                    subject.reconfigure(advskew=256)
                subject.demote(5)
                assert subject.demotion() == 5
