"""The model of ucarp does what two recorded ucarps on one bridge did: A (advskew 0) is killed after a while,
B takes over.
"""

from random import Random

import pytest

from conformance.model.actions import Send
from conformance.model.config import Interface, VhostConfig
from conformance.model.dialects import dialect
from conformance.model.machine import Host
from conformance.wire.frame import decode
from tests.model.recordings import CAPTURES, frames
from tests.model.replaying import MS

STARTED_BEFORE_FIRST_ADVERT_NS = 3_012 * MS
"""Both were started together; A's first advertisement follows three poll periods of 1 s later."""
TOLERANCE_NS = 35 * MS


class Drawn(Random):
    """The random numbers of the recorded process: a counter until it heard somebody, and an identification,
    for each advertisement.
    """

    def __init__(self, adverts):
        super().__init__(0)
        self.adverts, self.sent = adverts, 0

    def getrandbits(self, bits):
        frame = self.adverts[min(self.sent, len(self.adverts) - 1)]
        if bits == 64:
            return int.from_bytes(frame.carp.counter, "big")
        self.sent += 1
        return frame.ip.identification


def modelled(recorded, source, advskew, mac, until_ns):
    """The frames of one ucarp in the model, fed with everything that the other one sent."""
    own = [decode(data) for _, data in recorded if is_from(data, source, mac) and decode(data).carp]
    host = Host(source, dialect("ucarp"), [Interface("eth0", mac, (f"{source}/24",))], Drawn(own))
    start_ns = recorded[0][0] - STARTED_BEFORE_FIRST_ADVERT_NS
    config = VhostConfig(42, ("10.9.0.100",), "secret", advskew=advskew, source=source)
    sent = [(start_ns, one) for one in host.configure(start_ns, "eth0", config)]
    foreign = [one for one in recorded if not is_from(one[1], source, mac)]
    while True:
        due = host.next_deadline_ns
        if foreign and (due is None or foreign[0][0] <= due):
            now, data = foreign.pop(0)
            sent += [(now, one) for one in host.receive(now, "eth0", data)]
        elif due is not None and due <= until_ns:
            sent += [(due, one) for one in host.tick(due)]
        else:
            return [(now, one.frame) for now, one in sent if isinstance(one, Send)]


def is_from(data, source, mac):
    frame = decode(data)
    return frame.source == mac or (frame.carp is not None and str(frame.ip.source) == source)


def compare(recorded, own):
    assert len(own) == len(recorded)
    for (when, data), (own_when, own_data) in zip(recorded, own, strict=True):
        assert own_data == data
        assert abs(own_when - when) <= TOLERANCE_NS


@pytest.mark.parametrize(
    ("name", "advskew"),
    [
        ("c_1.21397", 1),
        ("c_1.30979", 1),
        ("c_50.10795", 50),
        ("c_50.18322", 50),
        ("c_100.22909", 100),
        ("c_100.31011", 100),
        ("c_200.16424", 200),
        ("c_200.6615", 200),
    ],
)
def test_second_ucarp_of_a_pair(name, advskew):
    """Advertisements only were captured. B's bytes and times, the moments of two MASTERs and the extra
    advertisement before stepping down included.
    """
    recorded = frames(CAPTURES / "ucarp-1.5.2" / f"{name}.pcap")
    mine = [one for one in recorded if is_from(one[1], "10.9.0.2", b"-")]
    own = modelled(
        recorded, "10.9.0.2", advskew, bytes.fromhex("6ab06e518cfb"), recorded[-1][0] + TOLERANCE_NS
    )
    compare(mine, [one for one in own if decode(one[1]).carp])


@pytest.mark.parametrize(
    ("source", "mac", "advskew"), [("10.9.0.1", "5e9e93158af6", 0), ("10.9.0.2", "6ab06e518cfb", 100)]
)
def test_both_with_their_gratuitous_arp(source, mac, advskew):
    recorded = frames(CAPTURES / "ucarp-1.5.2" / "cap.pcap")
    own_mac = bytes.fromhex(mac)
    mine = [one for one in recorded if is_from(one[1], source, own_mac)]
    compare(mine, modelled(recorded, source, advskew, own_mac, mine[-1][0] + TOLERANCE_NS))
