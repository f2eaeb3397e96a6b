"""The sweep and the mutations: all refused by the reference, and the same ones each time."""

from ipaddress import ip_address

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import faults
from conformance.wire.digest import Secret
from conformance.wire.frame import decode
from conformance.wire.fuzz import LONGEST, lengths, mutations

ADVERTISEMENT = Advertisement(
    vhid=7, source=ip_address("192.0.2.254"), secret=Secret("secret", (ip_address("192.0.2.1"),))
)


def refused(data):
    return bool(faults(decode(data), 7, ADVERTISEMENT.secret))


def test_the_sweep_has_every_length_once():
    frames = [decode(data) for data in lengths(ADVERTISEMENT)]
    assert [len(frame.payload) for frame in frames] == list(range(LONGEST + 1))
    assert all(frame.ip.protocol == 112 and frame.ip.sound for frame in frames)


def test_nothing_of_the_sweep_is_valid():
    assert all(map(refused, lengths(ADVERTISEMENT)))


def test_the_same_seed_gives_the_same_frames():
    assert list(mutations(ADVERTISEMENT, 1, 50)) == list(mutations(ADVERTISEMENT, 1, 50))
    assert list(mutations(ADVERTISEMENT, 1, 50)) != list(mutations(ADVERTISEMENT, 2, 50))


def test_no_mutation_is_valid_and_none_loses_its_protocol_number():
    frames = list(mutations(ADVERTISEMENT, 3, 2000))
    assert len(frames) == 2000
    assert all(map(refused, frames))
    assert all(data[23] == 112 for data in frames)
    assert {len(data) for data in frames} > {34, 70}
