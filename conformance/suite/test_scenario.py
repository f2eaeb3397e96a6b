"""SCENARIO: what users of CARP have run into, as named regressions. Each docstring names the report."""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from conformance.segment.decision import Condition, Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.beside.client import Client
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.targets.subject.group import Group
from conformance.wire.digest import Secret
from conformance.wire.frame import ETHERTYPE_IPV4, GROUP_IPV4, ethernet, ipv4, virtual_mac
from conformance.wire.header import checksum

Start = Callable[..., Subject]

SECOND = 1_000_000_000
APART_NS = 20_000_000
IGMP, IGMP_QUERY = 2, 0x11
ALL_HOSTS, ALL_HOSTS_MAC = IPv4Address("224.0.0.1"), bytes.fromhex("01005e000001")


@pytest.fixture
def client(bench: Bench, wire: Segment, tester: Tester) -> Client:
    """Somebody on the segment who uses the shared address."""
    address = bench.shared_addresses[0]
    assert isinstance(address, IPv4Address)
    return Client(wire, tester, bench, address)


@covers("CARP-SCENARIO-001")
@takes(4)
def test_one_advertisement_gives_a_weak_password_away(start: Start, wire: Segment) -> None:
    """One captured advertisement is enough to test guesses at the password against it.

    Field report: carp2john (https://github.com/openwall/john/issues/4894).
    """
    words = ("password", "secret", "letmein", "carp")
    subject = start(advskew=0, password=words[2])
    seen = subject.reach_master()
    carp = subject.header(seen)
    secrets = (Secret(word, subject.settings.addresses, subject.dialect.address_rule) for word in words)
    right = [
        place
        for place, secret in enumerate(secrets, start=1)
        if secret.verifies(carp.vhid, carp.counter, carp.digest)
    ]
    wire.check("the place of the password in a list of four words", right, [3], seen)


@covers("CARP-SCENARIO-006")
@needs("service")
@takes(4)
def test_take_over_does_not_wait_for_services(start: Start, client: Client, wire: Segment) -> None:
    """A node takes the address over on time although no service runs behind it; the service answers as soon
    as it does.

    Field report: a node is MASTER before its services run (https://github.com/opnsense/core/issues/1557).
    """
    subject = start(advskew=0)
    with client.using_the_service():
        wire.expect(subject.becomes_master(), within=subject.start_window)
        wire.check("hosts that have answered on the shared address", len(client.answers), 0)
        served_ns = wire.now_ns()
        client.serves(subject.host)
        wire.expect(
            client.served_by(subject.name),
            within=Window.after(served_ns, (0, 2 * SECOND), "the start of the service"),
        )


@covers("CARP-SCENARIO-008")
@takes(12)
def test_address_is_reachable_after_one_sided_loss(
    start: Start, client: Client, tester: Tester, wire: Segment
) -> None:
    """A peer that did not hear the MASTER takes over, announces itself and gives up again: then an echo to
    where hosts believe the address to be reaches the MASTER.

    Field reports: the old MASTER never noticed and never refreshes ARP
    (https://github.com/acassen/keepalived/issues/74, https://github.com/fredbcode/Vrrpd/issues/17).
    """
    master = start(advskew=0)
    first = master.reach_master()
    master.next_own(3)
    claimed_mac = tester.mac if client.cached_mac() == master.host.mac else virtual_mac(master.settings.vhid)
    with tester.advertising(master.worse()) as worse:
        client.claims(claimed_mac)
        master.stays_master(worse)
    (back,) = master.next_own()
    assert back.time_ns > first.time_ns
    pinged = client.pings(client.cached_mac())
    wire.expect(client.hears_echo(), within=client.answer_window(pinged))


@covers("CARP-SCENARIO-009", "CARP-ELECT-028")
@takes(23)
@pytest.mark.parametrize(
    ("names", "step"),
    [
        pytest.param("abc", 0, marks=hosts(3)),
        pytest.param("abcde", 0, marks=hosts(5)),
        pytest.param("abcde", 25, marks=hosts(5)),
        pytest.param("abcdefgh", 0, marks=hosts(8)),
    ],
)
def test_many_nodes_settle_on_one_master(start: Start, wire: Segment, names: str, step: int) -> None:
    """Several nodes of equal or graded advskew that start one after the other settle on one MASTER.

    Field report: several BACKUPs promote themselves together (ucarp before commit b2fb432).
    """
    nodes = start_one_by_one(start, wire, names, step)
    group = Group(wire, tuple(nodes))
    group.settles_on(*(nodes[:1] if step else nodes), after_ns=nodes[-1].iut.started_ns)


@covers("CARP-SCENARIO-009", "CARP-ELECT-002")
@needs("kill")
@takes(16)
@pytest.mark.parametrize(
    ("names", "step"),
    [pytest.param("abc", 50, marks=hosts(3)), pytest.param("abcde", 1, marks=hosts(5))],
)
def test_many_nodes_replace_a_dead_master(start: Start, wire: Segment, names: str, step: int) -> None:
    """When the MASTER of several nodes of graded advskew dies, the rest settle on the best of them.

    Field report: several BACKUPs promote themselves together (ucarp before commit b2fb432).
    """
    master, *rest = start_one_by_one(start, wire, names, step)
    master.reach_master()
    (last,) = master.next_own()
    master.iut.kill()
    Group(wire, tuple(rest)).settles_on(rest[0], after_ns=last.time_ns)


@covers("CARP-SCENARIO-011")
@takes(10)
def test_backup_never_uses_the_virtual_mac(
    start: Start, client: Client, tester: Tester, wire: Segment
) -> None:
    """While a node is held in BACKUP, no frame that it sends has the virtual MAC as its source, whatever it
    is asked; it does speak.

    The peer that holds it sends from its own MAC, so that frames to the virtual one reach the node.

    Field report: a BACKUP moves the virtual MAC in the switch's table
    (https://github.com/toreamun/opnsense-plugins/issues/99, 101).
    """
    backup = start()
    mac = virtual_mac(backup.settings.vhid)
    with tester.advertising(backup.better(source_mac=tester.mac)):
        client.asks()
        client.probes()
        client.pings(mac)
        client.pings(backup.host.mac)
        backup.alive()
        wire.watch(backup.take_over_bounds_ns[1])
        alive = backup.alive()
    seen = [frame for frame in wire.trace.frames if not frame.sent]
    wire.check("frames from the virtual MAC", sum(frame.frame.source == mac for frame in seen), 0, *seen[-1:])
    wire.check(
        "the source of its answer to an ARP request for its own address",
        alive.frame.source,
        backup.host.mac,
        alive,
    )
    wire.expect(backup.becomes_master(), within=backup.master_down_window())


@covers("CARP-SCENARIO-016")
@needs("memberships")
@takes(3)
def test_membership_is_reported_when_queried(backup: Subject, tester: Tester, wire: Segment) -> None:
    """A BACKUP reports its membership of 224.0.0.18 to each of two queries, so that a snooping switch goes on
    delivering advertisements to it.

    Field reports: a BACKUP goes deaf after some minutes (https://github.com/opnsense/src/issues/139, 111).
    """
    assert isinstance(tester.address, IPv4Address)
    body = struct.pack("!BBH4x", IGMP_QUERY, 10, 0)
    body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    query = ethernet(
        ALL_HOSTS_MAC,
        tester.mac,
        ETHERTYPE_IPV4,
        ipv4(tester.address, ALL_HOSTS, body, ttl=1, tos=0xC0, protocol=IGMP),
    )
    with tester.advertising(backup.better()):
        for _ in range(2):
            asked = tester.send_exactly(query)
            reports = Condition(
                f"{backup.name} reports its membership of {GROUP_IPV4}",
                lambda e: _reports(e, backup.host.addresses),
            )
            wire.expect(
                reports,
                within=Window.after(asked.time_ns, (0, 2 * SECOND), f"the query, frame {asked.number}"),
            )
            wire.watch(SECOND)


@covers("CARP-SCENARIO-018")
@takes(10)
def test_segment_carries_frames_from_a_virtual_mac(master: Subject, tester: Tester, wire: Segment) -> None:
    """A frame from a virtual MAC reaches the IUT, which yields to it, and the IUT's own frame from its
    virtual MAC has reached the tester.

    Field reports: hypervisors and switches that drop them (https://github.com/jedisct1/UCarp/issues/19,
    FRRouting/frr#5386).
    """
    (own,) = master.next_own()
    wire.check(
        "Ethernet source of its advertisement",
        own.frame.source,
        master.dialect.virtual_mac(master.settings.vhid),
        own,
    )
    master.expect_yields(tester.send(master.better(source_mac=virtual_mac(master.settings.vhid))))


@covers("CARP-AUTH-012")
@hosts(2)
@takes(12)
def test_differing_addresses_make_two_masters(start: Start, bench: Bench, wire: Segment) -> None:
    """Two nodes of one vhid and password whose shared addresses differ do not believe each other: both are
    MASTER.

    Field reports: an alias that is added on one node of a pair (https://github.com/opnsense/core/issues/2551,
    1779, 2795).
    """
    nodes = (
        start(on="a", addresses=bench.shared_addresses[:1]),
        start(on="b", addresses=bench.shared_addresses[1:2]),
    )
    group = Group(wire, nodes)
    wire.loop.run_until(lambda: False, nodes[1].iut.started_ns + group.settled_ns)
    group.advertisers_are({"a", "b"})


@covers("CARP-INTEROP-008")
@hosts(2)
@takes(23)
def test_backup_of_a_lower_advbase_stays_under_a_slower_master(start: Start, wire: Segment) -> None:
    """Without preemption a BACKUP of (1,100) stays under a MASTER of (2,0), whose interval is shorter than
    its down time.
    """
    slow = start(on="a", advbase=2, advskew=0)
    slow.reach_master()
    fast = start(on="b", advskew=100)
    Group(wire, (slow, fast)).settles_on(slow, after_ns=fast.iut.started_ns)


def start_one_by_one(start: Start, wire: Segment, names: str, step: int) -> list[Subject]:
    """A host for each of ``names``, each with ``step`` more advskew, not two of them at the same moment."""
    nodes = []
    for place, name in enumerate(names):
        nodes.append(start(on=name, advskew=place * step))
        wire.watch(APART_NS)
    return nodes


def _reports(event: object, addresses: tuple[object, ...]) -> bool:
    if (
        not isinstance(event, FrameSeen)
        or event.sent
        or event.frame.ip is None
        or event.frame.ip.source not in addresses
    ):
        return False
    return (
        event.frame.ip.protocol == IGMP
        and event.frame.payload[:1] in (b"\x12", b"\x16", b"\x22")
        and GROUP_IPV4.packed in event.frame.payload
    )
