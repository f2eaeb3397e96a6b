"""The digest against the published vectors and against packets of real implementations."""

import json
from ipaddress import ip_address
from pathlib import Path

import pytest

from conformance.wire.digest import AddressRule, DigestError, Secret, addresses, key
from conformance.wire.header import Header

FIXTURES = Path(__file__).parents[2] / "fixtures"
VECTORS = json.loads((FIXTURES / "vectors" / "carp-hmac-vectors.json").read_text())
GOLDEN = json.loads((FIXTURES / "vectors" / "ucarp-golden-frames.json").read_text())


def secret_of(vector: dict) -> Secret:
    rule = AddressRule.WITHOUT_LINK_LOCAL if vector["exclude_inet6_linklocal"] else AddressRule.ASCENDING
    lladdr = bytes.fromhex((vector["lladdr"] or "").replace(":", ""))
    return Secret(vector["password"], (*vector["inet"], *vector["inet6"]), rule, lladdr)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
class TestVectors:
    def test_hashed_message(self, vector):
        counter = bytes.fromhex(vector["counter"])
        assert secret_of(vector).message(vector["vhid"], counter).hex() == vector["hmac_input_hex"]

    def test_digest(self, vector):
        counter = bytes.fromhex(vector["counter"])
        assert secret_of(vector).digest(vector["vhid"], counter).hex() == vector["hmac_sha1_hex"]

    def test_whole_header(self, vector):
        counter = bytes.fromhex(vector["counter"])
        header = Header(
            vector["vhid"], vector["advskew"], vector["advbase"], counter,
            secret_of(vector).digest(vector["vhid"], counter), demote=vector["demote"],
        )  # fmt: skip
        assert header.summed().hex() == vector["carp_packet_hex"]


def test_advertisement_of_a_real_ucarp():
    golden = GOLDEN["ucarp_advert"]
    header = Header.unpack(bytes.fromhex(golden["hex"])[34:])
    secret = Secret(golden["key"], tuple(golden["vip"]), AddressRule.SINGLE)
    assert header.vhid == golden["vhid"]
    assert secret.verifies(header.vhid, header.counter, header.digest)
    assert not Secret("other", tuple(golden["vip"])).verifies(header.vhid, header.counter, header.digest)


class TestKey:
    def test_none_is_twenty_zero_bytes(self):
        assert key("") == bytes(20)

    def test_longer_passwords_are_cut_to_nineteen_bytes(self):
        assert key("abcdefghijklmnopqrst") == b"abcdefghijklmnopqrs\0"

    def test_the_netlink_interface_keeps_twenty(self):
        assert key("abcdefghijklmnopqrst", limit=20) == b"abcdefghijklmnopqrst"

    def test_text_is_utf8(self):
        assert key("ü").startswith(b"\xc3\xbc\0")


class TestAddresses:
    def test_configured_order_keeps_families_apart(self):
        given = ["2001:db8::2", "192.0.2.9", "2001:db8::1", "192.0.2.1"]
        expected = b"".join(
            ip_address(a).packed for a in ("192.0.2.9", "192.0.2.1", "2001:db8::2", "2001:db8::1")
        )
        assert addresses(given, AddressRule.CONFIGURED) == expected

    def test_addresses_that_the_scan_cannot_reach(self):
        assert addresses(["0.0.0.0", "255.255.255.255", "192.0.2.1"]) == ip_address("192.0.2.1").packed

    def test_embedded_scope_is_cleared(self):
        assert addresses([ip_address("fe80:3::1")]) == ip_address("fe80::1").packed

    def test_ucarp_has_one_ipv4_address(self):
        with pytest.raises(DigestError, match="exactly one IPv4"):
            addresses(["192.0.2.1", "192.0.2.2"], AddressRule.SINGLE)


def test_password_is_not_in_the_representation():
    assert "hunter2" not in repr(Secret("hunter2", ("192.0.2.1",)))
