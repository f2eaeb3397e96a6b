"""The model of FreeBSD 15 with ``carpver 3`` does what the recorded one did against keepalived 2.2.7.

Commands of these recordings are stamped when they had ended, so each is taken back by about the time that it
ran.
"""

import pytest

from conformance.model.dialects import dialect
from conformance.wire.vrrp3 import read
from tests.model.recordings import steps
from tests.model.replaying import MS, Replay, decode

F15, BACK = dialect("freebsd", 15), -250 * MS


def replayed(name, **delays_ns):
    return Replay(steps("freebsd-15.1", name), F15, delay_ns=BACK, delays_ns=delays_ns).run()


@pytest.mark.parametrize(
    ("name", "advertisements"),
    [
        ("kd1_freebsd100_keepalived200_preempt0", 23),
        ("kd5_equal100_keepalived_address_lower_freebsd_first", 30),
        ("kd5_equal100_keepalived_address_lower_keepalived_first", 20),
    ],
)
def test_against_keepalived(name, advertisements):
    played = replayed(name)
    assert played.wrong(late_ns=300 * MS) == []
    sent = [decode(data) for _, _, data in played.played["a"].modelled]
    assert sum(read(frame) is not None for frame in sent) == advertisements


def test_interface_down_and_up_and_orders():
    """All but the ARP answers that the NIC handed over when the interface came up again."""
    order = {"ifconfig vtnet0 vhid 1 state backup": -120 * MS}
    wrong = replayed("kd2_freebsd200_keepalived100_preempt0", **order).wrong(late_ns=300 * MS)
    assert [one for one in wrong if ": arp at" not in one] == ["a: 24 arp recorded on br-carp, 14 modelled"]


def test_what_ifconfig_refuses():
    refused = replayed("ifconfig_cases").played["a"].guest.refused
    assert sum("cannot be changed (EINVAL)" in one for one in refused) == 4
    assert sum("takes 1 to 4095 centiseconds" in one for one in refused) == 2
