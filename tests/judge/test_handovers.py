"""Hand-overs and who says what about the shared addresses: causes, announcements, conflicts, stale clients."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from conformance.judge.judge import exit_status, judge
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
from tests.judge.making import MAC_A, MAC_B, MAC_C, MS, SECOND, VIP, write
from tests.judge.pair import START, A, B, only, story


def test_flapping_has_a_period(tmp_path):
    """A BACKUP that is MASTER for one advertisement every five seconds."""
    visits = [(index * 5 * SECOND + 4_500 * MS, B.frame(index)) for index in range(4)]
    ids, text, document = story(
        tmp_path, A.run(0, 22), START, visits, [B.announcement(index * 5 + 4.501) for index in range(4)]
    )
    assert document["vhids"][0]["flapping"] == [{"source": "192.0.2.12", "times": 4, "period_ms": 5000.0}]
    assert "becomes master about every 5.0 s, 4 times" in text
    assert len(ids) == 1


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
