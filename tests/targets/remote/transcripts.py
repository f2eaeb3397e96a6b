"""The transcripts of real machines, taken apart into commands and what they printed."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "fixtures" / "transcripts"
CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"


def sections(path: Path) -> dict[str, str]:
    """Output by command, from a transcript with lines ``# COMMAND``."""
    found: dict[str, str] = {}
    command = ""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("# "):
            command = line[2:].strip()
            found[command] = ""
        elif command:
            found[command] += line
    return found


def everywhere(command: str) -> list[tuple[str, str]]:
    """Name of the transcript and output, for each transcript that has the command."""
    return [
        (f"{path.parent.name}/{path.stem}", said[command])
        for path in sorted(FOLDER.glob("*/*.txt"))
        if command in (said := sections(path))
    ]


def commands(system: str) -> list[tuple[str, str]]:
    """The commands that were typed on a system, with the name of their recording, from the ``*_steps.txt``."""
    typed = re.compile(r"^[\d:.]+ \[[ab]\]# (.*?)(?:   -> rc=.*)?$")
    return [
        (path.stem, match[1])
        for path in sorted((CAPTURES / system).glob("*_steps.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if (match := typed.match(line)) is not None
    ]
