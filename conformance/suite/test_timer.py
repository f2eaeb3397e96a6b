"""TIMER: the advertisement interval, the master-down time and how exactly they are kept."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from conformance.model.timing import SECOND, skew_once_ns
from conformance.segment.decision import Window, seconds
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.configuring import accepts, refuses
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject

Start = Callable[..., Subject]

LATE_NS = 100_000_000
PROMPT_NS = 50_000_000
HALF_SECOND_NS = 500_000_000
SCRIPT_NS = 300_000_000


@covers("CARP-TIMER-001")
@takes(21)
@pytest.mark.parametrize(("advbase", "advskew"), [(1, 0), (1, 100), (1, 200), (2, 64)])
def test_interval_is_advbase_and_advskew(start: Start, advbase: int, advskew: int) -> None:
    """A MASTER advertises every advbase + advskew/256 seconds: each interval alone, never early, and not late
    beyond its host's timers.
    """
    subject = start(advbase=advbase, advskew=advskew)
    subject.reach_master()
    subject.keeps_its_interval(5)


@covers("CARP-TIMER-022")
@needs("script_time")
@takes(5.5)
def test_first_interval_counts_the_scripts(start: Start, wire: Segment) -> None:
    """The second advertisement of a MASTER follows the first sooner by the 0.3 s that its up script took, the third
    the second after a whole interval.
    """
    subject = start(advskew=0, options={"script_takes": SCRIPT_NS / 1_000_000_000})
    first = subject.reach_master()
    (second,) = subject.next_own()
    shorter_ns = subject.interval_ns - (second.time_ns - first.time_ns)
    bounds_ns = (SCRIPT_NS - LATE_NS, SCRIPT_NS + LATE_NS)
    wire.check_span(
        "by how much the first interval is shorter",
        shorter_ns,
        bounds_ns,
        first,
        second,
        since_ns=first.time_ns,
    )
    subject.keeps_its_interval(1, second)


@covers("CARP-TIMER-002")
@takes(15)
def test_interval_has_no_random_part(start: Start, wire: Segment) -> None:
    """No random term is added to the interval: ten of them differ by no more than the granularity of the
    host's timers.
    """
    subject = start(advskew=0)
    subject.reach_master()
    times = [seen.time_ns for seen in subject.next_own(11)]
    spacings = [later - earlier for earlier, later in pairwise(times)]
    shortest_ns, longest_ns = subject.dialect.interval_window_ns(1, 0)
    wire.check_span(
        "the difference between the longest and the shortest of ten intervals",
        max(spacings) - min(spacings),
        (0, longest_ns - shortest_ns),
    )


@covers("CARP-TIMER-003")
@takes(7)
def test_advskew_counts_once_in_the_master_down_time(start: Start, tester: Tester, wire: Segment) -> None:
    """A BACKUP waits 3*advbase + advskew/256 seconds for an advertisement: with advskew 200, 3.78 s and not
    5.34 s.
    """
    subject = start(advskew=200)
    last = tester.send(subject.better())
    once_ns = skew_once_ns(1, 200)
    wire.expect(
        subject.becomes_master(),
        within=Window.after(
            last.time_ns, (once_ns - SECOND // 100, once_ns + HALF_SECOND_NS), f"frame {last.number}"
        ),
    )


@covers("CARP-TIMER-004")
@takes(9)
def test_advskew_counts_three_times_in_the_master_down_time(
    start: Start, tester: Tester, wire: Segment
) -> None:
    """A BACKUP of OpenBSD waits 3*(advbase + advskew/256) seconds for an advertisement."""
    subject = start(advskew=200)
    last = tester.send(subject.better())
    wire.expect(subject.becomes_master(), within=subject.master_down_window(last))


@covers("CARP-TIMER-005")
@takes(7)
@pytest.mark.parametrize("advskew", [0, 1, 50, 100, 200])
def test_take_over_waits_for_the_poll_loop(start: Start, wire: Segment, advskew: int) -> None:
    """From a silent start the take-over comes when the poll loop wakes for the third time: 3*(advbase +
    advskew/256) seconds.

    Not tried near 254: there the second wake comes a few ms before the timer ends, and one that is late by
    that takes over a whole period earlier.
    """
    subject = start(advskew=advskew)
    wakes_ns = subject.dialect.timer_slack.around(3 * subject.interval_ns)
    wire.expect(
        subject.becomes_master(),
        within=Window.after(subject.started_ns, wakes_ns, f"the start of {subject.name}"),
    )


@covers("CARP-TIMER-005")
@needs("kill")
@hosts(2)
@takes(10)
@pytest.mark.parametrize("advskew", [1, 100, 200])
def test_take_over_from_a_dead_master_comes_up_to_a_second_later(
    start: Start, wire: Segment, advskew: int
) -> None:
    """After a killed MASTER the take-over comes 3*(advbase + advskew/256) seconds after its last
    advertisement, and up to one second later.

    The four to five seconds that users see with "1 s x 3" (https://github.com/jedisct1/UCarp/issues/23).
    """
    master = start(on="a", advskew=0)
    master.reach_master()
    survivor = start(on="b", advskew=advskew)
    last = master.next_own(2)[-1]
    master.iut.kill()
    from_ns, to_ns = survivor.dialect.timer_slack.around(3 * survivor.interval_ns)
    wire.expect(
        survivor.becomes_master(),
        within=Window.after(
            last.time_ns,
            (from_ns, to_ns + SECOND),
            f"the dead MASTER's last advertisement, frame {last.number}",
        ),
    )


@covers("CARP-TIMER-006")
@takes(5)
def test_master_down_time_is_made_of_the_own_parameters(start: Start, tester: Tester, wire: Segment) -> None:
    """A BACKUP of (1,0) that last heard a MASTER of (2,0) waits its own 3 s, not that MASTER's 6 s."""
    subject = start(advskew=0)
    slow = tester.send(subject.peer(2, 0))
    wire.expect(subject.becomes_master(), within=subject.master_down_window(slow))


@covers("CARP-TIMER-007")
@takes(10)
@pytest.mark.parametrize(
    ("advskew", "times"), [(50, 2), (100, 1), (200, 1)], ids=["better", "equal", "worse"]
)
def test_every_valid_advertisement_restarts_the_timer(start: Start, advskew: int, times: int) -> None:
    """One valid advertisement every 2 s, better, equal or worse, holds a BACKUP of (1,100) for good; then it
    takes over one master-down time after the last.
    """
    subject = start()
    subject.stays_backup(subject.peer(1, advskew), interval_ns=2 * SECOND, times=times)


@covers("CARP-TIMER-009")
@takes(8)
@pytest.mark.parametrize("advskew", [0, 50, 150, 254])
def test_no_take_over_before_the_master_down_time(
    start: Start, tester: Tester, wire: Segment, advskew: int
) -> None:
    """After the last advertisement a BACKUP takes over when its master-down time has passed in full, and not
    before.
    """
    subject = start(advskew=advskew)
    last = tester.send(subject.peer(1, 0))
    wire.expect(subject.becomes_master(), within=subject.master_down_window(last))


@covers("CARP-TIMER-010")
@takes(6)
@pytest.mark.parametrize("advskew", [0, 100])
def test_take_over_is_prompt(start: Start, tester: Tester, wire: Segment, advskew: int) -> None:
    """A take-over comes no later than 100 ms, or one sixteenth of the master-down time, after the master-down
    time.
    """
    subject = start(advskew=advskew)
    last = tester.send(subject.peer(1, 0))
    down_ns = subject.dialect.master_down_ns(1, advskew)
    bounds = (down_ns - SECOND // 100, down_ns + max(LATE_NS, down_ns // 16))
    wire.expect(
        subject.becomes_master(),
        within=Window.after(last.time_ns, bounds, f"frame {last.number}, which restarted its timer"),
    )


@covers("CARP-TIMER-012")
@takes(3)
def test_advbase_0_advertises_in_fractions_of_a_second(start: Start, wire: Segment) -> None:
    """With advbase 0 and advskew 64 a MASTER advertises every quarter of a second."""
    subject = accepts(wire, start, "advbase 0", advbase=0, advskew=64)
    subject.reach_master()
    subject.keeps_its_interval(8)


@covers("CARP-TIMER-013", "CARP-ELECT-001")
@takes(6)
@pytest.mark.parametrize("advskew", [0, 100, 200])
def test_start_on_a_silent_segment_takes_the_master_down_time(
    start: Start, wire: Segment, advskew: int
) -> None:
    """From the start to the first advertisement on a silent segment passes the master-down time."""
    subject = start(advskew=advskew)
    wire.expect(subject.becomes_master(), within=subject.start_window)


@covers("CARP-TIMER-014")
@needs("dead_ratio")
@takes(6)
@pytest.mark.parametrize("ratio", [1, 2, 5])
def test_dead_ratio_replaces_three(start: Start, wire: Segment, ratio: int) -> None:
    """With dead ratio N the master-down time is N*advbase + advskew/256 seconds."""
    subject = start(advskew=0, options={"dead_ratio": ratio})
    wire.expect(subject.becomes_master(), within=subject.start_window)


@covers("CARP-TIMER-014")
@needs("dead_ratio", "exit_status")
@takes(0.5)
def test_dead_ratio_0_is_refused(start: Start, wire: Segment) -> None:
    """A dead ratio of 0 is refused."""
    refuses(wire, start, "dead ratio 0", options={"dead_ratio": 0})


@covers("CARP-TIMER-015")
@takes(7)
def test_reaction_to_a_better_master_is_immediate(master: Subject, tester: Tester, wire: Segment) -> None:
    """A MASTER that hears a faster advertisement right after its own sends none after 50 ms, and is back
    after its master-down time.
    """
    master.next_own()
    better = tester.send(master.better())
    wire.watch(PROMPT_NS)
    master.stays_silent(2 * master.interval_ns)
    master.comes_back(better)


@covers("CARP-TIMER-016")
@needs("script_time", "state_read")
@takes(4)
def test_first_advertisement_does_not_wait_for_scripts(start: Start, wire: Segment) -> None:
    """The first advertisement leaves within 50 ms of the take-over, even if what the host does at a take-over
    lasts 0.3 s.
    """
    subject = start(advskew=0, options={"script_takes": 0.3})
    subject.reach_master()
    became = wire.wait(subject.enters("MASTER"), wire.now_ns(), since_ns=subject.iut.started_ns)
    assert became is not None, "reach_master has waited for it"
    wire.expect(
        subject.becomes_master(),
        within=Window.after(became.time_ns, (0, PROMPT_NS), f"the take-over of {subject.name}"),
    )


@covers("CARP-TIMER-019")
@needs("link", "state_read")
@takes(18)
def test_link_is_only_polled(start: Start, wire: Segment) -> None:
    """A MASTER notices the loss of its link with its next advertisement at the latest, and its return after
    ten seconds of sleep, even if the loss lasted only two.
    """
    subject = start(advskew=0)
    subject.reach_master()
    lost_ns = subject.just_now_ns
    subject.host.cable(plugged=False)
    noticed = wire.expect(subject.enters("BACKUP"), within=subject.link_down_window(lost_ns))
    wire.watch(2 * SECOND)
    subject.host.cable(plugged=True)
    earliest_ns, latest_ns = (10 * SECOND + bound for bound in subject.start_bounds_ns)
    wire.expect(
        subject.becomes_master(),
        within=Window.after(
            noticed.time_ns, (earliest_ns, latest_ns), f"it noticed, and slept {seconds(10 * SECOND)}"
        ),
    )


@covers("CARP-TIMER-021")
@takes(16)
@pytest.mark.parametrize("advbase", [2, 3])
def test_times_scale_with_advbase(start: Start, wire: Segment, advbase: int) -> None:
    """The master-down time and the interval grow with advbase."""
    subject = start(advbase=advbase, advskew=0)
    wire.expect(subject.becomes_master(), within=subject.start_window)
    subject.keeps_its_interval(1)


@covers("CARP-TIMER-008")
@needs("ipv6", "multiple_addresses")
@takes(5)
def test_each_family_has_its_own_timer(start: Start, bench: Bench, tester: Tester, wire: Segment) -> None:
    """A BACKUP with an IPv4 and an IPv6 address that hears a better master over IPv4 only takes over when the
    timer of IPv6 expires.
    """
    addresses = (bench.shared_addresses[0], bench.shared_addresses[-1])
    assert {address.version for address in addresses} == {4, 6}
    subject = start(addresses=addresses)
    with tester.advertising(subject.better()):
        wire.expect(subject.becomes_master(), within=subject.start_window)
