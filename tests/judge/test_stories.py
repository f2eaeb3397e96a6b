"""What the README of each folder of recordings tells, ``judge`` tells too: with passwords and addresses, and nothing else."""

import pytest

from conformance.judge.judge import judge, summary_text
from tests.judge.making import FIXTURES, PASSWORDS, addresses

SHARED = addresses("192.0.2.1", "2001:db8::1")

STORIES = [
    ("freebsd-9.3/k1-down-carp1-master", "192.0.2.21 again: it had said good-bye (255/255)"),
    ("openbsd-8.0beta/k1-down-carp0-master", "192.0.2.21 again: it had said good-bye (255/255)"),
    ("freebsd-9.3/S2-ref-preempt0-ext-link-off.br-carp2", "advbase 1 advskew 50 (also 1/240)"),
    ("freebsd-9.3/S1-ref-preempt1-ext-link-off.br-carp2", "192.168.10.2 -> 192.168.10.3 (demotion after 2 ms"),
    ("freebsd-13.2/j_demotion_preempt0", "advbase 1 advskew 0 (also 1/50, 1/240)"),
    ("freebsd-15.1/j_demotion_preempt0", "advbase 1 advskew 0 (also 1/50, 1/240)"),
    ("freebsd-9.3/l-loglevels-statechanges", "192.0.2.21 and 192.0.2.22 become master again and again"),
    ("freebsd-9.3/n1-allow0-pair", "192.0.2.22 does not take in the better advertisements of 192.0.2.21"),
    ("freebsd-9.3/g-nopass", "192.0.2.21 has no password set"),
    ("freebsd-13.2/m_password_mismatch", "the digest of 192.0.2.12 is made with password 3 of those given"),
    ("freebsd-13.2/d_two_addrs_descending", "(2 times), then 192.0.2.11 again: its vhid was reset"),
    ("freebsd-13.2/i2_linkloss_preempt0", "192.0.2.11 -> 192.0.2.12 (silence after 3434 ms"),
    ("freebsd-13.2/ifconfig_cases", "the type of service of 192.0.2.11's advertisements changes (0x00, 0xb8, 0xe0)"),
    ("freebsd-15.1/k2_allow_1_0_1", "(3 times), then 192.0.2.11 again"),
    ("freebsd-15.1/u1_one_side_unicast", "192.0.2.11 sends to 192.0.2.12 alone (unicast peer)"),
    ("openbsd-8.0beta/m7-mixed-peer-v4-only", "192.0.2.22 is heard over IPv4 only, while 192.0.2.21 also speaks IPv6"),
    ("openbsd-8.0beta/j1-demote-single", "advbase 1 advskew 0, demote up to 255, every"),
    ("openbsd-8.0beta/i4-pair-preempt1-carpdown", "192.0.2.21 -> 192.0.2.22 (bow-out after 2 ms"),
    ("ucarp-1.5.2/c_50.10795", "two masters for 380 ms"),
    ("ucarp-1.5.2/cap", "10.9.0.1 -> 10.9.0.2 (silence after 5166 ms"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"), STORIES, ids=lambda value: value if "/" in value and " " not in value else ""
)
def test_the_story_of_its_readme(name, words):
    assert words in summary_text(judge([FIXTURES / f"{name}.pcap"], passwords=PASSWORDS))


@pytest.mark.parametrize("name", ["e-v6", "f-mixed"])
def test_addresses_that_no_neighbour_advertisement_tells(name):
    """FreeBSD 9.3 puts no unsolicited neighbour advertisement on the wire: its IPv6 addresses have to be given."""
    path = FIXTURES / "freebsd-9.3" / f"{name}.pcap"
    (unknown, *_) = judge([path], passwords=PASSWORDS)["vhids"][0]["findings"]
    assert unknown["id"] == "digest-unverified"
    given = SHARED[1:] if name == "e-v6" else SHARED
    for host in judge([path], passwords=PASSWORDS, addresses=given)["vhids"]:
        assert (host["authenticated"], host["findings"]) == (host["advertisements"], [])


def test_a_host_that_is_ordered_about_keeps_its_interval_all_the_same():
    """States were requested between its advertisements; that some of them are apart is no fault of its timer."""
    document = judge([FIXTURES / "freebsd-9.3" / "l-loglevels-statechanges.pcap"], passwords=PASSWORDS)
    verdicts = {one["id"]: one["verdict"] for one in document["requirements"]}
    assert verdicts["CARP-TIMER-001"] == "inconclusive"
    assert "interval-wrong" not in [one["id"] for host in document["vhids"] for one in host["findings"]]


def test_a_constant_counter_is_no_replay_where_somebody_forges_the_source():
    """Crafted advertisements from the MASTER's own address lie between its own, which all have the counter of before."""
    document = judge([FIXTURES / "openbsd-8.0beta" / "l-bad-packets-v4-master.pcap"], passwords=PASSWORDS)
    (replay,) = [one for host in document["vhids"] for one in host["findings"] if one["id"] == "replay"]
    assert replay["frames"] == [29]  # this one is crafted: it comes from the other host
