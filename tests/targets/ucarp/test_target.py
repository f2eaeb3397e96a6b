"""Real ucarp processes: started, refused, signalled, ended; and what the target says of this machine."""

import os
import select
import subprocess
import tempfile
from ipaddress import ip_address
from pathlib import Path

import pytest

from conformance.segment.decision import Inconclusive
from conformance.segment.trace import HostEvent, HostKind, Trace
from conformance.targets.process import Process
from conformance.targets.protocol import CAPABILITIES, ConfigurationRefused, Settings
from conformance.targets.ucarp import driver
from conformance.targets.ucarp import target as module
from conformance.targets.ucarp.driver import Ucarp, UnknownOption
from conformance.targets.ucarp.target import PROGRAM_VARIABLE, UcarpTarget

S = 1_000_000_000
SHARED = ip_address("192.0.2.100")
PASSWORD = "hunter2horse"


@pytest.fixture
def bench(ucarp, tmp_path, monkeypatch):
    """A lane whose temporary files go to ``tmp_path``."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with ucarp.bench(1) as bench:
        bench.port(Trace())
        yield bench


def settings(**changes):
    return Settings(**({"vhid": 1, "password": PASSWORD, "addresses": (SHARED,), "advskew": 100} | changes))


def host_events(bench, kind):
    return [event.text for event in bench.trace.events if isinstance(event, HostEvent) and event.kind is kind]


def until(bench, condition, limit_s=8):
    assert bench.loop.run_until(condition, bench.loop.now_ns() + limit_s * S), bench.trace.events


def pid_of(iut):
    return iut._process._popen.pid


def addresses(host):
    return [a.get_attr("IFA_ADDRESS") for a in host.station.ip.get_addr(index=host.station.index, family=2)]


class TestStart:
    def test_it_returns_in_backup_and_runs_on_the_host(self, bench):
        host = bench.hosts["a"]
        iut = host.start(settings())
        assert iut.running()
        assert host_events(bench, HostKind.STATE)[-1] == "BACKUP"
        assert abs(iut.started_ns - bench.loop.now_ns()) < S
        with host.station.namespace.entered():
            inside = os.readlink("/proc/thread-self/ns/net")
        assert os.readlink(f"/proc/{pid_of(iut)}/ns/net") == inside
        assert "ucarp on a is running" in iut.describe()

    def test_the_password_is_nowhere(self, bench, tmp_path):
        iut = bench.hosts["a"].start(settings(options={"debug": True}))
        until(bench, lambda: len(bench.trace.frames) > 0 or "MASTER" in host_events(bench, HostKind.STATE))
        for place in ("cmdline", "environ"):
            assert PASSWORD.encode() not in Path(f"/proc/{pid_of(iut)}/{place}").read_bytes()
        assert PASSWORD not in repr(bench.trace.events) + iut.describe() + repr(iut.settings)
        assert list(tmp_path.iterdir()) == []

    def test_the_password_is_in_no_folder(self, bench, monkeypatch):
        given = []
        monkeypatch.setattr(
            driver, "arguments", lambda *told: given.append((told[3], os.readlink(told[3]))) or ["--help"]
        )
        with pytest.raises(ConfigurationRefused):
            bench.hosts["a"].start(settings())
        ((path, place),) = given
        assert place.startswith("/memfd:")
        assert not os.path.lexists(path)

    @pytest.mark.parametrize(
        ("changes", "status", "says"),
        [
            ({"vhid": 0}, 1, "vhid must be between 1 and 255"),
            ({"password": "x" * 20}, 2, "Password too long"),
            ({"options": {"extra": ("--nonsense",)}}, 0, "unrecognized option '--nonsense'"),
        ],
        ids=["vhid 0", "password of 20", "unknown argument, which ucarp ends with 0"],
    )
    def test_a_configuration_that_it_refuses(self, bench, tmp_path, changes, status, says):
        with pytest.raises(ConfigurationRefused) as raised:
            bench.hosts["a"].start(settings(**changes))
        assert raised.value.status == status
        assert says in raised.value.said
        assert f"exit status {raised.value.status}" in str(raised.value)
        assert bench.hosts["a"].iuts == []
        assert list(tmp_path.iterdir()) == []

    def test_an_option_that_the_driver_does_not_have_leaves_no_password_behind(self, bench, tmp_path):
        with pytest.raises(UnknownOption):
            bench.hosts["a"].start(settings(options={"colour": "red"}))
        assert list(tmp_path.iterdir()) == []

    def test_a_program_that_is_not_there(self, bench, tmp_path):
        with pytest.raises(ConfigurationRefused, match="No such file"):
            Ucarp(bench.hosts["a"], settings(), "/nonexistent/ucarp")
        assert list(tmp_path.iterdir()) == []

    def test_one_that_never_gets_to_backup_is_a_matter_of_the_rig(self, bench, tmp_path, monkeypatch):
        monkeypatch.setattr(driver, "START_NS", S // 5)
        slow = tmp_path / "slow"
        slow.write_text("#!/bin/sh\necho thinking\nexec sleep 1000\n")
        slow.chmod(0o755)
        with pytest.raises(
            Inconclusive, match=r"ucarp on a was not in BACKUP 0\.200 s after its start.*\n.*thinking"
        ):
            Ucarp(bench.hosts["a"], settings(), str(slow))
        assert list(tmp_path.iterdir()) == [slow]
        assert (
            b"sleep"
            not in subprocess.run(
                ["ps", "--ppid", str(os.getpid()), "-o", "args"], capture_output=True, check=True
            ).stdout
        )

    def test_last_words_without_a_line_end_are_heard(self, bench, tmp_path):
        rude = tmp_path / "rude"
        rude.write_text("#!/bin/sh\nprintf 'first\\nlast words'\nexit 3\n")
        rude.chmod(0o755)
        with pytest.raises(ConfigurationRefused) as raised:
            Ucarp(bench.hosts["a"], settings(), str(rude))
        assert (raised.value.status, raised.value.said) == (3, "first\nlast words")

    def test_the_end_of_a_process_hears_what_the_loop_had_not_read(self, bench):
        command = ["sh", "-c", "printf 'first\nlast words'; exec sleep 1000"]
        process = Process(bench.hosts["a"], command, lambda line, _: driver.interpret(line))
        select.select([process._mouth], [], [])
        process.end()
        assert process.lines == ["first", "last words"]

    def test_a_script_that_took_long_is_lateness_of_the_machine(self, bench, tmp_path):
        slow = tmp_path / "slow"
        slow.write_text("#!/bin/sh\nsleep 0.2\necho script down >&2\n")
        slow.chmod(0o755)
        bench.hosts["a"].start(settings(options={"downscript": str(slow)}))
        until(bench, lambda: bool(host_events(bench, HostKind.SCRIPT)))
        assert 0.2 * S < bench.loop.worst_lateness_ns(0) < 1 * S

    def test_what_a_script_was_asked_to_take_is_not(self, bench):
        iut = bench.hosts["a"].start(settings(options={"script_takes": 0.3}))
        assert bench.loop.worst_lateness_ns(0) < 0.3 * S < bench.loop.now_ns() - iut._process._times_ns[0]

    def test_it_began_when_its_script_had_ended_however_late_that_is_read(self, bench, monkeypatch):
        read, before_ns = Process.read, bench.loop.now_ns()

        def late(process):
            if bench.loop.now_ns() > before_ns + 500_000_000:
                read(process)

        monkeypatch.setattr(Process, "read", late)
        iut = bench.hosts["a"].start(settings())
        began_ns, now_ns = iut.started_ns, bench.loop.now_ns()
        assert before_ns < began_ns < before_ns + 500_000_000 < now_ns


class TestLife:
    def test_scripts_move_the_address_and_signals_arrive(self, bench):
        """One life: MASTER with the address, asked by USR1, ended by TERM, address gone."""
        host = bench.hosts["a"]
        iut = host.start(settings(advskew=0, options={"shutdown": True, "xparam": "extra"}))
        assert addresses(host) == ["192.0.2.1"]
        until(bench, lambda: "up eth0 192.0.2.100 extra" in host_events(bench, HostKind.SCRIPT))
        assert host_events(bench, HostKind.STATE)[-1] == "MASTER"
        assert addresses(host) == ["192.0.2.1", "192.0.2.100"]
        iut.signal("USR1")
        until(bench, lambda: "[INFO] MASTER on eth0 id 1" in host_events(bench, HostKind.LOG))
        iut.stop()
        assert not iut.running()
        until(bench, lambda: bool(host_events(bench, HostKind.PROCESS)))
        assert host_events(bench, HostKind.PROCESS)[0].startswith("the process ended with status ")
        assert addresses(host) == ["192.0.2.1"]
        assert "ended with status" in iut.describe()

    def test_killed_it_says_nothing_and_reset_takes_the_address_back(self, bench):
        host = bench.hosts["a"]
        iut = host.start(settings(advskew=0))
        until(bench, lambda: "192.0.2.100" in addresses(host))
        iut.kill()
        iut.kill()
        assert not iut.running()
        assert addresses(host) == ["192.0.2.1", "192.0.2.100"]
        bench.reset()
        assert addresses(host) == ["192.0.2.1"]
        assert host.iuts == []

    def test_a_bench_serves_one_case_after_the_other(self, bench):
        first = bench.hosts["a"].start(settings())
        bench.reset()
        assert not first.running()
        second_trace = Trace()
        bench.port(second_trace)
        bench.hosts["a"].start(settings())
        bench.loop.run_for(S // 10)
        assert [e for e in second_trace.events if isinstance(e, HostEvent) and e.kind is HostKind.STATE][
            0
        ].text == "BACKUP"

    def test_a_stopped_process_is_ended_too(self, bench):
        iut = bench.hosts["a"].start(settings())
        iut.signal("STOP")
        bench.reset()
        assert not iut.running()


class TestService:
    def test_an_answer_and_none(self, bench):
        host, answers = bench.hosts["a"], []
        host.serve(ip_address("192.0.2.1"), 8112)
        bench.probe(ip_address("192.0.2.1"), 8112, lambda time_ns, name: answers.append(name))
        until(bench, lambda: len(answers) == 1)
        bench.probe(ip_address("192.0.2.1"), 8113, lambda time_ns, name: answers.append(name))
        bench.probe(SHARED, 8112, lambda time_ns, name: answers.append(name))
        until(bench, lambda: len(answers) == 3)
        assert answers == ["a", None, None]

    def test_a_question_that_is_open_at_the_end_is_closed(self, bench):
        bench.probe(SHARED, 8112, lambda *_: None)
        before = set(os.listdir("/proc/self/fd"))
        bench.reset()
        gone = before - set(os.listdir("/proc/self/fd"))
        assert len(gone) >= 2, "the probe's socket and the port's"


class TestTarget:
    def test_version_is_read_from_the_program(self, ucarp):
        assert ucarp.version().startswith("1.5")

    def test_another_program_may_be_named(self, monkeypatch, tmp_path):
        other = tmp_path / "ucarp"
        other.write_text("#!/bin/sh\necho 'ucarp 9.9 - May 5 2030'\n")
        other.chmod(0o755)
        monkeypatch.setenv(PROGRAM_VARIABLE, str(other))
        assert UcarpTarget().program == str(other)
        assert UcarpTarget().version() == "9.9 (May 5 2030)"
        other.write_text("#!/bin/sh\nexit 1\n")
        assert UcarpTarget().version() == "unknown"

    def test_what_a_machine_lacks(self, monkeypatch):
        monkeypatch.delenv(PROGRAM_VARIABLE, raising=False)
        monkeypatch.setattr(module.shutil, "which", lambda *_, **__: None)
        monkeypatch.setattr(module.netns, "may_create", lambda: False)
        target = UcarpTarget()
        lacks = dict(target.lacks())
        assert target.version() == "unknown"
        assert lacks["ucarp is not installed"] == "apt-get install ucarp"
        assert "the command 'setpriv' is missing" in lacks
        assert any("network namespaces" in what for what in lacks)

    def test_its_profile_speaks_the_vocabulary(self):
        profile = UcarpTarget.profile
        assert set(profile.pics) <= set(CAPABILITIES)
        assert all(d.reason and d.reference and d.says for d in profile.deviations)
        assert profile.password not in repr(profile)
