"""The record of a case: valid by the schema, with its deciding frames, without any password."""

from ipaddress import ip_address
from types import SimpleNamespace

import pytest

from conformance.catalogue import load
from conformance.report import schema
from conformance.report.results import requirement_verdicts, summarise
from conformance.segment.decision import Condition, Inconclusive, Mismatch, NotApplicable, Vacuous, Window
from conformance.segment.loop import Loop, VirtualClock
from conformance.segment.segment import Segment
from conformance.segment.trace import FrameSeen, HostEvent, HostKind, Trace
from conformance.suite.cases import Case
from conformance.suite.record import EVENT_LIMIT, file_name, record
from conformance.targets.protocol import Deviation, Profile
from conformance.targets.ucarp.profile import PROFILE
from conformance.wire import frame as wire
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret

START = VirtualClock.EPOCH_NS
S = 1_000_000_000
CATALOGUE = load()
COVERED = next(r.id for r in CATALOGUE if r.id.startswith("CARP-RX-"))
HOST_MAC = bytes.fromhex("020000000201")
ADVERTISEMENT = Advertisement(
    vhid=1, source=ip_address("192.0.2.1"), secret=Secret("hunter2", (ip_address("192.0.2.100"),))
)
BENCH = SimpleNamespace(
    hosts={"a": SimpleNamespace(name="a", mac=HOST_MAC, addresses=(ip_address("192.0.2.1"),))}
)
DEVIATION = Deviation("RX-", "late", "it is always late", "carp.c:1")


class Port:
    lost = 0

    def dropped(self):
        return self.lost


@pytest.fixture
def segment():
    return Segment(Loop(VirtualClock()), Trace(), Port())


def case(segment=None, raised=None, **changes):
    return Case(**(
        {"id": "RX-002.ttl[ttl 1/é]", "group": "RX", "title": "A title", "requirements": (COVERED,), "needs": (), "hosts": 1, "seconds": 6.0,
         "nodeid": "test_rx.py::test_ttl", "source": "conformance/suite/test_rx.py:1", "segment": segment, "bench": BENCH if segment else None, "raised": raised} | changes
    ))  # fmt: skip


def checked(row):
    """The row, after the schema has accepted a whole document with it."""
    document = {
        "schema": 1, "suite": {"name": "x", "version": "1", "commit": None, "catalogue": "sha256:00"},
        "target": {"name": "ucarp", "dialect": "ucarp", "rung": "netns", "version": None, "pics": {}},
        "started": "2026-01-01T00:00:00Z", "ended": None, "duration_s": None, "cases_duration_s": 0, "lanes": 1, "seed": None, "arguments": [],
        "rig": {"lateness_max_ms": None, "lateness_p99_ms": None, "frames_dropped": None}, "summary": summarise([row]), "verdict": "inconclusive",
        "cases": [row], "requirements": requirement_verdicts([row], CATALOGUE), "invariants": [],
    }  # fmt: skip
    schema.validate(document, "results")
    return row


RAISED = [
    None,
    Mismatch("x", "y", context="words"),
    Inconclusive("late"),
    NotApplicable("no"),
    Vacuous("none"),
    OSError("rig"),
    Mismatch("x", "too late"),
]


class TestSchema:
    @pytest.mark.parametrize("raised", RAISED, ids=repr)
    @pytest.mark.parametrize("deviations", [(), (DEVIATION,)], ids=["", "deviation"])
    def test_with_and_without_a_segment(self, segment, raised, deviations, tmp_path):
        profile = Profile(
            **{name: getattr(PROFILE, name) for name in ("name", "dialect", "rung", "origin", "pics")},
            deviations=deviations,
        )
        checked(record(case(None, raised), profile, tmp_path))
        checked(record(case(segment, raised), profile, tmp_path))
        segment.check("vhid", 1, 1, segment.trace.add_frame(START, ADVERTISEMENT.frame()))
        checked(record(case(segment, raised), profile, tmp_path))
        checked(record(case(segment, raised, traceback="Traceback\n  …"), profile, None))

    def test_an_error_has_its_traceback_and_others_their_context(self):
        lines = "\n".join(f"line {n}" for n in range(100))
        assert (
            record(case(raised=OSError("x"), traceback=lines), PROFILE, None)["detail"].splitlines()[-1]
            == "line 99"
        )
        assert (
            len(record(case(raised=OSError("x"), traceback=lines), PROFILE, None)["detail"].splitlines())
            == 60
        )
        assert record(case(raised=RAISED[1]), PROFILE, None)["detail"] == "words"


class TestDecisions:
    def test_of_a_pass_all_are_told(self, segment):
        segment.check("vhid", 1, 1, segment.trace.add_frame(START, ADVERTISEMENT.frame()))
        segment.check("ttl", 255, 255, segment.trace.add_frame(START + 1, ADVERTISEMENT.frame()))
        row = checked(record(case(segment), PROFILE, None))
        assert row["expected"] == ["vhid is 1", "ttl is 255"]
        assert row["actual"] == "vhid is 1; ttl is 255"
        assert row["frames"] == [1, 2]

    def test_of_a_fail_only_what_failed(self, segment):
        segment.check("vhid", 1, 1, segment.trace.add_frame(START, ADVERTISEMENT.frame()))
        with pytest.raises(Mismatch) as raised:
            segment.check("ttl", 1, 255, segment.trace.add_frame(START + 1, ADVERTISEMENT.frame()))
        row = checked(record(case(segment, raised.value), PROFILE, None))
        assert (row["verdict"], row["expected"], row["actual"], row["frames"]) == (
            "fail",
            ["ttl is 255"],
            "ttl is 1",
            [1, 2],
        )

    def test_a_precondition_that_failed_has_its_own_words(self, segment):
        row = record(case(segment, Mismatch("(precondition) x", "y")), PROFILE, None)
        assert (row["expected"], row["actual"]) == (["(precondition) x"], "y")


class TestEvidence:
    def test_it_is_written_under_a_tame_name(self, segment, tmp_path):
        segment.trace.add_frame(START, ADVERTISEMENT.frame())
        row = checked(record(case(segment), PROFILE, tmp_path))
        assert row["evidence"] == "evidence/RX-002.ttl-ttl-1.pcapng"
        assert (tmp_path / row["evidence"]).stat().st_size > 0

    def test_not_without_frames_and_not_without_a_folder(self, segment, tmp_path):
        assert record(case(segment), PROFILE, tmp_path)["evidence"] is None
        segment.trace.add_frame(START, b"x")
        assert record(case(segment), PROFILE, None)["evidence"] is None
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("name", "safe"),
        [("../../etc/passwd", "..-..-etc-passwd"), ("a b$(c)", "a-b-c"), ("RX-1.x[é-1]", "RX-1.x--1")],
    )
    def test_names_are_harmless(self, name, safe):
        assert file_name(name).strip("-") == safe.strip("-")
        assert "/" not in file_name(name)

    def test_the_password_is_not_in_it(self, segment, tmp_path):
        segment.check("vhid", 1, 1, segment.trace.add_frame(START, ADVERTISEMENT.frame()))
        row = record(case(segment), PROFILE, tmp_path)
        assert "hunter2" not in repr(row)
        assert b"hunter2" not in (tmp_path / row["evidence"]).read_bytes()


class TestTimeline:
    def test_each_kind_of_event_has_its_row(self, segment):
        seen = segment.trace.add_frame(START, ADVERTISEMENT.frame())
        segment.trace.add_frame(START + 1_500_000, ADVERTISEMENT.frame(), sent=True)
        segment.trace.add_frame(
            START + 2_000_000,
            wire.arp(
                wire.ArpOperation.REPLY,
                HOST_MAC,
                ip_address("192.0.2.100"),
                bytes(6),
                ip_address("192.0.2.254"),
                source_mac=bytes(6),
            ),
        )
        segment.trace.add_frame(
            START + 2_000_000,
            wire.arp(
                wire.ArpOperation.REPLY,
                bytes(6),
                ip_address("192.0.2.9"),
                bytes(6),
                ip_address("192.0.2.254"),
            ),
        )
        segment.trace.add_frame(START + 2_000_000, wire.ethernet(bytes(6), HOST_MAC, 0x88CC, b""))
        for kind in HostKind:
            segment.trace.add(HostEvent(START + 3_000_000, "a", kind, "said"))
        segment.note("looks")
        segment.check("vhid", 1, 1, seen)
        rows = checked(record(case(segment), PROFILE, None))["timeline"]["events"]
        assert [(row["t_ms"], row["kind"], row["node"]) for row in rows[:5]] == [
            (0.0, "frame", "a"), (1.5, "frame", "tester"), (2.0, "frame", "a"), (2.0, "frame", "unknown"), (2.0, "frame", "a"),
        ]  # fmt: skip
        assert rows[0]["deciding"]
        assert ["vhid", "1"] in rows[0]["fields"]
        assert not rows[1]["deciding"]
        assert [row.get("state") or row["summary"] for row in rows[5:]] == [
            "said",
            "said",
            "script: said",
            "process: said",
            "looks",
        ]

    def test_windows(self, segment):
        segment.trace.add_frame(START, b"anchor")
        segment.loop.at(START + S, lambda: segment.trace.add_frame(START + S, ADVERTISEMENT.frame()))
        segment.expect(
            Condition("it speaks", lambda e: isinstance(e, FrameSeen)),
            within=Window.after(START, (S // 2, 2 * S), "the anchor"),
        )
        assert checked(record(case(segment), PROFILE, None))["timeline"]["windows"] == [
            {
                "from_ms": 500.0,
                "to_ms": 2000.0,
                "summary": "it speaks 0.500 s to 2.000 s after the anchor",
                "met": True,
                "after_ms": 1000.0,
            }
        ]

    def test_a_long_one_keeps_what_decided_and_what_is_no_frame(self, segment):
        for n in range(EVENT_LIMIT):
            segment.trace.add_frame(START + n, b"x")
        segment.note("looks")
        last = segment.trace.add_frame(START + EVENT_LIMIT, ADVERTISEMENT.frame())
        segment.check("vhid", 1, 1, last)
        timeline = checked(record(case(segment), PROFILE, None))["timeline"]
        assert (timeline["truncated"], len(timeline["events"])) == (True, EVENT_LIMIT)
        assert timeline["events"][-1]["deciding"]
        assert timeline["events"][-2]["summary"] == "looks"

    def test_talk_of_the_host_does_not_push_out_what_decided(self, segment):
        for n in range(EVENT_LIMIT + 10):
            segment.trace.add(HostEvent(START + n, "a", HostKind.LOG, "chatter"))
        segment.check("vhid", 1, 1, segment.trace.add_frame(START + S, ADVERTISEMENT.frame()))
        timeline = checked(record(case(segment), PROFILE, None))["timeline"]
        assert len(timeline["events"]) == EVENT_LIMIT
        assert timeline["events"][-1].get("deciding")


class TestRig:
    def test_lateness_and_drops(self, segment):
        for late_ns in (1_000_000, 2_500_000):
            segment.loop.at(START - late_ns, lambda: None)
        segment.loop.run_for(0)
        segment.port.lost = 4
        assert checked(record(case(segment), PROFILE, None))["rig"] == {
            "lateness_max_ms": 2.5,
            "lateness_p99_ms": 2.5,
            "timers": 2,
            "frames_dropped": 4,
        }

    def test_drops_are_told_without_any_timer(self, segment):
        segment.port.lost = 4
        assert checked(record(case(segment), PROFILE, None))["rig"]["frames_dropped"] == 4
