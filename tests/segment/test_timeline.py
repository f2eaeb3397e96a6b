"""The rows of a time line: what is kept, who it is told of."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from conformance.segment.timeline import rows
from conformance.segment.trace import HostEvent, HostKind, TesterAction, Trace
from conformance.wire import frame as wire
from conformance.wire.digest import Address

MS = 1_000_000


@dataclass
class Host:
    name: str = "a"
    mac: bytes = bytes.fromhex("020000000201")
    addresses: tuple[Address, ...] = (ip_address("192.0.2.1"),)


def arp(mac: bytes, sender: bytes) -> bytes:
    packet = wire.arp(
        wire.ArpOperation.REQUEST, sender, ip_address("192.0.2.100"), bytes(6), ip_address("192.0.2.100")
    )  # type: ignore[arg-type]
    return packet[:6] + mac + packet[12:]


def test_who_sent_a_frame() -> None:
    trace, host = Trace(), Host()
    other = bytes.fromhex("02000000ff01")
    for mac, sender, sent in (
        (host.mac, other, False),
        (other, host.mac, False),
        (other, other, False),
        (host.mac, host.mac, True),
    ):
        trace.add_frame(0, arp(mac, sender), sent=sent)
    assert [row["node"] for row in rows(trace.events, 0, [host], (), 9)] == ["a", "a", "unknown", "tester"]


def test_the_cited_go_first_then_what_is_no_frame_and_all_in_order() -> None:
    trace = Trace()
    for number in range(4):
        trace.add_frame(number * MS, arp(Host.mac, Host.mac))
    trace.add(HostEvent(5 * MS, "a", HostKind.STATE, "MASTER"))
    trace.add(HostEvent(6 * MS, "a", HostKind.SCRIPT, "up"))
    trace.add(TesterAction(7 * MS, "waits"))
    kept = rows(trace.events, MS, [Host()], {2, 4}, 5)
    assert [(row["kind"], row["t_ms"]) for row in kept] == [
        ("frame", 0.0),
        ("frame", 2.0),
        ("state", 4.0),
        ("log", 5.0),
        ("action", 6.0),
    ]
    assert kept[0]["deciding"] and kept[0]["fields"] and kept[3]["summary"] == "script: up"
