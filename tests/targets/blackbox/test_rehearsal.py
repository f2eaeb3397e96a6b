"""Which cases a black box can decide: found out on its model, driven in the same way, before anything is sent."""

import contextlib
import io
from collections import Counter
from dataclasses import replace
from ipaddress import ip_address
from types import SimpleNamespace

import pytest

from conformance.catalogue import load
from conformance.commands.collect import CONFIGURATION, SUITE, plain_pytest
from conformance.segment.decision import NotApplicable
from conformance.segment.segment import Segment
from conformance.segment.trace import FrameSeen, Trace
from conformance.suite.cases import CASE, TARGET, applicability
from conformance.suite.rehearsal import UNDECIDABLE
from conformance.targets import registry
from conformance.targets.admission import ADMITTED
from conformance.targets.blackbox.target import BlackBoxes
from conformance.targets.pixit import Declared
from conformance.targets.protocol import Settings


class Fates:
    """Stands in for the loop that would run the cases: notes what is to become of each."""

    def pytest_runtestloop(self, session):
        profile, catalogue = session.config.stash[TARGET].profile, load()
        self.of = {
            item.stash[CASE].id: item.stash.get(UNDECIDABLE, None)
            or applicability(item.stash[CASE], profile, catalogue)
            for item in session.items
        }
        assert all(item.stash[CASE].raised is None for item in session.items)
        return True


@pytest.fixture
def fates(monkeypatch, tmp_path):
    """Of each case by its id: why it does not apply, or None."""

    def rehearse(pixit, *select):
        target = BlackBoxes().configured(pixit)
        monkeypatch.setattr("conformance.plugin.chosen", lambda *_: target)
        found = Fates()
        with plain_pytest(), contextlib.redirect_stdout(io.StringIO()):
            status = pytest.main(
                [
                    *("-c", str(CONFIGURATION), "-p", "conformance.plugin", "-p", "no:cacheprovider"),
                    *("--target", "blackbox", "--out", str(tmp_path)),
                    *(f"--select={one}" for one in select),
                    str(SUITE),
                ],
                plugins=[found, SimpleNamespace(__name__=ADMITTED)],
            )
        assert status == 0
        assert list(tmp_path.iterdir()) == [], "a rehearsal leaves no evidence"
        return found.of

    return rehearse


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "skew"), [("freebsd", 100), ("openbsd", 0), ("ucarp", 100), ("freebsd-legacy", 0)]
)
def test_a_lone_box_without_actions_decides_many_cases(box, fates, key, skew):
    found = fates(box(dialect=key, skew=skew))
    decided = [id for id, why in found.items() if why is None]
    groups = Counter(id.split("-")[0] for id in decided)
    assert len(decided) >= 180
    assert groups["RX"] >= 70
    assert groups["AUTH"] >= 30
    assert groups["WIRE"] >= 20


class TestReasons:
    def test_settings_that_it_does_not_have(self, box, fates):
        found = fates(box(), "TIMER-001", "WIRE-009", "AUTH-001", "PREEMPT")
        assert found["TIMER-001.interval_is_advbase_and_advskew[1-0]"] == (
            "it wants advskew 0, declared is 100, and nothing can change that on a"
        )
        assert found["WIRE-009.second_byte_is_the_vhid[7]"] == (
            "it wants vhid 7; a is declared with vhid 1 and nothing can change that"
        )
        assert (
            "it wants another password" in found["AUTH-001.digest_is_keyed_with_the_password[one-character]"]
        )
        assert found["TIMER-001.interval_is_advbase_and_advskew[1-100]"] is None

    def test_the_start(self, box, fates):
        found = fates(box(), "ELECT-001")
        assert "a is started by somebody else" in found["ELECT-001.node_starts_silent"]

    def test_a_state_that_it_cannot_be_brought_into(self, box, fates):
        found = fates(box(dialect="freebsd"), "AUTH-025.lone_master")
        (why,) = found.values()
        assert why.startswith("it starts from a state into which a box that runs already cannot be brought")
        assert "it ends in fail" in why

    def test_what_the_host_would_have_to_tell(self, box, fates):
        found = fates(box(), "LOG", "STATS")
        assert found
        assert all("blackbox does not have" in why for why in found.values() if why)

    def test_an_action_decides_more(self, box, fates):
        without, having = (
            fates(box(), "SCENARIO", "ELECT"),
            fates(box("link_down", "link_up", "kill", "start"), "SCENARIO", "ELECT"),
        )
        more = {id for id, why in having.items() if why is None} - {
            id for id, why in without.items() if why is None
        }
        assert more

    def test_configuring_decides_most(self, box, fates):
        found = fates(box("configure"), "TIMER-001", "WIRE-009", "AUTH-001.digest_is_keyed")
        assert [id for id, why in found.items() if why] == []

    def test_two_boxes_that_can_be_silenced(self, box, fates):
        found = fates(box("link_down", "link_up", hosts=2), "ELECT", "WIRE")
        assert sum(why is None for why in found.values()) >= 30

    def test_addresses_are_those_of_the_pixit(self, box, fates):
        """A tie that is decided by the last octet of 192.0.2.1 is not decided by a box that has another address."""
        ties = "ELECT-006.tie_goes_to_the_address"
        (why, _) = fates(box(dialect="ucarp"), ties).values()
        here = box(dialect="ucarp")
        (host,) = here.hosts
        near = replace(
            here,
            hosts=(replace(host, addresses=(ip_address("192.0.2.1"),)),),
            tester_addresses=(ip_address("192.0.2.254"),),
            shared_addresses=(ip_address("192.0.2.100"),),
            declared=(replace(here.declared[0], addresses=(ip_address("192.0.2.100"),)),),
        )
        assert fates(near, ties).values()
        assert why is None or "rehearsed" in why


class TestBench:
    """The bench itself, on the rehearsed medium."""

    @pytest.fixture
    def lane(self, box):
        with contextlib.ExitStack() as stack:

            def make(*actions, hosts=1, **changes):
                target = BlackBoxes().configured(box(*actions, hosts=hosts, **changes)).rehearsal()
                assert (target.version(), target.lacks()) == ("a rehearsal", ())
                bench = stack.enter_context(target.bench(hosts))
                trace = Trace()
                port = bench.port(trace)
                return bench, trace, Segment(bench.loop, trace, port)

            yield make

    def test_what_was_before_the_start_is_hidden(self, lane):
        bench, trace, segment = lane()
        segment.watch(5_000_000_000)
        assert trace.frames == []
        bench.hosts["a"].start(self.settings(bench))
        (only,) = trace.frames
        assert only.sent
        assert only.frame.carp.advskew == 50

    def test_the_box_is_in_backup_and_takes_over(self, lane):
        bench, trace, segment = lane()
        iut = bench.hosts["a"].start(self.settings(bench))
        assert iut.running()
        assert iut.started_ns == trace.frames[0].time_ns
        segment.watch(2_900_000_000)
        assert len(trace.frames) == 1
        segment.watch(2_000_000_000)
        assert [
            one.frame.carp.advskew for one in trace.frames if isinstance(one, FrameSeen) and one.frame.carp
        ][1:] == [100]

    def settings(self, bench, **changes):
        return Settings(**dict(bench.hosts["a"].declared(None)) | changes)

    def test_other_settings_are_not_to_be_had(self, lane):
        bench, _, _ = lane()
        with pytest.raises(NotApplicable, match="it wants advbase 2, declared is 1"):
            bench.hosts["a"].start(self.settings(bench, advbase=2))
        assert bench.hosts["a"].declared(9) == {}

    @pytest.mark.parametrize("asked", ["stop", "kill"])
    def test_without_an_action_it_cannot_be_ended(self, lane, asked):
        bench, _, _ = lane()
        iut = bench.hosts["a"].start(self.settings(bench))
        with pytest.raises(NotApplicable, match=f"do {asked} to it: the PIXIT has no such action"):
            getattr(iut, asked)()
        for refused in (
            lambda: iut.signal("HUP"),
            lambda: bench.hosts["a"].serve(ip_address("10.1.2.100"), 80),
            lambda: bench.hosts["a"].cable(plugged=False),
            lambda: bench.probe(ip_address("10.1.2.100"), 80, print),
            lambda: bench.part(parted=True),
        ):
            with pytest.raises(NotApplicable):
                refused()
        assert "nothing was done to it" in iut.describe()

    def test_what_was_ended_runs_again_in_the_next_case(self, lane):
        bench, _, _ = lane("kill", "reboot", "link_down", "link_up", "configure")
        box = bench.hosts["a"]
        iut = box.start(self.settings(bench, advskew=20))
        iut.kill()
        assert not iut.running()
        assert "kill was done to it" in iut.describe()
        bench.reset()
        assert box.silenced == ""
        bench.port(Trace())
        assert box.start(self.settings(bench)).running()
        box.cable(plugged=False)
        assert box.silenced == "link_down"
        box.cable(plugged=True)
        assert box.silenced == ""

    def test_of_several_only_what_a_case_starts_is_heard(self, lane):
        bench, trace, segment = lane("link_down", "link_up", hosts=2)
        assert [box.silenced for box in bench.boxes.values()] == ["link_down", "link_down"]
        bench.hosts["b"].start(Settings(**dict(bench.hosts["b"].declared(None))))
        segment.watch(6_000_000_000)
        assert {str(one.frame.ip.source) for one in trace.frames if one.frame.carp and not one.sent} == {
            "10.1.2.2"
        }


def test_a_declared_host_may_have_several_virtual_ones(box):
    rows = tuple(
        Declared(host="a", vhid=vhid, addresses=(ip_address(f"10.1.2.{99 + vhid}"),), advskew=100)
        for vhid in (1, 2)
    )
    with BlackBoxes().configured(box(rows=rows)).rehearsal().bench(1) as bench:
        trace = Trace()
        bench.port(trace)
        assert bench.hosts["a"].declared(2)["addresses"] == (ip_address("10.1.2.101"),)
        bench.hosts["a"].start(Settings(**dict(bench.hosts["a"].declared(2))))
        bench.loop.run_for(5_000_000_000)
        assert {one.frame.carp.vhid for one in trace.frames if one.frame.carp and not one.sent} == {1, 2}


def test_the_name_is_found():
    assert registry.find("blackbox").profile.name == "blackbox"
