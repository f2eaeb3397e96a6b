"""Reads an evidence capture anew: its frames decoded, and what the monitors say of what the tester did not send."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.interop.basis import measured_again
from conformance.judge.basis import asked_again
from conformance.judge.document import build
from conformance.judge.invariants import Observed
from conformance.judge.lane import Options
from conformance.judge.session import Session
from conformance.model.dialects import UnknownDialect
from conformance.report.certificate.capture import read
from conformance.report.certificate.recheck import Breach, Monitored, See, Shown, UnusableBasis, Witness
from conformance.segment.trace import Trace
from conformance.targets.protocol import PUBLIC_PASSWORD
from conformance.wire.describe import fields, summary


def see(passwords: Sequence[str]) -> See:
    """A reader of captures that checks digests with ``passwords`` besides the public one."""
    tried = (*passwords, PUBLIC_PASSWORD)

    def witness(data: bytes, dialect: str, basis: Mapping[str, Any] | None) -> Witness:
        capture, trace = read(data), Trace()
        try:
            session = Session(Options(passwords=tried, dialect=dialect))
        except UnknownDialect:
            session, basis = Session(Options(passwords=tried)), None
        shown = {}
        for packet in capture.packets:
            seen = trace.add_frame(packet.time_ns, packet.data, sent=packet.sent)
            session.feed(seen)
            shown[packet.number] = Shown(
                packet.time_ns, summary(seen.frame), tuple(fields(seen.frame)), packet.comments
            )
        session.finish()
        verdicts = {row["id"]: row["verdict"] for row in build(session, ["capture"], ())["requirements"]}
        monitored = None if basis is None else _monitored(trace, basis, dialect, passwords)
        return Witness(capture.comment, shown, verdicts, monitored)

    return witness


def measure(data: bytes, basis: Mapping[str, Any]) -> Mapping[str, Any]:
    """The capture of a pair, measured again (:data:`conformance.report.certificate.meetings.Measure`)."""
    trace = Trace()
    for packet in read(data).packets:
        trace.add_frame(packet.time_ns, packet.data, sent=packet.sent)
    return measured_again(trace, basis)


def _monitored(
    trace: Trace, basis: Mapping[str, Any], dialect: str, passwords: Sequence[str]
) -> Monitored | None:
    """What the monitors of the run see; of several ``passwords`` the one with which they object least."""
    known = [(PUBLIC_PASSWORD,), *((PUBLIC_PASSWORD, one) for one in passwords)]
    asked = (asked_again(trace.frames, basis, dialect, one) for one in known)
    try:
        observed: Observed | None = min(
            (one for one in asked if one is not None), key=lambda one: len(one.breaches), default=None
        )
    except (ValueError, KeyError, OverflowError, struct.error) as error:
        # Whoever made the bundle wrote it.
        raise UnusableBasis(str(error)) from error
    if observed is None:
        return None
    return Monitored(
        observed.held,
        tuple(
            Breach(one.requirement, one.monitor, one.host, one.text, one.frames) for one in observed.breaches
        ),
    )
