"""``diff DIR DIR``: what changed between two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.commands.errors import CommandError
from conformance.commands.report import recorded
from conformance.report.certificate import diff, documents


def differences(before: Path, after: Path) -> dict[str, Any]:
    """The document ``diff`` of the runs in two folders. Raises :class:`CommandError`."""
    return diff.diff(_side(before), _side(after))


def write_page(document: dict[str, Any], path: Path) -> None:
    """Writes the page of a comparison. Raises :class:`CommandError`."""
    try:
        path.write_text(diff.html(document), encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"--html {path}: cannot be written ({error.strerror}); give another file"
        ) from error


def _side(folder: Path) -> diff.Side:
    path = folder / "environment.json"
    document = recorded(folder)
    try:
        environment = documents.parse(path.read_bytes(), str(path)) if path.is_file() else None
    except (documents.NotJson, OSError) as error:
        raise CommandError(str(error)) from error
    return diff.Side(str(folder), document, environment)
