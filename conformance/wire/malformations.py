"""The named malformations: what each breaks, how it is made, which check must refuse it. One table for sender, asserter and docs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from scapy.layers.inet import IP
from scapy.packet import Raw

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import Check, faults
from conformance.wire.digest import Secret
from conformance.wire.frame import decode, virtual_mac
from conformance.wire.layer import CARP, dissect


class BadMalformation(ValueError):
    """A malformation that is wrong in another way than it says: a defect of the table."""


@dataclass(frozen=True, slots=True)
class Malformation:
    """One way to spoil an advertisement. ``requirement`` is the clause that demands its refusal, ``check`` the check that must find it.

    ``make`` gets a valid advertisement and returns the spoiled frame; :meth:`frame` proves that exactly ``check`` finds it.
    """

    name: str
    breaks: str
    check: Check
    requirement: str
    make: Callable[[Advertisement], bytes]

    def frame(self, advertisement: Advertisement) -> bytes:
        """The spoiled Ethernet frame; raises :class:`BadMalformation` if more or less than ``check`` is wrong with it."""
        data = self.make(advertisement)
        found = faults(decode(data), advertisement.vhid, advertisement.secret)
        if found != {self.check}:
            names = ", ".join(sorted(check.value for check in found)) or "nothing"
            raise BadMalformation(f"malformation {self.name!r} should fail the {self.check.value} check alone, but fails: {names}")
        return data

    def __str__(self) -> str:
        return self.name


def refused_by(check: Check | str) -> tuple[Malformation, ...]:
    """All malformations that ``check`` must refuse."""
    return tuple(m for m in MALFORMATIONS if m.check is Check(check))


def named(name: str) -> Malformation:
    """The malformation of that name; KeyError if there is none."""
    return {m.name: m for m in MALFORMATIONS}[name]


def _ip(**fields: object) -> Callable[[Advertisement], bytes]:
    """Fields of the IPv4 or IPv6 header, by the names of IPv4 (``ttl`` is the hop limit of IPv6)."""

    def make(advertisement: Advertisement) -> bytes:
        packet = advertisement.packet()
        names = fields if IP in packet else {"ttl": "hlim"}
        for name, value in fields.items():
            packet.payload.setfieldval(name if IP in packet else names[name], value)
        return bytes(packet)

    return make


def _carp(**fields: object) -> Callable[[Advertisement], bytes]:
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
        carp = CARP(bytes(header))
        carp.checksum = None
        packet = advertisement.packet()
        below = packet[CARP].underlayer
        below.remove_payload()
        return bytes(packet / carp)

    return make


def _flip(byte: int, bit: int) -> Callable[[bytearray], None]:
    def change(header: bytearray) -> None:
        header[byte] ^= 1 << bit

    return change


def _checksum_xor(mask: int) -> Callable[[Advertisement], bytes]:
    def make(advertisement: Advertisement) -> bytes:
        packet = advertisement.packet()
        right = decode(bytes(packet)).payload
        packet[CARP].checksum = int.from_bytes(right[6:8], "big") ^ mask
        return bytes(packet)

    return make


def _cut(length: int) -> Callable[[Advertisement], bytes]:
    def make(advertisement: Advertisement) -> bytes:
        packet = dissect(advertisement.frame())
        below = packet[CARP].underlayer
        header = bytes(packet[CARP])[:length]
        below.remove_payload()
        for computed in ("len", "chksum", "plen"):
            below.fields.pop(computed, None)
        return bytes(packet / Raw(header))

    return make


def _secret(change: Callable[[Secret], Secret]) -> Callable[[Advertisement], bytes]:
    """An advertisement authenticated with another secret than the receiver's."""

    def make(advertisement: Advertisement) -> bytes:
        return bytes(advertisement.but(secret=change(advertisement.secret)).packet())

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
        return bytes(advertisement.but(vhid=vhid, source_mac=virtual_mac(advertisement.vhid)).packet())

    return make


MALFORMATIONS: tuple[Malformation, ...] = (
    *(
        Malformation(f"ttl-{ttl}", f"TTL {ttl} in place of 255: sent from beyond the link", Check.TTL, "CARP-RX-001", _ip(ttl=ttl))
        for ttl in (254, 128, 64, 1, 0)
    ),
    *(
        Malformation(f"version-{v}", f"version {v} in place of 2", Check.VERSION, "CARP-RX-002", _carp(version=v))
        for v in (0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ),
    Malformation("vhid-next", "a valid advertisement, but for the next vhid", Check.VHID, "CARP-RX-003", _of_vhid(1)),
    Malformation("vhid-0", "a valid advertisement, but for vhid 0", Check.VHID, "CARP-RX-004", _of_vhid(0)),
    *(
        Malformation(f"checksum-bit-{bit}", f"bit {bit} of the CARP checksum flipped", Check.CHECKSUM, "CARP-RX-005", _checksum_xor(1 << bit))
        for bit in (0, 7, 8, 15)
    ),
    Malformation("checksum-zero-over-all", "checksum 0xffff in place of the right one", Check.CHECKSUM, "CARP-RX-005", _carp(checksum=0xFFFF)),
    *(
        Malformation(f"length-{n}", f"{n} of 36 header bytes inside the IP length", Check.LENGTH, "CARP-RX-006", _cut(n))
        for n in (0, 1, 7, 8, 16, 20, 35)
    ),
    Malformation("password-other", "digest made with another password", Check.DIGEST, "CARP-AUTH-011", _secret(_other_password)),
    Malformation("password-none", "digest made with no password", Check.DIGEST, "CARP-AUTH-011", _secret(lambda s: Secret("", s.addresses, s.rule, s.lladdr))),
    Malformation("digest-zero", "digest of zeros", Check.DIGEST, "CARP-AUTH-011", _carp(digest=bytes(20))),
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
    Malformation("destination-224.0.0.19", "sent to 224.0.0.19, not to the group of CARP", Check.DESTINATION, "CARP-RX-020", _ip(dst="224.0.0.19")),
    Malformation("destination-broadcast", "sent to 255.255.255.255, not to the group of CARP", Check.DESTINATION, "CARP-RX-020", _ip(dst="255.255.255.255")),
    Malformation("ip-checksum", "bad checksum of the IPv4 header", Check.IP, "CARP-RX-023", _ip(chksum=0x1234)),
    Malformation("fragment-offset-1", "fragment offset 1: not the beginning of a datagram", Check.IP, "CARP-RX-021", _ip(frag=1, flags=0)),
    Malformation("fragment-first", "more fragments follow", Check.IP, "CARP-RX-021", _ip(flags="MF")),
)  # fmt: skip
