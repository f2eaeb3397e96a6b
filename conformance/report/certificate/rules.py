"""The rules of certification: written, versioned, and applied here. The reference page is generated from this table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from conformance.catalogue import Level
from conformance.report.certificate.capture import DamagedCapture, read
from conformance.report.certificate.material import Material
from conformance.report.certificate.meetings import named
from conformance.report.results import NOT_COVERED, Case

VERSION: Final = 2
"""Counts up with every change of a rule; a certificate names the version that judged it."""

SANITY: Final = ("CARP-WIRE-001", "CARP-AUTH-001", "CARP-ELECT-002")
"""What must have passed before anything else is believed: it speaks CARP, its digests are right, it takes over."""

PARTNERS: Final = 2
"""How many implementations of different origin it must have met."""

BY_PARTNERS: Final = ("INTEROP", "SCENARIO")
"""Groups that need other implementations; the matrix decides them, not the cases of one target."""

MODELS: Final = "model:"
"""How the names of this suite's own models begin; they are no products."""

_MEETS: Final = ("pass", "hazard", "not_applicable")
"""Verdicts of a pair that bar nothing: a hazard is what the tables predict of it, and is printed."""

_DECIDED: Final = ("pass", "fail", "known_deviation")
_SHOWN: Final = 5


class Bars(Enum):
    """What a broken rule prevents."""

    CERTIFICATE = "no certificate is made"
    CLAIM = "the certificate makes no claim of conformance"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: ``breaches`` gives a sentence for each thing that breaks it, none if it is kept."""

    id: str
    text: str
    bars: Bars
    breaches: Callable[[Material], list[str]]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What came of one rule."""

    rule: Rule
    breaches: tuple[str, ...]


@dataclass(eq=False)
class Refused(Exception):
    """No certificate can be made of this run: the rules that bar it, each with its reasons."""

    rulings: tuple[Ruling, ...]

    def __str__(self) -> str:
        said = "; ".join(f"{one.rule.id}: {reason}" for one in self.rulings for reason in one.breaches)
        return f"no certificate is made of this run (rules of certification, version {VERSION}): {said}."


def rulings(material: Material) -> tuple[Ruling, ...]:
    """Every rule applied to ``material``, in the order of the table."""
    return tuple(Ruling(rule, tuple(rule.breaches(material))) for rule in RULES)


def claims(applied: Iterable[Ruling]) -> bool:
    """Whether the rules allow a claim of conformance. Raises :class:`Refused` if they allow no certificate at all."""
    listed = tuple(applied)
    barring = tuple(one for one in listed if one.breaches and one.rule.bars is Bars.CERTIFICATE)
    if barring:
        raise Refused(barring)
    return not any(one.breaches for one in listed)


def _some(ids: Iterable[str], what: str) -> list[str]:
    """One sentence about all of ``ids``, of which it names the first few."""
    found = list(ids)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return [f"{what}: {', '.join(found[:_SHOWN])}{more}"] if found else []


def _complete(material: Material) -> list[str]:
    document = material.document
    found = ["the run did not end"] if document["ended"] is None else []
    found += [f"the run has a note: {note}" for note in document.get("notes", [])]
    if material.environment is None:
        found.append("environment.json is missing")
    return found


def _same_catalogue(material: Material) -> list[str]:
    judged, here = material.document["suite"]["catalogue"], material.catalogue.digest()
    return [] if judged == here else [f"the run was judged by the catalogue {judged}, this suite has {here}"]


def _level(verdict: str, what: str) -> Callable[[Material], list[str]]:
    def breaches(material: Material) -> list[str]:
        return _some((one.id for one, had in material.of_level(Level.MUST) if had == verdict), what)

    return breaches


def _nothing_broke(material: Material) -> list[str]:
    return _some(
        (case["id"] for case in material.document["cases"] if case["verdict"] == "error"), "the rig broke in"
    )


def _evidence(material: Material) -> list[str]:
    found = []
    for case in material.document["cases"]:
        problem = _missing(case, material)
        if problem:
            found.append(f"{case['id']}: {problem}")
    found += _meeting_evidence(material)
    more = len(found) - _SHOWN
    return [*found[:_SHOWN], f"{more} more lack evidence"] if more > 0 else found


def _meeting_evidence(material: Material) -> Iterator[str]:
    for path in named(material.interop):
        if path not in material.captures:
            yield f"a pair names the capture {path}, and it is missing"
            continue
        try:
            read(material.captures[path])
        except DamagedCapture as error:
            yield f"the capture {path} of a pair cannot be used: {error}"


def _missing(case: Case, material: Material) -> str | None:
    path = case["evidence"]
    if path is None:
        cites = case["verdict"] in _DECIDED and case["frames"]
        return "it cites frames but names no capture" if cites else None
    if path not in material.captures:
        return f"its capture {path} is missing"
    try:
        count = len(read(material.captures[path]).packets)
    except DamagedCapture as error:
        return f"its capture {path} cannot be used: {error}"
    beyond = [number for number in case["frames"] if not 1 <= number <= count]
    return f"its capture {path} has no frame {beyond[0]}" if beyond else None


def _pics(material: Material) -> list[str]:
    ran = {name for name, has in material.document["target"]["pics"].items() if has}
    declared = {row["name"] for row in material.pics["capabilities"] if row["claimed"]}
    return _some(sorted(ran ^ declared), "declared otherwise in the PICS than the run assumed")


def _sanity(material: Material) -> list[str]:
    return _some((id for id in SANITY if material.verdicts.get(id) != "pass"), "did not pass")


def _covered(material: Material) -> list[str]:
    left = (
        one.id
        for one, verdict in material.of_level(Level.MUST)
        if verdict == NOT_COVERED and not one.untestable and one.group not in BY_PARTNERS
    )
    return _some(left, "not tested")


def _deviations(material: Material) -> list[str]:
    musts = {one.id: one for one, _ in material.of_level(Level.MUST)}
    known = {one.id for one in material.catalogue if not material.holds(one)}
    deviating = [case for case in material.document["cases"] if case["verdict"] == "known_deviation"]
    # A case may decide a MUST together with the clause that this dialect is known to depart from: then the MUST does not apply to what it did.
    unknown = dict.fromkeys(
        id
        for case in deviating
        if not known & {*case["requirements"]}
        for id in case["requirements"]
        if id in musts
    )
    unknown |= dict.fromkeys(
        row["id"]
        for row in material.document.get("invariants", [])
        if row["verdict"] == "known_deviation" and row["id"] in musts and row["id"] not in known
    )
    silent = (case["id"] for case in deviating if not (case["deviation"] or {}).get("reference"))
    return _some(unknown, "deviations that the catalogue does not know of this dialect") + _some(
        silent, "deviates without a reference"
    )


def _rig(material: Material) -> list[str]:
    dropped = material.document["rig"]["frames_dropped"]
    if dropped is None:
        return ["the rig did not measure itself"]
    return [f"the rig lost {dropped} frames"] if dropped else []


def _real(material: Material) -> list[str]:
    target = material.document["target"]
    if target["rung"] == "sim":
        return ["the run was a simulation (rung sim)"]
    return [f"{target['name']} is a model of this suite"] if target["name"].startswith(MODELS) else []


def _partners(material: Material) -> list[str]:
    interop = material.interop
    if interop is None:
        return ["no interop run was given"]
    met = _met(material, interop)
    good = [origin for origin, problems in met.items() if not problems]
    found = [problem for problems in met.values() for problem in problems]
    if len(good) < PARTNERS:
        found.append(f"it met implementations of {len(good)} other origins, not {PARTNERS}")
    return found


def _met(material: Material, interop: Any) -> dict[str, list[str]]:
    """The origins of real partners, each with a sentence for everything with them that was not as it must be."""
    own = material.document["target"]["name"]
    met: dict[str, list[str]] = {}
    for partner in interop["partners"]:
        name, origin = partner["name"], partner["origin"]
        pairs = ((own, name), (name, own))
        cells = [cell for cell in interop["cells"] if (cell["a"], cell["b"]) in pairs]
        if not counts(partner, material) or all(cell["verdict"] == "not_applicable" for cell in cells):
            continue
        bad = (f"{cell['scenario']} ({cell['verdict']})" for cell in cells if cell["verdict"] not in _MEETS)
        ran = {(cell["a"], cell["b"], cell["scenario"]) for cell in cells}
        never = (one for one in interop["scenarios"] if not all((*pair, one) in ran for pair in pairs))
        met.setdefault(origin, []).extend(
            (
                *_some(bad, f"with {name} did not pass"),
                *_some(never, f"with {name}, in one order or both, was not run"),
            )
        )
    return met


def counts(partner: Any, material: Material) -> bool:
    """Whether ``partner`` is a real implementation that somebody else made."""
    name, origin = partner["name"], partner["origin"]
    own = origin == material.origin or name == material.document["target"]["name"]
    return bool(origin) and not own and partner["rung"] != "sim" and not name.startswith(MODELS)


RULES: Final[tuple[Rule, ...]] = (
    Rule("R1", "The run came to its end, every case that was to run left a record, and its environment is known.", Bars.CERTIFICATE, _complete),
    Rule("R2", "The run was judged by the catalogue of the suite that makes the certificate.", Bars.CERTIFICATE, _same_catalogue),
    Rule("R3", "No requirement of level MUST failed. A failed SHOULD or MAY is printed and bars nothing.", Bars.CERTIFICATE, _level("fail", "failed")),
    Rule("R4", "No requirement of level MUST is inconclusive.", Bars.CERTIFICATE, _level("inconclusive", "inconclusive")),
    Rule("R5", "No case ended in an error of the rig.", Bars.CERTIFICATE, _nothing_broke),
    Rule("R6", "Every capture that a case or a pair with the product names is there, can be read, and has the frames that the case cites.", Bars.CERTIFICATE, _evidence),
    Rule("R7", "The PICS declares what the run assumed, no more and no less.", Bars.CERTIFICATE, _pics),
    Rule("R8", f"Sanity: {', '.join(SANITY)} passed.", Bars.CLAIM, _sanity),
    Rule("R9", f"Every requirement of level MUST was tested, or is not applicable by the PICS, or cannot be shown. The groups {' and '.join(BY_PARTNERS)} count by rule R13.", Bars.CLAIM, _covered),
    Rule("R10", "A case of a requirement of level MUST may deviate only where the catalogue knows a requirement of that case that the dialect departs from, "
         "and with a reference.", Bars.CLAIM, _deviations),
    Rule("R11", "The rig measured itself and lost no frame.", Bars.CLAIM, _rig),
    Rule("R12", "The product itself was tested: no simulation, and no model of this suite.", Bars.CLAIM, _real),
    Rule("R13", f"It met at least {PARTNERS} implementations of different origin (none its own, a simulation or a model of this suite) in every scenario, "
         "in both orders, and passed. A hazard that the tables predict of the pair is printed and bars nothing.", Bars.CLAIM, _partners),
)  # fmt: skip


def markdown() -> str:
    """The page ``docs/reference/certification-rules.md``."""
    rows = "".join(f"| {rule.id} | {rule.text} | {rule.bars.value} |\n" for rule in RULES)
    return (
        "# Rules of certification\n\n"
        f"Version {VERSION}. The code applies exactly this table (`conformance/report/certificate/rules.py`), and "
        "a certificate names the version that judged it.\n\n"
        "| rule | what must be so | if it is not |\n|---|---|---|\n" + rows + "\n"
        "A certificate that makes no claim is titled *Statement of results*; it prints each broken rule with its "
        "reasons on its first page. One that does is titled *Certificate of conformance*. Levels are those of the "
        "catalogue: MUST, SHOULD, MAY. A requirement has the worst verdict of the cases that cite it.\n"
    )
