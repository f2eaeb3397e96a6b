"""Two masters at once: `judge` names why first, and says nothing false beside it."""

from dataclasses import replace

import pytest

from conformance.judge.judge import exit_status, judge
from conformance.wire.digest import AddressRule
from tests.judge.making import MAC_C, MS, SECOND, VIP, Member, write
from tests.judge.pair import START, TWO, A, B, only, story


def test_a_healthy_pair_gives_nothing_to_say(tmp_path):
    follower = replace(B, counter=1020)
    ids, _, document = story(
        tmp_path, A.run(0, 20), START, follower.run(23.4, 5), [follower.announcement(23.401)]
    )
    assert ids == []
    assert exit_status(document) == 0
    assert document["vhids"][0]["handovers"][1] | {"time": ""} == {
        "frame": 22,
        "time": "",
        "from": "192.0.2.11",
        "to": "192.0.2.12",
        "gap_ms": 4381.0,
        "cause": "silence",
    }


@pytest.mark.parametrize(
    ("other", "name", "words"),
    [
        (replace(B, password="other"), "password-differs", "is made with password 2 of those given"),
        (replace(B, password="third"), "foreign-speaker", "fits no password and address set"),
        (replace(B, addresses=TWO), "one-address-differs", "covers 192.0.2.5 too"),
        (replace(B, addresses=("192.0.2.7", "192.0.2.8")), "addresses-differ", "lacks 192.0.2.1"),
        (
            replace(B, addresses=(VIP, "fe80::1")),
            "link-local-context",
            "one side hashes link-local addresses",
        ),
        (replace(B, password="", addresses=(VIP,)), "password-differs", "is made with no password"),
        (replace(B, lladdr=MAC_C, source_mac=MAC_C), "lladdr-differs", "OpenBSD lladdr"),
    ],
)
def test_split_brain_by_digest(tmp_path, other, name, words):
    seen = [other.announcement(3.001, address) for address in other.addresses if ":" not in address]
    hint = {"addresses": (VIP, "fe80::1")} if "fe80::1" in other.addresses else {}
    ids, text, document = story(tmp_path, A.run(0, 20), START, other.run(3, 12), seen, **hint)
    assert ids[0] == name
    assert words in text
    assert "two masters, 192.0.2.11" in text
    assert exit_status(document) == 1
    assert set(ids) <= {name, "no-password", "breaks-wire-016", "physical-mac", "addresses-given-differ"}


def test_one_address_too_many_is_found_though_nobody_announced_it(tmp_path):
    ids, text, _ = story(tmp_path, A.run(0, 20), START, replace(B, addresses=TWO).run(3, 12))
    assert (ids, "covers 192.0.2.5 too" in text) == (["one-address-differs", "no-announcement"], True)


def test_the_order_of_configuration(tmp_path):
    ours = replace(A, addresses=TWO)
    theirs = replace(B, addresses=TWO[::-1], rule=AddressRule.CONFIGURED)
    told = [ours.announcement(0.001, address) for address in TWO]
    ids, text, _ = story(tmp_path, ours.run(0, 20), told, theirs.run(3, 12), [theirs.announcement(3.001)])
    assert ids[0] == "address-order"
    assert "in the order of configuration" in text


def test_the_tail_of_an_old_password(tmp_path):
    key = b"other\0_password"
    theirs = replace(B, password=key)
    frames = (A.run(0, 20), START, theirs.run(3, 12), [theirs.announcement(3.001)])
    ids, _, document = story(tmp_path, *frames, passwords=("secret", "other", "long_i_password"))
    assert ids == ["password-differs", "key-remainder"]
    assert "long_i_password" not in str(document)


def test_all_twenty_bytes_of_a_password(tmp_path):
    long = "12345678901234567890"
    lone = Member(password=long)
    document = judge([write(tmp_path, lone.run(0, 5), START)], passwords=(long,))
    assert document["vhids"][0]["authenticated"] == 5  # the tool cuts at 19, and so does judge


def test_one_way_loss_shows_in_the_counters(tmp_path):
    """A hears B and counts on from B's number; B goes on by itself."""
    better, worse, number = [], [], 5000
    for index in range(12):
        number += 1
        better.append((index * SECOND, replace(A, counter=number).frame()))
        if index >= 4:
            number = 9000 + index
            worse.append((index * SECOND + 400 * MS, replace(B, counter=number).frame()))
    ids, text, _ = story(tmp_path, better, START, worse, [B.announcement(4.401)])
    assert ids == ["one-way-loss"]
    assert "because 192.0.2.12 does not take in the better advertisements of 192.0.2.11" in text


def test_neither_hears_the_other(tmp_path):
    assert story(tmp_path, A.run(0, 20), START, B.run(4, 12), [B.announcement(4.001)])[0] == ["no-hearing"]


def test_a_deaf_backup_with_constant_counters(tmp_path):
    still, other = replace(A, step=0), replace(B, step=0)
    ids, text, _ = story(tmp_path, still.run(0, 20), START, other.run(4, 12), [B.announcement(4.001)])
    assert ids == ["deaf-backup"]
    assert "probably because 192.0.2.12 does not yield" in text


def test_a_tie(tmp_path):
    twin = replace(A, source="192.0.2.12", counter=1 << 40)
    ids, text, _ = story(tmp_path, A.run(0, 20), START, twin.run(3.3, 12), [A.announcement(3.301)])
    assert ids[0] == "tie"
    assert "neither yields to an equal" in text


def test_equal_timers_are_told_before_they_hurt(tmp_path):
    twin = replace(A, source="192.0.2.12", counter=1010)
    ids, text, _ = story(tmp_path, A.run(0, 10), START, twin.run(12.1, 10), [A.announcement(12.101)])
    assert ids == ["equal-timers"]
    assert "192.0.2.11 and 192.0.2.12" in text


def test_without_a_password_two_masters_are_still_told(tmp_path):
    ids, _, document = story(tmp_path, A.run(0, 20), START, replace(B, password="x").run(3, 12), passwords=())
    assert ids[0] in ("no-hearing-or-belief", "deaf-backup")
    assert document["vhids"][0]["authenticated"] == 0


def test_no_password_is_set(tmp_path):
    assert only(tmp_path, replace(A, password="").run(0, 10), START)[0] == "no-password"


def test_an_unknown_password(tmp_path):
    ids, text, document = story(tmp_path, replace(A, password="nobody knows").run(0, 10), START)
    assert ids == ["digest-unverified"]
    assert "known addresses: 192.0.2.1" in text
    assert exit_status(document) == 0


def test_a_digest_that_does_not_fit_the_addresses_given(tmp_path):
    ids, _, document = story(tmp_path, replace(A, password="nobody knows").run(0, 10), addresses=(VIP,))
    assert ids == ["foreign-speaker"]
    assert document["vhids"][0]["mismatched"] == 10


def test_one_family_filtered(tmp_path):
    """The peer's IPv6 advertisements are lost: a BACKUP with both families is MASTER every five seconds."""
    both = (VIP, "2001:db8::1")
    peer, flapper = replace(A, addresses=both, step=0), replace(B, addresses=both, step=0)
    twin = replace(flapper, source="fe80::12", tos=0)
    at = [index * 5 * SECOND + 4_600 * MS for index in range(4)]
    visits = [(time, flapper.frame()) for time in at] + [(time + 50_000, twin.frame()) for time in at]
    ids, text, _ = story(
        tmp_path,
        peer.run(0, 22),
        START,
        visits,
        [B.announcement(index * 5 + 4.6001) for index in range(4)],
        addresses=both,
    )
    assert ids == ["family-filtered"]
    assert "192.0.2.11 is heard over IPv4 only" in text


def test_a_password_that_was_mended_later(tmp_path):
    """Both believe each other at the end of the capture; what was wrong before is told all the same."""
    mended = replace(B, counter=1 << 40)
    frames = (A.run(0, 20), START, replace(B, password="other").run(3, 12), mended.run(30, 5))
    ids, text, _ = story(tmp_path, *frames, [B.announcement(3.001), B.announcement(30.001)])
    assert ids[0] == "password-differs"
    assert "192.0.2.11 did not believe 192.0.2.12" in text


def test_two_that_start_together_have_not_heard_each_other(tmp_path):
    """Their first advertisements cross on the way; the better one was not told anything that it could count on from."""
    better = replace(A, counter=9_000)
    path = write(tmp_path, replace(B, advskew=1).run(0, 2), better.run(0.000_1, 6))
    document = judge([path], passwords=("secret",), addresses=(VIP,))
    assert document["vhids"][0]["handovers"][-1]["cause"] == "preemption"
    assert "counter-wrong" not in [one["id"] for one in document["vhids"][0]["findings"]]
