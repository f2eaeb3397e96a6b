"""Verifies a bundle without trusting who made it: signature, bytes, schemas, and every verdict that the captures determine."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.catalogue import Catalogue
from conformance.report import schema
from conformance.report.certificate import documents, meetings, recount, sign
from conformance.report.certificate.archive import Unpacked, unpack
from conformance.report.certificate.bundle import MADE, MANIFEST, derived, suite_digest
from conformance.report.certificate.certificate import certificate
from conformance.report.certificate.material import Material, Product
from conformance.report.certificate.meetings import Measure, Remeasured
from conformance.report.certificate.recheck import Asked, Basis, Checked, See, check
from conformance.report.certificate.rules import VERSION, Refused

Document = dict[str, Any]

_WITH_SCHEMA: Final = (
    "certificate",
    "environment",
    "pics",
    "pixit",
    "interop",
    MANIFEST.removesuffix(".json"),
)
_NEEDED: Final = (
    "results.json",
    "certificate.json",
    "pics.json",
    "environment.json",
    "certificate.pdf",
    *MADE,
)
_CAPTURES: Final = ("evidence/", meetings.FOLDER)
_KNOWN: Final = frozenset({*_NEEDED, "interop.json", MANIFEST})


@dataclass(frozen=True, slots=True)
class Seal:
    """What there is to check a signature with: the envelope beside the bundle and the vendor's public key, each or neither."""

    envelope: bytes | None = None
    key: bytes | None = None
    key_name: str = "the key"


@dataclass(slots=True)
class _Findings:
    """What was found wrong so far, by file."""

    problems: list[Document] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, file: str, problem: str) -> None:
        self.problems.append({"file": file, "problem": problem})


def verify(
    data: bytes,
    name: str,
    seal: Seal,
    catalogue: Catalogue,
    see: See,
    scenarios: Collection[str],
    measure: Measure,
) -> Document:
    """The document ``verification`` about the bundle ``data``.

    ``see`` reads a capture with the monitors, ``measure`` that of a pair; ``scenarios`` are the names of those that a matrix has.
    Raises :class:`~.archive.NotABundle`, :class:`~.sign.NoSignatures`, :class:`~.sign.UnusableKey`.
    """
    found = _Findings()
    unpacked = unpack(data, name)
    for damage in unpacked.damage:
        file, _, problem = damage.partition(": ")
        found.add(file if problem else name, problem or damage)
    signature = _signature(data, seal, found)
    _manifest(unpacked, found)
    loaded = _documents(unpacked, found)
    same_code = loaded.get("certificate", {}).get("suite", {}).get("code") == suite_digest()
    checked = _recheck(unpacked, loaded.get("results"), see, found, same_code=same_code)
    _counted(loaded.get("results"), catalogue, found)
    _all_scenarios(loaded.get("interop"), scenarios, found, same_code=same_code)
    met = _meetings(unpacked, loaded.get("interop"), measure, found, same_code=same_code)
    _made_again(unpacked.files, loaded, catalogue, found)
    return {
        "schema": 1,
        "bundle": name,
        "verified": not found.problems,
        "signature": signature,
        "claims_conformance": bool(loaded.get("certificate", {}).get("claims_conformance")),
        "problems": found.problems,
        "notes": found.notes,
        "basis": {basis.name.lower(): sum(one.basis is basis for one in checked) for basis in Basis},
        "invariants": {asked.name.lower(): sum(one.asked is asked for one in checked) for asked in Asked},
        "interop": {how.name.lower(): count for how, count in met.items()},
        "cases": [_row(one) for one in checked],
    }


def _row(one: Checked) -> Document:
    return {
        "id": one.case,
        "verdict": one.verdict,
        "basis": one.basis.name.lower(),
        "on_wire": one.on_wire,
        "on_host": one.on_host,
        "recomputed": dict(one.recomputed),
        "contradictions": list(one.contradictions),
        "invariants": one.asked.name.lower(),
    }


def _signature(data: bytes, seal: Seal, found: _Findings) -> str:
    if seal.key is None:
        found.notes.append(
            "No key was given: nobody vouches for this bundle; give the vendor's public key with --key."
        )
        return "none" if seal.envelope is None else "unchecked"
    if seal.envelope is None:
        found.add("signature", f"there is no envelope (the bundle's name with {sign.SUFFIX} after it)")
        return "missing"
    try:
        stated = sign.opened(seal.envelope, seal.key, seal.key_name)
        vouched = sign.vouches(stated, data)
    except (sign.BadSignature, LookupError, TypeError) as error:
        found.add("signature", str(error))
        return "bad"
    if not vouched:
        found.add("signature", "the signature is about other bytes than these")
        return "bad"
    return "good"


def _manifest(unpacked: Unpacked, found: _Findings) -> None:
    files = unpacked.files
    if MANIFEST not in files:
        if MANIFEST not in unpacked.damaged:
            found.add(MANIFEST, "it is missing")
        return
    try:
        listed = documents.parse(files[MANIFEST], MANIFEST)
        documents.validate(listed, "manifest")
    except (documents.NotJson, schema.InvalidDocument) as error:
        found.add(MANIFEST, str(error))
        return
    if documents.dump(listed) != files[MANIFEST]:
        found.add(MANIFEST, "it is not written as this suite writes it")
    rows = {row["path"]: row for row in listed["files"]}
    for path, row in rows.items():
        if path in files and (
            len(files[path]) != row["bytes"] or hashlib.sha256(files[path]).hexdigest() != row["sha256"]
        ):
            found.add(path, "its content is not what the manifest says")
        elif path not in files and path not in unpacked.damaged:
            found.add(path, "the manifest lists it, and it is missing")
    for path in sorted(set(files) - set(rows) - {MANIFEST}):
        found.add(path, "the manifest does not list it")


def _documents(unpacked: Unpacked, found: _Findings) -> dict[str, Document]:
    """The JSON documents that can be read and keep their schemas."""
    loaded: dict[str, Document] = {}
    for path in _NEEDED:
        if path not in unpacked.files and path not in unpacked.damaged:
            found.add(path, "a bundle has this file, and it is missing")
    for path, data in unpacked.files.items():
        if path not in _KNOWN and not path.startswith(_CAPTURES):
            found.add(path, "a bundle has no such file")
        name, dot, kind = path.rpartition(".")
        if dot and kind == "json" and path != MANIFEST and "/" not in path:
            try:
                document = documents.parse(data, path)
                if name == "results":
                    schema.validate(document, "results")
                elif name in _WITH_SCHEMA:
                    documents.validate(document, name)
                loaded[name] = document
            except (documents.NotJson, schema.InvalidDocument) as error:
                found.add(path, str(error))
    return loaded


def _recheck(
    unpacked: Unpacked, document: Document | None, see: See, found: _Findings, *, same_code: bool
) -> list[Checked]:
    if document is None:
        return []
    checked = []
    named: set[str] = set()
    for case in document["cases"]:
        path = case["evidence"]
        data = unpacked.files.get(path) if path else None
        one = check(case, data, document["target"]["dialect"], see)
        checked.append(one)
        named.add(path or "")
        wrong = one.contradictions + (one.described if same_code else ())
        for contradiction in wrong if path not in unpacked.damaged else ():
            found.add(path or "results.json", f"case {one.case}: {contradiction}")
    otherwise = sum(bool(one.described) for one in checked)
    if otherwise and not same_code:
        found.notes.append(
            f"In {otherwise} cases frames are described, or invariants judged, otherwise than by this suite, which is not the code that made the bundle."
        )
    for path in sorted(path for path in unpacked.files if path.startswith("evidence/") and path not in named):
        found.add(path, "no case names this capture")
    return checked


def _counted(document: Document | None, catalogue: Catalogue, found: _Findings) -> None:
    if document is None:
        return
    for problem in recount.totals(document):
        found.add("results.json", problem)
    if document["suite"]["catalogue"] != catalogue.digest():
        found.notes.append(
            "The run was judged by another catalogue than this suite's: requirements were not counted again."
        )
        return
    for problem in recount.requirements(document, catalogue):
        found.add("results.json", problem)


def _meetings(
    unpacked: Unpacked, interop: Document | None, measure: Measure, found: _Findings, *, same_code: bool
) -> dict[Remeasured, int]:
    counts, problems = meetings.check(interop, unpacked.files, unpacked.damaged, measure)
    for problem in problems:
        if same_code or problem.file not in unpacked.files:
            found.add(problem.file, problem.text)
        else:
            found.notes.append(f"{problem.file}: {problem.text}; other code than this suite's measured it.")
    return counts


def _all_scenarios(
    interop: Document | None, scenarios: Collection[str], found: _Findings, *, same_code: bool
) -> None:
    """A matrix counts if every scenario was run: those of the suite, and not those that its maker lists."""
    for name in sorted(set(scenarios) - set((interop or {"scenarios": scenarios})["scenarios"])):
        problem = f"it does not list the scenario {name!r}, which this suite has"
        if same_code:
            found.add("interop.json", problem)
        else:
            found.notes.append(f"interop.json was written by other code: {problem}.")


def _made_again(
    files: Mapping[str, bytes], loaded: Mapping[str, Document], catalogue: Catalogue, found: _Findings
) -> None:
    """Applies the rules again and writes certificate and pages again: they state what the results say, to the byte."""
    found.notes.append(
        "certificate.pdf is bound by manifest and signature; its twin certificate.html was made again if the suite is the same."
    )
    if not {"results", "certificate", "pics", "environment"} <= set(loaded):
        return
    stated = loaded["certificate"]
    if stated["rules"]["version"] != VERSION or stated["suite"]["catalogue"] != catalogue.digest():
        found.notes.append(
            "The bundle was made with other rules or another catalogue than this suite's: neither was applied again."
        )
        return
    material = Material(
        product=Product(**stated["product"]),
        document=loaded["results"],
        environment=loaded["environment"],
        captures={path: data for path, data in files.items() if path.startswith(_CAPTURES)},
        catalogue=catalogue,
        pics=loaded["pics"],
        interop=loaded.get("interop"),
        issued=stated["issued"],
        origin=stated["origin"],
    )
    try:
        ours = certificate(material, stated["suite"]["code"])
    except Refused as refused:
        found.add("certificate.json", str(refused))
        return
    same_code = stated["suite"]["code"] == suite_digest()
    for path, data in derived(material, ours).items():
        if path not in files or files[path] == data:
            continue
        # What is stated follows from rules and catalogue; how a page looks, from the code that wrote it.
        if same_code or path == "certificate.json":
            found.add(path, "it does not state what the results, the declarations and the rules say")
        else:
            found.notes.append(
                f"{path} was written by other code than this suite's and cannot be made again: believe certificate.json."
            )
