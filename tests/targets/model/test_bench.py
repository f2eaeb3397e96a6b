"""A model in virtual time: what an administrator does to it, its second interface, and processes beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from conformance.model.dialects import dialect
from conformance.segment.trace import FrameSeen, HostEvent, HostKind, Trace
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.host import ModelHost
from conformance.targets.model.iut import ModelIut
from conformance.targets.model.target import SEED
from conformance.targets.protocol import ConfigurationRefused, Settings

SECOND = 1_000_000_000


class World:
    """A bench of one dialect with one trace for both segments."""

    def __init__(self, key: str) -> None:
        self.bench = ModelBench((dialect(key),), SEED)
        self.trace = Trace()
        self.bench.port(self.trace)
        self.bench.second.port(self.trace)

    def host(self, *, inner: bool = False) -> ModelHost:
        return cast("ModelHost", (self.bench.second if inner else self.bench).hosts["a"])

    def start(self, *, inner: bool = False, **changes: Any) -> ModelIut:
        shared = (self.bench.second if inner else self.bench).shared_addresses
        chosen: dict[str, Any] = {"vhid": 1, "password": "x", "addresses": shared[:1]} | changes
        return self.host(inner=inner).start(Settings(**chosen))

    def run(self, seconds: float) -> None:
        self.bench.loop.run_for(int(seconds * SECOND))

    def advertised(self) -> list[tuple[str, int, int]]:
        """Source, vhid and advskew of each advertisement."""
        return [
            (str(seen.frame.ip.source), seen.frame.carp.vhid, seen.frame.carp.advskew)
            for seen in self.trace.frames
            if seen.frame.carp is not None and seen.frame.ip is not None
        ]

    def states(self) -> Iterator[tuple[str, int | None, str]]:
        return (
            (event.host, event.vhid, event.text)
            for event in self.trace.events
            if isinstance(event, HostEvent) and event.kind is HostKind.STATE
        )


class TestAdministration:
    """Changes to a running virtual host."""

    def test_reconfigured_settings_are_kept_and_advertised(self) -> None:
        world = World("freebsd-13")
        iut = world.start()
        iut.reconfigure(advskew=50)
        world.run(3.5)
        assert iut.settings.advskew == 50
        assert world.advertised() == [("192.0.2.1", 1, 50)]

    def test_refused_change_leaves_the_settings(self) -> None:
        iut = World("openbsd").start()
        with pytest.raises(ConfigurationRefused, match="advskew 255 is out of range"):
            iut.reconfigure(advskew=255)
        assert iut.settings.advskew == 0

    def test_password_is_not_told(self) -> None:
        world = World("openbsd")
        world.start().reconfigure(password="very secret")
        assert "very secret" not in str(world.trace.events)

    def test_addresses_come_and_go(self) -> None:
        world = World("freebsd-15")
        iut, (one, two) = world.start(), world.bench.shared_addresses[:2]
        iut.add_address(two)
        iut.add_address(two)
        assert iut.settings.addresses == (one, two)
        iut.remove_address(one)
        assert list(iut.settings.addresses) == [two]
        iut.remove_address(two)
        assert not iut.running()

    def test_refused_demotion_is_told(self) -> None:
        world = World("openbsd")
        world.start()
        with pytest.raises(ConfigurationRefused, match="keep it from 0 to 255"):
            world.host().demote(-1)
        world.host().demote(3)
        assert world.host().demotion() == 3

    def test_refused_sends_demote_and_leave_nothing_on_the_wire(self) -> None:
        world = World("freebsd-13")
        world.start()
        world.host().refuse_sending(refused=True)
        world.run(6.5)
        assert (world.advertised(), world.host().demotion()) == ([], 240)
        world.host().refuse_sending(refused=False)
        world.run(6)
        assert world.host().demotion() == 0

    def test_real_addresses_can_be_removed(self) -> None:
        world = World("openbsd")
        world.host().remove_own_addresses(4)
        world.start()
        world.run(3.5)
        assert world.advertised() == [("192.0.2.100", 1, 0)]

    def test_vhids_are_listed_by_interface(self) -> None:
        world = World("freebsd-13")
        world.start(vhid=9)
        world.start(vhid=2, addresses=world.bench.shared_addresses[1:2])
        world.start(inner=True, vhid=5)
        assert (world.host().vhids(), world.host(inner=True).vhids()) == ((2, 9), (5,))


class TestSecondInterface:
    """Two switches, one machine, one time line."""

    def test_each_interface_speaks_on_its_own_segment(self) -> None:
        world = World("freebsd-13")
        world.start(vhid=1)
        world.start(inner=True, vhid=1)
        world.run(3.5)
        assert world.advertised() == [("192.0.2.1", 1, 0), ("198.51.100.1", 1, 0)]

    @pytest.mark.parametrize("key", ["freebsd-13", "ucarp"])
    def test_states_are_told_by_the_interface_and_the_virtual_host(self, key: str) -> None:
        world = World(key)
        world.start(vhid=1)
        world.start(inner=True, vhid=7)
        world.run(3.5)
        assert list(world.states()) == [
            ("a", 1, "BACKUP"), ("a-inner", 7, "BACKUP"), ("a", 1, "MASTER"), ("a-inner", 7, "MASTER"),
        ]  # fmt: skip

    def test_pulled_cable_stops_one_of_them(self) -> None:
        world = World("freebsd-13")
        world.start(vhid=1)
        world.start(inner=True, vhid=1)
        world.host(inner=True).cable(plugged=False)
        world.run(3.5)
        assert world.advertised() == [("192.0.2.1", 1, 240)]


class TestProcesses:
    """Each ucarp is a process that knows of no other."""

    def test_second_process_of_a_vhid_runs_beside_the_first(self) -> None:
        world = World("ucarp")
        world.start()
        world.start()
        world.run(3.5)
        assert world.advertised() == [("192.0.2.1", 1, 0)] * 2

    def test_numbers_are_cut_to_eight_bits(self) -> None:
        world = World("ucarp")
        world.start(advskew=300)
        world.run(4.5)
        assert [advskew for _, _, advskew in world.advertised()][:1] == [44]


def test_one_time_line_numbers_the_frames_of_both_segments() -> None:
    world = World("freebsd-13")
    world.start(vhid=1)
    world.start(inner=True, vhid=2)
    world.run(4)
    numbers = [event.number for event in world.trace.events if isinstance(event, FrameSeen)]
    assert numbers == list(range(1, len(numbers) + 1))
