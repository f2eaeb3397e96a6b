"""The live view: passive, wakes on frames and signals, ends with the summary."""

import io
import json
import os
import signal
import socket
import struct
import threading

import pytest
from rich.console import Console

from conformance.judge import watch as module
from conformance.judge.lane import Options
from conformance.judge.session import Session
from conformance.judge.watch import Reporter, WatchError, receive, table, watch
from tests.judge.making import START, Member


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


class Wire:
    """A packet socket with given ancillary data."""

    def __init__(self, ancillary):
        self.answers = [(Member().frame(), ancillary, 0, None)]

    def recvmsg(self, _size, _space):
        if not self.answers:
            raise BlockingIOError
        return self.answers.pop()


def test_time_stamps_and_vlan_tags_of_the_kernel():
    stamp = (socket.SOL_SOCKET, 35, struct.pack("qq", 17, 5))
    tag = (263, 8, struct.pack("=IIIHHHH", 1 << 4 | 1 << 6, 70, 70, 0, 14, 5, 0x88A8))
    (seen,) = receive(Wire([stamp, tag]))
    assert seen.time_ns == 17_000_000_005
    assert seen.data == Member().frame()[:12] + b"\x88\xa8\x00\x05" + Member().frame()[12:]
    untagged = (263, 8, struct.pack("=IIIHHHH", 1, 70, 70, 0, 14, 0, 0))
    (seen,) = receive(Wire([untagged, (1, 99, b"")]))
    assert seen.data == Member().frame()
    assert seen.time_ns > START


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
