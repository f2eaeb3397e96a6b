"""The fenced blocks of a Markdown page, and what to do with one: run it, write it, or find it in the source.

markdown-it (which rich needs anyway) reads the pages. sybil and pytest-markdown-docs were looked at: neither
runs console sessions or writes files, which is most of what these pages hold.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
_NOTE = re.compile(r"<!-- (file|from): (\S+) -->")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; ``use`` is ``file`` or ``from`` (with ``path``) where a comment above it says so."""

    page: str
    line: int
    language: str
    text: str
    use: str = ""
    path: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a console block and the lines that it is said to print on standard output."""

    command: str
    output: tuple[str, ...]


def pages() -> list[str]:
    """The hand-written pages, relative to the root of the project."""
    written = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    made = {ROOT / "docs" / name for name in generated()}
    return sorted(
        str(page.relative_to(ROOT)) for page in written if page not in made and "_build" not in page.parts
    )


def generated() -> tuple[str, ...]:
    """The names of the pages that docs/generate.py writes."""
    import generate

    return (*generate.BUILT, *generate.COMMITTED)


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found, note = [], None
    for token in MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8")):
        if token.type == "fence":
            assert token.map is not None
            use, path = note.groups() if note else ("", "")
            found.append(
                Block(page, token.map[0] + 1, (token.info.split() or [""])[0], token.content, use, path)
            )
        note = _NOTE.fullmatch(token.content.strip()) if token.type == "html_block" else None
    return found


def steps(block: Block) -> Iterator[Step]:
    """The commands of a console block: a line after ``$ ``, continued where a line ends in a backslash."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0], f"{block}: a console block begins with '$ '"
    for part in parts[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = f"{command[:-1]} {more.strip()}"
        yield Step(command, tuple(output.splitlines()))


def agrees(said: str, expected: tuple[str, ...]) -> bool:
    """Whether output is what the page says: ``…`` stands for any text, alone in a line for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"
        for line in expected
    )
    shown = "\n".join(line.rstrip() for line in said.splitlines()) + "\n" if said else ""
    return re.fullmatch(pattern, shown) is not None


def run_console(block: Block, folder: Path, environment: Mapping[str, str]) -> None:
    """Runs the commands of a block in ``folder``. One that fails must be followed by ``$ echo $?``."""
    status = 0
    todo = list(steps(block))
    for step, following in zip(todo, [*todo[1:], None], strict=True):
        done = subprocess.run(
            ["bash", "-c", f"(exit {status})\n{step.command}"],
            cwd=folder,
            env=dict(environment),
            text=True,
            capture_output=True,
            timeout=300,
            check=False,
        )
        status = done.returncode
        announced = following is not None and following.command == "echo $?"
        assert status == 0 or announced, (
            f"{block}: '{step.command}' ended with status {status}\n{done.stdout}{done.stderr}"
        )
        assert agrees(done.stdout, step.output), (
            f"{block}: '{step.command}' printed\n{done.stdout}\nthe page says\n"
            + "\n".join(step.output)
            + f"\n{done.stderr}"
        )


def environment(folder: Path) -> dict[str, str]:
    """For commands: this Python's programs first, the folder importable, a terminal of known width."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": programs,
        "PYTHONPATH": str(folder),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }


def packed(text: str) -> str:
    """Source text without what a formatter may change and without measured durations."""
    return re.sub(r",(?=[)\]}])", "", re.sub(r"@takes\([\d.]+\)", "@takes()", "".join(text.split())))
