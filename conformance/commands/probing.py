"""What probing finds of a target's capabilities, for its declaration."""

from __future__ import annotations

from conformance.report.certificate.pics import Probe
from conformance.targets.experiments import EXPERIMENTS, tried
from conformance.targets.protocol import Target

_ACCESS = ("dead_ratio", "exit_status", "interface_switch", "own_addresses")
"""What a driver or a model can do beyond what its implementation has: no matter of a declaration."""


def probe(target: Target) -> dict[str, Probe]:
    """What came of the experiments of :data:`EXPERIMENTS`, by capability. It needs the target to be ready (``lacks()``)."""
    with target.bench(1) as bench:
        found = {
            name: tried(target, bench, experiment)
            for name, experiment in EXPERIMENTS.items()
            if name not in _ACCESS
        }
    return {name: Probe(one.has, one.evidence) for name, one in found.items()}
