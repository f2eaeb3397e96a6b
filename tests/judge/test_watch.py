"""The live view: passive, wakes on frames and signals, ends with the summary."""

import io
import json
import os
import signal
import socket
import threading
import time
from datetime import datetime, timedelta
from ipaddress import IPv4Address

import pytest
from rich.console import Console

from conformance.judge import history
from conformance.judge import watch as module
from conformance.judge.interest import Interest
from conformance.judge.lane import Options
from conformance.judge.listener import InterfaceDown, WatchError, receive
from conformance.judge.session import Session
from conformance.judge.watch import Reporter, table, watch
from conformance.wire.frame import ETHERTYPE_IPV4, ArpOperation, arp, ethernet, ipv4, virtual_mac
from tests.judge.making import MAC_A, MAC_C, SECOND, START, VIP, Member
from tests.judge.test_listener import Wire


@pytest.fixture
def segment(monkeypatch):
    """A stand-in for the packet socket: what is sent into it is received by ``watch``."""
    inside, outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    inside.setblocking(False)
    monkeypatch.setattr(module, "packet_socket", lambda _interface: inside)
    yield outside
    outside.close()
    inside.close()


class Interrupting(io.StringIO):
    """Output that interrupts the process when a text has been printed."""

    def __init__(self, text, number):
        super().__init__()
        self.text, self.number, self.sent = text, number, False

    def write(self, text):
        written = super().write(text)
        if self.text in self.getvalue() and not self.sent:
            self.sent = True
            os.kill(os.getpid(), self.number)
        return written


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_json_lines_until_interrupted(segment, number):
    before = signal.getsignal(number)
    for frame in (Member().frame(), Member(source="192.0.2.12", advskew=3).frame(9), Member().frame(1)):
        segment.send(frame)
    output = Interrupting('"event": "handover"', number)
    document = watch("eth9", json_lines=True, output=output, passwords=("secret",), addresses=("192.0.2.1",))
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert lines[0]["event"] == "handover"
    assert (lines[0]["from"], lines[0]["to"], lines[0]["vhid"]) == (None, "192.0.2.11", 1)
    assert {one["event"] for one in lines} == {"handover", "two-masters", "dual-master", "finding", "summary"}
    assert lines[-1] == {"event": "summary", **json.loads(json.dumps(document))}
    assert document["vhids"][0]["authenticated"] == 3
    assert signal.getsignal(number) is before
    assert "secret" not in output.getvalue()


def test_a_table_and_the_summary(segment):
    segment.send(Member().frame())
    output = io.StringIO()
    document = watch("eth9", output=output, seconds=0.01)
    assert document["captures"] == ["eth9"]
    assert "192.0.2.11" in output.getvalue()
    assert output.getvalue().rstrip().endswith("inconclusive")


def test_the_table_shows_master_interval_and_faults():
    session = Session(Options())
    hurried = Member(source_mac=b"\2\0\0\0\0\x0a", vhid=7)
    frames = [*hurried.run(0, 4), *Member(vhid=8, source="fe80::1", tos=0).run(0, 2)]
    tagged = [(at, frame[:12] + b"\x81\0\0\x05" + frame[12:]) for at, frame in Member(vhid=9).run(0, 1)]
    for index, (time_ns, frame) in enumerate(sorted(frames + tagged)):
        session.frames += 1
        session.packet(START + time_ns, 0, index + 1, frame, False)
    console = Console(file=io.StringIO(), width=250)
    console.print(table(session, "eth\x1b9"))
    text = console.file.getvalue()
    assert "\x1b" not in text
    assert "1.001 s" in text
    assert "physical MAC" in text
    assert "9 (VLAN 5)" in text
    assert "22:13:20 start" in text


def test_nobody_is_master_after_silence():
    session = Session(Options())
    session.packet(START, 0, 1, Member().frame(), False)
    session.hosts[(), 1].families[4].history.expire(START + 10**11)
    console = Console(file=io.StringIO(), width=200)
    console.print(table(session, "eth9"))
    assert "none" in console.file.getvalue()


def test_the_reporter_tells_each_event_once():
    told = []
    session, reporter = Session(Options()), Reporter(told.append)
    session.packet(START, 0, 1, Member().frame(), False)
    reporter.look(session)
    reporter.look(session)
    assert len(told) == 1


def test_silence_that_was_listened_to_belongs_to_the_time(segment):
    """The document ends when the listening did, not with the last frame that was of interest."""
    segment.send(Member().frame())
    document = watch("eth9", output=io.StringIO(), seconds=0.05)
    started, ended = (datetime.fromisoformat(document[key]) for key in ("started", "ended"))
    assert ended - started >= timedelta(milliseconds=30)


def test_a_flood_does_not_keep_watch_from_its_other_work():
    wire, session = Wire([]), Session(Options())
    wire.answers *= 600
    last_ns = time.time_ns()
    assert module._take(wire, session, 7) == (512, True)
    assert session.frames == 512
    assert session.end_ns >= last_ns
    assert module._take(wire, session, 519) == (88, True)


def test_the_kernel_is_told_what_is_of_interest_now():
    inside, outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with inside, outside:
        inside.setblocking(False)
        session, client = Session(Options()), IPv4Address("192.0.2.77")
        packet = ethernet(MAC_A, MAC_C, ETHERTYPE_IPV4, ipv4(client, IPv4Address(VIP), bytes(8), protocol=17))
        told = module._tell(inside, session, Interest(full=True))
        outside.send(packet)
        assert list(receive(inside)) == []
        session.watched.add(IPv4Address(VIP).packed)
        changed = module._tell(inside, session, told)
        assert changed == Interest(moved=frozenset({int(IPv4Address(VIP))}))
        outside.send(packet)
        assert [one.data for one in receive(inside)] == [packet]


def test_an_interface_that_is_not_there():
    with pytest.raises(WatchError) as caught:
        watch("carp-none0")
    assert caught.value.interface == "carp-none0"
    assert caught.value.remedy


def test_without_the_right_to_listen(monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(module.socket, "socket", refuse)
    with pytest.raises(WatchError, match="CAP_NET_RAW"):
        watch("lo")


def test_a_real_interface_is_only_listened_to():
    """On the loopback interface, where a test may send: what is sent is seen, and nothing else is sent."""
    try:
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sender.bind(("lo", 0))
    except PermissionError:
        pytest.skip("needs CAP_NET_RAW")
    output = Interrupting('"event": "handover"', signal.SIGINT)
    timer = threading.Timer(0.05, lambda: [sender.send(Member(vhid=251).frame()), sender.close()])
    timer.start()
    document = watch("lo", json_lines=True, output=output, seconds=20, vhid=251)
    timer.join()
    assert [host["vhid"] for host in document["vhids"]] == [251]
    assert document["vhids"][0]["advertisements"] == 1


def test_two_masters_are_told_while_they_last():
    told, session = [], Session(Options(passwords=("secret", "other")))
    reporter = Reporter(told.append)
    other = Member(source="192.0.2.12", advskew=100, password="other", counter=1 << 40)
    for number, (time_ns, frame) in enumerate(
        sorted([*Member().run(0, 12), Member().announcement(0.001), *other.run(3, 6)]), 1
    ):
        session.packet(START + time_ns, 0, number, frame, False)
        reporter.look(session)
    events = [one["event"] for one in told]
    assert "two-masters" in events
    assert "dual-master" not in events
    assert next(one for one in told if one["event"] == "two-masters")["masters"] == [
        "192.0.2.11",
        "192.0.2.12",
    ]
    session.finish()
    reporter.look(session)
    assert [one["event"] for one in told].count("two-masters") == 1
    assert told[-1]["event"] in ("dual-master", "finding")


@pytest.mark.parametrize("there", [True, False])
def test_watch_outlives_an_interface_that_goes_down(segment, monkeypatch, there):
    """Its frames are heard again when it is up; where it is gone for good, the summary comes at once."""
    original, downs = module.receive, iter([True])

    def once_down(wire):
        yield from original(wire)
        if next(downs, False):
            raise InterfaceDown("eth9", "went down", "bring it up")

    monkeypatch.setattr(module, "receive", once_down)
    monkeypatch.setattr(
        module.socket, "if_nameindex", lambda: [(1, "lo"), (3, "eth9")] if there else [(1, "lo")]
    )
    segment.send(Member().frame())
    output = Interrupting('"event": "handover"', signal.SIGINT) if there else io.StringIO()
    document = watch("eth9", json_lines=True, output=output, seconds=20)
    assert document["vhids"][0]["advertisements"] == 1
    assert document["unreadable"][0].startswith("eth9 went down 1 times")
    assert (document["unreadable"][-1] == "eth9 is gone; nothing could be heard any more.") is not there


def test_frames_that_were_lost_are_counted(segment, monkeypatch):
    lost = iter([3, 0, 4])
    monkeypatch.setattr(module, "dropped", lambda _wire: next(lost, 0))
    segment.send(Member().frame())
    output = Interrupting('"event": "handover"', signal.SIGINT)
    document = watch("eth9", json_lines=True, output=output, seconds=20)
    assert document["unreadable"] == ["eth9: 3 frames were lost, because this machine could not keep up."]


def test_elsewhere_than_on_linux_tcpdump_listens(monkeypatch):
    monkeypatch.delattr(module.socket, "AF_PACKET")
    with pytest.raises(WatchError, match=r"tcpdump -i em0 .* \| carp-conformance judge -"):
        watch("em0")


def conflicting():
    """A session in which somebody claims the shared address, with a router beside it that is MASTER of VRRP."""
    session, vip = Session(Options()), IPv4Address(VIP)
    claim = arp(ArpOperation.REPLY, MAC_C, vip, MAC_A, IPv4Address("192.0.2.99"), destination_mac=MAC_A)
    packet = bytes.fromhex("3109640100640000c0000201")
    ends = IPv4Address("192.0.2.9"), IPv4Address("224.0.0.18")
    router = ethernet(virtual_mac(9), virtual_mac(9), ETHERTYPE_IPV4, ipv4(*ends, packet))
    frames = [*Member().run(0, 2), Member().announcement(0.001), (SECOND // 2, claim), (SECOND // 3, router)]
    for number, (at, frame) in enumerate(sorted(frames), 1):
        session.packet(START + at, 0, number, frame, False)
    return session


def test_what_is_wrong_on_the_segment_is_told_too():
    told, session = [], conflicting()
    reporter = Reporter(told.append)
    reporter.look(session)
    reporter.look(session)
    assert [(one["event"], one.get("vrid"), one.get("id")) for one in told] == [
        ("handover", None, None),
        ("handover", 9, None),
        ("finding", None, "address-conflict"),
        ("finding", None, "vrrp-neighbour"),
    ]
    console = Console(file=io.StringIO(), width=250)
    console.print(table(session, "eth9"))
    assert "02:00:00:00:00:0c claims the shared address 192.0.2.1" in console.file.getvalue()


def test_hand_overs_are_told_beyond_those_that_are_kept(monkeypatch):
    monkeypatch.setattr(history, "MAX_EVENTS", 2)
    told, session = [], Session(Options())
    reporter = Reporter(told.append)
    for turn in range(5):
        frame = Member(source=f"192.0.2.{11 + turn % 2}", counter=turn * 1000).frame()
        session.packet(START + turn * 20 * SECOND, 0, turn + 1, frame, False)
        reporter.look(session)
    assert [one["to"][-2:] for one in told if one["event"] == "handover"] == ["11", "12", "11", "12", "11"]
