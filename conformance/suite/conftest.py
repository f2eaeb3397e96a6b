"""Fixtures of the cases: a bench for each worker, a fresh segment for each case, IUTs in the state that a case starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast

import pytest

from conformance.lab.shell import HostError
from conformance.model.dialects import dialect
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Trace
from conformance.suite.cases import CASE, TARGET
from conformance.targets.beside.partner import Partner
from conformance.targets.protocol import Bench, Reporting, Settings, Side, Target, TwoSided
from conformance.targets.subject import Subject
from conformance.targets.subject.starting import settings_for
from conformance.wire.digest import Address

Start = Callable[..., Subject]
Meet = Callable[..., Partner]


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """The implementation under test, on its rung."""
    return request.config.stash[TARGET]


@pytest.fixture(scope="session")
def benches(target: Target) -> Iterator[Callable[[int], Bench]]:
    """The lanes of this worker, by number of hosts: each is made once and used by one case after the other."""
    with ExitStack() as stack:
        yield lanes(target, stack)


def lanes(target: Target, stack: ExitStack) -> Callable[[int], Bench]:
    """Gives benches of ``target`` by number of hosts, which ``stack`` ends. A machine that could not be had is not waited for again: its error is that of every later case."""
    made: dict[int, Bench] = {}
    broken: dict[int, HostError] = {}

    def bench(count: int) -> Bench:
        if count in broken:
            raise broken[count]
        if count not in made:
            try:
                made[count] = stack.enter_context(target.bench(count))
            except HostError as error:
                broken[count] = error
                raise
        return made[count]

    return bench


@pytest.fixture
def bench(request: pytest.FixtureRequest, benches: Callable[[int], Bench]) -> Iterator[Bench]:
    """The lane of this case, clean."""
    mark = request.node.get_closest_marker("hosts")
    lane = benches(mark.args[0] if mark else 1)
    try:
        yield lane
    finally:
        lane.reset()


@pytest.fixture
def wire(request: pytest.FixtureRequest, bench: Bench) -> Segment:
    """The segment as the tester sees it, with an empty trace."""
    trace = Trace()
    port = bench.port(trace)
    segment = Segment(bench.loop, trace, port, clock_step_ns=bench.clock_step_ns, stalled_ns=bench.stalled_ns)
    if isinstance(bench, Reporting):
        segment.hear_out = bench.hear_out
    request.node.stash[CASE].segment = segment
    request.node.stash[CASE].bench = bench
    return segment


@pytest.fixture
def tester(bench: Bench, wire: Segment) -> Tester:
    """Our side of the wire."""
    return Tester(wire, bench.tester_addresses[0], bench.tester_mac)


@pytest.fixture
def started(request: pytest.FixtureRequest, wire: Segment) -> list[Subject]:
    """The IUTs of this case; a failure tells of each."""
    subjects: list[Subject] = request.node.stash[CASE].subjects
    wire.describe = lambda: "\n".join(subject.iut.describe() for subject in subjects)
    return subjects


def _starter(
    target: Target, side: Bench | Side, wire: Segment, tester: Tester, started: list[Subject]
) -> Start:
    def begin(*, on: str = "a", **changes: Any) -> Subject:
        host = side.hosts[on]
        settings = settings_for(target.profile, side, host, changes, advskew=100)
        subject = Subject(host.start(settings), host, settings, target.profile, wire, tester)
        started.append(subject)
        return subject

    return begin


@pytest.fixture
def start(target: Target, bench: Bench, wire: Segment, tester: Tester, started: list[Subject]) -> Start:
    """Starts an IUT: ``start(on="a", advskew=100, preempt=True, …)``; the rest comes from the profile. It is in BACKUP when this returns."""
    return _starter(target, bench, wire, tester, started)


@pytest.fixture
def meet(target: Target, bench: Bench, wire: Segment, started: list[Subject]) -> Meet:  # noqa: ARG001  # after it: both tell of a failure
    """Lets the tester play another implementation of the virtual host, from now on: ``meet("openbsd", advskew=0, preempt=True)``; the rest as for ``start``.

    ``source`` is its IPv4 address in place of the tester's.
    """

    def begin(key: str, *, source: Address | None = None, **changes: Any) -> Partner:
        addresses = bench.tester_addresses if source is None else (source, *bench.tester_addresses[1:])
        settings = Settings(password=target.profile.password, addresses=bench.shared_addresses[:1])
        partner = Partner(wire, dialect(key), bench.tester_mac, addresses, settings)
        told = wire.describe

        def both() -> str:
            return f"{told()}\n{partner.describe()}".lstrip()

        wire.describe = both
        partner.join(**changes)
        return partner

    return begin


@dataclass(frozen=True, slots=True)
class Leg:
    """The second segment of a case, and its hosts' interfaces there; frames and decisions are on the time line of the first."""

    side: Side
    wire: Segment
    tester: Tester
    start: Start


@pytest.fixture
def inner(target: Target, bench: Bench, wire: Segment, started: list[Subject]) -> Leg:
    """The second interfaces of the hosts, on a segment of their own (needs second_interface)."""
    side = cast("TwoSided", bench).second
    segment = Segment(
        bench.loop,
        wire.trace,
        side.port(wire.trace),
        wire.decisions,
        wire.describe,
        wire.clock_step_ns,
        wire.stalled_ns,
        wire.hear_out,
    )
    tester = Tester(segment, side.tester_addresses[0], side.tester_mac)
    return Leg(side, segment, tester, _starter(target, side, segment, tester, started))


@pytest.fixture
def master(start: Start) -> Subject:
    """An IUT (advbase 1, advskew 100) that is MASTER: its first advertisement has been seen."""
    subject = start()
    subject.reach_master()
    return subject


@pytest.fixture
def backup(start: Start, tester: Tester) -> Subject:
    """An IUT (advbase 1, advskew 100) that is BACKUP and has just heard its last valid, better advertisement: its timer runs."""
    subject = start()
    tester.send(subject.better())
    return subject
