"""arp, ndp and sysctl, read: proven on what real machines printed."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from conformance.targets.remote.tables import neighbours, settings
from tests.targets.remote.transcripts import everywhere

ARP, NDP, SYSCTL = everywhere("arp -an"), everywhere("ndp -an"), everywhere("sysctl net.inet.carp")


@pytest.mark.parametrize(("name", "text"), ARP, ids=[name for name, _ in ARP])
def test_every_recorded_arp_entry(name, text):
    told = {
        line.split()[1].strip("()"): line.split()[3] for line in text.splitlines() if line.startswith("?")
    }
    assert {str(ip): mac.hex(":") for ip, mac in neighbours(text).items()} == told


@pytest.mark.parametrize(("name", "text"), NDP, ids=[name for name, _ in NDP])
def test_every_recorded_ndp_entry(name, text):
    told = {line.split()[0].split("%")[0]: line.split()[1] for line in text.splitlines()[1:] if line.strip()}
    assert {str(ip): mac.hex(":") for ip, mac in neighbours(text).items()} == told


def test_columns_of_openbsd():
    text = "Host                                 Ethernet Address    Netif Expire    Flags\n"
    text += "192.0.2.254                          02:00:00:00:02:fe     vio0 19m58s\n"
    assert neighbours(text) == {ip_address("192.0.2.254"): bytes.fromhex("0200000002fe")}


@pytest.mark.parametrize(("name", "text"), SYSCTL, ids=[name for name, _ in SYSCTL])
def test_every_recorded_switch(name, text):
    told = dict(line.split(": ") for line in text.splitlines() if line)
    assert settings(text) == {name: int(value) for name, value in told.items()}


def test_switches_of_openbsd_and_negative_values():
    text = "net.inet.carp.allow=1\nnet.inet.carp.log=2\nnet.inet.carp.demotion: -10\n"
    assert settings(text) == {"net.inet.carp.allow": 1, "net.inet.carp.log": 2, "net.inet.carp.demotion": -10}
