"""The state machines as a page of the documentation, drawn from their tables."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.model.dialects import Dialect, dialects
from conformance.model.transitions import Transition


def transitions_markdown() -> str:
    """The transition tables, one for each that differs, as Markdown (headings from level 2)."""
    parts: list[str] = []
    for names, one in _machines():
        rows = (
            [state.value, what.value, step.to.value, _why(step), _effects(step)]
            for (state, what), step in one.transitions.items()
        )
        parts += [
            f"## {', '.join(names)}",
            "",
            _table(["state", "input", "next state", "reason", "done, in this order"], rows),
            "",
        ]
    return "\n".join(parts)


def _machines() -> list[tuple[list[str], Dialect]]:
    found: list[tuple[list[str], Dialect]] = []
    for one in dialects():
        same = next((names for names, other in found if other.transitions is one.transitions), None)
        if same is None:
            found.append(([one.key], one))
        else:
            same.append(one.key)
    return found


def _why(step: Transition) -> str:
    return "" if step.reason is None else step.reason.value


def _effects(step: Transition) -> str:
    return "; ".join(effect.value for effect in step.effects) or "nothing"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )
