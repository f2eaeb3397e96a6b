"""Each capability that the PICS claims, tried on the wire."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.targets.experiments import EXPERIMENTS, PAIR_EXPERIMENTS, tried
from conformance.targets.protocol import CAPABILITIES, Bench, Target
from conformance.targets.selfcheck.conftest import Promise


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_capability(
    target: Target, benches: Callable[[int], Bench], promise: Promise, capability: str
) -> None:
    if not target.profile.pics.get(capability, False):
        pytest.skip(f"the PICS denies it: {CAPABILITIES[capability]}")
    pair = capability in PAIR_EXPERIMENTS
    experiment = PAIR_EXPERIMENTS.get(capability) or EXPERIMENTS.get(capability)
    if experiment is None:
        pytest.skip(
            f"nothing less than the cases that need it can try it: carp-conformance list --target {target.profile.name} --json names them"
        )
    if pair and target.profile.max_hosts < 2:
        promise(False, f"its PICS claims {capability}, which takes two hosts, and it has one")
    found = tried(target, benches(2 if pair else 1), experiment)
    promise(
        found.has,
        f"its PICS claims {capability} ({CAPABILITIES[capability]}), but {found.evidence}",
    )
