"""What the passive monitors make of a case beside what it decides itself: its IUTs' part of the trace, judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from conformance.judge.basis import stated
from conformance.judge.invariants import Breach, Given, Side, observe
from conformance.judge.lane import Witness
from conformance.suite.cases import Case
from conformance.suite.verdict import excused
from conformance.targets.protocol import PUBLIC_PASSWORD, Bench, Profile, TwoSided
from conformance.targets.subject import Subject
from conformance.wire.digest import Address

_BENT = {
    "lladdr": frozenset({"CARP-WIRE-016", "CARP-V6-002", "CARP-ARP-003", "CARP-ND-003"}),
    "carpnodes": frozenset({"CARP-WIRE-016", "CARP-V6-002", "CARP-ARP-001", "CARP-ARP-003", "CARP-ND-003"}),
}
"""By the option: what it changes on the wire on purpose."""
_SPACINGS = ("CARP-TIMER-001", "CARP-TIMER-002")


def monitored(case: Case, profile: Profile) -> dict[str, Any] | None:
    """The member ``invariants`` of the case's row in ``results.json``; None where no IUT was started."""
    segment, bench = case.segment, case.bench
    if segment is None or bench is None or not case.subjects:
        return None
    noise_ns = max(segment.noise_ns(case.subjects[0].iut.started_ns), abs(segment.clock_step_ns()))
    witness = Witness(noise_ns, segment.dropped > 0)
    sides = tuple(_sides(case, bench))
    seen = observe(segment.trace.events, sides, profile.dialect.key, witness)
    exempt = frozenset(_exempt(case.subjects))
    breaches = [one for one in seen.breaches if one.requirement not in exempt]
    told = stated(segment.trace.events, sides, witness, PUBLIC_PASSWORD)
    return {
        "held": sorted(seen.held - exempt),
        "broken": [_broken(one, profile) for one in breaches],
        "basis": None if told is None else told | {"exempt": sorted(exempt)},
    }


def _exempt(subjects: Sequence[Subject]) -> Iterator[str]:
    """What does not bind these IUTs: their options say that they shall do otherwise, or nobody could tell them apart."""
    for subject in subjects:
        for option in subject.told[0].options:
            yield from _BENT.get(option, ())
    if len({(subject.name, subject.settings.vhid) for subject in subjects}) < len(subjects):
        yield from _SPACINGS


def _sides(case: Case, bench: Bench) -> Iterator[Side]:
    places: list[Any] = [bench]
    if any(subject.segment is not case.segment for subject in case.subjects):
        places.append(cast("TwoSided", bench).second)
    for place in places:
        hosts: dict[Address, str] = {
            address: host.name for host in place.hosts.values() for address in host.addresses
        }
        mine = [subject for subject in case.subjects if subject.host in place.hosts.values()]
        given = tuple(
            dict.fromkeys(
                Given(told.vhid, told.password, told.addresses) for subject in mine for told in subject.told
            )
        )
        yield Side(hosts, given)


def _broken(breach: Breach, profile: Profile) -> dict[str, Any]:
    deviation = excused(breach.requirement, breach.monitor, breach.text, profile.deviations)
    return {
        "id": breach.requirement,
        "monitor": breach.monitor,
        "verdict": "fail" if deviation is None else "known_deviation",
        "host": breach.host,
        "text": breach.text,
        "frames": list(breach.frames),
        "deviation": None
        if deviation is None
        else {"reason": deviation.reason, "reference": deviation.reference},
    }
