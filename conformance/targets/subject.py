"""An IUT as a case sees it: what it should do next, when, and how to recognise it on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, cast

from conformance.model.dialects import Dialect
from conformance.segment.decision import Condition, Mismatch, Window, seconds
from conformance.segment.segment import LOOK_ON_NS, Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Event, FrameSeen, HostEvent, HostKind
from conformance.targets.protocol import (
    Changeable,
    Closable,
    Counting,
    Demotable,
    Detachable,
    Groupable,
    Iut,
    Listing,
    Orderable,
    Profile,
    Settings,
    SutHost,
    Switchable,
    Tunable,
    Unsending,
)
from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import faults
from conformance.wire.digest import Address, Secret
from conformance.wire.frame import Ip
from conformance.wire.header import Header

_LATE_NS = 100_000_000
"""How late a MASTER may be without being taken for one that has yielded; a demoted one is late for its configured advskew, too."""
_SETTLE_NS = 5_000_000
"""Until the last frame of a stream that has ended has surely been captured."""


@dataclass(slots=True)
class Subject:
    """One IUT with everything that a case asks of it. ``settings`` is what it was told; ``dialect`` says what follows from that."""

    iut: Iut
    host: SutHost
    settings: Settings
    profile: Profile
    segment: Segment
    tester: Tester

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
        """One that this IUT must prefer to itself: half its advskew. Its own advskew must not be 0."""
        assert self.settings.advskew > 0, (
            "nobody is better than advskew 0 at the same advbase: start the IUT with an advskew"
        )
        return self.peer(self.settings.advbase, self.settings.advskew // 2, **changes)

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
        return Condition(
            f"somebody advertises vhid {vhid}",
            lambda e: (
                isinstance(e, FrameSeen)
                and not e.sent
                and e.frame.carp is not None
                and e.frame.carp.vhid == vhid
            ),
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
        return Condition(
            f"{self.name} says that it is {state}",
            lambda e: (
                isinstance(e, HostEvent)
                and e.host == self.name
                and e.kind is HostKind.STATE
                and e.text == state
                and e.vhid in (None, self.settings.vhid)
            ),
        )

    def says(self, text: str) -> Condition:
        """Its log has a line that contains ``text`` (needs log)."""
        return Condition(
            f"{self.name} logs {text!r}",
            lambda e: (
                isinstance(e, HostEvent) and e.host == self.name and e.kind is HostKind.LOG and text in e.text
            ),
        )

    def runs_script(self, arguments: str) -> Condition:
        """It runs a script whose call begins with ``arguments``, as in ``up eth0 192.0.2.100`` (needs scripts)."""
        return Condition(
            f"{self.name} runs its script {arguments!r}",
            lambda e: (
                isinstance(e, HostEvent)
                and e.host == self.name
                and e.kind is HostKind.SCRIPT
                and e.text.startswith(arguments)
            ),
        )

    def ends(self, status: int) -> Condition:
        """Its process ends with ``status``, negative for a signal (needs exit_status)."""
        text = f"the process ended with status {status}"
        return Condition(
            f"{self.name}: {text}",
            lambda e: (
                isinstance(e, HostEvent)
                and e.host == self.name
                and e.kind is HostKind.PROCESS
                and e.text == text
            ),
        )

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
        return Condition(
            f"{self.name} announces {address} by gratuitous ARP",
            lambda e: (
                isinstance(e, FrameSeen)
                and not e.sent
                and e.frame.arp is not None
                and e.frame.arp.gratuitous
                and e.frame.arp.sender == address
            ),
        )

    def answers_arp(self, address: IPv4Address) -> Condition:
        """An ARP reply for ``address`` (not gratuitous)."""
        return Condition(
            f"{self.name} answers ARP for {address}",
            lambda e: (
                isinstance(e, FrameSeen)
                and not e.sent
                and e.frame.arp is not None
                and e.frame.arp.operation == 2
                and e.frame.arp.sender == address
            ),
        )

    # --- when it must do it

    def master_down_window(self, after: FrameSeen | int | None = None) -> Window:
        """When it must become MASTER: after ``after``, or after the last thing that restarted its timer (a valid advertisement, or its start)."""
        if after is None:
            after = self.last_valid() or self.iut.started_ns
        if isinstance(after, int):
            return Window.after(after, self._start_window_ns(), f"the start of {self.name}")
        return Window.after(
            after.time_ns,
            self.dialect.take_over_window_ns(self.settings.advbase, self.settings.advskew, self._dead_ratio),
            f"frame {after.number}, which restarted its timer",
        )

    def besieged_window(self) -> Window:
        """When it must become MASTER while frames that it rejects keep coming: each of them wakes a poll loop, which may then miss the end of its timer by
        one period (CARP-RX-023).
        """
        window = self.master_down_window()
        loop = self.dialect.poll_loop
        if loop is None:
            return window
        advbase, advskew = self.settings.advbase, self.settings.advskew
        down_ns = self.dialect.master_down_ns(advbase, advskew, self._dead_ratio)
        latest_ns = (
            loop.read_timeout_ns
            + down_ns
            + loop.period_ns(advbase, advskew)
            + self.dialect.timer_slack.late_ns
        )
        return Window(
            window.anchor_ns, window.from_ns, max(window.to_ns, window.anchor_ns + latest_ns), window.anchor
        )

    def reaction_window(self, after: FrameSeen | int) -> Window:
        """When the effect of ``after`` must be visible."""
        if isinstance(after, int):
            return Window.after(after, self.dialect.reaction_window_ns, "the event")
        return Window.after(after.time_ns, self.dialect.reaction_window_ns, f"frame {after.number}")

    def interval_window(self, after: FrameSeen) -> Window:
        """When its next advertisement is due after its advertisement ``after``."""
        bounds = self.dialect.interval_window_ns(self.settings.advbase, self.settings.advskew)
        return Window.after(after.time_ns, bounds, f"its advertisement, frame {after.number}")

    def pace_ns(self, count: int) -> int:
        """The interval at which ``count`` frames are sent before its master-down time can have passed."""
        return self.take_over_bounds_ns[0] * 9 // (10 * count)

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

    # --- getting there

    def reach_master(self) -> FrameSeen:
        """Waits until it advertises; raises :class:`Mismatch` if it never does. Setting the scene: not a decision."""
        window = self.master_down_window()
        event = self.segment.wait(self.becomes_master(), window.to_ns + LOOK_ON_NS, since_ns=window.anchor_ns)
        if not isinstance(event, FrameSeen):
            raise Mismatch(
                f"(precondition) {self.name} becomes MASTER {window}",
                f"it did not advertise in {seconds(window.to_ns + LOOK_ON_NS - window.anchor_ns)}",
                context=self.segment.describe(),
            )
        return event

    def next_own(self, count: int = 1) -> list[FrameSeen]:
        """Its next ``count`` advertisements; raises :class:`Mismatch` where one is missing."""
        found: list[FrameSeen] = []
        for _ in range(count):
            deadline_ns = self.segment.now_ns() + self.interval_ns + LOOK_ON_NS
            event = self.segment.wait(
                self.advertises(),
                deadline_ns,
                since_ns=(found[-1].time_ns if found else self.segment.now_ns()) + 1,
            )
            if not isinstance(event, FrameSeen):
                raise Mismatch(
                    f"{self.name} goes on advertising every {seconds(self.interval_ns)}",
                    f"no advertisement in {seconds(self.interval_ns + LOOK_ON_NS)}",
                    tuple(found[-1:]),
                    context=self.segment.describe(),
                )
            found.append(event)
        return found

    def expect_yields(self, after: FrameSeen) -> None:
        """A MASTER steps down because of ``after``: by the end of its reaction window it is silent, for two of its intervals, while its host is still there.

        Where the host can be read, its own word is asked for as well; otherwise the case has to show that it comes back.
        """
        window = self.reaction_window(after)
        if self.profile.pics.get("state_read"):
            self.segment.expect(self.enters("BACKUP"), within=window)
        self.segment.loop.run_until(lambda: False, window.to_ns)
        self.stays_silent(2 * self.interval_ns)

    def comes_back(self, after: FrameSeen) -> None:
        """After :meth:`expect_yields`: it becomes MASTER again in its window after ``after``, which made it yield and which nothing followed."""
        silent_ns = self.segment.now_ns()
        again = Condition(
            f"{self.name} becomes MASTER again", lambda e: self.is_own(e) and e.time_ns > silent_ns
        )
        self.segment.expect(again, within=self.master_down_window(after))

    def still_master(self, after: FrameSeen) -> bool:
        """Whether it still advertises when it could have reacted to ``after``. Decides nothing: for what is recorded and not demanded."""
        until_ns = max(self.reaction_window(after).to_ns, self.segment.now_ns())
        self.segment.loop.run_until(lambda: False, until_ns)
        return (
            self.segment.wait(self.advertises(), until_ns + self.interval_ns * 3 // 2, since_ns=until_ns + 1)
            is not None
        )

    def stays_silent(self, for_ns: int) -> None:
        """No advertisement of its own for ``for_ns``; the host must answer afterwards."""
        self.segment.expect_none(self.advertises(), for_ns=for_ns, barrier=self.alive)

    def stays_master(self, after: FrameSeen, count: int = 3) -> None:
        """It goes on advertising ``count`` more times after ``after``, beyond the time in which it could still have been reacting.

        It is not silent for more than two intervals: one that has yielded is, before it comes back.
        """
        last_ns = max(self.reaction_window(after).to_ns, self.segment.now_ns())
        self.segment.loop.run_until(lambda: False, last_ns)
        for seen in self.next_own(count):
            silence = f"the time without an advertisement of {self.name} as MASTER"
            self.segment.check_span(
                silence, seen.time_ns - last_ns, (0, 2 * self.interval_ns + _LATE_NS), seen, since_ns=last_ns
            )
            last_ns = seen.time_ns

    def keeps_its_interval(self, count: int, before: FrameSeen | None = None) -> None:
        """Each of its next ``count`` advertisements is in time after the one before; the first after ``before``, or after its next."""
        last = before or self.next_own()[0]
        for _ in range(count):
            event = self.segment.expect(self.advertises(), within=self.interval_window(last))
            assert isinstance(event, FrameSeen)
            last = event

    def stays_backup(self, peer: Advertisement, *, interval_ns: int | None = None, times: int = 1) -> None:
        """A stream of ``peer`` (at its own interval, or every ``interval_ns``) holds a BACKUP beyond its master-down time, ``times`` times as long; when the
        stream ends it takes over in time.
        """
        with self.tester.advertising(peer, interval_ns=interval_ns):
            self.stays_silent(times * self.take_over_bounds_ns[1])
        self.segment.watch(_SETTLE_NS)
        self.segment.expect(self.becomes_master(), within=self.master_down_window())

    def link_up_window(self, up_ns: int) -> Window:
        """When a host that nobody disturbs must be MASTER again after its link came back at ``up_ns``: a full start, later where the link is only polled."""
        earliest_ns, latest_ns = self._start_window_ns()
        return Window.after(
            up_ns, (earliest_ns, latest_ns + self._link_late_ns), f"the link of {self.name} came back"
        )

    def link_down_window(self, down_ns: int) -> Window:
        """When a MASTER must have noticed that its link is gone: a polling one with its next advertisement."""
        late_ns = self.interval_ns if self.dialect.poll_loop else 0
        return Window.after(
            down_ns, (0, late_ns + self.dialect.reaction_window_ns[1]), f"the link of {self.name} was lost"
        )

    @property
    def take_over_bounds_ns(self) -> tuple[int, int]:
        """Shortest and longest time from the last advertisement that restarts its timer to its own first one."""
        return self.dialect.take_over_window_ns(
            self.settings.advbase, self.settings.advskew, self._dead_ratio
        )

    @property
    def just_now_ns(self) -> int:
        """The moment before an action of the tester: in virtual time its effects bear the time of the action itself."""
        return self.segment.now_ns() - 1

    @property
    def start_window(self) -> Window:
        """When it must become MASTER on a silent segment, from its start."""
        return Window.after(self.iut.started_ns, self._start_window_ns(), f"the start of {self.name}")

    @property
    def start_bounds_ns(self) -> tuple[int, int]:
        """Shortest and longest time from its start on a silent segment to its first advertisement."""
        return self._start_window_ns()

    @contextmanager
    def reflected(self) -> Iterator[None]:
        """Each of its advertisements comes back to it unchanged, as from a bridge with a loop."""

        def send_back(event: Event) -> None:
            if isinstance(event, FrameSeen) and self.is_own(event):
                self.segment.port.send(event.frame.data)

        self.segment.note(f"sends every advertisement of {self.name} back to it")
        self.segment.trace.listeners.append(send_back)
        try:
            yield
        finally:
            self.segment.trace.listeners.remove(send_back)
        self.segment.note(f"no longer sends back what {self.name} advertises")

    def remove_interface(self) -> None:
        """Its host loses the interface that it runs on (needs interface_removal)."""
        cast("Detachable", self.host).remove_interface()

    def counters(self) -> Mapping[str, int]:
        """The counters of its host as they are now (needs counters)."""
        return dict(cast("Counting", self.host).counters())

    def sysctls(self) -> Tunable:
        """The ``net.inet.carp`` switches of its host (needs sysctl)."""
        return cast("Tunable", self.host)

    # --- what its administrator does to it, or to its host

    def reconfigure(self, **changes: Any) -> None:
        """Changes its parameters while it runs (needs reconfigure)."""
        cast("Changeable", self.iut).reconfigure(**changes)
        self.settings = self.iut.settings

    def add_address(self, address: Address) -> None:
        """Gives it one more shared address (needs reconfigure)."""
        cast("Changeable", self.iut).add_address(address)
        self.settings = self.iut.settings

    def remove_address(self, address: Address) -> None:
        """Takes a shared address from it (needs reconfigure)."""
        cast("Changeable", self.iut).remove_address(address)
        self.settings = self.iut.settings

    def request_state(self, state: str) -> None:
        """Orders it to become ``MASTER`` or ``BACKUP`` (needs state_request)."""
        cast("Orderable", self.iut).request_state(state)

    def carp_interface(self, *, up: bool) -> None:
        """Takes its carp interface down or up (needs carp_interface)."""
        cast("Closable", self.iut).interface(up=up)

    def join_group(self, group: str) -> None:
        """Puts its carp interface into one more group (needs interface_groups)."""
        cast("Groupable", self.iut).join_group(group)

    def host_interface(self, *, up: bool) -> None:
        """Takes the interface of its host down or up (needs interface_switch)."""
        cast("Switchable", self.host).interface(up=up)

    def demote(self, amount: int, group: str = "carp") -> None:
        """Demotes its host (needs demotion_order)."""
        cast("Demotable", self.host).demote(amount, group)

    def demotion(self, group: str = "carp") -> int:
        """The demotion that its host tells (needs demotion_order)."""
        return cast("Demotable", self.host).demotion(group)

    def refuse_sending(self, *, refused: bool) -> None:
        """Lets its host fail to send advertisements (needs send_errors)."""
        cast("Unsending", self.host).refuse_sending(refused=refused)

    def vhids(self) -> tuple[int, ...]:
        """The vhids configured on the interface of its host (needs vhid_list)."""
        return cast("Listing", self.host).vhids()

    def alive(self) -> FrameSeen:
        """The barrier: the host's answer to an ARP request for its real address."""
        return self.tester.hears(self.name, self.host.addresses[0])

    def _is_from(self, seen: FrameSeen) -> bool:
        return seen.frame.ip is not None and seen.frame.ip.source in self.host.addresses

    @property
    def _link_late_ns(self) -> int:
        return self.dialect.poll_loop.link_sleep_ns if self.dialect.poll_loop else 0

    @property
    def _dead_ratio(self) -> int:
        return int(self.settings.options.get("dead_ratio", 3))

    def _start_window_ns(self) -> tuple[int, int]:
        return self.dialect.start_window_ns(self.settings.advbase, self.settings.advskew, self._dead_ratio)
