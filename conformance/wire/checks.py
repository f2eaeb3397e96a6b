"""What a receiver has to find wrong with a frame: the reference for every malformation and for "the last valid advertisement"."""

from __future__ import annotations

from enum import Enum

from conformance.wire.digest import AddressRule, Secret
from conformance.wire.frame import ETHERTYPE_IPV4, ETHERTYPE_IPV6, GROUP_IPV4, GROUP_IPV6, TTL, Frame
from conformance.wire.header import LENGTH, PROTOCOL, VERSION, Header, checksum


class Check(Enum):
    """A receive check that every implementation makes (order and counter differ, see the dialects)."""

    IP = "ip"
    DESTINATION = "destination"
    TTL = "ttl"
    LENGTH = "length"
    CHECKSUM = "checksum"
    VHID = "vhid"
    VERSION = "version"
    DIGEST = "digest"


def faults(frame: Frame, vhid: int, secret: Secret) -> frozenset[Check]:
    """The checks that ``frame`` fails as an advertisement for ``vhid`` with ``secret`` to a receiver in multicast mode; empty if it is valid.

    A frame too short for a header fails LENGTH and nothing behind it, since nothing behind it can be looked at. A digest is tried over the rule of
    ``secret`` and over ascending order.
    """
    ip = frame.ip
    if (
        ip is None
        or frame.ethertype not in (ETHERTYPE_IPV4, ETHERTYPE_IPV6)
        or ip.protocol != PROTOCOL
        or not ip.sound
        or ip.fragment & 0x3FFF
    ):
        return frozenset({Check.IP})
    found = set()
    if ip.destination not in (GROUP_IPV4, GROUP_IPV6):
        found.add(Check.DESTINATION)
    if ip.ttl != TTL:
        found.add(Check.TTL)
    if len(frame.payload) < LENGTH:
        return frozenset({*found, Check.LENGTH})
    header = Header.unpack(frame.payload)
    if checksum(frame.payload[:LENGTH]) != 0:
        found.add(Check.CHECKSUM)
    if header.vhid != vhid:
        found.add(Check.VHID)
    if header.version != VERSION:
        found.add(Check.VERSION)
    if not _authentic(header, secret):
        found.add(Check.DIGEST)
    return frozenset(found)


def _authentic(header: Header, secret: Secret) -> bool:
    if secret.verifies(header.vhid, header.counter, header.digest):
        return True
    if secret.rule is not AddressRule.WITHOUT_LINK_LOCAL:
        return False
    both = Secret(secret.password, secret.addresses, AddressRule.ASCENDING, secret.lladdr)
    return both.verifies(header.vhid, header.counter, header.digest)
