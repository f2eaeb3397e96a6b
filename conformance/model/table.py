"""Pages drawn from the data: the comparison of CARP dialects with what confirms each value, and the state
machines.
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.model.actions import State
from conformance.model.dialects import ROWS, Dialect, dialects
from conformance.model.rows import KEYS, SYSTEM, Row
from conformance.model.transitions import Effect, Input, Transition


def rules_markdown() -> str:
    """Every rule with its value in each dialect, and what confirms it, as a Markdown page body (headings from
    level 2).
    """
    head = ["rule", *KEYS]
    parts = ["## Systems", "", _table(["dialect", "taken from"], ([f"`{key}`", SYSTEM[key]] for key in KEYS))]
    parts += [
        "",
        "## Rules",
        "",
        _table(head, ([f"**{one.name}**: {one.meaning}", *(one.shown(key) for key in KEYS)] for one in ROWS)),
    ]
    parts += [
        "",
        "## Confirmed by",
        "",
        _table(head, ([one.name, *(str(one.sources[key]) for key in KEYS)] for one in ROWS)),
    ]
    return "\n".join(parts) + "\n"


def confirmed_markdown(row: Row) -> str:
    """One rule on a page of its own: a line for each dialect with value and source."""
    return _table(
        ["dialect", "value", "confirmed by"],
        ([f"`{key}`", row.shown(key), str(row.sources[key])] for key in KEYS),
    )


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


def transitions_dot() -> str:
    """The transition tables as one Graphviz graph with a cluster for each that differs."""
    lines = [
        "digraph carp {",
        "  rankdir=LR;",
        '  node [shape=ellipse, fontname="sans-serif"];',
        '  edge [fontname="sans-serif", fontsize=10];',
    ]
    for number, (names, one) in enumerate(_machines()):
        lines += [f"  subgraph cluster_{number} {{", f'    label="{", ".join(names)}";']
        states = sorted(
            {state for state, _ in one.transitions} | {step.to for step in one.transitions.values()},
            key=list(State).index,
        )
        lines += [f'    {state.value}{number} [label="{state.value}"];' for state in states]
        for (state, what), step in one.transitions.items():
            if step.effects or step.to is not state:
                lines.append(f'    {state.value}{number} -> {step.to.value}{number} [label="{what.value}"];')
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def inputs() -> dict[str, str]:
    """What each input and effect name of the tables means."""
    return {one.name: one.value for one in (*Input, *Effect)}


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
