"""The tester's place on a wire."""

from __future__ import annotations

import socket
from ipaddress import ip_interface

import pytest
from pyroute2 import IPRoute

from conformance.lab.attachment import attached, interface_mac
from conformance.lab.netns import NamespaceError, may_create, switch

pytestmark = pytest.mark.skipif(not may_create(), reason="needs network namespaces")
MAC = bytes.fromhex("0200000002fe")


@pytest.fixture
def wire():
    """A switch with a tester (192.0.2.254) and a neighbour on it; the thread is where the tester is."""
    with switch() as (plugged, stack):
        tester = plugged.plug("tester", "192.0.2.254/24", MAC, stack)
        neighbour = plugged.plug("b", "192.0.2.2/24", bytes.fromhex("020000000202"), stack)
        plugged.settle()
        with tester.namespace.entered():
            yield neighbour


def addresses(interface):
    with IPRoute() as ip:
        index = ip.link_lookup(ifname=interface)[0]
        return {one.get_attr("IFA_ADDRESS") for one in ip.get_addr(index=index)}


def test_interface_as_it_is(wire):
    with attached("eth0", [ip_interface("192.0.2.254/24")], None) as place:
        assert (place.interface, place.mac, place.namespace) == ("eth0", MAC, None)
        with place.entered():
            assert interface_mac("eth0") == MAC
    assert addresses("eth0") == {"192.0.2.254"}


def test_address_that_was_missing_is_taken_away_again(wire):
    with attached("eth0", [ip_interface("192.0.2.254/24"), ip_interface("192.0.2.253/24")], None):
        assert addresses("eth0") == {"192.0.2.254", "192.0.2.253"}
    assert addresses("eth0") == {"192.0.2.254"}


def test_ipv6_addresses_are_the_testers_frames_alone(wire):
    """The stack of the interface has IPv6 switched off here, and would refuse one."""
    with attached("eth0", [ip_interface("192.0.2.254/24"), ip_interface("fe80::fe/64")], None):
        assert addresses("eth0") == {"192.0.2.254"}


def test_vlan_in_a_namespace_of_its_own_sends_with_its_tag(wire):
    with wire.namespace.entered():
        hearing = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        hearing.setsockopt(263, 8, 1)  # PACKET_AUXDATA: the kernel keeps the tag there
        hearing.bind(("eth0", 3))
        hearing.settimeout(5)
    with attached("eth0", [ip_interface("192.0.2.254/24")], 3001) as place, hearing:
        assert place.mac == MAC
        with place.entered():
            assert addresses(place.interface) == {"192.0.2.254"}
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sending:
                sending.bind((place.interface, 0))
                sending.send(b"\xff" * 6 + MAC + b"\x88\xb5" + bytes(46))
        tags = []
        while not tags:
            data, ancillary, *_ = hearing.recvmsg(2048, 256)
            if data[12:14] == b"\x88\xb5":
                tags = [
                    int.from_bytes(value[16:18], "little") & 0xFFF
                    for _, kind, value in ancillary
                    if kind == 8
                ]
    assert tags == [3001]


def test_nothing_of_a_vlan_is_left(wire):
    with attached("eth0", [ip_interface("192.0.2.254/24")], 3001) as place:
        name = place.interface
    with IPRoute() as ip:
        assert not ip.link_lookup(ifname=name)
    with attached("eth0", [ip_interface("192.0.2.254/24")], 3001):
        pass


def test_interface_that_is_not_there_is_one_sentence(wire):
    with (
        pytest.raises(
            NamespaceError, match="this machine has no interface 'eth9': give the name that ip link shows"
        ),
        attached("eth9", [], None),
    ):
        pass
