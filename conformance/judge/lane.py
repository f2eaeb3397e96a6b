"""The operator's options, and the lane of a form: where its advertisements go."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.judge.form import Form
from conformance.judge.host import Family, Host
from conformance.judge.speaker import Spacing, Speaker
from conformance.wire.digest import Address


@dataclass(frozen=True, slots=True)
class Witness:
    """A trace that begins before its hosts do and whose every password and address is known: a run of the suite, not a capture.

    Times that are missed by no more than twice ``noise_ns`` prove nothing; nor does what is missing, if ``lossy``.
    """

    noise_ns: int = 0
    lossy: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator told: passwords to try, shared addresses, one vhid to look at (None: all), dialect
    (None: guess); ``witness`` if this is no capture but the trace of a case.
    """

    passwords: tuple[str, ...] = field(default=(), repr=False)
    addresses: tuple[Address, ...] = ()
    vhid: int | None = None
    dialect: str | None = None
    witness: Witness | None = None


@dataclass(slots=True, eq=False)
class Lane:
    """Where advertisements of one form go, and what is already known of them."""

    form: Form
    host: Host
    family: Family
    speaker: Speaker
    objections: tuple[tuple[str, str], ...]
    refused: str | None
    low_ns: int
    high_ns: int
    spacing: Spacing
    head: bytes = b""  # the first 40 bytes of its latest IPv4 frame (first pass)
    steady: int = 0  # unremarkable advertisements not yet booked to the speaker (first pass)

    @property
    def clean(self) -> bool:
        """Whether nobody can object to the form."""
        return not self.objections and self.refused is None
