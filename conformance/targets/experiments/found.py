"""What comes of an experiment, and what experiments share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.targets.experiments.trial import Trial
from conformance.wire.digest import Address
from conformance.wire.frame import advertisement, virtual_mac


@dataclass(frozen=True, slots=True)
class Found:
    """What came of an experiment: whether the target has the capability, and what was seen, in words."""

    has: bool
    evidence: str


Experiment = Callable[[Trial], Found]


def outcome(has: bool, evidence: str, otherwise: str = "") -> Found:
    return Found(has, evidence if has else otherwise or f"not seen that it {evidence}")


def shared(trial: Trial, version: int, count: int) -> tuple[Address, ...]:
    return tuple(one for one in trial.bench.shared_addresses if one.version == version)[:count]


def beyond_the_link(trial: Trial) -> bytes:
    """The frame of a worse peer whose TTL says that it was forwarded."""
    peer = trial.peer(200).numbered(7)
    return advertisement(peer.header.summed(), peer.source, source_mac=virtual_mac(peer.vhid), ttl=254)
