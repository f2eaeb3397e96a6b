"""Experiments with what can be read from a host."""

from __future__ import annotations

from typing import cast

from conformance.segment.trace import HostKind
from conformance.targets.experiments.found import Found, beyond_the_link, outcome
from conformance.targets.experiments.trial import (
    SECOND_NS,
    Trial,
)
from conformance.targets.protocol import (
    ConfigurationRefused,
    Counting,
    Listing,
    Tunable,
)


def log(trial: Trial) -> Found:
    trial.start()
    # Some say nothing until something is wrong.
    trial.advertises()
    trial.tester.send_exactly(beyond_the_link(trial))
    return outcome(
        trial.tells(HostKind.LOG),
        "tells a log line when it starts, or hears an advertisement with a wrong TTL",
    )


def state(trial: Trial) -> Found:
    trial.start()
    if not trial.advertises():
        return outcome(False, "becomes MASTER")
    return outcome(trial.tells(HostKind.STATE, text="MASTER"), "tells that it is MASTER when it advertises")


def scripts(trial: Trial) -> Found:
    trial.start()
    return outcome(
        trial.advertises() and trial.tells(HostKind.SCRIPT), "runs a script when it becomes MASTER"
    )


def counters(trial: Trial) -> Found:
    trial.start()
    host = cast("Counting", trial.host)
    trial.advertises()
    before = dict(host.counters())
    trial.tester.send_exactly(beyond_the_link(trial))
    trial.answers()
    trial.bench.loop.run_for(SECOND_NS // 2)
    grown = {name: value - before.get(name, 0) for name, value in host.counters().items()}
    return outcome(
        grown.get("badttl", 0) >= 1,
        "counts an advertisement with a wrong TTL in badttl",
        f"an advertisement with a wrong TTL was sent, and badttl did not grow; of {len(grown)} counters grew "
        f"{', '.join(name for name, by in grown.items() if by) or 'none'}",
    )


def sysctl(trial: Trial) -> Found:
    trial.start()
    host = cast("Tunable", trial.host)
    host.set_sysctl("allow", 0)
    return outcome(host.sysctl("allow") == 0, "reads 0 after 0 was written to net.inet.carp.allow")


def vhid_list(trial: Trial) -> Found:
    trial.start()
    vhid = trial.settings.vhid
    found = cast("Listing", trial.host).vhids()
    return outcome(
        found == (vhid,), f"lists vhid {vhid} alone", f"it lists the vhids {found}, configured is {vhid}"
    )


def exit_status(trial: Trial) -> Found:
    try:
        trial.start(vhid=0)
    except ConfigurationRefused as refused:
        return outcome(isinstance(refused.status, int), "ends with an exit status when it refuses vhid 0")
    return outcome(False, "refuses vhid 0")
