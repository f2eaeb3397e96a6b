"""Which recorded runs may be completed: those that a suite of the same schema version began."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conformance.report.certificate.migrate import CURRENT
from conformance.report.results import header


@dataclass(eq=False)
class OlderRun(Exception):
    """A run that a suite of another schema version began."""

    version: object

    def __str__(self) -> str:
        return (
            f"the run was begun with schema version {self.version!r}, this suite writes {CURRENT}, and half a run in each is none; "
            "run the cases again, or look at what there is with: carp-conformance report DIR"
        )


def may_resume(directory: Path) -> None:
    """Raises `OlderRun` for the run recorded in `directory`, or :class:`conformance.report.results.UnreadableRun`."""
    began = header(directory)
    if began is not None and began.get("schema", 0) != CURRENT:
        raise OlderRun(began.get("schema", 0))
