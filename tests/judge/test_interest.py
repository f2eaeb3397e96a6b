"""What the kernel hands over to a live session: all that its monitors can use, and of a flood beside it nothing."""

import contextlib
import itertools
import json
import signal
import socket
import struct
from ipaddress import IPv4Address, IPv6Address
from operator import itemgetter

import pytest

from conformance.judge import document
from conformance.judge import watch as watching
from conformance.judge.interest import Interest, interest, program
from conformance.judge.lane import Options
from conformance.judge.listener import packet_socket, receive
from conformance.judge.packets import Unreadable
from conformance.judge.readers import read
from conformance.judge.session import Session
from conformance.segment.filter import DROP, PASS, attach
from conformance.wire.frame import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    ArpOperation,
    arp,
    ethernet,
    ipv4,
    ipv6,
    virtual_mac,
)
from tests.judge.making import MAC_A, MAC_B, MAC_C, PASSWORDS, RECORDINGS, SECOND, START, VIP, Member
from tests.judge.test_watch import Interrupting

CLIENT, PEER, SHARED = IPv4Address("192.0.2.77"), IPv4Address("198.51.100.9"), IPv4Address(VIP)
CLIENT6, PEER6 = IPv6Address("2001:db8::77"), IPv6Address("2001:db8:1::9")


def udp(source_mac=MAC_C, destination_mac=MAC_B, source=CLIENT, destination=PEER):
    return ethernet(
        destination_mac, source_mac, ETHERTYPE_IPV4, ipv4(source, destination, bytes(20), protocol=17)
    )


def udp6(source_mac=MAC_C, destination_mac=MAC_B, source=CLIENT6, destination=PEER6, protocol=17):
    return ethernet(
        destination_mac, source_mac, ETHERTYPE_IPV6, ipv6(source, destination, bytes(20), protocol=protocol)
    )


def tagged(frame, *tags):
    return frame[:12] + b"".join(struct.pack("!HH", kind, vlan) for kind, vlan in tags) + frame[12:]


def passes(code, data):
    """What the kernel's machine makes of a program: an interpreter of the instructions that are used here, for a frame of which no tag was taken off."""
    a = x = at = 0
    while True:
        kind, if_true, if_false, value = code[at]
        at += 1
        width = {0x20: 4, 0x28: 2, 0x30: 1, 0x40: 4, 0x48: 2, 0x50: 1}.get(kind)
        if width is not None:
            start = value + (x if kind & 0x40 else 0)
            if value >= 0xFFFFF000:
                a = 0
            elif start + width > len(data):
                return False
            else:
                a = int.from_bytes(data[start : start + width], "big")
        elif kind == 0x15:
            at += if_true if a == value else if_false
        elif kind == 0x05:
            at += value
        elif kind == 0x01:
            x = value
        elif kind == 0x87:
            a = x
        elif kind == 0x04:
            a += value
        elif kind == 0x07:
            x = a
        else:
            assert kind == 0x06, f"{kind:#x} is not known here"
            return value != 0


def told(frames, *, filtered):
    """The document over frames (time, data); ``filtered`` as ``watch`` hears them, which looks twice a second what is of interest now."""
    session = Session(Options(tuple(PASSWORDS)))
    wanted, code, looked_ns, passed = Interest(), program(Interest()), 0, 0
    for number, (time_ns, data) in enumerate(frames, 1):
        if filtered and time_ns - looked_ns >= SECOND // 2:
            looked_ns = time_ns
            if interest(session) != wanted:
                wanted = interest(session)
                code = program(wanted)
        if not filtered or passes(code, data):
            passed += 1
            session.packet(time_ns, 0, number, data, False)
    session.end_ns = frames[-1][0]
    session.finish()
    result = json.loads(json.dumps(document.build(session, ["eth0"], [])))
    return result, passed


def both(frames):
    """The one document over all frames and over those that pass; and how many pass."""
    frames = sorted(frames, key=itemgetter(0))
    (whole, _), (heard, passed) = told(frames, filtered=False), told(frames, filtered=True)
    assert heard == whole
    return whole, passed


def at(seconds, frame):
    return START + round(seconds * SECOND), frame


def master(*moments, **fields):
    return [(START + time_ns, frame) for time_ns, frame in Member(**fields).run(*moments)]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_recordings_are_judged_alike(path):
    with contextlib.ExitStack() as stack:
        frames = [(time_ns, data) for time_ns, _, _, data, _ in read([path], Unreadable(), stack)]
    both(frames)


def test_clients_that_still_send_to_the_former_master_are_told():
    """To its physical MAC: what ucarp's hosts announce."""
    claims = [arp(ArpOperation.REPLY, mac, SHARED, mac, SHARED) for mac in (MAC_A, MAC_B)]
    late = [at(6 + n / 10, udp(destination_mac=MAC_A, destination=SHARED)) for n in range(5)]
    beside = [at(6 + n / 1000, udp(destination_mac=MAC_A)) for n in range(1000)]
    result, passed = both([*master(0, 10), at(0.01, claims[0]), at(4, claims[1]), *late, *beside])
    assert "stale-clients" in json.dumps(result)
    assert passed == 10 + 2 + 5


@pytest.mark.parametrize("tags", [(), ((0x8100, 5),), ((0x88A8, 7), (0x8100, 5))])
def test_a_backup_that_sends_from_the_virtual_mac_is_told(tags):
    backup = Member(source="192.0.2.12", advskew=100).frame(4)
    stray = udp(virtual_mac(1), MAC_C, IPv4Address("192.0.2.12"))
    frames = [*master(0, 12), at(0.5, backup), *(at(6 + n, stray) for n in range(5))]
    foreign = [at(2 + n / 1000, udp(virtual_mac(1), MAC_C, CLIENT)) for n in range(1000)]
    result, passed = both([(time_ns, tagged(data, *tags)) for time_ns, data in (*frames, *foreign)])
    assert "192.0.2.12" in json.dumps([host["findings"] for host in result["vhids"]])
    assert passed == 12 + 1 + 5


def test_addresses_that_clients_send_to_the_virtual_mac_explain_digests():
    """The shared address is told by nobody but the clients, and what a router forwards is no flood for long."""
    ping = [at(1.2, udp(MAC_C, virtual_mac(1), CLIENT, SHARED)), at(2.2, udp6(MAC_C, virtual_mac(1)))]
    flood = [
        at(3 + n / 1000, udp(MAC_C, virtual_mac(1), CLIENT, IPv4Address(f"198.51.100.{n % 250 + 1}")))
        for n in range(5000)
    ]
    flood6 = [at(4 + n / 1000, udp6(MAC_C, virtual_mac(1))) for n in range(3000)]
    result, passed = both([*master(0, 12, password=PASSWORDS[0]), *ping, *flood, *flood6])
    assert result["vhids"][0]["authenticated"] == 12
    assert passed < 12 + 2 + 600  # the half second until the kernel was told
    assert (
        told([*master(0, 12, password=PASSWORDS[0]), *ping[1:]], filtered=False)[0]["vhids"][0][
            "authenticated"
        ]
        == 0
    )


def test_what_is_known_of_one_vlan_does_not_hide_another():
    full = [
        at(n / 10, udp(MAC_C, virtual_mac(1), CLIENT, IPv4Address(f"198.51.100.{n + 1}"))) for n in range(20)
    ]
    other = [(time_ns, tagged(data, (0x8100, 5))) for time_ns, data in master(3, 9, password=PASSWORDS[0])]
    ping = tagged(udp(MAC_C, virtual_mac(1), CLIENT, SHARED), (0x8100, 5))
    result, _ = both([*full, *other, at(7, ping)])
    assert result["vhids"][0]["authenticated"] == 9


ADVERTISEMENT = Member().frame()
WANTED = {
    "carp": ADVERTISEMENT,
    "carp over ipv6": Member(source="fe80::1").frame(),
    "a later fragment of protocol 112": ethernet(
        MAC_B, MAC_A, ETHERTYPE_IPV4, ipv4(CLIENT, PEER, bytes(24), fragment=0x0003)
    ),
    "arp": arp(ArpOperation.REQUEST, MAC_A, CLIENT, bytes(6), SHARED),
    "icmpv6": udp6(protocol=58),
    **{f"ipv6, next header {number}": udp6(protocol=number) for number in (0, 43, 44, 60, 112)},
    "to the virtual mac": udp(destination_mac=virtual_mac(9)),
    "ipv6 to the virtual mac": udp6(destination_mac=virtual_mac(9)),
}
UNWANTED = {
    "udp": udp(),
    "udp over ipv6": udp6(),
    "icmp": ethernet(MAC_B, MAC_A, ETHERTYPE_IPV4, ipv4(CLIENT, PEER, bytes(24), protocol=1)),
    "from the virtual mac, by nobody who speaks": udp(virtual_mac(8)),
    "lldp": ethernet(MAC_B, MAC_A, 0x88CC, bytes(46)),
    "short": ADVERTISEMENT[:20],
}
TAGS = {"untagged": (), "tagged": ((0x8100, 5),), "tagged twice": ((0x88A8, 7), (0x8100, 5))}


@pytest.mark.parametrize("tags", TAGS)
@pytest.mark.parametrize("direction", ["received", "sent"])
def test_the_kernel_passes_what_monitors_use(pair, tags, direction):
    """Of a received frame it takes the outer tag off; in one that was sent here the tags are still data."""
    _, left, right = pair
    with left.namespace.entered():
        wire = packet_socket("eth0")
    with contextlib.closing(wire), (right if direction == "received" else left).namespace.entered():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
            sender.bind(("eth0", 0))
            for data in (*UNWANTED.values(), *WANTED.values()):
                sender.send(tagged(data, *TAGS[tags]))
        heard = [one.data for one in receive(wire)]
    ours = [tagged(data, *TAGS[tags]) for data in (*UNWANTED.values(), *WANTED.values())]
    assert [data for data in heard if data in ours] == ours[len(UNWANTED) :]


def test_the_interpreter_and_the_kernel_agree(pair):
    """On a program with everything in it; the tests above rest on it."""
    _, left, _ = pair
    about = Interest(
        moved=frozenset({int(PEER)}),
        own=frozenset({int(CLIENT), 0x77}),
        noted=frozenset({int(SHARED)}),
        full=False,
    )
    macs, addresses = (MAC_A, virtual_mac(1)), (SHARED, PEER, CLIENT)
    frames = [
        udp(*two, *ends)
        for two in itertools.product(macs, macs)
        for ends in itertools.product(addresses, addresses)
    ]
    frames += [
        udp6(*two, *ends)
        for two in itertools.product(macs, macs)
        for ends in itertools.product((CLIENT6, PEER6), repeat=2)
    ]
    frames = [
        tagged(frame, *tags)
        for frame in (*frames, *WANTED.values())
        for tags in (*TAGS.values(), ((0x8100, 1),) * 3)
    ]
    for wanted in (about, Interest(full=True), Interest(own=frozenset(range(65)))):
        with left.namespace.entered():
            wire = packet_socket("eth0")
            attach(wire, program(wanted))
            with contextlib.closing(wire), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
                sender.bind(("eth0", 0))
                for frame in frames:
                    sender.send(frame)
                heard = [one.data for one in receive(wire)]
        expected = [frame for frame in frames if passes(program(wanted), frame)]
        assert 0 < len(expected) < len(frames)
        assert [frame for frame in heard if frame in set(frames)] == expected


def test_a_flood_beside_does_not_reach_the_process(pair, monkeypatch):
    """20,000 packets beside 40 advertisements: ``watch`` sees all of these, and is handed over no more frames than without the flood."""
    _, left, right = pair
    advertisements, flood = [Member().frame(number) for number in range(40)], udp()

    def flooded(interface):
        wire = packet_socket(interface)
        for advertisement in advertisements:
            sender.send(advertisement)
            for _ in range(500):
                sender.send(flood)
        return wire

    with right.namespace.entered():
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind(("eth0", 0))
    monkeypatch.setattr(watching, "packet_socket", flooded)
    with sender, left.namespace.entered():
        output = Interrupting('"event": "handover"', signal.SIGINT)
        result = watching.watch("eth0", json_lines=True, output=output, seconds=60)
    assert result["vhids"][0]["advertisements"] == 40
    assert result["unreadable"] == []
    assert result["frames"] < 60  # the namespaces' own neighbour discovery is among them


def test_programs_end_and_their_jumps_stay_inside():
    many = frozenset(range(64))
    code = program(Interest(many, many, frozenset(range(16))))
    assert len(code) <= 512
    assert code[-1] == DROP
    for place, (kind, if_true, if_false, value) in enumerate(code):
        assert max(if_true, if_false) < 256
        if kind in (0x15, 0x05):
            assert place + 1 + max(if_true, if_false, value if kind == 0x05 else 0) < len(code)
    assert PASS in program(Interest(frozenset(range(65))))
    assert len(program(Interest(frozenset(range(65)), frozenset(range(65))))) < len(code)
