"""Model hosts as processes in real namespaces, alone and with ucarp on one switch."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from conformance.lab.netns import may_create
from conformance.model.config import ConfigurationError
from conformance.segment.decision import Condition, Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen, HostEvent, HostKind, Trace
from conformance.targets.beside.client import SERVICE_PORT
from conformance.targets.model import driven, netns
from conformance.targets.model.netns import ModelNetnsTarget, ModelProcessHost
from conformance.targets.netns_bench import BenchHost, NetnsBench, Starter, netns_bench
from conformance.targets.protocol import ConfigurationRefused, Profile, Settings
from conformance.targets.subject import Subject
from conformance.targets.subject.group import Group
from conformance.targets.ucarp.target import UcarpTarget
from conformance.wire.digest import Secret
from conformance.wire.frame import (
    ArpOperation,
    NeighbourMessage,
    arp,
    mac_text,
    neighbour,
    virtual_mac,
)

pytestmark = pytest.mark.skipif(not may_create(), reason="needs network namespaces")

OWN, SHARED, CLIENT = (IPv4Address(f"192.0.2.{last}") for last in (1, 100, 254))
SHARED6 = ip_address("2001:db8::100")
PASSWORD = "a pass of the test"
SOON_NS = 5_000_000_000
CLOCKS_NS = 50_000_000
"""By how much the clock of packets and that of a loop may differ."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A bench with the tester's side of one case."""

    bench: NetnsBench
    segment: Segment
    tester: Tester

    def start(self, profile: Profile, *, on: str = "a", **changes: Any) -> Subject:
        chosen: dict[str, Any] = {"password": PASSWORD, "addresses": (SHARED,), "advskew": 100} | changes
        settings = Settings(**chosen)
        host = self.bench.hosts[on]
        return Subject(host.start(settings), host, settings, profile, self.segment, self.tester)

    def soon(self, anchor: str = "the event") -> Window:
        """From now on, as long as a busy machine may take."""
        return Window.after(self.segment.now_ns(), (0, SOON_NS), anchor)

    def expect_roughly(self, condition: Condition, window: Window) -> None:
        """It happens in its window, widened by what a busy machine may take: no judge of precision."""
        event = self.segment.wait(condition, window.to_ns + SOON_NS, since_ns=window.anchor_ns)
        assert event is not None
        assert event.time_ns > window.from_ns - CLOCKS_NS


@contextmanager
def case(bench: NetnsBench) -> Iterator[Scene]:
    """One case on a bench, which is clean afterwards."""
    trace = Trace()
    port = bench.port(trace)
    segment = Segment(bench.loop, trace, port, clock_step_ns=bench.clock_step_ns)
    address = bench.tester_addresses[0]
    try:
        yield Scene(bench, segment, Tester(segment, address, bench.tester_mac))
    finally:
        bench.reset()


@contextmanager
def scene(starters: Sequence[Starter]) -> Iterator[Scene]:
    """One case on a bench of its own."""
    with netns_bench(starters) as bench, case(bench) as one:
        yield one


def model(host: BenchHost) -> ModelProcessHost:
    """The host, known to be a model process."""
    assert isinstance(host, ModelProcessHost)
    return host


def interfaces_of(host: BenchHost) -> list[str]:
    """The names of the interfaces in its namespace, without the loopback."""
    return [name for link in host.station.ip.get_links() if (name := link.get_attr("IFLA_IFNAME")) != "lo"]


def pid_of(host: BenchHost) -> int:
    """The process of a model host."""
    return model(host).pid


def ended(pidfd: int, within_s: float) -> bool:
    """Whether a process ends in time."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(within_s * 1000))


class TestAlone:
    """One model of OpenBSD on the switch."""

    target: ModelNetnsTarget = netns.openbsd()

    def test_becomes_master_in_its_window_yields_and_comes_back(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            one.expect_roughly(subject.becomes_master(), subject.start_window)
            yields = one.soon("a better advertisement")
            better = one.tester.send(subject.better())
            one.segment.expect(subject.enters("BACKUP"), within=yields)
            subject.stays_silent(2 * subject.interval_ns)
            one.expect_roughly(subject.enters("MASTER"), subject.master_down_window(better))

    def test_answers_arp_for_its_own_and_for_the_shared_address_once_each(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            subject.reach_master()
            since_ns = one.segment.now_ns()
            for address in (OWN, SHARED):
                one.segment.send(arp(ArpOperation.REQUEST, one.tester.mac, CLIENT, bytes(6), address))
            one.segment.watch(500_000_000)
            replies = [
                (event.frame.arp.sender, mac_text(event.frame.arp.sender_mac))
                for event in one.segment.trace.since(since_ns - CLOCKS_NS)
                if isinstance(event, FrameSeen) and event.frame.arp and event.frame.arp.operation == 2
            ]
            assert replies == [(OWN, mac_text(subject.host.mac)), (SHARED, mac_text(virtual_mac(1)))]

    def test_advertises_over_ipv6_and_answers_a_solicitation_for_its_link_local_address(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile, addresses=(SHARED6,))
            seen = subject.reach_master()
            assert seen.frame.ip is not None
            assert seen.frame.ip.source == ip_address("fe80::1")
            asked = IPv6Address("fe80::1")
            node = IPv6Address("ff02::1:ff00:1")
            within = one.soon("the solicitation")
            one.segment.send(
                neighbour(
                    NeighbourMessage.SOLICITATION,
                    asked,
                    one.tester.mac,
                    source=IPv6Address("fe80::fe"),
                    destination=node,
                    source_mac=one.tester.mac,
                    destination_mac=b"\x33\x33" + node.packed[12:],
                )
            )
            answers = Condition(
                "its advertisement of fe80::1",
                lambda e: (
                    isinstance(e, FrameSeen)
                    and not e.sent
                    and e.frame.neighbour is not None
                    and e.frame.neighbour.message is NeighbourMessage.ADVERTISEMENT
                    and e.frame.neighbour.target == asked
                ),
            )
            one.segment.expect(answers, within=within)

    def test_a_lost_link_takes_it_to_init_and_the_link_back_to_master(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            subject.reach_master()
            within = one.soon("the cable is pulled")
            subject.host.cable(plugged=False)
            one.segment.expect(subject.enters("INIT"), within=within)
            subject.host.cable(plugged=True)
            up_ns = one.segment.now_ns()
            one.expect_roughly(subject.enters("MASTER"), subject.link_up_window(up_ns))

    def test_a_stop_is_a_bow_out(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            subject.reach_master()
            within = one.soon("the stop")
            subject.iut.stop()
            one.segment.expect(subject.says_farewell(), within=within)
            assert subject.iut.running()

    def test_a_kill_is_silent_and_leaves_the_host_there(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            subject.reach_master()
            one.segment.watch(10_000_000)
            subject.iut.kill()
            assert not subject.iut.running()
            subject.stays_silent(2 * subject.interval_ns)

    def test_a_case_gets_a_new_machine_in_the_same_process(self) -> None:
        with netns_bench([self.target.starter()]) as bench:
            pids = set()
            for _ in range(2):
                with case(bench) as one:
                    subject = one.start(self.target.profile)
                    host = subject.sysctls()
                    assert host.sysctl("preempt") == 0
                    host.set_sysctl("preempt", 1)
                    assert host.sysctl("preempt") == 1
                    pids.add(pid_of(bench.hosts["a"]))
                lines = [e.text for e in one.segment.trace.events if isinstance(e, HostEvent)]
                assert lines[0] == "BACKUP"
                assert lines[-1].startswith("the rig: ")
            assert len(pids) == 1

    def test_counts_what_it_drops(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            wrong = Secret("another password", (SHARED,), self.target.profile.dialect.address_rule)
            one.tester.send(subject.better(secret=wrong))
            subject.alive()
            assert subject.counters()["badauth"] == 1

    def test_demotion_and_addresses_are_at_its_control(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            subject.reach_master()
            host = model(one.bench.hosts["a"])
            host.ask("demote", amount=3)
            event = one.segment.wait(
                Condition(
                    "demoted by 3",
                    lambda e: (
                        isinstance(e, FrameSeen)
                        and subject.is_own(e)
                        and e.frame.carp is not None
                        and e.frame.carp.demote == 3
                    ),
                ),
                one.segment.now_ns() + SOON_NS,
            )
            assert event is not None
            host.ask("add_address", vhid=1, address="192.0.2.101")
            host.ask("remove_address", vhid=1, address="192.0.2.100")
            host.ask("reconfigure", vhid=1, changes={"advskew": 7})
            assert host.ask("state", vhid=1) in ("BACKUP", "MASTER")

    def test_an_order_that_the_dialect_does_not_know_is_refused(self) -> None:
        with scene([self.target.starter()]) as one:
            one.start(self.target.profile)
            host = model(one.bench.hosts["a"])
            with pytest.raises(ConfigurationError, match="there is no virtual host 9"):
                host.ask("state", vhid=9)
            with pytest.raises(ConfigurationError, match="it cannot do 'dance' now"):
                host.ask("dance")
            with pytest.raises(ConfigurationError, match="unexpected keyword argument"):
                host.ask("state", vhid=1, colour="red")

    def test_settings_that_the_dialect_refuses_are_refused(self) -> None:
        with scene([self.target.starter()]) as one:
            with pytest.raises(ConfigurationRefused, match="the model has no option 'colour'"):
                one.start(self.target.profile, options={"colour": "red"})
            one.start(self.target.profile).alive()

    def test_its_kernel_has_no_address_and_its_command_line_no_password(self) -> None:
        with scene([self.target.starter()]) as one:
            one.start(self.target.profile)
            host = one.bench.hosts["a"]
            assert not list(host.station.ip.get_addr(index=host.station.index))
            process = Path(f"/proc/{pid_of(host)}")
            assert PASSWORD.encode() not in process.joinpath("cmdline").read_bytes()
            assert PASSWORD.encode() not in process.joinpath("environ").read_bytes()
            said = [getattr(event, "text", "") for event in one.segment.trace.events]
            assert not any(PASSWORD in text for text in said)

    def test_an_interface_that_is_removed_takes_the_virtual_host_along_and_comes_back(self) -> None:
        with netns_bench([self.target.starter()]) as bench:
            with case(bench) as one:
                subject = one.start(self.target.profile)
                subject.reach_master()
                subject.remove_interface()
                host = model(bench.hosts["a"])
                one.segment.watch(100_000_000)
                assert not interfaces_of(host)
                with pytest.raises(ConfigurationError, match="there is no interface eth0"):
                    host.ask("state", vhid=1)
            with case(bench) as one:
                one.start(self.target.profile).alive()

    def test_a_process_that_died_is_seen_and_replaced(self) -> None:
        with netns_bench([self.target.starter()]) as bench:
            with case(bench) as one:
                subject = one.start(self.target.profile)
                within = one.soon()
                os.kill(pid_of(bench.hosts["a"]), signal.SIGKILL)
                one.segment.expect(subject.ends(-9), within=within)
                assert not subject.iut.running()
                assert "has ended" in subject.iut.describe()
                with pytest.raises(driven.ModelProcessLost, match="did not answer 'counters'"):
                    subject.counters()
            with case(bench) as one:
                one.start(self.target.profile).alive()

    def test_a_service_on_the_shared_address_is_answered_by_the_master(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            subject.host.serve(SHARED, SERVICE_PORT)
            answers: list[str | None] = []
            one.bench.probe(SHARED, SERVICE_PORT, lambda _, name: answers.append(name))
            one.segment.watch(300_000_000)
            subject.reach_master()
            one.bench.probe(SHARED, SERVICE_PORT, lambda _, name: answers.append(name))
            one.segment.watch(300_000_000)
            assert answers == [None, "a"]


class TestUcarpModel:
    """The model of ucarp takes signals, through its driver and as a process."""

    target: ModelNetnsTarget = netns.ucarp()

    def test_takes_signals_from_its_driver(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            within = one.soon()
            subject.iut.signal("USR1")
            one.segment.expect(subject.says("BACKUP on eth0 id 1"), within=within)
            within = one.soon()
            subject.iut.stop()
            one.segment.expect(subject.ends(-15), within=within)
            assert not subject.iut.running()
            subject.alive()

    def test_takes_signals_from_anybody_and_ends_with_its_lateness(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile)
            pid = pid_of(one.bench.hosts["a"])
            within = one.soon()
            os.kill(pid, signal.SIGUSR1)
            one.segment.expect(subject.says("BACKUP on eth0 id 1"), within=within)
            within = one.soon()
            os.kill(pid, signal.SIGTERM)
            one.segment.expect(subject.ends(0), within=within)
            last = model(one.bench.hosts["a"]).last_words()[-1]
            assert json.loads(last.removeprefix("lateness ")).keys() == {"timers", "max_ns", "p99_ns"}

    def test_runs_its_scripts_with_the_shared_address_and_the_extra_argument(self) -> None:
        with scene([self.target.starter()]) as one:
            subject = one.start(self.target.profile, advskew=1, options={"xparam": "more", "shutdown": True})
            one.expect_roughly(subject.runs_script("up eth0 192.0.2.100 more"), subject.start_window)
            within = one.soon()
            subject.iut.stop()
            one.segment.expect(subject.runs_script("down eth0 192.0.2.100 more"), within=within)
            one.segment.expect(subject.ends(0), within=within)


_PARENT = """
import sys
from conformance.segment.trace import Trace
from conformance.targets.model import driven, netns
from conformance.targets.protocol import Settings
from ipaddress import ip_address
with netns.openbsd().bench(2) as bench:
    bench.port(Trace())
    for host in bench.hosts.values():
        host.start(Settings(password="p", addresses=(ip_address("192.0.2.100"),), advbase=100))
    print(*(host.pid for host in bench.hosts.values()), flush=True)
    bench.loop.run_for(60_000_000_000)
"""


def test_a_killed_parent_leaves_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pidfds = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(pidfds) == 2
        parent.kill()
        assert all(ended(pidfd, 5.0) for pidfd in pidfds)
        for pidfd in pidfds:
            os.close(pidfd)


def test_a_process_ends_with_its_control_channel() -> None:
    with scene([netns.freebsd().starter()]) as one:
        one.start(netns.freebsd().profile)
        host = model(one.bench.hosts["a"])
        pidfd = os.pidfd_open(host.pid)
        assert not ended(pidfd, 0)
        host.hang_up()
        assert ended(pidfd, 5.0)
        os.close(pidfd)


class TestWithUcarp:
    """ucarp and the model of OpenBSD on one switch: the better advskew is MASTER, whoever has it."""

    @pytest.mark.skipif(UcarpTarget().lacks() != (), reason="needs ucarp")
    @pytest.mark.parametrize("better", ["a", "b"], ids={"a": "ucarp", "b": "openbsd"}.get)
    def test_they_settle_on_the_better_one(self, better: str) -> None:
        ours, theirs = netns.openbsd(), UcarpTarget()
        with scene([theirs.starter(), ours.starter()]) as one:
            skews = {"a": 10 if better == "a" else 40, "b": 10 if better == "b" else 40}
            start_ns = one.segment.now_ns()
            subjects = {
                name: one.start(profile, on=name, advskew=skews[name], preempt=True)
                for name, profile in (("a", theirs.profile), ("b", ours.profile))
            }
            group = Group(one.segment, tuple(subjects.values()))
            group.settles_on(subjects[better], after_ns=start_ns)
            states = {
                event.host: event.text
                for event in one.segment.trace.events
                if isinstance(event, HostEvent) and event.kind is HostKind.STATE
            }
            assert states == {"a": "BACKUP", "b": "BACKUP"} | {better: "MASTER"}


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("state MASTER", (HostKind.STATE, "MASTER")),
        ("log [INFO] hello", (HostKind.LOG, "[INFO] hello")),
        ("script up eth0 192.0.2.100", (HostKind.SCRIPT, "up eth0 192.0.2.100")),
        ("exit 1 -15", (HostKind.PROCESS, "the process ended with status -15")),
        ("late 1500000", None),
        ("lateness {}", None),
        ("Traceback (most recent call last):", (HostKind.LOG, "Traceback (most recent call last):")),
    ],
)
def test_interpret(line: str, event: tuple[HostKind, str] | None) -> None:
    assert driven.interpret(line) == event


def test_a_call_without_a_channel_is_a_usage_error() -> None:
    called = subprocess.run(
        [sys.executable, "-m", "conformance.targets.model.process"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert called.returncode == 2
    assert called.stderr.startswith("a model process is started by its driver")
    assert "Traceback" not in called.stderr
