"""WIRE: what an advertisement looks like."""

from __future__ import annotations

from conformance.segment.segment import Segment
from conformance.suite.marks import covers
from conformance.targets.subject import Subject


@covers("CARP-WIRE-004")
def test_ttl_is_255(master: Subject, wire: Segment) -> None:
    """Advertisements leave with IP TTL 255."""
    for seen in master.next_own(2):
        wire.check("TTL", seen.frame.ip.ttl, 255, seen)


@covers("CARP-WIRE-016")
def test_ethernet_source_is_the_virtual_mac(master: Subject, wire: Segment) -> None:
    """The Ethernet source of a multicast advertisement is 00:00:5e:00:01:VHID."""
    (seen,) = master.next_own()
    wire.check("Ethernet source", seen.frame.source, bytes.fromhex("00005e000101"), seen)


