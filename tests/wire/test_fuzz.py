"""The sweep and the noise: all refused by the reference, and the same ones each time."""

from ipaddress import ip_address

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import faults
from conformance.wire.digest import Secret
from conformance.wire.frame import decode
from conformance.wire.fuzz import LONGEST, lengths, noise
from conformance.wire.header import checksum

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
    assert list(noise(ADVERTISEMENT, 1, 50)) == list(noise(ADVERTISEMENT, 1, 50))
    assert list(noise(ADVERTISEMENT, 1, 50)) != list(noise(ADVERTISEMENT, 2, 50))


def test_no_noise_is_valid_and_none_of_it_loses_its_protocol_number():
    frames = list(noise(ADVERTISEMENT, 3, 5000))
    assert len(frames) == 5000
    assert all(map(refused, frames))
    assert all(data[23] == 112 for data in frames)
    assert {len(data) for data in frames} > set(range(35, 71))


def test_noise_is_random_payloads_and_spoiled_advertisements():
    frames = list(noise(ADVERTISEMENT, 4, 1000))
    cut = sum(len(data) < 14 + decode(data).ip.length for data in frames if decode(data).ip)
    random = sum(len(data) != 70 for data in frames) - cut
    assert min(cut, random, 1000 - cut - random) > 150


def test_no_noise_sums_to_zero_over_both_headers():
    """Where one checksum covers both headers, changes that compensate each other would be believed."""
    assert all(checksum(data[14:70]) for data in noise(ADVERTISEMENT, 5, 20_000))
