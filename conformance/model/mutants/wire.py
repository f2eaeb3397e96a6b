"""Mutants of WIRE: one field of an advertisement, or how many are sent."""

from __future__ import annotations

from conformance.model.actions import State
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    CARP_MAC,
    ETHERNET,
    Change,
    added,
    advertising,
    carp,
    carp_at,
    common,
    mutant,
    put,
    resum,
    rules,
    sending,
)
from conformance.model.onwire import vrrp_mac
from conformance.model.transitions import Effect, Input
from conformance.model.vhost import Port
from conformance.wire.frame import BROADCAST_MAC
from conformance.wire.header import LENGTH, PROTOCOL, checksum

IP = ETHERNET
_LENGTHS6 = bytes([0, 0, 0, LENGTH, 0, 0, 0, PROTOCOL])


def _options(data: bytearray) -> None:
    """One word of no-operation options."""
    data[IP + 20 : IP + 20] = b"\x01\x01\x01\x01"
    data[IP] = 0x46
    data[IP + 2 : IP + 4] = (60).to_bytes(2, "big")


def _trailer(data: bytearray) -> None:
    """Four bytes that the IP length counts."""
    data += bytes(4)
    data[IP + 2 : IP + 4] = (60).to_bytes(2, "big")


def _stale_sum(_: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None:
        data[IP + 10 : IP + 12] = b"\xbe\xef"


def _with_pseudo_header(_: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is None:
        return
    at = carp_at(data)
    data[at + 6 : at + 8] = bytes(2)
    ends, lengths = (IP + 12, bytes([0, PROTOCOL, 0, LENGTH])) if at == IP + 20 else (IP + 8, _LENGTHS6)
    pseudo = bytes(data[ends:at]) + lengths
    data[at + 6 : at + 8] = checksum(pseudo + bytes(data[at:])).to_bytes(2, "big")


def _checksum_swapped(_: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None:
        at = carp_at(data)
        data[at + 6], data[at + 7] = data[at + 7], data[at + 6]


def _swapped_rank(header: bytearray) -> None:
    header[2], header[5] = header[5], header[2]


def _reversed_counter(header: bytearray) -> None:
    header[8:16] = header[8:16][::-1]


def _digest_first(header: bytearray) -> None:
    header[8:36] = header[16:36] + header[8:16]


def _masked(at: int, mask: int) -> Change:
    def change(header: bytearray) -> None:
        header[at] &= mask

    return change


def _from_physical(port: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None:
        data[6:12] = port.mac


def _from_shared(port: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None and carp_at(data) == IP + 20:
        data[IP + 12 : IP + 16] = port.vhosts[vhid].ipv4()[0].packed
        resum(data, IP, IP + 20, 10)


def _twice(_: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:
    return (frame,) if vhid is None else (frame, frame)


def _per_address(port: Port, frame: bytes, vhid: int | None) -> tuple[bytes, ...]:
    return (frame,) if vhid is None else (frame,) * len(port.vhosts[vhid].addresses)


def _from_nobody(port: Port, data: bytearray, vhid: int | None) -> None:
    if vhid is not None and carp_at(data) == IP + 20 and not port.ipv4():
        data[IP + 12 : IP + 16] = bytes(4)
        resum(data, IP, IP + 20, 10)


def _broadcast_below(_: Port, data: bytearray, vhid: int | None) -> None:
    """What is sent to the broadcast MAC is sent to the broadcast address, too."""
    if vhid is not None and data[:6] == BROADCAST_MAC:
        data[IP + 16 : IP + 20] = b"\xff\xff\xff\xff"
        resum(data, IP, IP + 20, 10)


MUTANTS: tuple[Mutant, ...] = (
    mutant("protocol-111", "advertisements leave with IP protocol 111",
           "WIRE-001", "freebsd-13", advertising(put(IP + 9, b"\x6f"))),
    mutant("group-19", "advertisements go to 224.0.0.19",
           "WIRE-002", "freebsd-legacy", advertising(put(IP + 16, bytes([224, 0, 0, 19])))),
    mutant("multicast-mac-of-the-gateway", "the Ethernet destination is made of the next hop 192.254.120.97 (opnsense/core#3468)",
           "WIRE-003", "freebsd-13", advertising(put(0, bytes.fromhex("01005e7e7861")))),
    mutant("group-mac-off-by-one", "the Ethernet destination is 01:00:5e:00:00:13",
           "WIRE-003", "openbsd", advertising(put(5, b"\x13"))),
    mutant("ttl-254-sent", "advertisements leave with TTL 254",
           "WIRE-004", "freebsd-13", advertising(put(IP + 8, b"\xfe"))),
    mutant("ttl-of-the-host-sent", "advertisements leave with TTL 64",
           "WIRE-004", "ucarp", advertising(put(IP + 8, b"\x40"))),
    mutant("df-not-set", "DF is not set", "WIRE-005", "freebsd-10", advertising(put(IP + 6, b"\x00"))),
    mutant("options-sent", "the IPv4 header has options", "WIRE-006", "freebsd-13", advertising(_options)),
    mutant("ip-checksum-stale", "the checksum of the IPv4 header is wrong",
           "WIRE-007", "freebsd-15", sending(_stale_sum)),
    mutant("type-2-sent", "the type nibble is 2", "WIRE-008", "freebsd-legacy", carp(put(0, b"\x22"))),
    mutant("version-3-sent", "the version nibble is 3", "WIRE-008", "openbsd", carp(put(0, b"\x31"))),
    mutant("vhid-seven-bits-sent", "the highest bit of the vhid is cut off",
           "WIRE-009", "freebsd-13", carp(_masked(1, 0x7F))),
    mutant("vhid-one-sent", "the vhid is always 1", "WIRE-009", "freebsd-legacy-6", carp(put(1, b"\x01"))),
    mutant("skew-seven-bits", "the highest bit of the advertised advskew is cut off",
           "WIRE-010", "freebsd-13", carp(_masked(2, 0x7F))),
    mutant("skew-and-base-swapped", "advskew and advbase have changed places",
           "WIRE-010", "freebsd-legacy-6", carp(_swapped_rank)),
    mutant("advbase-one-sent", "advbase is always 1 in what is sent",
           "WIRE-010", "ucarp", carp(put(5, b"\x01"))),
    mutant("authlen-in-bytes", "authlen is 28: bytes, not words",
           "WIRE-011", "freebsd-13", carp(put(3, b"\x1c"))),
    mutant("fifth-byte-dirty", "the fifth byte is 1", "WIRE-012", "freebsd-13", carp(put(4, b"\x01"))),
    mutant("demoted-by-default", "the fifth byte is 1 without a demotion",
           "WIRE-012", "openbsd", rules(demote_byte=lambda demotion: demotion + 1)),
    mutant("checksum-with-pseudo-header", "the checksum covers a pseudo header",
           "WIRE-013 V6-006", "freebsd-13", sending(_with_pseudo_header)),
    mutant("checksum-byte-order", "the checksum has its bytes swapped",
           "WIRE-013", "freebsd-15", sending(_checksum_swapped)),
    mutant("trailer-sent", "four bytes follow the header", "WIRE-014", "freebsd-13", advertising(_trailer)),
    mutant("ethernet-padding-sent", "the frame is padded behind the packet",
           "WIRE-014", "ucarp", advertising(lambda data: data.extend(bytes(10)))),
    mutant("counter-little-endian", "the counter lies reversed",
           "WIRE-015", "freebsd-13", carp(_reversed_counter)),
    mutant("digest-before-counter", "digest and counter have changed places",
           "WIRE-015", "openbsd", carp(_digest_first)),
    mutant("physical-mac-source", "advertisements leave from the physical MAC (opnsense/src#239)",
           "WIRE-016", "freebsd-13", sending(_from_physical)),
    mutant("vrrp6-mac-prefix", "the virtual MAC is 00:00:5e:00:02:VHID",
           "WIRE-016 V6-002", "freebsd-15", rules(virtual_mac=lambda vhid: CARP_MAC[:4] + bytes([2, vhid]))),
    mutant("virtual-mac-of-vhid-1", "the virtual MAC ends in 1 whatever the vhid is",
           "WIRE-016 MULTI-003", "freebsd-legacy", rules(virtual_mac=lambda _: CARP_MAC + b"\x01")),
    mutant("ucarp-with-the-virtual-mac", "the Ethernet source has the fifth byte of VRRP",
           "WIRE-017", "ucarp", rules(virtual_mac=vrrp_mac)),
    mutant("tos-0", "the type of service is 0", "WIRE-018", "openbsd", rules(tos=0)),
    mutant("dscp-not-shifted", "the type of service is the dscp itself",
           "WIRE-019", "freebsd-15", rules(tos=56)),
    mutant("source-is-the-shared-address", "advertisements come from the shared address",
           "WIRE-021", "freebsd-13", sending(_from_shared)),
    mutant("identification-constant", "the IPv4 identification is always 0x1234",
           "WIRE-023", "freebsd-10", advertising(put(IP + 4, b"\x12\x34"))),
    mutant("backup-advertises", "a BACKUP advertises in its interval",
           "WIRE-024 ELECT-001", "freebsd-13", added(Effect.ARM_ADVERTISING, State.INIT, Input.USABLE)),
    mutant("advertises-twice", "every advertisement is sent twice",
           "WIRE-025", "freebsd-legacy", common(emits=_twice)),
    mutant("advertises-each-address", "an advertisement for each address",
           "WIRE-025 MULTI-004", "freebsd-13", common(emits=_per_address)),
    mutant("nomcast-changes-the-destination", "with -M ucarp sends to 255.255.255.255",
           "WIRE-020", "ucarp", sending(_broadcast_below)),
    mutant("nobody-as-source", "advertisements come from 0.0.0.0 where the interface has no address",
           "WIRE-022", "freebsd-13", sending(_from_nobody)),
)  # fmt: skip
