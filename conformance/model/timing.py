"""The rows of the dialect table about time: interval, master-down time, timer slack, reaction. All times are
integer nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from conformance.model.rows import (
    ALL_FREEBSD,
    ALONE,
    BSD,
    FREEBSD_13,
    FREEBSD_15,
    FREEBSDS,
    LEGACIES,
    LEGACY,
    OPENBSD,
    UCARP,
    Row,
    cell,
    row,
)
from conformance.wire.header import interval_ns as plain_interval_ns

MS = 1_000_000
SECOND = 1_000_000_000
Window = tuple[int, int]
"""Earliest and latest, in nanoseconds, both allowed."""


class Interval(Protocol):
    """Time between two advertisements of a MASTER: advbase in s, advskew in 1/256 s; nanoseconds."""

    def __call__(self, advbase: int, advskew: int) -> int: ...


class MasterDown(Protocol):
    """Time a BACKUP waits for an advertisement: its own advbase in s, advskew in 1/256 s; nanoseconds."""

    def __call__(self, advbase: int, advskew: int, dead_ratio: int = 3) -> int: ...


def never_zero_interval_ns(advbase: int, advskew: int) -> int:
    """Advbase + advskew/256 s, at least 1/256 s."""
    return plain_interval_ns(advbase, advskew) or plain_interval_ns(0, 1)


def skew_once_ns(advbase: int, advskew: int, dead_ratio: int = 3) -> int:  # noqa: ARG001  # a MasterDown
    """3 * advbase + advskew/256 s."""
    return plain_interval_ns(3 * advbase, advskew)


def skew_thrice_ns(advbase: int, advskew: int, dead_ratio: int = 3) -> int:  # noqa: ARG001  # a MasterDown
    """3 * (advbase + advskew/256) s."""
    return 3 * never_zero_interval_ns(advbase, advskew)


def dead_ratio_ns(advbase: int, advskew: int, dead_ratio: int = 3) -> int:
    """Dead ratio * advbase + advskew/256 s, looked at only when the poll loop wakes."""
    return plain_interval_ns(dead_ratio * advbase, advskew)


def plain_ns(advbase: int, advskew: int) -> int:
    """Advbase + advskew/256 s."""
    return plain_interval_ns(advbase, advskew)


@dataclass(frozen=True, slots=True)
class Slack:
    """How far a timer may miss its nominal time on a healthy host: ``early_ns``, ``late_ns``, and late by
    ``late_share`` of its length (1/16 is 16).
    """

    early_ns: int
    late_ns: int
    late_share: int = 0

    def around(self, nominal_ns: int) -> Window:
        """The window around ``nominal_ns``."""
        return nominal_ns - self.early_ns, nominal_ns + self.late_ns + (
            nominal_ns // self.late_share if self.late_share else 0
        )

    def __str__(self) -> str:
        share = f" and 1/{self.late_share}" if self.late_share else ""
        return f"-{self.early_ns // MS} ms, +{self.late_ns // MS} ms{share}"


@dataclass(frozen=True, slots=True)
class PollLoop:
    """A daemon that looks at its timers only when poll(2) returns, and sees frames only when libpcap's read
    timeout hands them over.
    """

    read_timeout_ns: int
    link_sleep_ns: int = 10 * SECOND
    """How long it sleeps at a time while its link is down (``SECONDS_TO_WAIT_AFTER_INTERFACE_IS_DOWN``)."""
    order_sleep_ns: int = 3 * SECOND
    """How long it sleeps after SIGUSR2."""

    def period_ns(self, advbase: int, advskew: int) -> int:
        """The poll timeout of a BACKUP: advbase + advskew/256 s cut to whole milliseconds (``docarp``)."""
        return max(advbase * 1000 + advskew * 1000 // 256, 1) * MS

    def wakes_ns(self, advbase: int, advskew: int, down_ns: int) -> int:
        """From the last wake that restarted the timer to the first that finds ``down_ns`` passed, if no frame
        wakes the loop in between.
        """
        period_ns = self.period_ns(advbase, advskew)
        return -(-down_ns // period_ns) * period_ns

    def __str__(self) -> str:
        return f"wakes every advbase + advskew/256 s; frames up to {self.read_timeout_ns // SECOND} s late"


ROWS: tuple[Row, ...] = (
    row(
        "interval_ns",
        "time between two advertisements of a MASTER (with the advertised, demoted advskew)",
        cell((*ALL_FREEBSD, UCARP), plain_ns),
        cell(OPENBSD, never_zero_interval_ns),
        read="carp_send_ad",
        recorded=ALONE | {FREEBSD_13: "a1000_single_v4_skew0_hz1000", UCARP: "c_100.22909"},
    ),
    row(
        "master_down_ns",
        "time without an advertisement after which a BACKUP takes over (own, undemoted advskew)",
        cell(ALL_FREEBSD, skew_once_ns),
        cell(OPENBSD, skew_thrice_ns),
        cell(UCARP, dead_ratio_ns),
        read="carp_setrun",
        recorded={
            LEGACY: "i1-pair-preempt0-cable",
            FREEBSD_13: "i_failover_preempt0",
            OPENBSD: "m1-backup-peer-skew0-then-stops",
            UCARP: "c_200.16424",
        },
        seen={FREEBSD_15: "take-over at advskew 0, 100, 200 and 254, exact to 5 ms with alloweddeviation=0"},
    ),
    row(
        "timer_slack",
        "how far a timer misses its nominal time on a healthy host",
        cell(FREEBSDS, Slack(1 * MS, 30 * MS, 16)),
        cell(LEGACIES, Slack(1 * MS, 30 * MS)),
        cell(OPENBSD, Slack(1 * MS, 30 * MS)),
        cell(UCARP, Slack(20 * MS, 50 * MS)),
        read="callout_reset and tvtohz; timeout_add; poll",
        recorded=ALONE | {UCARP: "c_50.10795"},
    ),
    row(
        "timer_late_ns",
        "what the kernel's tick adds to each timer (the model's own timers do the same)",
        cell(FREEBSDS, 0, "0 to 1/16 (callout slack)"),
        cell(LEGACIES, MS, "1 ms at kern.hz 1000"),
        cell(OPENBSD, 10 * MS, "10 ms at HZ 100"),
        cell(UCARP, 0),
        read="callout_reset and tvtohz; timeout_add",
        recorded=ALONE | {FREEBSD_13: "a1000_single_v4_skew0_hz1000", UCARP: "c_50.10795"},
    ),
    row(
        "poll_loop",
        "whether timers and frames are looked at only in a poll loop",
        cell(BSD, None, "no: kernel timers and input path"),
        cell(UCARP, PollLoop(SECOND)),
        read="ucarp carp.c docarp, CAPTURE_TIMEOUT",
        recorded={UCARP: "c_200.16424"},
    ),
    row(
        "reaction_ns",
        "the longest time from a frame in to its visible effect out",
        cell(BSD, 50 * MS, "50 ms"),
        cell(UCARP, 1100 * MS, "1.1 s (libpcap read timeout)"),
        read="carp_proto_input; ucarp carp.c packethandler",
        recorded={
            LEGACY: "i4-pair-preempt1-carpdown",
            FREEBSD_13: "bad_packets_v4",
            OPENBSD: "m1-backup-peer-skew0-then-stops",
        },
        seen={
            UCARP: "0.5 to 0.7 s, take-over in pairs 1.0 s after the nominal time",
            FREEBSD_15: "1 to 2 ms",
        },
    ),
)
