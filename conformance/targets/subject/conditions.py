"""How to wait for what a host says of itself, and for what anybody but the tester sends."""

from __future__ import annotations

from collections.abc import Callable

from conformance.segment.decision import Condition
from conformance.segment.trace import FrameSeen, HostEvent, HostKind
from conformance.wire.frame import Frame


def told(
    text: str, host: str, kind: HostKind, says: Callable[[str], bool], *, vhid: int | None = None
) -> Condition:
    """``host`` tells something of ``kind`` whose text satisfies ``says``; with ``vhid``, of that virtual host or of none by number."""
    return Condition(
        text,
        lambda e: (
            isinstance(e, HostEvent)
            and e.host == host
            and e.kind is kind
            and says(e.text)
            and (vhid is None or e.vhid in (None, vhid))
        ),
    )


def heard(text: str, shows: Callable[[Frame], bool]) -> Condition:
    """A frame that satisfies ``shows`` is on the segment, and the tester did not send it."""
    return Condition(text, lambda e: isinstance(e, FrameSeen) and not e.sent and shows(e.frame))
