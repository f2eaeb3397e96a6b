"""ELECT, what is left to a daemon: signals, scripts, the end of the process."""

from __future__ import annotations

from collections.abc import Callable

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.suite.marks import covers, needs, takes
from conformance.targets.subject import Subject

Start = Callable[..., Subject]

SECOND = 1_000_000_000
AFTER_NS = 1_000_000
"""After an event, so that it does not count for what follows."""
SCRIPT_NS = 500_000_000
"""How long the start of a script may take on a healthy host."""


@covers("CARP-ELECT-025")
@needs("signals", "scripts")
@takes(10)
def test_usr2_puts_a_master_on_hold(start: Start, wire: Segment) -> None:
    """SIGUSR2 makes a MASTER run its down script, pause for 3 s and then wait a normal master-down time."""
    subject = start(advskew=0)
    subject.reach_master()
    wire.watch(AFTER_NS)
    sent_ns = subject.just_now_ns
    subject.iut.signal("USR2")
    wire.expect(subject.runs_script("down"), within=Window.after(sent_ns, (0, SCRIPT_NS), "the signal"))
    earliest_ns, latest_ns = (3 * SECOND + bound for bound in subject.start_bounds_ns)
    wire.expect(
        subject.becomes_master(), within=Window.after(sent_ns, (earliest_ns, latest_ns), "the signal")
    )


@covers("CARP-ELECT-025")
@needs("signals")
@takes(6)
def test_usr2_leaves_a_backup_alone(backup: Subject, wire: Segment) -> None:
    """SIGUSR2 does not disturb a BACKUP: it takes over when its timer expires."""
    backup.iut.signal("USR2")
    wire.expect(backup.becomes_master(), within=backup.master_down_window())


@covers("CARP-ELECT-026")
@needs("signals", "log")
@takes(4)
def test_usr1_logs_the_state(start: Start, wire: Segment) -> None:
    """SIGUSR1 writes the state, the interface and the vhid to the log: BACKUP, and later MASTER."""
    subject = start(advskew=0)
    sent_ns = subject.just_now_ns
    subject.iut.signal("USR1")
    wire.expect(
        subject.says(f"BACKUP on eth0 id {subject.settings.vhid}"),
        within=Window.after(sent_ns, (0, SCRIPT_NS), "the signal"),
    )
    subject.reach_master()
    sent_ns = subject.just_now_ns
    subject.iut.signal("USR1")
    wire.expect(
        subject.says(f"MASTER on eth0 id {subject.settings.vhid}"),
        within=Window.after(sent_ns, (0, SCRIPT_NS), "the signal"),
    )


@covers("CARP-ELECT-027")
@needs("scripts")
@takes(0.5)
def test_down_script_runs_at_start(start: Start, wire: Segment) -> None:
    """The down script runs once at start, with the interface and the address."""
    begun_ns = wire.now_ns() - 1
    subject = start()
    wire.expect(
        subject.runs_script(f"down eth0 {subject.settings.addresses[0]}"),
        within=Window.after(begun_ns, (0, SECOND), "the start"),
    )


@covers("CARP-ELECT-027")
@needs("scripts")
@takes(4)
def test_neutral_start_runs_no_down_script(start: Start, wire: Segment) -> None:
    """With -n the down script is left out at start; the up script still runs at the take-over."""
    begun_ns = wire.now_ns() - 1
    subject = start(advskew=0, options={"neutral": True})
    wire.expect(
        subject.runs_script("up"),
        within=Window.after(subject.iut.started_ns, (0, subject.start_bounds_ns[1]), "the start"),
    )
    runs = [event for event in wire.trace.since(begun_ns) if subject.runs_script("down").match(event)]
    wire.check("runs of the down script until then", len(runs), 0)


@covers("CARP-ELECT-027", "CARP-ELECT-017")
@needs("scripts", "exit_status")
@takes(7)
def test_shutdown_option_runs_the_down_script_at_the_end(start: Start, wire: Segment) -> None:
    """With -z a MASTER that gets SIGTERM runs its down script, sends nothing and ends with status 0."""
    subject = start(advskew=0, options={"shutdown": True})
    subject.reach_master()
    (last,) = subject.next_own()
    subject.iut.stop()
    wire.expect(subject.runs_script("down"), within=Window.after(last.time_ns, (0, SECOND), "the signal"))
    wire.expect(subject.ends(0), within=Window.after(last.time_ns, (0, SECOND), "the signal"))
    subject.stays_silent(2 * subject.interval_ns)


@covers("CARP-ELECT-027", "CARP-ELECT-017")
@needs("scripts", "exit_status")
@takes(6)
def test_signal_ends_a_master_without_the_down_script(start: Start, wire: Segment) -> None:
    """Without -z SIGTERM kills a MASTER: no script, no advertisement, the status of the signal."""
    subject = start(advskew=0)
    subject.reach_master()
    (last,) = subject.next_own()
    subject.iut.stop()
    wire.expect(subject.ends(-15), within=Window.after(last.time_ns, (0, SECOND), "the signal"))
    wire.expect_none(subject.runs_script("down"), for_ns=SECOND, barrier=subject.alive)
    wire.check("its last advertisement", max(seen.number for seen in subject.own_frames()), last.number, last)
