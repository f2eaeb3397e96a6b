"""The form of an advertisement: everything in a protocol-112 frame that stays the same from one
advertisement to the next.

A MASTER repeats one form every interval; only the counter, the digest, both checksums and the IP
identification differ. So whatever
depends on the form alone is judged once, however often it is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from conformance.wire.digest import Address
from conformance.wire.frame import TTL, Frame, is_vrrp, virtual_mac
from conformance.wire.header import LENGTH, PROTOCOL, VERSION, checksum, interval_ns

BOW_OUT = 255
"""advbase and advskew of the farewell of a MASTER that goes down."""

_FRAGMENT_OFFSET = 0x1FFF
_FRAGMENTED = 0x3FFF  # more fragments, or an offset


class Ref(NamedTuple):
    """A frame: the index of its capture and its number there, as Wireshark counts."""

    capture: int
    frame: int


NOWHERE = Ref(0, 0)
"""No frame: frames are numbered from 1."""


@dataclass(frozen=True, slots=True)
class Form:
    """One shape of advertisement of one sender on one segment.

    ``vlans`` are the 802.1Q ids, outermost first; ``fragment`` is the raw flags-and-offset field of IPv4;
    ``extended`` tells IPv4 options or IPv6
    extension headers; ``length`` is the IP length, ``payload`` the bytes that follow the IP header;
    ``first`` is the first CARP byte (version and type);
    ``whole`` tells that the 36 bytes are there and the other CARP fields mean something; ``ip_sound`` and
    ``carp_sound`` are the two checksums.
    """

    vlans: tuple[int, ...]
    family: int
    source: Address
    destination: Address
    source_mac: bytes
    destination_mac: bytes
    ttl: int
    tos: int
    flow: int
    fragment: int
    extended: bool
    length: int
    payload: int
    whole: bool
    first: int
    vhid: int
    advskew: int
    authlen: int
    demote: int
    advbase: int
    ip_sound: bool
    carp_sound: bool

    @property
    def version(self) -> int:
        """The version nibble."""
        return self.first >> 4

    @property
    def interval_ns(self) -> int:
        """The interval this advertisement announces."""
        return interval_ns(self.advbase, self.advskew)

    @property
    def bow_out(self) -> bool:
        """Whether this is a farewell: 255/255."""
        return self.advbase == BOW_OUT and self.advskew == BOW_OUT

    @property
    def rank(self) -> tuple[int, int]:
        """What implementations compare: advbase, advskew; the smaller one is preferred."""
        return self.advbase, self.advskew

    @property
    def unicast(self) -> bool:
        """Whether it was sent to one host (a configured peer) and not to a group or a broadcast address."""
        return not self.destination.is_multicast and self.destination.packed[-1] != 255

    @property
    def physical_mac(self) -> bool:
        """Whether the Ethernet source is neither unknown nor of the virtual ranges 00:00:5e:00:00 and
        00:00:5e:00:01.
        """
        return any(self.source_mac) and self.source_mac[:5] not in (
            virtual_mac(0)[:5],
            b"\x00\x00\x5e\x00\x00",
        )


@dataclass(frozen=True, slots=True)
class Advert:
    """One advertisement on the wire: its form and what changes each time; ``data`` is the frame, ``body``
    the CARP bytes.
    """

    ref: Ref
    time_ns: int
    form: Form
    body: bytes
    data: bytes

    counter = property(lambda self: self.body[8:16])
    digest = property(lambda self: self.body[16:36])
    number = property(lambda self: int.from_bytes(self.body[8:16], "big"))


def is_vrrp_frame(frame: Frame) -> bool:
    """Whether a frame carries VRRP, the other user of protocol 112."""
    return (
        frame.ip is not None
        and frame.ip.protocol == PROTOCOL
        and not frame.ip.fragment & _FRAGMENT_OFFSET
        and is_vrrp(frame.payload)
    )


def form_of(frame: Frame) -> Form | None:
    """The form of a protocol-112 frame that is not VRRP, damaged or not; None for any other frame."""
    ip = frame.ip
    if ip is None or ip.protocol != PROTOCOL or is_vrrp_frame(frame):
        return None
    body = frame.payload
    whole = len(body) >= LENGTH and not ip.fragment & _FRAGMENT_OFFSET
    head = body[:6].ljust(6, b"\0")
    flow = 0
    if ip.version == 6:
        at = 14 + 4 * len(frame.vlans)
        flow = int.from_bytes(frame.data[at : at + 4], "big") & 0xFFFFF
    return Form(
        vlans=frame.vlans,
        family=ip.version,
        source=ip.source,
        destination=ip.destination,
        source_mac=frame.source,
        destination_mac=frame.destination,
        ttl=ip.ttl,
        tos=ip.tos,
        flow=flow,
        fragment=ip.fragment,
        extended=ip.header_length != (20 if ip.version == 4 else 40),
        length=ip.length,
        payload=len(body),
        whole=whole,
        first=head[0],
        vhid=head[1],
        advskew=head[2],
        authlen=head[3],
        demote=head[4],
        advbase=head[5],
        ip_sound=ip.sound,
        carp_sound=_sound(body, ip.version) if whole else False,
    )


def _sound(body: bytes, family: int) -> bool:
    # FreeBSD 15 sums the whole IPv4 payload, all others the first 36 bytes; either is a right checksum
    # (behaviour of trailing bytes).
    return checksum(body[:LENGTH]) == 0 or (family == 4 and len(body) > LENGTH and checksum(body) == 0)


_CHECKS: tuple[tuple[Callable[[Form], bool], Callable[[Form], str]], ...] = (
    (lambda form: form.ip_sound, lambda _form: "its IP header checksum is wrong"),
    (lambda form: not form.fragment & _FRAGMENTED, lambda _form: "it is a fragment"),
    (lambda form: form.ttl == TTL or form.unicast, lambda form: f"its TTL is {form.ttl} instead of {TTL}"),
    (lambda form: form.whole, lambda form: f"it has {form.payload} of {LENGTH} bytes"),
    (lambda form: form.carp_sound, lambda _form: "its checksum is wrong"),
    (lambda form: form.vhid != 0, lambda form: f"vhid {form.vhid} does not exist"),
    (
        lambda form: form.version == VERSION,
        lambda form: f"its version is {form.version} instead of {VERSION}",
    ),
)
"""The checks that all receivers share, and what is wrong with a form that fails one.

TTL is not looked at in unicast mode, where FreeBSD 15 takes any.
"""


def refusal(form: Form) -> str | None:
    """Why no implementation believes an advertisement of this form, in a few words; None if some do."""
    return next((words(form) for holds, words in _CHECKS if not holds(form)), None)
