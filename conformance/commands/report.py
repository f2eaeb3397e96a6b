"""``report``: the pages of a recorded run, made again from its results."""

from __future__ import annotations

from pathlib import Path

from conformance.commands.errors import CommandError
from conformance.report import html, junit, results, schema


def report(folder: Path, *, html_too: bool, junit_too: bool) -> list[Path]:
    """Writes ``index.html`` and ``junit.xml`` into the folder of a run, also of one that was interrupted; returns the paths."""
    try:
        document = results.load(folder)
    except (
        results.NoRun,
        results.UnreadableRun,
        results.UnknownRequirement,
        schema.InvalidDocument,
    ) as error:
        raise CommandError(str(error)) from error
    written = []
    if html_too:
        (folder / "index.html").write_text(html.html(document), encoding="utf-8")
        written.append(folder / "index.html")
    if junit_too:
        (folder / "junit.xml").write_bytes(junit.junit(document))
        written.append(folder / "junit.xml")
    return written
