"""Captures from the simulator with one seeded fault each: ``judge`` names that fault first and nothing false beside it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from conformance.judge.judge import exit_status, judge, summary_text
from tests.judge import seeded
from tests.judge.simulating import OTHER, PASSWORD, VIP, VIP6, Cluster


@dataclass(frozen=True)
class Fault:
    """What is wrong, what ``judge`` calls it, and the words that its sentence must have; ``too`` is what follows from it and is true as well."""

    made: Callable
    name: str
    words: str
    too: tuple[str, ...] = ()
    status: int = 1
    options: tuple[tuple[str, object], ...] = ()


FAULTS = [
    Fault(
        seeded.wrong_password,
        "password-differs",
        "the digest of 192.0.2.2 is made with password 2 of those given",
    ),
    Fault(seeded.password_mended, "password-differs", "192.0.2.2 is made with password 2 of those given"),
    Fault(
        seeded.unknown_password, "foreign-speaker", "the digest of 192.0.2.2 fits no password and address set"
    ),
    Fault(seeded.no_password_on_one, "password-differs", "made with no password", ("no-password",)),
    Fault(
        seeded.other_addresses,
        "addresses-differ",
        "covers 192.0.2.101 and 192.0.2.102 too and lacks 192.0.2.100",
    ),
    Fault(seeded.one_address_too_many, "one-address-differs", "covers 192.0.2.101 too"),
    Fault(
        seeded.link_local_context,
        "link-local-context",
        "one side hashes link-local addresses, the other does not",
    ),
    Fault(seeded.one_family_filtered, "family-filtered", "192.0.2.1 is heard over IPv4 only", ("flapping",)),
    Fault(seeded.version_four, "version-differs", "its version is 4 instead of 2"),
    Fault(seeded.ttl_changed, "ttl-changed", "its TTL is 254 instead of 255"),
    Fault(seeded.checksum_spoilt, "checksum-wrong", "its checksum is wrong"),
    Fault(seeded.dscp_changed, "dscp-changed", "(0x00, 0xe0)", status=0),
    Fault(
        seeded.one_way_loss,
        "one-way-loss",
        "192.0.2.2 does not take in the better advertisements of 192.0.2.1",
    ),
    Fault(
        seeded.one_way_loss_later,
        "one-way-loss",
        "192.0.2.2 does not take in the better advertisements of 192.0.2.1",
    ),
    Fault(seeded.both_ways_loss_later, "no-hearing", "do not hear each other"),
    Fault(seeded.both_ways_loss, "no-hearing", "do not hear each other"),
    Fault(
        seeded.deaf_backup,
        "deaf-backup",
        "192.0.2.2 does not yield to the better advertisements of 192.0.2.1",
    ),
    Fault(seeded.duplicated, "echo", "came back unchanged", status=0),
    Fault(
        seeded.replayed,
        "replay",
        "192.0.2.66 sends counters and digests that another host sent before",
        status=0,
    ),
    Fault(seeded.physical_mac, "physical-mac", "192.0.2.1 come from a physical MAC address"),
    Fault(
        seeded.equal_timers,
        "equal-timers",
        "192.0.2.1 and 192.0.2.2 announce the same advbase 1 and advskew 0",
        status=0,
    ),
    Fault(seeded.flapping, "flapping", "192.0.2.1 and 192.0.2.2 become master again and again"),
    Fault(
        seeded.address_conflict,
        "address-conflict",
        "claims the shared address 192.0.2.100 of vhid 1 (3 times)",
    ),
    Fault(seeded.silent_take_over, "no-announcement", "192.0.2.2 took over without announcing the address"),
    Fault(
        seeded.lost_advertisements,
        "lost-advertisements",
        "2 advertisements of 192.0.2.1 are missing",
        status=0,
    ),
    Fault(seeded.no_password, "no-password", "192.0.2.1 has no password set", status=0),
    Fault(
        seeded.interval_not_kept,
        "interval-wrong",
        "advbase 1 advskew 0 announce 1.000 s, but the mean spacing is 1.3",
    ),
    Fault(seeded.unicast_on_one_side, "unicast", "192.0.2.2 alone", status=0),
    Fault(seeded.bow_out_unheard, "bow-out-unheard", "192.0.2.2 took over only 3.3 s later", status=0),
    Fault(
        seeded.virtual_mac_from_backup,
        "virtual-mac-from-backup",
        "192.0.2.1 sends from the virtual MAC address",
        status=0,
    ),
    Fault(seeded.vrrp_of_the_same_number, "vrrp-same-id", "VRRPv2 router 192.0.2.9 uses vrid 1", status=0),
    Fault(seeded.stale_client, "stale-clients", "clients still send packets for 192.0.2.100", status=0),
    Fault(seeded.counter_not_followed, "counter-wrong", "its first counter is not the next one"),
    Fault(
        seeded.counter_forgotten, "counter-wrong", "192.0.2.2 does not count as it should: when it took over"
    ),
    Fault(seeded.counter_by_two, "counter-wrong", "shows that it had heard 192.0.2.1"),
    Fault(
        seeded.counter_drawn_once,
        "counter-wrong",
        "its first counter is not the next one",
        options=(("dialect", "freebsd-legacy-6"),),
    ),
    Fault(seeded.counter_stands_still, "counter-wrong", "never changes, as that of OpenBSD", status=0),
    Fault(seeded.counter_of_ucarp_stands_still, "counter-wrong", "the counter never changes"),
    Fault(
        seeded.one_counter_for_both_families,
        "counter-wrong",
        "the advertisements of both families carry the same counter",
        options=(("addresses", (VIP, VIP6)),),
    ),
    Fault(
        seeded.replayed_as_it_was,
        "replay",
        "old advertisements of 192.0.2.1 came again",
        ("interruption",),
        0,
    ),
    Fault(seeded.replayed_to_a_pair, "replay", "that it had sent before", ("interruption",), 0),
    Fault(seeded.reset_by_an_alias, "interruption", "no master for 3.", status=0),
]


def findings(document):
    """All findings, those of the virtual hosts first, the gravest of each first."""
    every = [one for host in document["vhids"] for one in host["findings"]] + document["findings"]
    return sorted(every, key=lambda one: ("error", "warning", "notice").index(one["severity"]))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.made.__name__)
def test_the_seeded_fault_is_named_first_and_nothing_false_beside_it(tmp_path, fault, seed):
    path = fault.made(seed).write(tmp_path)
    options = {"passwords": (PASSWORD, OTHER), **dict(fault.options)}
    document = judge([path], **options)
    found = findings(document)
    assert [one["id"] for one in found] == [fault.name, *fault.too], summary_text(document)
    assert fault.words in found[0]["text"]
    assert found[0]["frames"]
    assert exit_status(document) == fault.status
    assert document == judge([path], **options, exact=True)


HEALTHY = [
    ("freebsd-13", "freebsd-13"),
    ("freebsd-15", "freebsd-13"),
    ("freebsd-legacy", "freebsd-legacy"),
    ("openbsd", "openbsd"),
    ("freebsd-13", "openbsd"),
]
FAMILIES = {"IPv4": (VIP,), "both families": (VIP, VIP6)}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("dialects", HEALTHY, ids=lambda one: "-".join(one))
@pytest.mark.parametrize("shared", FAMILIES.values(), ids=FAMILIES)
def test_a_healthy_pair_with_hand_overs_gives_nothing_to_say(tmp_path, shared, dialects, seed):
    """Started, taken over after silence, and taken back by preemption."""
    made = seeded.taken_over_twice(Cluster(*dialects, seed=seed), *shared)
    document = judge([made.write(tmp_path)], passwords=(PASSWORD,), addresses=shared)
    assert findings(document) == [], summary_text(document)
    for host in document["vhids"]:
        assert [one["cause"] for one in host["handovers"]] == ["start", "silence", "preemption"]
    assert exit_status(document) == 0


def test_there_are_more_than_twenty_of_them():
    assert len({fault.made for fault in FAULTS}) == len(FAULTS) >= 20
