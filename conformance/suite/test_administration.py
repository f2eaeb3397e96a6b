"""What an administrator changes while a virtual host runs: parameters, passwords, addresses, states."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import cast

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start, accepts, refuses
from conformance.suite.marks import covers, needs, takes
from conformance.targets.protocol import Bench, ConfigurationRefused, Unnumbered
from conformance.targets.subject import Subject
from conformance.wire.digest import Address, Secret

SECOND = 1_000_000_000
SETTLE_NS = 50_000_000
"""Until the last frame of a stream, or a farewell, has surely been captured."""
LONGER = "a longer password"
NO_ADDRESS = ("EADDRNOTAVAIL", "Can't assign requested address")
"""The name of the error, and what the BSDs' strerror(3) says of it."""


def signed_with(seen: FrameSeen, secret: Secret) -> bool:
    """Whether ``secret`` verifies the digest of an advertisement."""
    header = Subject.header(seen)
    return secret.verifies(header.vhid, header.counter, header.digest)


def restart_window(subject: Subject, since_ns: int, what: str) -> Window:
    """When a virtual host that was stopped and started at ``since_ns`` must be MASTER."""
    return Window.after(since_ns, subject.start_bounds_ns, what)


# --- parameters and passwords


@covers("CARP-TIMER-018")
@needs("reconfigure")
@takes(10)
@pytest.mark.parametrize(("advbase", "advskew"), [(1, 200), (1, 0), (2, 100)])
def test_new_rank_is_in_force(start: Start, wire: Segment, advbase: int, advskew: int) -> None:
    """A new advbase or advskew is advertised, and kept as interval, no later than with the second following
    advertisement.
    """
    master = start()
    master.reach_master()
    wire.watch(master.interval_ns // 2)
    master.reconfigure(advbase=advbase, advskew=advskew)
    second = master.next_own(2)[-1]
    wire.check("advbase", Subject.header(second).advbase, advbase, second)
    wire.check("advskew", Subject.header(second).advskew, advskew, second)
    master.keeps_its_interval(2, second)


@covers("CARP-AUTH-029")
@needs("reconfigure")
@takes(8)
def test_new_password_is_in_force(master: Subject, tester: Tester, wire: Segment) -> None:
    """A password that is changed on a MASTER signs its next advertisement, and decides whom it believes."""
    before = master.secret
    (last,) = master.next_own()
    wire.check("the old password signs", signed_with(last, before), True, last)
    wire.watch(master.interval_ns // 2)
    master.reconfigure(password=LONGER)
    (seen,) = master.next_own()
    wire.check("the new password signs", signed_with(seen, master.secret), True, seen)
    wire.check("the old password signs", signed_with(seen, before), False, seen)
    wire.check_span(
        "from one advertisement to the next",
        seen.time_ns - last.time_ns,
        (0, 2 * master.interval_ns),
        last,
        seen,
    )
    master.stays_master(tester.send(master.better(secret=before)))
    master.expect_yields(tester.send(master.better()))


@covers("CARP-AUTH-021")
@needs("reconfigure")
@takes(6)
def test_empty_password_changes_nothing(master: Subject, wire: Segment) -> None:
    """An empty password leaves the old one in force."""
    before = master.secret
    master.reconfigure(password="")
    (seen,) = master.next_own()
    wire.check("the old password signs", signed_with(seen, before), True, seen)


@covers("CARP-AUTH-031")
@needs("reconfigure")
@takes(6)
def test_shorter_password_leaves_the_tail_of_the_old_one(start: Start, wire: Segment) -> None:
    """After pass4carp1 the password another gives the key another, a zero byte, and p1."""
    master = start(password="pass4carp1")  # the one of the recording
    master.reach_master()
    wire.watch(master.interval_ns // 2)
    master.reconfigure(password="another")  # as above
    (seen,) = master.next_own()
    wire.check(
        "the key another\\0p1 signs",
        signed_with(seen, replace(master.secret, password=b"another\0p1")),
        True,
        seen,
    )
    wire.check("the key another signs", signed_with(seen, master.secret), False, seen)


@covers("CARP-CONF-023")
@needs("reconfigure")
@takes(7)
@pytest.mark.parametrize(
    "wrong",
    [{"advskew": 255}, {"advbase": 2, "advskew": 255}, {"advbase": 256}],
    ids=str,
)
def test_refused_change_changes_nothing(master: Subject, wire: Segment, wrong: dict[str, int]) -> None:
    """A request with one bad value is refused as a whole: what is advertised stays."""
    try:
        master.reconfigure(**wrong)
    except ConfigurationRefused:
        wire.check("the request", "refused", "refused")
    else:
        wire.check("the request", "taken", "refused")
    for seen in master.next_own(2):
        header = Subject.header(seen)
        wire.check("advbase and advskew", (header.advbase, header.advskew), (1, 100), seen)


@covers("CARP-CONF-023")
@needs("vhid_list")
@takes(1)
@pytest.mark.parametrize("wrong", [{"advskew": 255}, {"advbase": 256}], ids=str)
def test_refused_virtual_host_does_not_exist(start: Start, wire: Segment, wrong: dict[str, int]) -> None:
    """A virtual host whose parameters are refused does not exist afterwards, while another one goes on."""
    subject = start(vhid=1)
    refuses(wire, start, f"vhid 9 with {wrong}", vhid=9, **wrong)
    wire.check("the vhids of the host", subject.vhids(), (1,))


@covers("CARP-CONF-010")
@needs("vhid_list")
@takes(1)
@pytest.mark.parametrize("wrong", [{"advskew": 255}, {"advbase": 256}], ids=str)
def test_refused_virtual_host_stays_behind(start: Start, wire: Segment, wrong: dict[str, int]) -> None:
    """A new virtual host whose advskew or advbase is refused stays behind, in INIT and silent."""
    subject = start(vhid=1)
    refuses(wire, start, f"vhid 9 with {wrong}", vhid=9, **wrong)
    wire.check("the vhids of the host", subject.vhids(), (1, 9))
    subject.reach_master()
    heard = [seen for seen in wire.trace.frames if seen.frame.carp is not None and seen.frame.carp.vhid == 9]
    wire.check("advertisements of vhid 9", len(heard), 0)


@covers("CARP-CONF-010")
@needs("reconfigure")
@takes(7)
def test_refused_change_may_leave_its_advbase(master: Subject, wire: Segment) -> None:
    """A refused advskew leaves the advbase of the same request in force."""
    with pytest.raises(ConfigurationRefused):
        master.reconfigure(advbase=2, advskew=255)
    seen = master.next_own(2)[-1]
    wire.check(
        "advbase and advskew",
        (Subject.header(seen).advbase, Subject.header(seen).advskew),
        (2, 100),
        seen,
    )


@covers("CARP-CONF-003")
@needs("reconfigure")
@takes(7)
@pytest.mark.parametrize("advskew", [0, 100])
def test_advbase_0_while_it_runs(start: Start, wire: Segment, advskew: int) -> None:
    """An advbase of 0 on a running virtual host is taken, or refused, or means that it stays: it does not stop it."""
    master = start(advskew=advskew)
    master.reach_master()
    try:
        master.reconfigure(advbase=0)
    except ConfigurationRefused:
        wire.note("an advbase of 0 was refused")
    seen = master.next_own(3)[-1]
    wire.check("advbase", Subject.header(seen).advbase, {0, 1}, seen)


# --- addresses


@covers("CARP-AUTH-030", "CARP-ELECT-020")
@needs("reconfigure", "multiple_addresses")
@takes(12)
def test_added_address_restarts_and_is_hashed(master: Subject, bench: Bench, wire: Segment) -> None:
    """A MASTER that gets one more address passes through INIT and BACKUP, is back after a full start, and hashes
    the address from then on.
    """
    master.next_own()
    wire.watch(master.interval_ns // 2)
    before, changed_ns = master.secret, master.just_now_ns
    master.add_address(bench.shared_addresses[1])
    wire.expect(master.enters("INIT"), within=master.reaction_window(changed_ns))
    seen = wire.expect(
        master.becomes_master(),
        within=restart_window(master, changed_ns, "an address was added"),
    )
    assert isinstance(seen, FrameSeen)
    wire.check("both addresses are hashed", signed_with(seen, master.secret), True, seen)
    wire.check("the first address alone is hashed", signed_with(seen, before), False, seen)


@covers("CARP-ELECT-020")
@needs("reconfigure", "multiple_addresses")
@takes(12)
def test_removed_address_restarts(start: Start, bench: Bench, wire: Segment) -> None:
    """A MASTER that loses one of its addresses passes through INIT and BACKUP, and is back after a full start."""
    master = start(addresses=bench.shared_addresses[:2])
    master.reach_master()
    master.next_own()
    wire.watch(master.interval_ns // 2)
    changed_ns = master.just_now_ns
    master.remove_address(bench.shared_addresses[1])
    wire.expect(master.enters("INIT"), within=master.reaction_window(changed_ns))
    wire.expect(master.becomes_master(), within=restart_window(master, changed_ns, "an address was removed"))


@covers("CARP-AUTH-030")
@needs("reconfigure", "multiple_addresses")
@takes(12)
def test_removed_address_is_no_longer_hashed(start: Start, bench: Bench, wire: Segment) -> None:
    """The advertisements that follow the removal of an address do not hash it."""
    master = start(addresses=bench.shared_addresses[:2])
    master.reach_master()
    master.remove_address(bench.shared_addresses[1])
    limit_ns = wire.now_ns() + master.start_bounds_ns[1]
    seen = wire.wait(master.advertises(), limit_ns)
    assert isinstance(seen, FrameSeen)
    wire.check("the address that is left alone is hashed", signed_with(seen, master.secret), True, seen)


@covers("CARP-ELECT-021")
@needs("reconfigure", "multiple_addresses")
@takes(16)
def test_removal_of_the_last_address_ends_it(master: Subject, wire: Segment) -> None:
    """A MASTER whose last address is removed never advertises again."""
    master.next_own()
    wire.watch(master.interval_ns // 2)
    before = len(list(master.own_frames()))
    master.remove_address(master.settings.addresses[0])
    wire.watch(10 * SECOND)
    frames = list(master.own_frames())
    master.alive()
    wire.check("advertisements after the removal", len(frames) - before, 0, *frames[-1:])


@covers("CARP-ELECT-036", "CARP-RX-026")
@needs("reconfigure", "state_read", "multiple_addresses")
@takes(14)
def test_virtual_host_without_an_address_waits(
    start: Start,
    tester: Tester,
    bench: Bench,
    wire: Segment,
) -> None:
    """A virtual host without an address stays in INIT, whatever it hears; with its first address it starts as
    BACKUP, and takes over in the time of a start.
    """
    subject = start(addresses=())
    with tester.advertising(subject.better(), interval_ns=SECOND // 2):
        subject.stays_silent(2 * subject.take_over_bounds_ns[1])
    left = sum(subject.enters("BACKUP").match(event) for event in wire.trace.events)
    wire.check("how often it has left INIT", left, 0)
    given_ns = subject.just_now_ns
    subject.add_address(bench.shared_addresses[0])
    wire.expect(subject.enters("BACKUP"), within=subject.reaction_window(given_ns))
    wire.expect(subject.becomes_master(), within=restart_window(subject, given_ns, "it got an address"))


@covers("CARP-RX-026")
@needs("carp_interface", "state_read")
@takes(14)
def test_closed_interface_hears_nothing(master: Subject, tester: Tester, wire: Segment) -> None:
    """What a virtual host hears while its carp interface is down changes nothing: up again, it starts as BACKUP
    and takes over in the time of a start.
    """
    down_ns = master.just_now_ns
    master.carp_interface(up=False)
    wire.expect(master.enters("INIT"), within=master.reaction_window(down_ns))
    wire.watch(SETTLE_NS)
    with tester.advertising(master.peer(255, 255), interval_ns=SECOND // 4):
        master.stays_silent(2 * SECOND)
    wire.watch(SETTLE_NS)
    up_ns = master.just_now_ns
    master.carp_interface(up=True)
    wire.expect(master.enters("BACKUP"), within=master.reaction_window(up_ns))
    wire.expect(master.becomes_master(), within=restart_window(master, up_ns, "its interface was up again"))


@covers("CARP-CONF-014")
@needs("reconfigure", "vhid_list")
@takes(12)
def test_address_can_be_set_again(master: Subject, wire: Segment) -> None:
    """Setting the shared address again succeeds ten times in a row; the virtual host runs on with it."""
    for turn in range(10):
        try:
            master.add_address(master.settings.addresses[0])
        except ConfigurationRefused as refusal:
            wire.check(f"setting it again, time {turn + 1}", f"refused: {refusal.said}", "accepted")
        wire.check("the vhids of the host", master.vhids(), (1,))
    again_ns = wire.now_ns()
    seen = wire.wait(master.advertises(), again_ns + master.start_bounds_ns[1])
    assert isinstance(seen, FrameSeen)
    wire.check("the one address is hashed once", signed_with(seen, master.secret), True, seen)


@covers("CARP-CONF-013")
@needs("reconfigure", "vhid_list", "no_password")
@takes(10)
def test_removal_of_the_last_address_forgets_everything(start: Start, bench: Bench, wire: Segment) -> None:
    """With its last address a virtual host goes, and with it key and parameters: configured by its vhid alone it
    has the defaults.
    """
    master = start(advskew=50)
    master.reach_master()
    master.remove_address(master.settings.addresses[0])
    wire.check("the vhids of the host", master.vhids(), ())
    wire.watch(SECOND)
    again = start(password="", advbase=1, advskew=0, options={"omit": ("advbase", "advskew")})
    seen = again.reach_master()
    wire.check(
        "advbase and advskew",
        (Subject.header(seen).advbase, Subject.header(seen).advskew),
        (1, 0),
        seen,
    )
    wire.check("the zero key signs", signed_with(seen, again.secret), True, seen)


@covers("CARP-AUTH-005")
@needs("multiple_addresses")
@takes(6)
def test_address_that_is_configured_twice_is_hashed_once(start: Start, bench: Bench, wire: Segment) -> None:
    """An address that is given twice enters the digest once."""
    one, two = bench.shared_addresses[:2]
    master = start(addresses=(one, two, one))
    seen = master.reach_master()
    once = replace(master.secret, addresses=(one, two))
    wire.check("each address hashed once signs", signed_with(seen, once), True, seen)


@covers("CARP-AUTH-032")
@needs("configured_order", "multiple_addresses", "ipv6")
@takes(6)
def test_addresses_are_hashed_as_configured(start: Start, bench: Bench, wire: Segment) -> None:
    """IPv4 addresses are hashed in the order of the interface's list, then the IPv6 addresses in theirs."""
    four = [one for one in bench.shared_addresses if isinstance(one, IPv4Address)][:2]
    six = [one for one in bench.shared_addresses if isinstance(one, IPv6Address)][:2]
    listed: tuple[Address, ...] = (six[1], four[1], six[0], four[0])
    master = start(addresses=listed)
    seen = master.reach_master()
    header = Subject.header(seen)
    hashed = b"".join(one.packed for one in (four[1], four[0], six[1], six[0]))
    wire.check(
        "the hashed list",
        Secret(master.settings.password, listed, master.dialect.address_rule).message(1, b"")[3:],
        hashed,
        seen,
    )
    wire.check("the addresses in the order of the list sign it", signed_with(seen, master.secret), True, seen)
    wire.check("vhid", header.vhid, 1, seen)


@covers("CARP-AUTH-022")
@needs("custom_lladdr")
@takes(6)
def test_mac_set_by_hand_is_hashed(start: Start, wire: Segment) -> None:
    """A MAC address that was set by hand is hashed between 02 01 and the vhid, and is the Ethernet source."""
    mac = bytes.fromhex("02c0ffee0001")
    master = start(options={"lladdr": "02:c0:ff:ee:00:01"})
    seen = master.reach_master()
    wire.check("with the MAC it signs", signed_with(seen, replace(master.secret, lladdr=mac)), True, seen)
    wire.check("without the MAC it signs", signed_with(seen, master.secret), False, seen)
    wire.check("Ethernet source", seen.frame.source, mac, seen)


@covers("CARP-CONF-015")
@needs("carp_interface")
@takes(5)
def test_own_address_forces_advskew_0(start: Start, wire: Segment, bench: Bench) -> None:
    """A carp interface that shares a real address of its host advertises advskew 0."""
    subject = start(addresses=(bench.hosts["a"].addresses[0],), advskew=100)
    seen = subject.reach_master()
    wire.check("advskew", Subject.header(seen).advskew, 0, seen)


@covers("CARP-CONF-016")
@needs("carp_interface")
@takes(1)
def test_address_without_a_subnet_is_refused(start: Start, wire: Segment, bench: Bench) -> None:
    """A shared address in whose subnet no interface has one is refused (EADDRNOTAVAIL); one inside is taken."""
    refusal = refuses(wire, start, "203.0.113.1", addresses=(IPv4Address("203.0.113.1"),), vhid=2)
    said = any(one in refusal.said for one in NO_ADDRESS)
    wire.check("the error", NO_ADDRESS[0] if said else refusal.said, NO_ADDRESS[0])
    accepts(wire, start, "an address inside", vhid=3)


@covers("CARP-WIRE-022")
@needs("own_addresses")
@takes(5)
def test_source_without_a_real_address(start: Start, wire: Segment, bench: Bench) -> None:
    """Without a real IPv4 address on the interface the shared address is the source."""
    cast("Unnumbered", bench.hosts["a"]).remove_own_addresses(4)
    subject = start()
    window = subject.start_window
    seen = wire.expect(subject.advertised_by_anybody(), within=window)
    assert isinstance(seen, FrameSeen)
    wire.check("IPv4 source", Subject.ip(seen).source, bench.shared_addresses[0], seen)
