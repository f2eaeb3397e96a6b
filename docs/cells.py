"""Markdown from facts: tables, cells whose text cannot turn into markup, names without their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"([\\|*<>\[\]]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_CODE = re.compile(r"(`[^`]*`)")


def plain(text: str) -> str:
    """``text`` for a table cell: what could be read as markup is escaped, except between backticks."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(
        part.replace("|", r"\|") if part.startswith("`") else _MARKUP.sub(r"\\\1", part) for part in parts
    )


def code(text: str) -> str:
    """``text`` as code in a table cell."""
    return f"`{text.replace('|', chr(92) + '|')}`"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown already."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def family(name: str) -> str:
    """``name`` with each number taken out: what the members of a family share."""
    return re.sub(r"\d+", "#", name)
