"""ifconfig's output, read: proven on what real machines printed."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface

import pytest

from conformance.targets.remote.ifconfig import VirtualHost, read
from tests.targets.remote.transcripts import everywhere

LISTINGS = everywhere("ifconfig")


@pytest.mark.parametrize(("name", "text"), LISTINGS, ids=[name for name, _ in LISTINGS])
class TestEveryRecordedListing:
    def test_has_all_its_interfaces(self, name, text):
        heads = [line.split(":")[0] for line in text.splitlines() if not line.startswith("\t") and line]
        assert list(read(text)) == heads

    def test_has_all_its_addresses(self, name, text):
        lines = [line.split()[1].split("%")[0] for line in text.splitlines() if line.startswith("\tinet")]
        assert [str(one.ip) for shown in read(text).values() for one in shown.addresses] == lines

    def test_has_all_its_virtual_hosts(self, name, text):
        lines = [line.split() for line in text.splitlines() if line.startswith(("\tcarp:", "\tvrrp:"))]
        found = [(one.state, one.vhid) for shown in read(text).values() for one in shown.virtual]
        assert found == [(words[1], int(words[3])) for words in lines]

    def test_tells_shared_addresses_from_its_own(self, name, text):
        shown = read(text)["vtnet0"]
        assert all(
            str(one.ip) in ("192.0.2.11", "192.0.2.12", "2001:db8::11") or one.ip.is_link_local
            for one in shown.own
        )
        assert shown.mac is not None
        assert shown.mac.hex(":") in ("02:00:00:00:00:0a", "02:00:00:00:00:0b")


def listing(name):
    return read(dict(LISTINGS)[name])


def test_state_and_rank():
    shown = listing("freebsd-13.2/state_MASTER_log2")["vtnet0"]
    assert shown.virtual_host(1) == VirtualHost("MASTER", 1, 1, 100)
    assert shown.virtual_host(2) is None


def test_prefix_and_vhid_of_addresses():
    shown = listing("freebsd-13.2/f_mixed_v4_v6_master")["vtnet0"]
    assert ip_interface("192.0.2.1/24") in shown.addresses
    assert ip_interface("2001:db8::1/64") in shown.addresses
    assert shown.vhid_of == {ip_address("192.0.2.1"): 1, ip_address("2001:db8::1"): 1}


def test_interface_that_is_down():
    down = listing("freebsd-13.2/i_failover_preempt0_down_a")["vtnet0"]
    assert (down.up, down.virtual_host(1).state, down.status) == (False, "INIT", "active")


def test_link_that_is_lost():
    lost = listing("freebsd-13.2/i2_linkloss_preempt0_linkdown_a")["vtnet0"]
    assert (lost.up, lost.status) == (True, "no carrier")


def test_ipv6_that_is_switched_off_for_an_interface():
    assert listing("freebsd-13.2/state_none_log0")["vtnet0"].ipv6_disabled
    assert not listing("freebsd-15.1/e_v6_only_master")["vtnet0"].ipv6_disabled


def test_vrrp_line():
    shown = listing("freebsd-15.1/kd1_freebsd100_keepalived200_preempt0_freebsd")["vtnet0"]
    assert shown.virtual == (VirtualHost("BACKUP", 1, None, None),)


def test_interface_without_flags():
    assert listing("freebsd-15.1/a_single_v4_skew0_master")["pflog0"].flags == frozenset()


LEGACY = """\
carp1: flags=49<UP,LOOPBACK,RUNNING> metric 0 mtu 1500
\tinet 192.0.2.1 netmask 0xffffff00
\tcarp: MASTER vhid 1 advbase 1 advskew 50
"""
OPENBSD = """\
carp1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 00:00:5e:00:01:01
\tindex 5 priority 15 llprio 3
\tcarp: BACKUP carpdev vio0 vhid 1 advbase 1 advskew 100 carppeer 192.0.2.22
\tgroups: carp
\tstatus: backup
\tinet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255
\tinet6 fe80::200:5eff:fe00:101%carp1 prefixlen 64 scopeid 0x5
"""


def test_carp_interface_of_the_legacy_line():
    """From the source of its ifconfig: no output of it was recorded."""
    assert read(LEGACY)["carp1"].virtual == (VirtualHost("MASTER", 1, 1, 50),)


def test_carp_interface_of_openbsd():
    """From the source of its ifconfig: no output of it was recorded."""
    shown = read(OPENBSD)["carp1"]
    assert shown.virtual == (VirtualHost("BACKUP", 1, 1, 100, "vio0"),)
    assert (shown.groups, shown.mac.hex(":")) == (("carp",), "00:00:5e:00:01:01")


def test_interface_with_several_virtual_hosts():
    """As ifconfig.c of OpenBSD prints it (carp_status)."""
    text = """carp1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 01:00:5e:00:01:01
\tcarp: carpdev vio0 advbase 1 balancing ip-stealth carppeer 192.0.2.9
\t\tstate MASTER vhid 1 advskew 0
\t\tstate BACKUP vhid 2 advskew 100
\tgroups: carp
\tstatus: master
"""
    shown = read(text)["carp1"]
    assert [(one.vhid, one.state, one.advbase, one.advskew, one.device) for one in shown.virtual] == [
        (1, "MASTER", 1, 0, "vio0"),
        (2, "BACKUP", 1, 100, "vio0"),
    ]
