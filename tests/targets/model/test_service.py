"""The TCP service of a model host, segment by segment."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

import pytest

from conformance.targets.model.service import Service
from conformance.wire import frame as wire
from conformance.wire.header import checksum

CLIENT, SHARED = IPv4Address("192.0.2.254"), IPv4Address("192.0.2.100")
CLIENT_MAC, SHARED_MAC = bytes.fromhex("0200000002fe"), wire.virtual_mac(1)
SENDS_FROM = bytes(5) + b"\x01"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def segment(
    flags: int,
    *,
    sequence: int = 1000,
    acknowledged: int = 0,
    port: int = 8112,
    body: bytes = b"",
    destination: IPv4Address = SHARED,
) -> bytes:
    """A frame of the client's."""
    header = (40_000, port, sequence, acknowledged, 5 << 4, flags, 1024, 0, 0)
    tcp = struct.pack("!HHIIBBHHH", *header) + body
    packet = wire.ipv4(CLIENT, destination, tcp, ttl=64, tos=0, protocol=6)
    return wire.ethernet(SHARED_MAC, CLIENT_MAC, wire.ETHERTYPE_IPV4, packet)


def service(*, reached: bool = True, name: str = "a") -> Service:
    made = Service("eth0", name, lambda _: SENDS_FROM if reached else None)
    made.listens.add((SHARED, 8112))
    return made


def told(frame: bytes | None) -> tuple[int, int, int, bytes]:
    """Sequence number, acknowledgement, flags and body of an answer in the right envelope."""
    assert frame is not None
    seen = wire.decode(frame)
    assert (seen.destination, seen.source) == (CLIENT_MAC, SENDS_FROM)
    assert seen.ip is not None
    assert (seen.ip.source, seen.ip.destination) == (SHARED, CLIENT)
    pseudo = SHARED.packed + CLIENT.packed + struct.pack("!BBH", 0, 6, len(seen.payload))
    assert checksum(pseudo + seen.payload) == 0
    source, port, sequence, acknowledged, _, flags = struct.unpack_from("!HHIIBB", seen.payload)
    assert (source, port) == (8112, 40_000)
    return sequence, acknowledged, flags, seen.payload[20:]


class TestConversation:
    """A client connects, is told the name and closes."""

    def test_a_connection_from_beginning_to_end(self) -> None:
        one = service()
        first, acknowledged, flags, body = told(one.answer(segment(SYN)))
        assert (acknowledged, flags, body) == (1001, SYN | ACK, b"")
        said = told(one.answer(segment(ACK, sequence=1001, acknowledged=first + 1)))
        assert said == (first + 1, 1001, ACK | PSH | FIN, b"a")
        assert one.answer(segment(ACK, sequence=1001, acknowledged=first + 3)) is None
        closed = told(one.answer(segment(FIN | ACK, sequence=1001, acknowledged=first + 3)))
        assert closed == (first + 3, 1002, ACK, b"")

    def test_a_host_does_not_go_on_with_the_connection_of_another(self) -> None:
        first = told(service(name="a").answer(segment(SYN)))[0]
        assert service(name="b").answer(segment(ACK, sequence=1001, acknowledged=first + 1)) is None


class TestSilence:
    """What is not for the service gets no answer."""

    @pytest.mark.parametrize(
        "frame",
        [
            pytest.param(segment(SYN, port=80), id="another port"),
            pytest.param(segment(SYN, destination=IPv4Address("192.0.2.101")), id="another address"),
            pytest.param(segment(RST), id="a reset"),
            pytest.param(segment(PSH | ACK, body=b"x"), id="data"),
            pytest.param(segment(SYN)[:40], id="a cut segment"),
            pytest.param(bytes(14), id="not IP"),
        ],
    )
    def test_no_answer(self, frame: bytes) -> None:
        assert service().answer(frame) is None

    def test_no_answer_where_the_model_would_not_answer_a_ping(self) -> None:
        assert service(reached=False).answer(segment(SYN)) is None

    def test_the_model_is_asked_with_an_echo_request_in_the_same_envelope(self) -> None:
        asked: list[bytes] = []
        one = Service("eth0", "a", asked.append)
        one.listens.add((SHARED, 8112))
        assert one.answer(segment(SYN)) is None
        echo = wire.decode(asked[0])
        assert (echo.destination, echo.source) == (SHARED_MAC, CLIENT_MAC)
        assert echo.ip is not None
        assert (echo.ip.source, echo.ip.destination, echo.ip.protocol) == (CLIENT, SHARED, 1)
        assert echo.payload[0] == 8
        assert checksum(echo.payload) == 0
