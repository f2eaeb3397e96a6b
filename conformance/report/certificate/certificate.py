"""The certificate as a document: everything that its page states, from the record of a run and the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from conformance.report.certificate.material import Material
from conformance.report.certificate.rules import VERSION, Ruling, claims, counts, rulings
from conformance.report.results import NOT_COVERED, SUMMARY_ORDER, summarise

Document = dict[str, Any]

SCHEMA: Final = 1
_FAMILIES: Final = {"ipv6": "IPv6"}
_UNSETTLED: Final = ("inconclusive", "fail")


def certificate(material: Material, suite_digest: str) -> Document:
    """The certificate's document (schema ``certificate``). Raises :class:`~.rules.Refused` if the rules allow none."""
    applied = rulings(material)
    claim = claims(applied)
    document, product = material.document, material.product
    return {
        "schema": SCHEMA,
        "claims_conformance": claim,
        "product": {"name": product.name, "vendor": product.vendor, "version": product.version},
        "issued": material.issued,
        "tested": {"started": document["started"], "ended": document["ended"], "duration_s": document["duration_s"]},
        "suite": dict(document["suite"]) | {"code": suite_digest},
        "target": {key: document["target"][key] for key in ("name", "dialect", "rung", "version")},
        "origin": material.origin,
        "scope": _scope(material),
        "rules": {"version": VERSION, "applied": [_ruling(one) for one in applied]},
        "summary": dict(document["summary"]),
        "groups": _groups(material),
        "requirements": _requirements(material),
        "deviations": _reasons([*document["cases"], *_breaches(document)], "known_deviation"),
        "not_applicable": _reasons(document["cases"], "not_applicable"),
        "unsettled": _reasons([*document["cases"], *_breaches(document)], *_UNSETTLED),
        "interop": _interop(material),
        "rig": dict(document["rig"]),
        "environment": dict(material.environment or {}),
    }  # fmt: skip


def _ruling(one: Ruling) -> Document:
    return {
        "id": one.rule.id,
        "text": one.rule.text,
        "bars": one.rule.bars.name.lower(),
        "breaches": list(one.breaches),
    }


def _scope(material: Material) -> Document:
    pics = {row["name"]: row["claimed"] for row in material.pics["capabilities"]}
    hosts = {
        node for case in material.document["cases"] if case["timeline"] for node in case["timeline"]["nodes"]
    }
    groups = dict.fromkeys(case["group"] for case in material.document["cases"])
    return {
        "groups": [group.id for group in material.catalogue.groups if group.id in groups],
        "families": ["IPv4", *(word for name, word in _FAMILIES.items() if pics.get(name))],
        "roles": ["BACKUP", "MASTER"] if {"CARP-ELECT-002"} <= {i for c in material.document["cases"] for i in c["requirements"]} else [],
        "rung": material.document["target"]["rung"],
        "hosts": sorted(hosts - {"tester"}),
        "selection": list(material.document["arguments"]),
        "partners": [partner["name"] for partner in (material.interop or {}).get("partners", [])],
    }  # fmt: skip


def _interop(material: Material) -> list[Document]:
    """A row for each implementation that the product met: whether it counts by the rules, and what came of it."""
    own, interop = material.document["target"]["name"], material.interop or {"partners": [], "cells": []}
    found = []
    for partner in interop["partners"]:
        pairs = {(own, partner["name"]), (partner["name"], own)}
        cells = [cell for cell in interop["cells"] if (cell["a"], cell["b"]) in pairs]
        verdicts = [cell["verdict"] for cell in cells]
        hazards = (name for cell in cells if cell["verdict"] == "hazard" for name in cell["hazards"])
        if cells:
            found.append(
                dict(partner)
                | {
                    "counts": counts(partner, material),
                    "cells": {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)},
                    "hazards": list(dict.fromkeys(hazards)),
                }
            )
    return found


def _groups(material: Material) -> list[Document]:
    found = []
    for group in material.catalogue.groups:
        ids = [one.id for one in material.catalogue if one.group == group.id]
        cases = [case for case in material.document["cases"] if case["group"] == group.id]
        verdicts = [material.verdicts.get(id, NOT_COVERED) for id in ids]
        counts = {verdict: verdicts.count(verdict) for verdict in (*SUMMARY_ORDER, NOT_COVERED)}
        found.append(
            {"id": group.id, "title": group.title, "cases": summarise(cases), "requirements": counts}
        )
    return found


def _requirements(material: Material) -> list[Document]:
    return [
        {
            "id": one.id,
            "level": one.level.value,
            "text": one.text,
            "verdict": material.verdicts.get(one.id, NOT_COVERED),
            "untestable": one.untestable,
        }
        for one in material.catalogue
    ]


def _breaches(document: Mapping[str, Any]) -> list[Document]:
    """What monitors saw beside the cases' own questions, each like the case in which it was seen."""
    return [
        {
            "id": one["case"],
            "verdict": one["verdict"],
            "reason": one["deviation"]["reason"] if one["deviation"] else f"{row['id']}: {one['text']}",
            "deviation": one["deviation"],
        }
        for row in document["invariants"]
        for one in row["broken"]
    ]


def _reasons(cases: Iterable[Mapping[str, Any]], *verdicts: str) -> list[Document]:
    """The cases with one of ``verdicts``, together where verdict, reason and reference are the same."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for case in cases:
        if case["verdict"] in verdicts:
            reference = case["deviation"]["reference"] if case["deviation"] else ""
            alike.setdefault((case["verdict"], case["reason"], reference), []).append(case["id"])
    return [
        {"verdict": verdict, "reason": reason, "reference": reference, "cases": ids}
        for (verdict, reason, reference), ids in alike.items()
    ]
