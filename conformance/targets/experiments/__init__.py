"""Tries what a target claims: one small experiment for each capability that can be tried without a case, decided by what is on the wire wherever it can be."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.targets.experiments import done, read, spoken
from conformance.targets.experiments.found import Experiment, Found
from conformance.targets.experiments.trial import trial
from conformance.targets.protocol import Bench, ConfigurationRefused, Target


def tried(target: Target, bench: Bench, experiment: Experiment) -> Found:
    """What came of ``experiment`` on a clean lane. A target that cannot do it at all does not have it."""
    with trial(target, bench) as clean:
        try:
            return experiment(clean)
        except ConfigurationRefused as refused:
            return Found(False, f"it was refused: {' '.join(refused.said.split())[:120] or refused.status}")
        except Exception as missing:  # noqa: BLE001  # how a driver fails at what its PICS denies is its own business
            said = " ".join(str(missing).split())[:120]
            return Found(
                False, f"the driver cannot do it ({type(missing).__name__}{': ' if said else ''}{said})"
            )


EXPERIMENTS: Mapping[str, Experiment] = {
    "ipv6": spoken.ipv6,
    "multiple_addresses": spoken.several,
    "multiple_vhids": spoken.two_vhids,
    "no_password": spoken.no_password,
    "preempt": spoken.preempt,
    "dead_ratio": spoken.dead_ratio,
    "bow_out": spoken.bow_out,
    "log": read.log,
    "state_read": read.state,
    "scripts": read.scripts,
    "counters": read.counters,
    "sysctl": read.sysctl,
    "vhid_list": read.vhid_list,
    "exit_status": read.exit_status,
    "reconfigure": done.reconfigure,
    "state_request": done.request,
    "demotion_order": done.demote,
    "kill": done.kill,
    "signals": done.signals,
    "process": done.process,
    "link": done.link,
    "interface_switch": done.interface_switch,
    "interface_removal": done.interface_removal,
    "carp_interface": done.carp_interface,
    "own_addresses": done.own_addresses,
    "send_errors": done.send_errors,
    "service": done.service,
    "second_interface": done.second_interface,
    "vrrp_neighbour": done.vrrp_neighbour,
}
"""What can be tried on one host in a few seconds; the other capabilities rest on the declaration and on the cases."""

PAIR_EXPERIMENTS: Mapping[str, Experiment] = {"partition": done.partition, "one_way": done.one_way}
"""What takes two hosts."""
