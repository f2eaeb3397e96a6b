"""The scapy layer ``CARP``, for crafting packets that no implementation sends.

scapy's contrib layer is not usable here (its digest matches nobody, and importing it unbinds VRRP from IP for the whole process).
This one changes no binding of scapy: a packet is built by stacking (``IP(...)/CARP(...)`` sets protocol 112, TTL 255, DF), and read by :func:`dissect`.
"""

from __future__ import annotations

from typing import Any

from scapy.fields import BitField, ByteField, XShortField, XStrFixedLenField
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Padding, Raw

from conformance.wire.digest import Secret
from conformance.wire.frame import GROUP_IPV4, GROUP_IPV6, TTL, is_vrrp
from conformance.wire.header import AUTHLEN, LENGTH, PROTOCOL, TYPE_ADVERTISEMENT, VERSION, checksum


class CARP(Packet):
    """A CARP header with the payload that follows it.

    ``checksum`` and ``digest`` are computed when they are ``None`` (the digest from ``secret``; zeros without one) and sent as given otherwise.
    Dissecting fewer than 36 bytes does not raise: the fields that are cut off are ``None`` and the bytes are kept as they came (no byte at all is a new
    header, as anywhere in scapy).
    """

    name = "CARP"
    fields_desc = [  # noqa: RUF012  # scapy's own convention
        BitField("version", VERSION, 4),
        BitField("type", TYPE_ADVERTISEMENT, 4),
        ByteField("vhid", 1),
        ByteField("advskew", 0),
        ByteField("authlen", AUTHLEN),
        ByteField("demote", 0),
        ByteField("advbase", 1),
        XShortField("checksum", None),
        XStrFixedLenField("counter", bytes(8), length=8),
        XStrFixedLenField("digest", None, length=20),
    ]
    overload_fields = {  # noqa: RUF012
        IP: {"proto": PROTOCOL, "ttl": TTL, "flags": 2, "tos": 0x10, "dst": str(GROUP_IPV4)},
        IPv6: {"nh": PROTOCOL, "hlim": TTL, "dst": str(GROUP_IPV6)},
    }
    __slots__ = ["secret"]

    def __init__(self, *args: Any, secret: Secret | None = None, **fields: Any) -> None:
        self.secret = secret
        super().__init__(*args, **fields)

    def copy(self) -> CARP:
        clone = super().copy()
        clone.secret = self.secret
        return clone

    def clone_with(self, *args: Any, **kwargs: Any) -> CARP:
        clone: CARP = super().clone_with(*args, **kwargs)
        clone.secret = self.secret
        return clone

    def do_dissect(self, s: bytes) -> bytes:
        if len(s) >= LENGTH:
            return super().do_dissect(s)
        super().do_dissect(s + bytes(LENGTH - len(s)))
        offset = 0.0
        for field in self.fields_desc:
            offset += field.sz
            if offset > len(s):
                self.fields[field.name] = None
        self.raw_packet_cache = s
        return b""

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        header = bytearray(pkt)
        if self.digest is None and self.secret is not None:
            header[16:36] = self.secret.digest(header[1], bytes(header[8:16]))
        if self.checksum is None:
            header[6:8] = bytes(2)
            header[6:8] = checksum(header).to_bytes(2, "big")
        return bytes(header) + pay

    def guess_payload_class(self, payload: bytes) -> type[Packet]:  # noqa: ARG002  # scapy's own signature
        return Raw

    def mysummary(self) -> str:
        return f"CARP vhid {self.vhid} advbase {self.advbase} advskew {self.advskew}"


def dissect(data: bytes) -> Packet:
    """A scapy packet from an Ethernet frame's bytes, with ``CARP`` where it is CARP (whole or damaged, any destination) and VRRP left to scapy."""
    packet = Ether(data)
    layer: Packet = packet
    while layer.payload:
        if PROTOCOL in (layer.fields.get("proto"), layer.fields.get("nh")):
            _read_payload(layer)
            break
        layer = layer.payload
    return packet


def _read_payload(layer: Packet) -> None:
    """Puts ``CARP`` in place of what scapy made of the payload of an IP layer; padding of the frame stays behind it."""
    padding = layer.getlayer(Padding)
    if padding is not None and padding.underlayer is not None:
        padding.underlayer.remove_payload()
    payload = bytes(layer.payload)
    if payload and not is_vrrp(payload):
        layer.remove_payload()
        layer.add_payload(CARP(payload))
    if padding is not None:
        layer.add_payload(padding)
