"""``report DIR --certificate``: a bundle from the folder of a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.catalogue import load
from conformance.commands.errors import FAILED, UNDECIDED, CommandError
from conformance.commands.pics import declaration
from conformance.commands.report import recorded
from conformance.interop.scenarios import SCENARIOS
from conformance.report import schema
from conformance.report.certificate import bundle, documents
from conformance.report.certificate.material import Product
from conformance.report.certificate.meetings import FOLDER
from conformance.report.certificate.page import NoPdf
from conformance.report.certificate.pics import pics
from conformance.report.certificate.rules import Refused
from conformance.report.certificate.secrets import SecretLeft, SecretTooShort
from conformance.targets.protocol import CAPABILITIES, PUBLIC_PASSWORD
from conformance.targets.registry import UnknownTarget, find

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. ``interop`` is the folder of a matrix, ``secrets`` what must not be published."""

    folder: Path
    product: Product
    pics: Path | None = None
    interop: Path | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    out: Path | None = None


def certify(request: Request) -> tuple[Path, Document]:
    """Writes the bundle and returns its path and the certificate's document. Raises :class:`CommandError`."""
    document = recorded(request.folder)
    password, origin = _known(document["target"]["name"])
    secrets = (*request.secrets, *((password,) if password and password != PUBLIC_PASSWORD else ()))
    facts = {
        "product": request.product,
        "catalogue": load(),
        "pics": _pics(document, request),
        "interop": interop(request.interop, document["target"]["name"]) if request.interop else None,
        "meetings": _meetings(request.interop, document["target"]["name"]) if request.interop else {},
        "issued": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "origin": origin,
    }
    try:
        data, stated = bundle.bundle(bundle.material(request.folder, document, facts, secrets), secrets)
    except Refused as error:
        undecided = all(one.rule.id not in ("R3", "R7") for one in error.rulings)
        raise CommandError(str(error), UNDECIDED if undecided else FAILED) from error
    except schema.InvalidDocument as error:
        raise CommandError(
            f"{error} If a password is a word of the documents, run the cases with another."
        ) from error
    except (NoPdf, SecretLeft, SecretTooShort, documents.NotJson) as error:
        raise CommandError(str(error)) from error
    path = request.out or request.folder / f"{_file_name(request.product)}.zip"
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CommandError(
            f"--out {path}: cannot be written ({error.strerror}); give another file"
        ) from error
    return path, stated


def secrets_in(file: Path | None) -> tuple[str, ...]:
    """The secrets of ``--secret-file``, one a line. Raises :class:`CommandError`."""
    if file is None:
        return ()
    try:
        return tuple(line for line in file.read_text(encoding="utf-8").splitlines() if line)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"--secret-file {file}: cannot be read; give a text file with one secret a line"
        ) from error


def interop(folder: Path, own: str) -> Document:
    """The matrix recorded in ``folder`` with the origins of its targets, as the document ``interop``.

    The runs of pairs with ``own``, the target that is certified, are in it with their captures. Raises :class:`CommandError`.
    """
    path = folder / "results.json" if folder.is_dir() else folder
    try:
        matrix = documents.parse(path.read_bytes(), str(path))
        cells = [
            {key: cell[key] for key in ("a", "b", "scenario", "verdict")}
            | {"hazards": [one["name"] for one in cell["hazards"]]}
            | (_runs(cell) if own in (cell["a"], cell["b"]) else {})
            for cell in matrix["cells"]
        ]
        names = sorted({cell[side] for cell in cells for side in ("a", "b")})
        partners = [_partner(name, matrix["rung"]) for name in names]
        document = {"schema": 1, "partners": partners, "scenarios": list(scenarios()), "cells": cells}
        documents.validate(document, "interop")
    except (OSError, KeyError, TypeError, documents.NotJson, schema.InvalidDocument) as error:
        said = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise CommandError(
            f"--interop {path}: holds no matrix ({said}); give the folder that `matrix --out` wrote"
        ) from error
    return document


def _runs(cell: Document) -> Document:
    """What a bundle has of the runs of a cell; nothing of a matrix that a suite wrote before runs were recorded so."""
    if not all("basis" in run for run in cell.get("runs", ())) or "expected" not in cell:
        return {}
    expected, kept = cell["expected"], ("verdict", "no_master_ms", "dual_master_ms", "basis")
    return {
        "expected": expected and {key: expected[key] for key in ("no_master_ms", "dual_master_ms")},
        "runs": [
            {key: run[key] for key in kept}
            | {"masters": run["masters"], "evidence": run["evidence"] and _in_bundle(run["evidence"])}
            for run in cell["runs"]
        ],
    }


def _in_bundle(evidence: str) -> str:
    return f"{FOLDER}{Path(evidence).name}"


def _meetings(folder: Path, own: str) -> dict[str, bytes]:
    """The captures of the runs of pairs with ``own``, by their path in the bundle; one that is not there the rules miss."""
    path = folder / "results.json" if folder.is_dir() else folder
    cells = documents.parse(path.read_bytes(), str(path))["cells"]
    names = [
        run["evidence"]
        for cell in cells
        if own in (cell["a"], cell["b"])
        for run in cell.get("runs", ())
        if run["evidence"] is not None and "basis" in run
    ]
    return {
        _in_bundle(name): (path.parent / name).read_bytes()
        for name in names
        if (path.parent / name).is_file()
    }


def scenarios() -> tuple[str, ...]:
    """The names of all scenarios of the matrix."""
    return tuple(one.name for one in SCENARIOS)


def _partner(name: str, rung: str) -> Document:
    try:
        profile = find(name).profile
    except UnknownTarget:
        # What nobody here knows counts as no partner of its own origin.
        return {"name": name, "origin": "", "rung": "sim"}
    return {"name": name, "origin": profile.origin, "rung": "sim" if rung == "sim" else profile.rung}


def _known(target: str) -> tuple[str, str]:
    """Password and origin of a target that is installed here; empty if it is not."""
    try:
        profile = find(target).profile
    except UnknownTarget:
        return "", ""
    return profile.password, profile.origin


def _pics(document: Document, request: Request) -> Document:
    """The vendor's declaration, or what the run assumed if there is none."""
    target, product = document["target"], request.product
    vocabulary = {**CAPABILITIES, **{name: "" for name in target["pics"] if name not in CAPABILITIES}}
    if request.pics is None:
        declared: Document = {
            "target": target["name"],
            "capabilities": {name: bool(has) for name, has in target["pics"].items()},
        }
    else:
        declared = declaration(request.pics)
    named = {"name": product.name, "vendor": product.vendor, "version": product.version}
    return pics(declared | {"product": named}, vocabulary, target["dialect"], {})


def _file_name(product: Product) -> str:
    words: Sequence[str] = (product.vendor, product.name, product.version)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(words)).strip("-.") or "certificate"
