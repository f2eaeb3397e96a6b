"""The simulated switch: what it does to frames, each proven by a delivery that it changes; and that one seed
gives one trace.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from ipaddress import ip_address
from random import Random

import pytest

from conformance.model.dialects import dialect
from conformance.segment import evidence
from conformance.segment.loop import Loop, VirtualClock
from conformance.segment.simulated import SimulatedPort, SimulatedSwitch, Weather
from conformance.segment.trace import HostEvent, Trace
from conformance.targets.model.bench import ModelBench
from conformance.targets.protocol import Settings

START = VirtualClock.EPOCH_NS
MS, SECOND = 1_000_000, 1_000_000_000
US = 1_000
MAC = {name: bytes([2, 0, 0, 0, 0, number]) for number, name in enumerate("abcd", 1)}
EVERYBODY = b"\xff" * 6
SHARED = ip_address("192.0.2.100")


@dataclass
class Rig:
    """A switch with four ports that write down what they hear."""

    seed: int = 1
    weather: Weather = field(default_factory=Weather)
    learns: bool = True

    def __post_init__(self):
        self.loop = Loop(VirtualClock())
        self.switch = SimulatedSwitch(self.loop, Random(self.seed), self.weather, self.learns)
        self.heard = {name: [] for name in MAC}
        for name in MAC:
            self.switch.plug(name, self._receiver(name))

    def _receiver(self, name):
        return lambda frame: self.heard[name].append((self.loop.now_ns() - START, frame))

    def send(self, source="a", destination=EVERYBODY, text=b"", *, source_mac=None):
        frame = destination + (source_mac or MAC[source]) + b"\x88\xb5" + text
        self.switch.transmit(source, frame)
        return frame

    def settle(self, for_ns=SECOND):
        self.loop.run_for(for_ns)
        return self

    def who_heard(self, frame):
        return "".join(name for name, heard in self.heard.items() if frame in [one for _, one in heard])


class TestDelivery:
    def test_a_broadcast_reaches_all_others_and_not_its_sender(self):
        rig = Rig()
        frame = rig.send()
        assert rig.settle().who_heard(frame) == "bcd"

    def test_nothing_arrives_before_time_passes(self):
        rig = Rig()
        rig.send()
        rig.settle(20 * US - 1)
        assert rig.heard == {name: [] for name in MAC}
        rig.settle(1)
        assert [len(heard) for heard in rig.heard.values()] == [0, 1, 1, 1]

    def test_a_learned_address_is_reached_alone(self):
        rig = Rig()
        rig.send("b")
        frame = rig.send("a", MAC["b"])
        assert rig.settle().who_heard(frame) == "b"

    def test_an_unknown_address_is_flooded(self):
        rig = Rig()
        frame = rig.send("a", MAC["b"])
        assert rig.settle().who_heard(frame) == "bcd"

    def test_an_address_that_moves_is_learned_anew(self):
        rig = Rig()
        shared = bytes.fromhex("00005e000101")
        rig.send("b", source_mac=shared)
        before = rig.send("a", shared, b"before")
        rig.send("c", source_mac=shared)
        after = rig.send("a", shared, b"after")
        rig.settle()
        assert (rig.who_heard(before), rig.who_heard(after)) == ("b", "c")

    def test_a_group_address_as_source_is_not_learned(self):
        rig = Rig()
        rig.send("b", source_mac=b"\x01\0\x5e\0\0\x12")
        frame = rig.send("a", b"\x01\0\x5e\0\0\x12")
        assert rig.settle().who_heard(frame) == "bcd"

    def test_a_frame_to_an_address_at_its_own_port_goes_nowhere(self):
        rig = Rig()
        rig.send("a")
        frame = rig.send("a", MAC["a"])
        assert rig.settle().who_heard(frame) == ""

    def test_a_hub_floods_what_a_switch_has_learned(self):
        rig = Rig(learns=False)
        rig.send("b")
        frame = rig.send("a", MAC["b"])
        assert rig.settle().who_heard(frame) == "bcd"


class TestWeather:
    def test_latency_is_of_every_delivery(self):
        rig = Rig(weather=Weather(latency_ns=7 * MS))
        rig.send()
        rig.settle()
        assert [time_ns for time_ns, _ in rig.heard["b"] + rig.heard["c"]] == [7 * MS, 7 * MS]

    def test_without_jitter_frames_keep_their_order(self):
        rig = Rig()
        sent = [rig.send(text=bytes([n])) for n in range(50)]
        rig.settle()
        assert [frame for _, frame in rig.heard["b"]] == sent

    def test_jitter_delays_within_its_bounds_and_reorders(self):
        rig = Rig(weather=Weather(latency_ns=MS, jitter_ns=MS))
        sent = [rig.send(text=bytes([n])) for n in range(50)]
        rig.settle()
        times = [time_ns for time_ns, _ in rig.heard["b"]]
        assert MS <= min(times) < max(times) < 2 * MS
        assert len(set(times)) > 40
        got = [frame for _, frame in rig.heard["b"]]
        assert got != sent
        assert sorted(got) == sorted(sent)

    def test_loss_takes_its_share_of_deliveries_and_each_by_itself(self):
        rig = Rig(weather=Weather(loss=0.25))
        sent = [rig.send(text=n.to_bytes(2, "big")) for n in range(1000)]
        rig.settle()
        got = {name: {frame for _, frame in rig.heard[name]} for name in "bcd"}
        for frames in got.values():
            assert 680 < len(frames) < 820
        assert got["b"] != got["c"]
        assert got["b"] < set(sent)

    @pytest.mark.parametrize(("loss", "heard"), [(0.0, 3), (1.0, 0)])
    def test_loss_of_nothing_and_of_all(self, loss, heard):
        rig = Rig(weather=Weather(loss=loss))
        rig.send()
        assert sum(map(len, rig.settle().heard.values())) == heard

    def test_duplication_delivers_its_share_twice(self):
        rig = Rig(weather=Weather(duplication=0.25))
        sent = [rig.send(text=n.to_bytes(2, "big")) for n in range(1000)]
        rig.settle()
        counts = [[frame for _, frame in rig.heard["b"]].count(frame) for frame in sent]
        assert set(counts) == {1, 2}
        assert 180 < counts.count(2) < 320

    def test_a_duplicate_has_a_delay_of_its_own(self):
        rig = Rig(weather=Weather(duplication=1.0, jitter_ns=MS))
        rig.send()
        rig.settle()
        first, second = (time_ns for time_ns, _ in rig.heard["b"])
        assert first != second


class TestParting:
    def test_both_ways(self):
        rig = Rig()
        rig.switch.part("a", "b", parted=True)
        there, back, other = rig.send("a"), rig.send("b"), rig.send("c")
        rig.settle()
        assert (rig.who_heard(there), rig.who_heard(back), rig.who_heard(other)) == ("cd", "cd", "abd")

    def test_one_way(self):
        rig = Rig()
        rig.switch.part("a", "b", parted=True, both_ways=False)
        there, back = rig.send("a"), rig.send("b")
        rig.settle()
        assert (rig.who_heard(there), rig.who_heard(back)) == ("cd", "acd")

    @pytest.mark.parametrize("both_ways", [True, False])
    def test_healed(self, both_ways):
        rig = Rig()
        rig.switch.part("a", "b", parted=True, both_ways=both_ways)
        rig.switch.part("a", "b", parted=False, both_ways=both_ways)
        there, back = rig.send("a"), rig.send("b")
        rig.settle()
        assert (rig.who_heard(there), rig.who_heard(back)) == ("bcd", "acd")

    def test_healing_what_was_never_parted_is_nothing(self):
        rig = Rig()
        rig.switch.part("a", "b", parted=False)
        frame = rig.send("a")
        assert rig.settle().who_heard(frame) == "bcd"


class TestCables:
    def test_an_unplugged_port_hears_nothing_and_is_not_heard(self):
        rig = Rig()
        rig.switch.unplugged.add("b")
        there, back = rig.send("a"), rig.send("b")
        rig.settle()
        assert (rig.who_heard(there), rig.who_heard(back)) == ("cd", "")

    def test_a_frame_under_way_is_lost_with_the_cable(self):
        rig = Rig(weather=Weather(latency_ns=MS))
        frame = rig.send("a")
        rig.settle(MS // 2)
        rig.switch.unplugged.add("b")
        assert rig.settle().who_heard(frame) == "cd"

    def test_an_unplugged_port_teaches_nothing(self):
        rig = Rig()
        rig.send("b")
        rig.switch.unplugged.add("c")
        rig.send("c", source_mac=MAC["b"])
        frame = rig.send("a", MAC["b"])
        assert rig.settle().who_heard(frame) == "b"

    def test_plugged_in_again(self):
        rig = Rig()
        rig.switch.unplugged.add("b")
        rig.switch.unplugged.discard("b")
        frame = rig.send("a")
        assert rig.settle().who_heard(frame) == "bcd"


def test_the_testers_port_records_what_it_sends_and_hears():
    rig, trace = Rig(), Trace()
    port = SimulatedPort(rig.switch, trace)
    ours = EVERYBODY + MAC["d"] + b"\x88\xb5ours"
    port.send(ours)
    theirs = rig.send("b")
    rig.settle()
    assert [(seen.frame.data, seen.sent, seen.time_ns - START) for seen in trace.frames] == [
        (ours, True, 0),
        (theirs, False, 20 * US),
    ]
    assert rig.who_heard(ours) == "abcd"
    assert port.dropped() == 0


ALL = ("openbsd", "freebsd-15", "ucarp", "freebsd-legacy", "freebsd-13", "freebsd-10", "freebsd-legacy-6")
STORM = Weather(latency_ns=200 * US, jitter_ns=30 * MS, loss=0.1, duplication=0.1)


CHILD = """
import hashlib
from ipaddress import ip_address
from conformance.model.dialects import dialects
from conformance.segment.simulated import Weather
from conformance.segment.trace import Trace
from conformance.targets.model.bench import ModelBench
from conformance.targets.protocol import Settings
bench, trace = ModelBench(dialects(), 3), Trace()
bench.port(trace)
bench.switch.weather = Weather(jitter_ns=1_000_000, loss=0.2, duplication=0.2)
for number, host in enumerate(bench.hosts.values()):
    host.start(Settings(password="x", addresses=(ip_address("192.0.2.100"),), advskew=number))
bench.part(parted=True)
bench.loop.run_for(20_000_000_000)
assert len(trace.frames) > 50
print(hashlib.sha256(repr(trace.events).encode()).hexdigest())
"""


def story(seed, weather, path):
    """Seven hosts, one of each dialect, through partition, cable, kill and start: the bytes of the evidence file
    and what the hosts said of themselves.
    """
    bench = ModelBench(tuple(map(dialect, ALL)), seed)
    trace = Trace()
    port = bench.port(trace)
    bench.switch.weather = weather
    iuts = {
        name: host.start(
            Settings(
                vhid=7, password="story", addresses=(SHARED,), advskew=10 * number, preempt=bool(number % 2)
            )
        )
        for number, (name, host) in enumerate(bench.hosts.items())
    }
    bench.loop.run_for(6 * SECOND)
    bench.part(parted=True)
    bench.loop.run_for(6 * SECOND)
    bench.part(parted=False)
    bench.hosts["b"].cable(plugged=False)
    iuts["a"].kill()
    bench.loop.run_for(6 * SECOND)
    bench.hosts["b"].cable(plugged=True)
    port.send(EVERYBODY + bench.tester_mac + b"\x88\xb5tester")
    bench.loop.run_for(6 * SECOND)
    evidence.write(trace, path, comment="a story")
    return path.read_bytes(), [event for event in trace.events if isinstance(event, HostEvent)]


class TestDeterminism:
    @pytest.mark.parametrize("weather", [Weather(), STORM], ids=["clear", "storm"])
    def test_the_same_seed_gives_the_same_trace_to_the_byte_and_the_nanosecond(self, tmp_path, weather):
        once, again = (story(5, weather, tmp_path / name) for name in ("once", "again"))
        assert once == again
        assert len(once[0]) > 5_000
        assert len(once[1]) > 30

    def test_another_process_with_another_order_of_sets_gives_the_same_trace(self):
        digests = {
            subprocess.run(
                [sys.executable, "-c", CHILD],
                env=os.environ | {"PYTHONHASHSEED": order},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for order in ("1", "2")
        }
        assert len(digests) == 1
        assert len(digests.pop().strip()) == 64

    def test_another_seed_in_a_storm_gives_another_course_of_events(self, tmp_path):
        one, other = (story(seed, STORM, tmp_path / str(seed)) for seed in (5, 6))
        assert one[0] != other[0]
        assert one[1] != other[1]

    def test_another_seed_in_clear_weather_changes_counters_and_no_event(self, tmp_path):
        one, other = (story(seed, Weather(), tmp_path / str(seed)) for seed in (5, 6))
        assert one[0] != other[0]
        assert one[1] == other[1]

    def test_a_bench_begins_anew_with_each_port(self):
        bench = ModelBench((dialect("openbsd"), dialect("ucarp")), 9)
        runs = []
        for _ in range(2):
            trace = Trace()
            bench.port(trace)
            for host in bench.hosts.values():
                host.start(Settings(password="x", addresses=(SHARED,)))
            bench.loop.run_for(9 * SECOND)
            runs.append([(seen.time_ns, seen.frame.data) for seen in trace.frames])
        assert runs[0] == runs[1]
        assert len(runs[0]) > 5
