"""Dialects are cuts through one table; a wrong name is told well; windows follow from the rules."""

import dataclasses

import pytest

from conformance.model.dialects import ROWS, Dialect, UnknownDialect, dialect, dialects
from conformance.model.rows import KEYS, RECORDINGS, Confirmed, IncompleteRow, cell, row
from conformance.model.timing import MS, SECOND, PollLoop, Slack
from tests.model.recordings import CAPTURES


class TestNames:
    @pytest.mark.parametrize(
        ("name", "version", "key"),
        [
            ("freebsd", None, "freebsd-13"),
            ("freebsd", 10, "freebsd-10"),
            ("freebsd", "15", "freebsd-15"),
            ("freebsd-legacy", None, "freebsd-legacy"),
            ("freebsd-legacy", 6, "freebsd-legacy-6"),
            ("freebsd-legacy", 9, "freebsd-legacy"),
            ("openbsd", None, "openbsd"),
            ("ucarp", None, "ucarp"),
            ("freebsd-10", None, "freebsd-10"),
        ],
    )
    def test_known(self, name, version, key):
        assert dialect(name, version).key == key

    @pytest.mark.parametrize(
        ("name", "version"), [("netbsd", None), ("netbsd", 9), ("freebsd", 12), ("openbsd", 7)]
    )
    def test_unknown(self, name, version):
        with pytest.raises(UnknownDialect, match="known") as caught:
            dialect(name, version)
        assert caught.value.name == name

    def test_family(self):
        assert [one.name for one in dialects()] == [
            "freebsd-legacy",
            "freebsd-legacy",
            "freebsd",
            "freebsd",
            "freebsd",
            "openbsd",
            "ucarp",
        ]


class TestRows:
    def test_every_field_is_a_row(self):
        fields = {one.name for one in dataclasses.fields(Dialect)} - {"key", "carriers", "common"}
        assert fields == {one.name for one in ROWS}
        assert len(fields) == len(ROWS)

    @pytest.mark.parametrize("one", ROWS, ids=lambda one: one.name)
    def test_row_is_complete(self, one):
        assert set(one.values) == set(one.sources) == set(KEYS)
        assert one.meaning
        assert all(one.shown(key) for key in KEYS)

    @pytest.mark.parametrize("one", ROWS, ids=lambda one: one.name)
    def test_recordings_exist(self, one):
        """What is said to be confirmed by a recording names one that this project has."""
        for key, source in one.sources.items():
            if source.kind is Confirmed.RECORDED:
                folder, _, name = source.reference.partition("/")
                assert folder == RECORDINGS[key]
                assert list((CAPTURES / folder).glob(f"{name}*.pcap"))

    def test_missing_and_double_values_are_refused(self):
        with pytest.raises(IncompleteRow, match="0 values"):
            row("x", "y", cell("openbsd", 1), read="z")
        with pytest.raises(IncompleteRow, match="2 values"):
            row("x", "y", cell(KEYS, 1), cell("openbsd", 2), read="z")


class TestWindows:
    @pytest.mark.parametrize(
        ("key", "skew", "measured"),
        [
            ("freebsd-legacy", 100, 3.392),
            ("freebsd-13", 100, 3.49),
            ("freebsd-15", 254, 4.09),
            ("openbsd", 100, 4.19),
            ("ucarp", 1, 3.99),
            ("ucarp", 50, 4.57),
            ("ucarp", 100, 5.16),
            ("ucarp", 200, 6.33),
        ],
    )
    def test_take_over(self, key, skew, measured):
        low, high = dialect(key).take_over_window_ns(1, skew)
        assert low <= measured * SECOND <= high

    @pytest.mark.parametrize(
        ("skew", "measured"), [(0, 3.03), (64, 3.78), (100, 4.22), (128, 4.54), (200, 5.35), (254, 5.98)]
    )
    def test_silent_start_of_ucarp(self, skew, measured):
        low, high = dialect("ucarp").start_window_ns(1, skew)
        assert low <= measured * SECOND <= high

    def test_start_of_a_kernel_is_its_master_down_time(self):
        one = dialect("freebsd-legacy")
        assert one.start_window_ns(2, 0) == one.take_over_window_ns(2, 0) == (5_999 * MS, 6_030 * MS)

    def test_dead_ratio_is_for_ucarp_only(self):
        assert dialect("ucarp").master_down_ns(1, 0, 5) == 5 * SECOND
        assert (
            dialect("openbsd").master_down_ns(1, 0, 5)
            == dialect("freebsd").master_down_ns(1, 0, 5)
            == 3 * SECOND
        )

    @pytest.mark.parametrize(
        ("key", "interval"),
        [
            ("freebsd-13", 1.071),
            ("freebsd-13", 1.000),
            ("openbsd", 1.010),
            ("freebsd-legacy", 1.0026),
            ("ucarp", 0.9891),
        ],
    )
    def test_interval(self, key, interval):
        low, high = dialect(key).interval_window_ns(1, 0)
        assert low <= interval * SECOND <= high

    def test_zero_interval_of_openbsd(self):
        assert dialect("openbsd").interval_ns(0, 0) == 3_906_000
        assert dialect("openbsd").master_down_ns(0, 0) == 3 * 3_906_000

    def test_reaction(self):
        assert dialect("openbsd").reaction_window_ns == (0, 50 * MS)
        assert dialect("ucarp").reaction_window_ns == (0, 1100 * MS)

    def test_slack_and_poll_loop_read_well(self):
        assert str(Slack(MS, 30 * MS, 16)) == "-1 ms, +30 ms and 1/16"
        assert str(PollLoop(SECOND)) == "wakes every advbase + advskew/256 s; frames up to 1 s late"
        assert PollLoop(SECOND).period_ns(0, 0) == MS
