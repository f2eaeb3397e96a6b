"""VRRP routers beside CARP: who of them was MASTER when, from real captures and made ones."""

from ipaddress import IPv4Address

import pytest

from conformance.judge.form import Ref
from conformance.judge.judge import html, judge, summary_text
from conformance.judge.monitors import neighbours
from conformance.wire.frame import (
    ETHERTYPE_IPV4,
    GROUP_IPV4,
    GROUP_MAC_IPV4,
    decode,
    ethernet,
    ipv4,
    virtual_mac,
)
from tests.judge.making import FIXTURES, MS, SECOND, Member, write

F, K = "192.0.2.11", "192.0.2.13"


def packet(source, priority, *, vrid=1, interval=100):
    """A frame with a VRRPv3 packet without addresses; its checksum is nobody's concern here."""
    body = bytes((0x31, vrid, priority, 0)) + interval.to_bytes(2, "big") + bytes(2)
    return ethernet(
        GROUP_MAC_IPV4, virtual_mac(vrid), ETHERTYPE_IPV4, ipv4(IPv4Address(source), GROUP_IPV4, body)
    )


def run(source, priority, start, count):
    """``count`` packets a second from ``start`` milliseconds on."""
    return [(start * MS + index * SECOND, packet(source, priority)) for index in range(count)]


def told(folder, *frames):
    """The election of vrid 1 on a made capture."""
    return judge([write(folder, *frames)])["vrrp"][0]


def changes(election):
    """Its hand-overs: from, to, cause, gap in milliseconds."""
    return [
        (one["from"], one["to"], one["cause"], None if one["gap_ms"] is None else round(one["gap_ms"]))
        for one in election["handovers"]
    ]


@pytest.mark.parametrize(
    ("name", "story"),
    [
        (
            "kd1_freebsd100_keepalived200_preempt0",
            [
                (F, K, "better-advertisement", 572),
                (K, F, "bow-out", 3628),  # keepalived's priority 0 does not hurry FreeBSD with preempt=0
                (F, K, "better-advertisement", 771),
                (K, F, "silence", 3773),
                (F, K, "better-advertisement", 469),
            ],
        ),
        (
            "kd2_freebsd200_keepalived100_preempt0",
            [
                (F, K, "silence", 3610),
                (K, F, "better-advertisement", 511),
                (F, K, "silence", 3610),
                (K, F, "better-advertisement", 278),
                (F, K, "silence", 3621),
            ],
        ),
        ("kd5_equal100_keepalived_address_lower_freebsd_first", []),
        (
            "kd5_equal100_keepalived_address_lower_keepalived_first",
            [("192.0.2.9", F, "equal-advertisement", 317)],
        ),
    ],
)
def test_freebsd_against_keepalived(name, story):
    document = judge([FIXTURES / "freebsd-15.1" / f"{name}.pcap"])
    (election,) = document["vrrp"]
    assert changes(election)[0][2] == "start"
    assert changes(election)[1:] == story
    text = summary_text(document)
    assert f"VRRP vrid 1 over IPv4: {election['packets']} packets" in text
    assert "VRRPv3 priority 100 every 1.000 s" in text
    assert "VRRP vrid 1 over IPv4" in html(document)
    assert document["started"] < document["ended"]


@pytest.mark.parametrize(
    ("name", "version", "priority", "interval"),
    [
        ("v2-ipv4-priority200", 2, 200, 1000),
        ("v3-ipv4-priority200", 3, 200, 1000),
        ("v3-ipv6-interval50", 3, 150, 500),
    ],
)
def test_what_keepalived_announces(name, version, priority, interval):
    (election,) = judge([FIXTURES / "keepalived" / f"{name}.pcap"])["vrrp"]
    (router,) = election["routers"]
    assert (router["version"], router["priority"], router["interval_ms"]) == (version, priority, interval)
    assert election["masters"] == []  # it gave up with priority 0


def test_priority_0_hands_over(tmp_path):
    frames = (run(K, 200, 0, 4), [(3_400 * MS, packet(K, 0))], run(F, 100, 4_009, 3))
    assert changes(told(tmp_path, *frames)) == [(None, K, "start", None), (K, F, "bow-out", 609)]


def test_two_masters_side_by_side(tmp_path):
    election = told(tmp_path, run(K, 200, 0, 8), run(F, 100, 2_500, 5))
    (dual,) = election["dual_master"]
    assert dual["masters"] == [K, F]
    assert dual["ms"] == pytest.approx(4_500, abs=1000)
    assert dual["open"]


def test_it_shares_a_capture_with_carp(tmp_path):
    document = judge([write(tmp_path, Member(vhid=1).run(0, 5), run(K, 200, 100, 5))], passwords=("secret",))
    assert [one["id"] for one in document["findings"]] == ["vrrp-same-id"]
    assert document == judge(document["captures"], passwords=("secret",), exact=True)


def test_what_is_remembered_is_bounded():
    elections = {}
    for number in range(400):
        neighbours.heard(
            elections, decode(packet(f"192.0.{number // 256}.{number % 256}", 100)), Ref(0, 1), 0
        )
    assert len(elections[(), 1, 4].routers) == 256
    for vlan in range(400):
        tagged = packet(K, 100)[:12] + b"\x81\x00" + vlan.to_bytes(2, "big") + packet(K, 100)[12:]
        neighbours.heard(elections, decode(tagged), Ref(0, 1), 0)
    assert len(elections) == 256
    neighbours.heard(elections, decode(b""), Ref(0, 1), 0)
    assert len(elections) == 256
