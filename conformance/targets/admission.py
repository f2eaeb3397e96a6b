"""The safety rules of the rung ``lab``: nothing is sent on a segment that is not the user's, or on which a stranger speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

from conformance.judge.listener import WatchError
from conformance.targets.listening import Heard, Speaker, listen
from conformance.targets.pixit import Pixit

ADMITTED = "carp-admitted"
"""The name of a pytest plugin that stands for: the segment has been listened on."""
LISTEN_S = 260
"""A speaker of CARP with the greatest timers (advbase 255, advskew 255) advertises every 255.996 s, one of VRRP every 255 s: who is MASTER
is heard in this time, with four seconds for one that is late."""


class NotAdmitted(Exception):
    """A run that may not begin: what is missing or who was heard, and what to do."""


@runtime_checkable
class Examining(Protocol):
    """What a target has besides that knows how machines are configured which it did not configure."""

    def examine(self, heard: Mapping[str, Heard]) -> None:
        """Holds what was heard on each of the tester's interfaces, before anything was sent, against what it knows.

        Raises :class:`NotAdmitted` where they differ.
        """


def on_interface(pixit: Pixit, interface: str | None, *, mine: bool) -> Pixit:
    """``pixit`` with the tester on ``interface``. Raises :class:`NotAdmitted` unless that is named and ``mine``."""
    if not interface:
        named = f" (the PIXIT says {pixit.tester_interface})" if pixit.tester_interface else ""
        raise NotAdmitted(
            f"the tester forges advertisements: name the interface of the segment that it may do that on{named}: --interface IF"
        )
    if pixit.tester_interface and pixit.tester_interface != interface:
        raise NotAdmitted(
            f"--interface {interface} is not the tester's interface in {pixit.path or 'the PIXIT'}, {pixit.tester_interface}: mend one of them"
        )
    if not mine:
        raise NotAdmitted(
            f"the tester takes over addresses on the segment of {interface}: say that nobody else depends on it with --this-segment-is-mine"
        )
    return replace(pixit, tester_interface=interface)


def is_named(speaker: Speaker, pixit: Pixit) -> bool:
    """Whether the PIXIT names a speaker: as one that may be heard, or as a declared virtual host of its machines."""
    if any(
        (one.protocol, one.id) == (speaker.protocol, speaker.id) and one.source in (None, speaker.source)
        for one in pixit.speakers
    ):
        return True
    own = {host.name: host.addresses for host in pixit.hosts}
    for row in pixit.declared:
        if (speaker.protocol, speaker.id) == ("carp", row.vhid):
            family = [one for one in own[row.host] if one.version == speaker.source.version]
            # Nobody writes down a box's link-local address: where none of the family is named, any will do.
            if speaker.source in family or not family:
                return True
    return False


def concerns(speaker: Speaker, pixit: Pixit) -> bool:
    """Whether a speaker is on a segment that the tester will send on: the untagged one, or a VLAN of the PIXIT."""
    return all(vlan in (pixit.vlans or ()) for vlan in speaker.vlans)


def admit(pixit: Pixit, seconds: float, tell: Callable[[str], None]) -> dict[str, Heard]:
    """Listens on the tester's interfaces of ``pixit`` for ``seconds`` and returns who was heard on each. Nothing is sent.

    Raises :class:`NotAdmitted` with the speakers that the PIXIT does not name, soon after the first one.
    """

    def stranger(speaker: Speaker) -> bool:
        return concerns(speaker, pixit) and not is_named(speaker, pixit)

    interfaces = [one for one in (pixit.tester_interface, pixit.tester_inner_interface) if one]
    sure = (
        "--listen says how long"
        if seconds >= LISTEN_S
        else f"who advertises less often is not heard; {LISTEN_S} s are sure"
    )
    tell(f"listening on {' and '.join(interfaces)} for {seconds:g} s before anything is sent ({sure})")
    try:
        heard = listen(interfaces, round(seconds * 1e9), stranger)
    except WatchError as error:
        raise NotAdmitted(str(error)) from error
    for interface, here in heard.items():
        strangers = "; ".join(sorted(str(one) for one in here if stranger(one)))
        if strangers:
            raise NotAdmitted(
                f"{interface} is not free: {strangers}. Nothing was sent. Take them off the segment, "
                f"or name those that may stay as [[speaker]] in {pixit.path or 'the PIXIT'}"
            )
    return heard
