"""The model of FreeBSD 13 and 15 does what the recorded FreeBSD 13.2 and 15.1 did.

Commands of these recordings are stamped when they had ended, so each is taken back by about the time that it
ran.
"""

import pytest

from conformance.model.dialects import dialect
from tests.model.recordings import steps
from tests.model.replaying import MS, Replay

F13, F15 = dialect("freebsd", 13), dialect("freebsd", 15)
BACK_13, BACK_15 = -100 * MS, -250 * MS
QUEUED = "arp recorded on br-carp"
"""While the interface was down the NIC kept one gratuitous ARP and handed it over when it came up; the model
has no such queue.
"""


@pytest.mark.parametrize(
    "name",
    [
        "a_single_v4_skew0",
        "a1000_single_v4_skew0_hz1000",
        "d_two_addrs_descending",
        "e_v6_only",
        "f_mixed_v4_v6",
        "g_no_password",
        "h2_password_19chars",
        "i2_linkloss_preempt0",
        "j_demotion_preempt0",
        "k_state_backup_preempt0",
        "m_password_mismatch",
        "states_log0",
        "states_log1",
        "states_log2",
        "ifconfig_cases",
    ],
)
def test_freebsd_13(name):
    assert Replay(steps("freebsd-13.2", name), F13, delay_ns=BACK_13).run().wrong(late_ns=220 * MS) == []


@pytest.mark.parametrize("name", ["i_failover_preempt0", "i_failover_preempt1"])
def test_freebsd_13_interface_down_and_up(name):
    wrong = Replay(steps("freebsd-13.2", name), F13, delay_ns=BACK_13).run().wrong(late_ns=220 * MS)
    assert all("a: " in one and ("arp" in one) for one in wrong)
    assert [one for one in wrong if QUEUED in one]


@pytest.mark.parametrize(
    "name",
    [
        "a_single_v4_skew0",
        "d_two_addrs_descending",
        "e_v6_only",
        "f_mixed_v4_v6",
        "fe_linklocal_vip_only",
        "k2_allow_1_0_1",
        "u1_one_side_unicast",
    ],
)
def test_freebsd_15(name):
    assert Replay(steps("freebsd-15.1", name), F15, delay_ns=BACK_15).run().wrong(late_ns=300 * MS) == []


def test_freebsd_15_demotion():
    times = {"sysctl net.inet.carp.demotion=200": -135 * MS, "sysctl net.inet.carp.demotion=-250": -180 * MS}
    assert (
        Replay(steps("freebsd-15.1", "j_demotion_preempt0"), F15, delay_ns=BACK_15, delays_ns=times)
        .run()
        .wrong(late_ns=300 * MS)
        == []
    )
