"""``report``: the pages of a recorded run, made again from its results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.commands.errors import CommandError
from conformance.report import ctrf, html, junit, results, schema


def report(folder: Path, *, html_too: bool, junit_too: bool, ctrf_too: bool) -> list[Path]:
    """Writes ``index.html``, ``junit.xml`` and ``ctrf.json`` into the folder of a run, also of one that was interrupted.

    Returns the paths. Raises :class:`CommandError`.
    """
    document = recorded(folder)
    written = []
    if html_too:
        written.append(_write(folder / "index.html", html.html(document).encode()))
    if junit_too:
        written.append(_write(folder / "junit.xml", junit.junit(document)))
    if ctrf_too:
        written.append(_write(folder / "ctrf.json", ctrf.ctrf(document)))
    return written


def recorded(folder: Path) -> dict[str, Any]:
    """The results of the run in ``folder``. Raises :class:`CommandError`."""
    try:
        return results.load(folder)
    except (
        results.NoRun,
        results.UnreadableRun,
        results.UnknownRequirement,
        schema.InvalidDocument,
    ) as error:
        raise CommandError(str(error)) from error


def _write(path: Path, content: bytes) -> Path:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written ({error.strerror}); make the folder of the run writable, or copy it"
        ) from error
    return path
