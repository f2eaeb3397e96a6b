"""The tools that make the box, run with everything fixed that their output could depend on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

DATE = 1_767_225_600
"""The date of every file that has none of its own: 2026-01-01."""
LIMIT_S = 1800


class BoxError(Exception):
    """The box cannot be made: what went wrong, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"the ucarp box cannot be built: {what}; {remedy}")


def run(
    command: Sequence[str],
    what: str,
    remedy: str = "see its message",
    input: str | None = None,
    **environment: str,
) -> None:
    """Runs a tool of the build. Raises :class:`BoxError` with the last that it said, and ``remedy``."""
    fixed = {
        "SOURCE_DATE_EPOCH": str(DATE),
        "E2FSPROGS_FAKE_TIME": str(DATE),
        "LC_ALL": "C.UTF-8",
        "PATH": _path(),
    }
    try:
        said = subprocess.run(
            command, input=input, capture_output=True, text=True, check=False, timeout=LIMIT_S,
            env=os.environ | fixed | environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BoxError(f"{what} did not end in {LIMIT_S} s", remedy) from error
    if said.returncode != 0:
        tail = " / ".join(said.stderr.strip().splitlines()[-4:]) or "it said nothing"
        raise BoxError(f"{what} ended with status {said.returncode} ({tail})", remedy)


def which(tool: str) -> str | None:
    """Where a tool is, in the folders of root too."""
    return shutil.which(tool, path=_path())


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
