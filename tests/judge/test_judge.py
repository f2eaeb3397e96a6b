"""The document, its schema, the exit status, both ways through a capture, and the recordings of real
kernels.
"""

import json
import random

import jsonschema
import pytest

from conformance.catalogue import load
from conformance.judge.document import iso, schema
from conformance.judge.judge import exit_status, html, judge, summary_text
from conformance.judge.lane import Options
from conformance.judge.monitors import MONITORS, cover
from conformance.judge.packets import CaptureError
from conformance.judge.session import Session
from conformance.model.dialects import UnknownDialect
from conformance.segment.trace import Trace
from tests.judge.making import FIXTURES, MS, PASSWORDS, RECORDINGS, SECOND, START, VIP, Member, pcap, write

VALIDATOR = jsonschema.Draft202012Validator(schema())


def ids(document, family=4, vhid=1):
    """The ids of a virtual host's findings."""
    return [
        one["id"]
        for host in document["vhids"]
        if (host["vhid"], host["family"]) == (vhid, family)
        for one in host["findings"]
    ]


def recording(name, **options):
    """The document of a recording, with the passwords that were used for most of them."""
    options.setdefault("passwords", PASSWORDS)
    return judge([FIXTURES / name], **options)


def changes(document, index=0):
    """The hand-overs of the document's virtual host: from, to, cause, gap in ms."""
    return [
        (one["from"], one["to"], one["cause"], None if one["gap_ms"] is None else round(one["gap_ms"]))
        for one in document["vhids"][index]["handovers"]
    ]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
class TestRecording:
    def test_the_first_pass_agrees_with_the_slow_way(self, path):
        for options in ({"passwords": PASSWORDS}, {}, {"passwords": PASSWORDS, "addresses": (VIP,)}):
            assert judge([path], **options) == judge([path], **options, exact=True)

    def test_the_document_keeps_its_schema_and_can_be_shown(self, path):
        document = judge([path], passwords=PASSWORDS)
        VALIDATOR.validate(json.loads(json.dumps(document)))
        assert document["unreadable"] == []
        assert path.name in summary_text(document)
        assert "</html>" in html(document)
        assert not any(
            password in json.dumps(document) + summary_text(document) for password in PASSWORDS[:2]
        )


QUIET = [
    "freebsd-13.2/a1000_single_v4_skew0_hz1000",
    "freebsd-13.2/a_single_v4_skew0",
    "freebsd-13.2/e_v6_only",
    "freebsd-13.2/f_mixed_v4_v6",
    "freebsd-13.2/i2_linkloss_preempt0",
    "freebsd-13.2/i_failover_preempt0",
    "freebsd-13.2/i_failover_preempt1",
    "freebsd-13.2/j_demotion_preempt0",
    "freebsd-15.1/a_single_v4_skew0",
    "freebsd-15.1/e_v6_only",
    "freebsd-15.1/f_mixed_v4_v6",
    "freebsd-15.1/fe_linklocal_vip_only",
    "freebsd-15.1/j_demotion_preempt0",
    "freebsd-9.3/S1-ref-preempt1-ext-link-off.br-carp",
    "freebsd-9.3/S1-ref-preempt1-ext-link-off.br-carp2",
    "freebsd-9.3/S2-ref-preempt0-ext-link-off.br-carp",
    "freebsd-9.3/S2-ref-preempt0-ext-link-off.br-carp2",
    "freebsd-9.3/a-v4-skew0",
    "freebsd-9.3/d-v4-two-desc",
    "freebsd-9.3/i1-pair-preempt0-cable",
    "freebsd-9.3/i4-pair-preempt1-carpdown",
    "freebsd-9.3/p3-counter",
    "openbsd-8.0beta/a-v4-skew0",
    "openbsd-8.0beta/d-v4-two-desc",
    "openbsd-8.0beta/e-v6",
    "openbsd-8.0beta/f-mixed",
    "openbsd-8.0beta/i1-pair-preempt0-cable",
    "openbsd-8.0beta/i4-pair-preempt1-carpdown",
    "openbsd-8.0beta/j1-demote-single",
    "openbsd-8.0beta/m1-backup-peer-skew0-then-stops",
]


@pytest.mark.parametrize("name", QUIET)
def test_what_real_kernels_send_by_themselves_is_judged_right(name):
    document = recording(f"{name}.pcap")
    assert [one for host in document["vhids"] for one in host["findings"]] == []
    assert all(host["authenticated"] == host["advertisements"] for host in document["vhids"])
    assert exit_status(document) == 0


@pytest.mark.parametrize(
    ("name", "story"),
    [
        (
            "freebsd-13.2/i_failover_preempt1",
            [("192.0.2.11", "192.0.2.12", "silence", 3493), ("192.0.2.12", "192.0.2.11", "preemption", 1)],
        ),
        ("freebsd-13.2/i2_linkloss_preempt0", [("192.0.2.11", "192.0.2.12", "silence", 3434)]),
        (
            "freebsd-9.3/S1-ref-preempt1-ext-link-off.br-carp",
            [("10.0.1.2", "10.0.1.3", "silence", 3314), ("10.0.1.3", "10.0.1.2", "preemption", 1)],
        ),
        (
            "freebsd-9.3/S1-ref-preempt1-ext-link-off.br-carp2",
            [
                ("192.168.10.2", "192.168.10.3", "demotion", 2),
                ("192.168.10.3", "192.168.10.2", "preemption", 1),
            ],
        ),
        ("freebsd-9.3/S2-ref-preempt0-ext-link-off.br-carp", [("10.0.1.2", "10.0.1.3", "silence", 3316)]),
        ("freebsd-9.3/S2-ref-preempt0-ext-link-off.br-carp2", []),
        (
            "freebsd-9.3/i4-pair-preempt1-carpdown",
            [("192.0.2.21", "192.0.2.22", "bow-out", 1), ("192.0.2.22", "192.0.2.21", "preemption", 1)],
        ),
        (
            "freebsd-9.3/p3-counter",
            [("192.0.2.21", "192.0.2.22", "silence", 3394), ("192.0.2.22", "192.0.2.21", "preemption", 1)],
        ),
        ("openbsd-8.0beta/i1-pair-preempt0-cable", [("192.0.2.21", "192.0.2.22", "silence", 4189)]),
        (
            "openbsd-8.0beta/i4-pair-preempt1-carpdown",
            [("192.0.2.21", "192.0.2.22", "bow-out", 2), ("192.0.2.22", "192.0.2.21", "preemption", 1)],
        ),
        ("openbsd-8.0beta/m1-backup-peer-skew0-then-stops", [("192.0.2.22", "192.0.2.21", "silence", 4191)]),
        ("ucarp-1.5.2/c_100.22909", [("10.9.0.1", "10.9.0.2", "silence", 5160)]),
        ("ucarp-1.5.2/c_200.16424", [("10.9.0.1", "10.9.0.2", "silence", 6338)]),
        ("ucarp-1.5.2/c_50.10795", [("10.9.0.1", "10.9.0.2", "silence", 4569)]),
        ("ucarp-1.5.2/c_1.21397", [("10.9.0.1", "10.9.0.2", "silence", 3993)]),
    ],
)
def test_each_hand_over_is_found_with_its_gap_and_cause(name, story):
    told = changes(recording(f"{name}.pcap"))
    assert told[0][0] is None
    assert told[1:] == story


@pytest.mark.parametrize(
    "name", ["freebsd-13.2/d_two_addrs_descending", "freebsd-15.1/d_two_addrs_descending"]
)
def test_an_added_address_resets_the_vhid(name):
    document = recording(f"{name}.pcap")
    assert ids(document) == ["interruption"]
    assert {one[2] for one in changes(document)[1:]} == {"restart"}
    assert document["vhids"][0]["authenticated"] == document["vhids"][0]["advertisements"]


def test_the_other_stories():
    assert ids(recording("freebsd-13.2/g_no_password.pcap")) == ["no-password"]
    assert ids(recording("freebsd-9.3/g-nopass.pcap")) == ["no-password"]
    assert ids(recording("openbsd-8.0beta/g-nopass.pcap")) == ["no-password"]
    assert ids(recording("freebsd-15.1/u1_one_side_unicast.pcap")) == ["unicast"]
    assert ids(recording("freebsd-15.1/k2_allow_1_0_1.pcap")) == ["interruption"]
    assert ids(recording("freebsd-13.2/k_state_backup_preempt0.pcap")) == [
        "short-dual-master",
        "interruption",
    ]
    assert ids(recording("ucarp-1.5.2/c_1.21397.pcap"), vhid=42)[0] == "short-dual-master"


def test_the_password_mismatch_is_named():
    document = recording("freebsd-13.2/m_password_mismatch.pcap")
    assert ids(document) == ["password-differs"]
    assert document["vhids"][0]["dual_master"][0]["open"] is True
    assert exit_status(document) == 1
    assert ids(recording("freebsd-13.2/m_password_mismatch.pcap", passwords=("pass4carp1",))) == [
        "foreign-speaker"
    ]


def test_allow_0_makes_a_deaf_backup():
    document = recording("freebsd-9.3/n1-allow0-pair.pcap")
    assert ids(document) == ["one-way-loss"]
    assert document["vhids"][0]["dual_master"][0]["ms"] == pytest.approx(19_491, abs=1)


def test_a_dual_stack_backup_that_hears_one_family_flaps():
    document = recording("openbsd-8.0beta/m7-mixed-peer-v4-only.pcap")
    assert ids(document) == ["family-filtered"]
    assert ids(document, family=6) == ["flapping"]


@pytest.mark.parametrize(
    ("name", "named"),
    [
        (
            "freebsd-9.3/l-bad-packets-v4-master",
            {
                "CARP-WIRE-002": 204,
                "CARP-WIRE-003": 204,
                "CARP-WIRE-004": 22,
                "CARP-WIRE-006": 129,
                "CARP-WIRE-007": 263,
                "CARP-WIRE-008": 40,
                "CARP-WIRE-011": 71,
                "CARP-WIRE-012": 98,
                "CARP-WIRE-013": 31,
                "CARP-WIRE-014": 129,
                "CARP-WIRE-016": 116,
            },
        ),
        (
            "openbsd-8.0beta/l-bad-packets-v4-master",
            {
                "CARP-WIRE-002": 35,
                "CARP-WIRE-004": 10,
                "CARP-WIRE-007": 48,
                "CARP-WIRE-008": 13,
                "CARP-WIRE-011": 56,
                "CARP-WIRE-013": 16,
                "CARP-WIRE-014": 21,
                "CARP-WIRE-016": 18,
            },
        ),
        (
            "freebsd-13.2/bad_packets_v4",
            {
                "CARP-WIRE-002": 899,
                "CARP-WIRE-004": 310,
                "CARP-WIRE-005": 1079,
                "CARP-WIRE-008": 377,
                "CARP-WIRE-011": 463,
                "CARP-WIRE-013": 440,
                "CARP-WIRE-014": 672,
                "CARP-WIRE-016": 566,
            },
        ),
    ],
)
def test_each_crafted_packet_is_found_and_named(name, named):
    document = recording(f"{name}.pcap")
    failed = {one["id"]: one["frames"][0] for one in document["requirements"] if one["verdict"] == "fail"}
    assert failed.items() >= named.items()
    found = ids(document)
    assert {
        "ttl-changed",
        "version-differs",
        "checksum-wrong",
        "length-wrong",
        "replay",
        "digest-wrong",
    } <= set(found)
    assert "one-address-differs" in found or name.startswith("freebsd-13")
    assert exit_status(document) == 1


def test_only_vrrp():
    document = recording("freebsd-15.1/kd1_freebsd100_keepalived200_preempt0.pcap")
    assert document["vhids"] == []
    assert [one["id"] for one in document["findings"]] == ["vrrp-neighbour"] * 2
    assert exit_status(document) == 3
    assert "no CARP advertisement was found" in summary_text(document)


def test_every_monitored_requirement_is_in_the_catalogue():
    assert [one for one in cover() if one not in load()] == []
    assert len(cover()) >= 40
    assert len({monitor.id for monitor in MONITORS}) == len(MONITORS)


def test_one_vhid_can_be_asked_for(tmp_path):
    path = write(tmp_path, Member().run(0, 5), Member(vhid=9).run(0.5, 5))
    assert [host["vhid"] for host in judge([path], vhid=9)["vhids"]] == [9]
    assert [host["vhid"] for host in judge([path])["vhids"]] == [1, 9]


def test_vlans_are_different_segments(tmp_path):
    tagged = [(time, frame[:12] + b"\x81\x00\x00\x07" + frame[12:]) for time, frame in Member().run(0.2, 5)]
    double = [(time, frame[:12] + b"\x88\xa8\x00\x09" + frame[12:]) for time, frame in tagged]
    document = judge([write(tmp_path, Member().run(0, 5), tagged, double)])
    assert [host["vlans"] for host in document["vhids"]] == [[], [7], [9, 7]]
    assert "VLAN 7" in summary_text(document)


def test_a_dialect_can_be_told(tmp_path):
    path = write(tmp_path, Member().run(0, 8))
    assert judge([path], dialect="freebsd")["vhids"][0]["speakers"][0]["dialect"] == [
        "freebsd-10",
        "freebsd-13",
        "freebsd-15",
    ]
    as_openbsd = {one["id"]: one["verdict"] for one in judge([path], dialect="openbsd")["requirements"]}
    assert as_openbsd["CARP-AUTH-026"] == "fail"
    as_ucarp = {one["id"]: one["verdict"] for one in judge([path], dialect="ucarp")["requirements"]}
    assert as_ucarp["CARP-WIRE-017"] == "fail"
    with pytest.raises(UnknownDialect):
        judge([path], dialect="cisco")


def test_two_captures_of_one_segment_are_one_history(tmp_path):
    frames = Member().run(0, 6)
    first = write(tmp_path, frames, name="first.pcap")
    second = write(tmp_path, [(time + MS, frame) for time, frame in frames], name="second.pcap")
    document = judge([first, second], passwords=("secret",), addresses=(VIP,))
    host = document["vhids"][0]
    assert (host["advertisements"], host["findings"]) == (6, [])
    assert host["handovers"][0]["capture"] == 0
    VALIDATOR.validate(document)
    split = judge(
        [write(tmp_path, frames[:3]), write(tmp_path, frames[3:], name="late.pcap")], passwords=("secret",)
    )
    assert len(split["vhids"][0]["handovers"]) == 1
    other = write(tmp_path, Member(source="192.0.2.12", password="x").run(0, 6), name="other.pcap")
    mixed = judge([first, other], passwords=("secret",), addresses=(VIP,))
    VALIDATOR.validate(mixed)
    assert set(mixed["vhids"][0]["findings"][0]["in"]) == {0, 1}


def test_exit_status_of_what_cannot_be_read(tmp_path):
    (tmp_path / "noise.pcap").write_bytes(random.Random(1).randbytes(5000))
    document = judge([tmp_path / "noise.pcap"])
    assert exit_status(document) == 2
    assert document["started"] == document["ended"]
    assert "</html>" in html(document)
    with pytest.raises(CaptureError):
        judge([tmp_path / "none.pcap"])
    with pytest.raises(ValueError, match="does not appear to be"):
        judge([tmp_path / "noise.pcap"], addresses=("everywhere",))


def test_a_snap_length_that_cuts_advertisements_is_told(tmp_path):
    (tmp_path / "cut.pcap").write_bytes(pcap(Member().run(0, 4), snaplen=60))
    document = judge([tmp_path / "cut.pcap"])
    assert document["vhids"] == []
    assert "4 advertisements were cut" in document["unreadable"][0]


def test_a_clock_that_steps_back(tmp_path):
    path = tmp_path / "step.pcap"
    early, late = pcap(Member().run(100, 5)), pcap(Member().run(0, 5, first=5))
    path.write_bytes(early + late[24:])
    document = judge([path], passwords=("secret",), addresses=(VIP,))
    assert document["vhids"][0]["authenticated"] == 10
    assert "went backwards 1 times" in document["unreadable"][0]
    assert document == judge([path], passwords=("secret",), addresses=(VIP,), exact=True)


def test_time_stamps_beyond_the_calendar():
    assert iso(10**30) == "1000000000000000000000.000000000 s"
    assert iso(START) == "2023-11-14T22:13:20.000000Z"


def test_hostile_names_cannot_drive_the_terminal(tmp_path):
    path = tmp_path / "x\x1b[31m<script>.pcap"
    path.write_bytes(pcap(Member().run(0, 2)))
    document = judge([path])
    assert "\x1b" not in summary_text(document)
    assert "<script>" not in html(document)


def test_too_many_virtual_hosts_are_left_out(tmp_path):
    frames = []
    for vlan in range(12):
        for vhid in range(1, 256):
            frame = Member(vhid=vhid).frame()
            frames.append((len(frames), frame[:12] + b"\x81\x00" + vlan.to_bytes(2, "big") + frame[12:]))
    document = judge([write(tmp_path, frames)])
    assert len(document["vhids"]) == 2048
    assert any("more virtual hosts than can be kept" in one for one in document["unreadable"])


def test_too_many_speakers_make_room(tmp_path):
    frames = [one for last in range(100) for one in Member(source=f"192.0.3.{last}").run(last * 0.01, 1)]
    document = judge([write(tmp_path, Member().run(0, 5), frames)])
    assert len(document["vhids"][0]["speakers"]) == 64
    assert document == judge([write(tmp_path, Member().run(0, 5), frames)], exact=True)


def test_a_trace_of_a_run_is_judged_like_a_capture():
    trace, session = Trace(), Session(Options(passwords=("secret",)))
    trace.listeners.append(session.feed)
    for time_ns, frame in [*Member().run(0, 8), Member().announcement(7.5)]:
        trace.add_frame(START + time_ns, frame)
    trace.add_frame(START + 9 * SECOND, Member(source="192.0.2.254", ttl=3).frame(50), sent=True)
    session.finish()
    session.finish()
    speakers = {str(one.source): one for one in session.hosts[(), 1].speakers()}
    assert speakers["192.0.2.11"].authentic == 8
    assert speakers["192.0.2.254"].tester


def test_random_and_constant_counters_take_the_first_pass(tmp_path):
    generator = random.Random(7)
    numbers = [generator.getrandbits(64) for _ in range(20)]
    lone = [(index * 1001 * MS, Member(counter=number).frame()) for index, number in enumerate(numbers)]
    wrapping = Member(vhid=2, counter=(1 << 64) - 10).run(0.1, 20)
    still = Member(vhid=3, step=0).run(0.2, 20)
    jumping = [*Member(vhid=4).run(0.3, 10), *Member(vhid=4, counter=77).run(10.31, 10)]
    six = Member(vhid=5, source="fe80::11", addresses=(VIP,), tos=0).run(0.4, 20)
    four = [
        (time, Member(vhid=6, counter=1000 + 2 * index).frame())
        for index, (time, _) in enumerate(Member().run(0.5, 20))
    ]
    both = [
        (time, Member(vhid=6, source="fe80::11", counter=1001 + 2 * index, tos=0).frame())
        for index, (time, _) in enumerate(Member().run(0.5001, 20))
    ]
    path = write(tmp_path, lone, wrapping, still, jumping, six, four, both)
    for options in ({"passwords": ("secret",), "addresses": (VIP,)}, {}, {"addresses": (VIP,)}):
        document = judge([path], **options)
        assert document == judge([path], **options, exact=True)
    verdicts = {
        one["id"]: one["verdict"]
        for one in judge([path], passwords=("secret",), addresses=(VIP,))["requirements"]
    }
    assert verdicts["CARP-AUTH-025"] == verdicts["CARP-AUTH-028"] == "pass"
    assert verdicts["CARP-AUTH-024"] == "fail"
