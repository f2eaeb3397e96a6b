"""An IUT as a tester knows it: what a peer could send to it, and how to recognise on the wire and in the trace what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from conformance.model.dialects import Dialect
from conformance.segment.decision import Condition
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Event, FrameSeen, HostKind
from conformance.targets.protocol import Iut, Profile, Settings, SutHost
from conformance.targets.subject.conditions import heard, told
from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import faults
from conformance.wire.digest import Secret
from conformance.wire.frame import Ip
from conformance.wire.header import Header

_OF_A_SECOND = 192
"""The advskew of somebody whose advbase is 1 less: with advbase 0 it must not come at an interval of 0."""


def better_than(advbase: int, advskew: int) -> tuple[int, int]:
    """The advbase and advskew of somebody whom all that advertise ``advbase`` and ``advskew`` must prefer to themselves."""
    assert advbase + advskew > 0, "nobody is better than advbase 0 and advskew 0"
    return (advbase, advskew // 2) if advskew else (advbase - 1, _OF_A_SECOND)


@dataclass(slots=True)
class Recognised:
    """One IUT. ``settings`` is what it was told; ``dialect`` says what follows from that. ``told`` are all its settings in the course of the case."""

    iut: Iut
    host: SutHost
    settings: Settings
    profile: Profile
    segment: Segment
    tester: Tester
    told: list[Settings] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.told = [self.settings]

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def dialect(self) -> Dialect:
        return self.profile.dialect

    @property
    def secret(self) -> Secret:
        return Secret(self.settings.password, self.settings.addresses, self.dialect.address_rule)

    @property
    def interval_ns(self) -> int:
        return self.dialect.interval_ns(self.settings.advbase, self.settings.advskew)

    # --- advertisements that a peer could send to it

    def peer(self, advbase: int, advskew: int, **changes: Any) -> Advertisement:
        """A valid advertisement of another host for this virtual host."""
        return Advertisement(
            vhid=self.settings.vhid,
            source=self.tester.address,
            secret=self.secret,
            advbase=advbase,
            advskew=advskew,
        ).but(**changes)

    def better(self, **changes: Any) -> Advertisement:
        """One that this IUT must prefer to itself: half its advskew, or if that is 0, a smaller advbase."""
        return self.peer(*better_than(self.settings.advbase, self.settings.advskew), **changes)

    def worse(self, **changes: Any) -> Advertisement:
        """One that this IUT must outrank: 50 more advskew."""
        return self.peer(self.settings.advbase, min(self.settings.advskew + 50, 254), **changes)

    def equal(self, **changes: Any) -> Advertisement:
        """One with exactly its own parameters."""
        return self.peer(self.settings.advbase, self.settings.advskew, **changes)

    # --- what it may be seen to do

    def is_own(self, event: Event) -> bool:
        """Whether ``event`` is an advertisement of this IUT."""
        return (
            isinstance(event, FrameSeen)
            and not event.sent
            and event.frame.carp is not None
            and event.frame.ip is not None
            and event.frame.carp.vhid == self.settings.vhid
            and self._is_from(event)
        )

    def advertises(self) -> Condition:
        return Condition(f"{self.name} advertises vhid {self.settings.vhid}", self.is_own)

    def becomes_master(self) -> Condition:
        """Its first advertisement: what other hosts can see of its being MASTER."""
        return Condition(f"{self.name} becomes MASTER of vhid {self.settings.vhid}", self.is_own)

    def advertised_by_anybody(self) -> Condition:
        """An advertisement of its vhid that the tester did not send, whatever its source address."""
        vhid = self.settings.vhid
        return heard(
            f"somebody advertises vhid {vhid}",
            lambda frame: frame.carp is not None and frame.carp.vhid == vhid,
        )

    def counts(self, counter: int) -> Condition:
        """An advertisement of its own whose counter is ``counter``."""
        carried = counter.to_bytes(8, "big")
        return Condition(
            f"{self.name} advertises with counter {counter:#x}",
            lambda e: isinstance(e, FrameSeen) and self.is_own(e) and self.header(e).counter == carried,
        )

    def enters(self, state: str) -> Condition:
        """Its host says that it changed to ``state`` (needs state_read)."""
        return told(
            f"{self.name} says that it is {state}",
            self.name,
            HostKind.STATE,
            lambda text: text == state,
            vhid=self.settings.vhid,
        )

    def says(self, text: str) -> Condition:
        """Its log has a line that contains ``text`` (needs log)."""
        return told(f"{self.name} logs {text!r}", self.name, HostKind.LOG, lambda line: text in line)

    def runs_script(self, arguments: str) -> Condition:
        """It runs a script whose call begins with ``arguments``, as in ``up eth0 192.0.2.100`` (needs scripts)."""
        return told(
            f"{self.name} runs its script {arguments!r}",
            self.name,
            HostKind.SCRIPT,
            lambda call: call.startswith(arguments),
        )

    def ends(self, status: int) -> Condition:
        """Its process ends with ``status``, negative for a signal (needs exit_status)."""
        text = f"the process ended with status {status}"
        return told(f"{self.name}: {text}", self.name, HostKind.PROCESS, lambda line: line == text)

    def says_farewell(self) -> Condition:
        """Its advertisement of 255/255."""
        return Condition(
            f"{self.name} says farewell with 255/255",
            lambda e: (
                self.is_own(e)
                and isinstance(e, FrameSeen)
                and (self.header(e).advbase, self.header(e).advskew) == (255, 255)
            ),
        )

    def announces(self, address: IPv4Address) -> Condition:
        """A gratuitous ARP for ``address`` from this host."""
        return heard(
            f"{self.name} announces {address} by gratuitous ARP",
            lambda frame: frame.arp is not None and frame.arp.gratuitous and frame.arp.sender == address,
        )

    # --- what was seen of it so far

    def last_valid(self) -> FrameSeen | None:
        """The last advertisement on the segment that this IUT had to believe."""
        for seen in reversed(self.segment.trace.frames):
            carp = seen.frame.carp
            if (
                carp is not None
                and not self.is_own(seen)
                and not faults(seen.frame, self.settings.vhid, self.secret)
            ):
                return seen
        return None

    def own_frames(self) -> Iterator[FrameSeen]:
        """Its advertisements so far."""
        return (seen for seen in self.segment.trace.frames if self.is_own(seen))

    @staticmethod
    def ip(seen: FrameSeen) -> Ip:
        assert seen.frame.ip is not None
        return seen.frame.ip

    @staticmethod
    def header(seen: FrameSeen) -> Header:
        assert seen.frame.carp is not None
        return seen.frame.carp

    def _is_from(self, seen: FrameSeen) -> bool:
        return seen.frame.ip is not None and seen.frame.ip.source in self.host.addresses
