"""What a refused request leaves behind, addresses that are set again, and unicast peers that are not there."""

from __future__ import annotations

from ipaddress import ip_address
from random import Random
from typing import Any

import pytest

from conformance.model.config import ConfigurationError, Interface, VhostConfig
from conformance.model.dialects import dialect
from conformance.model.machine import Host

SECOND = 1_000_000_000


def host(key: str) -> Host:
    return Host(
        "a", dialect(key), [Interface("em0", bytes.fromhex("020000000001"), ("192.0.2.1/24",))], Random(1)
    )


class TestPartOfARefusedRequest:
    """FreeBSD 10 and 13 set one parameter after the other."""

    @pytest.mark.parametrize(
        ("key", "left"),
        [
            ("freebsd-10", [9]),
            ("freebsd-13", [9]),
            ("freebsd-15", []),
            ("openbsd", []),
            ("freebsd-legacy", []),
        ],
    )
    def test_new_virtual_host(self, key: str, left: list[int]) -> None:
        one = host(key)
        with pytest.raises(ConfigurationError, match="advskew 255 is out of range"):
            one.configure(0, "em0", VhostConfig(9, ("192.0.2.100",), advbase=3, advskew=255))
        assert [vhost.vhid for vhost in one.vhosts()] == left
        assert all((vhost.config.advbase, vhost.addresses) == (3, ()) for vhost in one.vhosts())

    def test_vhid_out_of_range_leaves_nothing(self) -> None:
        one = host("freebsd-13")
        with pytest.raises(ConfigurationError, match="vhid 256"):
            one.configure(0, "em0", VhostConfig(256, ("192.0.2.100",)))
        assert list(one.vhosts()) == []

    @pytest.mark.parametrize(("key", "advbase"), [("freebsd-13", 2), ("freebsd-15", 1)])
    def test_running_virtual_host(self, key: str, advbase: int) -> None:
        one = host(key)
        one.configure(0, "em0", VhostConfig(1, ("192.0.2.100",), advskew=100))
        with pytest.raises(ConfigurationError, match="advskew 255"):
            one.reconfigure(1, "em0", 1, advbase=2, advskew=255)
        config = one.vhost("em0", 1).config
        assert (config.advbase, config.advskew) == (advbase, 100)


def test_address_that_is_set_again_is_listed_once() -> None:
    one = host("freebsd-legacy-6")
    one.configure(0, "em0", VhostConfig(1, ("192.0.2.100",)))
    one.add_address(1, "em0", 1, "192.0.2.100")
    assert one.vhost("em0", 1).addresses == (ip_address("192.0.2.100"),)


class TestPeerThatIsNotThere:
    """After five ARP requests in vain a packet is refused; three such packets demote."""

    def demotion_after(self, seconds: int, **peer: Any) -> int:
        one = host("freebsd-15")
        shared = "192.0.2.100" if "peer" in peer else "2001:db8::100"
        one.configure(0, "em0", VhostConfig(1, (shared,), **peer))
        for now in range(1, seconds * 10):
            one.tick(now * SECOND // 10)
        return one.demotion

    def test_ipv4_peer_demotes_with_the_eighth_advertisement(self) -> None:
        assert [self.demotion_after(seconds, peer="192.0.2.250") for seconds in (10, 12)] == [0, 240]

    def test_ipv6_peer_does_not(self) -> None:
        assert self.demotion_after(20, peer6="2001:db8::250") == 0


class TestMacSetByHand:
    """OpenBSD hashes it, unless it is the virtual or the parent's."""

    @pytest.mark.parametrize(
        ("lladdr", "hashed"),
        [
            ("02:c0:ff:ee:00:01", "02c0ffee0001"),
            ("00:00:5e:00:01:07", ""),
            ("02:00:00:00:00:01", ""),
        ],
        ids=["own", "virtual", "parent"],
    )
    def test_it_stands_before_the_vhid(self, lladdr: str, hashed: str) -> None:
        one = host("openbsd")
        one.configure(0, "em0", VhostConfig(7, ("192.0.2.100",), lladdr=lladdr))
        expected = bytes.fromhex("0201" + hashed + "07") + ip_address("192.0.2.100").packed
        assert one.vhost("em0", 7).prefixes[0] == expected

    def test_others_refuse_it(self) -> None:
        with pytest.raises(ConfigurationError, match="sets no MAC address by hand"):
            host("freebsd-13").configure(
                0,
                "em0",
                VhostConfig(7, ("192.0.2.100",), lladdr="02:c0:ff:ee:00:01"),
            )
