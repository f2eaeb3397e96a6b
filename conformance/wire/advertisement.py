"""One advertisement as a value: what a well-behaved peer would send, before anything is made wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Any

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from conformance.wire import frame
from conformance.wire.digest import Address, Secret
from conformance.wire.header import Header, interval_ns
from conformance.wire.layer import CARP


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement:
    """An advertisement for ``vhid`` from ``source``, authenticated by ``secret``; ``counter`` is a 64-bit number, ``advbase`` in s, ``advskew`` in 1/256 s.

    ``source_mac`` is the virtual MAC of the vhid unless given (six bytes).
    """

    vhid: int
    source: Address
    secret: Secret
    advbase: int = 1
    advskew: int = 0
    demote: int = 0
    counter: int = 0
    source_mac: bytes | None = None

    def but(self, **changes: Any) -> Advertisement:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def numbered(self, counter: int) -> Advertisement:
        """Itself, with ``counter`` unless it has one of its own."""
        return self if self.counter else replace(self, counter=counter)

    @property
    def about(self) -> str:
        """Its parameters in words."""
        return f"vhid {self.vhid} {self.advbase}/{self.advskew}"

    @property
    def interval_ns(self) -> int:
        """The interval at which a peer with these parameters advertises."""
        return interval_ns(self.advbase, self.advskew)

    @property
    def header(self) -> Header:
        """The header with its digest; the checksum is left 0 (:meth:`Header.summed` fills it in)."""
        counter = self.counter.to_bytes(8, "big")
        return Header(
            self.vhid,
            self.advskew,
            self.advbase,
            counter,
            self.secret.digest(self.vhid, counter),
            self.demote,
        )

    def frame(self) -> bytes:
        """The Ethernet frame, built without scapy."""
        return frame.advertisement(
            self.header.summed(), self.source, source_mac=self.source_mac or frame.virtual_mac(self.vhid)
        )

    def packet(self) -> Packet:
        """The same frame as a scapy packet whose checksum, digest and lengths follow later changes."""
        source_mac = frame.mac_text(self.source_mac or frame.virtual_mac(self.vhid))
        carp = CARP(
            vhid=self.vhid,
            advbase=self.advbase,
            advskew=self.advskew,
            demote=self.demote,
            counter=self.counter.to_bytes(8, "big"),
            secret=self.secret,
        )
        ip: Packet
        if isinstance(self.source, IPv4Address):
            ip, group_mac = IP(src=str(self.source), id=0), frame.GROUP_MAC_IPV4
        else:
            ip, group_mac = IPv6(src=str(self.source)), frame.GROUP_MAC_IPV6
        packet = Ether(src=source_mac, dst=frame.mac_text(group_mac))
        ip.add_payload(carp)  # scapy's "/" would copy each layer first
        packet.add_payload(ip)
        for layer in (packet, ip, carp):
            layer.explicit = True  # one packet, not a set of them: scapy would copy it again when it is built
        return packet
