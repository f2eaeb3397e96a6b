"""RX: what must be refused, and what must not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from conformance.segment.segment import Segment
from conformance.segment.tester import Fault, Tester
from conformance.suite.conftest import Start
from conformance.suite.marks import covers, needs, takes
from conformance.targets.subject import Subject
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Address
from conformance.wire.foreign import VRRP_PACKETS
from conformance.wire.frame import mac_text
from conformance.wire.header import checksum
from conformance.wire.malformations import Malformation, demanded_by, in_turn, named
from conformance.wire.oddities import ODDITIES, Oddity

TEN_A_SECOND_NS = 100_000_000
FIFTY_A_SECOND_NS = 20_000_000

EVERY_CLASS = (
    "ttl-254", "version-3", "vhid-next", "checksum-bit-0", "length-20", "digest-zero", "address-other", "ip-checksum",
)  # fmt: skip
"""One malformation for each way to be refused by everybody."""
HELD_BACK = (
    *(f"ttl-{n}" for n in (254, 128, 64, 1, 0)), *(f"version-{n}" for n in (0, 1, 3, 15)), "vhid-next", "vhid-0",
    *(f"checksum-bit-{n}" for n in (0, 7, 8, 15)), "checksum-zero-over-all", "checksum-with-trailer", *(f"length-{n}" for n in (0, 7, 8, 20, 35)),
    "destination-224.0.0.19", "destination-broadcast", "ip-checksum",
)  # fmt: skip
"""What a BACKUP is tried with, one by one."""
UNMOVED = ("ttl-254", "version-3", "vhid-next", "vhid-0", "checksum-bit-0", "checksum-with-trailer", "length-20", "length-0-padded", "length-35-padded",
           "destination-224.0.0.19", "destination-broadcast", "fragment-offset-1", "fragment-first", "ip-checksum")  # fmt: skip
"""What a MASTER is tried with, one by one."""


def each(*names: str, also: str) -> list[Any]:
    """The malformations of these names, each with the requirement that demands its refusal, and ``also``."""
    return [pytest.param(named(name), marks=covers(named(name).requirement, also), id=name) for name in names]


def refuses_as_backup(
    backup: Subject, tester: Tester, wire: Segment, fault: Fault, interval_ns: int | None = None
) -> None:
    """The pattern of every refusal: a better stream with a fault does not hold a BACKUP back; the same stream without it makes the IUT yield."""
    with tester.advertising(backup.better(), fault, interval_ns=interval_ns):
        wire.expect(backup.becomes_master(), within=backup.besieged_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


def refuses_as_master(master: Subject, tester: Tester, peer: Advertisement, fault: Fault) -> None:
    """The same for a MASTER: it goes on advertising through the faulty stream of ``peer`` and yields to the same one without the fault."""
    with tester.advertising(peer, fault, interval_ns=TEN_A_SECOND_NS) as first:
        master.stays_master(first, count=2)
    with tester.advertising(peer, interval_ns=TEN_A_SECOND_NS) as first:
        master.expect_yields(first)


def yields_to(master: Subject, tester: Tester, wire: Segment, odd: Fault) -> None:
    """The pattern of every acceptance: a MASTER, seen to advertise, yields to one better advertisement that ``odd`` has changed."""
    (own,) = master.next_own()
    wire.check(
        "advskew of the MASTER before it hears a better one",
        master.header(own).advskew,
        master.settings.advskew,
        own,
    )
    master.expect_yields(tester.send(master.better(), odd))


def sent_to(address: Address, mac: bytes) -> Fault:
    """The advertisement to another IP destination, in a frame to another MAC."""

    def redirected(advertisement: Advertisement) -> bytes:
        packet = advertisement.packet()
        packet[IP].dst, packet[Ether].dst = str(address), mac_text(mac)
        return bytes(packet)

    return redirected


def from_beyond(fault: Malformation) -> Fault:
    """``fault``, and TTL 1 besides."""
    return lambda advertisement: with_ttl(fault.make(advertisement), 1)


def unauthentic(fault: Malformation) -> Fault:
    """``fault``, and a digest with another password besides."""
    return lambda advertisement: fault.make(
        advertisement.but(secret=replace(advertisement.secret, password="not the password"))
    )


def with_ttl(frame: bytes, ttl: int) -> bytes:
    """The frame of an IPv4 packet without options, with another TTL under a right header checksum."""
    header = bytearray(frame[14:34])
    header[8], header[10:12] = ttl, bytes(2)
    header[10:12] = checksum(header).to_bytes(2, "big")
    return frame[:14] + bytes(header) + frame[34:]


def moved_errors(subject: Subject, tester: Tester, fault: Fault) -> str:
    """The error counters of a BACKUP's host that one better advertisement with ``fault`` moves, as ``badttl 1``."""
    subject.alive()  # what was sent before has been counted
    before = subject.counters()
    tester.send(subject.better(), fault)
    subject.alive()
    moved = {
        name: value - before[name] for name, value in subject.counters().items() if name.startswith("bad")
    }
    return ", ".join(f"{name} {count}" for name, count in sorted(moved.items()) if count)


@takes(9)
@pytest.mark.parametrize("fault", each(*HELD_BACK, also="CARP-RX-023"))
def test_backup_is_not_held(backup: Subject, tester: Tester, wire: Segment, fault: Malformation) -> None:
    """A stream that looks like a live master but has one thing wrong does not hold a BACKUP back."""
    refuses_as_backup(backup, tester, wire, fault)


@covers("CARP-RX-002")
@takes(10)
def test_backup_is_not_held_by_any_other_version(backup: Subject, tester: Tester, wire: Segment) -> None:
    """None of the fifteen other versions in a stream that walks through them holds a BACKUP back."""
    refuses_as_backup(backup, tester, wire, in_turn(*demanded_by("CARP-RX-002")), TEN_A_SECOND_NS)


@covers("CARP-RX-006")
@takes(10)
def test_backup_is_not_held_by_any_short_payload(backup: Subject, tester: Tester, wire: Segment) -> None:
    """None of the payloads of 0 to 35 bytes in a stream that walks through them holds a BACKUP back."""
    refuses_as_backup(
        backup, tester, wire, in_turn(*(named(f"length-{length}") for length in range(36))), FIFTY_A_SECOND_NS
    )


@covers("CARP-RX-023")
@takes(10)
def test_rejected_advertisements_do_not_restart_the_timer(
    backup: Subject, tester: Tester, wire: Segment
) -> None:
    """Ten rejected advertisements a second, of every class in turn, leave a BACKUP's master-down timer alone."""
    refuses_as_backup(backup, tester, wire, in_turn(*map(named, EVERY_CLASS)), TEN_A_SECOND_NS)


@takes(11)
@pytest.mark.parametrize("fault", each(*UNMOVED, also="CARP-RX-024"))
def test_master_stays(master: Subject, tester: Tester, fault: Malformation) -> None:
    """A MASTER goes on advertising through a stream that outranks every other but has one thing wrong, and yields to the same stream made valid."""
    refuses_as_master(master, tester, master.peer(0, 0), fault)


@covers("CARP-RX-024")
@takes(11)
def test_rejected_advertisements_never_make_a_master_yield(master: Subject, tester: Tester) -> None:
    """Rejected advertisements of every class in turn do not move a MASTER, whatever rank they claim."""
    refuses_as_master(master, tester, master.peer(0, 0), in_turn(*map(named, EVERY_CLASS)))


@takes(9.5)
@pytest.mark.parametrize(
    "odd", [pytest.param(odd, marks=covers(odd.requirement), id=odd.name) for odd in ODDITIES]
)
def test_odd_but_acceptable(master: Subject, tester: Tester, wire: Segment, odd: Oddity) -> None:
    """An advertisement that is odd without being wrong has its full effect: a MASTER yields to it."""
    yields_to(master, tester, wire, odd)


@covers("CARP-RX-011")
@takes(9.5)
def test_trailing_bytes_under_a_checksum_over_everything(
    master: Subject, tester: Tester, wire: Segment
) -> None:
    """Non-zero trailing bytes are accepted under a checksum that covers the whole payload."""
    yields_to(master, tester, wire, named("checksum-with-trailer"))


@covers("CARP-RX-018")
@takes(11)
def test_own_source_address_is_ignored(master: Subject, tester: Tester) -> None:
    """A better advertisement from the IUT's own source address has no effect; from another address it has."""
    refuses_as_master(
        master, tester, master.better(), lambda ad: ad.but(source=master.host.addresses[0]).frame()
    )


@covers("CARP-RX-019")
@takes(9.5)
def test_unicast_to_the_receiver_is_accepted(master: Subject, tester: Tester, wire: Segment) -> None:
    """An advertisement to the receiver's own unicast address takes part in the election."""
    yields_to(master, tester, wire, sent_to(master.host.addresses[0], master.host.mac))


@covers("CARP-RX-022")
@takes(13)
def test_own_advertisement_that_comes_back(master: Subject, tester: Tester) -> None:
    """A MASTER whose own advertisements all come back to it goes on in its interval, and still yields to a better peer."""
    with master.reflected():
        master.keeps_its_interval(4)
    master.expect_yields(tester.send(master.better()))


@covers("CARP-RX-030")
@takes(9.5)
@pytest.mark.parametrize("advskew", [0, 1])
def test_zero_beats_every_other(start: Start, tester: Tester, wire: Segment, advskew: int) -> None:
    """An advertisement with advbase 0 and advskew 0 is valid and makes even the fastest MASTER yield."""
    master = start(advskew=advskew)
    own = master.reach_master()
    wire.check("advskew before 0/0 is heard", master.header(own).advskew, advskew, own)
    master.expect_yields(tester.send(master.peer(0, 0)))


@covers("CARP-RX-031")
@takes(11)
def test_master_outranks_255_255(master: Subject, tester: Tester) -> None:
    """A MASTER does not yield to advbase 255 and advskew 255, and does to a better advertisement."""
    master.stays_master(tester.send(master.peer(255, 255)), count=2)
    master.expect_yields(tester.send(master.better()))


@covers("CARP-RX-031")
@takes(4)
def test_backup_takes_over_from_255_255(backup: Subject, tester: Tester, wire: Segment) -> None:
    """An advertisement with advbase 255 and advskew 255 loses to a BACKUP, which takes over at once."""
    farewell = tester.send(backup.peer(255, 255))
    wire.expect(backup.becomes_master(), within=backup.reaction_window(farewell))


@covers("CARP-RX-036")
@takes(10)
@pytest.mark.parametrize("packet", VRRP_PACKETS, ids=lambda packet: packet.__name__)
def test_vrrp_does_not_hold_a_backup(backup: Subject, tester: Tester, wire: Segment, packet: Fault) -> None:
    """VRRP with the same id is not taken for a live CARP master: a BACKUP takes over in spite of it."""
    refuses_as_backup(backup, tester, wire, packet)


@covers("CARP-RX-036")
@takes(11)
@pytest.mark.parametrize("packet", VRRP_PACKETS, ids=lambda packet: packet.__name__)
def test_vrrp_does_not_move_a_master(master: Subject, tester: Tester, packet: Fault) -> None:
    """VRRP with the same id and the highest priority does not make a CARP MASTER yield."""
    refuses_as_master(master, tester, master.peer(0, 0), packet)


@covers("CARP-RX-039")
@takes(9.5)
def test_all_hosts_group_takes_part(master: Subject, tester: Tester, wire: Segment) -> None:
    """An advertisement to the all-hosts group 224.0.0.1 takes part in the election."""
    yields_to(master, tester, wire, sent_to(IPv4Address("224.0.0.1"), bytes.fromhex("01005e000001")))


@covers("CARP-RX-040")
@takes(11)
def test_frame_to_a_foreign_mac(master: Subject, tester: Tester) -> None:
    """An advertisement to the group in a frame to another host's unicast MAC has no effect; in one to the group's MAC it has."""
    refuses_as_master(
        master, tester, master.better(), sent_to(IPv4Address("224.0.0.18"), bytes.fromhex("020000007702"))
    )


@covers("CARP-RX-027", "CARP-STATS-012")
@needs("counters")
@pytest.mark.parametrize("second", ["length-20", "checksum-bit-0", "vhid-next", "version-3", "digest-zero"])
def test_ttl_is_checked_first(backup: Subject, tester: Tester, wire: Segment, second: str) -> None:
    """A TTL that is not 255 is counted, and no other fault of the same advertisement."""
    wire.check(
        "error counters that moved", moved_errors(backup, tester, from_beyond(named(second))), "badttl 1"
    )


@covers("CARP-RX-027", "CARP-STATS-012")
@needs("counters")
@pytest.mark.parametrize(
    ("first", "counter"), [("checksum-bit-0", "badsum"), ("vhid-next", "badvhid"), ("version-3", "badver")]
)
def test_digest_is_checked_last(
    backup: Subject, tester: Tester, wire: Segment, first: str, counter: str
) -> None:
    """A wrong digest is not counted where the same advertisement has another fault."""
    wire.check(
        "error counters that moved", moved_errors(backup, tester, unauthentic(named(first))), f"{counter} 1"
    )


@covers("CARP-RX-028")
@needs("counters")
def test_ttl_is_checked_after_the_vhid(backup: Subject, tester: Tester, wire: Segment) -> None:
    """TTL 1 together with an unknown vhid counts as badvhid and not as badttl."""
    wire.check(
        "error counters that moved",
        moved_errors(backup, tester, from_beyond(named("vhid-next"))),
        "badvhid 1",
    )
