"""The first pass over a capture: decodes only what it must, and does the bookkeeping of an unremarkable advertisement in line.

Nearly every frame of a long capture is the next advertisement of the one MASTER: the same form as before, on time, both checksums right, the digest
right, the counter in step. No monitor can object to such a frame, so only counts and times are kept; every other frame goes to
:class:`conformance.judge.session.Session`. That both ways come to the same document is proven in the tests over all recordings.
"""

from __future__ import annotations

from conformance.judge.monitors.counters import MASK
from conformance.judge.packets import Packets
from conformance.judge.session import Lane, Session

_IPV4, _IPV6, _ARP = b"\x08\x00", b"\x86\xdd", b"\x08\x06"
_PLAIN_V4, _LENGTH_V4 = 0x45, b"\x00\x38"
_PLAIN_V6 = b"\x00\x24\x70"  # payload length 36, next header 112
_VIRTUAL = b"\x00\x00\x5e\x00\x01"
_MAX_SIGNATURES = 8192
_V6_READ = frozenset((112, 58, 0, 43, 44, 60))
_TAGS = frozenset((b"\x81\x00", b"\x88\xa8", b"\x91\x00"))
_ADDRESS_COUNT_OF_VRRP = 5  # with this in byte 3 an advertisement may be VRRPv2, which its last bytes decide


def run(session: Session, packets: Packets, *, exact: bool = False) -> None:
    """Feeds all packets to ``session``; ``exact`` takes the slow way for every frame (to prove that both agree)."""
    if exact:
        for packet_ in packets:
            session.frames += 1
            session.packet(*packet_)
        return
    lanes: dict[bytes, Lane] = {}
    known, watched, packet, active = lanes.get, session.watched, session.packet, session.digests.active
    given = bool(session.options.addresses)
    number_of = int.from_bytes
    frames = time_ns = 0
    for time_ns, capture, number, data, cut in packets:
        frames += 1
        kind = data[12:14]
        signature = None
        if kind == _IPV4:
            if len(data) >= 70 and data[23] == 112:
                if data[14] == _PLAIN_V4 and data[16:18] == _LENGTH_V4 and data[37] != _ADDRESS_COUNT_OF_VRRP:
                    signature = data[:18] + data[20:24] + data[26:40]
                    at = 34
            elif len(data) >= 34 and data[23] != 112 and data[6:11] != _VIRTUAL and data[30:34] not in watched:
                continue
        elif kind == _IPV6:
            if len(data) >= 90 and data[18:21] == _PLAIN_V6 and data[57] != _ADDRESS_COUNT_OF_VRRP:
                signature = data[:60]
                at = 54
            elif len(data) >= 54 and data[20] not in _V6_READ and data[6:11] != _VIRTUAL:
                continue
        elif kind != _ARP and kind not in _TAGS:
            continue
        if signature is None:
            packet(time_ns, capture, number, data, cut)
            continue
        lane = known(signature)
        if lane is not None:
            speaker = lane.speaker
            family = lane.family
            if speaker.last_form is lane.form and family.sole is speaker and family.last is speaker:
                gap_ns = time_ns - speaker.last_ns
                if (
                    lane.low_ns <= gap_ns <= lane.high_ns
                    and number_of(data[at : at + 36], "big") % 65535 == 0
                    and (at == 54 or number_of(data[14:34], "big") % 65535 == 0)
                ):
                    counter = data[at + 8 : at + 16]
                    key = speaker.key
                    if key is not None:
                        inner = key.inner.copy()
                        inner.update(counter)
                        outer = key.outer.copy()
                        outer.update(inner.digest())
                        good = outer.digest() == data[at + 16 : at + 36]
                    else:
                        good = not active and (speaker.searches > 0 or not (given or lane.host.learned))
                    if good:
                        count = number_of(counter, "big")
                        host = lane.host
                        heard = host.number
                        if count == (heard + 1) & MASK:  # type: ignore[operator]
                            speaker.successors += 1
                            if host.last is not speaker:
                                speaker.paired += 1
                        elif count == heard:
                            speaker.constants += 1
                        elif speaker.successors == 0:
                            speaker.randoms += 1
                        else:
                            good = False
                    if good:
                        if key is None:
                            speaker.unchecked += 1
                        else:
                            speaker.authentic += 1
                        speaker.number = host.number = count
                        host.last = speaker
                        session.now_ns = time_ns
                        speaker.count += 1
                        speaker.last_ns = time_ns
                        speaker.last = (capture, number)  # type: ignore[assignment]
                        speaker.last_data = data
                        spacing = lane.spacing
                        spacing.count += 1
                        spacing.total_ns += gap_ns
                        if gap_ns < spacing.low_ns:
                            spacing.low_ns, spacing.low = gap_ns, (capture, number)  # type: ignore[assignment]
                        if gap_ns > spacing.high_ns:
                            spacing.high_ns, spacing.high = gap_ns, (capture, number)  # type: ignore[assignment]
                        continue
        lane = packet(time_ns, capture, number, data, cut)
        if lane is not None and lane.clean:
            if len(lanes) >= _MAX_SIGNATURES:
                lanes.clear()
            lanes[signature] = lane
    session.frames += frames
    session.end_ns = time_ns
