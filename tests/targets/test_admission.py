"""The safety rules of the rung lab: who is heard, who is named, and what is refused before anything is sent."""

import socket
import subprocess
from ipaddress import ip_address

import pytest

from conformance.judge.listener import WatchError
from conformance.targets import listening
from conformance.targets.admission import LISTEN_S, NotAdmitted, admit, concerns, is_named, on_interface
from conformance.targets.listening import Speaker, listen, speaker
from conformance.targets.pixit import Declared, KnownSpeaker, Pixit, PixitHost
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret
from conformance.wire.foreign import vrrp2, vrrp3
from conformance.wire.frame import decode, ethernet, ipv4
from conformance.wire.header import interval_ns

A, STRANGER = ip_address("192.0.2.1"), ip_address("192.0.2.66")
BETTER = Advertisement(vhid=7, source=STRANGER, secret=Secret("x", (ip_address("192.0.2.100"),)))


def pixit(**changes):
    return Pixit(system="freebsd", hosts=(PixitHost(name="a", addresses=(A,)),), **changes)


class TestSpeaker:
    def test_of_carp_vrrp_and_neither(self):
        assert speaker(decode(BETTER.frame())) == Speaker("carp", 7, STRANGER)
        assert speaker(decode(vrrp2(BETTER))) == Speaker("vrrp", 7, STRANGER)
        assert speaker(decode(vrrp3(BETTER))) == Speaker("vrrp", 7, STRANGER)
        odd = ethernet(bytes(6), bytes(6), 0x0800, ipv4(STRANGER, A, b"\x99\x07"))
        assert speaker(decode(odd)) == Speaker("112", 7, STRANGER)
        assert speaker(decode(ethernet(bytes(6), bytes(6), 0x0800, ipv4(STRANGER, A, b"")))).id == 0

    def test_of_nothing_else(self):
        assert speaker(decode(b"short")) is None
        assert (
            speaker(decode(ethernet(bytes(6), bytes(6), 0x0800, ipv4(STRANGER, A, b"", protocol=1)))) is None
        )

    def test_keeps_the_tags(self):
        tagged = BETTER.frame()[:12] + bytes.fromhex("8100000a") + BETTER.frame()[12:]
        heard = speaker(decode(tagged))
        assert heard == Speaker("carp", 7, STRANGER, (10,))
        assert str(heard) == "192.0.2.66 speaks CARP with vhid 7 on VLAN 10"

    @pytest.mark.parametrize(
        ("protocol", "text"),
        [
            ("carp", "speaks CARP with vhid 7"),
            ("vrrp", "speaks VRRP with id 7"),
            ("112", "neither CARP nor VRRP"),
        ],
    )
    def test_in_words(self, protocol, text):
        assert text in str(Speaker(protocol, 7, STRANGER))


class TestNaming:
    def test_nobody_is_named_by_default(self):
        assert not is_named(Speaker("carp", 7, STRANGER), pixit())

    @pytest.mark.parametrize("source", [None, STRANGER])
    def test_a_known_speaker(self, source):
        known = pixit(speakers=(KnownSpeaker(protocol="vrrp", id=7, source=source),))
        assert is_named(Speaker("vrrp", 7, STRANGER), known)
        assert not is_named(Speaker("carp", 7, STRANGER), known)
        assert not is_named(Speaker("vrrp", 8, STRANGER), known)
        assert is_named(Speaker("vrrp", 7, A), known) is (source is None)

    def test_a_declared_virtual_host(self):
        known = pixit(declared=(Declared(host="a", vhid=7, addresses=()),))
        assert is_named(Speaker("carp", 7, A), known)
        assert not is_named(Speaker("carp", 7, STRANGER), known)
        assert not is_named(Speaker("vrrp", 7, A), known)
        assert not is_named(Speaker("carp", 8, A), known)
        assert is_named(Speaker("carp", 7, ip_address("fe80::1")), known)

    def test_another_vlan_is_nobodys_business(self):
        assert concerns(Speaker("carp", 7, A), pixit())
        assert not concerns(Speaker("carp", 7, A, (10,)), pixit())
        assert concerns(Speaker("carp", 7, A, (10,)), pixit(vlans=range(10, 11)))


class TestOnInterface:
    def test_names_the_interface(self):
        assert on_interface(pixit(), "eth9", mine=True).tester_interface == "eth9"

    @pytest.mark.parametrize(
        ("interface", "mine", "says"),
        [
            (None, True, r"name the interface .* \(the PIXIT says eth1\): --interface IF"),
            ("eth2", True, "--interface eth2 is not the tester's interface in .*eth1"),
            ("eth1", False, "--this-segment-is-mine"),
        ],
    )
    def test_refuses(self, interface, mine, says):
        with pytest.raises(NotAdmitted, match=says):
            on_interface(pixit(tester_interface="eth1"), interface, mine=mine)


def test_no_speaker_is_slower_than_the_listening():
    assert interval_ns(255, 255) < LISTEN_S * 10**9 - 4 * 10**9


def advertise(station, frame):
    with station.namespace.entered():
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with out:
        out.bind(("eth0", 0))
        out.send(frame)


class TestListening:
    def test_an_interface_that_is_not_there(self, pair):
        with pytest.raises(WatchError, match="nowhere"):
            listen(["nowhere"], 1, lambda _: True)

    def test_silence_takes_the_whole_time_and_nothing_is_sent(self, pair):
        _, left, right = pair
        with right.namespace.entered():
            there = listening.packet_socket("eth0")
        said = []
        with there, left.namespace.entered():
            heard = admit(pixit(tester_interface="eth0"), 0.3, said.append)
            assert heard == {"eth0": {}}
            assert [decode(one.data) for one in listening.receive(there)] == []
        assert said == [
            f"listening on eth0 for 0.3 s before anything is sent (who advertises less often is not heard; {LISTEN_S} s are sure)"
        ]

    def test_two_segments_at_once(self, pair):
        _, left, _right = pair
        with left.namespace.entered():
            heard = listen(["eth0", "lo"], 200_000_000, lambda _: True)
        assert heard == {"eth0": {}, "lo": {}}

    def test_without_the_interface(self, pair):
        with pytest.raises(NotAdmitted, match="give the name of an interface that is up"):
            admit(pixit(tester_interface="nowhere"), 0.1, lambda _: None)

    @pytest.mark.parametrize("frame", [vrrp2(BETTER), vrrp3(BETTER)], ids=["v2", "v3"])
    def test_a_vrrp_router_ends_it_at_once(self, pair, frame, monkeypatch):
        monkeypatch.setattr(listening, "GATHER_NS", 0)
        _, left, right = pair
        with left.namespace.entered():
            inside = listening.packet_socket("eth0")
        advertise(right, frame)
        monkeypatch.setattr(listening, "packet_socket", lambda _: inside)
        with pytest.raises(
            NotAdmitted, match=r"eth0 is not free: 192.0.2.66 speaks VRRP with id 7\. Nothing was sent"
        ):
            admit(pixit(tester_interface="eth0"), 30, lambda _: None)


@pytest.mark.slow
class TestAgainstAStranger:
    """A real ucarp that nobody has named is MASTER on the segment."""

    @pytest.fixture
    def segment(self, pair, ucarp, tmp_path):
        _, left, right = pair
        (tmp_path / "key").write_text("a stranger's key\n")
        command = [
            *(ucarp.program, "--interface=eth0", "--srcip=192.0.2.2", "--vhid=42", "--addr=192.0.2.142"),
            *(f"--passfile={tmp_path / 'key'}", "--upscript=/bin/true", "--downscript=/bin/true"),
        ]
        process = right.namespace.spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with left.namespace.entered():
            yield left
        process.kill()
        process.wait()

    def test_it_is_refused_by_name(self, segment):
        with pytest.raises(NotAdmitted) as raised:
            admit(pixit(tester_interface="eth0"), 20, lambda _: None)
        assert "eth0 is not free: 192.0.2.2 speaks CARP with vhid 42. Nothing was sent." in str(raised.value)
        assert "[[speaker]]" in str(raised.value)

    def test_once_named_it_may_stay(self, segment):
        named = (KnownSpeaker(protocol="carp", id=42, source=ip_address("192.0.2.2")),)
        heard = admit(pixit(tester_interface="eth0", speakers=named), 6, lambda _: None)
        assert [(one.protocol, one.id) for one in heard["eth0"]] == [("carp", 42)]
