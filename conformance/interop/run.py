"""One run of one scenario by one pair: plays it, measures it, and says what was observed."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from typing import cast as as_type

from conformance.interop.basis import Basis, ends, stated
from conformance.interop.expect import Bounds, bounds, handover_ns, patience_ns, settle_ns
from conformance.interop.fault import Fault, Measure
from conformance.interop.measure import Measured, judged, measured
from conformance.interop.participant import meeting
from conformance.interop.plan import look_on_ns
from conformance.interop.probe import Service, longest_gap_ns, lost
from conformance.interop.scenario import Act, Scenario
from conformance.interop.stage import Cast, Stage
from conformance.interop.timeline import timeline
from conformance.segment import evidence
from conformance.segment.decision import Inconclusive, seconds
from conformance.segment.segment import NOISE_FACTOR, Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Trace
from conformance.targets.protocol import Bench, ConfigurationRefused, Reporting, SutHost, TwoSided

PROBE_GRACE_NS = 300_000_000
"""Until the last probe has been answered or has timed out."""


class Observed(StrEnum):
    """What became of a run."""

    CONVERGES = "converges"
    FAILS = "fails"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Ran:
    """One run. Durations are nanoseconds, None where there was nothing to measure; ``faults`` are what a converging pair does not do.

    ``ends`` is which machines advertise at the end, by vhid; ``lasted_ns`` is how long the scene took from the beginning of the scenario.
    """

    observed: Observed
    faults: tuple[Fault, ...]
    service_ns: int | None = None
    measured: Measured | None = None
    connections_lost: int | None = None
    noise_ns: int = 0
    ends: Mapping[int, frozenset[str]] = field(default_factory=dict)
    lasted_ns: int = 0
    events: dict[str, Any] | None = None
    detail: str = ""
    basis: Basis | None = None


@dataclass(slots=True)
class _Scene:
    bench: Bench
    wire: Segment
    stage: Stage
    service: Service | None
    began_ns: int = 0
    played_ns: int = 0
    speaking: dict[int, list[str]] = field(default_factory=dict)


def run(scenario: Scenario, cast: Cast, rung: str, seed: int, evidence_at: Path | None = None) -> Ran:
    """Plays ``scenario`` once. Writes the capture to ``evidence_at`` if that is given; never raises for what the implementations do."""
    with ExitStack() as stack:
        try:
            targets = [cast[role].target for _, role in scenario.machines]
            bench = stack.enter_context(meeting(rung, targets, seed))
            return _on(bench, scenario, cast, evidence_at)
        except ConfigurationRefused as error:
            return Ran(Observed.REFUSED, (Fault(Measure.REFUSED, str(error)),))
        except Inconclusive as error:
            return Ran(Observed.INCONCLUSIVE, (Fault(Measure.RIG, str(error)),))
        except Exception as error:  # noqa: BLE001  # whatever a driver raises is this cell's error, not the matrix's end
            return Ran(
                Observed.ERROR,
                (Fault(Measure.RIG, f"{type(error).__name__}: {error}"),),
                detail=traceback.format_exc(limit=-6),
            )


def _on(bench: Bench, scenario: Scenario, cast: Cast, evidence_at: Path | None) -> Ran:
    scene = _set(bench, scenario, cast)
    with ExitStack() as stack:
        stack.callback(bench.reset)
        stack.callback(scene.stage.close)
        _play(scene, scenario, cast)
        result = _judge(scene, scenario, cast)
        if evidence_at is not None:
            evidence_at.parent.mkdir(parents=True, exist_ok=True)
            evidence.write(
                scene.wire.trace,
                evidence_at,
                comment=f"{scenario.title}: {'; '.join(one.text for one in result.faults) or 'converges'}",
            )
        return result


def _set(bench: Bench, scenario: Scenario, cast: Cast) -> _Scene:
    trace = Trace()
    port = bench.port(trace)
    if any(node.inner for node in scenario.nodes):
        as_type("TwoSided", bench).second.port(trace)
    wire = Segment(bench.loop, trace, port, clock_step_ns=bench.clock_step_ns, stalled_ns=bench.stalled_ns)
    if isinstance(bench, Reporting):
        wire.hear_out = bench.hear_out
    tester = Tester(wire, bench.tester_addresses[0], bench.tester_mac)
    stage = Stage(scenario, cast, bench, wire, tester, settle_ns(scenario, cast))
    first = bench.shared_addresses[min(scenario.nodes[0].addresses)]
    offered = all(one.target.profile.pics.get("service") for one in cast.values())
    service = Service(bench, first) if offered and isinstance(first, IPv4Address) else None
    return _Scene(bench, wire, stage, service)


def _play(scene: _Scene, scenario: Scenario, cast: Cast) -> None:
    with ExitStack() as stack:
        if scene.service is not None:
            scene.service.offer()
            stack.enter_context(scene.service.used())
        scene.stage.play(scenario.setup)
        scene.began_ns = scene.wire.now_ns()
        scene.wire.note("the scenario begins")
        scene.stage.play(scenario.steps)
        scene.played_ns = scene.wire.now_ns()
        scene.wire.watch(look_on_ns(scenario, cast))
    scene.wire.watch(PROBE_GRACE_NS)


def _judge(scene: _Scene, scenario: Scenario, cast: Cast) -> Ran:
    end_ns = scene.wire.now_ns()
    hosts = _hosts(scene.bench, scenario)
    owners = {address: machine for machine, host in hosts for address in host.addresses}
    found = measured(
        judged(scene.wire.trace),
        scenario.outcome.masters,
        scene.began_ns,
        end_ns,
        frozenset(owners),
    )
    limits = bounds(scenario, cast)
    vhids = tuple(scenario.outcome.masters)
    last = ends(scene.wire.trace, owners, vhids, scene.played_ns)
    faults = _finals(last, scenario)
    service_ns = None
    if scene.service is not None:
        service_ns = (
            longest_gap_ns(scene.service.answers, scene.began_ns, end_ns - PROBE_GRACE_NS)
            if scenario.setup
            else None
        )
    faults += _breaches(found, service_ns, limits, scenario)
    noise_ns = scene.wire.noise_ns(scene.began_ns, handover_ns(scenario, cast))
    cited = frozenset(found.frames)
    for seen in scene.wire.trace.frames:
        if seen.number in cited:
            scene.wire.trace.cite(seen, "mastership changed here")
    return Ran(
        observed=_observed(faults, noise_ns, scene.wire.dropped, patience_ns(scenario, cast)),
        faults=tuple(faults),
        service_ns=service_ns,
        measured=found,
        connections_lost=lost(scene.service.answers, scene.began_ns) if scene.service is not None else None,
        noise_ns=noise_ns,
        ends=last,
        lasted_ns=end_ns - PROBE_GRACE_NS - scene.began_ns,
        events=timeline(
            scene.wire.trace, [host for _, host in hosts], cited, scene.began_ns, scene.stage.ended
        ),
        basis=stated(scene.wire.trace, owners, vhids, scene.began_ns, scene.played_ns, end_ns),
    )


def _hosts(bench: Bench, scenario: Scenario) -> list[tuple[str, SutHost]]:
    """The interfaces on all segments, each with the name of its machine."""
    sides = [bench.hosts]
    if any(node.inner for node in scenario.nodes):
        sides.append(as_type("TwoSided", bench).second.hosts)
    return [(name, host) for side in sides for name, host in side.items()]


def _finals(ends: Mapping[int, frozenset[str]], scenario: Scenario) -> list[Fault]:
    faults = []
    for vhid, names in scenario.outcome.masters.items():
        speaking, allowed = sorted(ends[vhid]), sorted({scenario.node(name).on for name in names})
        if len(speaking) != 1 or speaking[0] not in allowed:
            said = f"at the end {_listed(speaking)} MASTER of vhid {vhid}, not {' or '.join(allowed)} alone"
            faults.append(Fault(Measure.ENDS, said, vhid=vhid))
    return faults


def _listed(names: Sequence[str]) -> str:
    return "nobody is" if not names else f"{names[0]} is" if len(names) == 1 else f"{' and '.join(names)} are"


def _breaches(found: Measured, service_ns: int | None, limits: Bounds, scenario: Scenario) -> list[Fault]:
    low_ns, high_ns = limits.no_master_ns
    faults = [
        Fault(
            measure, f"{told} for {seconds(value)}, at most {seconds(most)} was expected", value, value - most
        )
        for measure, told, value, most in (
            (Measure.NO_MASTER, "nobody was MASTER", found.no_master_ns, high_ns),
            (Measure.DUAL_MASTER, "two were MASTER", found.dual_master_ns, limits.dual_master_ns),
            (Measure.SERVICE, "the service was gone", service_ns or 0, limits.service_ns),
        )
        if value > most
    ]
    exact = [step.act for step in scenario.steps] in ([Act.KILL], [Act.PULL])
    if exact and 0 < found.no_master_ns < low_ns:
        said = f"mastership went over after {seconds(found.no_master_ns)} of silence, at least {seconds(low_ns)} was expected"
        faults.append(Fault(Measure.EARLY, said, found.no_master_ns, low_ns - found.no_master_ns))
    if found.flapping:
        faults.append(Fault(Measure.FLAPPING, Measure.FLAPPING.value))
    return faults


def _observed(faults: Sequence[Fault], noise_ns: int, dropped: int, patient_ns: int) -> Observed:
    if not faults:
        return Observed.CONVERGES
    only_times = all(fault.timed for fault in faults)
    if (
        dropped
        or noise_ns >= patient_ns
        or (only_times and max(fault.miss_ns for fault in faults) <= NOISE_FACTOR * noise_ns)
    ):
        return Observed.INCONCLUSIVE
    return Observed.FAILS
