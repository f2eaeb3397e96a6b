"""PICS: what a product is declared to support, written by its vendor in TOML, held against what probing found."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from conformance.report.certificate import documents
from conformance.report.certificate.page import page
from conformance.report.schema import InvalidDocument
from conformance.report.visible import visible

Document = dict[str, Any]

PROBED: Final[Mapping[bool | None, str]] = {True: "yes", False: "no", None: "not probed"}


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of trying a capability: whether the product has it, and what was seen."""

    has: bool
    evidence: str


@dataclass(eq=False)
class BadDeclaration(Exception):
    """A declaration that cannot be used: the file and what is wrong with it."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name} is no PICS declaration: {self.problem}; `pics --target T` drafts one."


def pics(
    declaration: Mapping[str, Any],
    vocabulary: Mapping[str, str],
    dialect: str,
    probes: Mapping[str, Probe],
) -> Document:
    """The document ``pics``: every capability of ``vocabulary`` (name to meaning) with claim, note and probe."""
    claims, notes = declaration["capabilities"], declaration.get("notes", {})
    rows = []
    for name, meaning in vocabulary.items():
        probe = probes.get(name)
        rows.append(
            {
                "name": name,
                "meaning": meaning,
                "claimed": claims.get(name, False),
                "note": notes.get(name, ""),
                "probed": PROBED[probe.has if probe else None],
                "evidence": probe.evidence if probe else "",
            }
        )
    return {
        "schema": 1,
        "product": dict(declaration["product"]),
        "target": declaration["target"],
        "dialect": dialect,
        "drafted_by": "probing" if probes else "",
        "capabilities": rows,
    }


def findings(document: Mapping[str, Any]) -> list[str]:
    """A sentence for each claim that probing contradicts."""
    said = {True: "claims", False: "denies"}
    return [
        f"{row['name']}: the declaration {said[row['claimed']]} it, probing found {row['probed']} ({row['evidence']})"
        for row in document["capabilities"]
        if row["probed"] != PROBED[None] and row["probed"] != PROBED[row["claimed"]]
    ]


def load(text: str, name: str, vocabulary: Mapping[str, str]) -> Document:
    """A vendor's declaration. ``name`` is its file's. Raises :class:`BadDeclaration`."""
    try:
        declared = tomllib.loads(text)
        documents.validate(declared, "declaration")
    except (tomllib.TOMLDecodeError, InvalidDocument) as error:
        raise BadDeclaration(name, str(error)) from error
    unknown = sorted((set(declared["capabilities"]) | set(declared.get("notes", {}))) - set(vocabulary))
    if unknown:
        raise BadDeclaration(name, f"there is no capability {unknown[0]!r}")
    return declared


def toml(document: Mapping[str, Any]) -> str:
    """The document as a declaration that :func:`load` reads, with the meaning and what was probed beside each claim."""
    product = document["product"]
    lines = [
        "# PICS: what the product supports. Answer each line with true or false.",
        "schema = 1",
        f"target = {_text(document['target'])}",
        "",
        "[product]",
        *(f"{key} = {_text(product[key])}" for key in ("name", "vendor", "version")),
        "",
        "[capabilities]",
    ]
    for row in document["capabilities"]:
        lines.append(f"# {_line(row['meaning'])}")
        if row["evidence"]:
            lines.append(f"# probed: {row['probed']} ({_line(row['evidence'])})")
        lines.append(f"{row['name']} = {'true' if row['claimed'] else 'false'}")
    notes = [f"{row['name']} = {_text(row['note'])}" for row in document["capabilities"] if row["note"]]
    return "\n".join([*lines, *(["", "[notes]", *notes] if notes else []), ""])


def form(document: Mapping[str, Any]) -> str:
    """The printable form, as in conformance programmes after ISO/IEC 9646-7: one HTML page to print or turn into a PDF."""
    shown = {"yes": "yes", "no": "no", PROBED[None]: "–"}
    rows = [dict(row) | {"probed": shown[row["probed"]]} for row in document["capabilities"]]
    return page("pics.html.j2", d=document, rows=rows, findings=findings(document))


def _line(text: str) -> str:
    return " ".join(visible(text).split())


def _text(text: str) -> str:
    # JSON's escapes are those of TOML's basic strings; what TOML forbids besides is made visible first.
    return json.dumps(visible(text), ensure_ascii=False)
