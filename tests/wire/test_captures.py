"""Frames of real implementations: rebuilt byte for byte, digests recomputed with their passwords."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from scapy.packet import Raw
from scapy.utils import RawPcapReader

from conformance.wire.digest import Secret
from conformance.wire.frame import advertisement, decode, is_vrrp
from conformance.wire.header import LENGTH, Header
from conformance.wire.layer import CARP, dissect

CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures"
EVERY_FILE = sorted(CAPTURES.rglob("*.pcap"))
VRRP_FILES = [path for path in EVERY_FILE if path.name.startswith("kd") or path.parent.name == "keepalived"]
FILES = [path for path in EVERY_FILE if path not in VRRP_FILES]

ADDRESSES = {
    "d_two": ("192.0.2.1", "192.0.2.5"), "d-v4-two": ("192.0.2.1", "192.0.2.5"),
    "e_v6": ("2001:db8::1",), "e-v6": ("2001:db8::1",), "fe_": ("fe80::1",),
    "f_mixed": ("192.0.2.1", "2001:db8::1"), "f-mixed": ("192.0.2.1", "2001:db8::1"), "m7-mixed": ("192.0.2.1", "2001:db8::1"),
}  # fmt: skip
PASSWORDS = {"g_no": "", "g-no": "", "h2_": "1234567890123456789"}
CRAFTED = {"bad_packets": "192.0.2.254", "states_log": "192.0.2.254", "l-bad-packets": "192.0.2.22"}
"""The address of the program that made invalid packets on purpose."""


def by_prefix(table, name, default):
    return next((value for prefix, value in table.items() if name.startswith(prefix)), default)


def secrets(path):
    """The secrets that were in force during a recording, by its README and steps."""
    name = path.name
    if path.parent.name.startswith("ucarp"):
        return [Secret("secret", ("10.9.0.100",))]
    if name.startswith(("S1", "S2")):
        return [
            Secret("pass4carp2", ("192.168.10.1",))
            if "br-carp2" in name
            else Secret("pass4carp1", ("10.0.1.1",))
        ]
    if name.startswith("ifconfig_cases"):
        groups = ("192.0.2.2",), ("192.0.2.3",), ("192.0.2.2", "192.0.2.3"), ("192.0.2.7",)
        return [Secret("abc", group) for group in groups]
    addresses = by_prefix(ADDRESSES, name, ("192.0.2.1",))
    known = [Secret(by_prefix(PASSWORDS, name, "pass4carp1"), addresses)]
    if name.startswith("d"):  # the second address comes late, a third one and goes
        known += [Secret("pass4carp1", ("192.0.2.1",)), Secret("pass4carp1", (*addresses, "10.0.0.7"))]
    if name.startswith("m_password_mismatch"):
        known.append(Secret("another", addresses))
    return known


def frames(path):
    with RawPcapReader(str(path)) as reader:
        return [decode(data) for data, _ in reader]


def of(path):
    return f"{path.parent.name}/{path.stem}"


def test_there_are_captures_of_every_family():
    assert {path.parent.name.split("-")[0] for path in FILES} == {"freebsd", "openbsd", "ucarp"}


@pytest.mark.parametrize("path", FILES, ids=of)
class TestCapture:
    def test_every_frame_is_rebuilt(self, path):
        for frame in frames(path):
            assert bytes(dissect(frame.data)) == frame.data

    def test_every_header_is_rebuilt_from_its_fields(self, path):
        found = [frame for frame in frames(path) if frame.carp is not None]
        assert found
        for frame in found:
            header = frame.payload[:LENGTH]
            assert frame.carp.pack() == header
            fields = {name: getattr(frame.carp, name) for name in Header.__dataclass_fields__}
            assert bytes(CARP(**fields)) == header

    def test_what_the_builder_makes_is_what_was_sent(self, path):
        """Digest, checksum, TTL, DF, group: from fields and secret alone, to the last byte."""
        crafted, known = by_prefix(CRAFTED, path.name, None), secrets(path)
        rebuilt = 0
        for frame in frames(path):
            if frame.carp is None or str(frame.ip.source) == crafted:
                continue
            carp, ip = frame.carp, frame.ip
            secret = next((s for s in known if s.verifies(carp.vhid, carp.counter, carp.digest)), None)
            assert secret is not None, f"no secret of the recording made {frame.payload.hex()}"
            header = Header(
                carp.vhid,
                carp.advskew,
                carp.advbase,
                carp.counter,
                secret.digest(carp.vhid, carp.counter),
                carp.demote,
            ).summed()
            assert header == frame.payload
            made = advertisement(
                header,
                ip.source,
                source_mac=frame.source,
                destination=ip.destination,
                destination_mac=frame.destination,
                tos=ip.tos,
                identification=ip.identification,
            )
            assert made == frame.data[: len(frame.data) - len(frame.trailer)]
            rebuilt += 1
        assert rebuilt

    def test_no_frame_is_taken_for_carp_and_for_vrrp(self, path):
        for frame in frames(path):
            if frame.ip is not None and frame.ip.protocol == 112:
                layer = dissect(frame.data)
                assert not (is_vrrp(frame.payload) and CARP in layer)
                assert CARP in layer or is_vrrp(frame.payload) or not frame.payload or Raw in layer


@pytest.mark.parametrize("path", [p for p in FILES if p.name.startswith(tuple(CRAFTED))], ids=of)
def test_crafted_packets_of_the_recordings_include_bad_digests(path):
    """The control of the test above: digests that no secret made are told apart."""
    known = secrets(path)
    bad = [
        f for f in frames(path)
        if f.carp is not None and str(f.ip.source) == by_prefix(CRAFTED, path.name, None)
        and not any(s.verifies(f.carp.vhid, f.carp.counter, f.carp.digest) for s in known)
    ]  # fmt: skip
    assert bad


@pytest.mark.parametrize("path", VRRP_FILES, ids=of)
def test_where_only_vrrp_is_spoken_nothing_is_carp(path):
    found = [frame for frame in frames(path) if frame.ip is not None and frame.ip.protocol == 112]
    assert found
    for frame in found:
        assert is_vrrp(frame.payload)
        assert frame.carp is None
        assert CARP not in dissect(frame.data)
        assert bytes(dissect(frame.data)) == frame.data


def test_the_golden_arp_of_ucarp():
    data = bytes.fromhex(
        "fffffffffffffe6c162d751108060001080006040001fe6c162d75110a090032fe6c162d75110a090032"
    )
    frame = decode(data)
    assert frame.arp.gratuitous
    assert frame.arp.sender == ip_address("10.9.0.50")
    assert bytes(dissect(data)) == data
