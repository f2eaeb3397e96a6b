"""Why two hosts stood as MASTER, and what a hand-over tells."""

from ipaddress import IPv4Address

from conformance.judge.diagnosis import why_two_masters
from conformance.judge.events import DualMaster
from conformance.judge.form import Ref
from conformance.judge.host import Family, Host
from conformance.judge.judge import html, judge, summary_text
from conformance.judge.ledger import Who
from conformance.judge.speaker import Speaker
from tests.judge.making import SECOND, VIP, Member, addresses, write

(V4,) = addresses("192.0.2.1")


class TestReasons:
    def test_the_other_family_is_no_reason_if_it_has_a_master_of_its_own(self, tmp_path):
        both = (VIP, "2001:db8::1")
        peer = Member(addresses=both, step=0)
        flapper = Member(source="192.0.2.12", advskew=100, addresses=both, step=0, counter=5)
        visits = [(index * 5 * SECOND + 4_600_000_000, flapper.frame()) for index in range(4)]
        twin = Member(source="fe80::12", advskew=100, addresses=both, step=0, counter=5, tos=0).run(
            4.60001, 12
        )
        path = write(tmp_path, peer.run(0, 22), visits, twin)
        host = judge([path], passwords=("secret",), addresses=both)["vhids"][0]
        assert host["findings"][0]["id"] == "deaf-backup"

    def test_the_better_one_gives_nothing_away(self, tmp_path):
        """OpenBSD's counter never moves, so only the other one's deafness shows."""
        worse = Member(source="192.0.2.12", advskew=100, counter=1 << 33)
        path = write(tmp_path, Member(step=0).run(0, 20), worse.run(3, 12))
        (found, *_) = judge([path], passwords=("secret",), addresses=(VIP,))["vhids"][0]["findings"]
        assert found["id"] == "deaf-backup"
        assert ", because" in found["text"]

    def test_only_the_oldest_of_those_that_wait_can_be_verified(self, tmp_path):
        """The address is announced after the password was changed to one that nobody told."""
        frames = (
            Member().run(0, 5),
            Member(password="untold").run(5.005, 5, first=5),
            [Member().announcement(11)],
        )
        host = judge([write(tmp_path, *frames)], passwords=("secret",))["vhids"][0]
        assert (host["authenticated"], host["mismatched"]) == (5, 5)

    def test_a_digest_that_fits_nothing(self):
        first, second = (Speaker(Who((), 1, IPv4Address(one))) for one in (VIP, "192.0.2.5"))
        second.mismatched = 3
        dual = DualMaster(Ref(0, 1), Ref(0, 9), 0, 9 * SECOND, first, second, None)
        reason = why_two_masters(Host((), 1), Family(4), dual)
        assert reason is not None
        assert (reason.id, reason.sure) == ("digest-unknown", False)

    def test_a_preempted_master_that_goes_on(self, tmp_path):
        worse, better = Member(source="192.0.2.12", advskew=100, step=0), Member(step=0)
        document = judge(
            [write(tmp_path, worse.run(0, 12), better.run(1.3926, 12))],
            passwords=("secret",),
            addresses=(VIP,),
        )
        assert document["vhids"][0]["findings"][0]["id"] == "deaf-backup"

    def test_a_short_overlap_after_preemption(self, tmp_path):
        worse, better = Member(source="192.0.2.12", advskew=100, step=0), Member(step=0, counter=5)
        frames = (worse.run(0, 4), better.run(2.7848, 12))
        document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=(VIP,))
        assert [one["cause"] for one in document["vhids"][0]["handovers"]] == ["start", "preemption"]
        assert document["vhids"][0]["findings"][0]["id"] == "short-dual-master"

    def test_a_long_overlap_after_preemption_breaks_a_requirement(self, tmp_path):
        worse, better = Member(source="192.0.2.12", advskew=100, step=0), Member(step=0)
        document = judge(
            [write(tmp_path, worse.run(0, 7), better.run(2.7848, 20))],
            passwords=("secret",),
            addresses=(VIP,),
        )
        failed = [one["id"] for one in document["requirements"] if one["verdict"] == "fail"]
        assert failed == ["CARP-PREEMPT-008"]

    def test_a_bow_out_that_nobody_follows_at_once(self, tmp_path):
        farewell = Member(advbase=255, advskew=255)
        frames = (
            Member().run(0, 3),
            [(2_500_000_000, farewell.frame(3))],
            Member(source="192.0.2.12", counter=1004).run(6, 3),
        )
        document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=(VIP,))
        assert {"id": "CARP-ELECT-014", "verdict": "inconclusive", "frames": [5]} in document["requirements"]
        assert document["vhids"][0]["handovers"][1]["cause"] == "bow-out"

    def test_a_bow_out_of_a_backup_changes_nothing(self, tmp_path):
        stray = Member(source="192.0.2.12", advbase=255, advskew=255)
        document = judge(
            [write(tmp_path, Member().run(0, 6), [(2_500_000_000, stray.frame(3))])], passwords=("secret",)
        )
        assert len(document["vhids"][0]["handovers"]) == 1

    def test_the_capture_ends_just_after_a_take_over(self, tmp_path):
        frames = (
            Member().run(0, 5),
            [(4_900_000_000, Member(source="192.0.2.12", advskew=9, counter=1005).frame())],
        )
        document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=(VIP,))
        assert [one["to"] for one in document["vhids"][0]["handovers"]] == ["192.0.2.11", "192.0.2.12"]


def test_addresses_given_that_differ(tmp_path):
    path = write(tmp_path, Member().run(0, 5), [Member().announcement(0.001)])
    document = judge([path], passwords=("secret",), addresses=(VIP, "192.0.2.99"))
    assert [one["id"] for one in document["vhids"][0]["findings"]] == ["addresses-given-differ"]


def test_crowds_are_told(tmp_path):
    frames = [one for last in range(80) for one in Member(source=f"192.0.3.{last}").run(last * 2, 1)]
    document = judge([write(tmp_path, frames)])
    assert html(document).count("<rect") > 60  # a row for each of the others
    assert "crowd" in [one["id"] for one in document["vhids"][0]["findings"]]
    assert "and " in summary_text(document)


def test_forms_without_end_are_bounded(tmp_path):
    frames = [(index, Member(tos=index % 256, advskew=index // 256 % 240).frame()) for index in range(8400)]
    path = write(tmp_path, frames)
    assert judge([path]) == judge([path], exact=True)
