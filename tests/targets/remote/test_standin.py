"""Every path of the drivers, on machines that are models: configure, read, log, switch, undo, and the journal after a crash."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from ipaddress import ip_address

import pytest

from conformance.lab.hosts import Access, shell
from conformance.lab.netns import may_create
from conformance.lab.shell import HostError
from conformance.segment.trace import FrameSeen, HostEvent, HostKind, Trace
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.targets.remote.bench import Lane, RemoteBench
from conformance.targets.remote.standin import target as standins

pytestmark = pytest.mark.skipif(
    not may_create() or shutil.which("setpriv") is None, reason="needs network namespaces"
)
SECOND = 1_000_000_000
KINDS = ("freebsd_10", "freebsd", "freebsd_15", "freebsd_legacy_6", "freebsd_legacy", "openbsd")
SUMS = ("freebsd_10", "freebsd", "freebsd_15")


class Case:
    """A bench on which one case runs."""

    def __init__(self, target, bench):
        self.target, self.bench, self.profile = target, bench, target.profile
        self.trace = Trace()
        bench.port(self.trace)
        self.a = bench.hosts["a"]

    def start(self, **changes):
        chosen = {"vhid": 1, "password": "s3cret-word", "addresses": self.bench.shared_addresses[:1]}
        return self.a.start(Settings(**chosen | changes))

    def wait(self, seconds):
        self.bench.loop.run_for(int(seconds * SECOND))

    def until(self, condition, seconds=10):
        return self.bench.loop.run_until(condition, self.bench.loop.now_ns() + seconds * SECOND)

    def states(self):
        return [
            one.text for one in self.trace.events if isinstance(one, HostEvent) and one.kind is HostKind.STATE
        ]

    def lines(self):
        return [
            one.text for one in self.trace.events if isinstance(one, HostEvent) and one.kind is HostKind.LOG
        ]

    def adverts(self):
        return [one for one in self.trace.frames if isinstance(one, FrameSeen) and one.frame.carp is not None]

    def again(self):
        self.bench.reset()
        return Case(self.target, self.bench)


@pytest.fixture(scope="module", params=KINDS)
def lane(request):
    target = getattr(standins, request.param)()
    with target.bench(1) as bench:
        yield target, bench, request.param


@pytest.fixture
def case(lane):
    target, bench, _ = lane
    made = Case(target, bench)
    yield made
    bench.reset()


@pytest.fixture
def kind(lane):
    return lane[2]


class TestConfiguring:
    def test_virtual_host_runs_with_its_settings_and_is_gone_after_the_case(self, case):
        iut = case.start(advskew=50)
        assert iut.running()
        assert case.a.vhids() == (1,)
        assert case.until(lambda: case.adverts())
        advert = case.adverts()[0].frame
        assert (advert.carp.vhid, advert.carp.advskew, advert.ip.source) == (1, 50, ip_address("192.0.2.1"))
        after = case.again()
        assert after.a.vhids() == ()
        assert after.a.machine.sysctls() == after.a.machine.found

    def test_two_families_in_one_virtual_host(self, case):
        shared = (case.bench.shared_addresses[0], case.bench.shared_addresses[10])
        case.start(addresses=shared)
        assert case.until(lambda: {one.frame.ip.version for one in case.adverts()} == {4, 6})

    def test_interface_is_as_it_was_found(self, case):
        before = case.a.shown()
        case.start(addresses=(case.bench.shared_addresses[10],), preempt=True)
        assert case.a.shown() != before or case.a.commands.own_interface
        after = case.again()
        assert after.a.shown() == before

    def test_refusal_is_the_systems_own_and_hides_the_password(self, case):
        with pytest.raises(ConfigurationRefused) as caught:
            case.start(advskew=255)
        assert caught.value.status != 0
        assert "ifconfig" in caught.value.said
        assert "s3cret-word" not in str(caught.value)
        assert case.again().a.vhids() == ()

    def test_vhid_0_is_refused_like_any_other_and_the_next_is_taken(self, case):
        with pytest.raises(ConfigurationRefused) as caught:
            case.start(vhid=0)
        assert caught.value.status == 1
        assert "Traceback" not in caught.value.said
        case.start()
        assert case.until(lambda: case.adverts())

    def test_parameters_change_while_it_runs(self, case):
        iut = case.start()
        assert case.until(lambda: case.adverts())
        iut.reconfigure(advskew=20, password="another-word")
        assert iut.settings.advskew == 20
        assert case.until(lambda: case.adverts()[-1].frame.carp.advskew == 20)

    def test_addresses_come_and_go(self, case):
        iut = case.start()
        iut.add_address(case.bench.shared_addresses[1])
        assert iut.settings.addresses == case.bench.shared_addresses[:2]
        shown = case.a.machine.shown(case.a.commands.device("eth0", 1))
        assert case.bench.shared_addresses[1] in {one.ip for one in shown.addresses}
        iut.remove_address(case.bench.shared_addresses[1])
        assert iut.settings.addresses == case.bench.shared_addresses[:1]

    def test_state_that_lasts_no_time_is_told(self, case, kind):
        if kind != "freebsd_legacy":
            pytest.skip("it does not start anew for an address, or does not log that it left INIT")
        iut = case.start(options={})
        assert case.until(lambda: case.states()[-1:] == ["MASTER"])
        iut.add_address(case.bench.shared_addresses[1])
        assert case.until(lambda: case.states()[-2:] == ["INIT", "BACKUP"])

    def test_several_virtual_hosts_of_one_interface(self, case, kind):
        if kind != "openbsd":
            pytest.skip("it has one on an interface")
        iut = case.start(options={"carpnodes": ((1, 0), (2, 100)), "balancing": "ip-stealth"})
        assert case.a.vhids() == (1, 2)
        assert case.until(lambda: {one.frame.carp.vhid for one in case.adverts()} == {1, 2})
        assert iut.running()
        assert case.states()[-1] == "MASTER"
        assert case.again().a.vhids() == ()

    def test_removal_leaves_nothing(self, case):
        iut = case.start()
        iut.kill()
        assert not iut.running()
        assert case.a.vhids() == ()


class TestReading:
    def test_states_are_heard_as_they_change(self, case):
        case.start()
        assert case.until(lambda: case.states()[-1:] == ["MASTER"])
        assert "BACKUP" in case.states()

    def test_counters_count(self, case):
        before = case.a.counters()["opackets"]
        case.start()
        assert case.until(lambda: len(case.adverts()) >= 2)
        assert case.a.counters()["opackets"] - before >= 2
        assert "badif" in case.a.counters()

    def test_log_is_of_this_case_only(self, case):
        case.a.set_sysctl("log", max(case.profile.dialect.log_levels))
        case.start()
        assert case.until(lambda: any("BACKUP" in line for line in case.lines()))
        after = case.again()
        after.a.listen()
        after.wait(0.2)
        assert after.lines() == []
        assert after.states() == []

    def test_switches_are_read_written_and_restored(self, case):
        found = case.a.sysctl("preempt")
        case.a.set_sysctl("preempt", 1 - found)
        assert case.a.sysctl("preempt") == 1 - found
        assert case.again().a.sysctl("preempt") == found

    def test_switch_that_does_not_exist_is_refused(self, case):
        with pytest.raises(ConfigurationRefused, match="net.inet.carp.nothing"):
            case.a.set_sysctl("nothing", 1)

    def test_neighbour_table_has_its_own_address(self, case):
        assert case.a.neighbours()[case.a.addresses[0]] == case.a.mac

    def test_description_for_a_developer(self, case):
        said = case.start().describe()
        assert "vhid 1 on a is BACKUP" in said
        assert "s3cret-word" not in said


class TestActing:
    def test_interface_down_is_init_and_up_starts_anew(self, case):
        case.start()
        assert case.until(lambda: "MASTER" in case.states())
        case.a.cable(plugged=False)
        assert case.until(lambda: case.states()[-1] == "INIT")
        case.a.cable(plugged=True)
        assert case.until(lambda: case.states()[-1] == "MASTER")

    def test_interface_that_a_case_left_down_is_up_again(self, case):
        case.a.interface(up=False)
        assert not case.a.shown().up
        assert case.again().a.shown().up

    def test_orders(self, case, kind):
        if not case.profile.pics["state_request"]:
            pytest.skip("its ifconfig has no word for it")
        iut = case.start(advskew=100)
        iut.request_state("MASTER")
        assert case.until(lambda: case.states()[-1] == "MASTER", 2)

    def test_demotion_by_sum(self, case, kind):
        if kind not in SUMS:
            pytest.skip("it has no sum")
        case.start()
        case.a.demote(50)
        case.a.demote(20)
        assert case.a.demotion() == 70
        assert case.until(lambda: case.adverts() and case.adverts()[-1].frame.carp.advskew == 70)
        assert case.again().a.demotion() == 0

    def test_demotion_by_groups(self, case, kind):
        if kind != "openbsd":
            pytest.skip("it has no groups")
        iut = case.start()
        iut.join_group("labgrp")
        case.a.demote(200, "labgrp")
        assert case.a.demotion("labgrp") == 200
        with pytest.raises(ConfigurationRefused):
            case.a.demote(100, "labgrp")
        assert case.again().a.demotion("labgrp") == 0

    def test_stopping_says_good_bye_where_the_system_does(self, case):
        iut = case.start()
        assert case.until(lambda: case.adverts())
        iut.stop()
        case.wait(0.2)
        farewell = [one for one in case.adverts() if one.frame.carp.advskew == 255]
        assert bool(farewell) == case.profile.dialect.bow_out

    def test_service_answers_for_the_master(self, case):
        address = case.bench.shared_addresses[0]
        case.a.serve(address, 8112)
        case.start()
        assert case.until(lambda: "MASTER" in case.states())
        answers = []
        case.bench.probe(address, 8112, lambda _, name: answers.append(name))
        assert case.until(lambda: answers, 2)
        assert answers == ["a"]

    def test_own_addresses_can_be_taken_away(self, case):
        before = case.a.shown().own
        case.a.remove_own_addresses(6)
        assert all(one.version == 4 for one in case.a.shown().own)
        assert set(case.again().a.shown().own) == set(before)


class TestHonesty:
    def test_it_is_reported_as_a_model(self, case):
        assert case.profile.name.startswith("model:")
        assert case.profile.name.endswith("@standin")
        assert "model" in case.profile.origin

    def test_driver_of_the_real_system_does_not_take_it(self, case):
        honest = standins.RemoteTarget(case.target.family, case.bench.pixit)
        ((what, remedy),) = honest.lacks()[:1]
        assert "is a stand-in" in what
        assert "@standin" in remedy
        with pytest.raises(HostError, match="stand-in"):
            honest.makers(1)

    @pytest.mark.parametrize(
        "line", ["ifconfig eth0 frobnicate", "sysctl -a", "netstat -rn", "uname -x", "jail -c name=x"]
    )
    def test_what_it_does_not_know_it_refuses_loudly(self, case, line):
        said = case.a.machine.ask(line)
        assert (said.status, "STAND-IN: it does not know how to do" in said.err) == (70, True)

    @pytest.mark.parametrize("line", ["reboot", "python3 -c pass", "ip link", "pfctl -d"])
    def test_commands_that_it_does_not_have_are_not_found(self, case, line):
        assert case.a.machine.ask(line).status == 127


def bench_on(target, made):
    """A bench on stand-ins that outlive it."""
    pixit = target._pixit(1, made.shells)
    return RemoteBench(pixit, made.wire, Lane(), target._with(pixit).makers(1), made.folder / "journals")


CRASH = """
import os, sys
from pathlib import Path
from conformance.lab.attachment import Attachment
from conformance.lab.netns import Namespace
from conformance.segment.trace import Trace
from conformance.targets.protocol import Settings
from conformance.targets.remote.bench import Lane, RemoteBench
from conformance.targets.remote.standin import target as standins
kind, folder, descriptor = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
target = getattr(standins, kind)()
pixit = target._pixit(1, {"a": folder / "a" / "shell"})
wire = Attachment("eth0", bytes.fromhex("0200000002fe"), Namespace(descriptor))
bench = RemoteBench(pixit, wire, Lane(), target._with(pixit).makers(1), folder / "journals")
bench.port(Trace())
host = bench.hosts["a"]
host.start(Settings(vhid=1, password="s3cret-word", addresses=(*bench.shared_addresses[:2], bench.shared_addresses[10]), preempt=True))
host.set_sysctl("log", 0)
host.interface(up=False)
print("made", flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("kind", ["freebsd", "freebsd_legacy", "openbsd"])
def test_next_run_undoes_what_a_killed_one_left(kind, tmp_path):
    target = getattr(standins, kind)()
    with standins.machines(1, target.profile.dialect) as made:
        before_bench = bench_on(target, made)
        before, switches = before_bench.hosts["a"].shown(), before_bench.hosts["a"].machine.sysctls()
        before_bench.close()
        descriptor = made.wire.namespace.fd
        said = subprocess.run(
            [sys.executable, "-c", CRASH, kind, str(made.folder), str(descriptor)],
            capture_output=True, text=True, check=False, pass_fds=(descriptor,),
        )  # fmt: skip
        assert (said.stdout, said.returncode) == ("made\n", -signal.SIGKILL), said.stderr
        looking = shell(Access(name="a", connection=f"exec://{made.shells['a']}"))
        left = looking.do("ifconfig -a; sysctl net.inet.carp")
        assert "vhid 1" in left
        (journal,) = (made.folder / "journals").glob("*.jsonl")
        assert "s3cret-word" not in journal.read_text()
        bench = bench_on(target, made)
        try:
            host = bench.hosts["a"]
            assert replace(host.shown(), groups=()) == replace(before, groups=())
            assert host.machine.sysctls() == switches
            assert "vhid 1" not in looking.do("ifconfig -a")
        finally:
            bench.close()
            looking.close()


def test_two_runs_on_one_machine_are_refused_in_one_sentence():
    target = standins.freebsd()
    with standins.machines(1, target.profile.dialect) as made:
        bench = bench_on(target, made)
        with pytest.raises(HostError, match="machine a: another run uses the same machine"):
            bench_on(target, made)
        bench.close()


def test_virtual_host_that_is_there_already_is_not_the_testers():
    target = standins.freebsd()
    with standins.machines(1, target.profile.dialect) as made:
        there = shell(Access(name="a", connection=f"exec://{made.shells['a']}"))
        there.do("ifconfig eth0 vhid 7 alias 192.0.2.77/24")
        with pytest.raises(
            HostError, match=r"virtual hosts that the tester did not make \(vhid 7\); remove them"
        ):
            bench_on(target, made)
        assert "vhid 7" in there.do("ifconfig eth0")
        there.close()


def test_connection_that_was_lost_in_one_case_is_there_in_the_next():
    target = standins.freebsd()
    with standins.machines(1, target.profile.dialect) as made:
        bench = bench_on(target, made)
        case = Case(target, bench)
        case.start()
        with pytest.raises(HostError, match="the connection ended"):
            case.a.machine.ask("kill -9 $$")
        with pytest.raises(HostError, match="the connection ended"):
            case.a.machine.ask("true")
        after = case.again()
        assert after.a.vhids() == ()
        assert after.start().running()
        bench.close()


def test_machine_that_does_not_come_back_fails_at_once_and_always_alike(monkeypatch):
    target = standins.freebsd()
    with standins.machines(1, target.profile.dialect) as made:
        bench = bench_on(target, made)
        made.shells["a"].write_text("#!/bin/sh\necho 'No route to host' >&2; exit 255\n")
        machine = bench.hosts["a"].machine
        with pytest.raises(HostError):
            machine.ask("kill -9 $$")
        said = []
        for _ in range(2):
            with pytest.raises(HostError, match="No route to host") as caught:
                bench.reset()
            said.append(str(caught.value))
        assert said[0] == said[1]
        bench.close()


def test_many_virtual_hosts_are_undone():
    target = standins.freebsd()
    with standins.machines(1, target.profile.dialect) as made:
        bench = bench_on(target, made)
        case = Case(target, bench)
        for vhid in range(1, 46):
            case.start(vhid=vhid, addresses=(ip_address(f"192.0.2.{100 + vhid}"),))
        assert len(case.a.vhids()) == 45
        assert case.again().a.vhids() == ()
        bench.close()


def test_machine_that_dies_is_one_sentence():
    target = standins.freebsd()
    with standins.machines(1, target.profile.dialect) as made:
        bench = bench_on(target, made)
        os.kill(made.pids[0], signal.SIGKILL)
        with pytest.raises(HostError, match="machine a: "):
            bench.hosts["a"].start(Settings(password="x", addresses=bench.shared_addresses[:1]))
        bench.close()


def test_cases_of_one_host_and_of_two_share_the_place_of_their_worker(monkeypatch, tmp_path):
    monkeypatch.setenv("CARP_CONFORMANCE_STATE", str(tmp_path))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # as the only lane, whichever worker tests this
    target = standins.freebsd()
    with standins.machines(2, target.profile.dialect) as made, made.wire.entered():
        driver = target._with(target._pixit(2, made.shells))
        with driver.bench(1) as one, driver.bench(2) as two:
            assert one is two
            assert set(two.hosts) == {"a", "b"}
            with (
                pytest.raises(HostError, match="of the bench: it is not there; name it in the PIXIT"),
                driver.bench(3),
            ):
                pass
        with driver.bench(2) as again:
            assert again is not two
