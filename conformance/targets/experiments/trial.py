"""A clean lane to try one thing in, without a case: start, look, send, ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from conformance.segment.decision import Inconclusive
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import FrameSeen, HostEvent, HostKind, Trace
from conformance.targets.protocol import Bench, Iut, Settings, SutHost, Target
from conformance.targets.subject.starting import settings_for
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret

SECOND_NS = 1_000_000_000
TAKE_OVER_NS = 8 * SECOND_NS
REACTION_NS = 3 * SECOND_NS
SILENCE_NS = 3 * SECOND_NS
"""Two intervals of advbase 1, and as much again as a daemon may be late."""


@dataclass(slots=True)
class Trial:
    """The lane, the tester on it, and what was started there. Times are nanoseconds."""

    target: Target
    bench: Bench
    trace: Trace
    segment: Segment
    asked: list[Settings] = field(default_factory=list)

    @property
    def host(self) -> SutHost:
        return self.bench.hosts["a"]

    @property
    def tester(self) -> Tester:
        return Tester(self.segment, self.bench.tester_addresses[0], self.bench.tester_mac)

    @property
    def settings(self) -> Settings:
        """What was asked of the IUT that was started last."""
        return self.asked[-1]

    def start(self, *, on: str = "a", **changes: Any) -> Iut:
        """Starts an IUT of vhid 1 with one IPv4 address and advskew 0, but for ``changes``. Raises :class:`ConfigurationRefused`."""
        host = self.bench.hosts[on]
        settings = settings_for(self.target.profile, self.bench, host, changes)
        iut = host.start(settings)
        self.asked.append(settings)
        return iut

    def first(
        self, limit_ns: int = TAKE_OVER_NS, *, version: int = 4, vhid: int | None = None, on: str = "a"
    ) -> FrameSeen | None:
        """The first advertisement over IP ``version`` from now on; None if none comes within ``limit_ns``."""
        since, wanted = len(self.trace.frames), vhid or self.settings.vhid
        addresses = self.bench.hosts[on].addresses
        found: list[FrameSeen] = []

        def look() -> bool:
            found.extend(
                seen
                for seen in self.trace.frames[since:]
                if is_advertisement(seen, version, wanted, addresses)
            )
            return bool(found)

        self.bench.loop.run_until(look, self.bench.loop.now_ns() + limit_ns)
        return found[0] if found else None

    def advertises(
        self, limit_ns: int = TAKE_OVER_NS, *, version: int = 4, vhid: int | None = None, on: str = "a"
    ) -> bool:
        """Whether :meth:`first` comes."""
        return self.first(limit_ns, version=version, vhid=vhid, on=on) is not None

    def tells(self, kind: HostKind, limit_ns: int = REACTION_NS, *, text: str = "", after: int = 0) -> bool:
        """Whether a host tells something of ``kind`` with ``text`` in it, or has since event ``after``, within ``limit_ns``."""
        return self.bench.loop.run_until(
            lambda: any(
                isinstance(event, HostEvent) and event.kind is kind and text in event.text
                for event in self.trace.events[after:]
            ),
            self.bench.loop.now_ns() + limit_ns,
        )

    def answers(self, host: SutHost | None = None) -> bytes | None:
        """The MAC address with which a host answers ARP for its own first address; None if it does not."""
        asked = host or self.host
        try:
            arp = self.tester.hears(asked.name, asked.addresses[0]).frame.arp
        except Inconclusive:
            return None
        return None if arp is None else arp.sender_mac

    def secret(self, settings: Settings) -> Secret:
        return Secret(settings.password, settings.addresses, self.target.profile.dialect.address_rule)

    def peer(self, advskew: int, advbase: int = 1) -> Advertisement:
        """A valid advertisement of another host for the IUT that was started last."""
        settings = self.settings
        return Advertisement(
            vhid=settings.vhid,
            source=self.bench.tester_addresses[0],
            secret=self.secret(settings),
            advbase=advbase,
            advskew=advskew,
        )


def is_advertisement(seen: FrameSeen, version: int, vhid: int, sources: tuple[object, ...]) -> bool:
    """Whether a frame is an advertisement of ``vhid`` that the tester did not send: over IPv4 from one of ``sources``, over IPv6 from anywhere,
    because a host chooses among its link-local addresses.
    """
    frame = seen.frame
    return (
        not seen.sent
        and frame.carp is not None
        and frame.ip is not None
        and frame.ip.version == version
        and frame.carp.vhid == vhid
        and (version == 6 or frame.ip.source in sources)
    )


@contextmanager
def trial(target: Target, bench: Bench) -> Iterator[Trial]:
    """A trial on ``bench``, which is reset afterwards."""
    trace = Trace()
    try:
        port = bench.port(trace)  # which may give the bench another loop
        yield Trial(target, bench, trace, Segment(bench.loop, trace, port))
    finally:
        bench.reset()
