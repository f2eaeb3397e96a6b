"""Announcements are credited to the host that owes them, and judged."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from conformance.judge.ledger import Who
from conformance.wire.frame import (
    ALL_NODES,
    ALL_NODES_MAC,
    ETHERTYPE_IPV4,
    ArpOperation,
    NeighbourMessage,
    arp,
    ethernet,
    ipv4,
    neighbour,
    virtual_mac,
)
from tests.judge.making import MAC_A, MAC_C, VIP, Member, addresses, fed

V4, V4B = addresses("192.0.2.1", "192.0.2.5")


class TestAnnouncements:
    def test_only_its_own_host_is_credited(self):
        """Announcements of another vhid, of an own address, of a stranger, and late ones count for nobody."""
        member, after = Member(), Member(source="192.0.2.12", advskew=1, counter=1001)
        own = arp(ArpOperation.REQUEST, MAC_C, IPv4Address("192.0.2.12"), bytes(6), IPv4Address("192.0.2.12"))
        stranger = arp(
            ArpOperation.REQUEST, MAC_C, IPv4Address("192.0.2.77"), bytes(6), IPv4Address("192.0.2.77")
        )
        probe = arp(ArpOperation.REQUEST, MAC_C, IPv4Address(0), bytes(6), IPv4Address("192.0.2.77"))
        other = Member(vhid=9).announcement(0)[1]
        quiet = [ethernet(MAC_A, MAC_C, ETHERTYPE_IPV4, ipv4(V4, V4B, b"x", protocol=17))] * 40
        frames = [
            member.frame(),
            *quiet,
            after.frame(),
            own,
            stranger,
            probe,
            other,
            *quiet,
            member.announcement(0)[1],
        ]
        session = fed(*frames)
        verdicts = session.ledger.tallies[Who((), 1, IPv4Address("192.0.2.12"))]
        assert verdicts["CARP-ARP-001"].fails == 1

    def test_a_wrong_form_of_announcement(self):
        vip = IPv4Address(VIP)
        odd = arp(ArpOperation.REPLY, virtual_mac(1), vip, MAC_C, vip, destination_mac=MAC_A)
        tallies = fed(Member().frame(), odd).ledger.tallies[Who((), 1, IPv4Address("192.0.2.11"))]
        assert (
            tallies["CARP-ARP-002"].fails,
            tallies["CARP-ARP-003"].fails,
            tallies["CARP-ARP-004"].fails,
        ) == (1, 0, 1)

    def test_an_announcement_shortly_before_the_first_advertisement(self):
        tallies = fed(Member(vhid=2).frame(), Member().announcement(0)[1], Member().frame()).ledger.tallies
        assert "CARP-ARP-001" not in tallies[Who((), 1, IPv4Address("192.0.2.11"))]

    def test_an_answer_to_arp(self):
        vip = IPv4Address(VIP)
        answer = arp(
            ArpOperation.REPLY, virtual_mac(1), vip, MAC_C, IPv4Address("192.0.2.99"), destination_mac=MAC_C
        )
        tallies = fed(Member().frame(), answer, answer).ledger.tallies[Who((), 1, IPv4Address("192.0.2.11"))]
        assert tallies["CARP-ARP-009"].passes == 2

    @pytest.mark.parametrize(("flags", "where"), [(0x60, "fe80::99"), (0, "ff02::1"), (0x20, "fe80::99")])
    def test_neighbour_advertisements(self, flags, where):
        shared = IPv6Address("2001:db8::1")
        said = neighbour(
            NeighbourMessage.ADVERTISEMENT,
            shared,
            virtual_mac(1),
            source=shared,
            destination=IPv6Address(where),
            source_mac=virtual_mac(1),
            destination_mac=ALL_NODES_MAC,
            flags=flags,
        )
        asked = neighbour(
            NeighbourMessage.SOLICITATION,
            shared,
            None,
            source=shared,
            destination=ALL_NODES,
            source_mac=MAC_C,
            destination_mac=ALL_NODES_MAC,
        )
        member = Member(source="fe80::11", tos=0)
        tallies = fed(said, member.frame(), said, asked).ledger.tallies[Who((), 1, IPv6Address("fe80::11"))]
        seen = {name for name in tallies if "-ND-" in name}
        assert (
            seen
            == {0x60: {"CARP-ND-005"}, 0: {"CARP-ND-001", "CARP-ND-002", "CARP-ND-003"}, 0x20: set()}[flags]
        )
        assert flags or tallies["CARP-ND-002"].fails == 1

    def test_nobody_is_master_to_be_credited(self):
        vip = IPv4Address(VIP)
        answer = arp(
            ArpOperation.REPLY, virtual_mac(1), vip, MAC_C, IPv4Address("192.0.2.99"), destination_mac=MAC_C
        )
        session = fed(Member(ttl=3).frame(), answer)
        assert "CARP-ARP-009" not in session.ledger.tallies[Who((), 1, IPv4Address("192.0.2.11"))]
