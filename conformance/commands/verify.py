"""``verify BUNDLE``: checks a bundle that somebody else made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.catalogue import load
from conformance.commands.certificate import scenarios
from conformance.commands.errors import CONFORMS, FAILED, CommandError
from conformance.commands.sign import content
from conformance.commands.witness import measure, see
from conformance.report.certificate.archive import NotABundle
from conformance.report.certificate.meetings import Remeasured
from conformance.report.certificate.recheck import Asked, Basis
from conformance.report.certificate.sign import SUFFIX, NoSignatures, UnusableKey
from conformance.report.certificate.verify import Seal, verify
from conformance.report.visible import visible

_SHOWN = 20


def verify_bundle(bundle: Path, key: Path | None, passwords: Sequence[str] = ()) -> dict[str, Any]:
    """The document ``verification``; the signature is looked for beside the bundle. Raises :class:`CommandError`."""
    envelope = bundle.with_name(bundle.name + SUFFIX)
    seal = Seal(
        content(envelope, "the envelope") if envelope.is_file() else None,
        content(key, "--key") if key else None,
        str(key),
    )
    try:
        return verify(
            content(bundle, "the bundle"), bundle.name, seal, load(), see(passwords), scenarios(), measure
        )
    except (NotABundle, NoSignatures, UnusableKey) as error:
        raise CommandError(
            str(error), FAILED if isinstance(error, NotABundle) else CommandError("").status
        ) from error


def exit_status(document: Mapping[str, Any]) -> int:
    """0: everything that could be checked is right; 1: something is not."""
    return CONFORMS if document["verified"] else FAILED


def text(document: Mapping[str, Any]) -> str:
    """The document for a terminal."""
    head = "Verified" if document["verified"] else "NOT VERIFIED"
    lines = [f"{head}: {visible(document['bundle'])}", f"signature: {document['signature']}"]
    lines.append(f"claims conformance: {'yes' if document['claims_conformance'] else 'no'}")
    lines += [
        f"✘ {visible(problem['file'])}: {visible(problem['problem'])}"
        for problem in document["problems"][:_SHOWN]
    ]
    if len(document["problems"]) > _SHOWN:
        lines.append(f"… and {len(document['problems']) - _SHOWN} more problems (--json shows all)")
    lines.append("what the verdicts rest on:")
    for basis in Basis:
        count = document["basis"][basis.name.lower()]
        lines.append(f"  {count:4} {'case' if count == 1 else 'cases'}: {basis.value}")
    lines.append("what the monitors saw in every case, whatever it decides:")
    for asked in Asked:
        count = document["invariants"][asked.name.lower()]
        if count:
            lines.append(f"  {count:4} {'case' if count == 1 else 'cases'}: they {asked.value}")
    if any(document["interop"].values()):
        lines.append("runs with other implementations:")
    for how in Remeasured:
        count = document["interop"][how.name.lower()]
        if count:
            lines.append(f"  {count:4} {'run' if count == 1 else 'runs'}: they {how.value}")
    on_host = [case["id"] for case in document["cases"] if case["basis"] == "host"]
    lines += ["on host statements alone:", *(f"  {visible(id)}" for id in on_host)] if on_host else []
    lines += [f"note: {visible(note)}" for note in document["notes"]]
    return "\n".join(lines)
