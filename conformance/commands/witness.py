"""Reads an evidence capture anew: its frames decoded, and what the monitors say of what the tester did not send."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.document import build
from conformance.judge.lane import Options
from conformance.judge.session import Session
from conformance.model.dialects import UnknownDialect
from conformance.report.certificate.capture import read
from conformance.report.certificate.recheck import See, Shown, Witness
from conformance.segment.trace import Trace
from conformance.targets.protocol import PUBLIC_PASSWORD
from conformance.wire.describe import fields, summary


def see(passwords: Sequence[str]) -> See:
    """A reader of captures that checks digests with ``passwords`` besides the public one."""
    tried = (*passwords, PUBLIC_PASSWORD)

    def witness(data: bytes, dialect: str) -> Witness:
        capture, trace = read(data), Trace()
        try:
            session = Session(Options(passwords=tried, dialect=dialect))
        except UnknownDialect:
            session = Session(Options(passwords=tried))
        shown = {}
        for packet in capture.packets:
            seen = trace.add_frame(packet.time_ns, packet.data, sent=packet.sent)
            session.feed(seen)
            shown[packet.number] = Shown(
                packet.time_ns, summary(seen.frame), tuple(fields(seen.frame)), packet.comments
            )
        session.finish()
        verdicts = {row["id"]: row["verdict"] for row in build(session, ["capture"], ())["requirements"]}
        return Witness(capture.comment, shown, verdicts)

    return witness
