"""``sign BUNDLE``: writes the signature beside the bundle."""

from __future__ import annotations

from pathlib import Path

from conformance.catalogue import load
from conformance.commands.certificate import scenarios
from conformance.commands.errors import FAILED, CommandError
from conformance.commands.witness import measure, see
from conformance.report.certificate import documents
from conformance.report.certificate.archive import NotABundle, unpack
from conformance.report.certificate.sign import SUFFIX, NoSignatures, UnusableKey, sign, statement
from conformance.report.certificate.verify import Seal, verify


def sign_bundle(bundle: Path, key: Path) -> Path:
    """Signs ``bundle`` with the Ed25519 private key in ``key`` (PEM) if it verifies; returns the envelope's path. Raises :class:`CommandError`."""
    data, private = content(bundle, "the bundle"), content(key, "--key")
    try:
        found = verify(data, bundle.name, Seal(), load(), see(()), scenarios(), measure)
        if not found["verified"]:
            first = found["problems"][0]
            raise CommandError(
                f"{bundle} is not signed, because it does not verify: {first['file']}: {first['problem']}; make it again from its run",
                FAILED,
            )
        files = unpack(data, bundle.name).files
        certificate = documents.parse(files["certificate.json"], "certificate.json")
        cases = {
            case["id"]: case["verdict"]
            for case in documents.parse(files["results.json"], "results.json")["cases"]
        }
        envelope = sign(statement(bundle.name, data, certificate, cases), private, str(key))
    except (NotABundle, NoSignatures, UnusableKey) as error:
        raise CommandError(str(error)) from error
    path = bundle.with_name(bundle.name + SUFFIX)
    try:
        path.write_bytes(envelope)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written ({error.strerror}); sign a copy of the bundle elsewhere"
        ) from error
    return path


def content(path: Path, what: str) -> bytes:
    """The bytes of a file that the user named. Raises :class:`CommandError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(
            f"{what} {path}: cannot be read ({error.strerror}); give a file that is there"
        ) from error
