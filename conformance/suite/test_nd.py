"""ND: how hosts and switches learn where a shared IPv6 address lives, and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address

import pytest

from conformance.segment.decision import Condition, NotApplicable, Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Event, FrameSeen
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.wire.frame import (
    ALL_NODES,
    ALL_NODES_MAC,
    Neighbour,
    NeighbourMessage,
    neighbour,
    virtual_mac,
)

AROUND_NS = 200_000_000
"""How far a neighbour advertisement may be from the CARP one that it goes with."""
ANSWER_NS = 500_000_000
"""How long a host may take to answer a solicitation (not a matter of CARP)."""
SILENCE_NS = 1_000_000_000
_NODE = bytes.fromhex("ff0200000000000000000001ff")


def shared6(bench: Bench, count: int = 1) -> tuple[IPv6Address, ...]:
    return tuple(one for one in bench.shared_addresses if isinstance(one, IPv6Address))[:count]


def message(seen: FrameSeen) -> Neighbour:
    assert seen.frame.neighbour is not None
    return seen.frame.neighbour


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The tester as a neighbour that asks for shared IPv6 addresses, from ``own``."""

    wire: Segment
    tester: Tester
    own: IPv6Address

    def asks(self, address: IPv6Address, mac: bytes | None = None) -> FrameSeen:
        """A solicitation for ``address``: multicast, or in a frame to ``mac``."""
        node = IPv6Address(_NODE + address.packed[13:])
        frame = neighbour(
            NeighbourMessage.SOLICITATION,
            address,
            self.tester.mac,
            source=self.own,
            destination=node if mac is None else address,
            source_mac=self.tester.mac,
            destination_mac=b"\x33\x33" + node.packed[12:] if mac is None else mac,
        )
        return self.wire.send(frame)

    def claims(self, address: IPv6Address, mac: bytes) -> FrameSeen:
        """An unsolicited advertisement that gives ``address`` to ``mac``, as a new MASTER sends it."""
        frame = neighbour(
            NeighbourMessage.ADVERTISEMENT,
            address,
            mac,
            source=self.own,
            destination=ALL_NODES,
            source_mac=mac,
            destination_mac=ALL_NODES_MAC,
            flags=0x20,
        )
        return self.wire.send(frame)

    def advertised(self, address: IPv6Address, *, solicited: bool) -> Condition:
        """A neighbour advertisement for ``address`` from somebody else."""

        def match(event: Event) -> bool:
            if not isinstance(event, FrameSeen) or event.sent or event.frame.neighbour is None:
                return False
            said = event.frame.neighbour
            about = said.message is NeighbourMessage.ADVERTISEMENT and said.target == address
            return about and said.solicited == solicited

        return Condition(
            f"{'an answer to the solicitation of' if solicited else 'an unsolicited advertisement of'} {address} comes",
            match,
        )

    def answered(self, question: FrameSeen) -> FrameSeen:
        """The answer to a solicitation, decided to come."""
        within = Window.after(question.time_ns, (0, ANSWER_NS), f"the question, frame {question.number}")
        event = self.wire.expect(self.advertised(message(question).target, solicited=True), within=within)
        assert isinstance(event, FrameSeen)
        return event


@pytest.fixture
def neighbourhood(bench: Bench, wire: Segment, tester: Tester) -> Neighbourhood:
    """The tester as a neighbour."""
    own = next(one for one in bench.tester_addresses if isinstance(one, IPv6Address))
    return Neighbourhood(wire, tester, own)


@pytest.fixture
def backup6(start: Start, bench: Bench, tester: Tester, neighbourhood: Neighbourhood) -> Subject:
    """A BACKUP with one IPv6 address that has just heard a better MASTER."""
    subject = start(addresses=shared6(bench))
    tester.send(subject.better(source=neighbourhood.own))
    return subject


@pytest.fixture
def master6(start: Start, bench: Bench) -> Subject:
    """A MASTER with one IPv6 address."""
    subject = start(addresses=shared6(bench))
    subject.reach_master()
    return subject


def announced(subject: Subject, about: Neighbourhood, address: IPv6Address) -> FrameSeen:
    """The unsolicited advertisement of a take-over that ``subject`` is about to make, decided to come with it."""
    first = subject.reach_master()
    within = Window.after(first.time_ns - 1, (0, AROUND_NS), f"its first advertisement, frame {first.number}")
    event = about.wire.expect(about.advertised(address, solicited=False), within=within)
    assert isinstance(event, FrameSeen)
    return event


@covers("CARP-ND-001")
@needs("ipv6")
@takes(6)
def test_take_over_is_announced_for_each_address(
    start: Start, bench: Bench, wire: Segment, neighbourhood: Neighbourhood
) -> None:
    """On becoming MASTER a node multicasts one unsolicited neighbour advertisement for each shared IPv6 address
    to ff02::1.
    """
    shared = shared6(bench, 2)
    subject = start(addresses=shared)
    for address in shared:
        seen = announced(subject, neighbourhood, address)
        wire.check("destination", Subject.ip(seen).destination, ALL_NODES, seen)
        wire.check("Ethernet destination", seen.frame.destination, ALL_NODES_MAC, seen)
    wire.watch(subject.interval_ns // 2)
    for address in shared:
        sought = neighbourhood.advertised(address, solicited=False)
        wire.check(f"announcements of {address}", sum(map(sought.match, wire.trace.frames)), 1)


@covers("CARP-ND-002", "CARP-ND-004")
@needs("ipv6")
@takes(5)
def test_flags_of_the_announcement(
    start: Start, bench: Bench, wire: Segment, neighbourhood: Neighbourhood
) -> None:
    """It has Override set and Solicited clear, hop limit 255, and Router clear on a host that does not forward."""
    (address,) = shared6(bench)
    seen = announced(start(addresses=(address,)), neighbourhood, address)
    said = message(seen)
    wire.check(
        "Router, Solicited, Override",
        (said.router, said.solicited, said.override),
        (False, False, True),
        seen,
    )
    wire.check("hop limit", Subject.ip(seen).ttl, 255, seen)


@covers("CARP-ND-003")
@needs("ipv6")
@takes(5)
@pytest.mark.parametrize("vhid", [1, 255])
def test_announcement_gives_the_virtual_mac(
    start: Start, bench: Bench, wire: Segment, neighbourhood: Neighbourhood, vhid: int
) -> None:
    """Its target link-layer address is the virtual MAC."""
    (address,) = shared6(bench)
    seen = announced(start(vhid=vhid, addresses=(address,)), neighbourhood, address)
    wire.check("target link-layer address", message(seen).link_address, virtual_mac(vhid), seen)


@covers("CARP-ND-010")
@needs("ipv6")
@takes(5)
def test_announcement_follows_the_advertisement(
    start: Start, bench: Bench, wire: Segment, neighbourhood: Neighbourhood
) -> None:
    """The unsolicited advertisement comes after the CARP one, within 50 ms."""
    (address,) = shared6(bench)
    subject = start(addresses=(address,))
    seen = announced(subject, neighbourhood, address)
    first = next(subject.own_frames())
    wire.check("which comes first", "CARP" if first.number < seen.number else "ND", "CARP", first, seen)
    wire.check_span("time between the two", seen.time_ns - first.time_ns, (0, 50_000_000), first, seen)


@covers("CARP-ND-005")
@needs("ipv6")
@takes(5)
def test_master_answers_a_multicast_solicitation(
    master6: Subject, wire: Segment, neighbourhood: Neighbourhood
) -> None:
    """A MASTER answers a multicast solicitation of the shared address with the virtual MAC."""
    (address,) = shared6_of(master6)
    seen = neighbourhood.answered(neighbourhood.asks(address))
    wire.check("target link-layer address", message(seen).link_address, virtual_mac(1), seen)
    wire.check("destination", Subject.ip(seen).destination, neighbourhood.own, seen)


@covers("CARP-ND-005")
@needs("ipv6")
@takes(5)
def test_master_answers_a_unicast_solicitation(master6: Subject, neighbourhood: Neighbourhood) -> None:
    """A MASTER answers a solicitation of the shared address that is sent to its virtual MAC."""
    (address,) = shared6_of(master6)
    neighbourhood.answered(neighbourhood.asks(address, virtual_mac(1)))


@covers("CARP-ND-007")
@needs("ipv6")
@takes(5)
def test_answer_to_a_unicast_solicitation(
    master6: Subject, wire: Segment, neighbourhood: Neighbourhood
) -> None:
    """The answer to a unicast solicitation carries the virtual MAC and leaves from it."""
    (address,) = shared6_of(master6)
    seen = neighbourhood.answered(neighbourhood.asks(address, virtual_mac(1)))
    wire.check("target link-layer address", message(seen).link_address, virtual_mac(1), seen)
    wire.check("Ethernet source", seen.frame.source, virtual_mac(1), seen)


def shared6_of(subject: Subject) -> list[IPv6Address]:
    return [one for one in subject.settings.addresses if isinstance(one, IPv6Address)]


@covers("CARP-ND-006")
@needs("ipv6")
@takes(6)
@pytest.mark.parametrize("how", ["multicast", "virtual-mac", "own-mac"])
def test_backup_does_not_answer(
    backup6: Subject, wire: Segment, neighbourhood: Neighbourhood, how: str
) -> None:
    """A BACKUP does not answer solicitations of the shared address; once it is MASTER it does."""
    (address,) = shared6_of(backup6)
    to = {"multicast": None, "virtual-mac": virtual_mac(1), "own-mac": backup6.host.mac}[how]
    neighbourhood.asks(address, to)
    answer = neighbourhood.advertised(address, solicited=True)
    wire.expect_none(answer, for_ns=SILENCE_NS, barrier=backup6.alive)
    wire.expect(backup6.becomes_master(), within=backup6.master_down_window())
    neighbourhood.answered(neighbourhood.asks(address))


@covers("CARP-ND-009")
@needs("ipv6")
@takes(6)
def test_backup_ignores_what_its_master_announces(
    backup6: Subject, wire: Segment, neighbourhood: Neighbourhood
) -> None:
    """A neighbour advertisement of the shared address does not keep a BACKUP from using it later."""
    (address,) = shared6_of(backup6)
    neighbourhood.claims(address, virtual_mac(1))
    wire.expect(backup6.becomes_master(), within=backup6.master_down_window())
    neighbourhood.answered(neighbourhood.asks(address))


@covers("CARP-V6-011")
@needs("ipv6", "carp_interface")
@takes(8)
def test_link_local_address_of_the_carp_interface(
    start: Start, bench: Bench, tester: Tester, wire: Segment, neighbourhood: Neighbourhood
) -> None:
    """The link-local address that derives from the virtual MAC is answered for by the MASTER, not by a BACKUP."""
    own = IPv6Address("fe80::200:5eff:fe00:101")
    subject = start(addresses=shared6(bench))
    tester.send(subject.worse(source=neighbourhood.own))
    neighbourhood.asks(own)
    answer = neighbourhood.advertised(own, solicited=True)
    wire.expect_none(answer, for_ns=SILENCE_NS, barrier=subject.alive)
    wire.expect(subject.becomes_master(), within=subject.master_down_window())
    seen = neighbourhood.answered(neighbourhood.asks(own))
    wire.check("target link-layer address", message(seen).link_address, virtual_mac(1), seen)


@covers("CARP-SCENARIO-021")
@needs("ipv6", "state_read")
@hosts(2)
@takes(10)
def test_node_in_init_does_not_answer(
    start: Start, bench: Bench, wire: Segment, neighbourhood: Neighbourhood
) -> None:
    """A host whose virtual host is in INIT does not answer for the shared IPv6 address; its peer, the MASTER,
    does, and nobody else.
    """
    shared = shared6(bench)
    master, idle = start(on="a", addresses=shared), start(on="b", addresses=shared, advskew=200)
    master.reach_master()
    before_ns = idle.just_now_ns
    if idle.profile.pics.get("carp_interface"):
        idle.carp_interface(up=False)
    elif idle.dialect.allow_stops:
        idle.sysctls().set_sysctl("allow", 0)
    else:
        raise NotApplicable(
            f"nothing puts a virtual host of {idle.dialect.key} into INIT while its link is up"
        )
    wire.expect(idle.enters("INIT"), within=idle.reaction_window(before_ns))
    question = neighbourhood.asks(shared[0])
    neighbourhood.answered(question)
    wire.watch(ANSWER_NS)
    sought = neighbourhood.advertised(shared[0], solicited=True)
    answers = [seen for seen in wire.trace.frames if seen.number > question.number and sought.match(seen)]
    wire.check("number of answers", len(answers), 1, *answers)
    wire.check("target link-layer address", message(answers[0]).link_address, virtual_mac(1), *answers)
