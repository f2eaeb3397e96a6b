"""The named malformations: what each breaks, how it is made, which check must refuse it. One table for sender, asserter and docs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import ip_address
from itertools import cycle

from scapy.layers.inet import IP
from scapy.packet import Raw

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import Check, faults
from conformance.wire.digest import Secret
from conformance.wire.frame import advertisement as carried
from conformance.wire.frame import decode, virtual_mac
from conformance.wire.header import LENGTH, PROTOCOL, checksum, summed
from conformance.wire.layer import CARP


class BadMalformation(ValueError):
    """A malformation that is wrong in another way than it says: a defect of the table."""


@dataclass(frozen=True, slots=True)
class Malformation:
    """One way to spoil an advertisement. ``requirement`` is the clause that demands its refusal, ``check`` the check that must find it.

    ``make`` gets a valid advertisement and returns the spoiled frame, whatever its counter is; :meth:`frame` proves that exactly ``check`` finds it.
    """

    name: str
    breaks: str
    check: Check
    requirement: str
    make: Callable[[Advertisement], bytes]

    def frame(self, advertisement: Advertisement) -> bytes:
        """The spoiled Ethernet frame; raises :class:`BadMalformation` if more or less than ``check`` is wrong with it."""
        _prove(self, advertisement.but(counter=0))
        return self.make(advertisement)

    def __str__(self) -> str:
        return self.name


@lru_cache(maxsize=4096)
def _prove(malformation: Malformation, advertisement: Advertisement) -> None:
    """Proves a malformation on an advertisement, once for a stream of them."""
    found = faults(decode(malformation.make(advertisement)), advertisement.vhid, advertisement.secret)
    if found != {malformation.check}:
        names = ", ".join(sorted(check.value for check in found)) or "nothing"
        raise BadMalformation(
            f"malformation {malformation.name!r} should fail the {malformation.check.value} check alone, but fails: {names}"
        )


def demanded_by(requirement: str) -> tuple[Malformation, ...]:
    """All malformations whose refusal ``requirement`` demands."""
    return tuple(m for m in MALFORMATIONS if m.requirement == requirement)


def in_turn(*faults: Malformation) -> Callable[[Advertisement], bytes]:
    """A fault for a stream: each of ``faults`` spoils one advertisement, then the next one its successor, over and over."""
    turn = cycle(faults)

    def spoil(advertisement: Advertisement) -> bytes:
        return next(turn).frame(advertisement)

    spoil.__name__ = (
        f"in turn {', '.join(map(str, faults))}"
        if len(faults) <= 16
        else f"in turn {faults[0]} to {faults[-1]}"
    )
    return spoil


@cache
def named(name: str) -> Malformation:
    """The malformation of that name; KeyError if there is none."""
    return {m.name: m for m in MALFORMATIONS}[name]


def ip_fields(**fields: object) -> Callable[[Advertisement], bytes]:
    """Fields of the IPv4 or IPv6 header, by the names of IPv4 (``ttl`` is the hop limit of IPv6)."""

    def make(advertisement: Advertisement) -> bytes:
        packet = advertisement.packet()
        names = {} if IP in packet else {"ttl": "hlim"}
        for name, value in fields.items():
            packet.payload.setfieldval(names.get(name, name), value)
        return bytes(packet)

    return make


def header_fields(**fields: object) -> Callable[[Advertisement], bytes]:
    """Header fields; the checksum and the digest follow unless they are among them."""

    def make(advertisement: Advertisement) -> bytes:
        packet = advertisement.packet()
        for name, value in fields.items():
            packet[CARP].setfieldval(name, value)
        return bytes(packet)

    return make


def _after_digest(change: Callable[[bytearray], None]) -> Callable[[Advertisement], bytes]:
    """A change of the finished 36 bytes with the checksum, but not the digest, made right again."""

    def make(advertisement: Advertisement) -> bytes:
        header = bytearray(advertisement.header.pack())
        change(header)
        return _carrying(advertisement, summed(bytes(header)))

    return make


def _carrying(advertisement: Advertisement, payload: bytes) -> bytes:
    """The frame of an advertisement with other bytes in place of its 36."""
    source_mac = advertisement.source_mac or virtual_mac(advertisement.vhid)
    return carried(payload, advertisement.source, source_mac=source_mac)


def _flip(byte: int, bit: int) -> Callable[[bytearray], None]:
    def change(header: bytearray) -> None:
        header[byte] ^= 1 << bit

    return change


def _checksum_xor(mask: int) -> Callable[[Advertisement], bytes]:
    def make(advertisement: Advertisement) -> bytes:
        header = bytearray(advertisement.header.summed())
        header[6:8] = (int.from_bytes(header[6:8], "big") ^ mask).to_bytes(2, "big")
        return _carrying(advertisement, bytes(header))

    return make


def _pseudo_checksum(advertisement: Advertisement) -> bytes:
    """A checksum that includes a pseudo header, as UDP, ICMPv6 and VRRPv3 have it."""
    packet = advertisement.packet()
    ip = decode(bytes(packet)).ip
    assert ip is not None
    header = bytearray(advertisement.header.pack())
    header[6:8] = bytes(2)
    lengths = (
        bytes([0, PROTOCOL, 0, LENGTH]) if ip.version == 4 else bytes([0, 0, 0, LENGTH, 0, 0, 0, PROTOCOL])
    )
    packet[CARP].checksum = checksum(ip.source.packed + ip.destination.packed + lengths + bytes(header))
    return bytes(packet)


def _cut(length: int) -> Callable[[Advertisement], bytes]:
    """The first ``length`` bytes of the header, which the IP length counts."""

    def make(advertisement: Advertisement) -> bytes:
        return _carrying(advertisement, advertisement.header.summed()[:length])

    return make


def _shortened(length: int) -> Callable[[Advertisement], bytes]:
    """The IP length ends after ``length`` bytes of the header, whose rest follows as padding of the Ethernet frame."""

    def make(advertisement: Advertisement) -> bytes:
        return ip_fields(len=20 + length)(advertisement)

    return make


def _header_words(ihl: int) -> Callable[[Advertisement], bytes]:
    """Another IPv4 header length, in 32-bit words, with a header checksum that is right for it."""

    def make(advertisement: Advertisement) -> bytes:
        data = bytearray(advertisement.frame())
        data[14] = 4 << 4 | ihl
        data[24:26] = bytes(2)
        data[24:26] = checksum(data[14 : 14 + 4 * max(ihl, 5)]).to_bytes(2, "big")
        return bytes(data)

    return make


def _compensating(advertisement: Advertisement) -> bytes:
    """One more in the IPv4 header checksum, one less in that of CARP: over both headers together the sum is right."""
    data = bytearray(advertisement.frame())
    for at, change in ((24, 1), (40, -1)):
        data[at : at + 2] = ((int.from_bytes(data[at : at + 2], "big") + change) % 0xFFFF).to_bytes(2, "big")
    return bytes(data)


def _summed_with_trailer(advertisement: Advertisement) -> bytes:
    """Four bytes follow the header inside the IP length, and the checksum covers them too."""
    trailer = b"\xde\xad\xbe\xef"
    carp = advertisement.header.pack() + trailer
    packet = advertisement.packet()
    packet[CARP].checksum = checksum(carp)
    return bytes(packet / Raw(trailer))


def _secret(change: Callable[[Secret], Secret]) -> Callable[[Advertisement], bytes]:
    """An advertisement authenticated with another secret than the receiver's."""

    def make(advertisement: Advertisement) -> bytes:
        return advertisement.but(secret=change(advertisement.secret)).frame()

    return make


def _other_password(secret: Secret) -> Secret:
    return Secret("not-" + str(secret.password)[:12], secret.addresses, secret.rule, secret.lladdr)


def _added_address(secret: Secret) -> Secret:
    return Secret(secret.password, (*secret.addresses, ip_address("203.0.113.77")), lladdr=secret.lladdr)


def _removed_address(secret: Secret) -> Secret:
    return Secret(secret.password, secret.addresses[1:], lladdr=secret.lladdr)


def _other_address(secret: Secret) -> Secret:
    return Secret(secret.password, (ip_address("203.0.113.78"), *secret.addresses[1:]), lladdr=secret.lladdr)


def _of_vhid(offset: int) -> Callable[[Advertisement], bytes]:
    """Another vhid (``offset`` 0: vhid 0), with a digest that is right for it."""

    def make(advertisement: Advertisement) -> bytes:
        vhid = (advertisement.vhid + offset) % 256 if offset else 0
        return advertisement.but(vhid=vhid, source_mac=virtual_mac(advertisement.vhid)).frame()

    return make


MALFORMATIONS: tuple[Malformation, ...] = (
    *(
        Malformation(f"ttl-{ttl}", f"TTL {ttl} in place of 255: sent from beyond the link", Check.TTL, "CARP-RX-001", ip_fields(ttl=ttl))
        for ttl in (254, 128, 64, 1, 0)
    ),
    *(
        Malformation(f"version-{v}", f"version {v} in place of 2", Check.VERSION, "CARP-RX-002", header_fields(version=v))
        for v in (0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ),
    Malformation("vhid-next", "a valid advertisement, but for the next vhid", Check.VHID, "CARP-RX-003", _of_vhid(1)),
    Malformation("vhid-0", "a valid advertisement, but for vhid 0", Check.VHID, "CARP-RX-004", _of_vhid(0)),
    *(
        Malformation(f"checksum-bit-{bit}", f"bit {bit} of the CARP checksum flipped", Check.CHECKSUM, "CARP-RX-005", _checksum_xor(1 << bit))
        for bit in (0, 7, 8, 15)
    ),
    Malformation("checksum-zero-over-all", "checksum 0xffff in place of the right one", Check.CHECKSUM, "CARP-RX-005", header_fields(checksum=0xFFFF)),
    Malformation("checksum-pseudo-header", "checksum over a pseudo header too", Check.CHECKSUM, "CARP-WIRE-013", _pseudo_checksum),
    *(
        Malformation(f"length-{n}", f"{n} of 36 header bytes inside the IP length", Check.LENGTH, "CARP-RX-006", _cut(n))
        for n in range(36)
    ),
    Malformation("length-35-padded", "35 of 36 header bytes inside the IP length, the last one behind it as padding of the frame", Check.LENGTH, "CARP-RX-006", _shortened(35)),
    Malformation("length-0-padded", "no header byte inside the IP length, all 36 behind it as padding of the frame", Check.LENGTH, "CARP-RX-006", _shortened(0)),
    Malformation("checksum-with-trailer", "checksum over the header and four bytes behind it", Check.CHECKSUM, "CARP-RX-010", _summed_with_trailer),
    Malformation("password-other", "digest made with another password", Check.DIGEST, "CARP-AUTH-011", _secret(_other_password)),
    Malformation("password-none", "digest made with no password", Check.DIGEST, "CARP-AUTH-011", _secret(lambda s: Secret("", s.addresses, s.rule, s.lladdr))),
    Malformation("digest-zero", "digest of zeros", Check.DIGEST, "CARP-AUTH-011", header_fields(digest=bytes(20))),
    Malformation("address-added", "digest over one address more than the receiver has", Check.DIGEST, "CARP-AUTH-012", _secret(_added_address)),
    Malformation("address-removed", "digest over one address fewer than the receiver has", Check.DIGEST, "CARP-AUTH-012", _secret(_removed_address)),
    Malformation("address-other", "digest over another address", Check.DIGEST, "CARP-AUTH-012", _secret(_other_address)),
    Malformation("vhid-rewritten", "an advertisement of the vhid before, rewritten to this one after the digest was made", Check.DIGEST, "CARP-AUTH-013",
                 lambda ad: _after_digest(lambda h: h.__setitem__(1, ad.vhid))(ad.but(vhid=ad.vhid - 1 or 255))),
    *(
        Malformation(f"digest-bit-{byte}.{bit}", f"bit {bit} of digest byte {byte} flipped", Check.DIGEST, "CARP-AUTH-014", _after_digest(_flip(16 + byte, bit)))
        for byte in range(20) for bit in range(8)
    ),
    *(
        Malformation(f"counter-bit-{byte}.{bit}", f"bit {bit} of counter byte {byte} flipped after the digest was made", Check.DIGEST, "CARP-AUTH-015", _after_digest(_flip(8 + byte, bit)))
        for byte in range(8) for bit in range(8)
    ),
    Malformation("destination-224.0.0.19", "sent to 224.0.0.19, not to the group of CARP", Check.DESTINATION, "CARP-RX-020", ip_fields(dst="224.0.0.19")),
    Malformation("destination-broadcast", "sent to 255.255.255.255, not to the group of CARP", Check.DESTINATION, "CARP-RX-020", ip_fields(dst="255.255.255.255")),
    *(
        Malformation(f"ihl-{n}", f"IPv4 header length of {n} words, with nothing more in the packet", Check.LENGTH if 6 <= n <= 14 else Check.IP, "CARP-ROBUST-004", _header_words(n))
        for n in (0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ),
    Malformation("checksums-compensating", "checksum of the IPv4 header one too high, that of CARP one too low", Check.IP, "CARP-ROBUST-008", _compensating),
    Malformation("ip-checksum", "bad checksum of the IPv4 header", Check.IP, "CARP-RX-023", ip_fields(chksum=0x1234)),
    Malformation("fragment-offset-1", "fragment offset 1: not the beginning of a datagram", Check.IP, "CARP-RX-021", ip_fields(frag=1, flags=0)),
    Malformation("fragment-first", "more fragments follow", Check.IP, "CARP-RX-021", ip_fields(flags="MF")),
)  # fmt: skip
