"""Monitor of the digest: which parts of its definition the verified advertisements confirm (CARP-AUTH-001
to 010).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from conformance.judge.form import Ref
from conformance.judge.lane import Witness
from conformance.judge.ledger import Ledger
from conformance.judge.monitors.monitor import Monitor
from conformance.judge.speaker import Speaker

MONITORS: tuple[Monitor, ...] = (
    Monitor(
        "digest",
        (
            "CARP-AUTH-001",
            "CARP-AUTH-002",
            "CARP-AUTH-003",
            "CARP-AUTH-004",
            "CARP-AUTH-006",
            "CARP-AUTH-008",
            "CARP-AUTH-010",
            "CARP-AUTH-018",
            "CARP-WIRE-015",
        ),
        "each digest against the passwords and addresses that are known",
    ),
)


def finish(ledger: Ledger, speaker: Speaker, witness: Witness | None = None) -> None:
    """Credits what the verified digests of a speaker prove; a speaker that nobody can verify proves
    nothing.
    """
    who = speaker.who
    for material, ref in speaker.used.items():
        for requirement in ("CARP-AUTH-001", "CARP-AUTH-002", "CARP-AUTH-010", "CARP-WIRE-015"):
            ledger.passed(requirement, who, ref)
        v4 = [address for address in material.addresses if isinstance(address, IPv4Address)]
        v6 = [address for address in material.addresses if isinstance(address, IPv6Address)]
        if len(material.addresses) == 1 and v4:
            ledger.passed("CARP-AUTH-003", who, ref)
        if material.password is None:
            ledger.passed("CARP-AUTH-018", who, ref)
        if any(address.is_link_local for address in v6):
            ledger.passed("CARP-AUTH-008", who, ref)
        if len(v4) > 1:
            _order(ledger, "CARP-AUTH-004", speaker, material.in_order, ref)
        if v6 and (v4 or len(v6) > 1):
            _order(ledger, "CARP-AUTH-006", speaker, material.in_order, ref)
    if speaker.mismatch:
        _misfits(ledger, speaker, witness)


def _misfits(ledger: Ledger, speaker: Speaker, witness: Witness | None) -> None:
    if witness is not None:
        text = f"{speaker.mismatched} of its digests fit no password and address set that it was given"
        for ref in speaker.mismatch:
            ledger.failed("CARP-AUTH-001", speaker.who, ref, text)
    elif speaker.used:
        text = f"{speaker.mismatched} of its digests fit no known password and address set, others do"
        ledger.unclear("CARP-AUTH-001", speaker.who, speaker.mismatch[0], text)


def _order(ledger: Ledger, requirement: str, speaker: Speaker, in_order: bool, frame: Ref) -> None:
    if in_order:
        ledger.failed(
            requirement,
            speaker.who,
            frame,
            "the addresses are hashed in another order than ascending, IPv4 first",
        )
    else:
        ledger.passed(requirement, speaker.who, frame)
