"""The model of OpenBSD does what the recorded OpenBSD 8.0-beta did."""

import pytest

from conformance.model.dialects import dialect
from tests.model.recordings import console_log, table
from tests.model.replaying import MS, Replay

OPENBSD = dialect("openbsd")
ONE = {"br-carp": ""}
BAD = "l-bad-packets-v4-master"


@pytest.mark.parametrize(
    "name",
    [
        "a-v4-skew0",
        "d-v4-two-desc",
        "e-v6",
        "f-mixed",
        "g-nopass",
        "i1-pair-preempt0-cable",
        "i4-pair-preempt1-carpdown",
        "k1-down-carp0-master",
        "j1-demote-single",
        "m1-backup-peer-skew0-then-stops",
        "m7-mixed-peer-v4-only",
    ],
)
def test_one_segment(name):
    assert Replay(console_log("openbsd-8.0beta", name, ONE), OPENBSD).run().wrong(late_ns=110 * MS) == []


@pytest.fixture(scope="module")
def bad_packets():
    return Replay(console_log("openbsd-8.0beta", BAD, ONE), OPENBSD).run()


class TestBadPackets:
    """Each crafted packet of the table; for some the log levels at which a line appears were tried one by
    one.
    """

    @pytest.mark.parametrize("row", table("openbsd-8.0beta", BAD), ids=lambda row: row["case"])
    def test_row(self, bad_packets, row):
        responses = [one for one in bad_packets.responses if one.case == row["case"]]
        one = next(one for one in responses if one.level == row["level"])
        assert (one.before, one.after, one.delta, one.log) == (
            row["before"],
            row["after"],
            row["delta"],
            row["log"],
        )

    def test_frames_states_counters_and_log(self, bad_packets):
        assert bad_packets.wrong(late_ns=110 * MS) == []

    def test_log_levels(self, bad_packets):
        """A line appears at the recorded levels and at no other: from its own syslog level on."""
        tried = [row for row in table("openbsd-8.0beta", BAD) if isinstance(row.get("loglevels"), list)]
        assert tried
        for row in tried:
            lines = {
                one.level for one in bad_packets.responses if one.case.startswith(row["case"]) and one.log
            }
            assert lines <= set(row["loglevels"]), row["case"]
            assert min(row["loglevels"], default=8) == (int(row["log"][1]) if row["log"] else 8)
