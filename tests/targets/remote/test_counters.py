"""netstat's counters, read: proven on what real machines printed."""

from __future__ import annotations

import pytest

from conformance.targets.remote.counters import FIELDS, NoCounters, read_json, read_struct, read_text
from tests.targets.remote.transcripts import FOLDER, everywhere

TEXTS = everywhere("netstat -s -p carp")
JSONS = everywhere("netstat --libxo json,pretty -s -p carp")


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=[name for name, _ in TEXTS])
def test_every_number_of_every_recorded_text_is_read(name, text):
    numbers = [int(line.split()[0]) for line in text.splitlines() if line.startswith("\t")]
    assert list(read_text(text).values()) == numbers


@pytest.mark.parametrize(("name", "text"), JSONS, ids=[name for name, _ in JSONS])
def test_json_and_text_of_one_moment_tell_the_same(name, text):
    assert read_json(text) == read_text(dict(TEXTS)[name])


def test_counters_after_many_bad_packets():
    found = read_text((FOLDER / "freebsd-13.2" / "bad_packets_v4_netstat_end.txt").read_text())
    assert (found["ipackets"], found["badttl"], found["badsum"], found["badver"]) == (952, 24, 12, 36)
    assert (found["badlen"], found["badauth"], found["badvhid"], found["opackets"]) == (48, 60, 36, 216)


def test_a_single_packet_is_spelled_without_an_s():
    text = "carp:\n\t1 packet received (IPv4)\n\t\t1 discarded for bad checksum\n\t\t1 packet discarded for wrong TTL\n"
    text += "\t\t1 discarded packet with a bad version\n\t\t0 discarded for bad authentication\n\t1 packet sent (IPv4)\n"
    found = read_text(text)
    assert [found[one] for one in ("ipackets", "badsum", "badttl", "badver", "opackets")] == [1, 1, 1, 1, 1]


def test_openbsd_calls_it_an_unknown_vhid_and_counts_interfaces_and_transitions():
    text = "carp:\n\t4 packets received (IPv4)\n\t\t2 packets discarded for bad interface\n\t\t0 discarded for bad authentication\n"
    text += "\t\t3 discarded for unknown vhid\n\t9 packets sent (IPv4)\n\t1 transition to master\n"
    found = read_text(text)
    assert (found["badif"], found["badvhid"], found["preempt"]) == (2, 3, 1)


@pytest.mark.parametrize("text", ["", "netstat: carp: unknown or uninstrumented protocol\n", "{}"])
def test_no_counters_are_said_in_one_sentence(text):
    with pytest.raises(NoCounters, match=r"told no CARP counters.*kldload carp"):
        read_text(text)
    with pytest.raises(NoCounters):
        read_json(text)


def test_structure_has_all_fields():
    text = "\n".join(f"  {2 * number:20d} {2 * number + 1:20d}" for number in range(8))
    assert read_struct(text) == dict(zip(FIELDS, range(16), strict=True))


@pytest.mark.parametrize("text", ["", "1 2 3", "sysctl: unknown oid"])
def test_structure_of_another_length_is_left_alone(text):
    assert read_struct(text) == {}
