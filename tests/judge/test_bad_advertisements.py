"""One fault of the advertisements a capture: `judge` names it first and says nothing false beside it."""

from dataclasses import replace

import pytest

from conformance.judge.judge import exit_status, judge
from tests.judge.making import MAC_A, MAC_B, MS, SECOND, VIP, write
from tests.judge.pair import START, A, B, only, story


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


def test_a_unicast_peer(tmp_path):
    alone = replace(A, destination="192.0.2.12", destination_mac=MAC_B, source_mac=MAC_A)
    ids, text, _ = story(tmp_path, alone.run(0, 10), START)
    assert ids == ["unicast"]
    assert "192.0.2.12 alone" in text


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


def test_a_speaker_that_had_to_make_room_takes_its_lane_along(tmp_path):
    """Both passes agree when the lanes of all speakers were forgotten on the way."""
    crowd = [(10 * SECOND + index, replace(B, source=f"192.0.3.{index}").frame()) for index in range(70)]
    path = write(tmp_path, A.run(0, 30), crowd)
    document = judge([path], passwords=("secret",), addresses=(VIP,))
    assert document == judge([path], passwords=("secret",), addresses=(VIP,), exact=True)
    assert document["vhids"][0]["advertisements"] > 60
