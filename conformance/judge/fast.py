"""The first pass over a capture: decodes only what it must, and does the bookkeeping of an unremarkable
advertisement in line.

Nearly every frame of a long capture is the next advertisement of the one MASTER: the same form as before,
on time, both checksums right, the digest
right, the counter in step. No monitor can object to such a frame, so only counts and times are kept; every
other frame goes to
:class:`conformance.judge.session.Session`. That both ways come to the same document is proven in the tests
over all recordings.
"""

from __future__ import annotations

from conformance.judge.lane import Lane
from conformance.judge.packets import Packets
from conformance.judge.session import Session

_IPV4, _IPV6, _ARP = b"\x08\x00", b"\x86\xdd", b"\x08\x06"
_PLAIN_V4, _LENGTH_V4 = 0x45, b"\x00\x38"
_PLAIN_V6 = b"\x00\x24\x70"  # payload length 36, next header 112
_VIRTUAL = b"\x00\x00\x5e\x00\x01"
_CARP_BITS = (1 << 36 * 8) - 1
_MAX_SIGNATURES = 8192
_SAME = b""  # in place of a signature: the frame's first 40 bytes are known
V6_READ = frozenset((112, 58, 0, 43, 44, 60))
"""Next headers of IPv6 behind which something may stand that a monitor takes."""
_TAGS = frozenset((b"\x81\x00", b"\x88\xa8", b"\x91\x00"))
_ADDRESS_COUNT_OF_VRRP = 5  # with this in byte 3 an advertisement may be VRRPv2, which its last bytes decide


def run(session: Session, packets: Packets, *, exact: bool = False) -> None:  # noqa: C901, PLR0912, PLR0915  # calls cost more than the work
    """Feeds all packets to ``session``; ``exact`` takes the slow way for every frame (to prove that both
    agree).
    """
    if exact:
        for packet_ in packets:
            session.frames += 1
            session.packet(*packet_)
        return
    lanes: dict[bytes, Lane] = {}
    same: dict[bytes, Lane] = {}  # by the first 40 bytes, where not even the identification changes
    known, watched, packet, active = lanes.get, session.watched, session.packet, session.digests.active
    given = bool(session.options.addresses)
    number_of, same_as = int.from_bytes, same.get
    frames = time_ns = steady_ns = 0
    for time_ns, capture, number, data, cut in packets:
        frames += 1
        signature = None
        if (lane := same_as(data[:40])) is not None and len(data) >= 70:
            signature = _SAME
            counter, digest = data[42:50], data[50:70]
            sound = number_of(data[34:70]) % 65535 == 0  # the IP header is one that was found right before
        elif (kind := data[12:14]) == _IPV4:
            if len(data) >= 70 and data[23] == 112:
                signature = data[:18] + data[20:24] + data[26:40]
                lane = known(signature)
                counter, digest = data[42:50], data[50:70]
                bits = number_of(data[14:70])
                sound = bits % 65535 == 0 and (bits & _CARP_BITS) % 65535 == 0
                if sound and lane is not None:
                    if lane.head == data[:40] and len(same) < _MAX_SIGNATURES:
                        same[lane.head] = lane
                    lane.head = data[:40]
            elif (
                len(data) >= 34
                and data[23] != 112
                and data[6:11] != _VIRTUAL
                and data[:5] != _VIRTUAL
                and data[30:34] not in watched
            ):
                continue
        elif kind == _IPV6:
            if len(data) >= 90 and data[18:21] == _PLAIN_V6:
                signature = data[:60]
                lane = known(signature)
                counter, digest = data[62:70], data[70:90]
                sound = number_of(data[54:90]) % 65535 == 0
            elif (
                len(data) >= 54
                and data[20] not in V6_READ
                and data[6:11] != _VIRTUAL
                and data[:5] != _VIRTUAL
            ):
                continue
        elif kind != _ARP and kind not in _TAGS:
            continue
        if signature is not None and lane is not None and sound:
            speaker = lane.speaker
            family = lane.family
            if speaker.last_form is lane.form and family.sole is speaker and family.last is speaker:
                gap_ns = time_ns - speaker.last_ns
                if lane.low_ns <= gap_ns <= lane.high_ns:
                    key = speaker.key
                    if key is not None:
                        inner = key.copy_inner()
                        inner.update(counter)
                        outer = key.copy_outer()
                        outer.update(inner.digest())
                        good = outer.digest() == digest
                    else:
                        good = not active and (speaker.searches > 0 or not (given or lane.host.learned))
                    if good:
                        count = number_of(counter)
                        host = lane.host
                        step = count - host.number  # type: ignore[operator]
                        if step == 1:
                            speaker.successors += 1
                            if host.last is not speaker:
                                speaker.paired += 1
                                host.last = speaker
                        elif step == 0 and count == speaker.number and not speaker.successors:
                            speaker.constants += 1
                            host.last = speaker
                        elif speaker.successors == 0 and count > 4 and not -4 < step < 4:
                            # small ones may be successors of 2^64 - 1, near ones those of a pair
                            speaker.randoms += 1
                            host.last = speaker
                        else:
                            good = False
                    if good:
                        lane.steady += 1
                        if key is None:
                            speaker.unchecked += 1
                            speaker.authentic -= 1  # lane.steady counts it as authentic
                        speaker.number = host.number = count
                        speaker.last_ns = steady_ns = time_ns
                        speaker.last = (capture, number)  # type: ignore[assignment]
                        speaker.recent.append(data)
                        spacing = lane.spacing
                        spacing.total_ns += gap_ns
                        if gap_ns < spacing.low_ns:
                            spacing.low_ns, spacing.low = gap_ns, (capture, number)  # type: ignore[assignment]
                        if gap_ns > spacing.high_ns:
                            spacing.high_ns, spacing.high = gap_ns, (capture, number)  # type: ignore[assignment]
                        continue
        if steady_ns:
            session.now_ns, steady_ns = steady_ns, 0
        taken = packet(time_ns, capture, number, data, cut)
        if signature is _SAME:
            if taken is not lane:
                del same[data[:40]]
        elif taken is not None and signature is not None and taken.clean and _simple(data, kind):
            if len(lanes) >= _MAX_SIGNATURES:
                _settle(lanes)
                lanes.clear()
                same.clear()
            old = known(signature)
            if old is not taken:
                if old is not None:
                    _settle({signature: old})
                lanes[signature] = taken
    _settle(lanes)
    session.frames += frames
    session.end_ns = time_ns
    if steady_ns:
        session.now_ns = steady_ns


def _simple(data: bytes, kind: bytes) -> bool:
    """Whether the bytes outside the signature can only be counter, digest, checksums and identification.

    With an address count of VRRPv2 in byte 3 the last bytes decide what the packet is; such a form is never
    taken for granted.
    """
    if kind == _IPV4:
        return data[14] == _PLAIN_V4 and data[16:18] == _LENGTH_V4 and data[37] != _ADDRESS_COUNT_OF_VRRP
    return data[57] != _ADDRESS_COUNT_OF_VRRP


def _settle(lanes: dict[bytes, Lane]) -> None:
    """Books the unremarkable advertisements of each lane to its speaker."""
    for lane in lanes.values():
        lane.speaker.count += lane.steady
        lane.speaker.authentic += lane.steady
        lane.spacing.count += lane.steady
        lane.steady = 0
