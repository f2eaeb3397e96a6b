"""What a pair that converges does not do, by the measure that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Measure(Enum):
    """What a fault was seen by."""

    ENDS = "who is MASTER at the end"
    NO_MASTER = "nobody was MASTER for too long"
    EARLY = "a take-over came too early"
    DUAL_MASTER = "two were MASTER for too long"
    SERVICE = "the service was gone for too long"
    FLAPPING = "mastership went to and fro"
    REFUSED = "an implementation refused its settings"
    RIG = "the rig could not tell, or broke"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: one sentence; for a time how long it was (``value_ns``) and by how much that misses what is allowed; for the end of which ``vhid``."""

    measure: Measure
    text: str
    value_ns: int = 0
    miss_ns: int = 0
    vhid: int = 1

    @property
    def timed(self) -> bool:
        """Whether a noisy rig may be to blame for it."""
        return self.measure in (Measure.NO_MASTER, Measure.EARLY, Measure.DUAL_MASTER, Measure.SERVICE)
