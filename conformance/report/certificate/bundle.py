"""The bundle: the certificate with everything that it rests on, in one zip with a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from conformance.report import html, junit, schema
from conformance.report.certificate import capture, documents
from conformance.report.certificate.archive import pack
from conformance.report.certificate.certificate import certificate
from conformance.report.certificate.material import Material, Product
from conformance.report.certificate.page import certificate_page, pdf
from conformance.report.certificate.secrets import cleaned, cleaner, refuse_leaks

Document = dict[str, Any]

MANIFEST: Final = "manifest.json"
MADE: Final = ("certificate.html", "junit.xml", "report.html", "README.txt", "pixit.json", "certificate.json")
"""Files that follow from the others: a verifier with the same suite makes them again."""

_README: Final = """This is evidence of a CARP conformance run. To check it, on any machine with Python:

  pip install 'carp-conformance[verify]'
  carp-conformance verify BUNDLE.zip --key VENDOR.pub

certificate.pdf, certificate.html   what is stated        certificate.json   the same for programs
results.json, junit.xml, report.html   every case         evidence/          a capture for each case
pics.json    what the product is declared to support      pixit.json         how it was tested, without passwords
environment.json   what it was tested with                interop.json       whom it met, if that was tested,
manifest.json   size and SHA-256 of every other file      interop/           with a capture of each meeting
"""


def material(folder: Path, document: Document, facts: Mapping[str, Any], secrets: Iterable[str]) -> Material:
    """What a certificate of the run in ``folder`` is made from, with ``secrets`` taken out of all texts.

    ``document`` keeps its schema. ``facts``: product, catalogue, pics, interop, issued, origin (see :class:`Material`), and
    ``meetings``, the captures of pairs by their path in the bundle, if there are any.
    Raises :class:`conformance.report.schema.InvalidDocument` (a secret that is a word of the documents was taken out of one).
    """
    clean = cleaner(secrets)
    environment_file = folder / "environment.json"
    environment = (
        documents.parse(environment_file.read_bytes(), str(environment_file))
        if environment_file.is_file()
        else None
    )
    product, without = facts["product"], cleaned(document, clean)
    if without != document:
        schema.validate(without, "results")
    return Material(
        product=Product(*(clean(part) for part in (product.name, product.vendor, product.version))),
        document=without,
        environment=cleaned(environment, clean),
        captures=dict(_captures(folder, document, clean))
        | {clean(path): _without(data, clean) for path, data in facts.get("meetings", {}).items()},
        catalogue=facts["catalogue"],
        pics=cleaned(facts["pics"], clean),
        interop=cleaned(facts["interop"], clean),
        issued=facts["issued"],
        origin=clean(facts["origin"]),
    )


def _captures(folder: Path, document: Document, clean: Callable[[str], str]) -> Iterable[tuple[str, bytes]]:
    for case in document["cases"]:
        path = case["evidence"]
        if path is not None and (folder / path).is_file():
            yield clean(path), _without((folder / path).read_bytes(), clean)


def _without(data: bytes, clean: Callable[[str], str]) -> bytes:
    try:
        return capture.rewritten(data, clean)
    except capture.DamagedCapture:
        # The rules say so, with the name of the case.
        return data


def bundle(made_from: Material, secrets: Iterable[str]) -> tuple[bytes, Document]:
    """The bundle's bytes and the certificate's document.

    Raises :class:`~.rules.Refused`, :class:`~.secrets.SecretLeft`, :class:`~.page.NoPdf`, :class:`conformance.report.schema.InvalidDocument`.
    """
    stated = certificate(made_from, suite_digest())
    documents.validate(made_from.environment or {}, "environment")
    documents.validate(stated, "certificate")
    files = sources(made_from) | derived(made_from, stated)
    refuse_leaks(files, secrets)
    files["certificate.pdf"] = pdf(files["certificate.html"].decode())
    files[MANIFEST] = documents.dump(manifest(files))
    return pack(files), stated


def sources(made_from: Material) -> dict[str, bytes]:
    """The files that everything else in a bundle follows from."""
    given = {
        "results.json": made_from.document,
        "pics.json": made_from.pics,
        "environment.json": made_from.environment,
        "interop.json": made_from.interop,
    }
    return {path: documents.dump(one) for path, one in given.items() if one is not None} | dict(
        made_from.captures
    )


def derived(made_from: Material, stated: Document) -> dict[str, bytes]:
    """The files of :data:`MADE`, from the sources and the certificate's document."""
    document = dict(made_from.document)
    return {
        "certificate.json": documents.dump(stated),
        "certificate.html": certificate_page(stated).encode(),
        "pixit.json": documents.dump(pixit(made_from)),
        "junit.xml": junit.junit(document),
        "report.html": html.html(document, made_from.catalogue).encode(),
        "README.txt": _README.encode(),
    }


def pixit(made_from: Material) -> Document:
    """How the product was tested, in the words of ISO/IEC 9646; the password is left out and said to be."""
    document = made_from.document
    machines = (made_from.environment or {}).get("pixit")
    return {
        "schema": 1,
        "target": document["target"]["name"],
        "rung": document["target"]["rung"],
        "lanes": document["lanes"],
        "seed": document["seed"],
        "arguments": list(document["arguments"]),
        "profile": (made_from.environment or {}).get("target", {}).get("profile"),
        "password": None,
        "removed": ["password"] if machines is None else list(machines["removed"]),
    } | ({} if machines is None else {"machines": machines})


def manifest(files: Mapping[str, bytes]) -> Document:
    """Size and SHA-256 of each file but the manifest itself, sorted by path."""
    return {
        "schema": 1,
        "files": [
            {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in sorted(files.items())
            if path != MANIFEST
        ],
    }


def suite_digest() -> str:
    """``sha256:`` over the installed package's files: the code that made a bundle."""
    digest = hashlib.sha256()
    for path, entry in sorted(_package(resources.files("conformance"), "")):
        content = hashlib.sha256(entry.read_bytes()).hexdigest()
        digest.update(f"{path}\0{content}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _package(folder: Traversable, prefix: str) -> Iterable[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _package(entry, f"{prefix}{entry.name}/")
        elif not entry.name.endswith(".pyc"):
            yield f"{prefix}{entry.name}", entry
