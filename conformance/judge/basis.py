"""What the monitors were told of a case besides its frames, as plain JSON: whoever has the capture can ask them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from conformance.judge.invariants import Given, Observed, Side, observe
from conformance.judge.lane import Witness
from conformance.segment.trace import Event, FrameSeen, TesterAction

Basis = dict[str, Any]
"""``noise_ns``, ``lossy``, ``sides`` (hosts by address; vhid, addresses and whether the password is public of all that was given), ``actions``
of the tester as pairs (number of the frame before it, nanoseconds since the first frame).
"""


def stated(events: Sequence[Event], sides: Sequence[Side], witness: Witness, public: str) -> Basis | None:
    """The basis of a case on which :func:`observe` was called with the same; None if no frame was seen.

    Of a password it says only whether it is the ``public`` one.
    """
    zero_ns = next((event.time_ns for event in events if isinstance(event, FrameSeen)), None)
    if zero_ns is None:
        return None
    return {
        "noise_ns": witness.noise_ns,
        "lossy": witness.lossy,
        "sides": [
            {
                "hosts": {str(address): name for address, name in side.hosts.items()},
                "given": [
                    {
                        "vhid": one.vhid,
                        "public": one.password == public,
                        "addresses": [str(address) for address in one.addresses],
                    }
                    for one in side.given
                ],
            }
            for side in sides
        ],
        "actions": _actions(events, zero_ns),
    }


def _actions(events: Sequence[Event], zero_ns: int) -> list[list[int]]:
    """The last action in each gap between two frames: it alone tells since when the hosts were left alone."""
    latest: dict[int, int] = {}
    number = 0
    for event in events:
        if isinstance(event, FrameSeen):
            number = event.number
        elif isinstance(event, TesterAction):
            latest[number] = event.time_ns - zero_ns
    return [[number, time_ns] for number, time_ns in latest.items()]


def asked_again(
    frames: Sequence[FrameSeen], basis: Mapping[str, Any], dialect: str, passwords: Sequence[str]
) -> Observed | None:
    """What the monitors make of the captured ``frames`` of a case; None if a password is needed that cannot be known.

    ``passwords`` are the public one and, after it, a single one that stands for all others. Raises :class:`conformance.model.dialects.UnknownDialect`.
    """
    public, *others = passwords
    given = [one for side in basis["sides"] for one in side["given"]]
    if not frames or (not others and not all(one["public"] for one in given)):
        return None
    sides = [
        Side(
            {ip_address(address): name for address, name in side["hosts"].items()},
            tuple(
                Given(
                    one["vhid"],
                    public if one["public"] else others[0],
                    tuple(ip_address(address) for address in one["addresses"]),
                )
                for one in side["given"]
            ),
        )
        for side in basis["sides"]
    ]
    return observe(
        _told(frames, basis["actions"]), sides, dialect, Witness(basis["noise_ns"], basis["lossy"])
    )


def _told(frames: Sequence[FrameSeen], actions: Sequence[Sequence[int]]) -> list[Event]:
    after = {number: TesterAction(frames[0].time_ns + time_ns, "") for number, time_ns in actions}
    events: list[Event] = [after[0]] if 0 in after else []
    for seen in frames:
        events.append(seen)
        if seen.number in after:
            events.append(after[seen.number])
    return events
