"""The named oddities: advertisements that no implementation sends and every receiver must take for what they are. The table beside the malformations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from scapy.layers.inet import IP, IPOption_NOP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import faults
from conformance.wire.frame import decode
from conformance.wire.malformations import header_fields, ip_fields

Make = Callable[[Advertisement], bytes]


class BadOddity(ValueError):
    """An oddity that a receiver would have to refuse: a defect of the table."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """One way to be odd without being wrong. ``requirement`` is the clause by which it has its full effect.

    ``make`` gets a valid advertisement and returns the odd frame; :meth:`frame` proves that no check finds a fault with it.
    """

    name: str
    what: str
    requirement: str
    make: Make

    def frame(self, advertisement: Advertisement) -> bytes:
        """The odd Ethernet frame; raises :class:`BadOddity` if a check refuses it."""
        data = self.make(advertisement)
        found = faults(decode(data), advertisement.vhid, advertisement.secret)
        if found:
            names = ", ".join(sorted(check.value for check in found))
            raise BadOddity(f"oddity {self.name!r} should pass every check, but fails: {names}")
        return data

    def __call__(self, advertisement: Advertisement) -> bytes:
        return self.frame(advertisement)

    def __str__(self) -> str:
        return self.name

    @property
    def breaks(self) -> str:
        """What the tester's time line calls it."""
        return f"{self.what} (odd, not wrong)"


def _trailing(trailer: bytes) -> Make:
    """Bytes after the header, inside the IP length, not summed."""
    return lambda advertisement: bytes(advertisement.packet() / Raw(trailer))


def _padded(length: int) -> Make:
    """The frame filled with 0xff to ``length`` bytes, behind the IP length."""
    return lambda advertisement: advertisement.frame().ljust(length, b"\xff")


def _options(count: int) -> Make:
    """``count`` no-operation options (a multiple of four) between the IPv4 header and CARP."""

    def make(advertisement: Advertisement) -> bytes:
        packet = advertisement.packet()
        packet[IP].options = [IPOption_NOP() for _ in range(count)]
        return bytes(packet)

    return make


def _from_mac(mac: Callable[[int], str]) -> Make:
    def make(advertisement: Advertisement) -> bytes:
        packet = advertisement.packet()
        packet[Ether].src = mac(advertisement.vhid)
        return bytes(packet)

    return make


def _from_shared(advertisement: Advertisement) -> bytes:
    return advertisement.but(source=ip_address(str(advertisement.secret.addresses[0]))).frame()


ODDITIES: tuple[Oddity, ...] = (
    *(
        Oddity(f"type-{n}", f"type {n} in place of 1", "CARP-RX-007", header_fields(type=n))
        for n in (0, 2, 15)
    ),
    *(
        Oddity(f"authlen-{n}", f"authlen {n} in place of 7", "CARP-RX-008", header_fields(authlen=n))
        for n in (0, 6, 255)
    ),
    Oddity(
        "byte-4-255", "255 in byte 4, which OpenBSD alone reads", "CARP-RX-009", header_fields(demote=255)
    ),
    Oddity(
        "trailing-bytes",
        "four bytes behind the header, inside the IP length, not summed",
        "CARP-RX-010",
        _trailing(b"\xde\xad\xbe\xef"),
    ),
    *(
        Oddity(
            f"trailing-zeros-{n}",
            f"{n} zero bytes behind the header, inside the IP length",
            "CARP-RX-012",
            _trailing(bytes(n)),
        )
        for n in (2, 64)
    ),
    Oddity("padding-ff", "padded to 128 bytes with 0xff behind the IP length", "CARP-RX-013", _padded(128)),
    *(
        Oddity(f"options-{4 * n}", f"behind {4 * n} no-operation options", "CARP-RX-014", _options(4 * n))
        for n in (1, 10)
    ),
    Oddity("df-clear", "DF not set", "CARP-RX-015", ip_fields(flags=0)),
    *(Oddity(f"tos-{n}", f"type of service {n}", "CARP-RX-015", ip_fields(tos=n)) for n in (0, 255)),
    Oddity("identification-0xbeef", "IP identification 0xbeef", "CARP-RX-015", ip_fields(id=0xBEEF)),
    Oddity(
        "mac-of-a-card",
        "from the MAC address of a network card",
        "CARP-RX-016",
        _from_mac(lambda _: "02:00:00:00:77:01"),
    ),
    Oddity(
        "mac-of-ucarp",
        "from 00:00:5e:00:00:VHID, as ucarp sends",
        "CARP-RX-016",
        _from_mac(lambda vhid: f"00:00:5e:00:00:{vhid:02x}"),
    ),
    Oddity(
        "source-foreign", "from 203.0.113.9, outside the subnet", "CARP-RX-017", ip_fields(src="203.0.113.9")
    ),
    Oddity("source-0.0.0.0", "from 0.0.0.0", "CARP-RX-017", ip_fields(src="0.0.0.0")),  # noqa: S104  # an address in a packet
    Oddity("source-shared", "from the shared address itself", "CARP-RX-017", _from_shared),
)


def oddity(name: str) -> Oddity:
    """The oddity of that name; KeyError if there is none."""
    return {o.name: o for o in ODDITIES}[name]
