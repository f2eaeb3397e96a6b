"""The model of legacy FreeBSD does what the recorded FreeBSD 9.3 did."""

import pytest

from conformance.model.dialects import dialect
from tests.model.recordings import console_log, table
from tests.model.replaying import MS, Replay

F9 = dialect("freebsd-legacy")
ONE = {"br-carp": ""}
TWO = {"br-carp": ".br-carp", "br-carp2": ".br-carp2"}
BAD = "l-bad-packets-v4-master"


@pytest.mark.parametrize(
    "name",
    [
        "a-v4-skew0",
        "e-v6",
        "f-mixed",
        "g-nopass",
        "i1-pair-preempt0-cable",
        "i4-pair-preempt1-carpdown",
        "k1-down-carp1-master",
        "n1-allow0-pair",
        "p3-counter",
    ],
)
def test_one_segment(name):
    assert Replay(console_log("freebsd-9.3", name, ONE), F9).run().wrong(late_ns=110 * MS) == []


def test_removed_address_stays_in_the_digest_until_the_next_configuration_request():
    recording = console_log("freebsd-9.3", "d-v4-two-desc", ONE)
    assert Replay(recording, F9, delays_ns={"get carp1": 75 * MS}).run().wrong(late_ns=110 * MS) == []


def test_state_changes_at_each_log_level():
    recording = console_log("freebsd-9.3", "l-loglevels-statechanges", ONE)
    assert Replay(recording, F9).run().wrong(late_ns=110 * MS, log_tail=1) == []


@pytest.mark.parametrize("name", ["S1-ref-preempt1-ext-link-off", "S2-ref-preempt0-ext-link-off"])
def test_two_firewalls(name):
    assert (
        Replay(console_log("freebsd-9.3", name, TWO), F9, ("br-carp", "br-carp2"))
        .run()
        .wrong(late_ns=110 * MS)
        == []
    )


@pytest.fixture(scope="module")
def bad_packets():
    return Replay(console_log("freebsd-9.3", BAD, ONE), F9, ("br-carp", "br-other")).run()


class TestBadPackets:
    """Each crafted packet of the table, at each log level at which it was sent."""

    @pytest.mark.parametrize("row", table("freebsd-9.3", BAD), ids=lambda row: row["case"])
    def test_row(self, bad_packets, row):
        responses = {one.level: one for one in bad_packets.responses if one.case == row["case"]}
        levels = [level for level in (0, 1, 2) if f"log{level}" in row]
        assert levels
        assert set(levels) <= set(responses)
        for level in levels:
            one = responses[level]
            assert (one.before, one.after, one.delta) == (row["before"], row["after"], row["delta"])
            assert one.log == row[f"log{level}"]

    def test_own_frames_and_counters(self, bad_packets):
        assert [one for one in bad_packets.wrong(late_ns=110 * MS) if "log lines differ" not in one] == []
