"""A replay is worth something only if it notices: one rule changed by hand, and it finds a difference of the
right kind.
"""

from dataclasses import replace

import pytest

from conformance.model.actions import State
from conformance.model.dialects import dialect
from conformance.model.election import plain_skew, relieves_nobody
from conformance.model.receiving import constant_cookie
from conformance.model.timing import skew_once_ns, skew_thrice_ns
from conformance.model.transitions import Input
from conformance.wire.digest import AddressRule
from tests.model.recordings import console_log, steps
from tests.model.replaying import MS, Replay

ONE, TWO = {"br-carp": ""}, {"br-carp": ".br-carp", "br-carp2": ".br-carp2"}
F9, F13, OPENBSD = dialect("freebsd-legacy"), dialect("freebsd"), dialect("openbsd")

MASTER = State.MASTER
SILENT = {**F9.transitions, (MASTER, Input.CLOSED): F9.transitions[MASTER, Input.UNUSABLE]}


def legacy(name, rules, files=ONE):
    return Replay(console_log("freebsd-9.3", name, files), rules, tuple(files)).run().wrong(late_ns=110 * MS)


def openbsd(name, rules):
    return Replay(console_log("openbsd-8.0beta", name, ONE), rules).run().wrong(late_ns=110 * MS)


def freebsd(name, rules):
    return Replay(steps("freebsd-13.2", name), rules, delay_ns=-100 * MS).run().wrong(late_ns=220 * MS)


FAULTS = {
    "suppression ignored": (
        lambda: legacy("S1-ref-preempt1-ext-link-off", replace(F9, effective_skew=plain_skew), TWO),
        "carp4",
    ),
    "no bow-out": (lambda: legacy("k1-down-carp1-master", replace(F9, transitions=SILENT)), "carp4"),
    "addresses hashed as configured": (
        lambda: legacy("d-v4-two-desc", replace(F9, address_rule=AddressRule.CONFIGURED)),
        "carp4",
    ),
    "counter constant": (lambda: legacy("p3-counter", replace(F9, next_counter=constant_cookie)), "carp4"),
    "link lines missing": (lambda: legacy("a-v4-skew0", replace(F9, log_link=None)), "log lines"),
    "skew counted once": (
        lambda: openbsd("m1-backup-peer-skew0-then-stops", replace(OPENBSD, master_down_ns=skew_once_ns)),
        "off",
    ),
    "demote byte missing": (
        lambda: openbsd("j1-demote-single", replace(OPENBSD, demote_byte=lambda _: 0)),
        "carp4",
    ),
    "never yields": (
        lambda: openbsd("i4-pair-preempt1-carpdown", replace(OPENBSD, yields=relieves_nobody)),
        "state",
    ),
    "link-local address hashed": (
        lambda: openbsd("e-v6", replace(OPENBSD, address_rule=AddressRule.ASCENDING)),
        "carp6",
    ),
    "skew counted thrice": (
        lambda: freebsd("i2_linkloss_preempt0", replace(F13, master_down_ns=skew_thrice_ns)),
        "carp4",
    ),
    "wrong type of service": (lambda: freebsd("a_single_v4_skew0", replace(F13, tos=0x10)), "carp4"),
    "demotion ignored": (
        lambda: freebsd("j_demotion_preempt0", replace(F13, effective_skew=plain_skew)),
        "carp4",
    ),
    "announced from the virtual MAC": (
        lambda: freebsd("a_single_v4_skew0", replace(F13, gratuitous_arp=OPENBSD.gratuitous_arp)),
        "arp",
    ),
    "neighbour advertisement on the wire": (
        lambda: freebsd("e_v6_only", replace(F13, unsolicited_na=True)),
        "neighbour",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_noticed(fault):
    play, kind = FAULTS[fault]
    wrong = play()
    assert any(kind in one for one in wrong), wrong[:3]
