"""AUTH: what the digest is made of, and which advertisements it keeps out."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import IPv4Address, IPv6Address
from string import ascii_lowercase
from typing import Any

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.configuring import Start, accepts, refuses
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.digest import AddressRule, Secret
from conformance.wire.malformations import Malformation, demanded_by, in_turn, named


def sha1(password: str, *parts: bytes) -> bytes:
    """HMAC-SHA1 by first principles: the password, filled with zeros to 20 bytes, over the parts."""
    return hmac.digest(password.encode().ljust(20, b"\0"), b"".join(parts), hashlib.sha1)


# --- what the digest is made of


@covers("CARP-AUTH-001")
@takes(5)
@pytest.mark.parametrize(
    "password",
    ["x", "nineteen characters", "q'uo\"te $HOME ;#\\", "grüße"],
    ids=["one-character", "nineteen-characters", "punctuation", "utf-8"],
)
def test_digest_is_keyed_with_the_password(start: Start, wire: Segment, password: str) -> None:
    """The digest is HMAC-SHA1 keyed with the bytes of the password, filled up with zeros."""
    master = start(password=password)
    seen = master.reach_master()
    header = Subject.header(seen)
    message = b"\x02\x01", bytes([master.settings.vhid]), master.settings.addresses[0].packed, header.counter
    wire.check(
        f"digest keyed with the {len(password.encode())} bytes of the password and zeros",
        header.digest,
        sha1(password, *message),
        seen,
    )


@covers("CARP-AUTH-002")
@takes(5)
@pytest.mark.parametrize("vhid", [1, 254])
def test_message_starts_with_version_type_and_vhid(start: Start, wire: Segment, vhid: int) -> None:
    """The authenticated message starts with the bytes 02, 01 and the vhid, and not with the packed 21 of the
    header.
    """
    master = start(vhid=vhid)
    seen = master.reach_master()
    header, rest = Subject.header(seen), master.settings.addresses[0].packed
    wire.check(
        "digest over 02 01, the vhid, the address and the counter",
        header.digest,
        sha1(master.settings.password, b"\x02\x01", bytes([vhid]), rest, header.counter),
        seen,
    )
    packed = sha1(master.settings.password, b"\x21", bytes([vhid]), rest, header.counter)
    wire.check("digest over the packed first byte", header.digest == packed, False, seen)


@covers("CARP-AUTH-003")
@takes(5)
def test_address_is_hashed_in_network_order(start: Start, bench: Bench, wire: Segment) -> None:
    """The four bytes of the shared address follow the vhid in network order: the digest changes with the
    address, and only in that order it fits.
    """
    shared = bench.shared_addresses[3]
    master = start(addresses=(shared,))
    seen = master.reach_master()
    header = Subject.header(seen)
    before = b"\x02\x01", bytes([master.settings.vhid])
    wire.check(
        "digest over the address in network order",
        header.digest,
        sha1(master.settings.password, *before, shared.packed, header.counter),
        seen,
    )
    reverse = sha1(master.settings.password, *before, shared.packed[::-1], header.counter)
    wire.check("digest over the address in the order of the host", header.digest == reverse, False, seen)


@covers("CARP-AUTH-010")
@takes(12)
def test_counter_is_hashed_as_it_is_sent(master: Subject, tester: Tester, wire: Segment) -> None:
    """The message ends with the eight counter bytes as they are sent: told by a counter that reads
    differently in every other order.
    """
    tester.send(master.worse(counter=0x0123456789ABCDEE))
    before = b"\x02\x01", bytes([master.settings.vhid]), master.settings.addresses[0].packed
    for seen in master.next_own(2):
        header = Subject.header(seen)
        wire.check(
            "digest over the counter as it is sent",
            header.digest,
            sha1(master.settings.password, *before, header.counter),
            seen,
        )
        swapped = sha1(master.settings.password, *before, header.counter[4:] + header.counter[:4])
        wire.check("digest over the two halves in reverse order", header.digest == swapped, False, seen)


@covers("CARP-AUTH-004")
@needs("multiple_addresses")
def test_order_of_configuration_does_not_matter(start: Start, bench: Bench, wire: Segment) -> None:
    """Three IPv4 addresses configured in descending order are hashed in ascending order."""
    shared = bench.shared_addresses[:3]
    master = start(addresses=shared[::-1])
    seen = master.reach_master()
    header, ascending = Subject.header(seen), b"".join(address.packed for address in sorted(shared))
    wire.check(
        "digest over the three addresses in ascending order",
        header.digest,
        sha1(master.settings.password, b"\x02\x01", bytes([header.vhid]), ascending, header.counter),
        seen,
    )


@covers("CARP-AUTH-004")
@needs("multiple_addresses")
def test_peer_may_list_the_addresses_in_another_order(
    start: Start, bench: Bench, tester: Tester, wire: Segment
) -> None:
    """A MASTER whose addresses were configured in descending order yields to a peer that hashes them in
    ascending order.
    """
    shared = bench.shared_addresses[:3]
    master = start(addresses=shared[::-1])
    master.reach_master()
    with tester.advertising(
        master.better(secret=Secret(master.settings.password, shared, AddressRule.ASCENDING))
    ) as first:
        master.expect_yields(first)


@covers("CARP-AUTH-006", "CARP-AUTH-007")
@needs("ipv6")
def test_both_families_are_hashed_over_one_list(start: Start, bench: Bench, wire: Segment) -> None:
    """The IPv4 and the IPv6 advertisement carry digests over one list: first all IPv4, then all IPv6
    addresses, each ascending.
    """
    fours = sorted(address for address in bench.shared_addresses if isinstance(address, IPv4Address))[:2]
    sixes = sorted(address for address in bench.shared_addresses if isinstance(address, IPv6Address))[:2]
    master = start(addresses=(*sixes[::-1], *fours[::-1]))
    master.reach_master()
    listed = b"".join([address.packed for address in fours] + [address.packed for address in sixes])
    for seen in master.next_own(4):
        header = Subject.header(seen)
        wire.check(
            f"digest over IPv{Subject.ip(seen).version}",
            header.digest,
            sha1(master.settings.password, b"\x02\x01", bytes([header.vhid]), listed, header.counter),
            seen,
        )
    wire.check("families seen", {Subject.ip(seen).version for seen in master.own_frames()} == {4, 6}, True)


@covers("CARP-AUTH-008")
@needs("ipv6")
def test_link_local_address_is_hashed_without_its_scope(start: Start, bench: Bench, wire: Segment) -> None:
    """A shared link-local address enters the digest with bytes 2 and 3 zero."""
    shared = bench.shared_addresses[0], IPv6Address("fe80::1:1")
    master = start(addresses=shared)
    seen = master.reach_master()
    header, listed = Subject.header(seen), b"".join(address.packed for address in shared)
    wire.check(
        "digest over the link-local address with bytes 2 and 3 zero",
        header.digest,
        sha1(master.settings.password, b"\x02\x01", bytes([header.vhid]), listed, header.counter),
        seen,
    )


@covers("CARP-AUTH-009")
@needs("ipv6")
@pytest.mark.parametrize(
    "rule", [AddressRule.ASCENDING, AddressRule.WITHOUT_LINK_LOCAL], ids=["with", "without"]
)
def test_digest_with_or_without_link_local_addresses_is_accepted(
    start: Start, bench: Bench, tester: Tester, wire: Segment, rule: AddressRule
) -> None:
    """OpenBSD believes a digest that was made with all its link-local addresses, the automatic one included,
    and one that was made without them.
    """
    shared = bench.shared_addresses[0], IPv6Address("fe80::1:1")
    master = start(addresses=shared)
    master.reach_master()
    automatic = IPv6Address("fe80::200:5eff:fe00:101")
    with tester.advertising(
        master.better(secret=Secret(master.settings.password, (*shared, automatic), rule))
    ) as first:
        master.expect_yields(first)


@covers("CARP-AUTH-009")
@needs("ipv6")
def test_digest_is_sent_without_link_local_addresses(start: Start, bench: Bench, wire: Segment) -> None:
    """OpenBSD leaves link-local addresses, the automatic one included, out of the digest that it sends."""
    shared = bench.shared_addresses[0], IPv6Address("fe80::1:1")
    master = start(addresses=shared)
    seen = master.reach_master()
    header = Subject.header(seen)
    own = Secret(master.settings.password, shared[:1])
    wire.check(
        "digest without link-local addresses", header.digest, own.digest(header.vhid, header.counter), seen
    )


@covers("CARP-AUTH-018", "CARP-AUTH-001")
@needs("no_password")
def test_without_a_password_the_key_is_zero(start: Start, tester: Tester, wire: Segment) -> None:
    """Without a password the digest is made with 20 zero bytes, and a peer that does the same is believed."""
    master = start(password="")
    seen = master.reach_master()
    header = Subject.header(seen)
    wire.check(
        "digest keyed with 20 zero bytes",
        header.digest,
        sha1("", b"\x02\x01", bytes([header.vhid]), master.settings.addresses[0].packed, header.counter),
        seen,
    )
    with tester.advertising(master.better()) as first:
        master.expect_yields(first)


@covers("CARP-AUTH-019")
@takes(5)
@pytest.mark.parametrize("length", [20, 25])
def test_longer_password_is_cut_at_19_characters(start: Start, wire: Segment, length: int) -> None:
    """A password of more than 19 characters is accepted, and its first 19 are the key."""
    password = ascii_lowercase[:length]
    master = accepts(wire, start, f"a password of {length} characters", password=password)
    seen = master.reach_master()
    header = Subject.header(seen)
    wire.check(
        "digest keyed with the first 19 characters of the password",
        header.digest,
        sha1(
            password[:19],
            b"\x02\x01",
            bytes([header.vhid]),
            master.settings.addresses[0].packed,
            header.counter,
        ),
        seen,
    )


@covers("CARP-AUTH-020")
@takes(1)
def test_password_of_20_characters_is_refused(start: Start, wire: Segment) -> None:
    """With ucarp a password of 19 characters is taken and one of 20 refused."""
    accepts(wire, start, "a password of 19 characters", password=ascii_lowercase[:19])
    refuses(wire, start, "a password of 20 characters", password=ascii_lowercase[:20])


@covers("CARP-AUTH-020")
@needs("exit_status")
@takes(1)
def test_longer_password_is_refused(start: Start, wire: Segment) -> None:
    """With ucarp a password of 20 characters is refused with a message and exit status 2."""
    refusal = refuses(wire, start, "a password of 20 characters", password=ascii_lowercase[:20])
    wire.check("exit status", refusal.status, 2)
    wire.check("message", "Password too long" in refusal.said, True)


# --- what it keeps out


@covers("CARP-AUTH-011", "CARP-RX-023")
@takes(10)
@pytest.mark.parametrize("fault", demanded_by("CARP-AUTH-011"), ids=str)
def test_backup_ignores_other_keys(
    backup: Subject, tester: Tester, wire: Segment, fault: Malformation
) -> None:
    """A better stream that is authenticated with another key must not hold a BACKUP back."""
    with tester.advertising(backup.better(), fault):
        wire.expect(backup.becomes_master(), within=backup.master_down_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@covers("CARP-AUTH-011")
@takes(15)
@pytest.mark.parametrize("fault", demanded_by("CARP-AUTH-011"), ids=str)
def test_master_ignores_other_keys(master: Subject, tester: Tester, fault: Malformation) -> None:
    """A MASTER goes on advertising against a better stream that is authenticated with another key, and yields
    to the same stream with its own.
    """
    with tester.advertising(master.better(), fault) as first:
        master.stays_master(first)
    with tester.advertising(master.better()) as first:
        master.expect_yields(first)


@covers("CARP-AUTH-012", "CARP-RX-023")
@takes(10)
@pytest.mark.parametrize("fault", demanded_by("CARP-AUTH-012"), ids=str)
def test_backup_ignores_other_addresses(
    backup: Subject, tester: Tester, wire: Segment, fault: Malformation
) -> None:
    """A better stream whose digest covers other addresses than the BACKUP has must not hold it back."""
    with tester.advertising(backup.better(), fault):
        wire.expect(backup.becomes_master(), within=backup.master_down_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@covers("CARP-AUTH-012")
@takes(15)
@pytest.mark.parametrize("fault", demanded_by("CARP-AUTH-012"), ids=str)
def test_master_ignores_other_addresses(master: Subject, tester: Tester, fault: Malformation) -> None:
    """A MASTER goes on advertising against a better stream whose digest covers other addresses, and yields to
    the same stream with its own.
    """
    with tester.advertising(master.better(), fault) as first:
        master.stays_master(first)
    with tester.advertising(master.better()) as first:
        master.expect_yields(first)


@covers("CARP-AUTH-012")
@needs("multiple_addresses")
@pytest.mark.parametrize("fault", demanded_by("CARP-AUTH-012"), ids=str)
def test_one_address_of_three_makes_the_difference(
    start: Start, bench: Bench, tester: Tester, wire: Segment, fault: Malformation
) -> None:
    """A BACKUP of three addresses ignores a better stream over one more, one fewer or one other, and believes
    one over the same three.
    """
    backup = start(addresses=bench.shared_addresses[:3])
    with tester.advertising(backup.better(), fault):
        wire.expect(backup.becomes_master(), within=backup.master_down_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@covers("CARP-AUTH-013")
@takes(10)
def test_backup_ignores_a_rewritten_vhid(backup: Subject, tester: Tester, wire: Segment) -> None:
    """A better stream of another vhid, rewritten to that of the BACKUP with the checksum put right, must not
    hold it back.
    """
    with tester.advertising(backup.better(), named("vhid-rewritten")):
        wire.expect(backup.becomes_master(), within=backup.master_down_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@covers("CARP-AUTH-013")
@takes(15)
def test_master_ignores_a_rewritten_vhid(master: Subject, tester: Tester) -> None:
    """A MASTER goes on advertising against a better stream that was rewritten from another vhid, and yields
    to an honest one.
    """
    with tester.advertising(master.better(), named("vhid-rewritten")) as first:
        master.stays_master(first)
    with tester.advertising(master.better()) as first:
        master.expect_yields(first)


def _flipped(*also: str) -> list[Any]:
    """Every bit of the digest, and every bit of the counter: a table for each."""
    tables = ("CARP-AUTH-014", "digest"), ("CARP-AUTH-015", "counter")
    return [pytest.param(demanded_by(id), marks=covers(id, *also), id=name) for id, name in tables]


@takes(9)
@pytest.mark.parametrize("bits", _flipped("CARP-RX-023"))
def test_backup_ignores_every_flipped_bit(
    backup: Subject, tester: Tester, wire: Segment, bits: tuple[Malformation, ...]
) -> None:
    """A stream that walks through all values with one bit flipped after the digest was made must not hold a BACKUP
    back.
    """
    with tester.advertising(backup.better(), in_turn(*bits), interval_ns=backup.pace_ns(len(bits))):
        wire.expect(backup.becomes_master(), within=backup.master_down_window())
    assert sum(seen.sent for seen in wire.trace.frames) > len(bits), "not all bits were flipped in time"
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)


@takes(13)
@pytest.mark.parametrize("bits", _flipped())
def test_master_ignores_every_flipped_bit(
    master: Subject, tester: Tester, wire: Segment, bits: tuple[Malformation, ...]
) -> None:
    """A MASTER goes on advertising while a better stream walks through all values with one bit flipped, and yields to
    the intact one.
    """
    with tester.advertising(master.better(), in_turn(*bits), interval_ns=master.pace_ns(len(bits))) as first:
        master.stays_master(first)
    assert sum(seen.sent for seen in wire.trace.frames) >= len(bits), "not all bits were flipped in time"
    with tester.advertising(master.better()) as first:
        master.expect_yields(first)


@covers("CARP-AUTH-023")
def test_own_advertisement_reflected_is_refused(master: Subject, tester: Tester) -> None:
    """OpenBSD stays MASTER when its own advertisements come back, and yields to those of a better peer."""
    (own,) = master.next_own()
    with tester.advertising(master.better(), lambda _: own.frame.data) as first:
        master.stays_master(first)
    with tester.advertising(master.better()) as first:
        master.expect_yields(first)
