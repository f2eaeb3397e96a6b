"""A real run of a model, once for all tests here, and what is made of it."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import load
from conformance.commands.witness import measure, see
from conformance.report import results
from conformance.report.certificate import bundle, documents, pics
from conformance.report.certificate.archive import pack, unpack
from conformance.report.certificate.material import Product
from conformance.report.certificate.verify import Seal, verify
from conformance.targets.protocol import CAPABILITIES

SELECTED = ("WIRE-00", "WIRE-016", "AUTH-001", "AUTH-011", "ELECT-001", "ELECT-002", "CONF-001")
TARGET = "model:ucarp"
CODE = "sha256:" + "c0de" * 16
SCENARIOS = ("join", "kill")
ISSUED = "2026-11-22T18:00:00Z"


@pytest.fixture(scope="session", autouse=True)
def _one_suite() -> Iterator[None]:
    """The code's digest holds still while the tests run, even if somebody edits the code."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("bundle", "verify"):
            patch.setattr(f"conformance.report.certificate.{module}.suite_digest", lambda: CODE)
        yield


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run, not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "model"
    command = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        "--target",
        TARGET,
        *SELECTED,
        "--out",
        str(folder),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


Maker = Callable[..., Any]


def facts(document: dict[str, Any]) -> dict[str, Any]:
    target = document["target"]
    declared = {
        "target": target["name"],
        "product": {"name": "Balancer", "vendor": "Muster", "version": "7.1"},
        "capabilities": {name: bool(has) for name, has in target["pics"].items()},
    }
    return {
        "product": Product("Balancer", "Muster", "7.1"),
        "catalogue": load(),
        "pics": pics.pics(declared, CAPABILITIES, target["dialect"], {}),
        "interop": None,
        "issued": ISSUED,
        "origin": "a model",
    }


@pytest.fixture
def run_document(recorded: Path) -> dict[str, Any]:
    """Its results, to be changed at will."""
    return copy.deepcopy(results.load(recorded))


@pytest.fixture
def material(recorded: Path, run_document: dict[str, Any]) -> Maker:
    """``material(document=…, secrets=…, folder=…, interop=…)``: what a certificate of the run is made from."""

    def make(
        document: dict[str, Any] | None = None,
        secrets: tuple[str, ...] = (),
        folder: Path = recorded,
        **changes: Any,
    ) -> Any:
        used = run_document if document is None else document
        return bundle.material(folder, used, facts(used) | changes, secrets)

    return make


@pytest.fixture(scope="session")
def made(recorded: Path) -> bytes:
    """The bundle of the run."""
    document = results.load(recorded)
    return bundle.bundle(bundle.material(recorded, document, facts(document), ()), ())[0]


@pytest.fixture
def files(made: bytes) -> dict[str, bytes]:
    """The bundle's files, to be changed at will."""
    return dict(unpack(made, "it").files)


@pytest.fixture(scope="session")
def verified() -> Maker:
    """``verified(data, passwords=…, envelope=…, key=…)``: the document of the verification, valid by its schema."""

    def run(data: bytes, passwords: tuple[str, ...] = (), **seal: Any) -> dict[str, Any]:
        document = verify(data, "it.zip", Seal(**seal), load(), see(passwords), SCENARIOS, measure)
        documents.validate(document, "verification")
        return document

    return run


@pytest.fixture
def repacked() -> Maker:
    """``repacked(files)``: a bundle of changed files with a manifest that fits them, as a dishonest maker would write it."""

    def run(files: dict[str, bytes]) -> bytes:
        rest = {path: data for path, data in files.items() if path != bundle.MANIFEST}
        return pack(rest | {bundle.MANIFEST: documents.dump(bundle.manifest(rest))})

    return run


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A fresh Ed25519 key: private and public half in PEM."""
    from cryptography.hazmat.primitives import serialization as written
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(written.Encoding.PEM, written.PrivateFormat.PKCS8, written.NoEncryption()),
        private.public_key().public_bytes(written.Encoding.PEM, written.PublicFormat.SubjectPublicKeyInfo),
    )
