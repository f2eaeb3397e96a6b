"""One seeded fault a capture: ``judge`` names it first and says nothing false beside it."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from conformance.judge.judge import exit_status, judge
from conformance.wire.digest import AddressRule
from conformance.wire.frame import (
    ALL_NODES,
    ALL_NODES_MAC,
    BROADCAST_MAC,
    ETHERTYPE_IPV4,
    ArpOperation,
    NeighbourMessage,
    arp,
    ethernet,
    ipv4,
    neighbour,
    virtual_mac,
)
from tests.judge.making import MAC_A, MAC_B, MAC_C, MS, SECOND, VIP, Member, write

A = Member()
B = Member(source="192.0.2.12", advskew=100, counter=1 << 32)
TWO = (VIP, "192.0.2.5")
START = [A.announcement(0.001)]


def story(folder, *frames, **options):
    """The ids of the findings on vhid 1 over IPv4, the segment's last, and the document."""
    options.setdefault("passwords", ("secret", "other"))
    document = judge([write(folder, *frames)], **options)
    hosts = [host for host in document["vhids"] if (host["vhid"], host["family"]) == (1, 4)]
    findings = [one for host in hosts for one in host["findings"]] + document["findings"]
    return [one["id"] for one in findings], findings[0]["text"] if findings else "", document


def only(folder, *frames, **options):
    """The text of the only finding, after its id."""
    ids, text, _ = story(folder, *frames, **options)
    return [*ids, text]


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


def test_ttl_changed_on_the_way(tmp_path):
    ids, text, document = story(
        tmp_path, A.run(0, 20), START, replace(B, ttl=254).run(3, 12), [B.announcement(3.001)]
    )
    assert ids == ["ttl-changed"]
    assert "its TTL is 254 instead of 255" in text
    assert [one["verdict"] for one in document["requirements"] if one["id"] == "CARP-WIRE-004"] == ["fail"]


@pytest.mark.parametrize(("first", "name"), [({"version": 4}, "version-differs"), ({"vhid": 0}, "vhid-0")])
def test_refused_advertisements_are_named(tmp_path, first, name):
    odd = [(5 * SECOND + 1, B.frame(0, **first))]
    document = judge([write(tmp_path, A.run(0, 20), START, odd)], passwords=("secret",))
    assert [one["id"] for host in document["vhids"] for one in host["findings"]][:1] == [name]


def test_a_single_refused_advertisement_is_no_master(tmp_path):
    _, _, document = story(tmp_path, A.run(0, 20), START, [(5 * SECOND + 1, replace(B, ttl=1).frame())])
    assert document["vhids"][0]["dual_master"] == []


def test_wrong_checksum(tmp_path):
    frame = bytearray(B.frame())
    frame[40] ^= 1
    assert only(tmp_path, A.run(0, 9), START, [(5 * SECOND + 1, bytes(frame))])[0] == "checksum-wrong"


def test_dscp_changed_on_the_way(tmp_path):
    ids, text, _ = story(tmp_path, A.run(0, 10), START, replace(A, tos=0).run(10.01, 10, first=10))
    assert ids == ["dscp-changed"]
    assert "(0x00, 0x10)" in text


def test_a_physical_source_address(tmp_path):
    assert only(tmp_path, replace(A, source_mac=MAC_A).run(0, 10), START)[0] == "physical-mac"


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


def test_flapping_has_a_period(tmp_path):
    """A BACKUP that is MASTER for one advertisement every five seconds."""
    visits = [(index * 5 * SECOND + 4_500 * MS, B.frame(index)) for index in range(4)]
    ids, text, document = story(
        tmp_path, A.run(0, 22), START, visits, [B.announcement(index * 5 + 4.501) for index in range(4)]
    )
    assert document["vhids"][0]["flapping"] == [{"source": "192.0.2.12", "times": 4, "period_ms": 5000.0}]
    assert "becomes master about every 5.0 s, 4 times" in text
    assert len(ids) == 1


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


def test_mastership_that_goes_back_and_forth(tmp_path):
    a, b, number = [], [], 0
    for turn in range(4):
        for index in range(3):
            a.append(((turn * 14 + index) * SECOND, replace(A, counter=number).frame()))
            b.append(
                ((turn * 14 + 7 + index) * SECOND, replace(B, advskew=0, counter=number + 3).frame(index))
            )
            number += 1
    told = [A.announcement(turn * 7 + 0.001) for turn in range(8)]
    ids, text, _ = story(tmp_path, a, b, told)
    assert ids[0] == "flapping"
    assert "192.0.2.11 and 192.0.2.12 become master again and again" in text


def test_a_take_over_without_an_announcement(tmp_path):
    follower = replace(B, counter=1020)
    ids, _, document = story(tmp_path, A.run(0, 20), START, follower.run(23.4, 5))
    assert ids == ["no-announcement"]
    assert {"id": "CARP-ARP-001", "verdict": "fail", "frames": [22]} in document["requirements"]


def test_an_address_conflict(tmp_path):
    vip = IPv4Address(VIP)
    foreign = arp(ArpOperation.REPLY, MAC_C, vip, MAC_A, IPv4Address("192.0.2.99"), destination_mac=MAC_A)
    ids, text, document = story(tmp_path, A.run(0, 10), START, [(5 * SECOND + 1, foreign)])
    assert ids == ["address-conflict"]
    assert "02:00:00:00:00:0c claims the shared address 192.0.2.1 of vhid 1" in text
    assert exit_status(document) == 1


def test_an_ipv6_address_conflict(tmp_path):
    shared = IPv6Address("2001:db8::1")
    member = replace(A, source="fe80::11", addresses=("2001:db8::1",), tos=0)
    source = IPv6Address("fe80::99")
    made = [
        (
            round(at * SECOND),
            neighbour(
                NeighbourMessage.ADVERTISEMENT,
                shared,
                mac,
                source=source,
                destination=ALL_NODES,
                source_mac=mac,
                destination_mac=ALL_NODES_MAC,
                flags=0x20,
            ),
        )
        for at, mac in ((0.001, virtual_mac(1)), (5.1, MAC_C))
    ]
    document = judge([write(tmp_path, member.run(0, 10), made)], passwords=("secret",))
    assert [one["id"] for one in document["findings"]] == ["address-conflict"]
    assert document["vhids"][0]["authenticated"] == 10
    verdicts = {one["id"]: one["verdict"] for one in document["requirements"]}
    assert verdicts["CARP-ND-002"] == verdicts["CARP-ND-003"] == "pass"


def test_a_backup_that_answers_the_announcement(tmp_path):
    vip = IPv4Address(VIP)
    answer = arp(ArpOperation.REPLY, MAC_B, vip, virtual_mac(1), vip, destination_mac=MAC_A)
    assert only(tmp_path, A.run(0, 10), START, [(2 * MS, answer)])[0] == "backup-answers-arp"


def test_clients_that_still_use_the_former_master(tmp_path):
    ucarp_mac = bytes.fromhex("00005e000001")
    first, second = replace(A, source_mac=ucarp_mac), replace(B, source_mac=ucarp_mac, counter=1010)
    client = ethernet(
        MAC_A, MAC_C, ETHERTYPE_IPV4, ipv4(IPv4Address("192.0.2.99"), IPv4Address(VIP), b"ping", protocol=1)
    )
    frames = (first.run(0, 10), [first.announcement(-0.001 + 0.001, mac=MAC_A)], second.run(14, 6))
    told = [second.announcement(13.999, mac=MAC_B)]
    ids, text, _ = story(tmp_path, *frames, told, [(16 * SECOND, client)])
    assert ids == ["stale-clients"]
    assert "to 02:00:00:00:00:0a although 02:00:00:00:00:0b announced it" in text
    early = story(tmp_path, *frames, told, [(9 * SECOND, client), (14_500 * MS, client)])
    assert early[0] == []


def test_a_vrrp_router_with_the_same_number(tmp_path):
    packet = bytes.fromhex("3101640100640000c0000201")
    frame = ethernet(
        virtual_mac(1),
        virtual_mac(1),
        ETHERTYPE_IPV4,
        ipv4(IPv4Address("192.0.2.9"), IPv4Address("224.0.0.18"), packet),
    )
    other = bytearray(packet)
    other[1] = 9
    neighbour_frame = ethernet(
        virtual_mac(9),
        virtual_mac(9),
        ETHERTYPE_IPV4,
        ipv4(IPv4Address("192.0.2.9"), IPv4Address("224.0.0.18"), bytes(other)),
    )
    found = only(
        tmp_path,
        A.run(0, 10),
        START,
        [(SECOND + 1, frame), (2 * SECOND + 1, frame), (3 * SECOND, neighbour_frame)],
    )
    assert found[:2] == ["vrrp-same-id", "vrrp-neighbour"]
    assert "VRRPv3 router 192.0.2.9 uses vrid 1 (2 packets)" in found[2]


def test_a_loop(tmp_path):
    back = [(time + 2 * MS, frame) for time, frame in A.run(0, 3)]
    ids, _, document = story(tmp_path, A.run(0, 10), START, back)
    assert ids == ["echo"]
    assert document["vhids"][0]["advertisements"] == 10


def test_a_replay(tmp_path):
    stolen = [(4_300 * MS, replace(A, source="192.0.2.66").frame(4))]
    ids, _, _ = story(tmp_path, A.run(0, 10), START, stolen)
    assert "replay" in ids


def test_an_interval_that_is_not_kept(tmp_path):
    hasty = [(index * 500 * MS, A.frame(index)) for index in range(12)]
    assert only(tmp_path, hasty, START)[0] == "interval-wrong"
    slow = [(index * 1_400 * MS, A.frame(index)) for index in range(12)]
    found = only(tmp_path, slow, START)
    assert found[0] == "interval-wrong"
    assert "the mean spacing is 1.400 s" in found[-1]


def test_lost_advertisements(tmp_path):
    some = [one for index, one in enumerate(A.run(0, 20)) if index not in (5, 11, 12)]
    ids, text, document = story(tmp_path, some, START)
    assert ids == ["lost-advertisements", "interruption"]
    assert text.startswith("1 advertisements of 192.0.2.11 are missing")
    assert exit_status(document) == 0


def test_an_interruption(tmp_path):
    ids, text, document = story(tmp_path, A.run(0, 5), START, A.run(9, 5, first=5))
    assert ids == ["interruption"]
    assert "no master for 5.0 s before" in text
    assert document["vhids"][0]["handovers"][1]["cause"] == "restart"


def test_a_backup_that_sends_from_the_virtual_mac(tmp_path):
    follower = replace(B, counter=1020)
    packet = ipv4(IPv4Address("192.0.2.11"), IPv4Address("198.51.100.1"), b"x", protocol=17)
    stray = [(26 * SECOND, ethernet(BROADCAST_MAC, virtual_mac(1), ETHERTYPE_IPV4, packet))]
    request = arp(
        ArpOperation.REQUEST, virtual_mac(1), IPv4Address("192.0.2.11"), bytes(6), IPv4Address("192.0.2.99")
    )
    told = [follower.announcement(23.401)]
    for frames in (stray, [(26 * SECOND, request)]):
        assert story(tmp_path, A.run(0, 20), START, follower.run(23.4, 5), told, frames)[0] == [
            "virtual-mac-from-backup"
        ]
    assert story(tmp_path, A.run(0, 20), START, [(5 * SECOND, stray[0][1])])[0] == []


def test_a_unicast_peer(tmp_path):
    alone = replace(A, destination="192.0.2.12", destination_mac=MAC_B, source_mac=MAC_A)
    ids, text, _ = story(tmp_path, alone.run(0, 10), START)
    assert ids == ["unicast"]
    assert "192.0.2.12 alone" in text


def test_a_demotion_hands_over(tmp_path):
    demoted = replace(A, advskew=240)
    follower = replace(B, counter=1011)
    frames = (
        A.run(0, 10),
        START,
        [(9_300 * MS, demoted.frame(10))],
        follower.run(9.302, 9),
        [B.announcement(9.303)],
    )
    ids, _, document = story(tmp_path, *frames)
    assert ids == []
    assert [one["cause"] for one in document["vhids"][0]["handovers"]] == ["start", "demotion"]


@pytest.mark.parametrize(
    ("first", "second", "at", "cause"),
    [
        (B, A, 7.0, "preemption"),
        (B, A, 7.5, "better-advertisement"),
        (A, replace(A, source="192.0.2.12"), 5.5, "equal-advertisement"),
        (A, B, 5.5, "other"),
        (replace(A, demote=1), B, 5.01, "demotion"),
    ],
)
def test_causes_of_a_hand_over(tmp_path, first, second, at, cause):
    """The first one falls silent as soon as the second speaks."""
    before = [one for one in first.run(0, 20) if one[0] < at * SECOND]
    after = replace(second, counter=1000 + len(before)).run(at, 8)
    document = judge([write(tmp_path, before, after)], passwords=("secret",), addresses=(VIP,))
    assert document["vhids"][0]["handovers"][1]["cause"] == cause


def test_a_bow_out(tmp_path):
    farewell = replace(A, advbase=255, advskew=255)
    frames = (A.run(0, 5), [(4_700 * MS, farewell.frame(5))], replace(B, counter=1006).run(4.702, 5))
    document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=(VIP,))
    assert document["vhids"][0]["handovers"][1] | {"time": "", "frame": 0} == {
        "frame": 0,
        "time": "",
        "from": "192.0.2.11",
        "to": "192.0.2.12",
        "gap_ms": 2.0,
        "cause": "bow-out",
    }
    assert [one["verdict"] for one in document["requirements"] if one["id"] == "CARP-ELECT-014"] == ["pass"]


def test_a_host_that_is_set_back_in_time_is_master_all_the_same(tmp_path):
    """A snapshot of its machine says again what it had said; the second time in its rhythm it stands."""
    ids, _, document = story(tmp_path, A.run(0, 12), START, A.run(18, 12, first=5))
    assert ids == ["replay", "interruption"]
    assert document["vhids"][0]["masters"][0]["source"] == "192.0.2.11"
    assert document["vhids"][0]["speakers"][0]["last"] == "2023-11-14T22:13:49.011000Z"


@pytest.mark.parametrize("counter", [77, 1011, 1013])
def test_a_counter_that_jumps_between_two_advertisements_in_time(tmp_path, counter):
    """Nobody else was heard: 1012 would have been the next one. To be restarted takes longer."""
    after = replace(A, counter=counter)
    ids, text, document = story(tmp_path, A.run(0, 12), START, after.run(12.012, 6))
    assert ids == ["counter-wrong"]
    assert "192.0.2.11 does not count as it should: the counter did not go on by one" in text
    assert {"id": "CARP-AUTH-024", "verdict": "fail", "frames": [14]} in document["requirements"]


@pytest.mark.parametrize("between", ["a cut frame", "a stranger", "a pause", "a change"])
def test_a_counter_that_jumps_is_left_open_where_something_else_may_explain_it(tmp_path, between):
    """Somebody may have been heard of whom the capture does not tell enough, or the host was set up anew."""
    at, more, after = 12.012, [], replace(A, counter=77)
    if between == "a stranger":
        more = [(11_500 * MS, replace(B, password="unknown").frame())]
    elif between == "a pause":
        at = 17.0
    elif between == "a change":
        after = replace(after, advskew=1)
    path = write(tmp_path, A.run(0, 12), START, more, after.run(at, 6))
    if between == "a cut frame":
        data, head = path.read_bytes(), 24 + 11 * 86 + 58
        cut = data[head : head + 8] + (60).to_bytes(4, "little") + data[head + 12 : head + 76]
        path.write_bytes(data[: head + 86] + cut + data[head + 86 :])
    document = judge([path], passwords=("secret",), addresses=(VIP,))
    assert (between == "a cut frame") == any("were cut" in one for one in document["unreadable"])
    verdicts = {one["id"]: one["verdict"] for one in document["requirements"]}
    assert verdicts["CARP-AUTH-024"] == "inconclusive"
    assert "counter-wrong" not in [one["id"] for one in document["vhids"][0]["findings"]]


def test_a_password_that_was_mended_later(tmp_path):
    """Both believe each other at the end of the capture; what was wrong before is told all the same."""
    mended = replace(B, counter=1 << 40)
    frames = (A.run(0, 20), START, replace(B, password="other").run(3, 12), mended.run(30, 5))
    ids, text, _ = story(tmp_path, *frames, [B.announcement(3.001), B.announcement(30.001)])
    assert ids[0] == "password-differs"
    assert "192.0.2.11 did not believe 192.0.2.12" in text


def test_a_speaker_that_had_to_make_room_takes_its_lane_along(tmp_path):
    """Both passes agree when the lanes of all speakers were forgotten on the way."""
    crowd = [(10 * SECOND + index, replace(B, source=f"192.0.3.{index}").frame()) for index in range(70)]
    path = write(tmp_path, A.run(0, 30), crowd)
    document = judge([path], passwords=("secret",), addresses=(VIP,))
    assert document == judge([path], passwords=("secret",), addresses=(VIP,), exact=True)
    assert document["vhids"][0]["advertisements"] > 60


def test_two_that_start_together_have_not_heard_each_other(tmp_path):
    """Their first advertisements cross on the way; the better one was not told anything that it could count on from."""
    better = replace(A, counter=9_000)
    path = write(tmp_path, replace(B, advskew=1).run(0, 2), better.run(0.000_1, 6))
    document = judge([path], passwords=("secret",), addresses=(VIP,))
    assert document["vhids"][0]["handovers"][-1]["cause"] == "preemption"
    assert "counter-wrong" not in [one["id"] for one in document["vhids"][0]["findings"]]
